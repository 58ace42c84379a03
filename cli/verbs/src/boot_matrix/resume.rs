//! A run that was stopped, killed or cut off from power, and goes on: the results that it left are kept, and the rest is run.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use scenarios::{
    basis::{self, Basis},
    cell::Cell,
    id::CellId,
    matrix::Matrix,
    record::{self, CellResult},
    run::{self, LIST, Run, WHOLE},
    selection::Partition,
};

use crate::{options::BootMatrix, stop::Stop};

/// What is to be done where a run cannot go on.
const START_A_NEW_RUN: &str = "type the same command without --resume to start a new run";

/// A run that is gone on with.
pub(super) struct Stopped {
    /// As it began.
    pub(super) run: Run,
    out: PathBuf,
    /// Its cells: of its slice, if it has one.
    ids: Vec<CellId>,
    basis: Basis,
}

impl Stopped {
    /// The run in a folder, whatever it left.
    pub(super) fn read(out: &Path) -> Result<Self, Stop> {
        let nothing = |what: &dyn std::fmt::Display| {
            Stop::usage(
                format!("there is no run to continue: {what}"),
                START_A_NEW_RUN,
            )
        };
        let run = Run::read(&Run::file(out)).map_err(|error| nothing(&error))?;
        if run.reruns {
            let what = format!(
                "the last run in {} was a rerun of failed cells, which --resume cannot continue",
                out.display()
            );
            return Err(Stop::usage(what, "--rerun failed instead of --resume"));
        }
        let list = out.join(LIST);
        let ids = run::read_list(&list).map_err(|error| nothing(&error))?;
        let listed = basis::ids_sha256(ids.iter().map(CellId::as_str));
        match run.basis.clone() {
            Some(basis) if listed == run.listed_sha256 => Ok(Self {
                run,
                out: out.to_owned(),
                ids,
                basis,
            }),
            _ => Err(nothing(&format!(
                "{} is not the list of the run in {}: the next one was stopped as it began",
                list.display(),
                run::FILE
            ))),
        }
    }

    /// Whether its cells were on builds of firmware that were chosen.
    pub(super) fn is_on_builds(&self) -> bool {
        self.ids.iter().any(|id| id.firmware_build().is_some())
    }

    /// All cells that were chosen, of every slice.
    pub(super) fn whole(&self, matrix: &Matrix) -> Result<Vec<Cell>, Stop> {
        let all;
        let ids = match self.run.partition {
            None => &self.ids,
            Some(_) => {
                all = run::read_list(&self.out.join(WHOLE))
                    .map_err(|error| Stop::usage(error, START_A_NEW_RUN))?;
                &all
            }
        };
        matrix.named(ids).map_err(|id| {
            let what = format!("the stopped run had the cell {id}, which no scenario has any more");
            Stop::usage(what, START_A_NEW_RUN)
        })
    }

    /// Its slice, which the options may not change.
    pub(super) fn partition(&self, options: &BootMatrix) -> Result<Option<Partition>, Stop> {
        match (options.partition, self.run.partition) {
            (Some(asked), was) if was != Some(asked) => {
                let was = was.map_or("all of the cells".to_owned(), |was| was.to_string());
                let what = format!(
                    "--partition {asked} differs from the stopped run, which was for {was}"
                );
                Err(Stop::usage(
                    what,
                    "--resume without --partition, or another folder with --out",
                ))
            }
            (_, was) => Ok(was),
        }
    }

    /// That what is to go on is what stopped.
    pub(super) fn check(&self, now: &Run) -> Result<(), Stop> {
        let basis = now.basis.iter();
        let mut differences: Vec<String> =
            basis.flat_map(|now| now.differences(&self.basis)).collect();
        if now.accept != self.run.accept {
            let was = if self.run.accept { "with" } else { "without" };
            differences.push(format!("it was {was} --accept"));
        }
        if now.against != self.run.against {
            differences.push(match &self.run.against {
                Some(against) => format!("it was with --against {}", against.display()),
                None => "it was without --against".to_owned(),
            });
        }
        if differences.is_empty() {
            return Ok(());
        }
        let what = format!(
            "the run in {} cannot continue, because its results would come from incompatible runs: {}",
            self.out.display(),
            differences.join("; ")
        );
        let out = self.out.to_string_lossy();
        let words = ["cargo", "xtask", "boot-matrix"].into_iter();
        let words = words.chain(self.run.words.iter().map(String::as_str));
        let as_it_was = shell_words::join(words.chain(["--resume", "--out", &*out]));
        Err(Stop::usage(
            what,
            format!("{as_it_was}; or {START_A_NEW_RUN}"),
        ))
    }

    /// The results that it left, by id.
    pub(super) fn kept(&self, cells: &[Cell]) -> BTreeMap<String, CellResult> {
        record::kept(&self.out, self.run.name(), cells)
    }
}

/// The cells that have still to be run, which is told.
pub(super) fn left(stopped: &Stopped, cells: &[Cell]) -> Vec<Cell> {
    let kept = stopped.kept(cells);
    let left: Vec<Cell> = cells
        .iter()
        .filter(|cell| !kept.contains_key(cell.id.as_str()))
        .cloned()
        .collect();
    let (kept, all) = (kept.len(), cells.len());
    match left.len() {
        0 => remark!("nothing is left to do: all {all} cells have a result"),
        left => remark!("{kept} of {all} cells have a result; {left} run now"),
    }
    left
}
