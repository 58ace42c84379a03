//! The tests that `cargo xtask test` leaves out, because they take long.

use std::{fs::File, io::BufReader, path::PathBuf, time::Instant};

use anyhow::Context;
use clap::Args;
use junit_parser::{TestCase, TestSuite, TestSuites};

use super::kept::{Figures, Table};
use crate::repository::{target, workspace};
use cli::{options::Tooling, place::cargo, setup, signals::Signals, stop::Stop};

/// What these tests need.
#[derive(Debug, Args)]
#[command(after_help = crate::examples::TRUST_SUITE.help())]
pub(crate) struct Suite {
    #[command(flatten)]
    tooling: Tooling,
}

/// Those which the profile's own filter in `.config/nextest.toml` leaves out.
const LEFT_OUT: &str = "not default()";
/// The profile that writes what became of each test.
const PROFILE: &str = "ci";

pub(super) fn measure(options: &Suite, signals: &'static Signals) -> anyhow::Result<Figures> {
    setup::provide_for_tests(&options.tooling)?;
    let began = Instant::now();
    let mut command = cargo();
    command
        .current_dir(workspace())
        .args(["nextest", "run", "--workspace", "--no-fail-fast"])
        .args(["--profile", PROFILE, "--ignore-default-filter"])
        .args(["--filterset", LEFT_OUT]);
    let status = signals.run(&mut command).context("cannot start cargo")?;
    if signals.caught() {
        return Err(Stop::host("interrupted", "the same again").into());
    }
    let told = told()?;
    let tests = told.suites.iter().flat_map(|suite| &suite.cases);
    let (passed, failed): (Vec<&TestCase>, Vec<_>) =
        tests.partition(|test| test.status.is_success());
    let mut figures = Figures {
        seconds: began.elapsed().as_secs(),
        failures: failed
            .iter()
            .map(|it| format!("{} failed", it.name))
            .collect(),
        ..Figures::default()
    };
    if !status.success() && failed.is_empty() {
        let what = format!("nextest ended with {status}");
        figures.failures.push(what);
    }
    figures.add("tests that passed", passed.len());
    figures.tables.push(table(&told));
    Ok(figures)
}

/// What nextest wrote of each test.
fn told() -> anyhow::Result<TestSuites> {
    let file: PathBuf = target().join("nextest").join(PROFILE).join("junit.xml");
    let open = File::open(&file).with_context(|| format!("cannot read {}", file.display()))?;
    junit_parser::from_reader(BufReader::new(open))
        .with_context(|| format!("cannot understand {}", file.display()))
}

/// A row for each test binary.
fn table(told: &TestSuites) -> Table {
    let row = |suite: &TestSuite| {
        let seconds: f64 = suite.cases.iter().map(|test| test.time).sum();
        let tests = suite.cases.len().to_string();
        vec![suite.name.clone(), tests, format!("{seconds:.0}")]
    };
    let mut rows: Vec<Vec<String>> = told.suites.iter().map(row).collect();
    rows.sort();
    Table {
        head: ["of", "tests", "seconds, added up"]
            .map(str::to_owned)
            .to_vec(),
        rows,
    }
}
