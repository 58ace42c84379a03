//! Scenario files, read from folders.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use harness::toml_file::{self, Location};
use images::probe::DiscHash;

use crate::{
    cell::Cell,
    file::ScenarioFile,
    id::{CellId, DiscId},
    master::{self, Masters},
    read_error::ReadError,
    read_error::ScenarioError,
    reading::Source,
    scenario::Scenario,
};

/// Every scenario of some folders.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// In the order of the folders, their files' names, and the files.
    pub scenarios: Vec<Scenario>,
    /// The masters of their discs.
    pub masters: Arc<Masters>,
}

/// A folder with scenario files, or one such file, and the place of their snapshots.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Folder {
    /// The folder: every `*.toml` in it is read. Or the only file.
    pub scenarios: PathBuf,
    /// The folder with the snapshots.
    pub snapshots: PathBuf,
}

impl Folder {
    /// A user's own folder, with its snapshots in it; or one file, with its snapshots next to it.
    #[must_use]
    pub fn own(path: impl Into<PathBuf>) -> Self {
        let scenarios = path.into();
        let folder = match scenarios.parent() {
            Some(parent) if scenarios.is_file() => parent,
            _ => &scenarios,
        };
        Self {
            snapshots: folder.join("snapshots"),
            scenarios,
        }
    }

    /// The scenarios of this repository, by the folder of its workspace.
    #[must_use]
    pub fn shipped(workspace: &Path) -> Self {
        Self {
            scenarios: workspace.join("scenarios").join("data"),
            snapshots: workspace.join("tests").join("snapshots"),
        }
    }

    /// This repository's folder with the descriptions of mastering tools.
    #[must_use]
    pub fn shipped_masters(workspace: &Path) -> PathBuf {
        workspace.join("scenarios").join("masters")
    }

    /// This repository's scenarios of a gate for a mastering tool.
    #[must_use]
    pub fn shipped_gate(workspace: &Path) -> Self {
        Self::own(workspace.join("scenarios").join("gate"))
    }

    /// This repository's folder with the layouts of live discs.
    #[must_use]
    pub fn shipped_live(workspace: &Path) -> PathBuf {
        workspace.join("scenarios").join("live")
    }

    /// The folder with the descriptions of mastering tools for these scenarios.
    #[must_use]
    pub fn masters(&self) -> PathBuf {
        let folder = match self.scenarios.parent() {
            Some(parent) if self.scenarios.is_file() => parent,
            _ => &self.scenarios,
        };
        folder.join("masters")
    }

    /// The files with scenarios, by name.
    ///
    /// # Errors
    /// The folder cannot be read, or holds none.
    pub fn files(&self) -> Result<Vec<PathBuf>, ReadError> {
        let unreadable = |cause| ReadError::Io {
            path: self.scenarios.clone(),
            cause,
        };
        if self.scenarios.is_file() {
            return Ok(vec![self.scenarios.clone()]);
        }
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.scenarios).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                files.push(path);
            }
        }
        files.sort();
        if files.is_empty() {
            return Err(ReadError::NoFiles(self.scenarios.clone()));
        }
        Ok(files)
    }
}

impl Matrix {
    /// Reads and checks every scenario of some folders.
    ///
    /// # Errors
    /// With file, line and column: an entry that cannot be read, is invalid, or is there twice.
    pub fn read(folders: &[Folder], masters: &Arc<Masters>) -> Result<Self, ReadError> {
        let mut scenarios = Vec::new();
        for folder in folders {
            for file in folder.files()? {
                scenarios.extend(read_file(&file, &folder.snapshots, masters)?);
            }
        }
        let matrix = Self {
            scenarios,
            masters: Arc::clone(masters),
        };
        matrix.check()?;
        Ok(matrix)
    }

    /// Reads and checks the scenarios of this repository, by the folder of its workspace.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn shipped(workspace: &Path) -> Result<Self, ReadError> {
        let masters = Masters::read(&master::files(&Folder::shipped_masters(workspace))?)?;
        Self::read(&[Folder::shipped(workspace)], &Arc::new(masters))
    }

    /// The cells, in the order of the scenarios.
    pub fn cells(&self) -> impl Iterator<Item = Cell> {
        self.scenarios.iter().flat_map(Scenario::cells)
    }

    /// The cell with this id.
    #[must_use]
    pub fn cell(&self, id: &CellId) -> Option<Cell> {
        self.scenarios.iter().find_map(|scenario| scenario.cell(id))
    }

    /// The cells with these ids, in their order; each scenario is expanded once.
    ///
    /// # Errors
    /// The first id that no scenario has.
    pub fn named<'a>(&self, ids: &'a [CellId]) -> Result<Vec<Cell>, &'a CellId> {
        let names: BTreeSet<&str> = ids.iter().map(CellId::scenario).collect();
        let expanded = self
            .scenarios
            .iter()
            .filter(|scenario| names.contains(&*scenario.name));
        let cells: HashMap<CellId, Cell> = expanded
            .flat_map(Scenario::cells)
            .map(|cell| (cell.id.clone(), cell))
            .collect();
        let cell = |id: &'a CellId| {
            // A scenario does not contain the chosen build.
            let declared = cells
                .get(id)
                .or_else(|| cells.get(&id.on_build(None).ok()?));
            let cell = Cell {
                id: id.clone(),
                ..declared.ok_or(id)?.clone()
            };
            Ok(cell)
        };
        ids.iter().map(cell).collect()
    }

    /// The disc with this hash, as a probe reports it.
    #[must_use]
    pub fn disc(&self, hash: DiscHash) -> Option<DiscId> {
        self.cells()
            .map(|cell| cell.id.disc())
            .find(|disc| DiscHash::of_id(disc.as_str()) == hash)
    }

    fn check(&self) -> Result<(), ScenarioError> {
        let mut seen: BTreeMap<&str, &Location> = BTreeMap::new();
        for scenario in &self.scenarios {
            if let Some(first) = seen.insert(&scenario.name, &scenario.declared) {
                return Err(ScenarioError {
                    at: scenario.declared.clone(),
                    message: format!("a scenario is called {} already, at {first}", scenario.name),
                });
            }
            scenario.check()?;
        }
        Ok(())
    }
}

/// The scenarios of one file. [`Scenario::check`] is left to the caller.
///
/// # Errors
/// With file, line and column: an entry that cannot be read or does not fit the schema.
pub fn read_file(
    path: &Path,
    snapshots: &Path,
    masters: &Arc<Masters>,
) -> Result<Vec<Scenario>, ReadError> {
    let text = fs::read_to_string(path).map_err(|cause| ReadError::Io {
        path: path.to_owned(),
        cause,
    })?;
    read_text(path, &text, snapshots, masters)
}

/// The scenarios of a file's text. [`Scenario::check`] is left to the caller.
///
/// # Errors
/// As [`read_file`], with `path` for the file.
pub fn read_text(
    path: &Path,
    text: &str,
    snapshots: &Path,
    masters: &Arc<Masters>,
) -> Result<Vec<Scenario>, ReadError> {
    let file: ScenarioFile = toml_file::read(path, text)?;
    let source = Source {
        path,
        text,
        snapshots,
        masters,
    };
    file.scenario
        .into_iter()
        .map(|decl| Ok(Scenario::new(decl, &source)?))
        .collect()
}
