//! Discs as people have them, healthy and damaged: followed to what they came to, and asked what keeps them from starting.

mod causes;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use anyhow::Context;
use clap::Args;
use harness::{
    guest::{GuestState, Starts},
    outcome::OutcomeKind,
    verdict::Expectation,
};
use scenarios::{
    id::CellId,
    live::DAMAGE,
    matrix::Matrix,
    record::{CellResult, Differs, Verdict},
    results::Results,
    words::Set,
};

use super::{
    flakes::programs,
    kept::{Figures, Table},
};
use cli::{place, signals::Signals, stop::Stop};

/// Of the boots that were followed, so many in a hundred must have come to something that is known.
const KNOWN: usize = 95;

/// Which discs.
#[derive(Debug, Args)]
#[command(after_help = crate::examples::TRUST_DISCS.help())]
pub(crate) struct Discs {
    /// Run only cells whose ids contain this. The figures are then not kept.
    #[arg(long, value_name = "FILTER", conflicts_with = "keep")]
    only: Vec<String>,
    /// Look only for the causes of failures. The figures are then not kept.
    #[arg(long, conflicts_with_all = ["keep", "resume", "run"])]
    causes: bool,
    /// Continue a stopped run; with --run, continue with its results about causes.
    #[arg(long)]
    resume: bool,
    /// Boot nothing, and count the results of a run of the whole set: the folder with its results.json, which cargo xtask merge makes from slices.
    #[arg(long, value_name = "DIR", conflicts_with = "only")]
    run: Option<PathBuf>,
}

pub(super) fn measure(options: &Discs, signals: &'static Signals) -> anyhow::Result<Figures> {
    let began = Instant::now();
    if options.causes {
        return causes::measure(&options.only, false, signals);
    }
    let results = match &options.run {
        Some(folder) => whole(folder)?,
        None => boot(options, signals)?,
    };
    let ran = |cell: &CellResult| cell.verdict != Verdict::Skipped;
    if !results.cells.iter().any(ran) {
        let reasons = results
            .cells
            .first()
            .into_iter()
            .flat_map(|cell| &cell.reason);
        let reasons: Vec<&str> = reasons.map(String::as_str).collect();
        let what = format!("no disc could be booted: {}", reasons.join("; "));
        return Err(Stop::host(what, "cargo xtask doctor says what is missing").into());
    }
    // A run that was resumed took longer than its last part.
    let booted = began.elapsed().as_secs().max(machine_seconds(&results));
    let began = Instant::now();
    let causes = causes::measure(&options.only, options.resume, signals)?;
    let mut figures = count(&results.cells);
    figures.figures.extend(causes.figures);
    figures.failures.extend(causes.failures);
    Ok(Figures {
        programs: programs(&results),
        seconds: booted + began.elapsed().as_secs(),
        chosen_by: Some("--run"),
        ..figures
    })
}

/// Boots the discs.
fn boot(options: &Discs, signals: &'static Signals) -> anyhow::Result<Results> {
    let out = crate::repository::target().join("trust-discs");
    let mut command = Command::new(place::THIS_PROGRAM);
    command.args(["boot-matrix", "--set", "live", "--quiet", "--out"]);
    command.arg(&out).args(&options.only);
    if options.resume {
        command.arg("--resume");
    }
    command.stdout(Stdio::null()).stderr(Stdio::inherit());
    signals.run(&mut command).context("cannot start the run")?;
    if signals.caught() {
        return Err(Stop::host("interrupted", "the same again with --resume").into());
    }
    let results = Results::read(&out)
        .map_err(|error| Stop::host(error, "cargo xtask boot-matrix --set live, which says why"))?;
    Ok(results)
}

