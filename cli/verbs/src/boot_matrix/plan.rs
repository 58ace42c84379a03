//! What is to be run, and with what, before anything is.

use std::{collections::BTreeSet, path::Path, time::SystemTime};

use scenarios::{
    accepted::{self, Baselines},
    basis::{self, Basis, Sources},
    cell::{Cell, DiscSource},
    compare, files,
    master::Masters,
    matrix::Matrix,
    record,
    results::Results,
    run::{self, Declared, Run},
    runner::order,
    terms::{Accepted, Starts},
    toolbox::Toolbox,
};

use super::{
    against::Against,
    checkpoints,
    choice::{self, Choice},
    folder::{self, Held, out_folder},
    gate,
    job::{Feedback, Job},
    live, masters, resume, tools,
};
use crate::{
    options::{self, BootMatrix, Rerun},
    place::{self},
    setup,
    signals::Signals,
    stop::Stop,
};

/// The sources of this program.
const PROGRAM: &str = env!("BOOT_MATRIX_PROGRAM");

/// A run that has its folder, its tools and its list of cells.
pub(super) struct Plan {
    /// The run.
    pub(super) run: Run,
    /// Its cells.
    pub(super) cells: Vec<Cell>,
    /// Where they come from.
    pub(super) matrix: Matrix,
    /// Whether they are on builds of firmware that were chosen: what those do is no snapshot.
    pub(super) on_builds: bool,
    toolbox: Toolbox,
    held: Held,
    /// Those that have no result yet, in the order in which they begin.
    left: Vec<Cell>,
    /// What an earlier run in the same folder came to.
    earlier: Option<Results>,
    /// Whether it runs again what failed in that.
    reruns: bool,
    against: Option<Against>,
}

impl Plan {
    /// Takes the folder, finds the tools and writes down what is run, so that a run that is stopped is known again.
    pub(super) fn of(options: &BootMatrix, choice: Choice) -> anyhow::Result<Self> {
        let (out, held) = folder::hold(&out_folder(options)?)?;
        let earlier = Results::read(&out).ok();
        let cells = match options.rerun {
            None => choice.cells,
            Some(Rerun::Failed) => choice::failed(choice.cells, &out)?,
        };
        if let Accepted::Baseline(folder) = &choice.accepted {
            check_baseline(folder, options, &cells)?;
            tell_untried(options, &choice.matrix.masters, &cells);
        }
        let mut toolbox = provide(options, &choice.matrix.masters, &cells)?;
        let on_builds = !choice.builds.is_empty();
        toolbox.firmware.extend(choice.builds);
        setup::some_have_a_machine(&choice.whole, &toolbox)?;
        let accept = options.accepts() && !on_builds;
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
        let stopped = choice.stopped.as_ref();
        let now = SystemTime::now();
        let run = Run {
            folders: choice.folders,
            masters: choice.masters,
            scenarios: Declared::all(&choice.matrix),
            cells: out.join(if stopped.is_some() {
                run::LEFT
            } else {
                run::LIST
            }),
            toolbox: Some(toolbox.clone()),
            accepted: choice.accepted,
            accept,
            strict: options.strict,
            began: stopped.map_or(now, |stopped| stopped.run.began),
            went_on: now,
            words: stopped.map_or_else(
                || words(options::typed()),
                |stopped| stopped.run.words.clone(),
            ),
            partition: choice.partition,
            basis: Some(basis),
            listed_sha256: basis::ids_sha256(cells.iter().map(|cell| cell.id.as_str())),
            against: options.against.clone(),
            reruns: options.rerun.is_some(),
            starts: options.starts(),
            checkpoints: place::checkpoints()?,
            live: place::live()?,
            out,
        };
        let left = match stopped {
            None => {
                run.write_lists(&choice.whole, &cells)?;
                cells.clone()
            }
            Some(stopped) => {
                stopped.check(&run)?;
                resume::left(stopped, &cells)
            }
        };
        files::sweep(&run.out)?;
        run.write(&left)?;
        Ok(Self {
            left: order::slow_first(&left, earlier.as_ref()),
            run,
            cells,
            matrix: choice.matrix,
            on_builds,
            toolbox,
            held,
            earlier,
            reruns: options.rerun.is_some(),
            against: choice.against,
        })
    }

