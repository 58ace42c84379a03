//! `efi-no-loader`: an EFI entry without a loader.

use super::{
    recipe::declared::{genisoimage, grub_mkrescue, xorriso},
    room::Room,
};
use crate::{
    defect::Injection,
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    sparse::SparseBytes,
    units::Lba,
};

const ID: FindingId = FindingId::EfiNoLoader;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["ovmf"],
    explanation: "No EFI entry has an image with a FAT file system that contains \\EFI\\BOOT\\BOOT*.EFI.",
    consequence: "OVMF reports Not Found.",
    remedy: "Make a FAT file system in the image and put the loader into it: for x86-64, as \\EFI\\BOOT\\BOOTX64.EFI.",
    recipes: &[
        xorriso("mkfs.fat mcopy"),
        genisoimage("mkfs.fat mcopy"),
        grub_mkrescue(),
    ],
    check,
    defect: Some(Injection::in_efi_image(remove_file_system)),
    ..Room::BASE
};

/// One entry with a loader is enough: others make the disc start on a Mac.
fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    if reading
        .bootable_efi_entries()
        .any(|(_, boot)| !boot.loaders.is_empty())
    {
        return Vec::new();
    }
    // An image that is not on the disc has its own finding.
    let Some((entry, boot)) = reading
        .bootable_efi_entries()
        .find(|(_, boot)| boot.extent_blocks.is_some())
    else {
        return Vec::new();
    };
    let what = match boot.fat {
        None => "is not a FAT file system".to_owned(),
        Some(fat) => format!("is FAT{fat} but has no file \\EFI\\BOOT\\BOOT*.EFI"),
    };
    let message = format!(
        "slot {}: the image at LBA {} {what}",
        entry.slot,
        boot.load_rba.get()
    );
    vec![Finding::new(ID, Place::block(boot.load_rba), message)]
}

fn remove_file_system(bytes: &mut SparseBytes, image: Lba) {
    bytes.write_at(image.byte_offset(), &[0; 512]);
}
