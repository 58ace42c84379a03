//! `initrd-unreadable`: an initial file system that Linux cannot unpack.

use super::room::Room;
use crate::{
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    packed,
};

const ID: FindingId = FindingId::InitrdUnreadable;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Info),
    trips: &["seabios", "ovmf"],
    explanation: "An initial file system that a configuration names is empty, or begins with nothing that Linux unpacks or mounts.",
    consequence: "Linux says that unpacking the initramfs failed, finds no root file system, and panics.",
    remedy: "Download the disc again and compare its checksum, or ask its maker. If you made it, put the initial file system of this kernel at the path in the configuration.",
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for entry in reading.linux_entries() {
        // Empty archives beside others do no harm.
        let is_empty = entry.initrds.iter().all(|(_, file)| file.length.get() == 0);
        let wrong = entry.initrds.iter().find_map(|(path, file)| {
            let what = match is_empty {
                true => "is empty",
                false => packed::not_an_initrd(reading.disc, file)?,
            };
            Some((path, file, what))
        });
        let Some((path, file, what)) = wrong else {
            continue;
        };
        let message = format!("{path} is loaded as an initial file system, but it {what}");
        let place = file.start().map(|offset| Place { offset });
        let place = place.unwrap_or_else(|| reading.named_in(path).place);
        let finding = Finding::new(ID, place, message);
        findings.push(match entry.is_default {
            true => finding,
            false => finding.as_info(),
        });
    }
    super::room::gravest(findings)
}
