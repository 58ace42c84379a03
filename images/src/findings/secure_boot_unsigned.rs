//! `secure-boot-unsigned`: EFI programs without a trusted signature.

use super::room::{Room, gravest};
use crate::{
    finding::{Finding, FindingId, Place, Severity},
    inspect::{DiscProgram, Reading, TrustedBy, names_of},
};

const ID: FindingId = FindingId::SecureBootUnsigned;

pub(super) const ROOM: Room = Room {
    severity: Severity::Warning,
    milder: Some(Severity::Info),
    trips: &["firmware"],
    explanation: "An EFI program has no signature, an invalid one, or one by a signer that machines do not trust as sold.",
    consequence: "With Secure Boot on, firmware refuses it (Access Denied), and so does shim; with Secure Boot off, signatures do not matter.",
    remedy: "If a signature is broken, download the disc again and compare its checksum, or boot it with Secure Boot off. If you make the disc, copy a distribution's signed programs unchanged, or sign again after the last change.",
    describes: true,
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let programs = reading.programs();
    let untrusted = programs.iter();
    let untrusted = untrusted.filter(|it| it.trusted_by == TrustedBy::Neither);
    // One finding for all programs with the same message.
    let mut groups: Vec<((String, Severity), Vec<&DiscProgram>)> = Vec::new();
    for program in untrusted {
        let said = said(program);
        match groups.iter_mut().find(|(other, _)| *other == said) {
            Some((_, group)) => group.push(program),
            None => groups.push((said, vec![program])),
        }
    }
    let findings = groups.iter().map(|((said, severity), group)| {
        let offset = group.first().map_or(0, |it| it.offset());
        let message = format!("{said}: {}", names_of(group));
        Finding::new(ID, Place { offset }, message).info_if(*severity == Severity::Info)
    });
    gravest(findings.collect())
}

/// The message about a program that nothing trusts, and its severity.
fn said(program: &DiscProgram) -> (String, Severity) {
    let signed = &program.signed;
    if let Some(not_read) = signed.problems().find(|problem| problem.is_not_read()) {
        return (
            format!("a signature that is not checked: {not_read}"),
            Severity::Info,
        );
    }
    if let Some(problem) = problem(program) {
        let said = format!("a signature that proves nothing, because {problem}");
        return (said, Severity::Warning);
    }
    if signed.signature_count == 0 {
        return ("no signature".to_owned(), Severity::Info);
    }
    let signer = signed.signers().join(", ");
    let said =
        format!("signed by {signer}, which neither Microsoft nor a shim on the disc vouches for");
    (said, Severity::Info)
}

/// Why none of a program's signatures proves anything.
fn problem(program: &DiscProgram) -> Option<String> {
    let signed = &program.signed;
    if signed.problem.is_some() {
        return signed.problem.clone();
    }
    if !signed.is_signed || !signed.chains(&[]).is_empty() {
        return None;
    }
    let mut problems = signed.problems();
    problems.next().map(|problem| problem.to_string())
}
