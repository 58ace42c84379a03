//! `iso-in-partition`: an ISO in a partition instead of at the start.

use super::{recipe::declared::commands, room::Room};
use crate::{
    finding::{Finding, FindingId, Place, Severity},
    inspect::{Reading, iso_elsewhere},
    tool::Tool,
};

const ID: FindingId = FindingId::IsoInPartition;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "usb"],
    explanation: "The disc does not begin with an ISO 9660 file system, but has one in a partition or at another offset.",
    consequence: "A BIOS finds nothing to start; OVMF finds the ISO in the partition of a stick.",
    remedy: "Write the ISO to the whole stick (/dev/sdX), not to a partition (/dev/sdX1). You can extract the ISO from this file.",
    recipes: &[commands(
        Tool::Dd,
        "dd if=disc.iso of=new.iso bs=512 skip={sector}",
        "skip",
    )],
    replaces: &[
        FindingId::NotIso,
        FindingId::NoBootRecord,
        FindingId::MbrNoCode,
    ],
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    if !reading.descriptors.main.all.is_empty() {
        return Vec::new();
    }
    let Some((start, in_partition)) = iso_elsewhere(reading.disc) else {
        return Vec::new();
    };
    let sector = start / 512;
    let message = if in_partition {
        format!("the ISO is in the partition that begins at sector {sector}, not at the start")
    } else {
        format!("an ISO begins at byte {start} (sector {sector}), not at the start")
    };
    vec![Finding::new(ID, Place { offset: start }, message)]
}
