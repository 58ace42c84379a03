//! `entry-not-bootable`: the initial entry is not marked as bootable.

use super::{
    recipe::declared::{genisoimage, oscdimg, pycdlib, xorriso},
    room::Room,
};
use crate::{
    defect::{INITIAL, Injection, Patient},
    eltorito::{BOOTABLE, NOT_BOOTABLE},
    finding::{Finding, FindingId, Severity},
    inspect::{BootReading, EntryKind, Purpose, Reading},
};

const ID: FindingId = FindingId::EntryNotBootable;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "bochs", "ovmf", "u-boot"],
    explanation: "The boot indicator of the initial entry, or of the only entry for UEFI, is not 88.",
    consequence: "SeaBIOS stops with code 000b; OVMF does not make a drive from the entry.",
    remedy: "Mark the entry as bootable.",
    recipes: &[
        xorriso("no -no-boot"),
        genisoimage("no -no-boot"),
        pycdlib("no bootable=False"),
        oscdimg(""),
    ],
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let marked = |reading: &mut Reading<'_, '_>, finding: Finding, boot: &BootReading| {
        let place = finding.offset;
        if reading.is_something(boot) {
            finding.fixed_by(place, &[BOOTABLE])
        } else {
            finding
        }
    };
    let initial = reading
        .entries()
        .find(|(entry, boot)| entry.kind == EntryKind::Initial && !boot.bootable);
    if let Some((entry, boot)) = initial {
        let place = reading.place(entry, 0);
        let byte = reading.disc.array::<1>(place.offset).unwrap_or_default();
        let message = format!(
            "the initial entry's boot indicator is {:02X}, not 88",
            byte[0]
        );
        findings.push(marked(reading, Finding::new(ID, place, message), boot));
    }
    // One entry may be not bootable on purpose, but not all entries for UEFI. The initial entry was reported above.
    if reading.bootable_efi_entries().next().is_none() {
        let mut entries = reading.entries_for(Purpose::Efi);
        let section = entries.find(|(entry, _)| entry.kind == EntryKind::Section);
        if let Some((entry, boot)) = section {
            let message = format!(
                "slot {}: the only entry for UEFI is not marked as bootable",
                entry.slot
            );
            let finding = Finding::new(ID, reading.place(entry, 0), message);
            findings.push(marked(reading, finding, boot));
        }
    }
    findings
}

fn inject(disc: &mut Patient<'_>) {
    disc.patch(INITIAL, 0, &[NOT_BOOTABLE]);
}
