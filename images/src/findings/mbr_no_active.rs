//! `mbr-no-active`: boot code, and no active partition.

use super::{Room, recipe::stick};
use crate::{
    defect::{Injection, Patient, needs_boot_code},
    finding::{Finding, FindingId, Place, Severity},
    inspect::{MbrPartition, Reading},
    partition_table::MbrEntry,
    tool::Tool,
};

const ID: FindingId = FindingId::MbrNoActive;

pub(super) const ROOM: Room = Room {
    id: "mbr-no-active",
    severity: Severity::Warning,
    milder: Some(Severity::Info),
    trips: &["usb"],
    explanation: "The first sector has boot code, and no partition is marked as active.",
    consequence: "Some BIOSes start a stick only if a partition is active; SeaBIOS does not look.",
    remedy: "Mark a partition as active on the stick (sfdisk --activate), or use the disc in a CD drive; its maker marks one.",
    recipes: &[
        stick(Tool::Xorriso, "-isohybrid-mbr --grub2-mbr"),
        stick(Tool::Genisoimage, "isohybrid"),
    ],
    replaces: &[],
    describes: true,
    check,
    defect: Some(Injection {
        express: needs_boot_code,
        inject,
        ..Injection::WORDS
    }),
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let partitions = &reading.inspection.partitions;
    let is_active = |it: &MbrPartition| it.status == MbrEntry::ACTIVE;
    if !reading.sector_code.is_code()
        || partitions.mbr.is_empty()
        || partitions.mbr.iter().any(is_active)
    {
        return Vec::new();
    }
    let place = Place {
        offset: MbrEntry::TABLE,
    };
    let message = "the first sector has boot code, and none of its partitions is active".to_owned();
    let finding = Finding::new(ID, place, message);
    let is_protective = reading.tables.mbr.is_some_and(|mbr| mbr.is_protective());
    vec![if is_protective {
        finding.as_info()
    } else {
        finding
    }]
}

fn inject(disc: &mut Patient<'_>) {
    disc.bytes.write_at(MbrEntry::TABLE, &[0]);
}
