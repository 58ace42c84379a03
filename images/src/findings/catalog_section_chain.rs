//! `catalog-section-chain`: section headers that contradict what follows them.

use super::{
    recipe::declared::{genisoimage, oscdimg, pycdlib, xorriso},
    room::Room,
};
use crate::{
    boot::Boot,
    defect::{Injection, Lack, MORE_FOLLOW, Patient, need},
    finding::{Finding, FindingId, Severity},
    inspect::{Contradiction, Reading},
    size::Size,
};

const ID: FindingId = FindingId::CatalogSectionChain;

pub(super) const ROOM: Room = Room {
    severity: Severity::Warning,
    trips: &["tools"],
    explanation: "A section header does not match the entries after it: the last header must be 91, the ones before it 90, and each must count its entries.",
    consequence: "Strict readers miss entries or read past the catalog; OVMF accepts the headers.",
    remedy: "Write 91 into the last header and 90 into the others, and count the entries of each.",
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
    let Some((slots, contradiction)) = reading
        .slots
        .and_then(|slots| Some((slots, slots.contradiction?)))
    else {
        return Vec::new();
    };
    let (slot, message) = match contradiction {
        Contradiction::NoneFollows { header } => (
            header,
            format!(
                "the last section header, in slot {header}, is 90, which says that more follow"
            ),
        ),
        Contradiction::BehindTheLast { header, last } => (
            header,
            format!(
                "a section header in slot {header} follows the one in slot {last}, which is marked as the last (91)"
            ),
        ),
        Contradiction::NoHeader { slot } => (
            slot,
            format!("the entry in slot {slot} belongs to no section header"),
        ),
        Contradiction::Count {
            header,
            claimed,
            entries,
        } => (
            header,
            format!(
                "the section header in slot {header} counts {claimed} entries, but {entries} follow"
            ),
        ),
    };
    let has_orphan = matches!(contradiction, Contradiction::NoHeader { .. });
    let finding = Finding::new(ID, slots.place(slot, 0), message);
    vec![if slots.stands(reading.disc) {
        reading.with_chain(finding, has_orphan)
    } else {
        finding
    }]
}

fn fits(boot: &mut Boot, _: &mut Option<Size>) -> Result<(), Lack> {
    need(boot.has_sections(), "a second boot entry (bios+efi)")
}

/// The last header announces another one.
fn inject(disc: &mut Patient<'_>) {
    if let Some(header) = disc.last_header() {
        disc.slots[header][0] = MORE_FOLLOW;
        disc.rewrite_slots();
    }
}
