//! `hybrid-mbr`: a partition table that UEFI rejects as a whole.

use super::{Room, recipe::stick};
use crate::{
    boot::{Boot, Hybrid},
    defect::{Injection, Lack, Patient, emulates_a_drive, need},
    fat::FatVolume,
    finding::{Finding, FindingId, Place, Severity},
    inspect::{Reading, Window},
    partition_table::{Mbr, MbrEntry, PartitionType},
    size::Size,
    tool::Tool,
};

const ID: FindingId = FindingId::HybridMbr;

pub(super) const ROOM: Room = Room {
    id: "hybrid-mbr",
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    trips: &["usb"],
    explanation: "Partitions of the MBR overlap or end behind the disc.",
    consequence: "UEFI rejects such a table as a whole, and finds no partition on a USB stick; OVMF boots it all the same where the catalog leads to an EFI loader, because it looks for El Torito first.",
    remedy: "Give the entry that covers the whole disc type 00, and keep the others apart and on the disc.",
    recipes: &[
        stick(Tool::Xorriso, "-isohybrid-mbr --grub2-mbr"),
        stick(Tool::Genisoimage, "no --uefi behind isohybrid"),
    ],
    replaces: &[],
    describes: false,
    check,
    defect: Some(Injection {
        express,
        inject,
        ..Injection::WORDS
    }),
};

/// What keeps a firmware for UEFI from the catalog, or from the image of an entry in it.
const UNUSABLE: [FindingId; 6] = [
    FindingId::CatalogHeaderId,
    FindingId::CatalogKey,
    FindingId::CatalogChecksum,
    FindingId::CatalogEfiTooDeep,
    FindingId::CountEfiShort,
    FindingId::EfiOpenEndOutsideVolume,
];

/// Checks a master boot record without a GUID partition table, as UEFI does: one wrong partition, and the whole table
/// counts for nothing (EDK2 `Mbr.c`, `PartitionValidMbr`). That is an error where it is the only way to an EFI loader:
/// where El Torito leads to one, the table is never looked at (`Partition.c`). What is wrong with the catalog must have
/// been found before.
fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let partitions = &reading.inspection.partitions;
    // What is no table was not read as one, and has nothing in it.
    let Some(table) = reading.tables.mbr.filter(|_| !partitions.mbr.is_empty()) else {
        return Vec::new();
    };
    if partitions.gpt.is_some() {
        return overlap_beside_gpt(&table).into_iter().collect();
    }
    let Some((place, wrong)) = wrong_partition(reading.disc, &table) else {
        return Vec::new();
    };
    vec![if has_usable_efi_entry(reading) {
        let message =
            format!("{wrong}; the catalog leads to an EFI loader, and is looked at first");
        Finding::new(ID, place, message).milder()
    } else if leads_to_a_loader(reading.disc, &table) {
        let message = format!("{wrong}, and nothing else on the disc leads to its EFI loader");
        Finding::new(ID, place, message)
    } else {
        let message =
            format!("{wrong}; no partition holds an EFI loader, so that UEFI misses nothing");
        Finding::new(ID, place, message).milder()
    }]
}

/// Beside a GPT the table counts for little; but partitions that overlap, other than the one that protects the GPT, confuse strict readers.
fn overlap_beside_gpt(table: &Mbr) -> Option<Finding> {
    let used: Vec<_> = table
        .used()
        .filter(|(_, entry)| entry.kind != PartitionType::GPT_PROTECTIVE)
        .collect();
    let (slot, kind, other) = used.iter().enumerate().find_map(|(index, (slot, entry))| {
        let (other, _) = used[..index].iter().find(|(_, other)| {
            entry.first.get() < other.end().get() && other.first.get() < entry.end().get()
        })?;
        Some((*slot, entry.kind, *other))
    })?;
    let place = Place {
        offset: MbrEntry::at(slot),
    };
    let message = format!(
        "the MBR's partition in slot {slot} of type {:02X} overlaps the one in slot {other}, beside a GPT",
        kind.0
    );
    Some(Finding::new(ID, place, message).milder())
}

fn has_usable_efi_entry(reading: &Reading<'_, '_>) -> bool {
    let usable = reading
        .bootable_efi_entries()
        .any(|(_, boot)| !boot.loaders.is_empty());
    let errors = reading
        .found
        .iter()
        .filter(|finding| finding.severity == Severity::Error);
    usable
        && !errors
            .into_iter()
            .any(|finding| UNUSABLE.contains(&finding.id))
}

fn leads_to_a_loader(disc: &mut Window<'_>, table: &Mbr) -> bool {
    table.used().any(|(_, entry)| {
        let volume = FatVolume::at(disc, entry.first.byte_offset());
        volume.is_some_and(|volume| !volume.removable_media_loaders(disc).is_empty())
    })
}

/// The first partition that makes the table count for nothing, and what is wrong with it.
fn wrong_partition(disc: &Window<'_>, table: &Mbr) -> Option<(Place, String)> {
    let end = disc.virtual_sectors();
    let used: Vec<_> = table.used().collect();
    for (index, &(slot, entry)) in used.iter().enumerate() {
        let place = Place {
            offset: MbrEntry::at(slot),
        };
        let overlapped = used[..index].iter().find(|(_, other)| {
            entry.first.get() < other.end().get() && other.first.get() < entry.end().get()
        });
        let what = if entry.end() > end {
            format!(
                "ends at sector {}, and the disc has {}",
                entry.end().get(),
                end.get()
            )
        } else if let Some((other_slot, other)) = overlapped {
            format!(
                "overlaps the one in slot {other_slot} of type {:02X}",
                other.kind.0
            )
        } else {
            continue;
        };
        let message = format!(
            "the MBR's partition in slot {slot} of type {:02X} (sectors {} to {}) {what}",
            entry.kind.0,
            entry.first.get(),
            entry.end().get().saturating_sub(1)
        );
        return Some((place, message));
    }
    None
}

fn express(boot: &mut Boot, _: &mut Option<Size>) -> Result<(), Lack> {
    let lone = boot.mode.efi() && !emulates_a_drive(boot);
    need(lone, "an EFI entry, and no emulated drive")?;
    let hybrid = *boot.hybrid.get_or_insert(Hybrid::Mbr);
    need(
        hybrid != Hybrid::Gpt,
        "a master boot record that counts (hybrid=mbr)",
    )
}

/// What isohybrid wrote before there was UEFI, beside an entry for UEFI.
fn inject(disc: &mut Patient<'_>) {
    let kind = 4;
    disc.bytes
        .write_at(MbrEntry::TABLE + kind, &[PartitionType::WHOLE_DISC.0]);
}
