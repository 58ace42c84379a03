//! `mbr-absent`: a disc for a BIOS that cannot boot as a stick.

use super::{
    boot_code,
    recipe::declared::{grub_mkrescue, stick},
    room::Room,
};
use crate::{
    boot::Boot,
    change::Writes,
    defect::{Injection, Lack, need},
    finding::{Finding, FindingId, Place, Severity},
    inspect::{Reading, SectorCode},
    partition_table::{MbrEntry, PartitionType},
    size::Size,
    tool::Tool,
    units::VirtualSector,
};

const ID: FindingId = FindingId::MbrAbsent;

pub(super) const ROOM: Room = Room {
    severity: Severity::Info,
    trips: &[],
    explanation: "The catalog has an entry for a BIOS, and the first sector is empty: the disc is made for a CD drive.",
    consequence: "On a stick, a BIOS does not start the disc.",
    remedy: "No fix is needed. To boot it from a stick, master it as a hybrid.",
    recipes: &[
        stick(Tool::Xorriso, "-isohybrid-mbr --grub2-mbr"),
        stick(Tool::Genisoimage, "isohybrid"),
        grub_mkrescue(),
    ],
    describes: true,
    check,
    defect: Some(Injection {
        express,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let bios = reading.bios_entries().any(|(_, boot)| boot.bootable);
    if !bios || reading.sector_code != SectorCode::Empty {
        return Vec::new();
    }
    let message =
        "the first sector is empty, so a BIOS does not start the disc from a stick".to_owned();
    let finding = Finding::new(ID, Place { offset: 0 }, message).as_info();
    vec![finding.fixed_by_all(boot_sector(reading).unwrap_or_default())]
}

/// A first sector with the given code, and with a partition of the whole disc as isohybrid writes it.
fn boot_sector(reading: &mut Reading<'_, '_>) -> Option<Writes> {
    let mut writes = boot_code::boot_code(reading)?;
    let disk = reading.disc.virtual_sectors();
    let entry = if reading.tables.gpt.is_some() {
        MbrEntry::protective(disk)
    } else {
        let first = VirtualSector::new(0);
        MbrEntry {
            first_chs: MbrEntry::FIRST_CHS,
            ..MbrEntry::linear(PartitionType::WHOLE_DISC, first, disk).active()
        }
    };
    writes.push((MbrEntry::TABLE, entry.encode().to_vec()));
    writes.push((MbrEntry::SIGNATURE, vec![0x55, 0xAA]));
    Some(writes)
}

fn express(boot: &mut Boot, _: &mut Option<Size>) -> Result<(), Lack> {
    need(
        boot.mode.bios().is_some() && boot.hybrid.is_none(),
        "an entry for a BIOS, and no hybrid=",
    )
}
