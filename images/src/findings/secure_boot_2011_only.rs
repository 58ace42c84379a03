//! `secure-boot-2011-only`: an EFI loader that Microsoft signed with its certificates of 2011 alone.

use super::Room;
use crate::{
    finding::{Finding, FindingId, Severity},
    inspect::{Reading, TrustedBy, loaders_trusted_by},
};

const ID: FindingId = FindingId::SecureBoot2011Only;

pub(super) const ROOM: Room = Room {
    id: "secure-boot-2011-only",
    severity: Severity::Info,
    milder: None,
    trips: &["firmware"],
    explanation: "Microsoft signed the EFI loader with its certificates of 2011 and not with those of 2023.",
    consequence: "Machines that have the certificates of 2023 alone refuse it with Secure Boot on (Access Denied); those that have the ones of 2011 start it, whatever the date.",
    remedy: "A maker takes a shim that is signed with both, as distributions bring it since 2025; users of a machine that refuses it turn Secure Boot off, or let the firmware trust the certificates of 2011 too.",
    recipes: &[],
    replaces: &[],
    describes: true,
    check,
    defect: None,
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let finding = loaders_trusted_by(reading, TrustedBy::Only2011).map(|(place, names)| {
        let message = format!("signed with Microsoft's certificates of 2011 alone, so machines that have those of 2023 alone do not start it: {names}");
        Finding::new(ID, place, message)
    });
    finding.map(Finding::as_info).into_iter().collect()
}
