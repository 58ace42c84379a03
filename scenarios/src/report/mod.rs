//! What the page about a run shows: every cell with its outcome, and the evidence of those that are not as they should be.
//!
//! The model knows nothing of HTML. It is made from the folder of a run as it is: cut short, of another version, with evidence missing. What
//! cannot be read is told, and the rest is shown.

mod details;
mod left;
mod page;

use std::{collections::BTreeSet, path::Path};

use harness::attachment::Attachment;
use serde::Serialize;

pub use self::{
    details::{Details, Line, Read, Serial},
    page::{Change, Command, DiffLine, Page, Reason, Step},
};
use crate::{
    compare::Comparison,
    files::FileError,
    gate::{self, Cause},
    results::{Host, Tools, Totals},
};

/// The name of the page in the folder of a run.
pub const FILE: &str = "report.html";
/// So many bytes of evidence are shown on the page; of what is left, where it lies.
const BUDGET: usize = 5 << 20;

/// So many cells are on the page: a browser shows no more within a second.
const SHOWN: usize = 10_000;

/// A run, to be shown.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// When it began, in milliseconds since 1970.
    pub began_ms: Option<u64>,
    /// The machine it ran on.
    pub host: Option<Host>,
    /// The accelerator, which ran the guests' instructions.
    pub accelerator: Option<String>,
    /// What was used.
    pub tools: Option<Tools>,
    /// The number of cells for each verdict.
    pub totals: Totals,
    /// What is missing, or not as it should be, one sentence each.
    pub missing: Vec<String>,
    /// What is not as it was accepted, or as in an earlier run: each cause once, the worst first.
    pub causes: Vec<ShownCause>,
    /// What else somebody has to look at, told once for all cells that it shows in.
    pub failures: Vec<Failure>,
    /// The words by which cells can be chosen.
    pub axes: Vec<Axis>,
    /// The columns of the grid.
    pub columns: Vec<Column>,
    /// Its rows, those with failures first.
    pub rows: Vec<Row>,
    /// Every cell, those that are not as they should be first.
    pub cells: Vec<Page>,
    /// How they compare with those of another master, or of another run.
    pub comparison: Option<Comparison>,
}

/// A cause, in the words of the terminal.
#[derive(Clone, Debug, Serialize)]
pub struct ShownCause {
    /// What changed, what came of it, and what to do.
    #[serde(flatten)]
    pub cause: Cause,
    /// Which of the report's cells these are.
    pub squares: Vec<usize>,
}

/// What went wrong with one disc on one firmware in the same way.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// The disc's id.
    pub disc: String,
    /// The firmware, with its build where one was chosen.
    pub firmware: String,
    /// What happened.
    pub happened: String,
    /// Which of the report's cells these are.
    pub cells: Vec<usize>,
}

/// One part of the ids, and the words that it has.
#[derive(Clone, Debug, Serialize)]
pub struct Axis {
    /// Its name, as in `results.json`.
    pub name: &'static str,
    /// Its words, in order.
    pub values: Vec<String>,
}

/// A column of the grid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Column {
    /// The firmware, with its build where one was chosen.
    pub firmware: String,
    /// How discs hang on the machine.
    pub attachment: Attachment,
}

/// A row of the grid: a scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its name.
    pub scenario: String,
    /// How many of its cells are not as they should be.
    pub failures: usize,
    /// By column: which of the report's cells stand there.
    pub squares: Vec<Vec<usize>>,
}

impl Report {
    /// Reads what a run left in a folder.
    ///
    /// # Errors
    /// It left nothing from which one could tell what was run.
    pub fn read(out: &Path) -> Result<Self, FileError> {
        let mut left = left::read(out)?;
        let mut records = left.cells;
        let totals = Totals::of(&records);
        let causes = gate::all_causes(&records, left.comparison.as_ref());
        // Stable: the order of the run stays.
        records.sort_by_key(page::urgency);
        if records.len() > SHOWN {
            left.missing.push(format!(
                "To keep the page usable, it shows {SHOWN} of {} cells, failures first. results.json has all of them.",
                records.len()
            ));
            records.truncate(SHOWN);
        }
        let mut budget = BUDGET;
        let cells: Vec<Page> = records
            .into_iter()
            .map(|record| Page::read(out, record, &mut budget))
            .collect();
        let causes: Vec<ShownCause> = causes
            .into_iter()
            .map(|cause| shown(cause, &cells))
            .collect();
        let columns: BTreeSet<Column> = cells.iter().map(column).collect();
        let columns: Vec<Column> = columns.into_iter().collect();
        Ok(Self {
            began_ms: left.began_ms,
            host: left.host,
            accelerator: left.accelerator,
            tools: left.tools,
            totals,
            missing: left.missing,
            failures: failures(&cells, &causes),
            causes,
            axes: axes(&cells),
            rows: rows(&cells, &columns),
            columns,
            cells,
            comparison: left.comparison,
        })
    }
}

