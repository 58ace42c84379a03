//! One cell, tried.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use harness::{
    case::{Case, Success},
    checkpoint::Checkpoints,
    diagnosis::{Boot, diagnose},
    evidence::OBSERVATION,
    guest::Starts,
    observation::{Observation, Start},
    outcome::{Outcome, OutcomeKind, Stage},
    platform::Platform,
};
use images::{
    boot_configuration::BootConfigurations,
    inspect::{self, DiscFile, Inspection, Window},
    manifest::Manifest,
    map::DiscMap,
    overview::Overview,
};
use regex::bytes::Regex;
use scenarios::{
    cell::{Cell, DiscSource},
    disc::Disc,
    files, record,
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

/// What was read of it without booting.
struct Read {
    inspection: Inspection,
    map: DiscMap,
    configurations: BootConfigurations,
}

/// Tries a cell, its machine started from a checkpoint or from power-on.
#[must_use]
pub fn attempt(environment: &Environment, cell: &Cell, start: Start) -> Attempt {
    let folder = environment.run.out.join(record::evidence_folder(&cell.id));
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
        DiscSource::Live(live) => {
            if let Some(why) = live.layout.lacks(&environment.stock()) {
                return Attempt::Skipped(why);
            }
            match environment.live(live, &cell.id.disc()) {
                Err(error) => return Attempt::Failed(error.to_string()),
                Ok(Disc::Refused(words)) => return refused(words, &folder),
                Ok(Disc::Made { iso, .. }) => Booted {
                    iso,
                    manifest: None,
                },
            }
        }
        DiscSource::Mastered(recipe) if environment.lacks(recipe).is_some() => {
            return Attempt::Skipped(environment.lacks(recipe).unwrap_or_default());
        }
        DiscSource::Mastered(recipe) => match environment.disc(recipe) {
            Err(error) => return Attempt::Failed(error.to_string()),
            Ok(Disc::Refused(words)) => return refused(words, &folder),
            Ok(Disc::Made { iso, manifest }) => match files::read_json(&manifest) {
                Ok(manifest) => Booted {
                    iso,
                    manifest: Some(manifest),
                },
                Err(error) => return Attempt::Failed(error.to_string()),
            },
        },
    };
    let read = match inspect(&disc, &folder) {
        Ok(read) => read,
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
        Ok(platform) => boot(cell, disc, read, platform, checkpoints, folder),
        Err(error) => Attempt::Skipped(error.to_string()),
    }
}

/// No disc came of it: what was seen is why.
fn refused(words: Vec<String>, folder: &Path) -> Attempt {
    let observation = not_mastered(words);
    if let Err(error) = files::write_json(&folder.join(OBSERVATION), &observation) {
        return Attempt::Failed(error.to_string());
    }
    Attempt::Seen(Box::new(Seen {
        observation,
        manifest: None,
        inspection: None,
        firmware_version: None,
    }))
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
        guest: None,
        starts: Starts::No,
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
fn inspect(disc: &Booted, folder: &Path) -> Result<Read, String> {
    let file = DiscFile::open(&disc.iso).map_err(|error| error.to_string())?;
    let options = inspect::Options {
        medium: disc
            .manifest
            .as_ref()
            .and_then(|manifest| manifest.capacity),
        boot_image: None,
    };
    let mut window = Window::new(&file);
    let inspection = inspect::inspect(&mut window, &options)
        .map_err(|error| format!("{}: {error}", disc.iso.display()))?;
    let map = DiscMap::read(&mut window, &inspection);
    let configurations = match disc.manifest {
        // Our own discs have no loader that reads any.
        Some(_) => BootConfigurations::default(),
        None => BootConfigurations::read(&mut window, &inspection),
    };
    let overview = Overview::read(&mut window, &inspection, &map).for_medium(options.medium);
    let left = files::write_evidence(&folder.join(record::INSPECTION), &inspection)
        .and_then(|()| files::write_evidence(&folder.join(record::DISC), &overview));
    left.map_err(|error| error.to_string())?;
    Ok(Read {
        inspection,
        map,
        configurations,
    })
}

fn boot(
    cell: &Cell,
    disc: Booted,
    Read {
        inspection,
        map,
        configurations,
    }: Read,
    platform: Platform,
    checkpoints: Option<Checkpoints>,
    folder: PathBuf,
) -> Attempt {
    let map = Arc::new(map);
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
        map: Some(Arc::clone(&map)),
        configurations: Arc::new(configurations),
        platform,
        checkpoints,
        success,
        dialogue: cell.dialogue.clone(),
        words: None,
        patience: cell.deadline,
        deadline: None,
        evidence: folder,
    };
    let observation = match harness::run::run(&case) {
        Err(infra) => return Attempt::Failed(infra.to_string()),
        Ok(observation) => observation,
    };
    let boot = Boot {
        build: cell.id.firmware().to_owned(),
        firmware: case.platform.firmware.id,
        attachment: cell.attachment,
        observation: &observation,
    };
    let diagnosis = diagnose(&inspection, &map, &[boot]);
    if let Err(error) = files::write_evidence(&case.evidence.join(record::DIAGNOSIS), &diagnosis) {
        return Attempt::Failed(error.to_string());
    }
    Attempt::Seen(Box::new(Seen {
        observation,
        manifest: case.manifest,
        inspection: Some(inspection),
        firmware_version: Some(case.platform.firmware.version.clone()),
    }))
}
