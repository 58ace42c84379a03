//! The report: everything that is known of a disc.

use std::path::PathBuf;

use harness::diagnosis::Diagnosis;
use images::{
    differ::{Difference, first_difference},
    inspect::{Inspection, Window},
};
use scenarios::results::Results;
use serde::Serialize;

use super::{disc::Disc, fix::Fix};

/// The report for people.
pub(super) const MARKDOWN: &str = "report.md";

/// Everything that is known of a disc: `repro --format json`, and `report.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// What was booted, and how it went.
    #[serde(flatten)]
    pub(crate) results: Results,
    /// The disc.
    pub(crate) disc: PathBuf,
    /// What is on it, and what is wrong with that.
    pub(crate) inspection: Inspection,
    /// Why it does what it does.
    pub(crate) diagnosis: Vec<Diagnosis>,
    /// How it compares with a disc that boots, where one was given.
    pub(crate) compared: Option<Compared>,
    /// What finding out the causes took.
    pub(crate) experiments: Effort,
    /// What was changed in a copy so that it starts, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fix: Option<Fix>,
}

/// What finding out the causes took.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Effort {
    /// How often the disc was booted for it.
    pub(crate) boots: usize,
    /// How long it took, in milliseconds.
    pub(crate) ms: u64,
}

/// A comparison with a disc that boots.
#[derive(Debug, Serialize)]
pub(crate) struct Compared {
    /// That disc.
    pub(crate) with: PathBuf,
    /// The first structure that differs; nothing where none does that firmware reads.
    pub(crate) difference: Option<Difference>,
}

impl Compared {
    pub(super) fn new(good: &Disc, disc: &Disc) -> Self {
        let (mut there, mut here) = (Window::new(&*good.file), Window::new(&*disc.file));
        Self {
            with: good.path.clone(),
            difference: first_difference(good.side(&mut there), disc.side(&mut here)),
        }
    }

    /// In a sentence.
    pub(crate) fn sentence(&self) -> String {
        let with = self.with.display();
        match &self.difference {
            None => format!("Nothing that firmware reads differs from {with}."),
            Some(difference) => format!("The first difference from {with}: {difference}."),
        }
    }
}
