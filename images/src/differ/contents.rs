//! Boot images and files, byte by byte.

use std::collections::BTreeMap;

use super::{Difference, Pair, Side, fields::difference};
use crate::{
    bytes::le64,
    eltorito::BootInfoTable,
    fat::FatStructure,
    inspect::BootReading,
    map::Structure,
    units::{ByteCount, Lba, VIRTUAL_SECTOR_BYTES},
};

/// Bytes compared at once.
const PIECE: usize = 64 * 1024;
/// Where `grub-mkrescue` writes the address of a BIOS image's rest, in sectors of 512 bytes (xorriso's `--grub2-boot-info`).
const GRUB_ADDRESS: u64 = 2_548;
/// What a FAT's boot sector has by nature: the sectors before it, and the serial numbers of FAT12 and FAT16 and of
/// FAT32, which come from the time at which it was made.
const FAT_OWN: [Skip; 3] = [(0x1C, 4), (0x27, 4), (0x43, 4)];

/// Bytes that are not compared: where in the structure, and how many.
type Skip = (u64, u64);

/// A file's bytes on the disc: where, and how many.
type Runs = Vec<(u64, ByteCount)>;

impl Pair<'_, '_, '_> {
    pub(super) fn boot_images(&mut self) -> Option<Difference> {
        let good = self.good.inspection;
        let other = self.other.inspection;
        for (entry, there) in good.entries() {
            let same_slot = other
                .entries()
                .find(|(candidate, _)| candidate.slot == entry.slot);
            let Some((_, here)) = same_slot else { continue };
            let different = self.boot_image(entry.slot, there, here);
            if different.is_some() {
                return different;
            }
        }
        None
    }

    fn boot_image(
        &mut self,
        slot: u16,
        there: &BootReading,
        here: &BootReading,
    ) -> Option<Difference> {
        let of = format!("the boot image of slot {slot}");
        let starts = (there.load_rba.byte_offset(), here.load_rba.byte_offset());
        let discs = (
            self.good.disc.length().get(),
            self.other.disc.length().get(),
        );
        if starts.0 >= discs.0 {
            return None;
        }
        if starts.1 >= discs.1 {
            let said = |lba: Lba| format!("LBA {}", lba.get());
            let here = format!("{}, past the end of the disc", said(here.load_rba));
            let what = format!("where {of} starts");
            return Some(difference(
                what,
                starts.1,
                Some(slot),
                &said(there.load_rba),
                &here,
            ));
        }
        if !there.loaders.is_empty() && here.fat.is_some() {
            return self.file_system(slot, starts);
        }
        let lengths = (length(there), length(here));
        let skips = self.addresses(starts);
        let what = |at: u64| {
            let (sector, byte) = (at / VIRTUAL_SECTOR_BYTES, at % VIRTUAL_SECTOR_BYTES);
            format!("byte {byte} of virtual sector {sector} of {of}")
        };
        self.bytes(starts, lengths.0.min(lengths.1), Some(slot), &skips, &what)
            .or_else(|| {
                let what = format!("the length of {of}");
                let differs = lengths.0 != lengths.1;
                differs.then(|| {
                    difference(
                        what,
                        starts.1,
                        Some(slot),
                        &lengths.0.to_string(),
                        &lengths.1.to_string(),
                    )
                })
            })
    }

    /// The bytes of two images that hold their own addresses, each right on its disc, and what follows from those.
    fn addresses(&mut self, starts: (u64, u64)) -> Vec<Skip> {
        let mut skips = Vec::new();
        let table = |side: &mut Side<'_, '_>, start: u64| {
            let table = side
                .disc
                .array(start)
                .map(|head| BootInfoTable::decode(&head));
            table.is_some_and(|table| table.image == Lba::of_offset(start))
        };
        if table(&mut self.good, starts.0) && table(&mut self.other, starts.1) {
            skips.push((BootInfoTable::START, 8));
        }
        // Relative to the image's own start.
        let grub = |side: &mut Side<'_, '_>, start: u64| {
            let field: [u8; 8] = side.disc.array(start.saturating_add(GRUB_ADDRESS))?;
            le64(&field, 0).checked_sub(start / VIRTUAL_SECTOR_BYTES)
        };
        let relative = (
            grub(&mut self.good, starts.0),
            grub(&mut self.other, starts.1),
        );
        if relative.0.is_some() && relative.0 == relative.1 {
            skips.push((GRUB_ADDRESS, 8));
            // The table's checksum covers the address.
            skips.push((BootInfoTable::START + 12, 4));
        }
        skips
    }

    /// The boot sector and the files of two file systems: where in them something stands, and when it was written, may
    /// differ.
    fn file_system(&mut self, slot: u16, starts: (u64, u64)) -> Option<Difference> {
        let of = format!("the boot image of slot {slot}");
        let what = |at: u64| format!("byte {at} of the boot sector of {of}");
        let sector = ByteCount::new(VIRTUAL_SECTOR_BYTES);
        if let Some(difference) = self.bytes(starts, sector, Some(slot), &FAT_OWN, &what) {
            return Some(difference);
        }
        let (there, here) = (self.good.fat_files(slot), self.other.fat_files(slot));
        for (path, runs) in &there {
            let name = format!("{path} in {of}");
            let Some(other) = here.get(path) else {
                return Some(difference(name, starts.1, Some(slot), "a file", "none"));
            };
            let different = self.runs(&name, Some(slot), runs, other);
            if different.is_some() {
                return different;
            }
        }
        None
    }

    pub(super) fn files(&mut self) -> Option<Difference> {
        let (there, here) = (self.good.files(), self.other.files());
        there.iter().find_map(|(path, runs)| {
            let other = here.get(path)?;
            self.runs(path, None, runs, other)
        })
    }

    /// Two files, by their contents and then their lengths.
    fn runs(
        &mut self,
        name: &str,
        slot: Option<u16>,
        there: &Runs,
        here: &Runs,
    ) -> Option<Difference> {
        let mut before = 0;
        for (start_there, start_here, bytes) in side_by_side(there, here) {
            let what = |at: u64| format!("byte {} of {name}", before + at);
            let different = self.bytes((start_there, start_here), bytes, slot, &[], &what);
            if different.is_some() {
                return different;
            }
            before += bytes.get();
        }
        let whole = |runs: &Runs| ByteCount::new(runs.iter().map(|run| run.1.get()).sum());
        let (there, start) = (whole(there), here.first()?.0);
        let here = whole(here);
        let what = format!("the length of {name}");
        (there != here)
            .then(|| difference(what, start, slot, &there.to_string(), &here.to_string()))
    }

    /// Bytes that must be the same; `what` says what a byte of them is.
    pub(super) fn bytes(
        &mut self,
        starts: (u64, u64),
        length: ByteCount,
        slot: Option<u16>,
        skips: &[Skip],
        what: &dyn Fn(u64) -> String,
    ) -> Option<Difference> {
        let (mut there, mut here) = (vec![0; PIECE], vec![0; PIECE]);
        let mut at = 0;
        while at < length.get() {
            let size = usize::try_from(length.get() - at)
                .unwrap_or(PIECE)
                .min(PIECE);
            let read_there = read(
                &mut self.good,
                starts.0.saturating_add(at),
                there.get_mut(..size)?,
            );
            let read_here = read(
                &mut self.other,
                starts.1.saturating_add(at),
                here.get_mut(..size)?,
            );
            if read_there == 0 {
                // Nothing to compare with.
                return None;
            }
            let (there, here) = (there.get(..read_there)?, here.get(..read_here)?);
            let skipped = |at: u64| {
                skips
                    .iter()
                    .any(|&(from, size)| (from..from + size).contains(&at))
            };
            let differs = (0..read_there)
                .zip(at..)
                .find(|&(index, at)| there.get(index) != here.get(index) && !skipped(at));
            if let Some((index, at)) = differs {
                let said = |byte: Option<&u8>| {
                    byte.map_or_else(
                        || "the disc's end".to_owned(),
                        |byte| format!("0x{byte:02X}"),
                    )
                };
                let offset = starts.1.saturating_add(at);
                return Some(difference(
                    what(at),
                    offset,
                    slot,
                    &said(there.get(index)),
                    &said(here.get(index)),
                ));
            }
            at += read_there as u64;
        }
        None
    }
}

