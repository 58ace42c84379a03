//! In what two cells are not the same.

use std::fmt;

use images::finding::Severity;
use serde::{Deserialize, Serialize};

/// What there is not.
pub(crate) const NOTHING: &str = "none";

pub(crate) const READ: &str = "read";

pub(crate) const NOT_READ: &str = "not read";

/// One thing that is not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What: `sector count of slot 3`.
    pub what: String,
    /// What it is here.
    pub is: String,
    /// What it was, or is on the other side.
    pub was: String,
    /// What to do about it, where that is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
    /// How bad a finding is that is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

/// What a difference is called that is a finding: this, and its id.
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

    /// The id of the finding that is new or gone, where it is one.
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

/// In what two cells are not the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differences {
    /// In what happens when they are booted.
    pub boot: Vec<Difference>,
    /// In what is on the discs and booting depends on; of two tools, in all that is on them.
    pub structure: Vec<Difference>,
    /// In what booting does not depend on, such as the places of things.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noted: Vec<Difference>,
}

impl Differences {
    /// Whether there are none that matter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.boot.is_empty() && self.structure.is_empty()
    }

    /// All of them, what happens first.
    pub fn all(&self) -> impl Iterator<Item = &Difference> {
        self.boot.iter().chain(&self.structure)
    }
}

pub(crate) const AS_GIVEN: &str = "as the tool was given it";