/// What a run came to that had every cell of the set.
fn whole(folder: &Path) -> anyhow::Result<Results> {
    let results = Results::read(folder)
        .map_err(|error| Stop::usage(error, "name the folder of a run of --set live"))?;
    let matrix = Matrix::shipped(crate::repository::workspace())?;
    let of_set = matrix.cells().filter(|cell| cell.set == Set::Live);
    let all: BTreeSet<String> = of_set.map(|cell| cell.id.to_string()).collect();
    let there: BTreeSet<String> = results.cells.iter().map(|cell| cell.id.clone()).collect();
    if let Some(id) = all.symmetric_difference(&there).next() {
        let what = format!(
            "{} has {} cells and the set has {}: {id} is only in one of them",
            folder.display(),
            there.len(),
            all.len()
        );
        return Err(Stop::usage(what, "run the whole set").into());
    }
    Ok(results)
}

/// How long all machines ran, as many at a time as there are processors.
fn machine_seconds(results: &Results) -> u64 {
    let whole: u64 = results.cells.iter().map(|cell| cell.duration_ms).sum();
    let processors = thread::available_parallelism().map_or(1, Into::into);
    whole / 1000 / u64::try_from(processors).unwrap_or(1)
}

/// Nothing is wrong with a cell's disc.
fn is_healthy(cell: &CellResult) -> bool {
    !cell.boot.contains(DAMAGE)
}

/// What is declared of a cell is a start.
fn must_start(expected: &Expectation) -> bool {
    match expected.outcome {
        OutcomeKind::Booted => true,
        OutcomeKind::HandedOver => expected.guest == Some(GuestState::System),
        _ => false,
    }
}

/// Whether words or events told what a guest came to.
fn is_known(state: GuestState) -> bool {
    !matches!(state, GuestState::Runs | GuestState::Silent)
}

/// Counts what cells came to, and says what is not as it must be.
fn count(cells: &[CellResult]) -> Figures {
    let mut figures = Figures::default();
    let (skipped, booted): (Vec<_>, Vec<_>) = cells
        .iter()
        .partition(|cell| cell.verdict == Verdict::Skipped);
    let discs: BTreeSet<String> = booted
        .iter()
        .filter_map(|cell| Some(cell.id.parse::<CellId>().ok()?.disc().to_string()))
        .collect();
    // Not of a program that hung or reset the machine: that is known.
    let handed_over = |cell: &&&CellResult| {
        let outcome = cell.outcome.as_ref();
        outcome.is_some_and(|outcome| outcome.kind == OutcomeKind::HandedOver)
    };
    let states: Vec<GuestState> = booted
        .iter()
        .filter(handed_over)
        .filter_map(|cell| cell.guest.as_ref().map(|guest| guest.state))
        .collect();
    let known = states.iter().filter(|&&state| is_known(state)).count();
    let expecting = |cell: &CellResult, start: bool| {
        let expected = cell.expected.as_ref();
        expected.is_some_and(|expected| must_start(expected) == start)
    };
    let started = |cell: &CellResult| cell.starts == Some(Starts::Yes);
    let healthy: Vec<_> = booted
        .iter()
        .filter(|cell| is_healthy(cell) && expecting(cell, true))
        .collect();
    let seen = healthy.iter().filter(|cell| started(cell)).count();
    let false_starts = booted
        .iter()
        .filter(|cell| expecting(cell, false) && started(cell));
    let wrong = booted
        .iter()
        .filter(|cell| cell.differs.contains(&Differs::Outcome));

    figures.add("discs", discs.len());
    figures.add("boots", booted.len());
    figures.add("skipped", skipped.len());
    figures.add(
        "handed over to a program on the disc that was followed",
        states.len(),
    );
    figures.add("of these in a known state (neither runs nor silent)", known);
    figures.add("declared starts of healthy discs", healthy.len());
    figures.add("of these seen", seen);
    let false_starts = false_starts.count();
    figures.add("starts seen where none is declared", false_starts);
    let wrong = wrong.count();
    figures.add("states that differ from the declaration", wrong);
    let flaky = booted.iter().filter(|cell| !cell.flaky.is_empty()).count();
    figures.add("as declared only at the second try", flaky);
    figures.tables.push(by_state(&booted));

    if known * 100 < states.len() * KNOWN {
        let what = format!(
            "only {known} of {} guests came to a known state",
            states.len()
        );
        figures.failures.push(what);
    }
    for cell in &booted {
        let good = cell.verdict == Verdict::AsExpected;
        let missed = is_healthy(cell) && expecting(cell, true) && !started(cell);
        let false_start = expecting(cell, false) && started(cell);
        if !good || missed || false_start {
            let why = [cell.reason.as_slice(), &cell.flaky].concat().join("; ");
            let starts = cell
                .starts
                .map_or("nothing ran".into(), |starts| starts.to_string());
            let what = format!("{}: {}, starts: {starts}: {why}", cell.id, cell.verdict);
            figures.failures.push(what);
        }
    }
    figures
}

