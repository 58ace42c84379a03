//! `cargo xtask bench`: speed as ratios within one run, each of medians.

mod discs;
mod families;
mod machines;
mod report;
mod timing;
mod whole;

use std::{
    env, ffi::OsString, io::Write, os::unix::process::CommandExt, path::PathBuf, process::ExitCode,
};

use anyhow::Context;
use clap::Args;
use harness::{
    accelerator::Accelerator,
    arch::Architecture,
    attachment::Attachment,
    checkpoint::Checkpoints,
    firmware::{self, FirmwareId},
    platform::Platform,
};
use scenarios::toolbox::{AcceleratorWish, Toolbox};

use self::{machines::OneMachine, report::Report};
use cli::{
    host::Host,
    options::{AcceleratorChoice, Format},
    place::{self, cargo},
    remark,
    signals::Signals,
    stop::Stop,
};

/// Measure how long things take, and compare the times in one run.
#[derive(Debug, Args)]
#[command(after_help = crate::examples::BENCH.help())]
pub(crate) struct Bench {
    /// How many times each thing is timed; the median counts. Slow things are timed fewer times.
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) runs: u32,
    /// Also time OVMF with every attachment and the whole default matrix, which takes some minutes.
    #[arg(long)]
    pub(crate) whole: bool,
    /// In addition to --whole, run every cell of the default matrix from power-on, one after another. This takes at least ten minutes.
    #[arg(long)]
    pub(crate) cold_matrix: bool,
    /// Also clone the repository, build it from an empty target folder and run one cell, and time this first result.
    #[arg(long)]
    pub(crate) clone: bool,
    /// The QEMU to use.
    #[arg(long, value_name = "PATH")]
    pub(crate) qemu: Option<PathBuf>,
    /// How QEMU runs the guest's instructions.
    #[arg(long, value_name = "ACCELERATOR", default_value = "measure")]
    pub(crate) accelerator: AcceleratorChoice,
    /// The output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// Run one machine and print the peak memory of QEMU, in bytes: the benchmark asks this of itself.
    #[arg(long, value_name = "MACHINE", hide = true)]
    pub(crate) peak_memory: Option<OneMachine>,
}

/// What everything is measured with.
struct Bed {
    toolbox: Toolbox,
    checkpoints: Checkpoints,
    folder: tempfile::TempDir,
    runs: u32,
    signals: &'static Signals,
}

pub(crate) fn run(options: &Bench) -> anyhow::Result<ExitCode> {
    if cfg!(debug_assertions) {
        return Err(as_installed());
    }
    let bed = Bed::new(options)?;
    if let Some(machine) = options.peak_memory {
        let bytes = machines::peak(&bed, machine)?;
        writeln!(cli::terminal::answer(), "{bytes}").context("cannot write")?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut report = Report {
        host: Host::this(&bed.toolbox),
        times: Vec::new(),
        rows: Vec::new(),
    };
    let whole = options.whole || options.cold_matrix;
    machines::measure(&bed, whole, &mut report)?;
    families::measure(&bed, &mut report)?;
    discs::measure(&bed, &mut report)?;
    if whole {
        whole::warm_up(&bed)?;
        whole::matrix(&bed, options.cold_matrix, &mut report)?;
        whole::refused(&bed, &mut report)?;
    }
    if options.clone {
        whole::clone(&bed, &mut report)?;
    }
    report
        .print(&mut cli::terminal::answer(), options.format)
        .context("cannot write the report")?;
    Ok(ExitCode::SUCCESS)
}

/// Continues in a release build, which is what users install. Returns only if cargo cannot be started.
fn as_installed() -> anyhow::Error {
    remark!("bench: builds the program for release, as `cargo install` does");
    let error = cargo()
        .current_dir(crate::repository::workspace())
        .args(["run", "--release", "--quiet", "--package", "xtask", "--"])
        .args(env::args_os().skip(1))
        .exec();
    anyhow::Error::new(error).context("cannot start cargo")
}

impl Bed {
    fn new(options: &Bench) -> anyhow::Result<Self> {
        // Before any thread is started.
        let signals = Signals::catch()?;
        let wish = AcceleratorWish::from(options.accelerator);
        let target = crate::repository::target();
        let toolbox = Toolbox::find(options.qemu.as_deref(), wish, &target)
            .map_err(|error| Stop::host(error.what(), "cargo xtask doctor"))?;
        let folder = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(target)
            .context("make a folder for the benchmark")?;
        Ok(Self {
            toolbox,
            checkpoints: Checkpoints::in_folder(place::checkpoints()?),
            folder,
            runs: options.runs,
            signals,
        })
    }

    fn accelerator(&self) -> Accelerator {
        self.toolbox.accelerator.accelerator
    }

    fn platform(&self, firmware: FirmwareId, attachment: Attachment) -> Result<Platform, Stop> {
        let firmware = firmware::select(&self.toolbox.firmware, firmware)
            .map_err(|error| Stop::host(error.what(), "cargo xtask doctor"))?;
        let qemu = match firmware.id.architecture() {
            Architecture::X86 => self.toolbox.qemu.clone(),
            other => (self.toolbox.qemu.locate_for(other))
                .map_err(|error| Stop::host(error.to_string(), "cargo xtask doctor"))?,
        };
        Ok(Platform::new(
            qemu,
            firmware.clone(),
            self.accelerator(),
            attachment,
        ))
    }

    /// The options that give another of our commands the same emulator.
    fn tooling(&self) -> [OsString; 4] {
        [
            "--qemu".into(),
            self.toolbox.qemu.path.clone().into(),
            "--accelerator".into(),
            self.accelerator().as_str().into(),
        ]
    }

    fn unless_interrupted(&self) -> Result<(), Stop> {
        if self.signals.caught() {
            return Err(Stop::host("interrupted", "the same again"));
        }
        Ok(())
    }
}
