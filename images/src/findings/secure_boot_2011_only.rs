//! `secure-boot-2011-only`: an EFI loader that Microsoft signed only with its certificates of 2011.

use super::room::Room;
use crate::{
    finding::{Finding, FindingId, Severity},
    inspect::{Reading, TrustedBy, loaders_trusted_by},
};

const ID: FindingId = FindingId::SecureBoot2011Only;

pub(super) const ROOM: Room = Room {
    severity: Severity::Info,
    trips: &["firmware"],
    explanation: "Microsoft signed the EFI loader with its certificates of 2011, but not with those of 2023.",
    consequence: "With Secure Boot on, machines that have only the certificates of 2023 refuse it (Access Denied). Machines that have those of 2011 start it, whatever the date.",
    remedy: "If you make the disc, use a shim that is signed with both, as distributions have shipped since 2025. On a machine that refuses the disc, turn Secure Boot off, or let the firmware trust the certificates of 2011 too.",
    describes: true,
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let finding = loaders_trusted_by(reading, TrustedBy::Only2011).map(|(place, names)| {
        let message = format!("signed only with Microsoft's certificates of 2011, so machines that have only those of 2023 do not start these programs: {names}");
        Finding::new(ID, place, message)
    });
    finding.map(Finding::as_info).into_iter().collect()
}
