//! Baselines: the accepted behavior of a scenario's cells, one file for each scenario, kept wherever the user chooses.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use harness::observation::Canonical;
use serde::{Deserialize, Serialize};

use crate::{
    baseline::{Baseline, DiscStructure, SCHEMA as CELL_SCHEMA, StructureRead, without_version},
    files::{self, FileError},
    id::CellId,
};

/// The name and version of the document.
pub const SCHEMA: &str = "baseline/2";

/// The accepted behavior of one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedCell {
    /// The observation.
    pub seen: Baseline,
    /// Possible other outcomes: a machine that resets in one run may hang in the next.
    pub or: Vec<Canonical>,
}

impl AcceptedCell {
    /// Each possible outcome, the first accepted one first.
    pub fn all(&self) -> impl Iterator<Item = Baseline> {
        let or = self.or.iter().map(|boot| Baseline {
            boot: boot.clone(),
            // Only the first outcome has its reads recorded.
            reads: None,
            ..self.seen.clone()
        });
        std::iter::once(self.seen.clone()).chain(or)
    }
}

/// The baselines of some scenarios, by cell without the version of its firmware.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baselines {
    cells: BTreeMap<String, AcceptedCell>,
    /// The old files that they were read from, one for each cell.
    old: BTreeMap<String, PathBuf>,
}

/// A scenario's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    scenario: String,
    /// The versions that it was seen with, by name.
    tools: BTreeMap<String, String>,
    /// By their ids, without the scenario.
    discs: BTreeMap<String, DiscStructure>,
    /// By their ids, without the scenario.
    cells: BTreeMap<String, CellOfFile>,
}

/// A cell in a scenario's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CellOfFile {
    boot: Canonical,
    /// Possible other outcomes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    or: Vec<Canonical>,
    reads: Option<Vec<StructureRead>>,
    /// The disc, if it was accepted at another time than the one above, and differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disc: Option<DiscStructure>,
    /// The tools that differ from those above.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tools: BTreeMap<String, String>,
}

/// The file of a scenario.
#[must_use]
pub fn file(folder: &Path, scenario: &str) -> PathBuf {
    folder.join(format!("{scenario}.json"))
}

