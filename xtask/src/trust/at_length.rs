//! What tests try when they are given their time: they tell of each thing in a line of JSON.

use std::{fs, time::Instant};

use anyhow::Context;

use super::kept::{Figures, Table};
use crate::repository::workspace;
use cli::{place::cargo, signals::Signals, stop::Stop};

/// Names the file for the lines.
const FILE: &str = "BOOT_MATRIX_FIGURES";

/// Runs some tests of the harness's machines, or of the runner: `tests` is a filterset of nextest's.
pub(super) fn measure(tests: &str, signals: &'static Signals) -> anyhow::Result<Figures> {
    let folder = tempfile::Builder::new()
        .prefix("trust-")
        .tempdir_in(crate::repository::target())
        .context("make a folder for the figures")?;
    let file = folder.path().join("figures.jsonl");
    let began = Instant::now();
    let mut command = cargo();
    command
        .current_dir(workspace())
        .args([
            "nextest",
            "run",
            "--workspace",
            "--no-fail-fast",
            "--ignore-default-filter",
        ])
        .args(["--test", "machines", "--test", "faults"])
        .args(["--filterset", tests])
        .env(FILE, &file);
    let status = signals.run(&mut command).context("cannot start cargo")?;
    if signals.caught() {
        return Err(Stop::host("interrupted", "the same again").into());
    }
    let lines = fs::read_to_string(&file).unwrap_or_default();
    let mut figures = Figures {
        seconds: began.elapsed().as_secs(),
        ..Figures::default()
    };
    if !status.success() {
        let what =
            format!("the tests {tests} ended with {status}; nextest says above which failed");
        figures.failures.push(what);
    }
    figures.add("cases", lines.lines().count());
    figures.tables.extend(table(&lines)?);
    Ok(figures)
}

/// A row for each line, of columns and what stands in them. Tests end in any order, and so rows are sorted.
fn table(lines: &str) -> anyhow::Result<Option<Table>> {
    let told: Result<Vec<Vec<(String, String)>>, _> =
        lines.lines().map(serde_json::from_str).collect();
    let told = told.context("the figures cannot be read")?;
    let Some(first) = told.first() else {
        return Ok(None);
    };
    let head = first.iter().map(|(column, _)| column.clone()).collect();
    let row = |columns: Vec<(String, String)>| columns.into_iter().map(|(_, figure)| figure);
    let mut rows: Vec<Vec<String>> = told
        .into_iter()
        .map(|columns| row(columns).collect())
        .collect();
    rows.sort();
    Ok(Some(Table { head, rows }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_rows() {
        let made = table("[[\"b\", \"y\"], [\"a\", \"1\"]]\n[[\"b\", \"x\"], [\"a\", \"2\"]]\n")
            .unwrap()
            .unwrap();
        assert_eq!(made.head, ["b", "a"]);
        assert_eq!(made.rows, [["x", "2"], ["y", "1"]]);
        assert!(table("").unwrap().is_none());
        assert!(table("[[\"a\", ").is_err());
    }
}
