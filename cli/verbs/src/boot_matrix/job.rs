//! What is to be run, and how that is told.

use std::io::{self, IsTerminal};

use scenarios::{cell::Cell, results::Results, run::Run};

use super::folder::Held;

/// What to run.
pub(super) struct Job<'a> {
    /// The run, whose file is in its folder.
    pub(super) run: &'a Run,
    /// What holds that folder, for all that is started.
    pub(super) held: &'a Held,
    /// Who tells how it goes.
    pub(super) told: Told,
    /// The cells, in the order in which they begin.
    pub(super) cells: &'a [Cell],
    /// How many run at once; nothing: as many as the host bears.
    pub(super) at_once: Option<usize>,
    /// What an earlier run in the same folder came to.
    pub(super) earlier: Option<&'a Results>,
}

/// How a run is told while it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// A line for each cell.
    Plainly,
    /// A bar, to somebody who watches.
    Live,
    /// Not at all.
    Not,
}

impl Told {
    /// What suits standard error.
    pub(super) fn by(quiet: bool) -> Self {
        match (quiet, io::stderr().is_terminal()) {
            (true, _) => Self::Not,
            (false, true) => Self::Live,
            (false, false) => Self::Plainly,
        }
    }
}
