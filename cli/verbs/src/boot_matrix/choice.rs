//! Which cells a run is about: whose scenarios, which tools, and what of them.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use harness::firmware::Firmware;
use scenarios::{
    cell::Cell,
    exchange::{self, Plan},
    filter::Filter,
    id::CellId,
    master::{MasterSource, Masters},
    matrix::{Folder, Matrix},
    record::Verdict,
    results::Results,
    run::Run,
    selection::{Partition, Selection},
    terms::Accepted,
    words::{Master, Set},
};

use super::{
    against::Against,
    builds,
    folder::out_folder,
    masters::{editors, is_file, masters, plan, wanted},
    resume::Stopped,
};
use crate::{
    iso::Existing,
    options::{BootMatrix, Rerun},
    place::{absolute, shipped},
    stop::Stop,
};

/// What a run is about.
pub(super) struct Choice {
    /// Where the scenarios are.
    pub(super) folders: Vec<Folder>,
    /// The descriptions of the mastering tools.
    pub(super) masters: Vec<MasterSource>,
    /// All that they declare.
    pub(super) matrix: Matrix,
    /// The cells that are meant, all slices together.
    pub(super) whole: Vec<Cell>,
    /// Those of them that are of the slice that is meant.
    pub(super) cells: Vec<Cell>,
    /// Which slice that is.
    pub(super) partition: Option<Partition>,
    /// The builds of firmware that they are booted on, where these were chosen.
    pub(super) builds: Vec<Firmware>,
    /// What they are compared with, besides what the scenarios declare.
    pub(super) accepted: Accepted,
    /// With whose cells they are compared besides.
    pub(super) against: Option<Against>,
    /// The run that is gone on with.
    pub(super) stopped: Option<Stopped>,
}

/// What the options mean.
pub(super) fn choose(options: &BootMatrix) -> anyhow::Result<Choice> {
    let out = out_folder(options)?;
    let stopped = options.resume.then(|| Stopped::read(&out)).transpose()?;
    let last = match &stopped {
        Some(stopped) => Some(stopped.run.clone()),
        // What failed is found only where it was, with what it was mastered by, and judged as it was then.
        None => options.rerun.and_then(|_| Run::read(&Run::file(&out)).ok()),
    };
    let last = last.as_ref();
    let unreadable = |error| Stop::scenarios(&error);
    let folders = match &options.iso {
        Some(_) => Vec::new(),
        None => folders(options, last)?,
    };
    let sources = masters(options, &folders, last)?;
    let masters = Arc::new(Masters::read(&sources).map_err(unreadable)?);
    let folders = match &options.iso {
        Some(iso) => {
            let existing = Existing {
                iso,
                scenario: "iso",
                firmware: &options.firmware,
                attach: &options.attach,
                medium_profile: None,
                expect: options.expect.as_deref(),
                editors: &editors(options, &masters)?,
                dialog: options.dialog.as_deref(),
                secure_boot: false,
            };
            vec![existing.declare(&out)?]
        }
        None => folders,
    };
    let matrix = Matrix::read(&folders, &masters).map_err(unreadable)?;
    let against = Against::read(options, &matrix.masters)?;
    let accepted = accepted(options, against.as_ref(), last)?;
    let builds = builds::chosen(options, stopped.as_ref().is_some_and(Stopped::is_on_builds))?;
    let whole = match &stopped {
        Some(stopped) if !options.chooses() => stopped.whole(&matrix)?,
        _ => select(options, &matrix, against.as_ref(), &builds)?,
    };
    let partition = match &stopped {
        Some(stopped) => stopped.partition(options)?,
        None => options.partition,
    };
    let cells = match partition {
        None => whole.clone(),
        Some(partition) => slice(&whole, partition)?,
    };
    Ok(Choice {
        builds,
        accepted,
        against,
        folders,
        masters: sources,
        matrix,
        whole,
        cells,
        partition,
        stopped,
    })
}

/// One slice of the cells.
fn slice(whole: &[Cell], partition: Partition) -> Result<Vec<Cell>, Stop> {
    let cells = partition.of(whole);
    if cells.is_empty() {
        let number = whole.len();
        let what = format!("{partition} has no cell: only {number} are selected");
        return Err(Stop::usage(
            what,
            format!("--partition with at most {number} slices"),
        ));
    }
    Ok(cells)
}

fn folders(options: &BootMatrix, last: Option<&Run>) -> anyhow::Result<Vec<Folder>> {
    if options.gate {
        return Ok(vec![Folder::shipped_gate(shipped()?)]);
    }
    Ok(match (&options.scenarios[..], last) {
        ([], None) => vec![Folder::shipped(shipped()?)],
        ([], Some(last)) => last.folders.clone(),
        (own, _) => own
            .iter()
            .map(|folder| Folder::own(absolute(folder)))
            .collect(),
    })
}

/// What cells are compared with, in addition to the scenarios' declarations.
fn accepted(
    options: &BootMatrix,
    against: Option<&Against>,
    last: Option<&Run>,
) -> Result<Accepted, Stop> {
    if let Some(folder) = &options.baseline {
        return Ok(Accepted::Baseline(absolute(folder)));
    }
    if options.accepts() && options.firmware.iter().any(|name| name.build.is_some()) {
        let what = "--accept accepts results of the host's own firmware, but --firmware names another build";
        return Err(Stop::usage(what, "--firmware without @VERSION"));
    }
    // What is run again completes what was run: whether that was all of it is seen then.
    let is_whole = options.scenarios.is_empty()
        && options.iso.is_none()
        && (options.rerun.is_some() || !options.is_narrowed());
    if options.accept && options.firmware_grid && !is_whole {
        let what = "--accept with --firmware-grid accepts the results of all cells, but only some are selected";
        return Err(Stop::usage(
            what,
            "--firmware-grid --accept without filters; --set all for every set",
        ));
    }
    let foreign = options.master_cmd.is_some()
        || options.import.is_some()
        || options.master.iter().any(|word| is_file(word))
        || options.editor.iter().any(|word| is_file(word));
    if options.accepts() && (against.is_some() || options.iso.is_some() || foreign) {
        let what = "--accept cannot write the results: there are no snapshots for --against, --iso, --import, --master-cmd or a tool's own file";
        return Err(Stop::usage(what, "--baseline DIR --accept"));
    }
    if against.is_some() || options.iso.is_some() {
        return Ok(Accepted::Nothing);
    }
    Ok(last.map_or_else(Accepted::default, |last| last.accepted.clone()))
}

