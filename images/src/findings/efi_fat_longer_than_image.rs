//! `efi-fat-longer-than-image`: a file system that claims more sectors than its image has.

use super::{
    recipe::declared::{genisoimage, xorriso},
    room::Room,
};
use crate::{
    defect::{Injection, needs_efi},
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    inspect::efi_image::EfiImage,
};

const ID: FindingId = FindingId::EfiFatLongerThanImage;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    trips: &["ovmf"],
    explanation: "The file system in an EFI image claims more sectors than the image has: the image was truncated before the disc was mastered.",
    consequence: "If the loader is in the missing part, OVMF reports Load Error. Otherwise the disc boots until something reads the missing part.",
    remedy: "Downloading the disc again does not help, because the image was truncated before it was put on the disc. Ask the maker of the disc. If you made it, make the image again, or copy it again from a complete one.",
    recipes: &[xorriso("mkfs.fat mcopy"), genisoimage("mkfs.fat mcopy")],
    replaces: &[
        FindingId::ImageOutOfRange,
        FindingId::CountEfiShort,
        FindingId::EfiNoLoader,
        FindingId::EfiLoaderProgram,
        FindingId::EfiLoaderName,
    ],
    check,
    defect: Some(Injection {
        express: needs_efi,
        // This is the image's length.
        in_image: Some(|_, _| {}),
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let images = reading.efi_images();
    let finding = |image: &EfiImage<'_>| {
        let fat = image.fat?;
        let claimed = fat.parameters.length().bytes();
        if !image.length_is_known || claimed <= image.length.blocks_rounded_up().bytes() {
            return None;
        }
        let start = image.boot.load_rba.byte_offset();
        let end = start.saturating_add(image.length.get());
        let missing: Vec<&str> = image
            .in_boot_folder()
            .filter(|program| program.file.end() > end)
            .map(|program| program.name.as_str())
            .collect();
        let lost = if let Some(name) = missing.first() {
            format!("{name} is in the missing part")
        } else if image.programs.is_empty() {
            "the part that is there contains no loader".to_owned()
        } else {
            "its loader is in the part that is there".to_owned()
        };
        let message = format!(
            "slot {}: the file system claims {claimed}, but its image has {}: {lost}",
            image.entry.slot,
            image.length.get()
        );
        let shorter = fat.shortened(reading.disc, image.length);
        let finding = Finding::new(ID, Place::block(image.boot.load_rba), message)
            .fixed_by_all(shorter.unwrap_or_default());
        let boots = missing.is_empty() && !image.programs.is_empty();
        Some(if boots { finding.milder() } else { finding })
    };
    images.iter().filter_map(finding).collect()
}
