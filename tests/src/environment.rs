//! What a run is given: by the command line through a run file, or by itself when there is none.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use anyhow::Context;
use harness::live::Stock;
use scenarios::{
    cell::{Cell, Recipe},
    disc::{self, Disc, Workshop},
    files::FileError,
    id::{CellId, DiscId},
    live::Live,
    master::{self, Masters},
    matrix::{Folder, Matrix},
    run::{self, Declared, Run},
    selection::Selection,
    terms::{Accepted, Starts},
    toolbox::{AcceleratorWish, Toolbox},
    words::Set,
};

/// What a run is given.
#[derive(Debug)]
pub struct Environment {
    /// The run.
    pub run: Run,
    masters: Arc<Masters>,
    cells: Cells,
    found: OnceLock<Result<Toolbox, String>>,
}

/// Who chose the cells.
#[derive(Debug)]
enum Cells {
    /// The command line.
    Listed,
    /// Nobody: the default set.
    Default(Matrix),
}

impl Environment {
    /// Reads the run file, or without one looks for everything itself.
    ///
    /// # Errors
    /// The run file or the scenarios cannot be read.
    pub fn find() -> anyhow::Result<Self> {
        match env::var_os(run::VARIABLE) {
            Some(file) => {
                let run = Run::read(Path::new(&file))
                    .with_context(|| format!("{} names no run", run::VARIABLE))?;
                Ok(Self {
                    masters: Arc::new(Masters::read(&run.masters)?),
                    run,
                    cells: Cells::Listed,
                    found: OnceLock::new(),
                })
            }
            None => Self::by_itself(),
        }
    }

    fn by_itself() -> anyhow::Result<Self> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("no workspace")?;
        let folder = Folder::shipped(workspace);
        let sources = master::files(&Folder::shipped_masters(workspace))?;
        let masters = Arc::new(Masters::read(&sources)?);
        let matrix = Matrix::read(std::slice::from_ref(&folder), &masters)?;
        let program = env::current_exe().context("cannot find this program")?;
        let built = program
            .metadata()
            .and_then(|program| program.modified())
            .context("cannot date this program")?;
        let out = target(&program).join("boot-matrix");
        let run = Run {
            folders: vec![folder],
            masters: sources,
            scenarios: Declared::all(&matrix),
            cells: out.join(scenarios::run::LIST),
            out,
            accepted: Accepted::Snapshots,
            accept: false,
            toolbox: None,
            // Whoever starts many tests one by one wants each disc once: only those are too old that this program did not master.
            began: built,
            went_on: built,
            words: Vec::new(),
            partition: None,
            basis: None,
            listed_sha256: String::new(),
            against: None,
            reruns: false,
            starts: Starts::default(),
            checkpoints: target(&program).join("checkpoints"),
            live: target(&program).join("live"),
        };
        Ok(Self {
            run,
            masters,
            cells: Cells::Default(matrix),
            found: OnceLock::new(),
        })
    }

    /// The ids of every cell of the run.
    ///
    /// # Errors
    /// The list cannot be read.
    pub fn ids(&self) -> anyhow::Result<Vec<CellId>> {
        match &self.cells {
            Cells::Listed => Ok(self.run.ids()?),
            Cells::Default(matrix) => {
                let selection = Selection {
                    sets: vec![Set::Default],
                    ..Selection::default()
                };
                let cells = selection.apply(matrix)?;
                Ok(cells.into_iter().map(|cell| cell.id).collect())
            }
        }
    }

    /// One cell, without expanding any other.
    ///
    /// # Errors
    /// Its scenario's file cannot be read, or no scenario has it.
    pub fn cell(&self, id: &CellId) -> anyhow::Result<Cell> {
        let cell = self.run.cell(id, &self.masters)?;
        cell.with_context(|| format!("no scenario has the cell {id}"))
    }

    /// What the cells are booted with.
    ///
    /// # Errors
    /// There is no usable QEMU.
    pub fn toolbox(&self) -> Result<&Toolbox, String> {
        if let Some(toolbox) = &self.run.toolbox {
            return Ok(toolbox);
        }
        let find = || {
            Toolbox::find(None, AcceleratorWish::Fastest, &self.run.out)
                .map_err(|error| error.to_string())
        };
        self.found.get_or_init(find).as_ref().map_err(Clone::clone)
    }

    /// A cell's disc: mastered now, unless another cell of the run needed it before.
    ///
    /// # Errors
    /// It cannot be mastered.
    pub fn disc(&self, recipe: &Recipe) -> Result<Disc, FileError> {
        disc::master_once(recipe, &self.run.discs(), self.run.went_on, self.workshop())
    }

    /// The packages that live discs are made from.
    #[must_use]
    pub fn stock(&self) -> Stock {
        Stock::in_folder(&self.run.live)
    }

    /// A live disc: made now, unless another cell of the run needed it before.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn live(&self, live: &Live, id: &DiscId) -> Result<Disc, FileError> {
        disc::live_once(live, id, &self.run.discs(), self.run.went_on, &self.stock())
    }

    /// A disc that exists: itself, or a distilled one rebuilt, unless another cell of the run needed it before.
    ///
    /// # Errors
    /// It cannot be rebuilt.
    pub fn existing(&self, path: &Path, id: &DiscId) -> Result<PathBuf, FileError> {
        if scenarios::files::is_distilled(path) {
            disc::rebuild_once(path, id, &self.run.discs(), self.run.went_on)
        } else {
            Ok(path.to_owned())
        }
    }

    /// Why a disc cannot be mastered on this host; `None` when it can.
    #[must_use]
    pub fn lacks(&self, recipe: &Recipe) -> Option<String> {
        self.workshop().lacks(recipe)
    }

    /// Whether there are snapshots of what a cell's master makes.
    #[must_use]
    pub fn has_snapshots(&self, cell: &Cell) -> bool {
        self.masters.has_snapshots(cell.id.disc().master())
    }

    fn workshop(&self) -> Workshop<'_> {
        static NOTHING: BTreeMap<String, Result<harness::master::FoundTool, String>> =
            BTreeMap::new();
        Workshop {
            masters: &self.masters,
            found: self
                .run
                .toolbox
                .as_ref()
                .map_or(&NOTHING, |toolbox| &toolbox.masters),
        }
    }
}

/// The target folder that a test program lies in, as in `target/debug/deps/matrix`.
fn target(program: &Path) -> PathBuf {
    program
        .ancestors()
        .nth(3)
        .unwrap_or(Path::new("target"))
        .to_owned()
}