/// By what boots came to: how many.
fn by_state(cells: &[&CellResult]) -> Table {
    let mut rows: Vec<(String, usize)> = Vec::new();
    for cell in cells {
        let came_to = match (&cell.guest, &cell.outcome) {
            (Some(guest), _) => format!("{}, stage {}", guest.state, guest.stage),
            (None, Some(outcome)) => outcome.kind.to_string(),
            (None, None) => cell.verdict.to_string(),
        };
        match rows.iter_mut().find(|(known, _)| *known == came_to) {
            Some((_, count)) => *count += 1,
            None => rows.push((came_to, 1)),
        }
    }
    rows.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    Table {
        head: ["state or outcome", "boots"].map(str::to_owned).to_vec(),
        rows: rows
            .into_iter()
            .map(|(came_to, count)| vec![came_to, count.to_string()])
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cell(disc: &str, declared: &str, came_to: &str, starts: &str) -> CellResult {
        let differs: &[&str] = if declared == came_to {
            &[]
        } else {
            &["outcome"]
        };
        let verdict = if differs.is_empty() {
            "as-expected"
        } else {
            "mismatch"
        };
        serde_json::from_value(json!({
            "id": format!("live/-/{disc}/-/-/ovmf/ahci"), "scenario": "live", "medium": "-", "boot": disc, "size": "-",
            "master": "-", "firmware": "ovmf", "attachment": "ahci",
            "outcome": { "kind": "handed-over", "stage": "entered" },
            "guest": { "state": came_to, "stage": "loader", "program": null, "said": "", "by": null },
            "starts": starts, "expected": { "outcome": "handed-over", "guest": declared, "because": "a test" },
            "verdict": verdict, "differs": differs, "findings": [], "duration_ms": 1000, "start": null, "evidence": "cells"
        }))
        .unwrap()
    }

    fn figure(figures: &Figures, what: &str) -> String {
        let found = figures
            .figures
            .iter()
            .find(|(known, _)| known.contains(what));
        found.unwrap().1.clone()
    }

    #[test]
    fn what_is_as_declared_is_kept() {
        let cells = [
            cell("lorax", "system", "system", "yes"),
            cell("lorax,damage=no-grub-cfg", "prompt", "prompt", "no"),
            cell("ubuntu,damage=cut-95", "system", "system", "yes"),
        ];
        let figures = count(&cells);
        assert!(figures.failures.is_empty(), "{:?}", figures.failures);
        assert_eq!(figure(&figures, "discs"), "3");
        assert_eq!(figure(&figures, "healthy"), "1");
        assert_eq!(figure(&figures, "known state"), "3");
    }

    #[test]
    fn a_start_that_is_none_and_one_that_is_not_seen_are_failures() {
        let lie = cell("lorax,damage=no-grub-cfg", "prompt", "prompt", "yes");
        let figures = count(&[lie]);
        assert_eq!(figure(&figures, "none is declared"), "1");
        assert!(
            figures.failures[0].contains("starts: yes"),
            "{:?}",
            figures.failures
        );
        let missed = cell("lorax", "system", "runs", "unknown");
        let figures = count(&[missed]);
        assert_eq!(figure(&figures, "of these seen"), "0");
        assert_eq!(figures.failures.len(), 2, "{:?}", figures.failures);
    }
}
