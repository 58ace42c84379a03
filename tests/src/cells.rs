//! Which cells are tested: those of a run that is over, or all of the default set.

use std::{env, path::Path, sync::Arc};

use anyhow::Context;
use scenarios::{
    id::CellId,
    master::{self, Masters},
    matrix::{Folder, Matrix},
    run::{self, Declared, Run},
    runner::environment::Environment,
    selection::Selection,
    terms::{Accepted, Starts},
    words::Set,
};

/// The cells that are tested.
#[derive(Debug)]
pub struct Cells {
    /// What they are tried in.
    pub environment: Environment,
    /// The whole matrix, where nobody chose among its cells.
    matrix: Option<Matrix>,
}

impl Cells {
    /// Those of the run whose file the environment names; without one, the default set, whose cells are tried now.
    ///
    /// # Errors
    /// The run file or the scenarios cannot be read.
    pub fn find() -> anyhow::Result<Self> {
        let Some(file) = env::var_os(run::VARIABLE) else {
            return Self::by_themselves();
        };
        let run = Run::read(Path::new(&file))
            .with_context(|| format!("{} names no run", run::VARIABLE))?;
        Ok(Self {
            environment: Environment::of(run)?,
            matrix: None,
        })
    }

    fn by_themselves() -> anyhow::Result<Self> {
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
        // It lies in target/debug/deps.
        let target = program.ancestors().nth(3).unwrap_or(Path::new("target"));
        let out = target.join("boot-matrix");
        let run = Run {
            folders: vec![folder],
            masters: sources,
            scenarios: Declared::all(&matrix),
            cells: out.join(run::LIST),
            out,
            accepted: Accepted::Snapshots,
            strict: false,
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
            checkpoints: target.join("checkpoints"),
            live: target.join("live"),
        };
        Ok(Self {
            environment: Environment::of(run)?,
            matrix: Some(matrix),
        })
    }

    /// Whether they were tried before: then what was seen is asserted, and nothing is booted.
    #[must_use]
    pub const fn are_tried(&self) -> bool {
        self.matrix.is_none()
    }

    /// The ids of all of them.
    ///
    /// # Errors
    /// The list of the run cannot be read.
    pub fn ids(&self) -> anyhow::Result<Vec<CellId>> {
        let Some(matrix) = &self.matrix else {
            return Ok(run::read_list(&self.environment.run.out.join(run::LIST))?);
        };
        let selection = Selection {
            sets: vec![Set::Default],
            ..Selection::default()
        };
        let cells = selection.apply(matrix)?;
        Ok(cells.into_iter().map(|cell| cell.id).collect())
    }
}
