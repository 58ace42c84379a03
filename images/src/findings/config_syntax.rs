//! `config-syntax`: a configuration of GRUB whose braces do not match.

use super::room::{Room, gravest};
use crate::{
    boot_configuration::Loader,
    finding::{Finding, FindingId, Severity},
    inspect::Reading,
};

const ID: FindingId = FindingId::ConfigSyntax;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    trips: &["seabios", "ovmf"],
    explanation: "An entry of GRUB's configuration opens a brace that is never closed.",
    consequence: "GRUB says syntax error and runs nothing from that entry on. Without an entry before it, it shows its prompt, grub>.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise close the entry with a brace on a line of its own, and check the file with grub-script-check.",
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let configurations = reading.configurations();
    let mut findings = Vec::new();
    for configuration in configurations.of(Loader::Grub) {
        let Some((file, line, before)) = &configuration.unclosed else {
            continue;
        };
        let message = format!("{file} opens an entry in line {line} that is never closed");
        let place = reading.place_of(configuration.file_system, file);
        let finding = Finding::new(ID, place, message);
        findings.push(match before {
            0 => finding,
            _ => finding.milder(),
        });
    }
    gravest(findings)
}
