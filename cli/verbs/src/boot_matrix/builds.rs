//! Which builds of firmware the cells are booted on, where it is not the host's default.

use std::{collections::BTreeSet, path::PathBuf};

use harness::{
    emulator::EmulatorId,
    firmware::{self, Firmware, FirmwareName, Store},
};
use scenarios::{
    cell::Cell,
    files,
    grid::{self, Grid, GridRun, SCHEMA},
    id::CellId,
    matrix::Matrix,
    results::Results,
    words::Set,
};

use super::folder::out_folder;
use crate::{
    firmware::keys,
    options::BootMatrix,
    place::{self, workspace_for},
    stop::Stop,
};

/// The builds that the options mean; none where each firmware is the host's default. Where builds `were_chosen` for the run that is gone on
/// with, all that there are.
pub(crate) fn chosen(options: &BootMatrix, were_chosen: bool) -> anyhow::Result<Vec<Firmware>> {
    let named = || options.firmware.iter().filter(|name| name.build.is_some());
    if options.firmware_grid
        && let Some(name) = named().next()
    {
        let what = format!("--firmware {name} selects one build, but --firmware-grid selects all");
        return Err(Stop::usage(what, format!("--firmware {} --firmware-grid", name.id)).into());
    }
    let of_last_run = were_chosen || ran_on_builds(options);
    if !options.firmware_grid && !of_last_run && named().next().is_none() {
        return Ok(Vec::new());
    }
    // The host's builds go by the version that this QEMU's firmware has.
    let qemu = EmulatorId::Qemu.locate(options.tooling.qemu.as_deref());
    let qemu = qemu.map_err(|error| Stop::host(error.what(), error.remedy()))?;
    let folder = place::firmware()?;
    for kept in Store::in_folder(&folder).list().unwrap_or_default() {
        if let Err(what) = kept.build {
            remark!("note: {what}");
        }
    }
    for name in named() {
        keys::provide(&Store::in_folder(&folder), name)?;
    }
    let grid = firmware::grid(&folder, &qemu);
    if options.firmware_grid || of_last_run {
        return Ok(grid);
    }
    // A scenario's own sets of keys stand beside its discs.
    let is_kept = |name: &&FirmwareName| grid.iter().any(|it| it.name() == **name);
    let named: Vec<&FirmwareName> = named()
        .filter(|name| is_kept(name) || !name.is_set_of_keys())
        .collect();
    for name in &named {
        firmware::select(&grid, (*name).clone()).map_err(|error| {
            let builds: Vec<String> = grid.iter().map(ToString::to_string).collect();
            let what = format!("{}: there are {}", error.what(), builds.join(", "));
            Stop::usage(
                what,
                "cargo xtask firmware fetch, or cargo xtask firmware add FILE",
            )
        })?;
    }
    let is_named = |firmware: &Firmware| named.contains(&&firmware.name());
    Ok(grid.into_iter().filter(is_named).collect())
}

/// Whether what is to be run again was run on builds that were chosen.
fn ran_on_builds(options: &BootMatrix) -> bool {
    let of_build = |id: &str| {
        id.parse::<CellId>()
            .is_ok_and(|id| id.firmware_build().is_some())
    };
    options.rerun.is_some()
        && out_folder(options).is_ok_and(|out| {
            Results::read(&out).is_ok_and(|last| last.cells.iter().any(|cell| of_build(&cell.id)))
        })
}

/// The cells on the builds that are meant.
pub(crate) fn on_chosen(
    options: &BootMatrix,
    cells: Vec<Cell>,
    builds: &[Firmware],
) -> Result<Vec<Cell>, Stop> {
    let is_kept = |name: &FirmwareName| builds.iter().any(|it| it.name() == *name);
    let of_scenarios: Vec<&FirmwareName> = options
        .firmware
        .iter()
        .filter(|name| name.is_set_of_keys() && !is_kept(name))
        .collect();
    if let Some(name) = of_scenarios.first() {
        let id = name.id;
        let cells = cells.into_iter().filter(|cell| {
            let own = cell.firmware_name();
            cell.firmware != id || options.firmware.contains(&own)
        });
        let cells: Vec<Cell> = cells.collect();
        if !cells
            .iter()
            .any(|cell| of_scenarios.contains(&&cell.firmware_name()))
        {
            return Err(Stop::usage(
                format!(
                    "there is no firmware {name} on this machine, and none of these discs was made for its keys"
                ),
                "cargo xtask firmware list, or cargo xtask firmware add --db FILE",
            ));
        }
        return Ok(cells);
    }
    if builds.is_empty() {
        return Ok(cells);
    }
    let mut names: Vec<FirmwareName> = builds.iter().map(Firmware::name).collect();
    // Beside a build its default may be named too; and what is run again is looked for among both.
    let defaults = options.firmware.iter().filter(|name| name.build.is_none());
    if !options.firmware_grid {
        names.extend(defaults.cloned());
    }
    if options.rerun.is_some() {
        names.extend(builds.iter().map(|firmware| firmware.id.into()));
        names.sort();
        names.dedup();
    }
    let cells = grid::on_builds(&cells, &names);
    if cells.is_empty() {
        let what = "none of the selected cells is for an available build";
        return Err(Stop::usage(what, "cargo xtask firmware list"));
    }
    Ok(cells)
}

/// The file with what differs between builds, from which the table in docs/firmware.md is made.
fn file() -> Result<PathBuf, Stop> {
    let workspace = workspace_for("what differs between builds of firmware and its table")?;
    Ok(workspace.join("docs").join("firmware.json"))
}

/// Takes what a run on all builds showed into that file.
pub(super) fn accept(results: &Results, matrix: &Matrix) -> anyhow::Result<()> {
    check(results, matrix)?;
    let file = file()?;
    let known: Option<Grid> = files::read_json(&file).ok();
    let known = known
        .filter(|grid| grid.schema == SCHEMA)
        .unwrap_or_default();
    files::write_json(&file, &known.with(GridRun::of(results)))?;
    remark!(
        "{} written; then: cargo xtask check --update-docs",
        file.display()
    );
    Ok(())
}

/// What was not run, or could not be, must not look as if builds agreed on it.
fn check(results: &Results, matrix: &Matrix) -> Result<(), Stop> {
    let refused =
        |why: String, remedy| Err(Stop::host(format!("not accepted, because {why}"), remedy));
    if results.totals.infra > 0 {
        let why = format!("{} cells could not be run", results.totals.infra);
        return refused(
            why,
            "cargo xtask boot-matrix --firmware-grid --accept --rerun failed, which completes it",
        );
    }
    let tools = results.tools.firmware.iter();
    let builds: Vec<FirmwareName> = tools.filter_map(|tool| tool.id.parse().ok()).collect();
    let cells: Vec<Cell> = matrix
        .cells()
        .filter(|cell| cell.set == Set::Default)
        .collect();
    let ran: BTreeSet<&str> = results.cells.iter().map(|cell| &*cell.id).collect();
    let all = grid::on_builds(&cells, &builds);
    match all.iter().find(|cell| !ran.contains(cell.id.as_str())) {
        None => Ok(()),
        Some(cell) => refused(
            format!("{} was not run", cell.id),
            "cargo xtask boot-matrix --firmware-grid --accept, without filters",
        ),
    }
}
