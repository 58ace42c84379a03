//! Of what merged results are made, and what they lack.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::selection::Partition;

/// Of what merged results are made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// Whether every cell that was chosen was run, and no two runs contradict each other.
    pub proven: bool,
    /// The runs, in the order of their slices.
    pub from: Vec<Part>,
    /// Slices of which no run is there, or not with all their cells.
    pub lacking: Vec<Lacking>,
    /// The ids of cells that two runs came to different results of.
    pub contradictions: Vec<Contradiction>,
}

/// One of the runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its folder, as it was named.
    pub folder: PathBuf,
    /// Its slice.
    pub partition: Partition,
    /// When it began.
    pub began_ms: u64,
    /// How many cells it has to run.
    pub cells: usize,
    /// How many of the merged results are its own. The others are another run's, or nobody's.
    pub taken: usize,
    /// Whether it was stopped before its results were written.
    pub cut_short: bool,
}

/// A slice of which cells are missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lacking {
    /// The slice.
    pub partition: Partition,
    /// How many of its cells no run has a result of.
    pub cells: usize,
    /// The folder of a run that was to run them, and can go on; nothing where there is none.
    pub folder: Option<PathBuf>,
}

/// A cell that two runs came to different results of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradiction {
    /// The cell's id.
    pub id: String,
    /// By folder: what it came to, in a few words.
    pub seen: BTreeMap<PathBuf, String>,
}
