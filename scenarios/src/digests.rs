//! A digest of the bytes of every disc that boot-matrix masters itself: always the same on every machine.

use std::{collections::BTreeMap, fmt::Write};

use images::reference::MasteredDisc;

use crate::{
    cell::{DiscSource, Recipe},
    disc,
    matrix::Matrix,
};

/// The file that keeps them, below the folder of the workspace.
pub const FILE: &str = "scenarios/digests.txt";

/// A line for each disc, in the order of their ids: its digest, or its master's reason to refuse it; two spaces; its id.
#[must_use]
pub fn of(matrix: &Matrix) -> String {
    let mut recipes: BTreeMap<String, Recipe> = BTreeMap::new();
    for cell in matrix.cells() {
        if let DiscSource::Mastered(recipe) = cell.disc
            && matrix.masters.has_built_in(recipe.master.as_str())
        {
            recipes.insert(recipe.id.to_string(), recipe);
        }
    }
    let mut text = String::new();
    for (id, recipe) in recipes {
        let digest = match disc::master_in_memory(&recipe) {
            Ok(MasteredDisc { bytes, .. }) => bytes.digest(),
            Err(refusal) => format!("refused: {refusal}"),
        };
        // Writing to memory cannot fail.
        let _ = writeln!(text, "{digest}  {id}");
    }
    text
}
