//! Runs the cells: nextest owns their processes.

use std::{
    ffi::OsString,
    fs,
    io::{self, BufReader, IsTerminal, Write},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    thread,
};

use anyhow::Context;
use scenarios::{cell::Cell, files, results::Results, run};

use super::{
    folder::Held,
    progress::{self, Plan},
};
use crate::{
    place::{archive, is_ci, nextest, nextest_profile, target, workspace},
    signals::Signals,
    terminal,
};

/// What one machine may need at most, in MiB, where its scenario does not say how much memory it has.
const MACHINE_MIB: u64 = 512;
/// What one takes beyond the memory that its scenario says.
const BEYOND_MIB: u64 = 256;

/// The exit code of nextest when tests failed.
const TESTS_FAILED: i32 = 100;

/// What to run.
pub(super) struct Job<'a> {
    /// Tells the tests what to do.
    pub(super) run_file: PathBuf,
    /// The folder of the results.
    pub(super) out: &'a Path,
    /// The name of the run.
    pub(super) run: u64,
    /// What holds that folder, for all that is started.
    pub(super) held: &'a Held,
    /// What becomes of a snapshot that is not what is seen.
    pub(super) snapshots: Snapshots,
    /// The ids of the cells to start first.
    pub(super) slow: Vec<String>,
    /// Who tells how it goes.
    pub(super) told: Told,
    /// What is known of the cells, for whoever tells.
    pub(super) cells: &'a [Cell],
    /// What an earlier run in the same folder came to.
    pub(super) earlier: Option<&'a Results>,
}

/// Who tells how a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// nextest itself, a line for each cell.
    Plainly,
    /// We, to somebody who watches.
    Live,
    /// Nobody.
    Not,
}

impl Told {
    /// What suits standard error.
    pub(super) fn by(quiet: bool) -> Self {
        match (quiet, io::stderr().is_terminal()) {
            (true, _) => Self::Not,
            (false, true) => Self::Live,
            (false, false) => Self::Plainly,
        }
    }
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
    let mut command = command(job)?;
    let _inherited = job.held.inherited().context("cannot hold the folder")?;
    let status = match job.told {
        Told::Plainly => signals.run(command.args(run_options(job))),
        Told::Live | Told::Not => run_followed(job, command, signals),
    };
    Ok(Ended {
        status: status.context("cannot run cargo nextest")?,
        interrupted: signals.caught(),
    })
}

/// Builds first, in which cargo shows its own progress and errors, and then runs the cells with nothing of nextest on the terminal but
/// the reason if it does not come to its end.
fn run_followed(job: &Job<'_>, mut command: Command, signals: &Signals) -> io::Result<ExitStatus> {
    if archive().is_none() {
        let mut build = command_of(&command);
        build.arg("--no-run");
        if job.told == Told::Not {
            build.arg("--cargo-quiet");
        }
        let built = signals.run(&mut build)?;
        if !built.success() || signals.caught() {
            return Ok(built);
        }
    }
    let said = store(job.out).join("said.txt");
    fs::create_dir_all(store(job.out))?;
    let (events, writer) = io::pipe()?;
    command
        .args(run_options(job))
        .args(["--message-format", "libtest-json-plus"])
        .env("NEXTEST_EXPERIMENTAL_LIBTEST_JSON", "1")
        .stdout(writer)
        .stderr(fs::File::create(&said)?);
    let plan = Plan {
        cells: job.cells,
        earlier: job.earlier,
        out: job.out,
        run: job.run,
        at_once: threads(job.cells),
    };
    let status = thread::scope(|scope| {
        let events = BufReader::new(events);
        scope.spawn(|| progress::follow(events, &plan, job.told == Told::Live));
        let status = signals.run(&mut command);
        // Our end of the pipe, without which the events have no end.
        drop(command);
        status
    })?;
    if !matches!(status.code(), Some(0 | TESTS_FAILED)) && !signals.caught() {
        let mut to = terminal::stderr();
        // Nobody has to read it.
        drop(to.write_all(&fs::read(&said).unwrap_or_default()));
    }
    Ok(status)
}

