//! FAT images with an EFI loader that stand somewhere on a disc, whether or not an entry of the catalog names them.

use super::{Window, reading::PartitionsReading, tree::Tree};
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
