//! A scenario file while it is read.

use std::{fmt, path::Path, sync::Arc};

use harness::toml_file::Location;
use toml::Spanned;

use crate::{master::Masters, read_error::ScenarioError};

/// The file with a scenario.
pub(crate) struct Source<'a> {
    pub(crate) path: &'a Path,
    pub(crate) text: &'a str,
    pub(crate) snapshots: &'a Path,
    pub(crate) masters: &'a Arc<Masters>,
}

/// Reads one scenario of a file.
pub(crate) struct Reader<'a> {
    pub(crate) source: &'a Source<'a>,
    pub(crate) scenario: String,
}

impl Reader<'_> {
    /// The place of something.
    pub(crate) fn at<T>(&self, place: &Spanned<T>) -> Location {
        self.source.at(place)
    }

    /// The scenario's error, and its place.
    pub(crate) fn wrong(&self, at: Location, what: impl fmt::Display) -> ScenarioError {
        ScenarioError {
            at,
            message: format!("in scenario {}, {what}", self.scenario),
        }
    }
}

impl Source<'_> {
    pub(crate) fn at<T>(&self, place: &Spanned<T>) -> Location {
        Location::of(self.path, self.text, Some(place.span()))
    }
}
