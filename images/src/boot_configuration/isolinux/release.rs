//! Which release of isolinux a disc has.

use crate::inspect::{BiosProgram, Inspection, Window};

/// The first version that may know Rock Ridge: 4.05 does not, and 6.04 does.
const WITH_ROCK_RIDGE: u8 = 5;

/// Whether the first boot image that is isolinux is one that knows ISO 9660's names alone.
pub(in crate::boot_configuration) fn is_old(
    disc: &mut Window<'_>,
    inspection: &Inspection,
) -> bool {
    let mut images = inspection
        .entries()
        .filter(|(_, boot)| boot.fat.is_none() && boot.extent_blocks.is_some());
    images
        .find_map(|(_, boot)| {
            let start = boot.load_rba.byte_offset();
            match BiosProgram::of_image(disc, start, boot.file_bytes) {
                BiosProgram::Isolinux(version) => Some(version?),
                _ => None,
            }
        })
        .is_some_and(|version| version < WITH_ROCK_RIDGE)
}
