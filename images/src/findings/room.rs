//! A room: everything about one finding.

use super::{id::FindingId, recipe::declared::Recipe};
use crate::{
    boot_configuration::{Configuration, Entry, Loader},
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
    /// How to avoid it, for each tool that can avoid it.
    pub(super) recipes: &'static [Recipe],
    /// More general findings about the same fault. They are left out if this one is found.
    pub(super) replaces: &'static [FindingId],
    /// Whether it only describes the disc and is not a fault: then accepted results do not include it.
    pub(super) describes: bool,
    /// Looks for it on a disc that was read. Rooms run in the order of the list, and see earlier findings.
    pub(super) check: fn(&mut Reading<'_, '_>) -> Vec<Finding>,
    /// How the reference master puts it on a disc, if it can.
    pub(crate) defect: Option<Injection>,
}

impl Room {
    /// What most rooms have in common. The rest must be given: a test fails where a text is empty.
    pub(super) const BASE: Self = Self {
        severity: Severity::Error,
        milder: None,
        trips: &[],
        explanation: "",
        consequence: "",
        remedy: "",
        recipes: &[],
        replaces: &[],
        describes: false,
        check: |_| Vec::new(),
        defect: None,
    };
}

/// At most this many findings of one kind are reported.
const REPORTED: usize = 16;

/// The most severe findings of a kind that a disc can have often, each message once.
pub(super) fn gravest(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings.dedup_by(|one, other| one.message == other.message);
    findings.truncate(REPORTED);
    findings
}

/// Entries of a configuration that are judged.
const ENTRIES: usize = 64;

/// What is wrong with the entries of the configurations that this disc's own loaders read; information only where another entry is started by default.
pub(super) fn each_entry<'r, 'w>(
    reading: &mut Reading<'r, 'w>,
    mut wrong: impl FnMut(&mut Reading<'r, 'w>, &Configuration, &Entry) -> Option<Finding>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let configurations = reading.configurations();
    let of_this_disc = configurations.all.iter();
    for configuration in of_this_disc.filter(|it| it.loader != Loader::GrubLoopback) {
        for (index, entry) in configuration.entries.iter().enumerate().take(ENTRIES) {
            let wrong = wrong(reading, configuration, entry);
            findings.extend(
                wrong.map(|finding| match configuration.may_be_default(index) {
                    true => finding,
                    false => finding.as_info(),
                }),
            );
        }
    }
    gravest(findings)
}
