//! Errors in the files that define the matrix.

use std::{io, path::PathBuf};

use harness::toml_file::{Location, SyntaxError};

/// Scenarios that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file or folder that cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why. Not the error's source: it would be printed twice with the sources.
        cause: io::Error,
    },
    /// A description of a mastering tool that cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Master {
        /// Which.
        path: PathBuf,
        /// Why. Not the error's source: it would be printed twice with the sources.
        cause: io::Error,
    },
    /// A folder without scenarios.
    #[error("{} contains no scenario file (*.toml)", .0.display())]
    NoFiles(PathBuf),
    /// A file that does not fit the schema.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// An invalid scenario.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
}

/// An invalid scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {message}")]
pub struct ScenarioError {
    /// Where.
    pub at: Location,
    /// The error, and the remedy.
    pub message: String,
}
