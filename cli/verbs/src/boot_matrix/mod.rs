//! The main job: master, boot, judge, report.

mod accept;
mod again;
mod against;
pub(crate) mod builds;
pub(crate) mod cells;
pub(crate) mod checkpoints;
mod choice;
mod comparison;
mod estimate;
pub(crate) mod flips;
pub(crate) mod folder;
mod gate;
mod github;
mod insta;
mod job;
pub(crate) mod junit;
mod live;
mod masters;
mod output;
mod plan;
mod problems;
mod progress;
mod resume;
mod review;
pub(crate) mod sarif;
mod table;
pub(crate) mod tools;
mod twice;

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
    time::Instant,
};

use anyhow::Context;
use scenarios::{cell::Cell, exchange, results::Results, terms::Accepted};
use serde_json::json;

pub use self::output::sentence;
use self::{
    choice::Choice,
    folder::out_folder,
    insta::Update,
    output::{Detail, Output},
    plan::Plan,
};
use crate::{
    options::{BootMatrix, Rerun, RunFormat},
    place::{self},
    report,
    signals::Signals,
    stop::Stop,
    terminal,
};

/// Runs the verb.
pub(crate) fn run(options: &BootMatrix) -> anyhow::Result<ExitCode> {
    let choice = choice::choose(options)?;
    review::check(options, &choice)?;
    if options.review || (options.accept && choice.accepted == Accepted::Snapshots) {
        insta::check()?;
    }
    if options.twice {
        return twice::run(options, &choice);
    }
    if let Some(folder) = &options.export {
        return export(options, &choice.cells, folder);
    }
    if options.list {
        let cells = match options.rerun {
            None => choice.cells,
            Some(Rerun::Failed) => choice::failed(choice.cells, &out_folder(options)?)?,
        };
        list(&cells, options.format).context("cannot write the list")?;
        return Ok(ExitCode::SUCCESS);
    }
    let results = boot_cells(options, choice)?;
    if options.format == RunFormat::Json {
        let mut stdout = terminal::answer();
        serde_json::to_writer_pretty(&mut stdout, &results)?;
        writeln!(stdout).context("cannot write the results")?;
    }
    Ok(ExitCode::from(results.exit_code()))
}

/// Writes an exchange folder.
fn export(options: &BootMatrix, cells: &[Cell], folder: &Path) -> anyhow::Result<ExitCode> {
    let file = exchange::plan_file(folder);
    if file.exists() {
        // What came back for another plan must not be taken for this one's.
        let what = format!("{} already exists", file.display());
        return Err(Stop::usage(
            what,
            "another folder with --export, or remove this one first",
        )
        .into());
    }
    let plan = exchange::export(folder, &options.export_as.0, cells).map_err(|error| {
        Stop::host(
            error,
            "free some space there, or choose another folder with --export",
        )
    })?;
    let mut out = terminal::answer();
    match options.format {
        RunFormat::Json => serde_json::to_writer_pretty(&mut out, &plan)?,
        RunFormat::Text | RunFormat::Github => write!(
            out,
            "{}: {} discs for {} cells\nmaster each into the file that it names; then: cargo xtask boot-matrix --import {}",
            file.display(),
            plan.discs.len(),
            cells.len(),
            folder.display()
        )?,
    }
    writeln!(out).context("cannot write")?;
    Ok(ExitCode::SUCCESS)
}

/// Runs cells as the verb does, and leaves its exit code to the caller. For people, the table is printed.
pub fn boot(options: &BootMatrix) -> anyhow::Result<Results> {
    boot_cells(options, choice::choose(options)?)
}

/// Says in GitHub's way why there are no results, and on the page of the job.
pub(crate) fn annotate(error: &str) {
    // The error itself is told besides, on standard error.
    drop(writeln!(terminal::answer(), "{}", github::stopped(error)));
    drop(github::summarize(&github::not_run(error)));
}

/// Prints results for people, that are in a folder and of several runs.
pub(crate) fn tell(results: &Results, out: &Path) -> io::Result<()> {
    let output = Output {
        out,
        took: None,
        detail: Detail::Normal,
        accept: None,
    };
    table::print(&mut terminal::stdout(), results, &output)
}

/// A run, from the cells that were chosen to the results that are left: planned, booted, gathered, left, told.
fn boot_cells(options: &BootMatrix, choice: Choice) -> anyhow::Result<Results> {
    let plan = Plan::of(options, choice)?;
    let began = Instant::now();
    let signals = Signals::catch()?;
    plan.prepare(signals)?;
    cells::run(&plan.job(options), signals)?;
    let results = plan.gather(signals);
    leave(options, &plan, &results, signals)?;
    let output = Output {
        out: &plan.run.out,
        took: Some(began.elapsed()),
        detail: Detail::of(options),
        accept: review::option(&plan.run.accepted, &plan.cells).filter(|_| !plan.on_builds),
    };
    present(options.format, &results, &plan.cells, &output)?;
    if options.review && !signals.caught() {
        insta::update(&plan.run, &plan.cells, Update::Review, signals)?;
        review::open(&results, &plan.cells, &plan.run.out, signals)?;
    }
    Ok(results)
}

/// Leaves what others read, and what was accepted.
fn leave(
    options: &BootMatrix,
    plan: &Plan,
    results: &Results,
    signals: &Signals,
) -> anyhow::Result<()> {
    let run = &plan.run;
    results.write(&run.out)?;
    if options.firmware_grid && options.accept {
        builds::accept(results, &plan.matrix)?;
    }
    junit::write(results, &run.out)?;
    let declared = github::declared(&plan.cells, &results.tools.firmware);
    sarif::write(results, &declared, &run.out)?;
    match &run.accepted {
        Accepted::Snapshots if run.accept => {
            insta::update(run, &plan.cells, Update::Accept, signals)
        }
        // What was stopped halfway is not taken for the whole.
        Accepted::Baseline(folder) if run.accept && !signals.caught() => {
            accept::take(options, folder, results, &plan.cells)
        }
        _ => Ok(()),
    }
}

/// Makes the page, and tells what came out.
fn present(
    format: RunFormat,
    results: &Results,
    cells: &[Cell],
    output: &Output<'_>,
) -> Result<(), Stop> {
    let out = output.out;
    // The results stand without the page.
    let page = report::make(out)
        .map_err(|error| remark!("no {}: {error:#}", scenarios::report::FILE))
        .ok();
    match format {
        RunFormat::Json => Ok(()),
        RunFormat::Text => table::print(&mut terminal::stdout(), results, output),
        RunFormat::Github => github::print(results, cells, out),
    }
    .map_err(|error| {
        let results = place::shown(&Results::file(out)).display().to_string();
        let what = format!("cannot write the results: {error}");
        Stop::host(what, format!("{results}, which is whole"))
    })?;
    if let Some(page) = page {
        remark!("report: {}", page.display());
    }
    Ok(())
}

fn list(cells: &[Cell], format: RunFormat) -> io::Result<()> {
    let mut out = terminal::answer();
    match format {
        RunFormat::Text | RunFormat::Github => cells
            .iter()
            .try_for_each(|cell| writeln!(out, "{}", cell.id)),
        RunFormat::Json => writeln!(
            out,
            "{}",
            json!({ "schema": "list/1", "cells": cells.iter().map(|cell| &cell.id).collect::<Vec<_>>() })
        ),
    }
}
