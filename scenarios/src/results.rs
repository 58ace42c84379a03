//! The results of a run of cells: `results.json`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    basis::{Basis, Change},
    compare::Comparison,
    files::{self, FileError},
    merged::Merged,
    record::{CellResult, Differs, Verdict},
    selection::Partition,
};

/// The name and version of the document.
pub const SCHEMA: &str = "boot-matrix/1";

/// The number of cells for each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// All of them.
    pub cells: usize,
    /// The result is as declared and as accepted.
    pub as_expected: usize,
    /// It is not.
    pub mismatch: usize,
    /// Not run, for a reason.
    pub skipped: usize,
    /// Could not be run.
    pub infra: usize,
    /// Nothing was declared.
    pub observed: usize,
    /// How many of them failed at first, and passed on retry.
    #[serde(default)]
    pub flaky: usize,
}

impl Totals {
    /// Counts the verdicts of cells, and those that are flaky.
    #[must_use]
    pub fn of(cells: &[CellResult]) -> Self {
        Self {
            flaky: cells.iter().filter(|cell| !cell.flaky.is_empty()).count(),
            ..Self::count(cells.iter().map(|cell| cell.verdict))
        }
    }

    /// Counts verdicts.
    pub fn count(verdicts: impl IntoIterator<Item = Verdict>) -> Self {
        let mut totals = Self::default();
        for verdict in verdicts {
            totals.cells += 1;
            *match verdict {
                Verdict::AsExpected => &mut totals.as_expected,
                Verdict::Mismatch => &mut totals.mismatch,
                Verdict::Skipped => &mut totals.skipped,
                Verdict::Infra => &mut totals.infra,
                Verdict::Observed => &mut totals.observed,
            } += 1;
        }
        totals
    }

    /// The exit code of a run: 3 if anything could not be run or everything was skipped, else 1 on a mismatch, else 0.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        if self.infra > 0 || self.skipped == self.cells {
            3
        } else if self.mismatch > 0 {
            1
        } else {
            0
        }
    }
}

/// The results of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// [`SCHEMA`].
    pub schema: String,
    /// When it began, in milliseconds since 1970; nothing if an older version wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_ms: Option<u64>,
    /// Their slice of the chosen cells; nothing for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<Partition>,
    /// Everything that determines them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// The machine it ran on.
    pub host: Host,
    /// The accelerator, which ran the guests' instructions.
    pub accelerator: String,
    /// The tools that were used.
    pub tools: Tools,
    /// The number of cells for each verdict.
    pub totals: Totals,
    /// Every cell.
    pub cells: Vec<CellResult>,
    /// Their runs, if several were merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<Merged>,
    /// The comparison with another master or another run, if one was requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
}

/// The machine of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Its operating system, as `linux`.
    pub os: String,
    /// Its architecture, as `x86_64`.
    pub arch: String,
    /// How many processors the run could use.
    pub cpus: usize,
}

impl Host {
    /// This machine.
    #[must_use]
    pub fn this() -> Self {
        Self {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            cpus: std::thread::available_parallelism().map_or(1, Into::into),
        }
    }
}

/// The tools of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tools {
    /// The emulator.
    pub qemu: Option<QemuTool>,
    /// The firmware.
    pub firmware: Vec<FirmwareTool>,
    /// The mastering tools.
    pub masters: Vec<MasterTool>,
}

impl Tools {
    /// Adds the tools that only another run used.
    pub fn join(&mut self, other: &Self) {
        self.qemu = self.qemu.take().or_else(|| other.qemu.clone());
        let firmware = other.firmware.iter().cloned();
        self.firmware.extend(firmware);
        distinct(&mut self.firmware, |tool| &tool.id);
        self.masters.extend(other.masters.iter().cloned());
        distinct(&mut self.masters, |tool| &tool.id);
    }
}

/// Keeps the first of each name, in order.
fn distinct<T>(tools: &mut Vec<T>, name: fn(&T) -> &String) {
    let mut seen = BTreeSet::new();
    tools.retain(|tool| seen.insert(name(tool).clone()));
}

/// The emulator of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QemuTool {
    /// Its version.
    pub version: String,
    /// Its program.
    pub path: PathBuf,
}

/// A firmware of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirmwareTool {
    /// Its name in ids.
    pub id: String,
    /// `seabios` or `edk2`.
    pub family: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of its image.
    pub sha256: String,
}

