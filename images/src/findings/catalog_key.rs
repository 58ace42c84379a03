//! `catalog-key`: the validation entry does not end with 55 AA.

use super::{catalog_out_of_range::points_to, recipe::declared::ANY_TOOL, room::Room};
use crate::{
    defect::{Injection, Patient},
    eltorito::RawValidation,
    finding::{Finding, FindingId, Severity},
    inspect::Reading,
};

const ID: FindingId = FindingId::CatalogKey;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "bochs", "ovmf", "u-boot"],
    explanation: "The validation entry does not end with the key bytes 55 AA.",
    consequence: "SeaBIOS stops with code 000a and OVMF reports Not Found.",
    remedy: "Write 55 at byte 1Eh of the validation entry, and AA at 1Fh.",
    recipes: ANY_TOOL,
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let Some(slots) = reading.slots.filter(|slots| !slots.has_key()) else {
        return Vec::new();
    };
    let key = slots.validation.key;
    let message = format!(
        "the validation entry ends with {:02X} {:02X}, not 55 AA",
        key[0], key[1]
    );
    let finding = Finding::new(ID, slots.place(0, 0x1E), message);
    vec![match reading.catalog_to_name(slots) {
        Some(catalog) if slots.has_header() => points_to(reading, finding, catalog),
        // If the header is also missing, it is not a catalog, and that finding reports it.
        Some(_) => return Vec::new(),
        None if slots.stands(reading.disc) => {
            slots.fix(reading.disc, finding, 0x1E, &RawValidation::KEY)
        }
        None => finding,
    }]
}

fn inject(disc: &mut Patient<'_>) {
    disc.rewrite_validation(|entry| entry.swap(0x1E, 0x1F));
}
