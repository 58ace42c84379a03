//! What changes of a disc showed: a finding is called a cause where its fix, and nothing else, changes what becomes of the disc.

use images::{
    change::Change,
    finding::{Finding, FindingId, Severity},
    inspect::Inspection,
};
use serde::{Deserialize, Serialize};

use super::{boot::Boot, causes::Situation};
use crate::{attachment::Attachment, guest::Starts};

/// What was tried on boots of one firmware that had failed alike, and what that showed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experiment {
    /// The firmware, as its build is called.
    pub firmware: String,
    /// By which attachments it was shown: one was experimented on, and the others did the same with the changes.
    pub attachments: Vec<Attachment>,
    /// The findings without whose fix it comes no further, with what their fixes change.
    pub proved: Vec<Finding>,
    /// What becomes of the disc with these fixed, as a clause; empty where none is proved.
    pub then: String,
    /// Whether it was seen to start then.
    pub starts: Starts,
    /// Findings whose fix changes nothing here.
    pub harmless: Vec<FindingId>,
    /// Findings with a fix that was not tried by itself: there was no time left, or the boot does not do the same twice.
    pub untried: Vec<FindingId>,
    /// How often it was booted for this.
    pub boots: usize,
}

impl Experiment {
    /// What the fixes of the findings that are proved change.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.proved.iter().flat_map(|finding| &finding.changes)
    }

    pub(super) fn is_of(&self, boot: &Boot<'_>) -> bool {
        self.firmware == boot.build && self.attachments.contains(&boot.attachment)
    }
}

/// How likely a finding explains a boot, the likeliest first: the order in which fixes are tried. Nothing where it concerns what was not looked at.
#[must_use]
pub fn likelihood(boot: &Boot<'_>, inspection: &Inspection, finding: &Finding) -> Option<usize> {
    let situation = Situation::of(boot);
    if !situation.may_concern(finding, inspection) {
        return None;
    }
    let known = situation.order();
    let place = known.iter().position(|id| *id == finding.id);
    let others = known.len() + usize::from(finding.severity == Severity::Info);
    Some(place.unwrap_or(others))
}
