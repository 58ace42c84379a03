//! Takes what a run saw into a baseline, and says what in it is wrong.

use std::{collections::BTreeSet, path::Path};

use anyhow::Context;
use harness::outcome::OutcomeKind;
use images::finding::{FindingId, Severity};
use scenarios::{
    accepted::{self, Baselines},
    baseline::Baseline,
    cell::Cell,
    files,
    record::CellResult,
    results::Results,
};

use crate::{options::BootMatrix, place::shown};

/// So many names stand in a line.
const NAMED: usize = 5;

/// Takes what the cells were seen to do.
pub(super) fn take(
    options: &BootMatrix,
    folder: &Path,
    results: &Results,
    cells: &[Cell],
) -> anyhow::Result<()> {
    let out = &super::folder::out_folder(options)?;
    let ids = || cells.iter().map(|cell| &cell.id);
    let mut baselines = Baselines::read(folder, ids())?;
    let orphans = if options.is_narrowed() {
        accepted::Orphans::default()
    } else {
        accepted::orphans(folder, ids())?
    };
    let mut taken = 0;
    for result in results.cells.iter().filter(|it| it.outcome.is_some()) {
        if let Some(seen) = Baseline::of_run(out, result) {
            baselines.accept(seen, options.accept_also);
            taken += 1;
        }
    }
    if options.prune {
        orphans.cells.iter().for_each(|cell| baselines.prune(cell));
    }
    baselines
        .write(folder)
        .context("the baseline is not written")?;
    if options.prune {
        orphans
            .files
            .iter()
            .try_for_each(|file| files::remove(file))?;
    }
    let s = if taken == 1 { "" } else { "s" };
    remark!("accepted: {taken} cell{s}, in {}", shown(folder).display());
    tell_what_is_wrong(results);
    if orphans.count() > 0 {
        let names = orphans.names(folder);
        let did = if options.prune {
            "removed, because they no longer belong to a cell"
        } else {
            "no longer belong to a cell (--prune removes them)"
        };
        remark!("{did}: {}", named(names.iter().map(String::as_str)));
    }
    Ok(())
}

/// What was accepted although it does not boot, or although its disc has an error.
fn tell_what_is_wrong(results: &Results) {
    let boots = |cell: &&CellResult| {
        let outcome = cell.outcome.as_ref();
        outcome.is_some_and(|outcome| outcome.kind != OutcomeKind::Booted)
            && cell.starts != Some(harness::guest::Starts::Yes)
    };
    let fails: Vec<&CellResult> = results.cells.iter().filter(boots).collect();
    if !fails.is_empty() {
        let each = fails
            .iter()
            .map(|cell| format!("{} ({})", cell.id, cell.happened().unwrap_or_default()));
        let each: Vec<String> = each.collect();
        remark!(
            "accepted although it does not boot: {}",
            named(each.iter().map(String::as_str))
        );
    }
    let is_error = |id: &&str| {
        let id: Option<FindingId> = id.parse().ok();
        id.is_some_and(|id| id.severity() == Severity::Error)
    };
    let findings = results.cells.iter().flat_map(|cell| &cell.findings);
    let errors: BTreeSet<&str> = findings.map(String::as_str).filter(is_error).collect();
    if !errors.is_empty() {
        remark!(
            "accepted although discs have errors: {}",
            named(errors.into_iter())
        );
    }
}

/// The first names, and how many more they are.
fn named<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let more = names.len().saturating_sub(NAMED);
    let shown = names.iter().take(NAMED).copied().collect::<Vec<_>>();
    match more {
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    }
}
