//! `secure-boot-sbat`: an EFI program below the SBAT level that a machine has, or that the shim on the disc sets.

use super::room::{Room, gravest};
use crate::{
    finding::{Finding, FindingId, Place, Severity},
    inspect::{DiscProgram, Reading},
    signature::ProgramKind,
};

const ID: FindingId = FindingId::SecureBootSbat;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    trips: &["firmware"],
    explanation: "An SBAT level revokes the generation of a component of an EFI program, or shim finds no generations in the program that it starts.",
    consequence: "On machines with that level and Secure Boot on, shim stops with Verifying shim SBAT data failed, or refuses the program that it should start.",
    remedy: "Use a newer disc. If you make the disc, use the newest shim and boot loader of a distribution, both from the same release.",
    check,
    ..Room::BASE
};

/// shim checks itself and the programs that it starts; without a shim on the disc, nothing checks.
fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let programs = reading.programs();
    let given = reading.options.revocations.and_then(|it| it.level.as_ref());
    let mut findings = Vec::new();
    for program in programs.iter() {
        let Some(shim) = checked_by(program, &programs) else {
            continue;
        };
        let place = Place {
            offset: program.offset(),
        };
        let mut add = |message: String, is_given: bool| {
            let finding = Finding::new(ID, place, format!("{}: {message}", program.path));
            findings.push(if is_given { finding } else { finding.milder() });
        };
        if shim.signed.has_sbat && program.signed.sbat.is_none() && is_started_by(program, shim) {
            add(
                format!(
                    "no readable generations (section .sbat), and {} starts no program without them",
                    shim.path
                ),
                false,
            );
        }
        let sets = shim.signed.shim.as_ref().and_then(|it| it.sets.as_ref());
        if let Some(below) = given.and_then(|it| program.signed.below(&it.level)) {
            let source = given.map_or("", |it| it.source.as_str());
            add(
                format!("{below} by {source}"),
                given.is_some_and(|it| it.is_given),
            );
        } else if let Some(below) = sets.and_then(|level| program.signed.below(level)) {
            add(
                format!("{below} by the level that {} sets", shim.path),
                false,
            );
        }
    }
    gravest(findings)
}

/// The shim that checks a program's generations: itself, or the one in the same folder.
fn checked_by<'p>(
    program: &'p DiscProgram,
    programs: &'p [DiscProgram],
) -> Option<&'p DiscProgram> {
    if program.signed.kind == ProgramKind::Shim {
        return Some(program);
    }
    let mut shims = programs
        .iter()
        .filter(|it| it.signed.kind == ProgramKind::Shim);
    let mut beside = shims
        .clone()
        .filter(|it| (it.place, it.slot) == (program.place, program.slot));
    beside.next().or_else(|| shims.next())
}

/// Whether shim starts this program by its name: programs that GRUB starts need no generations.
fn is_started_by(program: &DiscProgram, shim: &DiscProgram) -> bool {
    let starts = shim
        .signed
        .shim
        .as_ref()
        .and_then(|it| it.starts.as_deref());
    let is_beside = (program.place, program.slot) == (shim.place, shim.slot);
    is_beside && starts.is_some_and(|name| name.eq_ignore_ascii_case(program.name()))
}
