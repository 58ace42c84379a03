//! Which reads of a disc are a BIOS's own.

use crate::{layout::BootLayout, observation::DiscRead};

/// How many of the reads a BIOS made itself before it jumped. What comes after is the boot image's.
///
/// From a CD it reads the catalog, then the initial entry's image as far as the entry says, in order
/// (SeaBIOS `src/cdrom.c`, `cdrom_boot`); from a disk the first sector (`src/boot.c`, `boot_disk`).
pub(crate) fn reads_before_jump(reads: &[DiscRead], layout: &BootLayout, as_disk: bool) -> usize {
    let position = |offset: u64, from: usize| {
        let found = reads
            .get(from..)?
            .iter()
            .position(|read| read.offset == offset)?;
        Some(from + found)
    };
    if as_disk {
        return position(0, 0).map_or(reads.len(), |at| at + 1);
    }
    let (Some(catalog), Some(image)) = (layout.catalog, layout.initial()) else {
        return reads.len();
    };
    let Some(catalog_read) = position(catalog.byte_offset(), 0) else {
        return reads.len();
    };
    let mut left = image.loaded_by_bios().bytes().get();
    if left == 0 {
        return catalog_read + 1;
    }
    let Some(first) = position(image.load_rba.byte_offset(), catalog_read + 1) else {
        return reads.len();
    };
    for (at, read) in reads.iter().enumerate().skip(first) {
        left = left.saturating_sub(read.bytes);
        if left == 0 {
            return at + 1;
        }
    }
    reads.len()
}
