//! `kernel-cut`: a Linux kernel that is shorter than it says.

use super::Room;
use crate::{
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    packed,
};

const ID: FindingId = FindingId::KernelCut;

pub(super) const ROOM: Room = Room {
    id: "kernel-cut",
    severity: Severity::Error,
    milder: None,
    trips: &["seabios", "ovmf"],
    explanation: "A kernel that a configuration names is shorter than its own header says.",
    consequence: "The machine resets, or stops without a word, when the kernel unpacks itself.",
    remedy: "Fetch the disc again and compare its checksum, or ask its maker; else copy the kernel again from where it is whole.",
    recipes: &[],
    replaces: &[],
    describes: false,
    check,
    defect: None,
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, file) in reading.named_files(&["kernel", "linux", "linux16", "linuxefi"]) {
        let Some(needed) = packed::kernel_length(reading.disc, &file) else {
            continue;
        };
        if needed > file.length.get() {
            let message = format!(
                "{path} has {}, and a kernel with its header has {needed} and more",
                file.length
            );
            let offset = file.start().unwrap_or_default();
            findings.push(Finding::new(ID, Place { offset }, message));
        }
    }
    findings
}
