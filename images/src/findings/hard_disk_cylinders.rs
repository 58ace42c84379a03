//! `hard-disk-cylinders`: more cylinders than some firmware or CHS can address.

use super::Room;
use crate::{
    boot::Boot,
    defect::{Facts, Injection, Lack, need, needs_hard_disk},
    finding::{Finding, FindingId, Severity},
    inspect::{HardDisk, Reading},
    partition_table::MbrEntry,
    size::Size,
};

/// Cylinders that Bochs computes rightly.
const BOCHS_CYLINDERS: u16 = 255;
/// Cylinders that INT 13h addresses.
const CHS_CYLINDERS: u64 = 1_024;
/// One more than Bochs takes from a partition entry without a mistake.
const CYLINDERS: u16 = BOCHS_CYLINDERS + 1;

const ID: FindingId = FindingId::HardDiskCylinders;

pub(super) const ROOM: Room = Room {
    id: "hard-disk-cylinders",
    severity: Severity::Warning,
    milder: None,
    trips: &["bochs"],
    explanation: "The hard-disk image has more than 255 cylinders, or more than cylinders, heads and sectors can address.",
    consequence: "The BIOS of Bochs computes the geometry wrongly above 255 cylinders, and INT 13h addresses 1,024.",
    remedy: "Use more heads and sectors, 255 and 63 at the most, or a smaller image.",
    recipes: &[],
    replaces: &[],
    describes: false,
    check,
    defect: Some(Injection {
        express,
        stands,
        // It is the length of the image.
        in_image: Some(|_, _| {}),
        ..Injection::WORDS
    }),
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let finding = |disk: &HardDisk<'_>| {
        let (index, partition) = *disk.used().first()?;
        let (cylinders, heads, sectors) = partition.geometry();
        let reach = CHS_CYLINDERS * u64::from(heads) * u64::from(sectors);
        let what = if partition.end().get() > reach && reach > 0 {
            format!(
                "its partition ends behind sector {}, and 1024 cylinders of {heads} heads and {sectors} sectors reach {reach}",
                partition.end().get()
            )
        } else if cylinders > BOCHS_CYLINDERS {
            format!("it has {cylinders} cylinders, and Bochs computes more than 255 wrongly")
        } else {
            return None;
        };
        let message = format!(
            "slot {}: the hard disk has too many cylinders: {what}",
            disk.entry.slot
        );
        Some(Finding::new(ID, disk.place(MbrEntry::at(index)), message))
    };
    reading.hard_disks().iter().filter_map(finding).collect()
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
