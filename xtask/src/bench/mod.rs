//! `cargo xtask bench`: speed as ratios within one run, each a median.

mod discs;
mod machines;
mod timing;
mod whole;

use std::{io::Write, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::Args;
use harness::{
    firmware::{self, Firmware, FirmwareId},
    qemu::Qemu,
};
use serde::Serialize;

use crate::{cli::Format, place, stop::Stop};

/// Measure how long things take, as ratios in one run.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// How often each thing is timed; the median counts.
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) runs: u32,
    /// Also run the whole default matrix, which takes minutes.
    #[arg(long)]
    pub(crate) whole: bool,
    /// Also clone the repository, build it from an empty target folder and run one cell: time to the first result.
    #[arg(long)]
    pub(crate) clone: bool,
    /// The QEMU to use.
    #[arg(long, value_name = "PATH")]
    pub(crate) qemu: Option<PathBuf>,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

/// One measured thing.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// What was measured.
    what: String,
    /// The figure, with its unit.
    figure: String,
    /// The aim, where there is one.
    #[serde(skip_serializing_if = "str::is_empty")]
    aim: &'static str,
}

impl Row {
    fn new(what: impl Into<String>, figure: impl Into<String>, aim: &'static str) -> Self {
        Self {
            what: what.into(),
            figure: figure.into(),
            aim,
        }
    }
}

/// What everything is measured with.
struct Bed {
    qemu: Qemu,
    seabios: Firmware,
    ovmf: Firmware,
    folder: tempfile::TempDir,
    runs: u32,
}

pub(crate) fn run(options: &Bench) -> anyhow::Result<ExitCode> {
    let mut rows = Vec::new();
    let bed = Bed::new(options)?;
    rows.extend(machines::measure(&bed)?);
    rows.extend(discs::measure(&bed)?);
    if options.whole {
        rows.extend(whole::matrix(bed.folder.path())?);
    }
    if options.clone {
        rows.extend(whole::clone(bed.folder.path())?);
    }
    print(options.format, &rows)?;
    Ok(ExitCode::SUCCESS)
}

impl Bed {
    fn new(options: &Bench) -> anyhow::Result<Self> {
        let remedy = "cargo xtask doctor";
        let missing = |what: String| Stop::host(&what, remedy);
        let qemu = Qemu::locate(options.qemu.as_deref()).map_err(|error| missing(error.what()))?;
        let found = firmware::discover(&qemu);
        let select = |id| {
            firmware::select(&found, id)
                .cloned()
                .map_err(|error| missing(error.what()))
        };
        let (seabios, ovmf) = (select(FirmwareId::Seabios)?, select(FirmwareId::Ovmf)?);
        let target = place::target();
        let folder = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(target)
            .context("make a folder for the benchmark")?;
        Ok(Self {
            qemu,
            seabios,
            ovmf,
            folder,
            runs: options.runs,
        })
    }
}

fn print(format: Format, rows: &[Row]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match format {
        Format::Json => {
            let json = serde_json::json!({ "schema": "bench/1", "rows": rows });
            writeln!(out, "{}", serde_json::to_string_pretty(&json)?)?;
        }
        Format::Text => {
            writeln!(out, "| measured | figure | aim |\n|---|---|---|")?;
            for row in rows {
                writeln!(out, "| {} | {} | {} |", row.what, row.figure, row.aim)?;
            }
        }
    }
    Ok(())
}