impl Baselines {
    /// Reads the accepted behavior of some cells. If a scenario has no file yet, each cell may have an old one.
    ///
    /// # Errors
    /// It is not a folder, or a file in it is invalid: with its path.
    pub fn read<'a>(
        folder: &Path,
        ids: impl IntoIterator<Item = &'a CellId>,
    ) -> Result<Self, FileError> {
        let mut baselines = Self::default();
        let mut read = BTreeSet::new();
        for id in ids {
            let disc = id.disc();
            if read.insert(disc.scenario().to_owned()) {
                baselines.read_scenario(folder, disc.scenario())?;
            }
            let key = without_version(id);
            if baselines.cells.contains_key(&key) {
                continue;
            }
            let old = Baseline::old_file(folder, id);
            if let Some(seen) = Baseline::read(&old)? {
                if seen.cell != key {
                    let what = format!("it is of the cell {}", seen.cell);
                    return Err(FileError::new("read", old)(io::Error::other(what)));
                }
                baselines.old.insert(key.clone(), old);
                let or = Vec::new();
                baselines.cells.insert(key, AcceptedCell { seen, or });
            }
        }
        Ok(baselines)
    }

    fn read_scenario(&mut self, folder: &Path, scenario: &str) -> Result<(), FileError> {
        let path = file(folder, scenario);
        let unreadable = || FileError::new("read", &path);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            text => text.map_err(unreadable())?,
        };
        if let Some(line) = text.lines().position(|line| line.starts_with("<<<<<<< ")) {
            let what = format!(
                "line {} has the conflict markers of an unfinished merge: choose one side, or accept again with --accept",
                line + 1
            );
            return Err(unreadable()(io::Error::other(what)));
        }
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| unreadable()(error.into()))?;
        files::expect_schema(&value, SCHEMA).map_err(unreadable())?;
        let read: File =
            serde_json::from_value(value).map_err(|error| unreadable()(error.into()))?;
        if read.scenario != scenario {
            let what = format!("it is of the scenario {}", read.scenario);
            return Err(unreadable()(io::Error::other(what)));
        }
        for (name, cell) in read.cells {
            let disc = name.rsplitn(3, '/').nth(2).unwrap_or_default();
            let mut tools = read.tools.clone();
            tools.extend(cell.tools);
            let key = format!("{scenario}/{name}");
            let seen = Baseline {
                schema: CELL_SCHEMA.to_owned(),
                cell: key.clone(),
                boot: cell.boot,
                reads: cell.reads,
                disc: cell.disc.or_else(|| read.discs.get(disc).cloned()),
                tools,
                told: BTreeMap::new(),
            };
            self.cells.insert(key, AcceptedCell { seen, or: cell.or });
        }
        Ok(())
    }

    /// The accepted behavior of a cell.
    #[must_use]
    pub fn of(&self, id: &CellId) -> Option<&AcceptedCell> {
        self.cells.get(&without_version(id))
    }

    /// The accepted cells that are not among these.
    pub fn others<'a>(&self, ids: impl IntoIterator<Item = &'a CellId>) -> Vec<String> {
        let own: BTreeSet<String> = ids.into_iter().map(without_version).collect();
        let others = self.cells.keys().filter(|key| !own.contains(*key));
        others.cloned().collect()
    }

    /// Accepts an observation of a cell, instead of or in addition to the earlier ones.
    pub fn accept(&mut self, seen: Baseline, beside: bool) {
        let key = seen.cell.clone();
        let seen = Baseline {
            told: BTreeMap::new(),
            ..seen
        };
        match self.cells.get_mut(&key) {
            Some(before) if beside => {
                let known = before.all().any(|one| one.boot == seen.boot);
                if !known {
                    before.or.push(seen.boot);
                }
            }
            _ => {
                let or = Vec::new();
                self.cells.insert(key, AcceptedCell { seen, or });
            }
        }
    }

    /// Removes a cell.
    pub fn prune(&mut self, key: &str) {
        self.cells.remove(key);
    }

    /// Writes the files of these scenarios, each completely or not at all, and removes the old files that they replace.
    ///
    /// # Errors
    /// As [`files::write()`]; or a file cannot be removed.
    pub fn write(&self, folder: &Path) -> Result<(), FileError> {
        let scenario = |key: &str| key.split('/').next().unwrap_or_default().to_owned();
        let mut scenarios: BTreeMap<String, Vec<&AcceptedCell>> = BTreeMap::new();
        for (key, cell) in &self.cells {
            scenarios.entry(scenario(key)).or_default().push(cell);
        }
        for (scenario, cells) in &scenarios {
            files::write_json(&file(folder, scenario), &File::of(scenario, cells))?;
        }
        for old in self.old.values() {
            fs::remove_file(old).map_err(FileError::new("remove", old))?;
            // Folders that are now empty.
            for above in old.ancestors().skip(1) {
                if above == folder || fs::remove_dir(above).is_err() {
                    break;
                }
            }
        }
        Ok(())
    }
}

impl File {
    fn of(scenario: &str, cells: &[&AcceptedCell]) -> Self {
        let mut count: BTreeMap<(&String, &String), usize> = BTreeMap::new();
        for tool in cells.iter().flat_map(|cell| &cell.seen.tools) {
            *count.entry(tool).or_default() += 1;
        }
        let mut tools: BTreeMap<String, String> = BTreeMap::new();
        let mut most: BTreeMap<&String, usize> = BTreeMap::new();
        for ((name, version), number) in count {
            if most.get(name).is_none_or(|before| number > *before) {
                most.insert(name, number);
                tools.insert(name.clone(), version.clone());
            }
        }
        let mut file = Self {
            schema: SCHEMA.to_owned(),
            scenario: scenario.to_owned(),
            tools,
            discs: BTreeMap::new(),
            cells: BTreeMap::new(),
        };
        for cell in cells {
            file.add(scenario, cell);
        }
        file
    }

