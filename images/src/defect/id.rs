//! The findings that can be put on a disc, by their ids.

use std::{fmt, str::FromStr};

use crate::finding::{FindingId, UnknownFinding};

/// A finding that the reference master can put on a disc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Defect(FindingId);

impl Defect {
    /// Every defect.
    pub fn all() -> impl Iterator<Item = Self> {
        FindingId::ALL.iter().copied().filter_map(Self::of)
    }

    /// Every defect, as a word.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::all().map(Self::as_str)
    }

    /// The defect that a reader reports as this finding; `None` where the reference master cannot make it.
    #[must_use]
    pub fn of(id: FindingId) -> Option<Self> {
        id.room().defect.is_some().then_some(Self(id))
    }

    /// The finding under which a reader reports it.
    #[must_use]
    pub const fn id(self) -> FindingId {
        self.0
    }

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0.as_str()
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Defect {
    type Err = UnknownFinding;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = text.parse()?;
        Self::of(id).ok_or_else(|| UnknownFinding::new(text))
    }
}
