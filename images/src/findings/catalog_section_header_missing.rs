//! `catalog-section-header-missing`: entries after the initial one without a section header.

use super::{
    recipe::declared::{genisoimage, oscdimg, pycdlib, xorriso},
    room::Room,
};
use crate::{
    boot::Boot,
    defect::{FIRST_HEADER, Injection, Lack, Patient, need},
    eltorito::ENTRY_BYTES,
    finding::{Finding, FindingId, Severity},
    inspect::Reading,
    size::Size,
};

const ID: FindingId = FindingId::CatalogSectionHeaderMissing;

pub(super) const ROOM: Room = Room {
    severity: Severity::Warning,
    trips: &["tools"],
    explanation: "There are entries after the initial one, without a section header (90 or 91) before them.",
    consequence: "Strict readers stop after the initial entry; OVMF accepts the other entries.",
    remedy: "Before these entries, write a section header with their platform and number.",
    recipes: &[xorriso(""), genisoimage(""), pycdlib(""), oscdimg("")],
    check,
    defect: Some(Injection {
        express: fits,
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let Some((slots, slot)) = reading
        .slots
        .and_then(|slots| Some((slots, slots.headless?)))
    else {
        return Vec::new();
    };
    let message = format!("slot {slot} has an entry with no section header before it");
    let finding = Finding::new(ID, slots.place(slot, 0), message);
    vec![if slots.stands(reading.disc) {
        reading.with_headers(finding)
    } else {
        finding
    }]
}

fn fits(boot: &mut Boot, _: &mut Option<Size>) -> Result<(), Lack> {
    need(boot.has_sections(), "a second boot entry (bios+efi)")
}

/// Removes the first section header; the rest moves up.
fn inject(disc: &mut Patient<'_>) {
    disc.slots.remove(FIRST_HEADER);
    disc.slots.push([0; ENTRY_BYTES]);
    disc.rewrite_slots();
}
