//! In what two cells are not the same.

use std::fmt;

use images::finding::Severity;
use serde::{Deserialize, Serialize};

/// What there is not.
pub(crate) const NOTHING: &str = "none";

pub(crate) const READ: &str = "read";

pub(crate) const NOT_READ: &str = "not read";

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What: `sector count of slot 3`.
    pub what: String,
    /// What it is here.
    pub is: String,
    /// Its earlier value, or the other side's.
    pub was: String,
    /// What to do about it, if known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
    /// The severity of a new finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

/// The name of a difference that is a finding: this, and its id.
pub(crate) const FINDING: &str = "finding ";

impl Difference {
    pub(crate) fn new(
        what: impl Into<String>,
        is: impl Into<String>,
        was: impl Into<String>,
    ) -> Self {
        Self {
            what: what.into(),
            is: is.into(),
            was: was.into(),
            remedy: String::new(),
            severity: None,
        }
    }

    /// The id of the finding that is new or gone, if it is one.
    #[must_use]
    pub fn finding(&self) -> Option<&str> {
        self.what.strip_prefix(FINDING)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, is, was, .. } = self;
        match (is.as_str(), was.as_str()) {
            (_, NOTHING) if let Some(id) = self.finding() => write!(f, "{is} ({id})"),
            (NOTHING, _) if let Some(id) = self.finding() => write!(f, "no longer: {id}"),
            (NOT_READ, READ) => write!(f, "the firmware no longer reads {what}"),
            (READ, NOT_READ) => write!(f, "the firmware reads {what} now"),
            (_, AS_GIVEN) => write!(f, "{what}: {is}"),
            _ => write!(f, "{what}: {is}, was {was}"),
        }
    }
}

/// The differences between two cells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differences {
    /// In their behavior when booted.
    pub boot: Vec<Difference>,
    /// In the discs' content that booting depends on; for two tools, in all their content.
    pub structure: Vec<Difference>,
    /// In content that booting does not depend on, such as addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noted: Vec<Difference>,
}

impl Differences {
    /// Whether there are none that matter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.boot.is_empty() && self.structure.is_empty()
    }

    /// All of them, behavior first.
    pub fn all(&self) -> impl Iterator<Item = &Difference> {
        self.boot.iter().chain(&self.structure)
    }
}

pub(crate) const AS_GIVEN: &str = "as the tool was given it";
