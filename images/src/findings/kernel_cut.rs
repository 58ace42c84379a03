//! `kernel-cut`: a Linux kernel that is shorter than its header says.

use super::{kernel_not_linux::KERNEL, room::Room};
use crate::{
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    packed,
};

const ID: FindingId = FindingId::KernelCut;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "ovmf"],
    explanation: "A kernel that a configuration names is shorter than its own header says.",
    consequence: "When the kernel unpacks itself, the machine resets, or stops silently.",
    remedy: "Download the disc again and compare its checksum, or ask its maker. If you made it, copy a complete kernel again.",
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, file) in reading.named_files(&KERNEL) {
        let Some(needed) = packed::kernel_length(reading.disc, &file) else {
            continue;
        };
        if needed > file.length.get() {
            let message = format!(
                "{path} has {}, but according to its header the kernel has at least {needed}",
                file.length
            );
            let offset = file.start().unwrap_or_default();
            findings.push(Finding::new(ID, Place { offset }, message));
        }
    }
    findings
}