fn column(cell: &Page) -> Column {
    Column {
        firmware: cell.result.firmware.clone(),
        attachment: cell.result.attachment,
    }
}

fn shown(cause: Cause, cells: &[Page]) -> ShownCause {
    let own: BTreeSet<&str> = cause.cells.iter().map(String::as_str).collect();
    let squares = cells.iter().enumerate();
    let squares = squares.filter(|(_, cell)| own.contains(&*cell.result.id));
    ShownCause {
        squares: squares.map(|(index, _)| index).collect(),
        cause,
    }
}

/// The failures of which no cause is told.
fn failures(cells: &[Page], causes: &[ShownCause]) -> Vec<Failure> {
    let told: BTreeSet<usize> = causes.iter().flat_map(|it| it.squares.clone()).collect();
    let mut failures: Vec<Failure> = Vec::new();
    let failed = |(index, cell): &(usize, &Page)| cell.result.is_failure() && !told.contains(index);
    for (index, cell) in cells.iter().enumerate().filter(failed) {
        let result = &cell.result;
        let disc = [
            &result.scenario,
            &result.medium,
            &result.boot,
            &result.size,
            &result.master,
        ]
        .map(String::as_str)
        .join("/");
        let alike = |failure: &&mut Failure| {
            let first = failure.cells.first().and_then(|&first| cells.get(first));
            failure.disc == disc
                && failure.firmware == result.firmware
                && first.is_some_and(|first| first.happened == cell.happened)
        };
        match failures.iter_mut().find(alike) {
            Some(failure) => failure.cells.push(index),
            None => failures.push(Failure {
                disc,
                firmware: result.firmware.clone(),
                happened: cell.happened.clone(),
                cells: vec![index],
            }),
        }
    }
    failures
}

fn rows(cells: &[Page], columns: &[Column]) -> Vec<Row> {
    let names: BTreeSet<&str> = cells
        .iter()
        .map(|cell| cell.result.scenario.as_str())
        .collect();
    let mut rows: Vec<Row> = names
        .into_iter()
        .map(|scenario| Row {
            scenario: scenario.to_owned(),
            failures: 0,
            squares: vec![Vec::new(); columns.len()],
        })
        .collect();
    for (index, cell) in cells.iter().enumerate() {
        let row = rows.binary_search_by(|row| row.scenario.as_str().cmp(&cell.result.scenario));
        let column = columns.binary_search(&column(cell));
        if let (Ok(row), Ok(column)) = (row, column) {
            rows[row].squares[column].push(index);
            rows[row].failures += usize::from(cell.result.is_failure());
        }
    }
    for row in &mut rows {
        // Within a square failures came first too; there the discs are looked for in order.
        for square in &mut row.squares {
            square.sort_by(|&one, &other| cells[one].result.id.cmp(&cells[other].result.id));
        }
    }
    rows.sort_by_key(|row| row.failures == 0);
    rows
}

/// The axes with more than one word: by the others nothing can be chosen.
fn axes(cells: &[Page]) -> Vec<Axis> {
    type Word = fn(&Page) -> String;
    const AXES: [(&str, Word); 11] = [
        ("verdict", |cell| cell.result.verdict.to_string()),
        ("outcome", |cell| {
            let outcome = cell.result.outcome.as_ref();
            outcome.map_or_else(|| "none".to_owned(), |outcome| outcome.kind.to_string())
        }),
        ("guest", |cell| {
            let guest = cell.result.guest.as_ref();
            guest.map_or_else(|| "none".to_owned(), |guest| guest.state.to_string())
        }),
        ("starts", |cell| {
            let starts = cell.result.starts;
            starts.map_or_else(|| "none".to_owned(), |starts| starts.to_string())
        }),
        ("scenario", |cell| cell.result.scenario.clone()),
        ("medium", |cell| cell.result.medium.clone()),
        ("boot", |cell| cell.mode.clone()),
        ("size", |cell| cell.result.size.clone()),
        ("master", |cell| cell.result.master.clone()),
        ("firmware", |cell| cell.result.firmware.clone()),
        ("attachment", |cell| cell.result.attachment.to_string()),
    ];
    let axes = AXES.map(|(name, word)| {
        let values: BTreeSet<String> = cells.iter().map(word).collect();
        Axis {
            name,
            values: values.into_iter().collect(),
        }
    });
    axes.into_iter()
        .filter(|axis| axis.values.len() > 1)
        .collect()
}

#[cfg(test)]
mod tests;
