//! `hard-disk-cylinders`: more cylinders than some firmware or CHS can address.

use super::room::Room;
use crate::{
    boot::Boot,
    boot_image::{Geometry, GeometryRequest},
    defect::{Facts, Injection, Lack, need, needs_hard_disk},
    finding::{Finding, FindingId, Severity},
    inspect::{HardDisk, Reading},
    partition_table::{MbrEntry, PartitionType},
    size::Size,
    units::VIRTUAL_SECTOR_BYTES,
};

/// Cylinders that Bochs computes correctly.
const BOCHS_CYLINDERS: u16 = 255;
/// Cylinders that INT 13h addresses.
pub(super) const CHS_CYLINDERS: u64 = 1_024;
/// One more than Bochs reads correctly from a partition entry.
const CYLINDERS: u16 = BOCHS_CYLINDERS + 1;

/// Heads that are tried, fewest first.
const HEADS: [u16; 5] = [16, 32, 64, 128, 255];
/// The most sectors to a track.
const SECTORS: u16 = 63;
/// Partitions with their own tables, which also contain cylinders.
const EXTENDED: [PartitionType; 2] = [PartitionType(0x05), PartitionType(0x0F)];
/// The sectors to a track in a boot sector, followed by the heads: in FAT and NTFS.
pub(super) const TRACK: usize = 24;
/// FAT32 keeps a copy of its boot sector here.
const BACKUP_BOOT_SECTOR: u64 = 6;

const ID: FindingId = FindingId::HardDiskCylinders;

pub(super) const ROOM: Room = Room {
    severity: Severity::Warning,
    trips: &["bochs"],
    explanation: "The hard-disk image has more than 255 cylinders, or more sectors than cylinders, heads and sectors can address.",
    consequence: "Above 255 cylinders, the BIOS of Bochs computes the geometry wrongly. INT 13h can address at most 1,024.",
    remedy: "Use more heads and sectors (at most 255 and 63), or a smaller image.",
    check,
    defect: Some(Injection {
        express,
        stands,
        // This is the image's length.
        in_image: Some(|_, _| {}),
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let disks = reading.hard_disks();
    let finding = |disk: &HardDisk<'_>| {
        let (index, partition) = *disk.used().first()?;
        let (cylinders, heads, sectors) = partition.geometry();
        let reach = CHS_CYLINDERS * u64::from(heads) * u64::from(sectors);
        let what = if partition.end().get() > reach && reach > 0 {
            format!(
                "its partition ends after sector {}, but 1024 cylinders of {heads} heads and {sectors} sectors reach only {reach}",
                partition.end().get()
            )
        } else if cylinders > BOCHS_CYLINDERS {
            format!(
                "it has {cylinders}, and above 255 the BIOS of Bochs computes the geometry wrongly"
            )
        } else {
            return None;
        };
        let message = format!(
            "slot {}: the hard disk has too many cylinders: {what}",
            disk.entry.slot
        );
        let finding = Finding::new(ID, disk.place(MbrEntry::at(index)), message);
        Some(fixed(reading, finding, disk))
    };
    disks.iter().filter_map(finding).collect()
}

/// The fix is more heads and sectors. A disk that is too large for 255 cylinders does not change.
fn fixed(reading: &mut Reading<'_, '_>, finding: Finding, disk: &HardDisk<'_>) -> Finding {
    let [(_, partition)] = disk.used()[..] else {
        return finding;
    };
    let geometry = HEADS.into_iter().find_map(|heads| {
        let request = GeometryRequest {
            heads: Some(heads),
            sectors: Some(SECTORS),
            cylinders: None,
        };
        let geometry = request.of(partition.end()).ok()?;
        (geometry.cylinders <= BOCHS_CYLINDERS).then_some(geometry)
    });
    with_geometry(reading, finding, disk, geometry)
}

/// The fix is another geometry in the partition's entry, and in its boot sector if that has the same geometry.
pub(super) fn with_geometry(
    reading: &mut Reading<'_, '_>,
    finding: Finding,
    disk: &HardDisk<'_>,
    geometry: Option<Geometry>,
) -> Finding {
    let [(index, partition)] = disk.used()[..] else {
        return finding;
    };
    let (_, heads, sectors) = partition.geometry();
    let is_one = !EXTENDED.contains(&partition.kind) && reading.is_hard_disk(disk);
    let Some(geometry) = geometry.filter(|_| is_one) else {
        return finding;
    };
    let entry = MbrEntry {
        first_chs: geometry.chs(partition.first.get()),
        last_chs: geometry.last(),
        ..partition
    };
    let mut finding = finding.fixed_by(disk.place(MbrEntry::at(index)).offset, &entry.encode());
    let (old, new) = ([sectors, heads], [geometry.sectors, geometry.heads]);
    let bytes = |numbers: [u16; 2]| numbers.map(u16::to_le_bytes).concat();
    for sector in [0, BACKUP_BOOT_SECTOR] {
        let first = partition.first.byte_offset();
        let place = disk
            .place(first.saturating_add(sector * VIRTUAL_SECTOR_BYTES))
            .offset;
        let boot_sector: [u8; 28] = reading.disc.array(place).unwrap_or_default();
        let is_one = matches!(boot_sector[0], 0xEB | 0xE9);
        if is_one && boot_sector[TRACK..] == bytes(old) {
            finding = finding.fixed_by(place + TRACK as u64, &bytes(new));
        }
    }
    finding
}

fn express(boot: &mut Boot, size: &mut Option<Size>) -> Result<(), Lack> {
    needs_hard_disk(boot, size)?;
    if size.is_none() {
        boot.cylinders.get_or_insert(CYLINDERS);
    }
    Ok(())
}

fn stands(facts: &Facts<'_>) -> Result<(), Lack> {
    let enough = facts
        .last_cylinder
        .is_some_and(|last| last >= CYLINDERS - 1);
    need(enough, "256 cylinders or more")
}
