//! With whose cells those of a run are compared: another tool's, or an earlier run's.

use std::path::Path;

use scenarios::{
    compare::{self, Comparison, Side, Strictness},
    master::Masters,
    results::Results,
    words::Master,
};

use super::masters::meant;
use crate::{options::BootMatrix, stop::Stop};

/// With whose cells those of a run are compared.
pub(super) enum Against {
    /// Another master's, in the same run.
    Master(Master),
    /// An earlier run's. They are read before this run begins, which may write into the same folder.
    Run {
        /// Its results, as they were asked for.
        name: String,
        /// What it saw.
        seen: Side,
        /// What counts.
        strictness: Strictness,
    },
}

impl Against {
    /// What the option means; nothing when it is not given.
    pub(super) fn read(options: &BootMatrix, masters: &Masters) -> Result<Option<Self>, Stop> {
        let Some(word) = &options.against else {
            return Ok(None);
        };
        if word.is_dir() {
            return Self::run(&Results::file(word), options.strictness()).map(Some);
        }
        let is_results = word
            .extension()
            .is_some_and(|extension| extension == "json");
        match word.to_str() {
            Some(master) if !is_results => match &meant(master, masters)?[..] {
                [one] => Ok(Some(Self::Master(one.clone()))),
                several => {
                    let names: Vec<&str> = several.iter().map(Master::as_str).collect();
                    let what = format!("--against {master} means {}", names.join(" and "));
                    Err(Stop::usage(what, "one of them"))
                }
            },
            _ => Self::run(word, options.strictness()).map(Some),
        }
    }

    fn run(file: &Path, strictness: Strictness) -> Result<Self, Stop> {
        let remedy = "--against and the results.json of a run, or the name of a mastering tool";
        let results = Results::read_file(file).map_err(|error| Stop::usage(error, remedy))?;
        let folder = file.parent().unwrap_or(Path::new("."));
        Ok(Self::Run {
            name: file.display().to_string(),
            seen: Side::of(&results.cells, folder),
            strictness,
        })
    }

    /// Compares the cells of a run.
    pub(super) fn compare(&self, results: &Results, out: &Path) -> Comparison {
        match self {
            Self::Master(master) => compare::with_master(&results.cells, out, master.as_str()),
            Self::Run {
                name,
                seen,
                strictness,
            } => compare::with_run(&results.cells, out, seen, name, *strictness),
        }
    }
}
