//! FAT images with an EFI loader that stand somewhere on a disc, whether or not an entry of the catalog names them.

use super::{
    bios_program::BiosProgram,
    image::{floppy, is_hard_disk},
    partitions::Tables,
    reading::PartitionsReading,
    tree::Tree,
    window::Window,
};
use crate::{
    eltorito::{BOOT_RECORD_LBA, BootEntry, BootInfoTable, ENTRY_BYTES, MediaType, RawValidation},
    fat::FatVolume,
    partition_table::Mbr,
    units::{BLOCK_BYTES, BlockCount, Lba},
};

/// Places that are looked at.
const PLACES: usize = 4_096;
/// Images that are kept.
const IMAGES: usize = 16;

/// Such an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OtherImage {
    pub(crate) lba: Lba,
    /// What it is: a file, a partition, blocks that nothing owns.
    pub(crate) what: Owner,
    pub(crate) loaders: Vec<String>,
}

/// To what an image belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    File,
    Partition,
    Nothing,
}

/// Looks at every file's start, every partition's, and the first block behind each file that nothing owns.
pub(super) fn find(
    disc: &mut Window<'_>,
    tree: Option<&Tree>,
    partitions: &PartitionsReading,
) -> Vec<OtherImage> {
    let mut extents: Vec<(Lba, BlockCount)> =
        tree.map_or_else(Vec::new, |tree| tree.extents.clone());
    extents.sort_unstable();
    let mbr = partitions.mbr.iter().map(|partition| partition.first);
    let gpt = partitions.gpt.iter().flatten();
    let partitions = mbr.chain(gpt.map(|partition| partition.first));
    let partitions = partitions
        .filter(|first| first.get() > 0)
        .map(|first| (Lba::of_offset(first.byte_offset()), Owner::Partition));
    let files = extents.iter().map(|&(start, _)| (start, Owner::File));
    let mut places: Vec<(Lba, Owner)> = partitions.chain(files).collect();
    let mut end = Lba::default();
    for &(start, blocks) in &extents {
        if start > end && end > Lba::default() {
            places.push((end, Owner::Nothing));
        }
        end = end.max(start.plus(blocks));
    }
    places.push((end, Owner::Nothing));
    let mut found: Vec<OtherImage> = Vec::new();
    for (lba, what) in places.into_iter().take(PLACES) {
        if found.len() >= IMAGES || found.iter().any(|image| image.lba == lba) {
            continue;
        }
        // A boot sector begins with a jump, which spares the rest of nearly all files.
        if !matches!(disc.array(lba.byte_offset()), Some([0xEB | 0xE9])) {
            continue;
        }
        let Some(fat) = FatVolume::at(disc, lba.byte_offset()) else {
            continue;
        };
        let loaders = fat.removable_media_loaders(disc);
        if !loaders.is_empty() {
            found.push(OtherImage { lba, what, loaders });
        }
    }
    found
}

/// Files that are searched for the words of a loader, each of this many blocks at most.
const LOADERS: usize = 1_024;
const LOADER_BLOCKS: BlockCount = BlockCount::new(2_048);

/// The boot image for a BIOS among files, made for this emulation: `None` where there is none, or where nothing tells which of several it is.
pub(super) fn bios_image(
    disc: &mut Window<'_>,
    mut files: Vec<(Lba, BlockCount)>,
    media: MediaType,
) -> Option<Lba> {
    files.truncate(PLACES);
    let sector = |disc: &mut Window<'_>, lba: Lba| disc.array::<512>(lba.byte_offset());
    let has_signature = |sector: &[u8; 512]| sector[510..] == [0x55, 0xAA];
    if let Some(floppy) = floppy(media) {
        let blocks = floppy.length().blocks_rounded_up();
        files.retain(|file| file.1 == blocks);
        return only(&files, |lba| {
            sector(disc, lba).is_some_and(|it| has_signature(&it))
        });
    }
    match media {
        MediaType::HARD_DISK => only_file(&files, |lba, blocks| {
            let length = blocks.virtual_sectors();
            sector(disc, lba).is_some_and(|it| is_hard_disk(&Mbr::decode(&it), length))
        }),
        MediaType::NO_EMULATION => {
            files.retain(|file| file.1 <= LOADER_BLOCKS);
            files.truncate(LOADERS);
            let known = only(&files, |lba| {
                BiosProgram::begins_at(disc, lba.byte_offset())
            });
            let with_table = |disc: &mut Window<'_>| {
                only(&files, |lba| {
                    let head = disc.array(lba.byte_offset());
                    head.is_some_and(|head| BootInfoTable::decode(&head).image == lba)
                })
            };
            let found = known.or_else(|| with_table(disc));
            found.or_else(|| {
                only(&files, |lba| {
                    let is_boot_sector = sector(disc, lba).is_some_and(|it| has_signature(&it));
                    is_boot_sector && FatVolume::at(disc, lba.byte_offset()).is_none()
                })
            })
        }
        _ => None,
    }
}

