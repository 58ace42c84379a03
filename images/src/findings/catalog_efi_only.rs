//! `catalog-efi-only`: everything on the disc is for UEFI.

use super::room::Room;
use crate::{
    boot::{Boot, Mode},
    defect::{Injection, Lack, need},
    eltorito::Platform,
    finding::{Finding, FindingId, Severity},
    inspect::Reading,
    size::Size,
};

const ID: FindingId = FindingId::CatalogEfiOnly;

pub(super) const ROOM: Room = Room {
    severity: Severity::Info,
    trips: &["seabios", "bochs"],
    explanation: "The validation entry is for UEFI, and no entry is for x86.",
    consequence: "SeaBIOS stops with code 0009, as it should on a UEFI-only disc.",
    remedy: "No fix is needed. To boot from a BIOS too, begin the catalog with an x86 entry and put the EFI entry into a section.",
    check,
    defect: Some(Injection {
        express: fits,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let Some(catalog) = reading.catalog() else {
        return Vec::new();
    };
    let initial = catalog.entries.first().map(|entry| entry.platform);
    let has_x86 = reading
        .entries()
        .any(|(entry, _)| entry.platform == Platform::X86);
    if initial != Some(Platform::EFI) || has_x86 {
        return Vec::new();
    }
    let message = "the validation entry's platform is EF, and no entry is for x86".to_owned();
    vec![Finding::new(ID, catalog.place(0, 1), message)]
}

fn fits(boot: &mut Boot, _: &mut Option<Size>) -> Result<(), Lack> {
    need(
        boot.mode == Mode::Efi && boot.slot.is_none() && boot.platform.is_none(),
        "a catalog for UEFI alone (efi)",
    )
}
