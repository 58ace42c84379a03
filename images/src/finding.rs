//! Findings: what a reader reports of what it meets on a disc. What there is to find stands in the rooms of `findings`.

use std::fmt;

use serde::{Deserialize, Serialize};

pub use crate::findings::{
    Example, FilledRecipe, FindingId, Recipe, UnknownFinding, When, examples,
};
use crate::{
    change::{Change, Edits},
    inspect::Window,
    units::Lba,
};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// By design, and worth knowing.
    Info,
    /// It boots, but breaks the specification or fails elsewhere.
    Warning,
    /// A firmware that the entry addresses fails to boot it, or the disc is not what was mastered. A healthy disc
    /// has none.
    Error,
}

impl Severity {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where the guilty bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Their offset from the start of the disc, in bytes.
    pub offset: u64,
}

impl Place {
    /// The first byte of a block.
    #[must_use]
    pub const fn block(lba: Lba) -> Self {
        Self {
            offset: lba.byte_offset(),
        }
    }

    /// A byte within a block or behind it.
    #[must_use]
    pub const fn within(lba: Lba, byte: u64) -> Self {
        Self {
            offset: lba.byte_offset().saturating_add(byte),
        }
    }
}

/// Something that is wrong with a disc, or worth knowing of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is.
    pub id: FindingId,
    /// How bad it is here.
    pub severity: Severity,
    /// The block that holds the guilty bytes.
    pub lba: Lba,
    /// Their absolute offset in bytes.
    pub offset: u64,
    /// A sentence with the figures that were found and those that should have been.
    pub message: String,
    /// Who trips over it.
    pub trips: Vec<String>,
    /// How to mend it.
    pub fix: String,
    /// What has to be written so that it is gone; empty where this disc does not hold what is needed for that.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// The same, to be written.
    #[serde(skip)]
    edits: Edits,
    /// How the disc is mastered without it: the recipes that fit this disc, those of the tools that made it first.
    #[serde(default)]
    pub recipes: Vec<FilledRecipe>,
}

impl Finding {
    /// A finding as bad as its id can be.
    #[must_use]
    pub fn new(id: FindingId, place: Place, message: String) -> Self {
        Self {
            id,
            severity: id.severity(),
            lba: Lba::of_offset(place.offset),
            offset: place.offset,
            message,
            trips: id.trips().iter().map(|&who| who.to_owned()).collect(),
            fix: id.remedy().to_owned(),
            changes: Vec::new(),
            edits: Edits::default(),
            recipes: Vec::new(),
        }
    }

    /// The same, mended by writing these bytes at an offset of the disc.
    #[must_use]
    pub(crate) fn fixed_by(mut self, offset: u64, bytes: &[u8]) -> Self {
        self.edits.write(offset, bytes);
        self
    }

    /// The same, with another remedy than its room's.
    pub(crate) fn with_fix(mut self, fix: &str) -> Self {
        fix.clone_into(&mut self.fix);
        self
    }

    /// The same, mended by several pieces; by nothing where there are none.
    pub(crate) fn fixed_by_all<B: AsRef<[u8]>>(
        self,
        writes: impl IntoIterator<Item = (u64, B)>,
    ) -> Self {
        let writes = writes.into_iter();
        writes.fold(self, |finding, (offset, bytes)| {
            finding.fixed_by(offset, bytes.as_ref())
        })
    }

    /// Keeps what has to be written of what a fix names, and tells it.
    pub(crate) fn compare_with(&mut self, disc: &mut Window<'_>) {
        (self.edits, self.changes) = self.edits.against(disc);
    }

    /// Whether something can be written that mends it.
    #[must_use]
    pub fn is_fixable(&self) -> bool {
        !self.edits.is_empty()
    }

    /// What mends it.
    #[must_use]
    pub const fn edits(&self) -> &Edits {
        &self.edits
    }

    /// Whether something ought to be done about it: nobody fixes what is by design.
    #[must_use]
    pub fn is_to_fix(&self) -> bool {
        self.severity > Severity::Info
    }

    /// Whether it describes what the disc is made for, and no fault of it.
    #[must_use]
    pub fn is_description(&self) -> bool {
        self.id.describes() && self.severity == Severity::Info
    }

    /// The same where it does less harm here.
    #[must_use]
    pub fn milder(mut self) -> Self {
        self.severity = self.id.milder().unwrap_or(self.severity);
        self
    }

    /// The same as a warning: what this is of boots here.
    #[must_use]
    pub(crate) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// The same, only worth knowing where a condition holds.
    #[must_use]
    pub(crate) fn info_if(self, is_harmless: bool) -> Self {
        if is_harmless { self.as_info() } else { self }
    }

    /// The same as information only: no firmware is affected, and nothing needs a fix.
    #[must_use]
    pub fn as_info(mut self) -> Self {
        self.severity = Severity::Info;
        self.trips.clear();
        self.edits = Edits::default();
        "No fix is needed.".clone_into(&mut self.fix);
        self
    }
}
