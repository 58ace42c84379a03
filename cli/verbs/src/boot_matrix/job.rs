//! The cells to run, and how their progress is shown.

use std::io::{self, IsTerminal};

use scenarios::{cell::Cell, results::Results, run::Run};

use super::folder::Held;

/// The cells to run, and everything that running them needs.
pub(super) struct Job<'a> {
    /// The run; its file is in its folder.
    pub(super) run: &'a Run,
    /// The lock on that folder; every process that is started shares it.
    pub(super) held: &'a Held,
    /// How progress is shown.
    pub(super) feedback: Feedback,
    /// The cells, in the order in which they start.
    pub(super) cells: &'a [Cell],
    /// How many cells run at once; `None`: as many as the host can run.
    pub(super) at_once: Option<usize>,
    /// The results of an earlier run in the same folder.
    pub(super) earlier: Option<&'a Results>,
}

/// How the progress of a run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feedback {
    /// A line for each cell.
    Lines,
    /// A progress bar, for a terminal.
    Bar,
    /// Nothing is shown.
    Silent,
}

impl Feedback {
    /// The style that suits standard error.
    pub(super) fn for_standard_error(quiet: bool) -> Self {
        match (quiet, io::stderr().is_terminal()) {
            (true, _) => Self::Silent,
            (false, true) => Self::Bar,
            (false, false) => Self::Lines,
        }
    }
}
