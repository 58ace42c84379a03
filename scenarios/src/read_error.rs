//! What is wrong with files that say what the matrix is.

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
        /// Why. Not the error's source: whoever tells sources too would tell it twice.
        cause: io::Error,
    },
    /// A description of a mastering tool that cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Master {
        /// Which.
        path: PathBuf,
        /// Why. Not the error's source: whoever tells sources too would tell it twice.
        cause: io::Error,
    },
    /// A folder without scenarios.
    #[error("{} contains no scenario file (*.toml)", .0.display())]
    NoFiles(PathBuf),
    /// A file that is not as the schema wants it.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// A scenario that has no meaning.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
}

/// A scenario that has no meaning.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {message}")]
pub struct ScenarioError {
    /// Where.
    pub at: Location,
    /// What is wrong, and the remedy.
    pub message: String,
}
