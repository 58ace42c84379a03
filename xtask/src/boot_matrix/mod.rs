//! The main job: master, boot, judge, report.

mod against;
pub(crate) mod archive;
pub(crate) mod builds;
pub(crate) mod cells;
pub(crate) mod checkpoints;
mod choice;
mod comparison;
mod estimate;
pub(crate) mod flips;
pub(crate) mod folder;
mod github;
mod insta;
pub(crate) mod junit;
mod live;
mod problems;
mod progress;
mod resume;
mod review;
mod table;

use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Instant, SystemTime},
};

use anyhow::Context;
use harness::firmware::Firmware;
use scenarios::{
    baseline,
    basis::{self, Basis, Sources},
    cell::Cell,
    exchange, files,
    id::ABSENT,
    master::Masters,
    record,
    results::{FirmwareTool, MasterTool, QemuTool, Results, Tools, Totals},
    run::{self, Declared, Run},
    runner::order,
    terms::{Accepted, Starts},
    toolbox::Toolbox,
};
use serde_json::json;

use self::{
    cells::{Job, Told},
    choice::Choice,
    insta::Update,
    table::{Detail, Telling},
};
use crate::{
    cli::{self, BootMatrix, Rerun, RunFormat},
    place::{self, absolute, target},
    report, setup,
    signals::Signals,
    stop::Stop,
    terminal,
};

/// What this program is made of.
const PROGRAM: &str = env!("BOOT_MATRIX_PROGRAM");

