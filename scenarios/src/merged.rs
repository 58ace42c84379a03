//! The sources of merged results, and the missing cells.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::selection::Partition;

/// The sources of merged results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// Whether every chosen cell was run, and no two runs contradict each other.
    pub proven: bool,
    /// The runs, in the order of their slices.
    pub from: Vec<Part>,
    /// Slices without a run, or without all their cells.
    pub lacking: Vec<Lacking>,
    /// The cells with different results in two runs.
    pub contradictions: Vec<Contradiction>,
}

/// One of the runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its folder, as the user named it.
    pub folder: PathBuf,
    /// Its slice.
    pub partition: Partition,
    /// When it began.
    pub began_ms: u64,
    /// How many cells it has to run.
    pub cells: usize,
    /// The number of merged results from this run. The others come from another run, or are missing.
    pub taken: usize,
    /// Whether it was stopped before its results were written.
    pub cut_short: bool,
}

/// A slice with missing cells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lacking {
    /// The slice.
    pub partition: Partition,
    /// The number of its cells without a result in any run.
    pub cells: usize,
    /// The folder of an unfinished run of them, which can continue; nothing if there is none.
    pub folder: Option<PathBuf>,
}

/// A cell with different results in two runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradiction {
    /// The cell's id.
    pub id: String,
    /// By folder: its result, in a few words.
    pub seen: BTreeMap<PathBuf, String>,
}