    /// Fetches and makes what many cells share.
    pub(super) fn prepare(&self, signals: &Signals) -> anyhow::Result<()> {
        live::fetch(&self.left)?;
        let starts = self.run.starts;
        if starts == Starts::Cold {
            return Ok(());
        }
        let machines = checkpoints::machines_of(&self.left, &self.toolbox);
        checkpoints::prepare(
            machines,
            &self.run.checkpoints,
            starts == Starts::Both,
            signals,
        )
    }

    /// The cells that have to be run.
    pub(super) fn job(&self, options: &BootMatrix) -> Job<'_> {
        Job {
            run: &self.run,
            held: &self.held,
            feedback: Feedback::for_standard_error(options.quiet),
            cells: &self.left,
            at_once: options.jobs,
            earlier: self.earlier.as_ref(),
        }
    }

    /// What the cells came to: every one of them, whatever it left.
    pub(super) fn gather(&self, signals: &Signals) -> Results {
        let run = &self.run;
        let why_missing = signals.caught().then_some("the run was interrupted");
        let records = record::gather(&run.out, run.name(), &self.cells, why_missing);
        let accelerator = self.toolbox.accelerator.accelerator.to_string();
        let results = Results {
            partition: run.partition,
            basis: run.basis.clone(),
            ..Results::new(
                accelerator,
                tools::used(&self.toolbox, &self.cells),
                records,
            )
        };
        let results = match &self.earlier {
            Some(earlier) if self.reruns => results.over(earlier.clone()),
            _ => results,
        };
        let against = self.against.as_ref();
        let comparison = match against.map(|against| against.compare(&results, &run.out)) {
            None if self.cells.iter().any(edits_an_iso) => {
                Some(compare::with_edit(&results.cells, &run.out))
            }
            comparison => comparison,
        };
        Results {
            began_ms: Some(run.name()),
            comparison,
            ..results
        }
    }
}

/// Whether a cell is of an ISO that somebody names, after an edit: what it must do is what it did before.
fn edits_an_iso(cell: &Cell) -> bool {
    let is_edited = matches!(cell.disc, DiscSource::Edited { .. });
    is_edited && matches!(cell.disc.before(), DiscSource::Iso { .. })
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
        .map(|_| masters::COMMAND.to_owned());
    let require: Vec<String> = options.require.iter().cloned().chain(named).collect();
    setup::provide_for_cells(cells, masters, &require, &options.tooling)
}

/// Says what a tool of the user's own can do, and no cell asks of it.
fn tell_untried(options: &BootMatrix, masters: &Masters, cells: &[Cell]) {
    if options.is_narrowed() || !options.master.iter().any(|word| masters::is_file(word)) {
        return;
    }
    let names: BTreeSet<String> = cells
        .iter()
        .map(|cell| cell.id.disc().master().to_owned())
        .collect();
    for tool in names.iter().filter_map(|name| masters.tool(name)) {
        let untried = gate::untried(tool, cells);
        if !untried.is_empty() {
            remark!(
                "{} describes {}, but no cell has it: it is not tested",
                tool.name,
                untried.join(", ")
            );
        }
    }
}

/// A baseline that cannot be compared with is told before minutes of work.
fn check_baseline(folder: &Path, options: &BootMatrix, cells: &[Cell]) -> Result<(), Stop> {
    let accept = options.accepts();
    let remedy = "use a folder that --accept has written; if a file is damaged, remove it, and write it again with --accept";
    let wrong = |error| Stop::usage(error, remedy);
    let ids = || cells.iter().map(|cell| &cell.id);
    if !accept && !folder.exists() {
        let what = format!(
            "cannot read the baseline {}: the folder does not exist",
            folder.display()
        );
        return Err(Stop::usage(what, "--accept, which writes one"));
    }
    accepted::check_folder(folder, accept).map_err(wrong)?;
    let baselines = Baselines::read(folder, ids()).map_err(wrong)?;
    if !accept && ids().all(|id| baselines.of(id).is_none()) {
        let what = format!(
            "{} has no baseline for any of these cells",
            folder.display()
        );
        return Err(Stop::usage(what, "--accept, which writes one"));
    }
    if accept || options.is_narrowed() {
        return Ok(());
    }
    // A gate that loses cells must not pass.
    let orphans = accepted::orphans(folder, ids()).map_err(wrong)?;
    match orphans.names(folder).first() {
        None => Ok(()),
        Some(first) => Err(Stop::usage(
            format!(
                "{} has {} for cells that are not selected now, such as {first}",
                folder.display(),
                match orphans.count() {
                    1 => "1 entry".to_owned(),
                    several => format!("{several} entries"),
                },
            ),
            "select these cells too, or use --accept --prune to remove them",
        )),
    }
}
