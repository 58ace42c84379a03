//! What is booted when nothing else is asked for.

use std::path::Path;

use scenarios::{matrix::Matrix, words::Set};

use super::markdown::markdown_table;

/// One row for each scenario of the default set, in the order of its files.
pub(super) fn table(_: &Path, matrix: &Matrix) -> Result<String, String> {
    let head = ["scenario", "cells", "what it shows"].map(str::to_owned);
    let scenarios = matrix.scenarios.iter();
    let scenarios = scenarios.filter(|scenario| scenario.set == Set::Default);
    let rows: Vec<Vec<String>> = scenarios
        .map(|scenario| {
            vec![
                format!("`{}`", scenario.name),
                scenario.cells().count().to_string(),
                scenario.summary.clone(),
            ]
        })
        .collect();
    let cells = matrix.cells().filter(|cell| cell.set == Set::Default);
    let sum = format!("\nTotal: {} cells.\n", cells.count());
    Ok(markdown_table(&head, &rows) + &sum)
}
