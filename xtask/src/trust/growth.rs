//! What a matrix of many cells costs that are not booted: reading and expanding it, listing it, finding one of it, and what is written of its
//! results. Each for ten times as many cells as before: what is flat per cell grows no faster than the matrix.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::Context;
use clap::Args;
use nix::sys::resource::{UsageWho, getrusage};
use scenarios::{
    id::CellId,
    record::{self, CellResult},
    results::Results,
    run::{self, Run},
};

use super::{
    kept::{Figures, Table},
    runner::Runner,
};
use cli::{place, remark, signals::Signals, stop::Stop};

/// How many cells, each time.
#[derive(Debug, Args)]
#[command(after_help = crate::examples::TRUST_GROWTH.help())]
pub(crate) struct Growth {
    /// The approximate numbers of cells.
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [100, 1_000, 10_000, 100_000], value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    cells: Vec<u32>,
    /// Measure one command: run a program and print its cost.
    #[arg(long, hide = true, num_args = 1.., allow_hyphen_values = true, exclusive = true)]
    one: Vec<String>,
}

/// Cells of a scenario: few scenarios of many cells cost something else than many of few.
const OF_A_SCENARIO: u32 = 500;

/// What a command cost.
struct Cost {
    seconds: f64,
    peak_kib: u64,
}

pub(super) fn measure(options: &Growth, signals: &'static Signals) -> anyhow::Result<Figures> {
    if let [program, arguments @ ..] = &options.one[..] {
        return one(program, arguments);
    }
    let began = Instant::now();
    let mut figures = Figures::default();
    let steps = [
        "list",
        "one cell by its id",
        "list of tests",
        "two slices merged, with the page",
        "page regenerated",
    ];
    let mut times = Table {
        head: ["cells"]
            .into_iter()
            .chain(steps)
            .map(str::to_owned)
            .collect(),
        rows: Vec::new(),
    };
    let mut page = (0, 0);
    for &cells in &options.cells {
        if signals.caught() {
            return Err(Stop::host("interrupted", "the same again").into());
        }
        let runner = Runner::new()?;
        let matrix = Big::make(&runner, cells)?;
        let costs = matrix.costs(&runner)?;
        let number = matrix.ids.len();
        remark!("{number} cells");
        let shown = |cost: &Cost| {
            let per_cell = cost.seconds * 1e6 / number as f64;
            format!(
                "{:.2} s, {per_cell:.0} µs a cell, {} MiB",
                cost.seconds,
                cost.peak_kib / 1024
            )
        };
        times.rows.push(
            std::iter::once(number.to_string())
                .chain(costs.iter().map(shown))
                .collect(),
        );
        let length = fs::metadata(runner.path("whole/report.html"))?.len();
        page = (number, length);
    }
    figures.seconds = began.elapsed().as_secs();
    figures.add(
        format!("the page of {} cells", page.0),
        format!("{:.1} MB", page.1 as f64 / 1e6),
    );
    figures.tables.push(times);
    Ok(figures)
}

/// Runs a program as the only child of this process, which alone makes the peak of its memory known.
fn one(program: &str, arguments: &[String]) -> anyhow::Result<Figures> {
    let began = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    let mut figures = Figures::default();
    figures.add("exit code", status.code().unwrap_or(-1));
    figures.add("seconds", began.elapsed().as_secs_f64());
    // In units of 1024 bytes (getrusage(2)).
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    figures.add("peak", usage.max_rss());
    Ok(figures)
}

/// A matrix of many cells, in a folder of scenarios, and the results of two slices of it.
struct Big {
    scenarios: PathBuf,
    run_file: PathBuf,
    slices: [PathBuf; 2],
    ids: Vec<CellId>,
}

impl Big {
    fn make(runner: &Runner, cells: u32) -> anyhow::Result<Self> {
        let scenarios = runner.path("scenarios");
        fs::create_dir_all(&scenarios)?;
        let mut left = cells;
        let mut number = 0;
        while left > 0 {
            let some = left.min(OF_A_SCENARIO);
            // Two attachments for each size.
            let sizes: Vec<String> = (1..=some.div_ceil(2))
                .map(|size| format!("\"{}s\"", size + 3))
                .collect();
            let text = format!(
                "[[scenario]]\nname = \"grown-{number}\"\nsummary = \"many cells\"\nboot = [\"none\"]\nsize = [{}]\n\
                 firmware = [\"seabios\"]\nattach = [\"ide\", \"ahci\"]\n\n\
                 [[scenario.expect]]\noutcome = \"booted\"\nbecause = \"El Torito §2.2\"\n",
                sizes.join(", ")
            );
            fs::write(scenarios.join(format!("grown-{number}.toml")), text)?;
            left -= some;
            number += 1;
        }
        let list = runner.path("list.txt");
        let listed = runner
            .command(&[
                "boot-matrix",
                "--list",
                "--scenarios",
                &scenarios.to_string_lossy(),
            ])?
            .stdout(File::create(&list)?)
            .status()?;
        anyhow::ensure!(listed.success(), "{}", runner.said());
        let ids = run::read_list(&list)?;
        let slices = ["slice-1", "slice-2"].map(|name| runner.path(name));
        Self::fill(runner, &scenarios, &slices)?;
        Ok(Self {
            run_file: Run::file(&slices[0]),
            scenarios,
            slices,
            ids,
        })
    }

