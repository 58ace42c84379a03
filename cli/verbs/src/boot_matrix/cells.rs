//! Runs the cells, and tells how it goes.

use std::{
    io::{self, IsTerminal},
    path::Path,
    process::ExitCode,
};

use anyhow::Context;
use scenarios::{
    cell::Cell,
    id::CellId,
    results::Results,
    run::Run,
    runner::{
        environment::Environment,
        pool::{self, Pool},
        trial,
    },
};

use super::{folder::Held, progress::Watch};
use crate::{options::Cell as OneCell, place, signals::Signals, stop::Stop};

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

/// Runs the cells to their end, or until a signal comes.
pub(super) fn run(job: &Job<'_>, signals: &Signals) -> anyhow::Result<()> {
    let _inherited = job.held.inherited().context("cannot hold the folder")?;
    let at_once = job.at_once.unwrap_or_else(|| pool::at_once(job.cells));
    let pool = Pool {
        run: job.run,
        program: (Path::new(place::THIS_PROGRAM), &["cell"]),
        at_once,
        stop: signals.bell(),
    };
    let watch = Watch::new(job, at_once);
    let done = pool.run(job.cells, |cell, event| watch.see(cell, event));
    watch.finish();
    done.map_err(|error| {
        let what = format!("the cells cannot be run: {error}");
        Stop::host(what, "the same command with --resume, once that is fixed").into()
    })
}

/// Runs one cell of a run, as its child.
pub(crate) fn one(options: &OneCell) -> anyhow::Result<ExitCode> {
    crate::signals::unblock()?;
    let id: CellId = options.id.parse()?;
    let environment = Environment::of(Run::read(&options.run)?)?;
    let cell = environment.cell(&id).map_err(anyhow::Error::msg)?;
    trial::run(&environment, &cell)?;
    Ok(ExitCode::SUCCESS)
}