    fn add(&mut self, scenario: &str, cell: &AcceptedCell) {
        let seen = &cell.seen;
        let name = seen.cell.strip_prefix(scenario).unwrap_or(&seen.cell);
        let name = name.trim_start_matches('/').to_owned();
        let disc_name = name.rsplitn(3, '/').nth(2).unwrap_or_default().to_owned();
        let disc = seen.disc.clone().and_then(|disc| {
            let known = self.discs.entry(disc_name).or_insert_with(|| disc.clone());
            (*known != disc).then_some(disc)
        });
        let others = seen.tools.iter();
        let others = others.filter(|(name, version)| self.tools.get(*name) != Some(version));
        let others: BTreeMap<String, String> = others
            .map(|(name, version)| (name.clone(), version.clone()))
            .collect();
        self.cells.insert(
            name,
            CellOfFile {
                boot: seen.boot.clone(),
                or: cell.or.clone(),
                reads: seen.reads.clone(),
                disc,
                tools: others,
            },
        );
    }
}

/// Entries that belong to none of these cells: cells in their scenarios' files, files of scenarios without cells, and old files.
///
/// # Errors
/// The folder cannot be read, or a file in it is invalid.
pub fn orphans<'a>(
    folder: &Path,
    ids: impl IntoIterator<Item = &'a CellId> + Clone,
) -> Result<Orphans, FileError> {
    let baselines = Baselines::read(folder, ids.clone())?;
    let mut orphans = Orphans {
        cells: baselines.others(ids.clone()),
        files: Vec::new(),
    };
    let scenarios: BTreeSet<PathBuf> = ids
        .clone()
        .into_iter()
        .map(|id| file(folder, id.disc().scenario()))
        .collect();
    let old: BTreeSet<PathBuf> = ids
        .into_iter()
        .map(|id| Baseline::old_file(folder, id))
        .collect();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let unreadable = || FileError::new("read the baseline", &next);
        let entries = match fs::read_dir(&next) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(unreadable())?,
        };
        for entry in entries {
            let entry = entry.map_err(unreadable())?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(unreadable())?);
            if kind.is_dir() {
                folders.push(path);
            } else if !scenarios.contains(&path) && !old.contains(&path) && is_baseline(&path) {
                orphans.files.push(path);
            }
        }
    }
    orphans.files.sort();
    Ok(orphans)
}

/// Entries that belong to no cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orphans {
    /// In files of scenarios that also have other cells.
    pub cells: Vec<String>,
    /// Whole files.
    pub files: Vec<PathBuf>,
}

impl Orphans {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.cells.len() + self.files.len()
    }

    /// Their names below the folder, as users look for them.
    #[must_use]
    pub fn names(&self, folder: &Path) -> Vec<String> {
        let files = self.files.iter();
        let files = files.map(|file| file.strip_prefix(folder).unwrap_or(file));
        let files = files.map(|file| file.display().to_string());
        self.cells.iter().cloned().chain(files).collect()
    }
}

/// Whether it is a baseline's file, new or old. Other files are skipped.
fn is_baseline(path: &Path) -> bool {
    #[derive(Deserialize)]
    struct Schema {
        schema: String,
    }
    let is_json = path.extension().is_some_and(|it| it == "json");
    let schema = || serde_json::from_slice::<Schema>(&fs::read(path).ok()?).ok();
    is_json && schema().is_some_and(|it| [SCHEMA, CELL_SCHEMA].contains(&&*it.schema))
}

/// Whether the folder may be read as a baseline: it is one, or does not exist yet.
///
/// # Errors
/// It is not a folder, or cannot be read.
pub fn check_folder(folder: &Path, may_be_missing: bool) -> Result<(), FileError> {
    match fs::metadata(folder) {
        Err(error) if may_be_missing && error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(FileError::new("read the baseline", folder)(error)),
        Ok(found) if !found.is_dir() => {
            let error = io::Error::other("it is no folder");
            Err(FileError::new("read the baseline", folder)(error))
        }
        Ok(_) => Ok(()),
    }
}

#[cfg(test)]
#[path = "accepted_tests.rs"]
mod tests;
