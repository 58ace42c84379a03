//! The parts that all text output of results shares.

use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use scenarios::{record::CellResult, results::Totals};

use crate::{
    options::BootMatrix,
    terminal::{BAD, CAUTION, FAINT, Terminal},
};

/// How much detail is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Detail {
    /// The failures and the totals.
    Quiet,
    /// Also the table, and one line of explanation for each failure.
    Normal,
    /// Also complete reasons, and the cells that are as expected.
    Verbose,
}

impl Detail {
    /// The detail that the options request.
    pub(super) const fn of(options: &BootMatrix) -> Self {
        match (options.quiet, options.verbose) {
            (true, _) => Self::Quiet,
            (false, false) => Self::Normal,
            (false, true) => Self::Verbose,
        }
    }
}

/// The settings for printing the results of a run.
pub(super) struct Output<'a> {
    /// The folder of the results.
    pub(super) out: &'a Path,
    /// How long it took, if it was one run.
    pub(super) took: Option<Duration>,
    /// How much detail is printed.
    pub(super) detail: Detail,
    /// The option that accepts the differences, if one does.
    pub(super) accept: Option<&'static str>,
}

/// The text that people read for `infra` in the results.
pub(super) const ERROR: &str = "error (the run failed, not the disc)";

/// Writes a line with its marks in colours.
pub(super) fn paint_marks(to: &mut Terminal<impl Write>, line: &str) -> io::Result<()> {
    for (number, word) in line.split(' ').enumerate() {
        if number > 0 {
            write!(to, " ")?;
        }
        match word.chars().next_back() {
            Some('✗') => to.paint(BAD, word)?,
            Some('!') => to.paint(CAUTION, word)?,
            Some('–' | '·') => to.paint(FAINT, word)?,
            _ => write!(to, "{word}")?,
        }
    }
    Ok(())
}

/// At most this many problems of a kind are printed individually; the results have all of them.
pub(super) const PROBLEMS: usize = 40;

/// `refused 0009 at catalog-read (Could not read from CDROM)`; `handed-over, gave-up at loader (isolinux gave up: Failed to load ldlinux.c32)`.
pub(super) fn in_words(record: &CellResult) -> String {
    let happened = record.happened().unwrap_or_default();
    let detail = record
        .outcome
        .as_ref()
        .map(|outcome| outcome.detail.as_str());
    match detail.unwrap_or_default() {
        "" => happened,
        detail => format!("{happened} ({detail})"),
    }
}

/// `12 cells: 11 as expected, 1 mismatch`.
pub fn sentence(totals: &Totals) -> String {
    let parts = [
        (totals.as_expected, "as expected"),
        (totals.observed, "observed"),
        (totals.mismatch, "mismatch"),
        (totals.skipped, "skipped"),
        (totals.infra, "error"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let cells = if totals.cells == 1 { "cell" } else { "cells" };
    let flaky = match totals.flaky {
        0 => String::new(),
        flaky => format!(" ({flaky} flaky)"),
    };
    format!("{} {cells}: {}{flaky}", totals.cells, parts.join(", "))
}