/// The same command once more.
fn command_of(command: &Command) -> Command {
    let mut same = Command::new(command.get_program());
    same.args(command.get_args())
        .stdin(Stdio::null())
        .stdout(io::stderr());
    if let Some(folder) = command.get_current_dir() {
        same.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => same.env(name, value),
            None => same.env_remove(name),
        };
    }
    same
}

/// Where nextest keeps what it writes. Each run has its own: in the workspace's, two that run at once would take each
/// other's report.
fn store(out: &Path) -> PathBuf {
    out.join("nextest")
}

fn command(job: &Job<'_>) -> anyhow::Result<Command> {
    let own = job.out.join("nextest.toml");
    files::write(&own, config(&store(job.out), &job.slow).as_bytes())?;
    let mut command = nextest();
    command
        .current_dir(workspace())
        .arg("run")
        .args(what_to_run())
        .args(["--profile", nextest_profile()])
        .arg("--tool-config-file")
        .arg(tool_config(&own))
        .env(run::VARIABLE, &job.run_file)
        .env("INSTA_UPDATE", insta_update(job.snapshots))
        // The tests say themselves what differs.
        .env("INSTA_OUTPUT", "none")
        // It would ask cargo, which may not be there.
        .env("INSTA_WORKSPACE_ROOT", workspace())
        // Neither may turn a difference into a pass, whatever the environment says.
        .env_remove("INSTA_FORCE_PASS")
        .env_remove("INSTA_FORCE_UPDATE")
        .stdin(Stdio::null())
        // Standard output is for our results alone.
        .stdout(io::stderr());
    Ok(command)
}

/// The program of the cells: to be built, or as it came in an archive.
fn what_to_run() -> Vec<OsString> {
    if archive().is_none() {
        // All of it, and not one package: what is built is the same for every other test then.
        return ["--workspace", "--test", "matrix"].map(Into::into).to_vec();
    }
    let own = target().join("nextest");
    vec![
        "--binaries-metadata".into(),
        own.join("binaries-metadata.json").into(),
        "--cargo-metadata".into(),
        own.join("cargo-metadata.json").into(),
        "--target-dir-remap".into(),
        target().into(),
        "--workspace-remap".into(),
        workspace().into(),
    ]
}

/// How the cells are run, once all is built.
fn run_options(job: &Job<'_>) -> Vec<String> {
    let mut options = vec!["--no-fail-fast".to_owned()];
    // Whoever sets nextest's own variable means it, and it counts only where the option is not given.
    if std::env::var_os("NEXTEST_TEST_THREADS").is_none() {
        options.extend(["--test-threads".to_owned(), threads(job.cells).to_string()]);
    }
    let output: &[&str] = match job.told {
        // Each failure once, where it happens: our own summary ends the run.
        Told::Plainly => &["--failure-output=immediate", "--final-status-level=none"],
        // We tell it.
        Told::Live | Told::Not => &[
            "--status-level=none",
            "--final-status-level=none",
            "--success-output=never",
            "--failure-output=never",
            "--show-progress=none",
        ],
    };
    options.extend(output.iter().map(|option| (*option).to_owned()));
    options
}

fn insta_update(snapshots: Snapshots) -> &'static str {
    match (snapshots, is_ci()) {
        (Snapshots::Accepted, _) => "always",
        (Snapshots::Kept, _) | (Snapshots::Reviewed, true) => "no",
        (Snapshots::Reviewed, false) => "new",
    }
}

pub(super) fn tool_config(file: &Path) -> OsString {
    let mut argument = OsString::from("boot-matrix:");
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
fn threads(cells: &[Cell]) -> u64 {
    let processors = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let declared = cells.iter().filter_map(|cell| cell.memory_mib).max();
    let machine = declared.map_or(MACHINE_MIB, |mib| u64::from(mib) + BEYOND_MIB);
    let by_memory = available_mib().map_or(processors, |mib| mib / machine.max(MACHINE_MIB));
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
