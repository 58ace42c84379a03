//! The partition tables in the system area, by which a hybrid disc starts as a stick.

use super::{
    Findings, Purpose, Window, entries,
    reading::{CatalogReading, GptPartition, MbrPartition, PartitionsReading},
};
use crate::{
    fat::FatVolume,
    finding::{FindingId, Place},
    partition_table::{Guid, Mbr, MbrEntry, PartitionType, RawGptEntry, RawGptHeader},
    units::{VirtualSector, VirtualSectorCount},
};

/// Entries of a GPT that are read at most; it commonly has 128.
const GPT_ENTRIES: u32 = 1_024;
/// Bytes of an entry that are read at most; it commonly has 128.
const GPT_ENTRY_BYTES: u32 = 4_096;
/// Where the primary GPT header stands (UEFI §5.3.1).
const GPT_HEADER: VirtualSector = VirtualSector::new(1);

/// Reads and checks them.
pub(super) fn read(disc: &mut Window<'_>, findings: &mut Findings) -> PartitionsReading {
    let Some(table) = disc.array(0).map(|sector| Mbr::decode(&sector)) else {
        return PartitionsReading::default();
    };
    // Anything may stand in the system area. A table has a signature, and no code where its status bytes are.
    let is_table = table.signature && table.is_plausible();
    let gpt = read_gpt(disc, &table, findings);
    let slots = (0_u8..).zip(table.entries);
    let partition = |(slot, entry): (u8, MbrEntry)| MbrPartition {
        slot,
        status: entry.status,
        kind: entry.kind.0,
        first: entry.first,
        sectors: entry.length,
    };
    PartitionsReading {
        signature: table.signature,
        mbr: slots
            .filter(|(_, entry)| {
                is_table && (entry.kind != PartitionType::EMPTY || entry.length.get() != 0)
            })
            .map(partition)
            .collect(),
        gpt,
    }
}

/// The disc in sectors of 512 bytes.
fn sectors(disc: &Window<'_>) -> VirtualSectorCount {
    disc.length().virtual_sectors_rounded_up()
}

/// Checks a master boot record without a GUID partition table, as UEFI does: one wrong partition, and the whole table
/// counts for nothing (EDK2 `Mbr.c`, `PartitionValidMbr`). That is an error where it is the only way to an EFI loader:
/// where El Torito leads to one, the table is never looked at (`Partition.c`). What is wrong with the catalog must have
/// been found before.
pub(super) fn check_mbr(
    disc: &mut Window<'_>,
    catalog: Option<&CatalogReading>,
    partitions: &PartitionsReading,
    findings: &mut Findings,
) {
    // What is no table was not read as one, and has nothing in it.
    if partitions.gpt.is_some() || partitions.mbr.is_empty() {
        return;
    }
    let Some(table) = disc.array(0).map(|sector| Mbr::decode(&sector)) else {
        return;
    };
    let Some((place, wrong)) = wrong_partition(disc, &table) else {
        return;
    };
    if has_usable_efi_entry(catalog, findings) {
        findings.report_milder(
            FindingId::HybridMbr,
            place,
            format!("{wrong}; the catalog leads to an EFI loader, and is looked at first"),
        );
    } else if leads_to_a_loader(disc, &table) {
        findings.report(
            FindingId::HybridMbr,
            place,
            format!("{wrong}, and nothing else on the disc leads to its EFI loader"),
        );
    } else {
        findings.report_milder(
            FindingId::HybridMbr,
            place,
            format!("{wrong}; no partition holds an EFI loader, so that UEFI misses nothing"),
        );
    }
}

/// What keeps a firmware for UEFI from the catalog, or from the image of an entry in it.
const UNUSABLE: [FindingId; 6] = [
    FindingId::CatalogHeaderId,
    FindingId::CatalogKey,
    FindingId::CatalogChecksum,
    FindingId::CatalogEfiTooDeep,
    FindingId::CountEfiShort,
    FindingId::EfiOpenEndOutsideVolume,
];

