//! The matrix in slices, of which one dies and is run again: merged, they must be the whole.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use clap::Args;
use rustix::process::geteuid;
use scenarios::results::Results;

use super::{
    kept::{Figures, Table},
    runner::{Runner, verdicts},
};
use crate::repository::{build_program, workspace};
use cli::{
    place,
    setup::{need::CLUSTER, package::on_path},
    signals::Signals,
    stop::Stop,
};

/// How many slices, and of what.
#[derive(Debug, Args)]
#[command(after_help = crate::examples::TRUST_SHARDS.help())]
pub(crate) struct Shards {
    /// The number of slices.
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1, 2, 4], value_parser = clap::value_parser!(u16).range(1..=64))]
    of: Vec<u16>,
    /// Run only cells whose ids contain this [default: those of load-segments and efi-slot].
    #[arg(long, value_name = "FILTER")]
    only: Vec<String>,
    /// Also run as a Slurm job array, on four nodes on this machine (examples/slurm/try.sh). Needs root, Slurm and munge.
    #[arg(long)]
    slurm: bool,
}

const CELLS: [&str; 2] = ["/load-segments/", "/efi-slot/"];

pub(super) fn measure(options: &Shards, signals: &'static Signals) -> anyhow::Result<Figures> {
    let began = Instant::now();
    if options.slurm {
        can_have_cluster()?;
    }
    let runner = Runner::new()?;
    let filters: Vec<&str> = match &options.only[..] {
        [] => CELLS.to_vec(),
        only => only.iter().map(String::as_str).collect(),
    };
    // Twice: the first makes the checkpoints.
    let whole = runner.path("whole");
    slice(&runner, &filters, "1/1", &whole, None)?;
    let started = Instant::now();
    slice(&runner, &filters, "1/1", &whole, None)?;
    let usual = started.elapsed();
    let expected = Results::read(&whole).map_err(|error| Stop::host(error, runner.said()))?;
    let mut figures = Figures::default();
    let mut table = Table {
        head: [
            "slices",
            "cells",
            "died after",
            "results that it had",
            "cells merged",
            "lost",
            "twice",
            "merged without its second run",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: Vec::new(),
    };
    for &of in &options.of {
        if signals.caught() {
            return Err(Stop::host("interrupted", "the same again").into());
        }
        table
            .rows
            .push(cut(&runner, &filters, of, usual, &expected, &mut figures)?);
    }
    if options.slurm {
        table
            .rows
            .push(slurm(signals, &runner, &filters, &expected, &mut figures)?);
    }
    figures.programs = super::flakes::programs(&expected);
    figures.seconds = began.elapsed().as_secs();
    figures.add("cells of the whole", expected.totals.cells);
    figures.tables.push(table);
    Ok(figures)
}

/// Runs a slice, to its end or for so long.
fn slice(
    runner: &Runner,
    filters: &[&str],
    slice: &str,
    out: &Path,
    time: Option<Duration>,
) -> anyhow::Result<()> {
    let (partition, out) = (format!("slice:{slice}"), out.to_string_lossy());
    let mut words = vec![
        "boot-matrix",
        "--quiet",
        "--partition",
        &partition,
        "--out",
        &out,
    ];
    words.extend(filters);
    match time {
        Some(time) => drop(runner.run_for(&words, time)?),
        None => drop(runner.run(&words)?),
    }
    Ok(())
}

/// Cuts into so many slices, the last of which dies and is run again, and merges them.
fn cut(
    runner: &Runner,
    filters: &[&str],
    of: u16,
    usual: Duration,
    expected: &Results,
    figures: &mut Figures,
) -> anyhow::Result<Vec<String>> {
    let folder = |name: &str| runner.path(&format!("of-{of}/{name}"));
    let mut folders: Vec<PathBuf> = Vec::new();
    for number in 1..of {
        let out = folder(&number.to_string());
        slice(runner, filters, &format!("{number}/{of}"), &out, None)?;
        folders.push(out);
    }
    let last = format!("{of}/{of}");
    let time = usual.mul_f64(0.6 / f64::from(of)) + Duration::from_millis(600);
    let (dead, again) = (folder("dead"), folder("again"));
    slice(runner, filters, &last, &dead, Some(time))?;
    if let Err(left) = runner.await_end() {
        figures
            .failures
            .push(format!("of {of}: still there: {}", left.join(", ")));
    }
    folders.push(dead);
    // Without its second run it must not be taken for the whole.
    let (code, merged) = merge(runner, &folders, &folder("lacking"))?;
    let proof = merged.and_then(|merged| merged.merged);
    let parts = proof.iter().flat_map(|proof| &proof.from);
    let left: usize = parts
        .filter(|part| part.cut_short)
        .map(|part| part.taken)
        .sum();
    if code != 3 && !proof.as_ref().is_some_and(|proof| proof.proven) {
        figures.failures.push(format!(
            "of {of}: what lacks cells has the exit code {code}"
        ));
    }
    slice(runner, filters, &last, &again, None)?;
    folders.push(again);
    let (second, merged) = merge(runner, &folders, &folder("merged"))?;
    let merged = merged.context(runner.said())?;
    let proven = merged.merged.as_ref().is_some_and(|merged| merged.proven);
    let told = verdicts(&merged);
    if !proven
        || second != i32::from(expected.exit_code())
        || told.as_ref() != verdicts(expected).as_ref()
    {
        figures.failures.push(format!(
            "of {of}: merged it is not the whole: {}",
            runner.said()
        ));
    }
    let lost = expected.totals.cells.saturating_sub(merged.totals.cells);
    Ok(vec![
        of.to_string(),
        expected.totals.cells.to_string(),
        format!("{:.1} s", time.as_secs_f64()),
        left.to_string(),
        merged.totals.cells.to_string(),
        lost.to_string(),
        usize::from(told.is_err()).to_string(),
        format!("exit code {code}"),
    ])
}

fn merge(
    runner: &Runner,
    folders: &[PathBuf],
    out: &Path,
) -> anyhow::Result<(i32, Option<Results>)> {
    let folders: Vec<_> = folders
        .iter()
        .map(|folder| folder.to_string_lossy())
        .collect();
    let out_name = out.to_string_lossy();
    let mut words = vec!["merge", "--out", &out_name];
    words.extend(folders.iter().map(AsRef::<str>::as_ref));
    let code = runner.run(&words)?;
    Ok((code, Results::read(out).ok()))
}

fn can_have_cluster() -> Result<(), Stop> {
    if !geteuid().is_root() {
        let why = "no cluster can live here: its daemons need root";
        return Err(Stop::host(why, "the same as root, or without --slurm"));
    }
    match CLUSTER.into_iter().find(|(program, _)| !on_path(program)) {
        None => Ok(()),
        Some((program, _)) => {
            let why = format!("no cluster can live here: there is no program {program}");
            let packages = CLUSTER.map(|(_, package)| package).join(" ");
            let remedy =
                format!("install what Debian calls {packages}, or the same without --slurm");
            Err(Stop::host(why, remedy))
        }
    }
}

/// The same as a job array of Slurm.
fn slurm(
    signals: &Signals,
    runner: &Runner,
    filters: &[&str],
    expected: &Results,
    figures: &mut Figures,
) -> anyhow::Result<Vec<String>> {
    let (program, built) = build_program(signals).context("cannot start cargo")?;
    ensure!(built.success(), "the program was not built: {built}");
    let folder = runner.path("slurm");
    let mut command = Command::new(workspace().join("examples/slurm/try.sh"));
    command
        .args([&program, &folder])
        .arg("4")
        .args(filters)
        .stdout(std::io::stderr());
    // With its signals unblocked: by those it ends what it starts.
    let status = signals
        .run(&mut command)
        .context("cannot run examples/slurm/try.sh")?;
    let merged = Results::read(&folder.join("whole"));
    let whole = merged
        .as_ref()
        .is_ok_and(|merged| verdicts(merged).as_ref() == verdicts(expected).as_ref());
    if !status.success() || !whole {
        let kept = place::shown(&folder);
        figures
            .failures
            .push(format!("Slurm: {status}: {}", kept.display()));
    }
    let cells = merged.map_or(0, |merged| merged.totals.cells);
    Ok(vec![
        "4, by Slurm".to_owned(),
        expected.totals.cells.to_string(),
        "its first result".to_owned(),
        "kept".to_owned(),
        cells.to_string(),
        expected.totals.cells.saturating_sub(cells).to_string(),
        "0".to_owned(),
        "-".to_owned(),
    ])
}
