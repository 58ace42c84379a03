//! The page about a run: one file that shows where booting broke, on what, and why.

mod bytes;
mod map;
mod page;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::Context;
use scenarios::{
    files,
    report::{self, Report},
};
use serde_json::json;

use crate::{
    options::{self, Format},
    place::{absolute, cache},
    stop::Stop,
};

/// Runs the verb.
pub(crate) fn run(options: &options::Report) -> anyhow::Result<ExitCode> {
    let folder = options.folder.clone();
    let out = match folder {
        Some(folder) => absolute(&folder),
        None => cache()?.join("boot-matrix"),
    };
    let report = Report::read(&out).map_err(|error| {
        let remedy = "the folder of a run: cargo xtask boot-matrix --out DIR leaves one";
        Stop::usage(error, remedy)
    })?;
    let file = write(&report, &out)?;
    let mut stdout = crate::terminal::answer();
    match options.format {
        Format::Json => writeln!(
            stdout,
            "{}",
            json!({ "schema": "report/1", "file": file, "totals": report.totals, "missing": report.missing })
        ),
        Format::Text => {
            report
                .missing
                .iter()
                .for_each(|what| remark!("{what}"));
            writeln!(stdout, "{}", file.display())
        }
    }
    .context("cannot write")?;
    if options.open {
        open(&file)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the page about the run in a folder into that folder.
pub(crate) fn make(out: &Path) -> anyhow::Result<PathBuf> {
    write(&Report::read(out)?, out)
}

fn write(report: &Report, out: &Path) -> anyhow::Result<PathBuf> {
    let file = out.join(report::FILE);
    let page = page::render(report).context("the page cannot be made")?;
    files::write(&file, page.as_bytes()).map_err(|error| {
        Stop::host(error, "free some space there, or copy the folder elsewhere")
    })?;
    Ok(file)
}

/// Shows it in whatever shows pages here.
fn open(file: &Path) -> Result<(), Stop> {
    const OPENER: &str = "xdg-open";
    let nothing = |why: String| {
        let remedy = format!("open {} in a browser", file.display());
        Stop::host(format!("{OPENER} shows no page: {why}"), remedy)
    };
    let mut command = Command::new(OPENER);
    command.arg(file).stdin(Stdio::null()).stdout(Stdio::null());
    let status = command
        .status()
        .map_err(|error| nothing(error.to_string()))?;
    if status.success() {
        Ok(())
    } else {
        Err(nothing(status.to_string()))
    }
}
