//! A disc that a tool has mastered: what of ours is where on it.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

use images::{
    eltorito::Catalog,
    iso9660::SYSTEM_AREA_BLOCKS,
    manifest::{Manifest, Region},
    medium::Medium,
    reference::Contents,
    units::{BlockCount, ByteCount, Lba},
};
use rustix::fs::{FallocateFlags, fallocate};

use crate::layout::BootLayout;

/// What a probe must find on a disc that a tool has mastered. Each entry of its catalog, in order, is that of the image that
/// was given in that order: what really stands at its address the probe will say.
///
/// # Errors
/// The disc cannot be read.
pub fn manifest(
    iso: &Path,
    id: &str,
    medium: Option<Medium>,
    contents: &mut Contents,
) -> io::Result<Manifest> {
    let layout = BootLayout::of_file(iso)?;
    let size = ByteCount::new(iso.metadata()?.len());
    let load_rbas: Vec<Lba> = layout.images.iter().map(|image| image.load_rba).collect();
    let mut records = contents.records(&load_rbas);
    let disc = File::open(iso)?;
    for (number, record) in records.iter_mut().enumerate() {
        let start = record.load_rba.byte_offset();
        record.altered = contents.first_difference(number, |offset, bytes| {
            read_as_far(&disc, start.saturating_add(offset), bytes)
        })?;
    }
    let mut map = vec![region(
        Lba::new(0),
        SYSTEM_AREA_BLOCKS,
        "system area".to_owned(),
    )];
    map.extend(
        layout
            .catalog
            .map(|lba| region(lba, Catalog::blocks(1), "boot catalog".to_owned())),
    );
    map.extend(records.iter().map(|record| {
        let what = format!("boot image, slot {}", record.slot);
        region(record.load_rba, record.length.blocks_rounded_up(), what)
    }));
    map.sort_by_key(|region| region.start);
    Ok(Manifest {
        id: id.to_owned(),
        disc: contents.disc(),
        size,
        capacity: medium.map(Medium::capacity),
        catalog: layout.catalog.unwrap_or_default(),
        images: records,
        map,
    })
}

/// Reads as much as there is.
fn read_as_far(file: &File, mut offset: u64, mut bytes: &mut [u8]) -> io::Result<usize> {
    let mut all = 0;
    while !bytes.is_empty() {
        match file.read_at(bytes, offset)? {
            0 => break,
            read => {
                all += read;
                offset = offset.saturating_add(read as u64);
                bytes = bytes.get_mut(read..).unwrap_or_default();
            }
        }
    }
    Ok(all)
}

const fn region(start: Lba, blocks: BlockCount, what: String) -> Region {
    Region {
        start,
        blocks,
        what,
    }
}

/// So many bytes at once are looked at for zeros.
const WINDOW: usize = 64 << 10;

/// Gives back to the host's disk what of a file is zeros: tools write the holes of their input as zeros.
///
/// # Errors
/// The file cannot be read. A file system that has no holes is none.
pub fn dig_holes(file: &Path) -> io::Result<()> {
    let file = File::options().read(true).write(true).open(file)?;
    let length = file.metadata()?.len();
    let mut window = vec![0; WINDOW];
    let mut at = 0;
    while at < length {
        let size = usize::try_from(length - at).unwrap_or(WINDOW).min(WINDOW);
        let bytes = window.get_mut(..size).unwrap_or_default();
        file.read_exact_at(bytes, at)?;
        if bytes.iter().all(|&byte| byte == 0) {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            if fallocate(&file, flags, at, size as u64).is_err() {
                return Ok(());
            }
        }
        at += size as u64;
    }
    Ok(())
}
