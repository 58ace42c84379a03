//! `catalog-header-id`: the validation entry does not begin with 01.

use super::{catalog_out_of_range::points_to, recipe::declared::ANY_TOOL, room::Room};
use crate::{
    defect::{Injection, Patient},
    eltorito::RawValidation,
    finding::{Finding, FindingId, Severity},
    inspect::Reading,
};

const ID: FindingId = FindingId::CatalogHeaderId;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "bochs", "ovmf"],
    explanation: "The catalog's first entry does not begin with 01.",
    consequence: "SeaBIOS stops with code 0008 and OVMF reports Not Found.",
    remedy: "Point the boot record to the catalog, and begin the catalog with a validation entry.",
    recipes: ANY_TOOL,
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let Some(slots) = reading.slots.filter(|slots| !slots.has_header()) else {
        return Vec::new();
    };
    let mut message = format!(
        "the validation entry begins with {:02X}, not 01",
        slots.validation.header
    );
    let elsewhere = reading.catalog_to_name(slots);
    if let Some(catalog) = elsewhere.filter(|_| !slots.has_key()) {
        message = format!(
            "{message}: this is not a catalog; there is one at LBA {}",
            catalog.get()
        );
    }
    let finding = Finding::new(ID, slots.place(0, 0), message);
    vec![match elsewhere {
        Some(catalog) => points_to(reading, finding, catalog),
        None if slots.has_key() || slots.stands(reading.disc) => {
            slots.fix(reading.disc, finding, 0, &[RawValidation::HEADER])
        }
        None => finding,
    }]
}

fn inject(disc: &mut Patient<'_>) {
    disc.rewrite_validation(|entry| entry[0] = 0x02);
}
