//! `catalog-platform`: a platform that no specification has.

use super::{
    recipe::declared::{genisoimage, oscdimg, pycdlib, xorriso},
    room::Room,
};
use crate::{
    defect::{Injection, Patient},
    eltorito::Platform,
    finding::{Finding, FindingId, Severity},
    inspect::{BootReading, EntryKind, Reading},
};

const ID: FindingId = FindingId::CatalogPlatform;

pub(super) const ROOM: Room = Room {
    severity: Severity::Warning,
    trips: &["firmware"],
    explanation: "A platform id is not 00 (x86), 01 (PowerPC), 02 (Mac) or EF (UEFI).",
    consequence: "The effect depends on the firmware: SeaBIOS refuses such a validation entry with code 0009; OVMF ignores platform ids.",
    remedy: "Write EF for UEFI (FE is a frequent typing error) and 00 for a BIOS.",
    recipes: &[
        xorriso("-e"),
        genisoimage("-e"),
        pycdlib("platform_id=0xEF"),
        oscdimg("#pEF"),
    ],
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    const KNOWN: [Platform; 4] = [
        Platform::X86,
        Platform::POWER_PC,
        Platform::MAC,
        Platform::EFI,
    ];
    let Some(slots) = reading.slots else {
        return Vec::new();
    };
    let unknown = slots
        .platforms
        .iter()
        .filter(|(_, platform)| !KNOWN.contains(platform));
    let mut findings = Vec::new();
    for &(slot, platform) in unknown {
        let message = format!("the platform in slot {slot} is {:02X}", platform.0);
        let finding = Finding::new(ID, slots.place(slot, 1), message);
        let right = reading.right_platform(platform, &entries_of(reading, slot));
        findings.push(match right {
            Some(right) if slot == 0 => slots.fix(reading.disc, finding, 1, &[right.0]),
            Some(right) => {
                let place = finding.offset;
                finding.fixed_by(place, &[right.0])
            }
            None => finding,
        });
    }
    findings
}

/// The entries that the platform in a slot applies to.
fn entries_of<'r>(reading: &Reading<'r, '_>, slot: u16) -> Vec<&'r BootReading> {
    let entries = reading.catalog().map(|catalog| catalog.entries.as_slice());
    let behind = entries.into_iter().flatten().filter(|it| it.slot > slot);
    behind
        .take_while(|entry| entry.kind != EntryKind::Header)
        .filter_map(|entry| entry.boot.as_ref())
        .collect()
}

fn inject(disc: &mut Patient<'_>) {
    disc.rewrite_validation(|entry| entry[1] = 0xFE);
}
