//! `hybrid-gpt`: a GPT that some firmware refuses.

use super::{Room, recipe::grub_mkrescue};
use crate::{
    boot::{Boot, Hybrid, Place as ImagePlace},
    defect::{Injection, Lack, Patient, emulates_a_drive, need},
    finding::{Finding, FindingId, Place, Severity},
    inspect::{GPT_HEADER, Gpt, Reading},
    partition_table::{Mbr, MbrEntry},
    reference::shared_table,
    size::Size,
    units::VirtualSectorCount,
};

const ID: FindingId = FindingId::HybridGpt;

pub(super) const ROOM: Room = Room {
    id: "hybrid-gpt",
    severity: Severity::Info,
    milder: None,
    trips: &["usb"],
    explanation: "The GPT does not keep to its specification: MBR not protective, a checksum wrong, the backup missing, or partitions outside the disc.",
    consequence: "It keeps no known firmware from a disc whose El Torito is right: discs of Debian, Alpine and isohybrid have it. Strict readers complain, and some tools repair it.",
    remedy: "Nothing need be done to boot it; its maker can write primary and backup GPT for the disc's final length, behind a protective MBR.",
    recipes: &[grub_mkrescue()],
    replaces: &[],
    describes: false,
    check,
    defect: Some(Injection {
        express,
        inject,
        ..Injection::WORDS
    }),
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let (Some(table), Some(gpt)) = (&reading.tables.mbr, &reading.tables.gpt) else {
        return Vec::new();
    };
    let end = reading.disc.virtual_sectors();
    let wrong = [
        wrong_mbr(table),
        wrong_checksums(gpt),
        wrong_backup(gpt, end),
        outside(gpt, end),
    ];
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    if wrong.is_empty() {
        return Vec::new();
    }
    let place = Place {
        offset: GPT_HEADER.byte_offset(),
    };
    let message = format!("there is a GPT, and {}", wrong.join("; "));
    vec![Finding::new(ID, place, message)]
}

fn wrong_mbr(table: &Mbr) -> Vec<String> {
    if !table.is_protective() {
        vec!["the MBR has no partition of type EE from sector 1 on to protect it".to_owned()]
    } else if table.used().count() > 1 {
        vec!["the MBR has partitions beside the one that protects it".to_owned()]
    } else {
        Vec::new()
    }
}

fn wrong_checksums(gpt: &Gpt) -> Vec<String> {
    let mut wrong = Vec::new();
    if !gpt.header.checksum_is_right {
        wrong.push("the header's checksum is wrong".to_owned());
    }
    let sum = gpt.entries.as_ref().map(|(_, sum)| *sum);
    if sum != Some(gpt.header.entries_checksum) {
        wrong.push("the entries' checksum is wrong".to_owned());
    }
    wrong
}

fn wrong_backup(gpt: &Gpt, end: VirtualSectorCount) -> Vec<String> {
    let (backup, last) = (gpt.header.other, end.last().unwrap_or_default());
    if gpt.backup.is_none() {
        vec![format!("there is no backup at sector {}", backup.get())]
    } else if backup != last {
        vec![format!(
            "the backup stands at sector {}, and the disc's last one is {}",
            backup.get(),
            last.get()
        )]
    } else {
        Vec::new()
    }
}

fn outside(gpt: &Gpt, end: VirtualSectorCount) -> Vec<String> {
    let mut entries = gpt.entries.iter().flat_map(|(entries, _)| entries);
    let outside = entries.find(|entry| entry.end() > end || entry.last < entry.first);
    let sentence = outside.map(|outside| {
        format!(
            "the partition {:?} (sectors {} to {}) is not on the disc",
            outside.name,
            outside.first.get(),
            outside.last.get()
        )
    });
    sentence.into_iter().collect()
}

fn express(boot: &mut Boot, _: &mut Option<Size>) -> Result<(), Lack> {
    let lone = boot.mode.efi() && !emulates_a_drive(boot);
    need(lone, "an EFI entry, and no emulated drive")?;
    let hybrid = *boot.hybrid.get_or_insert(Hybrid::Gpt);
    need(hybrid != Hybrid::Mbr, "a GUID partition table (hybrid=gpt)")?;
    need(
        matches!(boot.place, None | Some(ImagePlace::Appended)),
        "room for the backup table at the end (no place=)",
    )
}

/// The master boot record of a disc without the GUID partition table: two tables, each saying that it counts.
fn inject(disc: &mut Patient<'_>) {
    let disk = disc.length().virtual_sectors();
    let table = shared_table(disk, Some((disc.last.lba, disc.last.length)));
    disc.bytes.write_at(MbrEntry::TABLE, &table);
}
