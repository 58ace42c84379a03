//! The programs whose words are known.

use std::path::Path;

use harness::guest::Vocabulary;
use scenarios::matrix::Matrix;

use super::markdown::markdown_table;

/// One row for each program, by its name.
pub(super) fn table(_: &Path, _: &Matrix) -> Result<String, String> {
    let head = ["program", "known messages"].map(str::to_owned);
    let vocabulary = Vocabulary::builtin();
    let mut programs = vocabulary.programs();
    programs.sort_unstable();
    let rows: Vec<Vec<String>> = programs
        .iter()
        .map(|(program, words)| vec![(*program).to_owned(), words.to_string()])
        .collect();
    let words: usize = programs.iter().map(|(_, words)| words).sum();
    let sum = format!("\n{} programs, {words} known messages.\n", programs.len());
    Ok(markdown_table(&head, &rows) + &sum)
}
