//! `initrd-cut`: an initial file system that is cut.

use super::{initrd_unreadable::INITRD, room::Room};
use crate::{
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    packed,
};

const ID: FindingId = FindingId::InitrdCut;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "ovmf"],
    explanation: "An initial file system that a configuration names ends before its archive or its compressed stream does.",
    consequence: "The kernel panics, or the system stops soon after its start.",
    remedy: "Download the disc again and compare its checksum, or ask its maker. If you made it, copy a complete file again.",
    check,
    ..Room::BASE
};

/// A gzip stream only with `verify`: it is unpacked.
fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, file) in reading.named_files(&INITRD) {
        if let Some(cut) = packed::cut_initrd(reading.disc, &file, reading.options.verify) {
            let offset = file.start().unwrap_or_default();
            findings.push(Finding::new(
                ID,
                Place { offset },
                format!("{path} is truncated: {cut}"),
            ));
        }
    }
    findings
}
