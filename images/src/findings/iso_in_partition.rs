//! `iso-in-partition`: an ISO that stands in a partition instead of at the start.

use super::Room;
use crate::{
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
};

/// Bytes from the start in which an ISO is looked for outside of partitions.
const SEARCHED: u64 = 2 << 20;
/// Where a volume's first descriptor has its name.
const NAME: u64 = 16 * 2048 + 1;

const ID: FindingId = FindingId::IsoInPartition;

pub(super) const ROOM: Room = Room {
    id: "iso-in-partition",
    severity: Severity::Error,
    milder: None,
    trips: &["seabios", "usb"],
    explanation: "There is no ISO 9660 at the start of the disc, and one in a partition or at another offset.",
    consequence: "A BIOS finds nothing to start; OVMF finds the ISO in the partition of a stick.",
    remedy: "Write the ISO onto the whole stick (/dev/sdX) and not into a partition of it (/dev/sdX1); from this file it can be cut out.",
    recipes: &[("dd", "dd if=FILE of=disc.iso bs=512 skip=FIRST-SECTOR")],
    replaces: &[FindingId::NotIso, FindingId::NoBootRecord],
    describes: false,
    check,
    defect: None,
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    if !reading.descriptors.main.all.is_empty() {
        return Vec::new();
    }
    let partitions = &reading.inspection.partitions;
    let mbr = partitions.mbr.iter().map(|it| it.first);
    let gpt = partitions.gpt.iter().flatten().map(|it| it.first);
    let partitions: Vec<u64> = mbr.chain(gpt).map(|first| first.byte_offset()).collect();
    let others = (1..SEARCHED / 512).map(|sector| sector * 512);
    let mut is_iso = |&start: &u64| {
        let name = start
            .checked_add(NAME)
            .and_then(|at| reading.disc.array(at));
        start > 0 && name == Some(*b"CD001\x01")
    };
    let in_partition = partitions.iter().copied().find(&mut is_iso);
    let Some(start) = in_partition.or_else(|| others.into_iter().find(is_iso)) else {
        return Vec::new();
    };
    let sector = start / 512;
    let message = if in_partition.is_some() {
        format!(
            "the ISO stands in the partition that begins at sector {sector}, and not at the start"
        )
    } else {
        format!("an ISO begins at byte {start} (sector {sector}), and not at the start")
    };
    vec![Finding::new(ID, Place { offset: start }, message)]
}