    /// Has a run begin in each folder, which lists its cells and is stopped at its first machine, and gives every cell the record of one that was
    /// booted.
    fn fill(runner: &Runner, scenarios: &Path, slices: &[PathBuf; 2]) -> anyhow::Result<()> {
        let template = runner.path("template");
        let words = [
            "boot-matrix",
            "load-counts/-/none,count=4",
            "--quiet",
            "--out",
        ];
        runner.run(&[&words[..], &[&template.to_string_lossy()]].concat())?;
        let template =
            Results::read(&template).map_err(|error| Stop::host(error, runner.said()))?;
        let record = template.cells.first().context("no record")?;
        for (index, out) in slices.iter().enumerate() {
            let slice = format!("slice:{}/2", index + 1);
            let (scenarios, folder) = (scenarios.to_string_lossy(), out.to_string_lossy());
            let words = [
                "boot-matrix",
                "--quiet",
                "--scenarios",
                &scenarios,
                "--partition",
                &slice,
                "--out",
                &folder,
            ];
            // Killed as soon as its run file is there: that is written before anything is booted.
            runner.run_until(&words, &Run::file(out))?;
            let run = Run::read(&Run::file(out))?;
            let of_cell = |id: &CellId| CellResult {
                id: id.to_string(),
                scenario: id.scenario().to_owned(),
                size: id.disc().size().to_owned(),
                evidence: record::evidence_folder(id).to_string_lossy().into_owned(),
                ..record.clone()
            };
            let mut filled = Results::new(
                "tcg".to_owned(),
                template.tools.clone(),
                run::read_list(&out.join(run::LIST))?
                    .iter()
                    .map(of_cell)
                    .collect(),
            );
            filled.began_ms = Some(run.name());
            filled.partition = run.partition;
            filled.basis = run.basis;
            filled.write(out)?;
        }
        Ok(())
    }

    fn costs(&self, runner: &Runner) -> anyhow::Result<Vec<Cost>> {
        let scenarios = self.scenarios.to_string_lossy();
        let program = runner.program().to_string_lossy().into_owned();
        let whole = runner.path("whole").to_string_lossy().into_owned();
        let [one, two] = self
            .slices
            .clone()
            .map(|slice| slice.to_string_lossy().into_owned());
        let last = self.ids.last().map(ToString::to_string).unwrap_or_default();
        let tests = super::runner::test_program()?
            .to_string_lossy()
            .into_owned();
        let commands: [Vec<&str>; 5] = [
            vec![&program, "boot-matrix", "--list", "--scenarios", &scenarios],
            vec![&tests, &last, "--exact", "--list", "--format", "terse"],
            vec![&tests, "--list", "--format", "terse"],
            vec![&program, "merge", &one, &two, "--out", &whole],
            vec![&program, "report", &whole],
        ];
        let cost = |words: &Vec<&str>| self.cost(words);
        commands.iter().map(cost).collect()
    }

    fn cost(&self, words: &[&str]) -> anyhow::Result<Cost> {
        let output = Command::new(place::THIS_PROGRAM)
            .args(["trust", "growth", "--one"])
            .args(words)
            .env(run::VARIABLE, &self.run_file)
            .stdin(Stdio::null())
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let figure = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|figure| figure.trim().parse::<f64>().ok())
        };
        let (seconds, peak) = (figure("seconds"), figure("peak"));
        match (figure("exit code"), seconds, peak) {
            (Some(0.0), Some(seconds), Some(peak)) => Ok(Cost {
                seconds,
                peak_kib: peak as u64,
            }),
            _ => anyhow::bail!(
                "{}: {}",
                words.join(" "),
                String::from_utf8_lossy(&output.stderr)
            ),
        }
    }
}
