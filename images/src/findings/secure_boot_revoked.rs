//! `secure-boot-revoked`: an EFI program that a revocation list names.

use super::room::{Room, gravest};
use crate::{
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
};

const ID: FindingId = FindingId::SecureBootRevoked;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    trips: &["firmware"],
    explanation: "A revocation list (dbx) or the shim on the disc revokes an EFI program or a certificate of its signature.",
    consequence: "With Secure Boot on, machines with that list refuse it (Access Denied), even if it has other valid signatures.",
    remedy: "Use a newer disc. If you make the disc, use the newest shim and boot loader of a distribution.",
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let programs = reading.programs();
    let list = reading.options.revocations.and_then(|it| it.list.as_ref());
    let shims = programs.iter().enumerate();
    let shims: Vec<_> = shims
        .filter_map(|(number, it)| Some((number, it, &it.signed.shim.as_ref()?.keys)))
        .collect();
    let mut findings = Vec::new();
    for (number, program) in programs.iter().enumerate() {
        let place = Place {
            offset: program.offset(),
        };
        if let Some(list) = list
            && let Some(what) = program.signed.refused_by(&list.list, &[])
        {
            let message = format!("{}: {} revokes {what}", program.path, list.source);
            let finding = Finding::new(ID, place, message);
            findings.push(if list.is_given {
                finding
            } else {
                finding.milder()
            });
        }
        let refused = shims.iter().find_map(|(shim, it, keys)| {
            let what = program
                .signed
                .refused_by(&keys.refused, &keys.certificates)?;
            (*shim != number).then(|| format!("{} on this disc refuses {what}", it.path))
        });
        if let Some(refused) = refused {
            let message = format!("{}: {refused}", program.path);
            findings.push(Finding::new(ID, place, message).milder());
        }
    }
    gravest(findings)
}
