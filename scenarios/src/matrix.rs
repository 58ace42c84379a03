//! Scenario files, read from folders.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::de::DeserializeOwned;

use crate::{
    cell::Cell,
    file::ScenarioFile,
    id::CellId,
    location::Location,
    master::{self, Masters},
    scenario::{Scenario, ScenarioError, Source},
    words::unknown_word,
};

/// Every scenario of some folders.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// In the order of the folders, their files' names, and the files.
    pub scenarios: Vec<Scenario>,
    /// Who can master their discs.
    pub masters: Arc<Masters>,
}

/// A folder with scenario files, or one such file, and where their snapshots lie.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Folder {
    /// The folder: every `*.toml` in it is read. Or the only file.
    pub scenarios: PathBuf,
    /// The folder with the snapshots.
    pub snapshots: PathBuf,
}

impl Folder {
    /// A user's own folder, which keeps its snapshots in it; or one file, which keeps them beside it.
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

    /// What this repository ships, by the folder of its workspace.
    #[must_use]
    pub fn shipped(workspace: &Path) -> Self {
        Self {
            scenarios: workspace.join("scenarios").join("data"),
            snapshots: workspace.join("tests").join("snapshots"),
        }
    }

    /// The folder with the descriptions of mastering tools that this repository ships.
    #[must_use]
    pub fn shipped_masters(workspace: &Path) -> PathBuf {
        workspace.join("scenarios").join("masters")
    }

    /// The folder with the descriptions of mastering tools that go with these scenarios.
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

/// Scenarios that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file or folder that cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why. Not the error's source: whoever tells sources too would tell it twice.
        cause: io::Error,
    },
    /// A folder without scenarios.
    #[error("{} holds no scenario file (*.toml)", .0.display())]
    NoFiles(PathBuf),
    /// A file that is not as the schema wants it.
    #[error("{at}: {message}")]
    Syntax {
        /// Where.
        at: Location,
        /// What is wrong.
        message: String,
    },
    /// A scenario that has no meaning.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
}

impl Matrix {
    /// Reads and checks every scenario of some folders.
    ///
    /// # Errors
    /// With file, line and column: what cannot be read, or has no meaning, or is there twice.
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

    /// Reads and checks what this repository ships, by the folder of its workspace.
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
/// With file, line and column: what cannot be read or is not as the schema wants it.
pub fn read_file(
    path: &Path,
    snapshots: &Path,
    masters: &Arc<Masters>,
) -> Result<Vec<Scenario>, ReadError> {
    let text = fs::read_to_string(path).map_err(|cause| ReadError::Io {
        path: path.to_owned(),
        cause,
    })?;
    parse(&Source {
        path,
        text: &text,
        snapshots,
        masters,
    })
}

fn parse(source: &Source<'_>) -> Result<Vec<Scenario>, ReadError> {
    let file: ScenarioFile = read_toml(source.path, source.text)?;
    file.scenario
        .into_iter()
        .map(|decl| Ok(Scenario::new(decl, source)?))
        .collect()
}

/// Reads a file's text. What is wrong with it is told with its place, and with the nearest words.
pub(crate) fn read_toml<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ReadError> {
    let at = |error: &toml::de::Error| Location::of(path, text, error.span());
    let deserializer = toml::Deserializer::parse(text).map_err(|error| ReadError::Syntax {
        at: at(&error),
        message: error.message().to_owned(),
    })?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        // toml names its spanned values by a key of its own.
        let place = error
            .path()
            .to_string()
            .replace(".$__serde_spanned_private_value", "");
        let error = error.into_inner();
        ReadError::Syntax {
            at: at(&error),
            message: in_words(&place, error.message()),
        }
    })
}

/// What serde says of a place, for people: with the nearest key for one that is unknown, and with the remedy where its
/// own words do not tell it.
fn in_words(path: &str, message: &str) -> String {
    // The names in it are all that stands between backticks.
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let what = match names[..] {
        [unknown, ref known @ ..] if message.starts_with("unknown field ") => {
            unknown_word("key", unknown, known.iter().copied())
        }
        [unknown, ref known @ ..] if message.starts_with("unknown variant ") => {
            unknown_word("word", unknown, known.iter().copied())
        }
        ["scenario"] if message.starts_with("missing field ") => {
            "it holds no [[scenario]]".to_owned()
        }
        _ if message == "invalid type: map, expected a sequence" => {
            let table = path.replace(|c: char| "[]0123456789".contains(c), "");
            format!("there may be several: write [[{table}]], in two brackets")
        }
        _ => message.to_owned(),
    };
    // Of a key that means nothing, serde knows no name.
    match path.trim_end_matches(".?") {
        "." => what,
        path => format!("{path}: {what}"),
    }
}
