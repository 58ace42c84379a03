//! One cell, tried.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use harness::{
    case::Success,
    checkpoint::Checkpoints,
    diagnosis::{self, diagnose},
    evidence::OBSERVATION,
    firmware::Firmware,
    guest::Starts,
    live,
    observation::{Observation, Start},
    outcome::{Outcome, OutcomeKind, Stage},
};
use images::{
    change::Edits,
    inspect::{DiscFile, Inspection, Options, Window},
    manifest::Manifest,
    overview::Overview,
    signature::MachineKeys,
};
use regex::bytes::Regex;

use super::{
    boot::{Boot, How, ReadDisc},
    environment::Environment,
};
use crate::{
    cell::{Cell, DiscSource},
    disc::Disc,
    files::{self, FileError},
    id::DiscId,
    record,
};

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
    /// The content that the disc was mastered with; nothing for a third-party disc.
    pub manifest: Option<Manifest>,
    /// The content of the disc; nothing if none was mastered.
    pub inspection: Option<Inspection>,
    /// The version of the firmware; nothing when no machine was started.
    pub firmware_version: Option<String>,
}

/// A disc to boot.
struct Made {
    iso: PathBuf,
    manifest: Option<Manifest>,
}

/// Tries a cell, its machine started from a checkpoint or from power-on.
#[must_use]
pub fn attempt(environment: &Environment, cell: &Cell, start: Start) -> Attempt {
    let folder = environment.run.out.join(record::evidence_folder(&cell.id));
    let disc = match make(environment, &cell.disc, &cell.id.disc(), &folder) {
        Ok(disc) => disc,
        Err(attempt) => return attempt,
    };
    let keys = match cell.keys() {
        None => None,
        Some(name) => {
            let beside = disc.iso.parent().unwrap_or(Path::new(""));
            match live::read_keys(beside, name) {
                Ok(keys) => Some((name, keys)),
                Err(error) => return Attempt::Failed(error.to_string()),
            }
        }
    };
    let read = match read(&disc, keys.as_ref().map(|(_, keys)| keys), &folder) {
        Ok(read) => read,
        Err(error) => return Attempt::Failed(error),
    };
    let toolbox = match environment.toolbox() {
        Ok(toolbox) => toolbox,
        Err(error) => return Attempt::Failed(error),
    };
    let success = match cell.text.as_deref().map(Regex::new).transpose() {
        Ok(text) => text.map_or(Success::Probe, Success::Text),
        Err(error) => return Attempt::Failed(format!("expect-text: {error}")),
    };
    let checkpoints = match start {
        Start::Cold => None,
        Start::Warm => Some(Checkpoints::in_folder(&environment.run.checkpoints)),
    };
    match toolbox.platform(cell) {
        Err(error) => Attempt::Skipped(error.to_string()),
        Ok(mut platform) => {
            if let Some((name, keys)) = &keys {
                match with_keys(&platform.firmware, keys, name, &folder) {
                    Ok(firmware) => platform.firmware = firmware,
                    Err(error) => return Attempt::Failed(error.to_string()),
                }
            }
            let how = How {
                enough: None,
                edits: Edits::default(),
                platform,
                checkpoints,
                success,
                words: None,
                deadline: None,
                evidence: folder,
            };
            boot(cell, disc, read, how)
        }
    }
}

/// The firmware with keys of the disc's machine, in a variable store in the folder of the evidence.
fn with_keys(
    firmware: &Firmware,
    keys: &MachineKeys,
    name: &str,
    folder: &Path,
) -> io::Result<Firmware> {
    fs::create_dir_all(folder)?;
    firmware.with_keys(keys, name, &folder.join(KEYS))
}

/// Why a machine's keys let none of the loaders run; nothing where they let one, or where that is not known.
#[must_use]
pub fn by_keys(inspection: &Inspection) -> Option<&str> {
    let programs = inspection.secure_boot.programs.iter();
    let loaders = programs.filter(|program| program.through.is_none());
    let mut answers = loaders.filter_map(|program| program.on_machine.as_ref());
    let first = answers.next()?;
    let all = std::iter::once(first).chain(answers);
    let mut others = all.filter(|answer| answer.starts != Some(false));
    others.next().is_none().then_some(&*first.because)
}

/// The variable store with a cell's keys.
const KEYS: &str = "keys.fd";

