//! `hard-disk-partition-slot`: a hard-disk image without exactly one partition, in slot 0.

use super::room::Room;
use crate::{
    defect::{Injection, Patient, needs_hard_disk},
    finding::{Finding, FindingId, Severity},
    inspect::{HardDisk, Reading},
    partition_table::MbrEntry,
    sparse::SparseBytes,
    units::Lba,
};

const ID: FindingId = FindingId::HardDiskPartitionSlot;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "bochs", "tools"],
    explanation: "The hard-disk image does not have exactly one partition, in slot 0 of its table.",
    consequence: "SeaBIOS takes the drive's geometry only from slot 0: if that is empty, every read fails.",
    remedy: "Make exactly one partition, as number 1 (slot 0).",
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
        let used = disk.used();
        let problem = match used[..] {
            [(0, _)] => return None,
            [] if disk.is_file_system => {
                "no partition table: its first sector is that of a FAT file system".to_owned()
            }
            [] => "no partition".to_owned(),
            [(index, _)] => format!("its only partition in slot {index} of the table, not 0"),
            _ => format!("{} partitions, but only one is allowed", used.len()),
        };
        let message = format!("slot {}: the hard disk has {problem}", disk.entry.slot);
        if disk.is_file_system {
            let finding = Finding::new(ID, disk.place(MbrEntry::TABLE), message);
            // A BIOS takes the geometry from the code there; SeaBIOS was seen to start such a disk.
            return Some(finding.as_info());
        }
        let slot = used.first().map_or(0, |&(index, _)| index);
        let finding = Finding::new(ID, disk.place(MbrEntry::at(slot)), message);
        let at = |slot| disk.place(MbrEntry::at(slot)).offset;
        Some(match used[..] {
            [(slot, partition)] if reading.is_hard_disk(disk) => finding
                .fixed_by(at(0), &partition.encode())
                .fixed_by(at(slot), &[0; MbrEntry::BYTES]),
            _ => finding,
        })
    };
    disks.iter().filter_map(finding).collect()
}

fn inject(disc: &mut Patient<'_>) {
    move_partition_to_slot_1(disc.bytes, disc.first.lba);
}

fn inject_into_image(image: &mut SparseBytes, has_loader: bool) {
    if !has_loader {
        move_partition_to_slot_1(image, Lba::new(0));
    }
}

fn move_partition_to_slot_1(bytes: &mut SparseBytes, image: Lba) {
    let slot_0 = image.byte_offset() + MbrEntry::TABLE;
    let entry: [u8; MbrEntry::BYTES] = bytes.array_at(slot_0);
    bytes.write_at(slot_0, &[0; MbrEntry::BYTES]);
    bytes.write_at(slot_0 + MbrEntry::BYTES as u64, &entry);
}
