//! `mbr-no-active`: boot code without an active partition.

use super::{recipe::declared::stick, room::Room};
use crate::{
    defect::{Injection, Patient, needs_boot_code},
    finding::{Finding, FindingId, Place, Severity},
    inspect::{MbrPartition, PartitionsReading, Reading},
    iso9660::SYSTEM_AREA_BLOCKS,
    partition_table::{MbrEntry, PartitionType},
    tool::Tool,
    units::{VirtualSector, VirtualSectorCount},
};

const ID: FindingId = FindingId::MbrNoActive;

pub(super) const ROOM: Room = Room {
    severity: Severity::Warning,
    milder: Some(Severity::Info),
    trips: &["usb"],
    explanation: "The first sector has boot code, and no partition is marked as active.",
    consequence: "Some BIOSes start a stick only if a partition is active; SeaBIOS does not check this.",
    remedy: "Mark a partition on the stick as active (sfdisk --activate), or use the disc in a CD drive. If you make the disc, mark one there.",
    recipes: &[
        stick(Tool::Xorriso, "-isohybrid-mbr --grub2-mbr"),
        stick(Tool::Genisoimage, "isohybrid"),
    ],
    describes: true,
    check,
    defect: Some(Injection {
        express: needs_boot_code,
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let partitions = &reading.inspection.partitions;
    if !reading.sector_code.is_code() || partitions.mbr.is_empty() || has_active(partitions) {
        return Vec::new();
    }
    let place = Place {
        offset: MbrEntry::TABLE,
    };
    let message = "the first sector has boot code, and none of its partitions is active".to_owned();
    let finding = Finding::new(ID, place, message);
    let finding = finding.info_if(is_protective(reading));
    vec![finding.fixed_by_all(activation(reading))]
}

fn has_active(partitions: &PartitionsReading) -> bool {
    let mut partitions = partitions.mbr.iter();
    partitions.any(|it| it.status == MbrEntry::ACTIVE)
}

fn is_protective(reading: &Reading<'_, '_>) -> bool {
    reading.tables.mbr.is_some_and(|mbr| mbr.is_protective())
}

/// Marks a partition as active if none is: the one with the volume, or else the first one.
///
/// A partition that protects a GPT stays inactive (UEFI §5.2.3). xorriso (`--mbr-force-bootable`) marks an entry of no type instead.
pub(super) fn activation(reading: &Reading<'_, '_>) -> Option<(u64, Vec<u8>)> {
    let partitions = &reading.inspection.partitions;
    if has_active(partitions) {
        return None;
    }
    if is_protective(reading) {
        let is_free = |slot: &u8| partitions.mbr.iter().all(|it| it.slot != *slot);
        let free = (0..4).find(is_free)?;
        let (first, length) = (VirtualSector::new(0), VirtualSectorCount::new(1));
        let entry = MbrEntry {
            first_chs: MbrEntry::FIRST_CHS,
            last_chs: MbrEntry::FIRST_CHS,
            ..MbrEntry::linear(PartitionType::EMPTY, first, length).active()
        };
        return Some((MbrEntry::at(free.into()), entry.encode().to_vec()));
    }
    let volume = SYSTEM_AREA_BLOCKS.virtual_sectors().get();
    let holds_it = |it: &&MbrPartition| {
        let first = it.first.get();
        (first..first.saturating_add(it.sectors.get())).contains(&volume)
    };
    let partitions = &partitions.mbr;
    let partition = partitions.iter().find(holds_it).or(partitions.first())?;
    let at = MbrEntry::at(partition.slot.into());
    Some((at, vec![MbrEntry::ACTIVE]))
}

fn inject(disc: &mut Patient<'_>) {
    disc.bytes.write_at(MbrEntry::TABLE, &[0]);
}