fn select(
    options: &BootMatrix,
    matrix: &Matrix,
    against: Option<&Against>,
    builds: &[Firmware],
) -> anyhow::Result<Vec<Cell>> {
    let mut master = wanted(options, &matrix.masters)?;
    if let Some(Against::Master(other)) = against {
        if master.iter().any(|master| master == other) {
            let what = format!("--against {other} would compare {other} with itself");
            return Err(Stop::usage(what, "--master with another tool").into());
        }
        // Without --master, every tool is compared with that one.
        if !master.is_empty() {
            master.push(other.clone());
        }
    }
    let names_tools = !master.is_empty() || matches!(against, Some(Against::Master(_)));
    let compares = |cell: &Cell| {
        let name = cell.id.disc().master().to_owned();
        cell.set == Set::Masters
            && (master.is_empty() || master.iter().any(|wanted| wanted.as_str() == name))
    };
    let own_scenarios = !options.scenarios.is_empty();
    let sets = match (&options.set, options.rerun) {
        (Some(sets), _) => sets.0.clone(),
        (None, Some(Rerun::Failed)) => Vec::new(),
        (None, None) if options.iso.is_some() => Vec::new(),
        (None, None) if !options.editor.is_empty() && own_scenarios => Vec::new(),
        (None, None) if !options.editor.is_empty() => vec![Set::Editors],
        // Whoever names tools wants to compare them.
        (None, None) if names_tools && own_scenarios => Vec::new(),
        (None, None)
            if names_tools
                && master != [Master::default()]
                && matrix.cells().any(|cell| compares(&cell)) =>
        {
            vec![Set::Masters]
        }
        (None, None) => vec![Set::Default],
    };
    let selection = Selection {
        sets,
        filters: options.filters.iter().map(Filter::new).collect(),
        firmware: options.firmware.iter().map(|name| name.id).collect(),
        attach: options.attach.clone(),
        master,
        editor: match &options.iso {
            // It is booted before the edit too.
            Some(_) => Vec::new(),
            None => editors(options, &matrix.masters)?,
        },
    };
    let cells = selection.apply(matrix).map_err(|error| {
        let remedy = "cargo xtask boot-matrix --list with fewer filters, which prints the cells";
        Stop::usage(error, remedy)
    })?;
    let cells = match &options.import {
        Some(folder) => of_plan(cells, &plan(folder)?, folder)?,
        None => cells,
    };
    if let Some(Against::Master(other)) = against {
        let of_other = |cell: &&Cell| cell.id.disc().master() == other.as_str();
        let (theirs, all) = (cells.iter().filter(of_other).count(), cells.len());
        if theirs == 0 || theirs == all {
            let what = if theirs == 0 { "none" } else { "all" };
            let what = format!(
                "--against {other} has nothing to compare: {what} of the cells chosen are of {other}"
            );
            let remedy = "--set masters, or scenarios with both tools in master";
            return Err(Stop::usage(what, remedy).into());
        }
    }
    Ok(builds::on_chosen(options, cells, builds)?)
}

/// Those of the cells that were exported.
fn of_plan(cells: Vec<Cell>, plan: &Plan, folder: &Path) -> Result<Vec<Cell>, Stop> {
    let planned: BTreeSet<&CellId> = plan.discs.iter().flat_map(|disc| &disc.cells).collect();
    let cells: Vec<Cell> = cells
        .into_iter()
        .filter(|cell| planned.contains(&cell.id))
        .collect();
    if cells.is_empty() {
        let file = exchange::plan_file(folder);
        return Err(Stop::usage(
            format!("none of the cells in {} is selected now", file.display()),
            "the filters of the export, or none",
        ));
    }
    Ok(cells)
}

/// The cells that were a mismatch or could not be run, the last time.
pub(super) fn failed(cells: Vec<Cell>, out: &Path) -> anyhow::Result<Vec<Cell>> {
    let last = Results::read(out)
        .map_err(|error| Stop::usage(error, "cargo xtask boot-matrix, without --rerun"))?;
    let is_bad = |verdict| matches!(verdict, Verdict::Mismatch | Verdict::Infra);
    let failed: BTreeSet<&str> = last
        .cells
        .iter()
        .filter(|record| is_bad(record.verdict))
        .map(|record| record.id.as_str())
        .collect();
    let Some(example) = failed.first() else {
        return Err(Stop::usage("nothing failed the last time", "cargo xtask boot-matrix").into());
    };
    let cells: Vec<_> = cells
        .into_iter()
        .filter(|cell| failed.contains(cell.id.as_str()))
        .collect();
    if cells.is_empty() {
        let what = format!(
            "{} failed in the last run, such as {example}, but none of them is selected now",
            failed.len()
        );
        let remedy = "--rerun failed without filters, and with the --scenarios of that run";
        return Err(Stop::usage(what, remedy).into());
    }
    Ok(cells)
}
