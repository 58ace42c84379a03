//! One cell, tried.

use std::path::{Path, PathBuf};

use harness::{
    case::{Case, Success},
    checkpoint::Checkpoints,
    evidence::OBSERVATION,
    observation::{Observation, Start},
    outcome::{Outcome, OutcomeKind, Stage},
    platform::Platform,
};
use images::{
    inspect::{self, DiscFile, Inspection, Window},
    manifest::Manifest,
};
use regex::bytes::Regex;
use scenarios::{
    cell::{Cell, DiscSource},
    disc::Disc,
    files, results,
};

use crate::environment::Environment;

/// What came of trying a cell.
#[derive(Debug)]
pub enum Attempt {
    /// Something was seen.
    Seen(Box<Seen>),
    /// Something that it needs is not here.
    Skipped(String),
    /// It could not be run: nothing is known of the disc.
    Failed(String),
}

/// What was seen, and what is needed to judge it.
#[derive(Debug)]
pub struct Seen {
    /// What was seen.
    pub observation: Observation,
    /// What the disc was mastered to hold; nothing of a disc that is not ours.
    pub manifest: Option<Manifest>,
    /// What is on the disc; nothing where none was mastered.
    pub inspection: Option<Inspection>,
    /// The version of the firmware; nothing when no machine was started.
    pub firmware_version: Option<String>,
}

/// A disc to boot.
struct Booted {
    iso: PathBuf,
    manifest: Option<Manifest>,
}

/// Tries a cell, its machine started from a checkpoint or from power-on.
#[must_use]
pub fn attempt(environment: &Environment, cell: &Cell, start: Start) -> Attempt {
    let folder = environment.run.out.join(results::evidence_folder(&cell.id));
    let disc = match &cell.disc {
        DiscSource::Iso { path, package } if !path.exists() => {
            return Attempt::Skipped(match package {
                Some(package) => format!(
                    "{} is not there: it comes with the package {package}",
                    path.display()
                ),
                None => format!("{} is not there", path.display()),
            });
        }
        DiscSource::Iso { path, .. } => match environment.existing(path, &cell.id.disc()) {
            Err(error) => return Attempt::Failed(error.to_string()),
            Ok(iso) => Booted {
                iso,
                manifest: None,
            },
        },
        DiscSource::Mastered(recipe) if environment.lacks(recipe).is_some() => {
            return Attempt::Skipped(environment.lacks(recipe).unwrap_or_default());
        }
        DiscSource::Mastered(recipe) => match environment.disc(recipe) {
            Err(error) => return Attempt::Failed(error.to_string()),
            Ok(Disc::Refused(words)) => {
                let observation = not_mastered(words);
                if let Err(error) = files::write_json(&folder.join(OBSERVATION), &observation) {
                    return Attempt::Failed(error.to_string());
                }
                return Attempt::Seen(Box::new(Seen {
                    observation,
                    manifest: None,
                    inspection: None,
                    firmware_version: None,
                }));
            }
            Ok(Disc::Made { iso, manifest }) => match files::read_json(&manifest) {
                Ok(manifest) => Booted {
                    iso,
                    manifest: Some(manifest),
                },
                Err(error) => return Attempt::Failed(error.to_string()),
            },
        },
    };
    let inspection = match inspect(&disc, &folder) {
        Ok(inspection) => inspection,
        Err(error) => return Attempt::Failed(error),
    };
    let toolbox = match environment.toolbox() {
        Ok(toolbox) => toolbox,
        Err(error) => return Attempt::Failed(error),
    };
    let checkpoints = match start {
        Start::Cold => None,
        Start::Warm => Some(Checkpoints::in_folder(&environment.run.checkpoints)),
    };
    match toolbox.platform(cell) {
        Ok(platform) => boot(cell, disc, inspection, platform, checkpoints, folder),
        Err(error) => Attempt::Skipped(error.to_string()),
    }
}

/// There is no disc, and the master's words are all there is to see.
fn not_mastered(words: Vec<String>) -> Observation {
    Observation {
        outcome: Outcome {
            kind: OutcomeKind::NotMastered,
            code: None,
            stage: Stage::Unknown,
            gave_back: false,
            detail: words.join(": "),
        },
        probe: None,
        words,
        reads: Vec::new(),
        reads_before_entry: None,
        reads_known: false,
        start: Start::Cold,
        duration_ms: 0,
    }
}

/// Reads what is on a disc, without booting it, and leaves that with the evidence.
fn inspect(disc: &Booted, folder: &Path) -> Result<Inspection, String> {
    let file = DiscFile::open(&disc.iso).map_err(|error| error.to_string())?;
    let options = inspect::Options {
        medium: disc
            .manifest
            .as_ref()
            .and_then(|manifest| manifest.capacity),
        boot_image: None,
    };
    let inspection = inspect::inspect(&mut Window::new(&file), &options)
        .map_err(|error| format!("{}: {error}", disc.iso.display()))?;
    let path = folder.join("inspection.json");
    files::write_evidence(&path, &inspection).map_err(|error| error.to_string())?;
    Ok(inspection)
}

fn boot(
    cell: &Cell,
    disc: Booted,
    inspection: Inspection,
    platform: Platform,
    checkpoints: Option<Checkpoints>,
    evidence: PathBuf,
) -> Attempt {
    let success = match &cell.text {
        None => Success::Probe,
        Some(text) => match Regex::new(text) {
            Ok(pattern) => Success::Text(pattern),
            Err(error) => return Attempt::Failed(format!("expect-text: {error}")),
        },
    };
    let case = Case {
        id: cell.id.to_string(),
        disc: disc.iso,
        manifest: disc.manifest,
        map: None,
        platform,
        checkpoints,
        success,
        dialogue: cell.dialogue.clone(),
        deadline: None,
        evidence,
    };
    match harness::run::run(&case) {
        Err(infra) => Attempt::Failed(infra.to_string()),
        Ok(observation) => Attempt::Seen(Box::new(Seen {
            observation,
            manifest: case.manifest,
            inspection: Some(inspection),
            firmware_version: Some(case.platform.firmware.version.clone()),
        })),
    }
}
