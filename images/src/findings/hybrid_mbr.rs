//! `hybrid-mbr`: a partition table that UEFI rejects as a whole.

use super::{recipe::declared::stick, room::Room};
use crate::{
    boot::{Boot, Hybrid},
    defect::{Injection, Lack, Patient, emulates_a_drive, need},
    fat::FatVolume,
    finding::{Finding, FindingId, Place, Severity},
    inspect::{Reading, Window},
    iso9660::SYSTEM_AREA_BLOCKS,
    partition_table::{Mbr, MbrEntry, PartitionType},
    size::Size,
    tool::Tool,
    units::VirtualSectorCount,
};

const ID: FindingId = FindingId::HybridMbr;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    trips: &["usb"],
    explanation: "Partitions in the MBR overlap, or end after the end of the disc.",
    consequence: "UEFI rejects the whole table, and finds no partition on a USB stick. If the catalog leads to an EFI loader, OVMF still boots the disc, because it looks for El Torito first.",
    remedy: "Set the type of the entry that covers the whole disc to 00. The other partitions must not overlap, and must end on the disc.",
    recipes: &[
        stick(Tool::Xorriso, "-isohybrid-mbr --grub2-mbr"),
        stick(Tool::Genisoimage, "no --uefi after isohybrid"),
    ],
    check,
    defect: Some(Injection {
        express,
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

/// Why UEFI firmware does not get to the catalog.
const UNUSABLE: [FindingId; 3] = [
    FindingId::CatalogHeaderId,
    FindingId::CatalogKey,
    FindingId::CatalogChecksum,
];
/// Why it does not get to an entry's image.
const UNREACHABLE: [FindingId; 3] = [
    FindingId::CatalogEfiTooDeep,
    FindingId::CountEfiShort,
    FindingId::EfiOpenEndOutsideVolume,
];

/// Checks a master boot record without a GUID partition table, as UEFI does: one wrong partition, and the whole table
/// counts for nothing (EDK2 `Mbr.c`, `PartitionValidMbr`). That is an error if it is the only way to an EFI loader: if El
/// Torito leads to anything, the table is never read (`Partition.c`). Faults of the catalog must have been found before.
fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let partitions = &reading.inspection.partitions;
    // Anything other than a table was not read, and is empty here.
    let Some(table) = reading.tables.mbr.filter(|_| !partitions.mbr.is_empty()) else {
        return Vec::new();
    };
    let end = reading.disc.virtual_sectors();
    let beside_gpt = partitions.gpt.is_some();
    let Some(wrong) = Wrong::of(&table, end, beside_gpt) else {
        return Vec::new();
    };
    let place = Place {
        offset: MbrEntry::at(wrong.slot),
    };
    let message = wrong.message(end, beside_gpt);
    let finding = if beside_gpt {
        Finding::new(ID, place, message).milder()
    } else if has_usable_efi_entry(reading) {
        let message =
            format!("{message}; firmware reads the catalog first, which leads to an EFI loader");
        Finding::new(ID, place, message).milder()
    } else if !leads_to_a_loader(reading.disc, &table) {
        let message = format!(
            "{message}; no partition contains an EFI loader, so this does not matter for UEFI"
        );
        Finding::new(ID, place, message).milder()
    } else if has_usable_entry(reading) {
        let message = format!(
            "{message}; UEFI firmware finds the catalog's other boot images first, and then reads no partition table"
        );
        Finding::new(ID, place, message).milder()
    } else {
        let message = format!("{message}, and nothing else on the disc leads to its EFI loader");
        Finding::new(ID, place, message)
    };
    let fixed = fixed(reading.disc, table, end, beside_gpt).map(|table| table.entries);
    let entries = fixed.into_iter().flatten().enumerate();
    let entries = entries.map(|(slot, entry)| (MbrEntry::at(slot), entry.encode()));
    vec![finding.fixed_by_all(entries)]
}

fn has_usable_efi_entry(reading: &Reading<'_, '_>) -> bool {
    let mut entries = reading.bootable_efi_entries();
    entries.any(|(_, boot)| !boot.loaders.is_empty())
        && !has_error(reading, &UNUSABLE)
        && !has_error(reading, &UNREACHABLE)
}

fn has_usable_entry(reading: &Reading<'_, '_>) -> bool {
    reading.entries().any(|(_, boot)| boot.bootable) && !has_error(reading, &UNUSABLE)
}

fn has_error(reading: &Reading<'_, '_>, ids: &[FindingId]) -> bool {
    let mut findings = reading.found.iter();
    findings.any(|finding| finding.severity == Severity::Error && ids.contains(&finding.id))
}

fn leads_to_a_loader(disc: &mut Window<'_>, table: &Mbr) -> bool {
    table.used().any(|(_, entry)| {
        let volume = FatVolume::at(disc, entry.first.byte_offset());
        volume.is_some_and(|volume| !volume.removable_media_loaders(disc).is_empty())
    })
}

/// A partition that makes the table count for nothing.
struct Wrong {
    slot: usize,
    entry: MbrEntry,
    /// The partition that it overlaps; none if it ends after the disc.
    other: Option<(usize, MbrEntry)>,
}

impl Wrong {
    /// The first one. With a GPT, the table matters little; but overlapping partitions, other than the one that protects the GPT, confuse strict
    /// readers.
    fn of(table: &Mbr, end: VirtualSectorCount, beside_gpt: bool) -> Option<Self> {
        let protects = |kind| beside_gpt && kind == PartitionType::GPT_PROTECTIVE;
        let used: Vec<_> = table
            .used()
            .filter(|(_, entry)| !protects(entry.kind))
            .collect();
        let mut numbered = used.iter().enumerate();
        numbered.find_map(|(index, &(slot, entry))| {
            let overlapped = used[..index].iter().find(|(_, other)| {
                entry.first.get() < other.end().get() && other.first.get() < entry.end().get()
            });
            let is_behind = entry.end() > end && !beside_gpt;
            (is_behind || overlapped.is_some()).then(|| Self {
                slot,
                entry,
                other: overlapped.copied().filter(|_| !is_behind),
            })
        })
    }

    fn message(&self, end: VirtualSectorCount, beside_gpt: bool) -> String {
        let (slot, kind) = (self.slot, self.entry.kind.0);
        let partition = format!("the MBR's partition in slot {slot} of type {kind:02X}");
        let sectors = format!(
            "(sectors {} to {})",
            self.entry.first.get(),
            self.entry.end().get().saturating_sub(1)
        );
        match self.other {
            Some((other, _)) if beside_gpt => {
                format!("{partition} overlaps the one in slot {other}, and there is also a GPT")
            }
            Some((other, entry)) => format!(
                "{partition} {sectors} overlaps the one in slot {other} of type {:02X}",
                entry.kind.0
            ),
            None => format!(
                "{partition} {sectors} ends at sector {}, but the disc has {}",
                self.entry.end().get(),
                end.get()
            ),
        }
    }

    /// The entry to change, and how. An entry that covers the disc or contains the other one gets type 00, as in isohybrid and xorriso: UEFI skips it, and
    /// a BIOS does not read it. An EFI system partition stays; an entry that ends after the disc is shortened to the disc's end.
    fn way_out(&self, disc: &mut Window<'_>, end: VirtualSectorCount) -> Option<(usize, MbrEntry)> {
        let Some((other_slot, other)) = self.other else {
            let first = VirtualSectorCount::new(self.entry.first.get());
            let length = end.checked_sub(first)?;
            let entry = MbrEntry {
                length,
                ..self.entry
            };
            return (length > VirtualSectorCount::ZERO).then_some((self.slot, entry));
        };
        let mut stays = |entry: &MbrEntry| {
            let is_esp = entry.kind == PartitionType::EFI_SYSTEM;
            is_esp && FatVolume::at(disc, entry.first.byte_offset()).is_some()
        };
        let pair = [
            (self.slot, self.entry, other),
            (other_slot, other, self.entry),
        ];
        let (slot, entry, _) = pair.into_iter().find(|(_, entry, other)| {
            let covers_the_start = entry.first.get() <= SYSTEM_AREA_BLOCKS.virtual_sectors().get();
            let holds_the_other = entry.first <= other.first && other.end() <= entry.end();
            (covers_the_start || holds_the_other) && !stays(entry)
        })?;
        let kind = PartitionType::EMPTY;
        Some((slot, MbrEntry { kind, ..entry }))
    }
}

/// The corrected table; `None` if that would remove a partition that is needed.
fn fixed(
    disc: &mut Window<'_>,
    mut table: Mbr,
    end: VirtualSectorCount,
    beside_gpt: bool,
) -> Option<Mbr> {
    // Each of the four entries is shortened once and removed once.
    for _ in 0..2 * table.entries.len() {
        let Some(wrong) = Wrong::of(&table, end, beside_gpt) else {
            return Some(table);
        };
        let (slot, entry) = wrong.way_out(disc, end)?;
        *table.entries.get_mut(slot)? = entry;
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

/// The table that isohybrid wrote before UEFI, with an entry for UEFI.
fn inject(disc: &mut Patient<'_>) {
    let kind = 4;
    disc.bytes
        .write_at(MbrEntry::TABLE + kind, &[PartitionType::WHOLE_DISC.0]);
}
