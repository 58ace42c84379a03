//! Runs the cells, and tells how it goes.

use std::{path::Path, process::ExitCode};

use anyhow::Context;
use scenarios::{
    id::CellId,
    run::Run,
    runner::{
        environment::Environment,
        pool::{self, Pool},
        trial,
    },
};

use super::{job::Job, progress::Watch};
use crate::{options::Cell as OneCell, place, signals::Signals, stop::Stop};

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