fn read(side: &mut Side<'_, '_>, offset: u64, buffer: &mut [u8]) -> usize {
    side.disc.read(offset, buffer)
}

/// How much of an image is compared.
fn length(boot: &BootReading) -> ByteCount {
    let extent = boot.extent_blocks.map(crate::units::BlockCount::bytes);
    let own = boot.own_length.map(crate::units::VirtualSectorCount::bytes);
    // A file's own length; what has no name ends where it says, or where the next thing starts.
    boot.file_bytes
        .or(own.min(extent).or(extent))
        .unwrap_or_default()
}

/// Two files' extents, cut so that each piece is in one extent of both.
fn side_by_side(there: &Runs, here: &Runs) -> Vec<(u64, u64, ByteCount)> {
    let mut pieces = Vec::new();
    let (mut there, mut here) = (there.iter().copied(), here.iter().copied());
    let (mut one, mut other) = (there.next(), here.next());
    while let (Some(a), Some(b)) = (one, other) {
        let size = a.1.min(b.1).get();
        pieces.push((a.0, b.0, ByteCount::new(size)));
        let rest = |run: (u64, ByteCount)| {
            let left = run.1.get() - size;
            (left > 0).then(|| (run.0.saturating_add(size), ByteCount::new(left)))
        };
        one = rest(a).or_else(|| there.next());
        other = rest(b).or_else(|| here.next());
    }
    pieces
}

impl Side<'_, '_> {
    /// The files of the tree that are no boot images, by path.
    fn files(&self) -> BTreeMap<String, Runs> {
        self.gather(|what| match what {
            Structure::File { path } => Some(path),
            _ => None,
        })
    }

    /// The files in a boot image's file system, by path.
    fn fat_files(&self, slot: u16) -> BTreeMap<String, Runs> {
        self.gather(|what| match what {
            Structure::Fat {
                part: FatStructure::File { path },
                holder,
            } => {
                let is_here = matches!(&**holder, Structure::BootImage { slots, .. } if slots.contains(&slot));
                is_here.then_some(path)
            }
            _ => None,
        })
    }

    fn gather<'m>(
        &'m self,
        path_of: impl Fn(&'m Structure) -> Option<&'m String>,
    ) -> BTreeMap<String, Runs> {
        let mut files: BTreeMap<String, BTreeMap<u64, (u64, ByteCount)>> = BTreeMap::new();
        for extent in self.map.extents() {
            if let Some(path) = path_of(&extent.what) {
                let runs = files.entry(path.clone()).or_default();
                runs.insert(extent.before.get(), (extent.offset, extent.bytes));
            }
        }
        let ordered = |(path, runs): (String, BTreeMap<u64, (u64, ByteCount)>)| {
            (path, runs.into_values().collect())
        };
        files.into_iter().map(ordered).collect()
    }
}
