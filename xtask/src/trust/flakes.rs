//! Many cells on a machine that is busy with something else.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use anyhow::Context;
use clap::{Args, ValueEnum};
use scenarios::{basis::Basis, files, record::Verdict, results::Results};
use serde::{Deserialize, Serialize};

use super::kept::Figures;
use cli::{place, remark, signals::Signals, stop::Stop};

/// Memory that the run is left with, in MiB: two machines, and what watches them.
const LEFT_MIB: u64 = 1536;
/// How much later than others the kernel lets the run have a processor.
const NICE: i32 = 3;

/// How many cells, and how busy the machine is.
#[derive(Debug, Args)]
#[command(after_help = crate::examples::TRUST_FLAKES.help())]
pub(crate) struct Flakes {
    /// Boot at least this many cells, in as many runs of the default matrix as needed.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    cells: u64,
    /// Run only cells whose ids contain this.
    #[arg(long, value_name = "FILTER")]
    only: Option<String>,
    /// Continue a stopped test, with the same program and tools.
    #[arg(long)]
    resume: bool,
    /// The load on this machine during the test.
    #[arg(long, value_name = "LOAD", default_value = "full")]
    load: Load,
}

/// What a machine is kept busy with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Load {
    /// No load.
    #[default]
    None,
    /// Every processor is busy, and cells have a lower priority.
    Processors,
    /// The same, and most of the memory is in use.
    Full,
}

impl Load {
    /// In words, for a table.
    fn describe(self) -> String {
        let spinning = format!("every processor spinning, cells at nice {NICE}");
        match self {
            Self::None => "no".to_owned(),
            Self::Processors => spinning,
            Self::Full => format!("{spinning}, {LEFT_MIB} MiB of memory left"),
        }
    }
}

/// Keeps every processor and most of the memory busy until it is dropped.
struct Pressure {
    ended: Arc<AtomicBool>,
    busy: Vec<thread::JoinHandle<()>>,
    _ballast: Vec<u8>,
}

impl Pressure {
    fn begin(load: Load) -> anyhow::Result<Option<Self>> {
        if load == Load::None {
            return Ok(None);
        }
        let ended = Arc::new(AtomicBool::new(false));
        let processors = thread::available_parallelism().map_or(1, Into::into);
        let busy = (0..processors).map(|_| {
            let ended = Arc::clone(&ended);
            thread::spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        });
        let busy = busy.collect();
        let ballast = match load {
            Load::Full => {
                let free = free_mib().context("cannot find out how much memory is free")?;
                free.saturating_sub(LEFT_MIB)
            }
            Load::None | Load::Processors => 0,
        };
        // Of another value than zero, or the kernel would only promise it.
        let ballast = vec![1; usize::try_from(ballast << 20)?];
        // After the threads: what is started from here on waits for them.
        rustix::process::nice(NICE)?;
        Ok(Some(Self {
            ended,
            busy,
            _ballast: ballast,
        }))
    }
}

impl Drop for Pressure {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        for thread in self.busy.drain(..) {
            // It cannot panic.
            let _ = thread.join();
        }
    }
}

fn free_mib() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib / 1024)
}

/// What was counted so far. It is written after each run, so that hours are not lost with a machine that stops.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Tally {
    only: Option<String>,
    load: Load,
    /// That of every run so far.
    basis: Option<Basis>,
    programs: String,
    seconds: u64,
    cells: u64,
    runs: u32,
    flaky: usize,
    verdicts: BTreeMap<String, usize>,
    failures: Vec<String>,
}

impl Tally {
    fn file() -> PathBuf {
        crate::repository::target().join("trust-flakes.json")
    }

    /// The one to go on with.
    fn begin(options: &Flakes) -> anyhow::Result<Self> {
        if !options.resume {
            return Ok(Self {
                only: options.only.clone(),
                load: options.load,
                ..Self::default()
            });
        }
        let tally: Self = files::read_json(&Self::file())
            .map_err(|error| Stop::host(error, "the same without --resume"))?;
        if (&tally.only, tally.load) != (&options.only, options.load) {
            let what = "what was begun had other cells, or another load";
            return Err(
                Stop::usage(what, "give the same --only and --load, or no --resume").into(),
            );
        }
        Ok(tally)
    }

