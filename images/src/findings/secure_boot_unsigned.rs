//! `secure-boot-unsigned`: EFI programs without a signature that counts.

use super::Room;
use crate::{
    finding::{Finding, FindingId, Place, Severity},
    inspect::{DiscProgram, Reading, TrustedBy, names_of},
};

const ID: FindingId = FindingId::SecureBootUnsigned;

pub(super) const ROOM: Room = Room {
    id: "secure-boot-unsigned",
    severity: Severity::Warning,
    milder: Some(Severity::Info),
    trips: &["firmware"],
    explanation: "An EFI program has no signature, one by nobody whom machines are sold with, or one that proves nothing.",
    consequence: "With Secure Boot on, firmware refuses it (Access Denied), and so does shim; with Secure Boot off, signatures do not matter.",
    remedy: "Where a signature proves nothing, fetch the disc again and compare its checksum; a maker takes the signed programs of a distribution as they are, or signs anew after the last change.",
    recipes: &[],
    replaces: &[],
    describes: true,
    check,
    defect: None,
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let programs = reading.programs();
    let untrusted = |it: &&DiscProgram| it.trusted_by == TrustedBy::Neither;
    let group = |what: fn(&DiscProgram) -> bool, says: &dyn Fn(&DiscProgram) -> String| {
        let of_it: Vec<&DiscProgram> = programs
            .iter()
            .filter(untrusted)
            .filter(|it| what(it))
            .collect();
        let first = of_it.first()?;
        let message = format!("{}: {}", says(first), names_of(&of_it));
        let offset = first.offset();
        Some(Finding::new(ID, Place { offset }, message))
    };
    let unsigned = group(
        |it| it.signed.signature_count == 0 && problem(it).is_none(),
        &|_| "no signature".to_owned(),
    );
    let by_others = group(
        |it| it.signed.signature_count > 0 && problem(it).is_none(),
        &|it| {
            let signer = it.signed.signers().join(", ");
            format!(
                "signed by {signer}, which neither Microsoft nor a shim on the disc vouches for"
            )
        },
    );
    let broken = group(|it| problem(it).is_some(), &|it| {
        format!(
            "a signature that proves nothing, because {}",
            problem(it).unwrap_or_default()
        )
    });
    let harmless = [unsigned, by_others].into_iter().flatten();
    harmless.map(Finding::as_info).chain(broken).collect()
}

/// Why no signature of a program proves anything, though it has some.
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
