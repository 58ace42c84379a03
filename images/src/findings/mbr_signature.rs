//! `mbr-signature`: a hard-disk image without 55 AA.

use super::room::Room;
use crate::{
    defect::{Injection, Patient, needs_hard_disk},
    finding::{Finding, FindingId, Severity},
    inspect::{HardDisk, Reading},
    partition_table::MbrEntry,
    sparse::SparseBytes,
    units::Lba,
};

const ID: FindingId = FindingId::MbrSignature;

pub(super) const ROOM: Room = Room {
    severity: Severity::Warning,
    trips: &["tools"],
    explanation: "The hard-disk image's first sector does not end with 55 AA.",
    consequence: "SeaBIOS boots the disc; tools refuse it.",
    remedy: "Write a master boot record into the image.",
    check,
    defect: Some(Injection {
        express: needs_hard_disk,
        inject,
        in_image: Some(inject_into_image),
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let disks = reading.hard_disks();
    let finding = |disk: &HardDisk<'_>| {
        if disk.table.signature {
            return None;
        }
        let message = format!(
            "slot {}: the hard disk's first sector ends with {:02X} {:02X}, not 55 AA",
            disk.entry.slot, disk.end_bytes[0], disk.end_bytes[1]
        );
        let place = disk.place(MbrEntry::SIGNATURE);
        let finding = Finding::new(ID, place, message);
        Some(if reading.is_hard_disk(disk) {
            finding.fixed_by(place.offset, &[0x55, 0xAA])
        } else {
            finding
        })
    };
    disks.iter().filter_map(finding).collect()
}

fn inject(disc: &mut Patient<'_>) {
    remove_signature(disc.bytes, disc.first.lba);
}

fn inject_into_image(image: &mut SparseBytes, has_loader: bool) {
    if !has_loader {
        remove_signature(image, Lba::new(0));
    }
}

fn remove_signature(bytes: &mut SparseBytes, image: Lba) {
    bytes.write_at(image.byte_offset() + MbrEntry::SIGNATURE, &[0, 0]);
}
