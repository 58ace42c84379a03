//! What a run is given, and the discs that its cells share.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use harness::{
    live::Stock,
    master::{Changed, FoundTool},
};

use crate::{
    cell::{Cell, Recipe},
    disc::{self, Disc, Workshop},
    files::{self, FileError},
    id::{CellId, DiscId},
    live::Live,
    master::Masters,
    read_error::ReadError,
    run::Run,
    toolbox::{AcceleratorWish, Toolbox},
};

/// What a run is given.
#[derive(Debug)]
pub struct Environment {
    /// The run.
    pub run: Run,
    masters: Arc<Masters>,
    found: OnceLock<Result<Toolbox, String>>,
}

impl Environment {
    /// What a run's cells are tried in, with the masters that the run names.
    ///
    /// # Errors
    /// A description of a master cannot be read.
    pub fn of(run: Run) -> Result<Self, ReadError> {
        Ok(Self {
            masters: Arc::new(Masters::read(&run.masters)?),
            run,
            found: OnceLock::new(),
        })
    }

    /// One cell, without expanding any other.
    ///
    /// # Errors
    /// Its scenario's file cannot be read, or no scenario has it.
    pub fn cell(&self, id: &CellId) -> Result<Cell, String> {
        let cell = self.run.cell(id, &self.masters);
        cell.map_err(|error| error.to_string())?
            .ok_or_else(|| format!("no scenario has the cell {id}"))
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
        if files::is_distilled(path) {
            disc::rebuild_once(path, id, &self.run.discs(), self.run.went_on)
        } else {
            Ok(path.to_owned())
        }
    }

    /// A disc that an editor makes of one that is not mastered here: made now, unless another cell of the run needed it before.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn edited(&self, before: &Path, editor: &str, id: &DiscId) -> Result<Disc, FileError> {
        let (discs, since) = (self.run.discs(), self.run.went_on);
        disc::edit_once(before, editor, id, &discs, since, self.workshop())
    }

    /// Why a disc cannot be edited on this host; `None` if it can.
    #[must_use]
    pub fn lacks_editor(&self, editor: &str) -> Option<String> {
        self.workshop().lacks_editor(editor)
    }

    /// Why a disc cannot be mastered on this host; `None` if it can.
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
        static NOTHING: BTreeMap<String, Result<FoundTool, String>> = BTreeMap::new();
        Workshop {
            masters: &self.masters,
            found: self
                .run
                .toolbox
                .as_ref()
                .map_or(&NOTHING, |toolbox| &toolbox.masters),
            changed: Changed::default(),
        }
    }
}
