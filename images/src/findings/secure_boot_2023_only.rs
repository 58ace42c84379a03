//! `secure-boot-2023-only`: an EFI loader that Microsoft signed only with its certificates of 2023.

use super::room::Room;
use crate::{
    finding::{Finding, FindingId, Severity},
    inspect::{Reading, TrustedBy, loaders_trusted_by},
};

const ID: FindingId = FindingId::SecureBoot2023Only;

pub(super) const ROOM: Room = Room {
    severity: Severity::Warning,
    trips: &["firmware"],
    explanation: "Microsoft signed the EFI loader with its certificates of 2023, but not with those of 2011.",
    consequence: "With Secure Boot on, machines that never received the certificates of 2023 refuse it (Access Denied).",
    remedy: "If you make the disc, use a shim that is signed with both. On a machine that refuses the disc, update the firmware or its list of trusted certificates, or turn Secure Boot off.",
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let finding = loaders_trusted_by(reading, TrustedBy::Only2023).map(|(place, names)| {
        let message = format!("signed only with Microsoft's certificates of 2023, so machines that have only those of 2011 do not start these programs: {names}");
        Finding::new(ID, place, message)
    });
    finding.into_iter().collect()
}
