//! `catalog-bios-not-first`: the entry for a BIOS is not the initial one.

use super::room::Room;
use crate::{
    eltorito::{ENTRY_BYTES, EntryBytes, Platform},
    finding::{Finding, FindingId, Severity},
    inspect::{EntryKind, EntryReading, Reading},
};

const ID: FindingId = FindingId::CatalogBiosNotFirst;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "bochs"],
    explanation: "The catalog begins with the entry for UEFI, and the entry for x86 is in a section after it.",
    consequence: "A BIOS uses only the first entry: SeaBIOS stops with code 0009. UEFI firmware finds both.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise master it with the BIOS boot image first: -b and its options, then -eltorito-alt-boot, then -e and its options.",
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let Some(catalog) = reading.catalog() else {
        return Vec::new();
    };
    let entries = catalog.entries.as_slice();
    let is_initial = |entry: &&EntryReading| entry.kind == EntryKind::Initial;
    let is_efi = |entry: &&EntryReading| entry.platform == Platform::EFI;
    let Some(initial) = entries.iter().find(is_initial).filter(is_efi) else {
        return Vec::new();
    };
    let mut for_bios = reading.bios_images();
    let found = for_bios.find(|(entry, boot)| entry.kind == EntryKind::Section && boot.bootable);
    let Some((entry, _)) = found else {
        return Vec::new();
    };
    let message = format!(
        "the validation entry's platform is EF, so slot {} is for UEFI; the x86 entry is in slot {}, where no BIOS looks",
        initial.slot, entry.slot
    );
    let finding = Finding::new(ID, catalog.place(0, 1), message);
    vec![exchanged(reading, finding, initial, entry)]
}

/// A finding that is fixed by exchanging the two entries and their platforms, where the section has one entry alone.
fn exchanged(
    reading: &mut Reading<'_, '_>,
    finding: Finding,
    initial: &EntryReading,
    entry: &EntryReading,
) -> Finding {
    let (Some(catalog), Some(slots)) = (reading.catalog(), reading.slots) else {
        return finding;
    };
    let entries = catalog.entries.as_slice();
    let Some(at) = entries.iter().position(|it| it.slot == entry.slot) else {
        return finding;
    };
    let header = at.checked_sub(1).and_then(|at| entries.get(at));
    let is_alone = entries
        .get(at + 1)
        .is_none_or(|next| next.kind == EntryKind::Header);
    let Some(header) = header.filter(|it| it.kind == EntryKind::Header && is_alone) else {
        return finding;
    };
    let place = |slot, byte| catalog.place(slot, byte).offset;
    let first: Option<EntryBytes> = reading.disc.array(place(initial.slot, 0));
    let second: Option<EntryBytes> = reading.disc.array(place(entry.slot, 0));
    let (Some(first), Some(second)) = (first, second) else {
        return finding;
    };
    // The initial entry has no selection criteria.
    if second[12..ENTRY_BYTES] != [0; ENTRY_BYTES - 12] {
        return finding;
    }
    slots
        .fix(reading.disc, finding, 1, &[Platform::X86.0])
        .fixed_by(place(initial.slot, 0), &second)
        .fixed_by(place(header.slot, 1), &[Platform::EFI.0])
        .fixed_by(place(entry.slot, 0), &first)
}
