//! `hard-disk-geometry`: a BIOS reads only the beginning of a hard-disk image.

use super::{
    hard_disk_cylinders::{CHS_CYLINDERS, TRACK, with_geometry},
    room::Room,
};
use crate::{
    boot_image::{Geometry, GeometryRequest},
    bytes::le16,
    defect::{Injection, needs_hard_disk},
    finding::{Finding, FindingId, Severity},
    inspect::{HardDisk, Reading},
    partition_table::MbrEntry,
    sparse::SparseBytes,
    units::Lba,
};

const ID: FindingId = FindingId::HardDiskGeometry;

pub(super) const ROOM: Room = Room {
    severity: Severity::Warning,
    trips: &["seabios"],
    explanation: "The cylinders, heads and sectors in the partition's entry address fewer sectors than the partition has.",
    consequence: "A BIOS takes the geometry of the emulated disk from this entry (El Torito 4.1), and refuses to read past it: boot code stops with its own message, such as Boot error.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise make the partition end with a full cylinder, and write that cylinder's last head and sector into its entry.",
    check,
    defect: Some(Injection {
        express: needs_hard_disk,
        inject: |disc| one_head_less(disc.bytes, disc.first.lba),
        in_image: Some(|image, has_loader| {
            if !has_loader {
                one_head_less(image, Lba::new(0));
            }
        }),
        ..Injection::WORDS
    }),
    ..Room::BASE
};

/// The partition's end one head too low, as from a tool that rounds no partition to a cylinder.
fn one_head_less(bytes: &mut SparseBytes, image: Lba) {
    let place = image.byte_offset() + MbrEntry::TABLE;
    let mut entry: [u8; MbrEntry::BYTES] = bytes.array_at(place);
    // Byte 5 is the last sector's head.
    entry[5] = entry[5].saturating_sub(1);
    bytes.write_at(place, &entry);
}

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let disks = reading.hard_disks();
    let finding = |disk: &HardDisk<'_>| {
        let (index, partition) = *disk.used().first()?;
        let (cylinders, heads, sectors) = partition.geometry();
        let track = u64::from(heads) * u64::from(sectors);
        let (reach, end) = (u64::from(cylinders) * track, partition.end().get());
        // Too many cylinders have their own finding, and without sectors there is no geometry.
        if end <= reach || end > CHS_CYLINDERS * track {
            return None;
        }
        let message = format!(
            "slot {}: the partition of the hard disk ends at sector {end}, but the geometry in its entry ({cylinders} cylinders, {heads} heads, {sectors} sectors) reaches only {reach}",
            disk.entry.slot
        );
        let finding = Finding::new(ID, disk.place(MbrEntry::at(index)), message);
        let geometry = geometry(reading, disk, partition);
        Some(with_geometry(reading, finding, disk, geometry))
    };
    disks.iter().filter_map(finding).collect()
}

/// A geometry that reaches the partition's end: with the heads and sectors of its boot sector, if it has them.
fn geometry(
    reading: &mut Reading<'_, '_>,
    disk: &HardDisk<'_>,
    partition: MbrEntry,
) -> Option<Geometry> {
    let place = disk.place(partition.first.byte_offset()).offset;
    let boot_sector: [u8; 28] = reading.disc.array(place).unwrap_or_default();
    let said = [le16(&boot_sector, TRACK + 2), le16(&boot_sector, TRACK)];
    let is_said = matches!(boot_sector[0], 0xEB | 0xE9)
        && (1..=255).contains(&said[0])
        && (1..=63).contains(&said[1]);
    let [heads, sectors] = said.map(|number| is_said.then_some(number));
    let request = GeometryRequest {
        heads,
        sectors,
        cylinders: None,
    };
    request.of(partition.end()).ok()
}
