//! `efi-wrong-image`: an EFI entry that does not name the image with the loader.

use super::{
    recipe::declared::{genisoimage, oscdimg, pycdlib, xorriso},
    room::Room,
};
use crate::{
    boot::Boot,
    defect::{Injection, Lack, Patient, need},
    finding::{Finding, FindingId, Severity},
    inspect::Reading,
    size::Size,
    units::Lba,
};

const ID: FindingId = FindingId::EfiWrongImage;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["ovmf"],
    explanation: "The disc contains a FAT image with an EFI loader, but the EFI entry points to something else.",
    consequence: "OVMF reports Not Found, because it reads only what the entry points to.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise point the EFI entry to the image that contains the loader.",
    recipes: &[
        xorriso("-e"),
        genisoimage("-e"),
        pycdlib("efi=True"),
        oscdimg("#pEF"),
    ],
    replaces: &[
        FindingId::EfiForeignFilesystem,
        FindingId::EfiFatClusters,
        FindingId::EfiLoaderProgram,
        FindingId::EfiLoaderName,
        FindingId::EfiNoLoader,
        FindingId::EfiFatLongerThanImage,
    ],
    check,
    defect: Some(Injection {
        express,
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let images = reading.efi_images();
    let Some(image) = images.first() else {
        return Vec::new();
    };
    if images.iter().any(|image| !image.boot.loaders.is_empty()) {
        return Vec::new();
    }
    let named = |lba: Lba| images.iter().any(|image| image.boot.load_rba == lba);
    let others = reading.images_elsewhere();
    let Some(other) = others.iter().find(|other| !named(other.lba)) else {
        return Vec::new();
    };
    let message = format!(
        "slot {}: the entry points to the image at LBA {}, which has no loader; {} has {}",
        image.entry.slot,
        image.boot.load_rba.get(),
        reading.name_of(other),
        other.loaders.join(" and ")
    );
    let finding = Finding::new(ID, reading.place(image.entry, 8), message);
    vec![reading.names(finding, (image.entry, image.boot), other.lba)]
}

fn express(boot: &mut Boot, _: &mut Option<Size>) -> Result<(), Lack> {
    need(
        boot.mode.efi() && boot.mode.bios().is_some(),
        "an EFI entry and an image for the BIOS",
    )
}

/// The EFI entry names the image for the BIOS.
fn inject(disc: &mut Patient<'_>) {
    let (slot, other) = (disc.last.slot, disc.first.lba);
    disc.set_load_rba(slot, other);
}
