//! `squashfs-cut`: a squashfs that is shorter than its header says.

use super::room::Room;
use crate::{
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    inspect::file::DiscBytes,
    packed,
};

const ID: FindingId = FindingId::SquashfsCut;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "ovmf"],
    explanation: "A squashfs file system on the disc is shorter than its own header says.",
    consequence: "The system in it stops with I/O errors, or does not start.",
    remedy: "Download the disc again and compare its checksum, or ask its maker. If you made it, copy a complete file again.",
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let Some(tree) = reading.tree else {
        return Vec::new();
    };
    let disc_end = reading.disc.length().get();
    let mut findings = Vec::new();
    for (start, file) in &tree.squashed {
        let offset = start.byte_offset();
        let bytes = DiscBytes::new([(offset, file.length)], file.length);
        let Some(needed) = packed::squashfs_length(reading.disc, &bytes) else {
            continue;
        };
        // The part past the end of the disc is also missing.
        let there = file.length.get().min(disc_end.saturating_sub(offset));
        if needed > there {
            let message = format!(
                "{} has {there} bytes on the disc, but the file system in it has {needed}",
                file.path
            );
            findings.push(Finding::new(ID, Place { offset }, message));
        }
    }
    findings
}
