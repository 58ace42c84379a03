//! `efi-fat-longer-than-image`: a file system that claims more sectors than its image has.

use super::{
    Room,
    recipe::{genisoimage, xorriso},
};
use crate::{
    defect::{Injection, needs_efi},
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    inspect::efi_image::EfiImage,
};

const ID: FindingId = FindingId::EfiFatLongerThanImage;

pub(super) const ROOM: Room = Room {
    id: "efi-fat-longer-than-image",
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    trips: &["ovmf"],
    explanation: "The file system in an EFI image claims more sectors than the image has: the image was cut before the disc was mastered.",
    consequence: "Load Error where the loader lies in what is missing; otherwise it boots for as long as nothing reads what is missing.",
    remedy: "Fetching the disc again does not help, because the image was cut before it came onto the disc: ask the maker of the disc; else make the image again, or copy it again from where it is whole.",
    recipes: &[xorriso("mkfs.fat mcopy"), genisoimage("mkfs.fat mcopy")],
    replaces: &[
        FindingId::ImageOutOfRange,
        FindingId::CountEfiShort,
        FindingId::EfiNoLoader,
        FindingId::EfiLoaderProgram,
        FindingId::EfiLoaderName,
    ],
    describes: false,
    check,
    defect: Some(Injection {
        express: needs_efi,
        // It is the length of the image.
        in_image: Some(|_, _| {}),
        ..Injection::WORDS
    }),
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
            format!("{name} lies in what is missing")
        } else if image.programs.is_empty() {
            "no loader is found in what is there".to_owned()
        } else {
            "its loader lies in what is there".to_owned()
        };
        let message = format!(
            "slot {}: the file system claims {claimed}, and its image has {}: {lost}",
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
