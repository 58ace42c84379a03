//! `efi-no-loader`: an EFI entry without a loader.

use super::{
    recipe::declared::{genisoimage, grub_mkrescue, xorriso},
    room::Room,
};
use crate::{
    defect::Injection,
    fat::FatVolume,
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    partition_table::PartitionType,
    sparse::SparseBytes,
    units::{Lba, VirtualSector},
};

/// More than any disc has.
const PARTITIONS: usize = 16;

const FOR_PARTITION: &str = "If you did not make the disc, ask its maker for a new one. Otherwise put the loader into the partition: append the image of the EFI entry itself (xorriso: -append_partition 2 0xef efi.img and -e --interval:appended_partition_2:all::).";

const ID: FindingId = FindingId::EfiNoLoader;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    trips: &["ovmf"],
    explanation: "No EFI entry, or no EFI partition, has a FAT file system that contains \\EFI\\BOOT\\BOOT*.EFI.",
    consequence: "OVMF reports Not Found. From a stick whose EFI partition has no loader, OVMF starts the loader of the EFI entry, and U-Boot starts nothing.",
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

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = entries(reading);
    if findings.is_empty() {
        findings.extend(partition(reading));
    }
    findings
}

/// An EFI partition that is not the image of an entry, and has a file system without a loader, if no other EFI partition has one.
fn partition(reading: &mut Reading<'_, '_>) -> Option<Finding> {
    let partitions = &reading.inspection.partitions;
    let mbr = partitions.mbr.iter();
    let mbr = mbr.filter(|it| it.kind == PartitionType::EFI_SYSTEM.0);
    let gpt = partitions.gpt.iter().flatten().filter(|it| it.esp);
    let mut firsts: Vec<VirtualSector> = gpt.map(|it| it.first).collect();
    firsts.extend(mbr.map(|it| it.first));
    let mut without = None;
    for first in firsts.into_iter().take(PARTITIONS) {
        let offset = first.byte_offset();
        let mut images = reading.bootable_efi_entries();
        if images.any(|(_, boot)| boot.load_rba.byte_offset() == offset) {
            return None;
        }
        let fat = FatVolume::at(reading.disc, offset)?;
        if !fat.removable_media_loaders(reading.disc).is_empty() {
            return None;
        }
        without.get_or_insert(first);
    }
    let first = without?;
    let message = format!(
        "the EFI partition at sector {} has a FAT file system, but no file \\EFI\\BOOT\\BOOT*.EFI",
        first.get()
    );
    let place = Place {
        offset: first.byte_offset(),
    };
    let mut finding = Finding::new(ID, place, message)
        .with_fix(FOR_PARTITION)
        .milder();
    finding.trips = vec!["usb".to_owned()];
    Some(finding)
}

/// One entry with a loader is enough: others make the disc start on a Mac.
fn entries(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
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
