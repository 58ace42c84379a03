//! `count-unit`: a count in 2048-byte blocks.

use super::{
    recipe::declared::{genisoimage, oscdimg, pycdlib, xorriso},
    room::Room,
};
use crate::{
    defect::{Injection, Patient, needs_efi},
    finding::{Finding, FindingId, Severity},
    inspect::counts::WrongCount,
    inspect::{BootReading, EntryReading, Reading},
};

const ID: FindingId = FindingId::CountUnit;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["firmware"],
    explanation: "The sector count of an EFI entry is in 2048-byte blocks, so it is a quarter of the image's length in 512-byte sectors.",
    consequence: "OVMF also takes the count in blocks, and boots the disc. Firmware that follows El Torito, such as U-Boot, sees a quarter of the file system. The UEFI specification names no unit.",
    remedy: "Count 512-byte sectors: divide the image's length in bytes by 512.",
    recipes: &[
        xorriso("-e"),
        genisoimage("no -boot-load-size after -e"),
        pycdlib("no boot_load_size for UEFI"),
        oscdimg(""),
    ],
    check,
    defect: Some(Injection {
        express: needs_efi,
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let entries = reading.bootable_efi_entries();
    let finding = |(entry, boot): (&EntryReading, &BootReading)| {
        let WrongCount::Unit { length } = WrongCount::of_efi(boot)? else {
            return None;
        };
        let message = format!(
            "slot {}: the sector count {} is the image's length in 2048-byte blocks; in 512-byte sectors, the length is {}",
            entry.slot,
            boot.sector_count.get(),
            length.get()
        );
        let finding = Finding::new(ID, reading.place(entry, 6), message);
        Some(reading.counts(finding, (entry, boot)))
    };
    entries.filter_map(finding).collect()
}

fn inject(disc: &mut Patient<'_>) {
    let slot = &disc.slots[usize::from(disc.last.slot)];
    let quarter = u16::from_le_bytes([slot[6], slot[7]]) / 4;
    disc.set_count(disc.last.slot, quarter);
}
