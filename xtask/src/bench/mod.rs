//! `cargo xtask bench`: speed as ratios within one run, each of medians.

mod bed;
mod discs;
mod families;
mod machines;
mod report;
mod timing;
mod whole;

use std::{env, io::Write, os::unix::process::CommandExt, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::Args;

use self::{bed::Bed, machines::OneMachine, report::Report};
use cli::{
    host::Host,
    options::{AcceleratorChoice, Format},
    place::cargo,
    remark,
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

pub(crate) fn run(options: &Bench) -> anyhow::Result<ExitCode> {
    if cfg!(debug_assertions) {
        return Err(as_installed());
    }
    let bed = Bed::new(options.qemu.as_deref(), options.accelerator, options.runs)?;
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
