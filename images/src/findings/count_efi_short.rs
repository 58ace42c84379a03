//! `count-efi-short`: a count that covers a small part of the file system.

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

const ID: FindingId = FindingId::CountEfiShort;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["ovmf", "firmware"],
    explanation: "The sector count of an EFI entry covers only a small part of its file system.",
    consequence: "OVMF mounts the file system, cannot reach the loader, and reports Not Found.",
    remedy: "Write the image's whole length. A load size of 4 is for the BIOS entry.",
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
        let WrongCount::Short { file_system } = WrongCount::of_efi(boot)? else {
            return None;
        };
        let message = format!(
            "slot {}: the sector count {} covers only a part of a file system of {file_system}",
            entry.slot,
            boot.sector_count.get()
        );
        let finding = Finding::new(ID, reading.place(entry, 6), message);
        Some(reading.counts(finding, (entry, boot)))
    };
    entries.filter_map(finding).collect()
}

/// The load size that belongs to a BIOS entry.
fn inject(disc: &mut Patient<'_>) {
    disc.set_count(disc.last.slot, 4);
}
