//! What the command line tells the tests: the run file.

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
/// The name of the list of cells there, one id a line.
pub const LIST: &str = "cells.txt";
/// The name of the list of those that a run that stopped has still to run.
pub const LEFT: &str = "left.txt";
/// The name of the list of all cells of which a run has one slice.
pub const WHOLE: &str = "whole.txt";

/// One run of cells, as the command line resolved it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Where the scenarios are.
    pub folders: Vec<Folder>,
    /// Where the mastering tools are described.
    pub masters: Vec<MasterSource>,
    /// By scenario: which file of which folder declares it. A test looks up its own cell there, and reads no other file.
    pub scenarios: Vec<Declared>,
    /// A file with the ids of the cells, one a line. A test that is asked for one id does not read it.
    pub cells: PathBuf,
    /// The folder for results and evidence.
    pub out: PathBuf,
    /// What the cells are booted with; without it each test looks for itself.
    pub toolbox: Option<Toolbox>,
    /// What cells are compared with, besides what the scenarios declare.
    pub accepted: Accepted,
    /// Whether what is seen becomes what is accepted.
    pub accept: bool,
    /// Whether a baseline counts to the last block, and not only in what booting depends on.
    #[serde(default)]
    pub strict: bool,
    /// When it began. It names the run: a record of another one is none of its.
    pub began: SystemTime,
    /// When it began or last went on. A disc that was mastered before is mastered again: what masters it may have changed, and the
    /// power may have failed before it was on the disk.
    pub went_on: SystemTime,
    /// The words that chose its cells, and how they are judged, as they were typed behind the verb.
    #[serde(default)]
    pub words: Vec<String>,
    /// Which slice of the cells that were chosen it has; nothing for all of them.
    #[serde(default)]
    pub partition: Option<Partition>,
    /// What its results follow from; nothing where nobody means to go on with it.
    #[serde(default)]
    pub basis: Option<Basis>,
    /// The digest of its list of cells, as [`crate::basis::ids_sha256`] has it: of another list it is not the run.
    #[serde(default)]
    pub listed_sha256: String,
    /// With whose cells its own are compared besides, as that was asked for.
    #[serde(default)]
    pub against: Option<PathBuf>,
    /// Whether it runs again what failed in an earlier run, and completes that.
    #[serde(default)]
    pub reruns: bool,
    /// From where the machines start.
    pub starts: Starts,
    /// The folder with the checkpoints from which they may start. Runs share it.
    pub checkpoints: PathBuf,
    /// The folder with the packages that live discs are made from. Runs share it.
    #[serde(default)]
    pub live: PathBuf,
}

/// Where a scenario is declared.
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

    /// Writes the lists by which a run that is stopped is known again: of all cells that were chosen, and of its own. Before the run file:
    /// of another list it is not the run.
    ///
    /// # Errors
    /// As [`files::write()`].
    pub fn write_lists(&self, whole: &[Cell], cells: &[Cell]) -> Result<(), FileError> {
        if self.partition.is_some() {
            write_list(&self.out.join(WHOLE), whole)?;
        }
        write_list(&self.out.join(LIST), cells)
    }

    /// Writes the run file and a list of cells into the folder of the run, and says where the first is.
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
    /// There is none, or it is not as it should be.
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
    /// Its scenario's file cannot be read. There being no such cell is none.
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

/// Writes the ids of cells, one a line.
///
/// # Errors
/// As [`files::write()`].
pub fn write_list(file: &Path, cells: &[Cell]) -> Result<(), FileError> {
    let ids: String = cells.iter().map(|cell| format!("{}\n", cell.id)).collect();
    files::write(file, ids.as_bytes())
}

/// Reads ids, one a line.
///
/// # Errors
/// The file cannot be read, or a line is no id.
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
    /// Where every scenario of a matrix is declared.
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
