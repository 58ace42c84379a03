//! `secure-boot-2023-only`: an EFI loader that Microsoft signed with its certificates of 2023 alone.

use super::Room;
use crate::{
    finding::{Finding, FindingId, Severity},
    inspect::{Reading, TrustedBy, loaders_trusted_by},
};

const ID: FindingId = FindingId::SecureBoot2023Only;

pub(super) const ROOM: Room = Room {
    id: "secure-boot-2023-only",
    severity: Severity::Warning,
    milder: None,
    trips: &["firmware"],
    explanation: "Microsoft signed the EFI loader with its certificates of 2023 and not with those of 2011.",
    consequence: "Machines that never got the certificates of 2023 refuse it with Secure Boot on (Access Denied).",
    remedy: "A maker takes a shim that is signed with both; users update the firmware or its list of trusted certificates, or turn Secure Boot off.",
    recipes: &[],
    replaces: &[],
    describes: false,
    check,
    defect: None,
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let finding = loaders_trusted_by(reading, TrustedBy::Only2023).map(|(place, names)| {
        let message = format!("signed with Microsoft's certificates of 2023 alone, so machines that have those of 2011 alone do not start it: {names}");
        Finding::new(ID, place, message)
    });
    finding.into_iter().collect()
}