/// The only file of which something is true.
fn only(files: &[(Lba, BlockCount)], mut is_one: impl FnMut(Lba) -> bool) -> Option<Lba> {
    only_file(files, |lba, _| is_one(lba))
}

fn only_file(
    files: &[(Lba, BlockCount)],
    mut is_one: impl FnMut(Lba, BlockCount) -> bool,
) -> Option<Lba> {
    let mut found = files.iter().filter(|file| is_one(file.0, file.1));
    let first = found.next()?.0;
    // Two names of one file are one.
    found.all(|file| file.0 == first).then_some(first)
}

/// A boot catalog that no boot record leads to: a file, or a block that no file owns among the first ones of the disc.
pub(super) fn catalog(disc: &mut Window<'_>, tree: Option<&Tree>) -> Option<Lba> {
    let files = tree.map_or(&[][..], |tree| &tree.extents);
    let in_file = |lba: Lba| {
        let within =
            |&(start, blocks): &(Lba, BlockCount)| start <= lba && lba < start.plus(blocks);
        files.iter().any(within)
    };
    let starts = files.iter().take(PLACES).map(|file| file.0);
    let blocks = (BOOT_RECORD_LBA.get()..PLACES as u64).map(Lba::new);
    let mut found = starts
        .map(|lba| (lba, true))
        .chain(blocks.map(|lba| (lba, false)));
    let catalog =
        found.find(|&(lba, is_file)| is_catalog(disc, lba, files) && (is_file || !in_file(lba)));
    Some(catalog?.0)
}

/// Whether a catalog stands there of which everything is right that firmware looks at, and that is this disc's: a file that was copied from another
/// disc names images that are not here.
fn is_catalog(disc: &mut Window<'_>, lba: Lba, files: &[(Lba, BlockCount)]) -> bool {
    // The validation entry, the initial one, a section header and its first entry.
    let Some(slots) = disc.array::<{ 4 * ENTRY_BYTES }>(lba.byte_offset()) else {
        return false;
    };
    let (slots, _) = slots.as_chunks::<ENTRY_BYTES>();
    let [validation, initial, _, section] = slots else {
        return false;
    };
    let validation = RawValidation::decode(validation);
    let is_valid = validation.header == RawValidation::HEADER
        && validation.key == RawValidation::KEY
        && validation.word_sum == 0;
    is_valid
        && [initial, section]
            .map(BootEntry::decode)
            .iter()
            .any(|entry| {
                let image = Lba::new(entry.load_rba.into());
                entry.is_plausible(disc.blocks()) && is_image(disc, image, files)
            })
}

/// Whether a file starts there, or something that is a boot image without being one.
fn is_image(disc: &mut Window<'_>, lba: Lba, files: &[(Lba, BlockCount)]) -> bool {
    let start = lba.byte_offset();
    files.iter().any(|file| file.0 == lba)
        || BiosProgram::begins_at(disc, start)
        || FatVolume::at(disc, start)
            .is_some_and(|fat| !fat.removable_media_loaders(disc).is_empty())
}

/// Bytes from the start in which an ISO is looked for outside of partitions.
const SEARCHED: u64 = 2 << 20;
/// Where a volume's first descriptor stands.
const FIRST_DESCRIPTOR: u64 = 16 * 2048;

/// Whether only the signature of the first descriptor is gone, as wipefs leaves a stick: five zeros, and all the rest.
pub(crate) fn is_wiped(disc: &mut Window<'_>) -> bool {
    const NEXT: u64 = FIRST_DESCRIPTOR + BLOCK_BYTES;
    let next: Option<[u8; 7]> = disc.array(NEXT);
    disc.array(FIRST_DESCRIPTOR) == Some([1, 0, 0, 0, 0, 0, 1])
        && next.is_some_and(|next| next.ends_with(b"CD001\x01"))
}

/// Where an ISO begins that does not begin at the start, and whether that is a partition's. An ISO in a file of a stick's file system is none of these.
pub(crate) fn iso_elsewhere(disc: &mut Window<'_>) -> Option<(u64, bool)> {
    // A hybrid disc may have the same volume in a partition as well.
    if is_wiped(disc) {
        return None;
    }
    let partitions = Tables::read(disc).reading();
    let mbr = partitions.mbr.iter().map(|it| it.first);
    let gpt = partitions.gpt.iter().flatten().map(|it| it.first);
    let starts: Vec<u64> = mbr.chain(gpt).map(|first| first.byte_offset()).collect();
    let has_files = !starts.is_empty() || FatVolume::at(disc, 0).is_some();
    let mut is_iso = |start: u64| {
        let descriptor = start
            .checked_add(FIRST_DESCRIPTOR)
            .and_then(|at| disc.array(at));
        start > 0 && descriptor == Some(*b"\x01CD001\x01")
    };
    let partition = starts.into_iter().find(|&start| is_iso(start));
    let mut behind = || {
        let sectors = 1..SEARCHED / 512;
        sectors
            .map(|sector| sector * 512)
            .find(|&start| is_iso(start))
    };
    match partition {
        Some(start) => Some((start, true)),
        None if has_files => None,
        None => behind().map(|start| (start, false)),
    }
}
