//! `catalog-checksum`: the validation entry's words do not sum to 0.

use super::{recipe::declared::ANY_TOOL, room::Room};
use crate::{
    defect::{Injection, Patient, VALIDATION},
    finding::{Finding, FindingId, Severity},
    inspect::{Reading, Slots},
};

const ID: FindingId = FindingId::CatalogChecksum;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["ovmf", "u-boot"],
    explanation: "The sixteen little-endian words of the validation entry do not sum to 0.",
    consequence: "OVMF reports Not Found and U-Boot refuses the disc; SeaBIOS does not check the sum.",
    remedy: "Compute the checksum last, after the platform and the id string are written. If the checksum was right once, any byte of the entry may be damaged.",
    recipes: ANY_TOOL,
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let wrong = |slots: &&Slots| slots.is_catalog() && slots.validation.word_sum != 0;
    let Some(slots) = reading.slots.filter(wrong) else {
        return Vec::new();
    };
    let message = format!(
        "the validation entry's words sum to {:04X}, not to 0",
        slots.validation.word_sum
    );
    let place = slots.place(0, 0x1C);
    let Some(checksum) = reading.disc.array(place.offset) else {
        return Vec::new();
    };
    let right = u16::from_le_bytes(checksum).wrapping_sub(slots.validation.word_sum);
    let finding = Finding::new(ID, place, message);
    // A first byte of 01 does not make a catalog.
    let is_one = slots.has_header() && slots.has_key() || slots.stands(reading.disc);
    vec![if is_one {
        finding.fixed_by(place.offset, &right.to_le_bytes())
    } else {
        finding
    }]
}

fn inject(disc: &mut Patient<'_>) {
    let wrong = disc.slots[usize::from(VALIDATION)][0x1C].wrapping_add(1);
    disc.patch(VALIDATION, 0x1C, &[wrong]);
}
