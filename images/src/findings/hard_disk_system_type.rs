//! `hard-disk-system-type`: an entry whose system type is not the partition's.

use super::{
    recipe::declared::{genisoimage, pycdlib, xorriso},
    room::Room,
};
use crate::{
    defect::{INITIAL, Injection, Patient, needs_hard_disk},
    finding::{Finding, FindingId, Severity},
    inspect::{HardDisk, Reading},
};

const ID: FindingId = FindingId::HardDiskSystemType;

pub(super) const ROOM: Room = Room {
    severity: Severity::Warning,
    trips: &["firmware"],
    explanation: "The entry's system type differs from the type byte of the image's partition.",
    consequence: "Strict firmware refuses it; SeaBIOS does not check it.",
    remedy: "Copy the type byte of the partition into the entry.",
    recipes: &[
        xorriso("-hard-disk-boot"),
        genisoimage("-hard-disk-boot"),
        pycdlib("media_name='hdemul'"),
    ],
    check,
    defect: Some(Injection {
        express: needs_hard_disk,
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let disks = reading.hard_disks();
    let finding = |disk: &HardDisk<'_>| {
        let (_, partition) = *disk.used().first()?;
        if partition.kind.0 == disk.boot.system_type {
            return None;
        }
        let message = format!(
            "slot {}: the entry's system type is {:02X}, and the partition's type is {:02X}",
            disk.entry.slot, disk.boot.system_type, partition.kind.0
        );
        let finding = Finding::new(ID, reading.place(disk.entry, 4), message);
        let place = finding.offset;
        Some(if reading.is_hard_disk(disk) {
            finding.fixed_by(place, &[partition.kind.0])
        } else {
            finding
        })
    };
    disks.iter().filter_map(finding).collect()
}

fn inject(disc: &mut Patient<'_>) {
    let other = disc.slots[usize::from(INITIAL)][4] ^ 0x80;
    disc.patch(INITIAL, 4, &[other]);
}
