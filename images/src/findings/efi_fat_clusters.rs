//! `efi-fat-clusters`: a FAT whose layout and number of clusters disagree.

use super::{
    Room,
    recipe::{genisoimage, xorriso},
};
use crate::{
    fat::WrongWidth,
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    inspect::efi_image::EfiImage,
};

const ID: FindingId = FindingId::EfiFatClusters;

pub(super) const ROOM: Room = Room {
    id: "efi-fat-clusters",
    severity: Severity::Error,
    milder: None,
    trips: &["ovmf"],
    explanation: "An EFI image's file system has FAT32's layout and fewer than 65,525 clusters, or its layout and its number of clusters disagree in another way.",
    consequence: "EDK2 refuses such a file system: Not Found. Linux and Windows mount it, so the files look right.",
    remedy: "If it is not your disc, ask its maker for a new one; else make the file system again, and let the tool choose the width.",
    recipes: &[xorriso("mkfs.fat mcopy"), genisoimage("mkfs.fat mcopy")],
    replaces: &[FindingId::EfiNoLoader],
    describes: false,
    check,
    defect: None,
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let images = reading.efi_images();
    let finding = |image: &EfiImage<'_>| {
        let what = match image.fat?.parameters.wrong_width()? {
            WrongWidth::TooFewForFat32(clusters) => {
                format!("it is FAT32 with {clusters} clusters, and FAT32 has 65525 or more")
            }
            WrongWidth::TooManyForFat16(clusters) => format!(
                "it has FAT16's layout and {clusters} clusters, and FAT16 has 65524 at most"
            ),
            WrongWidth::TableTooShort { clusters, table } => {
                format!("its table of {table} bytes is too short for {clusters} clusters")
            }
        };
        let message = format!(
            "slot {}: EDK2 refuses the file system at LBA {}: {what}",
            image.entry.slot,
            image.boot.load_rba.get()
        );
        let finding = Finding::new(ID, Place::block(image.boot.load_rba), message);
        Some(finding.info_if(images.iter().any(EfiImage::works)))
    };
    images.iter().filter_map(finding).collect()
}