fn has_usable_efi_entry(catalog: Option<&CatalogReading>, findings: &Findings) -> bool {
    let usable = entries(catalog).any(|(entry, boot)| {
        boot.bootable
            && !boot.loaders.is_empty()
            && Purpose::of(entry.platform, boot) == Purpose::Efi
    });
    usable && !findings.has(&UNUSABLE)
}

fn leads_to_a_loader(disc: &mut Window<'_>, table: &Mbr) -> bool {
    table.used().any(|(_, entry)| {
        let volume = FatVolume::at(disc, entry.first.byte_offset());
        volume.is_some_and(|volume| !volume.removable_media_loaders(disc).is_empty())
    })
}

/// The first partition that makes the table count for nothing, and what is wrong with it.
fn wrong_partition(disc: &Window<'_>, table: &Mbr) -> Option<(Place, String)> {
    let end = sectors(disc);
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

fn read_gpt(
    disc: &mut Window<'_>,
    table: &Mbr,
    findings: &mut Findings,
) -> Option<Vec<GptPartition>> {
    let primary = RawGptHeader::decode(&disc.array(GPT_HEADER.byte_offset())?)?;
    let entries = read_entries(disc, &primary);
    let mut wrong = Vec::new();
    if !table.is_protective() {
        wrong.push("the MBR has no partition of type EE from sector 1 on to protect it".to_owned());
    } else if table.used().count() > 1 {
        wrong.push("the MBR has partitions beside the one that protects it".to_owned());
    }
    if !primary.checksum_is_right {
        wrong.push("the header's checksum is wrong".to_owned());
    }
    if entries
        .as_ref()
        .is_none_or(|(_, sum)| *sum != primary.entries_checksum)
    {
        wrong.push("the entries' checksum is wrong".to_owned());
    }
    let end = sectors(disc);
    let last = end.last().unwrap_or_default();
    let backup = disc
        .array(primary.other.byte_offset())
        .and_then(|sector| RawGptHeader::decode(&sector));
    if backup.is_none() {
        wrong.push(format!(
            "there is no backup at sector {}",
            primary.other.get()
        ));
    } else if primary.other != last {
        wrong.push(format!(
            "the backup stands at sector {}, and the disc's last one is {}",
            primary.other.get(),
            last.get()
        ));
    }
    let entries = entries.map_or_else(Vec::new, |(entries, _)| entries);
    if let Some(outside) = entries
        .iter()
        .find(|entry| entry.end() > end || entry.last < entry.first)
    {
        wrong.push(format!(
            "the partition {:?} (sectors {} to {}) is not on the disc",
            outside.name,
            outside.first.get(),
            outside.last.get()
        ));
    }
    if !wrong.is_empty() {
        findings.report(
            FindingId::HybridGpt,
            Place {
                offset: GPT_HEADER.byte_offset(),
            },
            format!("there is a GPT, and {}", wrong.join("; ")),
        );
    }
    let partition = |entry: RawGptEntry| GptPartition {
        esp: entry.kind == Guid::EFI_SYSTEM,
        name: entry.name,
        first: entry.first,
        last: entry.last,
    };
    Some(entries.into_iter().map(partition).collect())
}

/// The entries and their checksum; `None` where they cannot be read, or are more than anybody needs.
pub(crate) fn read_entries(
    disc: &mut Window<'_>,
    header: &RawGptHeader,
) -> Option<(Vec<RawGptEntry>, u32)> {
    if header.entries > GPT_ENTRIES || !(128..=GPT_ENTRY_BYTES).contains(&header.entry_bytes) {
        return None;
    }
    let size = usize::try_from(header.entry_bytes).ok()?;
    let mut entry = vec![0; size];
    let mut entries = Vec::new();
    let mut sum = crc32fast::Hasher::new();
    let start = header.entries_at.byte_offset();
    for number in 0..u64::from(header.entries) {
        let at = start.saturating_add(number * u64::from(header.entry_bytes));
        if disc.read(at, &mut entry) < size {
            return None;
        }
        sum.update(&entry);
        entries.extend(RawGptEntry::decode(&entry));
    }
    Some((entries, sum.finalize()))
}