    fn add(&mut self, results: &Results, seconds: u64) -> anyhow::Result<()> {
        let is = results.basis.as_ref().context("results without a basis")?;
        let was = self.basis.get_or_insert_with(|| is.clone());
        let differences = is.differences(was);
        if !differences.is_empty() {
            let what = format!(
                "not what the runs before were made with: {}",
                differences.join("; ")
            );
            return Err(Stop::host(what, "put that back, or begin anew without --resume").into());
        }
        self.runs += 1;
        self.cells += u64::try_from(results.cells.len())?;
        self.flaky += results.totals.flaky;
        self.seconds += seconds;
        self.programs = programs(results);
        for cell in &results.cells {
            let verdict = cell.verdict.as_str().to_owned();
            *self.verdicts.entry(verdict).or_default() += 1;
            let good = matches!(cell.verdict, Verdict::AsExpected | Verdict::Skipped);
            if !good || !cell.flaky.is_empty() {
                let why = [cell.reason.as_slice(), &cell.flaky].concat().join("; ");
                let what = format!("run {}: {}: {}: {why}", self.runs, cell.id, cell.verdict);
                self.failures.push(what);
            }
        }
        files::write_json(&Self::file(), self)?;
        Ok(())
    }

    fn into_figures(self) -> Figures {
        let mut figures = Figures {
            programs: self.programs,
            seconds: self.seconds,
            failures: self.failures,
            ..Figures::default()
        };
        figures.add("cells booted", self.cells);
        figures.add("runs of the matrix", self.runs);
        for (verdict, count) in self.verdicts {
            figures.add(verdict.to_string(), count);
        }
        figures.add(
            "of these flaky: as expected only at the second try",
            self.flaky,
        );
        figures.add("load on the host", self.load.describe());
        figures
    }
}

pub(super) fn measure(options: &Flakes, signals: &'static Signals) -> anyhow::Result<Figures> {
    let mut tally = Tally::begin(options)?;
    let folder = tempfile::Builder::new()
        .prefix("trust-")
        .tempdir_in(crate::repository::target())
        .context("make a folder for the runs")?;
    let _pressure = Pressure::begin(options.load)?;
    while tally.cells < options.cells {
        let began = Instant::now();
        let results = boot_matrix(options, folder.path(), signals)?;
        if signals.caught() {
            let what = format!("interrupted in run {}", tally.runs + 1);
            return Err(Stop::host(what, "the same again with --resume").into());
        }
        tally.add(&results, began.elapsed().as_secs())?;
        remark!(
            "run {}: {} cells, {} failures",
            tally.runs,
            tally.cells,
            tally.failures.len()
        );
    }
    Ok(tally.into_figures())
}

pub(super) fn programs(results: &Results) -> String {
    let mut programs = Vec::new();
    if let Some(qemu) = &results.tools.qemu {
        programs.push(format!("QEMU {} ({})", qemu.version, results.accelerator));
    }
    let firmware = results.tools.firmware.iter();
    programs.extend(firmware.map(|tool| format!("{} {}", tool.id, tool.version)));
    programs.join(", ")
}

/// Runs the default matrix as a user does.
fn boot_matrix(
    options: &Flakes,
    folder: &Path,
    signals: &'static Signals,
) -> anyhow::Result<Results> {
    let out = folder.join("boot-matrix");
    let mut command = Command::new(place::THIS_PROGRAM);
    command
        .args(["boot-matrix", "--quiet", "--out"])
        .arg(&out)
        .args(&options.only)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
    signals.run(&mut command).context("cannot start a run")?;
    Results::read(&out)
        .map_err(|error| Stop::host(error, "cargo xtask boot-matrix, which says why").into())
}
