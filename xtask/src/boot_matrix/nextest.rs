//! Runs the cells: nextest owns their processes.

use std::{
    fs,
    io::IsTerminal,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

use anyhow::Context;
use scenarios::{files, run};

use crate::{
    place::{cargo, is_ci, nextest_profile, workspace},
    signals::Signals,
};

/// What one machine may need at most, in MiB.
const MACHINE_MIB: u64 = 512;

/// The exit code of nextest when tests failed.
const TESTS_FAILED: i32 = 100;

/// What to run.
pub(super) struct Job<'a> {
    /// Tells the tests what to do.
    pub(super) run_file: PathBuf,
    /// The folder of the results.
    pub(super) out: &'a Path,
    /// What becomes of a snapshot that is not what is seen.
    pub(super) snapshots: Snapshots,
    /// The ids of the cells to start first.
    pub(super) slow: Vec<String>,
}

/// What becomes of a snapshot that is not what is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Snapshots {
    /// What is seen takes its place.
    Accepted,
    /// What is seen is left beside it, to be reviewed.
    Reviewed,
    /// Nothing: what is seen is another build's.
    Kept,
}

/// How nextest ended.
pub(super) struct Ended {
    status: ExitStatus,
    interrupted: bool,
}

impl Ended {
    /// Whether nextest saw a test fail.
    pub(super) fn saw_failures(&self) -> bool {
        self.status.code() == Some(TESTS_FAILED)
    }

    /// Why a cell may have left no result, if nextest did not come to its end.
    pub(super) fn why_missing(&self) -> Option<String> {
        match self.status.code() {
            _ if self.interrupted => Some("the run was interrupted".to_owned()),
            Some(0 | TESTS_FAILED) => None,
            _ => Some(format!("nextest ended with {}", self.status)),
        }
    }
}

/// Runs the cells to their end, or until a signal comes.
pub(super) fn run(job: &Job<'_>, signals: &Signals) -> anyhow::Result<Ended> {
    // An earlier run's report must not be taken for this one's; mostly there is none.
    drop(fs::remove_file(report(job.out)));
    let mut command = command(job)?;
    let status = signals
        .run(&mut command)
        .context("cannot run cargo nextest")?;
    Ok(Ended {
        status,
        interrupted: signals.caught(),
    })
}

/// The JUnit report that nextest leaves, if its profile wants one.
pub(super) fn report(out: &Path) -> PathBuf {
    store(out).join(nextest_profile()).join("junit.xml")
}

/// Where nextest keeps what it writes. Each run has its own: in the workspace's, two that run at once would take each
/// other's report.
fn store(out: &Path) -> PathBuf {
    out.join("nextest")
}

fn command(job: &Job<'_>) -> anyhow::Result<Command> {
    let own = job.out.join("nextest.toml");
    files::write(&own, config(&store(job.out), &job.slow).as_bytes())?;
    let mut command = cargo();
    command
        .current_dir(workspace())
        .args([
            "nextest",
            "run",
            // All of it, and not one package: what is built is the same for every other test then.
            "--workspace",
            "--test",
            "matrix",
        ])
        .args(["--profile", nextest_profile(), "--no-fail-fast"])
        .arg("--tool-config-file")
        .arg(tool_config(&own))
        .env(run::VARIABLE, &job.run_file)
        .env("INSTA_UPDATE", insta_update(job.snapshots))
        // The tests say themselves what differs.
        .env("INSTA_OUTPUT", "none")
        // Neither may turn a difference into a pass, whatever the environment says.
        .env_remove("INSTA_FORCE_PASS")
        .env_remove("INSTA_FORCE_UPDATE")
        .stdin(Stdio::null())
        // Standard output is for our results alone.
        .stdout(std::io::stderr());
    // Whoever sets nextest's own variable means it, and it counts only where the option is not given.
    if std::env::var_os("NEXTEST_TEST_THREADS").is_none() {
        command.args(["--test-threads", &threads().to_string()]);
    }
    // Where somebody watches there is a progress bar, and hundreds of passes would scroll it away.
    if std::io::stderr().is_terminal() {
        command.args(["--status-level", "fail"]);
    }
    Ok(command)
}

fn insta_update(snapshots: Snapshots) -> &'static str {
    match (snapshots, is_ci()) {
        (Snapshots::Accepted, _) => "always",
        (Snapshots::Kept, _) | (Snapshots::Reviewed, true) => "no",
        (Snapshots::Reviewed, false) => "new",
    }
}

fn tool_config(file: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from("boot-matrix:");
    argument.push(file);
    argument
}

/// A configuration with a store of its own, that lets the slow cells begin first, so that none of them is alone at
/// the end.
fn config(store: &Path, slow: &[String]) -> String {
    let store = toml::Value::from(store.to_string_lossy().as_ref());
    let config = format!("[store]\ndir = {store}\n");
    if slow.is_empty() {
        return config;
    }
    let tests: Vec<String> = slow
        .iter()
        .map(|id| format!("test(={})", filterset_escape(id)))
        .collect();
    format!(
        "{config}\n[[profile.default.overrides]]\nfilter = '''{}'''\npriority = 50\n",
        tests.join(" + ")
    )
}

/// An id in a filterset. Of the characters that an id may have only the comma means something there.
fn filterset_escape(id: &str) -> String {
    id.replace(',', "\\,")
}

/// How many machines run at once: one for each processor, as long as memory lasts.
fn threads() -> u64 {
    let processors = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let by_memory = available_mib().map_or(processors, |mib| mib / MACHINE_MIB);
    processors.min(by_memory).max(1)
}

/// The memory that programs can still get, in MiB; nothing when the host does not say.
fn available_mib() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<u64>()
        .ok()
        .map(|kib| kib / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_cells_get_a_priority() {
        let store = Path::new("/out \"1\"/nextest");
        const STORE: &str = "[store]\ndir = '/out \"1\"/nextest'\n";
        assert_eq!(config(store, &[]), STORE);
        let slow = config(store, &["a/-/none,count=1/-/reference/ovmf/ide".into()]);
        assert_eq!(
            slow.strip_prefix(STORE).unwrap(),
            "\n[[profile.default.overrides]]\nfilter = '''test(=a/-/none\\,count=1/-/reference/ovmf/ide)'''\npriority = 50\n"
        );
    }
}