/// Makes a disc, or finds it.
fn make(
    environment: &Environment,
    disc: &DiscSource,
    id: &DiscId,
    folder: &Path,
) -> Result<Made, Attempt> {
    let failed = |error: FileError| Attempt::Failed(error.to_string());
    let stranger = |iso| Made {
        iso,
        manifest: None,
    };
    let taken = |disc| match disc {
        Disc::Refused(words) => Err(refused(words, folder)),
        Disc::Made { iso, .. } => Ok(stranger(iso)),
    };
    match disc {
        DiscSource::Iso { path, package } if !path.exists() => {
            Err(Attempt::Skipped(match package {
                Some(package) => format!(
                    "{} is not there: it comes with the package {package}",
                    path.display()
                ),
                None => format!("{} is not there", path.display()),
            }))
        }
        DiscSource::Iso { path, .. } => {
            let iso = environment.existing(path, id);
            iso.map(stranger).map_err(failed)
        }
        DiscSource::Live(live) => match live.layout.lacks(&environment.stock()) {
            Some(why) => Err(Attempt::Skipped(why)),
            None => taken(environment.live(live, id).map_err(failed)?),
        },
        DiscSource::Edited { before, editor } => {
            if let Some(why) = environment.lacks_editor(editor) {
                return Err(Attempt::Skipped(why));
            }
            let unedited = id.before_edit();
            let unedited = unedited.map_err(|error| Attempt::Failed(error.to_string()))?;
            let before = make(environment, before, &unedited, folder)?;
            let edited = environment.edited(&before.iso, editor, id);
            taken(edited.map_err(failed)?)
        }
        DiscSource::Mastered(recipe) => {
            if let Some(why) = environment.lacks(recipe) {
                return Err(Attempt::Skipped(why));
            }
            match environment.disc(recipe).map_err(failed)? {
                Disc::Refused(words) => Err(refused(words, folder)),
                Disc::Made { iso, manifest } => {
                    let manifest = files::read_json(&manifest).map_err(failed)?;
                    Ok(Made {
                        iso,
                        manifest: Some(manifest),
                    })
                }
            }
        }
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
        serial: String::new(),
        screen: None,
    }
}

/// Reads what is on a disc, without booting it, and leaves that with the evidence.
fn read(disc: &Made, machine: Option<&MachineKeys>, folder: &Path) -> Result<ReadDisc, String> {
    let file = DiscFile::open(&disc.iso).map_err(|error| error.to_string())?;
    let manifest = disc.manifest.as_ref();
    let medium = manifest.and_then(|manifest| manifest.capacity);
    let mut window = Window::new(&file);
    let options = Options {
        medium,
        machine,
        // Whether a machine starts a program is known once all of it was read.
        verify: machine.is_some(),
        ..Options::default()
    };
    let read = match manifest {
        // Our own discs have no loader that reads a configuration.
        Some(_) => ReadDisc::ours(&mut window, &options),
        None => ReadDisc::strangers(&mut window, &options),
    };
    let read = read.map_err(|error| format!("{}: {error}", disc.iso.display()))?;
    let overview = Overview::read(&mut window, &read.inspection, &read.map).for_medium(medium);
    files::write_evidence(&folder.join(record::INSPECTION), &read.inspection)
        .and_then(|()| files::write_evidence(&folder.join(record::DISC), &overview))
        .map_err(|error| error.to_string())?;
    Ok(read)
}

fn boot(cell: &Cell, made: Made, read: ReadDisc, how: How) -> Attempt {
    let firmware = how.platform.firmware.clone();
    let Boot { case, seen } = Boot::of(cell, &made.iso, made.manifest, &read, how);
    let observation = match seen {
        Err(infra) => return Attempt::Failed(infra.to_string()),
        Ok(observation) => observation,
    };
    let seen = diagnosis::Boot {
        build: cell.id.firmware().to_owned(),
        firmware: firmware.id,
        attachment: cell.attachment,
        observation: &observation,
        by_keys: by_keys(&read.inspection),
        medium: None,
    };
    let diagnosis = diagnose(&read.inspection, &read.map, &[seen], &[]);
    let file = case.evidence.join(record::DIAGNOSIS);
    if let Err(error) = files::write_evidence(&file, &diagnosis) {
        return Attempt::Failed(error.to_string());
    }
    Attempt::Seen(Box::new(Seen {
        observation,
        manifest: case.manifest,
        inspection: Some(read.inspection),
        firmware_version: Some(firmware.version),
    }))
}
