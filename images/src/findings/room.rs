//! A room: everything about one finding.

use super::{id::FindingId, recipe::declared::Recipe};
use crate::{
    defect::Injection,
    finding::{Finding, Severity},
    inspect::Reading,
};

/// Everything about one finding.
pub(crate) struct Room {
    pub(super) severity: Severity,
    pub(super) milder: Option<Severity>,
    pub(super) trips: &'static [&'static str],
    pub(super) explanation: &'static str,
    pub(super) consequence: &'static str,
    pub(super) remedy: &'static str,
    /// How to avoid it with each tool by which it can be avoided.
    pub(super) recipes: &'static [Recipe],
    /// More general findings that say less of the same fault, and are left out where this one is found.
    pub(super) replaces: &'static [FindingId],
    /// Whether it describes the disc, and no fault: then it is no part of what is accepted of a disc.
    pub(super) describes: bool,
    /// Looks for it on a disc that was read. Rooms are asked in the order of the list, and see what was found before.
    pub(super) check: fn(&mut Reading<'_, '_>) -> Vec<Finding>,
    /// How the reference master puts it on a disc, where it can.
    pub(crate) defect: Option<Injection>,
}

/// So many findings of one kind are reported.
const REPORTED: usize = 16;

/// The gravest findings of a kind that a disc can have often, each message once.
pub(super) fn gravest(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings.dedup_by(|one, other| one.message == other.message);
    findings.truncate(REPORTED);
    findings
}