/// A mastering tool of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MasterTool {
    /// Its name in ids.
    pub id: String,
    /// Its version.
    pub version: String,
}

impl Results {
    /// The results of these records, with the totals counted.
    #[must_use]
    pub fn new(accelerator: String, tools: Tools, cells: Vec<CellResult>) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            began_ms: None,
            partition: None,
            basis: None,
            merged: None,
            host: Host::this(),
            accelerator,
            tools,
            totals: Totals::of(&cells),
            cells,
            comparison: None,
        }
    }

    /// The exit code of the run: 3 if several were merged and it is not proven that every cell was run; else that of the totals; else 3 if a
    /// comparison found nothing to compare, and 1 if a cell boots differently from its counterpart.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.merged.as_ref().is_some_and(|merged| !merged.proven) {
            return 3;
        }
        match (self.totals.exit_code(), &self.comparison) {
            (0, Some(comparison)) => comparison.totals.exit_code(),
            (code, _) => code,
        }
    }

    /// The file in the folder of a run.
    #[must_use]
    pub fn file(out: &Path) -> PathBuf {
        out.join("results.json")
    }

    /// Reads a run's results from a folder.
    ///
    /// # Errors
    /// There are none, or they have another version.
    pub fn read(out: &Path) -> Result<Self, FileError> {
        Self::read_file(&Self::file(out))
    }

    /// Reads a run's results from their file.
    ///
    /// # Errors
    /// There is no such file, or it has another version, or is not results.
    pub fn read_file(file: &Path) -> Result<Self, FileError> {
        #[derive(Deserialize, Serialize)]
        struct Named {
            schema: Option<String>,
        }
        let unreadable = || FileError::new("read", file);
        let text = fs::read(file).map_err(unreadable())?;
        // Not as a tree first: for many cells that takes several times the memory.
        let named = serde_json::from_slice::<Named>(&text).map(serde_json::to_value);
        let named = named
            .flatten()
            .map_err(|error| unreadable()(error.into()))?;
        files::expect_schema(&named, SCHEMA).map_err(unreadable())?;
        serde_json::from_slice(&text).map_err(|error| unreadable()(error.into()))
    }

    /// Writes the results into the folder of a run.
    ///
    /// # Errors
    /// As [`files::write()`].
    pub fn write(&self, out: &Path) -> Result<(), FileError> {
        files::write_json(&Self::file(out), self)
    }

    /// These results, with an earlier run's cells that this one did not run. A cell that failed then and passes now is flaky if nothing
    /// changed.
    #[must_use]
    pub fn over(mut self, earlier: Self) -> Self {
        let mut records: BTreeMap<String, CellResult> = self
            .cells
            .drain(..)
            .map(|cell| (cell.id.clone(), cell))
            .collect();
        let (is, was) = (self.basis.as_ref(), earlier.basis.as_ref());
        let changed = match (is, was) {
            (Some(is), Some(was)) => is.change(was),
            _ => Change::Tools,
        };
        // Keeps the order of the earlier run.
        let mut cells: Vec<_> = earlier
            .cells
            .into_iter()
            .map(|first| match records.remove(&first.id) {
                Some(last) => tried_again(first, last, changed),
                None => first,
            })
            .collect();
        cells.extend(records.into_values());
        // Adds the tools of the earlier run.
        self.tools.join(&earlier.tools);
        self.totals = Totals::of(&cells);
        self.cells = cells;
        // The completed run keeps its slice.
        self.partition = earlier.partition;
        self.basis = earlier.basis;
        self
    }
}

/// The result of a cell that had failed and was tried again.
fn tried_again(mut first: CellResult, mut last: CellResult, changed: Change) -> CellResult {
    let is_good =
        |cell: &CellResult| matches!(cell.verdict, Verdict::AsExpected | Verdict::Observed);
    let same = match changed {
        Change::Nothing => true,
        // It is not known whether something else was accepted since; but that does not change what happens.
        Change::Cells => {
            first.differs.contains(&Differs::Outcome) && first.expected == last.expected
        }
        Change::Declared | Change::Tools => false,
    };
    if is_good(&last) && first.verdict == Verdict::Mismatch && same {
        last.flaky.append(&mut first.reason);
    }
    // Keeps the reason of the very first try.
    if is_good(&last) && is_good(&first) {
        last.flaky.append(&mut first.flaky);
    }
    last
}

#[cfg(test)]
#[path = "results_tests.rs"]
mod tests;
