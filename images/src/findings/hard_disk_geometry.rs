//! `hard-disk-geometry`: a hard-disk image of which a BIOS reads only the beginning.

use super::{
    Room,
    hard_disk_cylinders::{CHS_CYLINDERS, TRACK, with_geometry},
};
use crate::{
    boot_image::{Geometry, GeometryRequest},
    bytes::le16,
    finding::{Finding, FindingId, Severity},
    inspect::{HardDisk, Reading},
    partition_table::MbrEntry,
};

const ID: FindingId = FindingId::HardDiskGeometry;

pub(super) const ROOM: Room = Room {
    id: "hard-disk-geometry",
    severity: Severity::Warning,
    milder: None,
    trips: &["seabios"],
    explanation: "The cylinders, heads and sectors in the partition's entry address fewer sectors than the partition has.",
    consequence: "A BIOS takes the geometry of the emulated disk from there (El Torito 4.1), and refuses to read what lies behind: boot code stops with its own words, such as Boot error.",
    remedy: "If it is not your disc, ask its maker for a new one; else let the partition end with a cylinder, and write that cylinder's last head and sector into its entry.",
    recipes: &[],
    replaces: &[],
    describes: false,
    check,
    defect: None,
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let disks = reading.hard_disks();
    let finding = |disk: &HardDisk<'_>| {
        let (index, partition) = *disk.used().first()?;
        let (cylinders, heads, sectors) = partition.geometry();
        let track = u64::from(heads) * u64::from(sectors);
        let (reach, end) = (u64::from(cylinders) * track, partition.end().get());
        // Too many cylinders are a finding of their own, and no sector at all is no geometry.
        if end <= reach || end > CHS_CYLINDERS * track {
            return None;
        }
        let message = format!(
            "slot {}: the partition of the hard disk ends at sector {end}, and the geometry in its entry ({cylinders} cylinders, {heads} heads, {sectors} sectors) reaches {reach}",
            disk.entry.slot
        );
        let finding = Finding::new(ID, disk.place(MbrEntry::at(index)), message);
        let geometry = geometry(reading, disk, partition);
        Some(with_geometry(reading, finding, disk, geometry))
    };
    disks.iter().filter_map(finding).collect()
}

/// A geometry that reaches the partition's end: with the heads and sectors of its boot sector, where that says some.
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