/// Runs the verb.
pub(crate) fn run(options: &BootMatrix) -> anyhow::Result<ExitCode> {
    if let Some(file) = &options.archive {
        return archive::make(file);
    }
    let choice = choice::choose(options)?;
    review::check(options, &choice)?;
    if options.review || (options.accept && choice.accepted == Accepted::Snapshots) {
        insta::check()?;
    }
    if let Some(folder) = &options.export {
        return export(options, &choice.cells, folder);
    }
    if options.list {
        let cells = match options.rerun {
            None => choice.cells,
            Some(Rerun::Failed) => choice::failed(choice.cells, &out_folder(options))?,
        };
        return match list(&cells, options.format) {
            // Whoever reads the list has read enough.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(error).context("cannot write the list")
            }
            _ => Ok(ExitCode::SUCCESS),
        };
    }
    let results = boot_cells(options, choice)?;
    if options.format == RunFormat::Json {
        let mut stdout = io::stdout().lock();
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
        let what = format!("{} is there already", file.display());
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
    let mut out = io::stdout().lock();
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
pub(crate) fn boot(options: &BootMatrix) -> anyhow::Result<Results> {
    boot_cells(options, choice::choose(options)?)
}

/// Says in GitHub's way why there are no results.
pub(crate) fn annotate(error: &str) {
    // The error itself is told besides, on standard error.
    drop(writeln!(io::stdout(), "{}", github::stopped(error)));
}

/// Prints results for people, that are in a folder and of several runs.
pub(crate) fn tell(results: &Results, out: &Path) -> io::Result<()> {
    let telling = Telling {
        out,
        took: None,
        detail: Detail::Normal,
        accept: None,
    };
    table::print(&mut terminal::stdout(), results, &telling)
}

/// The totals, in a sentence.
pub(crate) fn sentence(totals: &Totals) -> String {
    table::sentence(totals)
}

fn boot_cells(options: &BootMatrix, choice: Choice) -> anyhow::Result<Results> {
    let (out, held) = folder::hold(&out_folder(options))?;
    let earlier = Results::read(&out).ok();
    let cells = match options.rerun {
        None => choice.cells,
        Some(Rerun::Failed) => choice::failed(choice.cells, &out)?,
    };
    if let Accepted::Baseline(folder) = &choice.accepted {
        check_baseline(folder, options, &cells)?;
    }
    let mut toolbox = provide(options, &choice.matrix.masters, &cells)?;
    let on_builds = !choice.builds.is_empty();
    toolbox.firmware.extend(choice.builds);
    setup::some_have_a_machine(&choice.whole, &toolbox)?;
    let began = Instant::now();
    let signals = Signals::catch()?;
    // What all builds do is no snapshot.
    let accept = options.accept && !on_builds;
    let basis = Basis::of(&Sources {
        whole: &choice.whole,
        cells: &cells,
        described: &choice.masters,
        masters: &choice.matrix.masters,
        toolbox: &toolbox,
        accepted: &choice.accepted,
        accept,
        starts: options.starts(),
        program: PROGRAM,
    });
    let now = SystemTime::now();
    let mut run = Run {
        folders: choice.folders,
        masters: choice.masters,
        scenarios: Declared::all(&choice.matrix),
        cells: out.join(run::LIST),
        out: out.clone(),
        toolbox: Some(toolbox.clone()),
        accepted: choice.accepted,
        accept,
        began: now,
        went_on: now,
        words: words(cli::typed()),
        partition: choice.partition,
        basis: Some(basis),
        listed_sha256: basis::ids_sha256(cells.iter().map(|cell| cell.id.as_str())),
        against: options.against.clone(),
        reruns: options.rerun.is_some(),
        starts: options.starts(),
        checkpoints: place::checkpoints(),
        live: place::live(),
    };
    let left = match &choice.stopped {
        None => {
            run.write_lists(&choice.whole, &cells)?;
            cells.clone()
        }
        Some(stopped) => {
            stopped.check(&run)?;
            run.began = stopped.run.began;
            run.words.clone_from(&stopped.run.words);
            run.cells = out.join(run::LEFT);
            resume::left(stopped, &cells)
        }
    };
    files::sweep(&out)?;
    run.write(&left)?;
    live::fetch(&left);
    if options.starts() != Starts::Cold {
        let needs = options.starts() == Starts::Both;
        checkpoints::prepare(
            checkpoints::machines_of(&left, &toolbox),
            &place::checkpoints(),
            needs,
            signals,
        )?;
    }
    let job = Job {
        run: &run,
        held: &held,
        told: Told::by(options.quiet),
        cells: &order::slow_first(&left, earlier.as_ref()),
        at_once: options.jobs,
        earlier: earlier.as_ref(),
    };
    cells::run(&job, signals)?;
    let why_missing = signals.caught().then_some("the run was interrupted");
    let records = record::gather(&out, run.name(), &cells, why_missing);
    let mut results = Results::new(
        toolbox.accelerator.accelerator.to_string(),
        tools(&toolbox, &cells),
        records,
    );
    results.partition = run.partition;
    results.basis.clone_from(&run.basis);
    if let (Some(Rerun::Failed), Some(earlier)) = (options.rerun, earlier) {
        results = results.over(earlier);
    }
    results.began_ms = Some(run.name());
    results.comparison = choice
        .against
        .map(|against| against.compare(&results, &out));
    results.write(&out)?;
    if options.firmware_grid && options.accept {
        builds::accept(&results, &choice.matrix)?;
    }
    junit::write(&results, &out)?;
    if run.accept && run.accepted == Accepted::Snapshots {
        insta::update(&run, &cells, Update::Accept, signals)?;
    }
    let telling = Telling {
        out: &out,
        took: Some(began.elapsed()),
        detail: Detail::of(options),
        accept: review::option(&run.accepted, &cells).filter(|_| !on_builds),
    };
    present(options.format, &results, &cells, &telling)?;
    if options.review && !signals.caught() {
        insta::update(&run, &cells, Update::Review, signals)?;
        review::open(&results, &cells, &out, signals)?;
    }
    Ok(results)
}

/// Of what is typed behind the verb, the words that choose cells and how they are judged: not those of one run alone.
fn words(typed: Vec<String>) -> Vec<String> {
    let mut words = Vec::new();
    let mut typed = typed.into_iter();
    // Other verbs run cells, too.
    if typed.next().is_none_or(|verb| verb != "boot-matrix") {
        return words;
    }
    while let Some(word) = typed.next() {
        let (option, value) = match word.split_once('=') {
            Some((option, _)) => (option, true),
            None => (word.as_str(), false),
        };
        match option {
            "--resume" | "--review" | "--list" | "--quiet" | "-q" | "--verbose" | "-v" => {}
            "--out" | "--partition" | "--format" | "--jobs" if value => {}
            "--out" | "--partition" | "--format" | "--jobs" => drop(typed.next()),
            _ => words.push(word),
        }
    }
    words
}

/// The tools that some cells need, installed where they may be.
fn provide(options: &BootMatrix, masters: &Masters, cells: &[Cell]) -> anyhow::Result<Toolbox> {
    // Whoever types a command means it.
    let named = options
        .master_cmd
        .as_ref()
        .map(|_| choice::COMMAND.to_owned());
    let require: Vec<String> = options.require.iter().cloned().chain(named).collect();
    setup::provide_for_cells(cells, masters, &require, &options.tooling)
}

/// Makes the page, and tells what came out.
fn present(
    format: RunFormat,
    results: &Results,
    cells: &[Cell],
    telling: &Telling<'_>,
) -> Result<(), Stop> {
    let out = telling.out;
    // The results stand without the page.
    let page = report::make(out)
        .map_err(|error| remark!("no {}: {error:#}", scenarios::report::FILE))
        .ok();
    match format {
        RunFormat::Json => Ok(()),
        RunFormat::Text => table::print(&mut terminal::stdout(), results, telling),
        RunFormat::Github => github::print(results, cells, out),
    }
    .map_err(|error| {
        let results = place::shown(&Results::file(out)).display().to_string();
        let what = format!("cannot write what came out: {error}");
        Stop::host(what, format!("{results}, which is whole"))
    })?;
    if let Some(page) = page {
        remark!("report: {}", page.display());
    }
    Ok(())
}

/// A baseline that cannot be compared with is told before minutes of work.
fn check_baseline(folder: &Path, options: &BootMatrix, cells: &[Cell]) -> Result<(), Stop> {
    let accept = options.accept;
    let remedy = "a folder that --accept has written; a damaged file can be removed, and --accept writes it anew";
    let ids = cells.iter().map(|cell| &cell.id);
    let found = baseline::check(folder, accept, ids).map_err(|error| Stop::usage(error, remedy))?;
    if found == 0 && !accept {
        let what = format!("{} has a baseline of none of these cells", folder.display());
        return Err(Stop::usage(what, "--accept, which writes one"));
    }
    if accept || options.is_narrowed() {
        return Ok(());
    }
    // A gate that loses cells must not pass.
    let orphans = baseline::orphans(folder, cells.iter().map(|cell| &cell.id))
        .map_err(|error| Stop::usage(error, remedy))?;
    match orphans.first() {
        None => Ok(()),
        Some(first) => Err(Stop::usage(
            format!(
                "{} has {} that are of no cell chosen now, {} among them",
                folder.display(),
                match orphans.len() {
                    1 => "1 file".to_owned(),
                    several => format!("{several} files"),
                },
                first.display()
            ),
            "choose their cells too; or remove the files, if the cells are meant to be gone",
        )),
    }
}

/// What these cells are booted with.
pub(crate) fn tools(toolbox: &Toolbox, cells: &[Cell]) -> Tools {
    let used = |firmware: &&Firmware| {
        let name = firmware.name();
        cells.iter().any(|cell| cell.firmware_name() == name)
    };
    let firmware = toolbox
        .firmware
        .iter()
        .filter(used)
        .map(|firmware| FirmwareTool {
            id: firmware.to_string(),
            family: firmware.id.family().to_owned(),
            version: firmware.version.clone(),
            sha256: firmware.sha256.clone(),
        });
    let masters: BTreeSet<String> = cells
        .iter()
        .map(|cell| cell.id.disc().master().to_owned())
        .collect();
    Tools {
        qemu: Some(QemuTool {
            version: toolbox.qemu.version.to_string(),
            path: toolbox.qemu.path.clone(),
        }),
        firmware: firmware.collect(),
        masters: masters
            .into_iter()
            .filter(|id| id != ABSENT)
            .filter_map(|id| {
                let version = match toolbox.masters.get(&id) {
                    // What is part of boot-matrix has its version.
                    None => env!("CARGO_PKG_VERSION").to_owned(),
                    Some(found) => found.as_ref().ok()?.version.clone().unwrap_or_default(),
                };
                Some(MasterTool { id, version })
            })
            .collect(),
    }
}

/// The folder for results, as it is asked for.
fn out_folder(options: &BootMatrix) -> PathBuf {
    let out = options.out.clone();
    absolute(&out.unwrap_or_else(|| target().join("boot-matrix")))
}

fn list(cells: &[Cell], format: RunFormat) -> io::Result<()> {
    let mut out = io::stdout().lock();
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
