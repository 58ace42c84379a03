//! FAT images with an EFI loader that stand somewhere on a disc, whether or not an entry of the catalog names them.

use super::{Window, partitions::Tables, reading::PartitionsReading, tree::Tree};
use crate::{
    fat::FatVolume,
    units::{BlockCount, Lba},
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

/// Bytes from the start in which an ISO is looked for outside of partitions.
const SEARCHED: u64 = 2 << 20;
/// Where a volume's first descriptor has its name.
const NAME: u64 = 16 * 2048 + 1;

/// Where an ISO begins that does not begin at the start, and whether that is a partition's.
pub(crate) fn iso_elsewhere(disc: &mut Window<'_>) -> Option<(u64, bool)> {
    let partitions = Tables::read(disc).reading();
    let mbr = partitions.mbr.iter().map(|it| it.first);
    let gpt = partitions.gpt.iter().flatten().map(|it| it.first);
    let starts: Vec<u64> = mbr.chain(gpt).map(|first| first.byte_offset()).collect();
    let mut is_iso = |start: u64| {
        let name = start.checked_add(NAME).and_then(|at| disc.array(at));
        start > 0 && name == Some(*b"CD001\x01")
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
        None => behind().map(|start| (start, false)),
    }
}
