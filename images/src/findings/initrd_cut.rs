//! `initrd-cut`: an initial file system that is cut.

use super::Room;
use crate::{
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    packed,
};

const ID: FindingId = FindingId::InitrdCut;

pub(super) const ROOM: Room = Room {
    id: "initrd-cut",
    severity: Severity::Error,
    milder: None,
    trips: &["seabios", "ovmf"],
    explanation: "An initial file system that a configuration names ends before its archive or its compressed stream does.",
    consequence: "The kernel panics, or the system stops in its first steps.",
    remedy: "Fetch the disc again and compare its checksum, or ask its maker; else copy the file again from where it is whole.",
    recipes: &[],
    replaces: &[],
    describes: false,
    check,
    defect: None,
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, file) in reading.named_files(&["initrd", "initrd16", "initrdefi", "append"]) {
        if let Some(cut) = packed::cut_initrd(reading.disc, &file) {
            let offset = file.start().unwrap_or_default();
            findings.push(Finding::new(
                ID,
                Place { offset },
                format!("{path} is cut: {cut}"),
            ));
        }
    }
    findings
}
