//! `hybrid-gpt`: a GPT that some firmware refuses.

mod repair;

use super::{recipe::declared::grub_mkrescue, room::Room};
use crate::{
    boot::{Boot, Hybrid, Place as ImagePlace},
    defect::{Injection, Lack, Patient, emulates_a_drive, need},
    finding::{Finding, FindingId, Place, Severity},
    inspect::{GPT_HEADER, Gpt, Reading, Window, read_gpt_entries},
    partition_table::{Mbr, MbrEntry},
    reference::shared_table,
    size::Size,
    units::VirtualSectorCount,
};

const ID: FindingId = FindingId::HybridGpt;

pub(super) const ROOM: Room = Room {
    severity: Severity::Info,
    trips: &["usb"],
    explanation: "The GPT violates its specification: the MBR is not protective, a checksum is wrong, the backup is missing, or partitions are outside the disc.",
    consequence: "If El Torito is right, all known firmware boots the disc: discs of Debian and Alpine and those made by isohybrid have such a GPT. Strict readers complain, and some tools repair it.",
    remedy: "No fix is needed to boot the disc. If you make it, write a primary and a backup GPT for the disc's final length, with a protective MBR.",
    recipes: &[grub_mkrescue()],
    check,
    defect: Some(Injection {
        express,
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

/// The faults of the table itself, and those of the master boot record before it.
fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let (Some(table), Some(gpt)) = (&reading.tables.mbr, &reading.tables.gpt) else {
        return Vec::new();
    };
    let end = reading.disc.virtual_sectors();
    let found = |offset, wrong: Vec<String>| {
        let message = format!("there is a GPT, and {}", wrong.join("; "));
        let is_wrong = !wrong.is_empty();
        is_wrong.then(|| Finding::new(ID, Place { offset }, message))
    };
    let wrong = [
        wrong_header(gpt),
        wrong_backup(reading.disc, gpt, end),
        outside(gpt, end),
    ];
    let wrong = found(GPT_HEADER.byte_offset(), wrong.concat());
    let wrong =
        wrong.map(|finding| finding.fixed_by_all(repair::repair(reading).unwrap_or_default()));
    // No other partitions are removed: a BIOS or a Mac finds them there, intentionally.
    let unprotected = found(MbrEntry::TABLE, wrong_mbr(table));
    wrong.into_iter().chain(unprotected).collect()
}

fn wrong_mbr(table: &Mbr) -> Vec<String> {
    if !table.is_protective() {
        vec!["the MBR has no partition of type EE from sector 1 on to protect it".to_owned()]
    } else if table.used().count() > 1 {
        vec!["the MBR has other partitions than the protective one".to_owned()]
    } else {
        Vec::new()
    }
}

fn wrong_header(gpt: &Gpt) -> Vec<String> {
    let mut wrong = Vec::new();
    if !gpt.header.checksum_is_right {
        wrong.push("the header's checksum is wrong".to_owned());
    }
    let sum = gpt.entries.as_ref().map(|(_, sum)| *sum);
    if sum != Some(gpt.header.entries_checksum) {
        wrong.push("the entries' checksum is wrong".to_owned());
    }
    if gpt.header.own != GPT_HEADER {
        let own = gpt.header.own.get();
        wrong.push(format!("the header says that it is at sector {own}"));
    }
    wrong
}

fn wrong_backup(disc: &mut Window<'_>, gpt: &Gpt, end: VirtualSectorCount) -> Vec<String> {
    let (at, last) = (gpt.header.other, end.last().unwrap_or_default());
    let Some(backup) = &gpt.backup else {
        return vec![format!("there is no backup at sector {}", at.get())];
    };
    let mut wrong = Vec::new();
    if at != last {
        wrong.push(format!(
            "the backup is at sector {}, but the disc's last sector is {}",
            at.get(),
            last.get()
        ));
    }
    let sum = read_gpt_entries(disc, backup).map(|(_, sum)| sum);
    if !backup.checksum_is_right || sum != Some(backup.entries_checksum) {
        wrong.push("the backup's checksum is wrong".to_owned());
    }
    wrong
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

/// The master boot record of a disc without the GUID partition table: two tables that each claim to count.
fn inject(disc: &mut Patient<'_>) {
    let disk = disc.length().virtual_sectors();
    let table = shared_table(disk, Some((disc.last.lba, disc.last.length)));
    disc.bytes.write_at(MbrEntry::TABLE, &table);
}
