//! What both programs can be asked to do, and what runs it.

use std::process::ExitCode;

use clap::{Command, Subcommand};

use crate::{
    boot_matrix, checkpoints, completions, conformance, doctor, firmware, image, inspect, listen,
    merge,
    options::{
        BootMatrix, Cell, Checkpoints, Completions, Conformance, Doctor, Firmware, Format, Image,
        Inspect, Listen, Merge, Report, Repro, RunFormat,
    },
    report, repro,
};

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Each program has its own name for it.
    #[command(skip)]
    BootMatrix(Box<BootMatrix>),
    /// Score a tool that masters discs: let it make each disc of the conformance kit, and count the correct ones.
    Conformance(Conformance),
    /// Master one disc.
    Image(Image),
    /// Read a disc without booting it, and report its contents and its defects.
    Inspect(Inspect),
    /// Find out why a disc does not boot: boot it on each firmware with each attachment, and explain the result.
    Repro(Box<Repro>),
    /// Join the results of several runs (the slices of one matrix), and check that every cell was run and counts once.
    Merge(Merge),
    /// Regenerate the page about a run, report.html, from its results and evidence.
    Report(Report),
    /// Follow the probe of a disc that a real machine boots, over a serial port, and judge its report.
    Listen(Listen),
    /// List, fetch, add or remove builds of firmware other than the host's.
    Firmware(Firmware),
    /// List or remove the saved machines from which cells start.
    Checkpoints(Checkpoints),
    /// List what boot-matrix needs on this machine, and what is missing.
    Doctor(Doctor),
    /// Print a script that lets a shell complete cargo xtask.
    Completions(Completions),
    /// Run one cell of a run. boot-matrix starts this verb in a process for each cell.
    #[command(hide = true)]
    Cell(Cell),
}

impl Verb {
    /// How the verb is asked to answer.
    pub const fn format(&self) -> Format {
        match self {
            Self::BootMatrix(options) => match options.format {
                RunFormat::Json => Format::Json,
                RunFormat::Text | RunFormat::Github => Format::Text,
            },
            Self::Repro(options) => options.format,
            Self::Conformance(options) => options.format,
            Self::Image(options) => options.format,
            Self::Inspect(options) => options.format.of_errors(),
            Self::Merge(options) => options.format,
            Self::Report(options) => options.format,
            Self::Listen(options) => options.format,
            Self::Firmware(options) => options.format,
            Self::Checkpoints(options) => options.format,
            Self::Doctor(options) => options.format,
            Self::Completions(_) | Self::Cell(_) => Format::Text,
        }
    }
    /// Runs it. `all` is what can be typed.
    pub(crate) fn run(self, all: &Command) -> anyhow::Result<ExitCode> {
        match self {
            Self::BootMatrix(options) => boot_matrix::run(&options),
            Self::Conformance(options) => conformance::run(&options),
            Self::Image(options) => image::run(&options),
            Self::Inspect(options) => inspect::run(&options),
            Self::Repro(options) => repro::run(&options),
            Self::Merge(options) => merge::run(&options),
            Self::Report(options) => report::run(&options),
            Self::Listen(options) => listen::run(&options),
            Self::Doctor(options) => doctor::run(&options),
            Self::Cell(options) => boot_matrix::cells::one(&options),
            Self::Completions(options) => completions::run(&options, all),
            Self::Checkpoints(options) => checkpoints::run(&options),
            Self::Firmware(options) => firmware::run(&options),
        }
    }
}
