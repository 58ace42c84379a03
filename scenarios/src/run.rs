//! The run file, which the command line writes for the tests.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use crate::{
    basis::Basis,
    cell::Cell,
    files::{self, FileError},
    id::CellId,
    master::{MasterSource, Masters},
    matrix::{self, Folder, Matrix},
    read_error::ReadError,
    record,
    selection::Partition,
    terms::{Accepted, Starts},
    toolbox::Toolbox,
};

/// The environment variable with the run file's path.
pub const VARIABLE: &str = "BOOT_MATRIX_RUN";
/// The name of the run file, in the folder for results.
pub const FILE: &str = "run.json";
/// The name of the list of cells there, one id per line.
pub const LIST: &str = "cells.txt";
/// The name of the list of cells that a stopped run has not run yet.
pub const LEFT: &str = "left.txt";
/// The name of the list of all cells, if a run has one slice of them.
pub const WHOLE: &str = "whole.txt";

/// One run of cells, as the command line resolved it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Where the scenarios are.
    pub folders: Vec<Folder>,
    /// The descriptions of the mastering tools.
    pub masters: Vec<MasterSource>,
    /// By scenario: the file and folder that declare it. A test looks up its own cell there, and reads no other file.
    pub scenarios: Vec<Declared>,
    /// A file with the ids of the cells, one per line. A test of one id does not read it.
    pub cells: PathBuf,
    /// The folder for results and evidence.
    pub out: PathBuf,
    /// The tools that the cells are booted with; without it, each test looks for them itself.
    pub toolbox: Option<Toolbox>,
    /// What cells are compared with, in addition to the scenarios' declarations.
    pub accepted: Accepted,
    /// Whether the observed results are accepted.
    pub accept: bool,
    /// Whether a baseline counts to the last block, not only in the content that booting depends on.
    #[serde(default)]
    pub strict: bool,
    /// When it began. This identifies the run and its records.
    pub began: SystemTime,
    /// When it began or was last continued. A disc that was mastered earlier is mastered again: its master may have changed, or the
    /// power may have failed before it was on the disk.
    pub went_on: SystemTime,
    /// The arguments that chose its cells and how they are judged, as typed after the verb.
    #[serde(default)]
    pub words: Vec<String>,
    /// Its slice of the chosen cells; nothing for all of them.
    #[serde(default)]
    pub partition: Option<Partition>,
    /// Everything that determines its results; nothing if it cannot be continued.
    #[serde(default)]
    pub basis: Option<Basis>,
    /// The digest of its list of cells from [`crate::basis::ids_sha256`]: with another list, it is another run.
    #[serde(default)]
    pub listed_sha256: String,
    /// The results that its cells are also compared with, as the user named them.
    #[serde(default)]
    pub against: Option<PathBuf>,
    /// Whether it reruns the failed cells of an earlier run, and completes that run.
    #[serde(default)]
    pub reruns: bool,
    /// Where the machines start from.
    pub starts: Starts,
    /// The folder with the checkpoints that they may start from. Runs share it.
    pub checkpoints: PathBuf,
    /// The folder with the packages for live discs. Runs share it.
    #[serde(default)]
    pub live: PathBuf,
}

/// The place where a scenario is declared.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Declared {
    /// Its name.
    pub scenario: String,
    /// Its file.
    pub file: PathBuf,
    /// The folder with its snapshots.
    pub snapshots: PathBuf,
}

impl Run {
    /// The folder with the discs of a run.
    #[must_use]
    pub fn discs(&self) -> PathBuf {
        self.out.join("discs")
    }

    /// The run file in the folder of a run.
    #[must_use]
    pub fn file(out: &Path) -> PathBuf {
        out.join(FILE)
    }

    /// The name of the run in the records of its cells: when it began, in milliseconds since 1970.
    #[must_use]
    pub fn name(&self) -> u64 {
        record::milliseconds(self.began)
    }

    /// Writes the lists that identify a stopped run: of all chosen cells, and of its own. They are written before the run file: with
    /// another list, it is another run.
    ///
    /// # Errors
    /// As [`files::write()`].
    pub fn write_lists(&self, whole: &[Cell], cells: &[Cell]) -> Result<(), FileError> {
        if self.partition.is_some() {
            write_list(&self.out.join(WHOLE), whole)?;
        }
        write_list(&self.out.join(LIST), cells)
    }

    /// Writes the run file and a list of cells into the folder of the run, and returns the run file's path.
    ///
    /// # Errors
    /// As [`files::write()`].
    pub fn write(&self, cells: &[Cell]) -> Result<PathBuf, FileError> {
        write_list(&self.cells, cells)?;
        let file = Self::file(&self.out);
        files::write_json(&file, self)?;
        Ok(file)
    }

    /// Reads a run file.
    ///
    /// # Errors
    /// There is none, or it is invalid.
    pub fn read(file: &Path) -> Result<Self, FileError> {
        files::read_json(file)
    }

    /// The ids of the run's cells.
    ///
    /// # Errors
    /// The list cannot be read.
    pub fn ids(&self) -> Result<Vec<CellId>, FileError> {
        read_list(&self.cells)
    }

    /// One cell, without expanding any other.
    ///
    /// # Errors
    /// Its scenario's file cannot be read. A missing cell is not an error.
    pub fn cell(&self, id: &CellId, masters: &Arc<Masters>) -> Result<Option<Cell>, ReadError> {
        let Some(declared) = self
            .scenarios
            .iter()
            .find(|declared| declared.scenario == id.scenario())
        else {
            return Ok(None);
        };
        let scenarios = matrix::read_file(&declared.file, &declared.snapshots, masters)?;
        Ok(scenarios.iter().find_map(|scenario| scenario.cell(id)))
    }
}

/// Writes the ids of cells, one per line.
///
/// # Errors
/// As [`files::write()`].
pub fn write_list(file: &Path, cells: &[Cell]) -> Result<(), FileError> {
    let ids: String = cells.iter().map(|cell| format!("{}\n", cell.id)).collect();
    files::write(file, ids.as_bytes())
}

/// Reads ids, one per line.
///
/// # Errors
/// The file cannot be read, or a line is not an id.
pub fn read_list(file: &Path) -> Result<Vec<CellId>, FileError> {
    let unreadable = || FileError::new("read", file);
    let text = std::fs::read_to_string(file).map_err(unreadable())?;
    let parse = |line: &str| {
        line.parse()
            .map_err(|error| unreadable()(std::io::Error::other(error)))
    };
    text.lines().map(parse).collect()
}

impl Declared {
    /// The places where the scenarios of a matrix are declared.
    #[must_use]
    pub fn all(matrix: &Matrix) -> Vec<Self> {
        let declared = |scenario: &crate::scenario::Scenario| Self {
            scenario: scenario.name.clone(),
            file: scenario.declared.file().to_owned(),
            snapshots: scenario.snapshots.clone(),
        };
        matrix.scenarios.iter().map(declared).collect()
    }
}
