//! Discs with one fault that is known: what is called the cause of their failures, by experiment or by words.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context;
use harness::guest::Starts;
use images::{boot::Boot, container::Container, finding::FindingId};
use scenarios::{
    live::{DAMAGE, Live},
    matrix::{Folder, Matrix},
    results::Results,
    words::Set,
};
use serde_json::Value;

use super::super::kept::Figures;
use cli::{place, signals::Signals, stop::Stop};

/// Of the boots that fail, so many in a hundred must have a cause.
const EXPLAINED: usize = 95;
/// As a CD and as a stick: what lies between is the same for the disc.
const ATTACHMENTS: &str = "ahci,usb-disk";

/// A disc with one fault.
struct Faulty {
    /// By which it is made.
    id: String,
    /// The findings that may be called a cause.
    allowed: BTreeSet<FindingId>,
}

/// What is counted.
#[derive(Default)]
struct Count {
    discs: usize,
    no_iso: usize,
    boots: usize,
    failed: usize,
    proved: usize,
    likely: usize,
    by_design: usize,
    unknown: Vec<String>,
    wrong: Vec<String>,
    of_started: Vec<String>,
}

/// Looks for the cause on every such disc whose id has one of the words in it, and counts.
pub(super) fn measure(
    only: &[String],
    resume: bool,
    signals: &'static Signals,
) -> anyhow::Result<Figures> {
    let out = crate::repository::target().join("trust-causes");
    let mut count = Count::default();
    let mut failures = Vec::new();
    let wanted = |id: &str| only.is_empty() || only.iter().any(|word| id.contains(word.as_str()));
    for disc in all()?.into_iter().filter(|disc| wanted(&disc.id)) {
        let folder = out.join(count.discs.to_string());
        let report = match known(&disc, &folder).filter(|_| resume) {
            Some(report) => Found::Report(report),
            None => found(&disc, &folder, signals)?,
        };
        match report {
            Found::Report(report) => count.add(&disc, &report),
            Found::NoIso => count.no_iso += 1,
            Found::Nothing => {
                failures.push(format!("{}: it could not be made or booted", disc.id));
            }
        }
        // The discs with a system are large.
        drop(fs::remove_file(folder.join("disc.iso")));
        if signals.caught() {
            return Err(Stop::host("interrupted", "").into());
        }
    }
    Ok(count.figures(failures))
}

/// The discs of the set `defects`, and the damaged ones with a system.
fn all() -> anyhow::Result<Vec<Faulty>> {
    let matrix = Matrix::shipped(crate::repository::workspace())?;
    let mut discs: Vec<Faulty> = Vec::new();
    for cell in matrix.cells().filter(|cell| cell.set == Set::Defects) {
        let id = cell.id.disc().to_string();
        let boot: Option<Boot> = cell.id.disc().boot().parse().ok();
        let defect = boot.as_ref().and_then(|boot| boot.defect);
        if let (Some(boot), Some(defect)) = (boot, defect)
            && discs.iter().all(|disc| disc.id != id)
        {
            // What it is not made for, it does not do, whatever else is wrong.
            let by_design = boot
                .mode
                .bios()
                .is_none()
                .then_some(FindingId::CatalogEfiOnly);
            discs.push(Faulty {
                id,
                allowed: by_design.into_iter().chain([defect.id()]).collect(),
            });
        }
    }
    let folder = Folder::shipped_live(crate::repository::workspace());
    for cell in matrix.cells().filter(|cell| cell.set == Set::Live) {
        let word = cell.id.disc().boot().to_owned();
        let id = format!("live/-/{word}/-/-");
        if !word.contains(DAMAGE) || discs.iter().any(|disc| disc.id == id) {
            continue;
        }
        let live = Live::read(&folder, &word)?;
        let damage = live.damage.as_ref();
        let damage = damage.and_then(|name| live.layout.damage.get(name));
        let allowed = damage.map_or(&[][..], |damage| damage.causes.as_slice());
        discs.push(Faulty {
            id,
            allowed: allowed.iter().copied().collect(),
        });
    }
    Ok(discs)
}

/// What was answered of a disc.
enum Found {
    Report(Value),
    /// That it is no ISO, and what it is instead: it was not booted.
    NoIso,
    /// It could not be made, or could not be booted.
    Nothing,
}

/// Which disc the report beside it is of.
const ID: &str = "id.txt";

/// What a run that was stopped was answered of this disc.
fn known(disc: &Faulty, folder: &Path) -> Option<Value> {
    let id = fs::read_to_string(folder.join(ID)).ok()?;
    let report = fs::read(folder.join("report").join("report.json")).ok()?;
    serde_json::from_slice(&report)
        .ok()
        .filter(|_| id == disc.id)
}

/// Makes a disc and asks what keeps it from starting.
fn found(disc: &Faulty, folder: &Path, signals: &Signals) -> anyhow::Result<Found> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let iso = folder.join("disc.iso");
    let report = folder.join("report");
    let run = |words: &[&str], paths: [&PathBuf; 2]| {
        let mut command = Command::new(place::THIS_PROGRAM);
        command.arg(words[0]);
        if words[0] == "repro" {
            command.arg(paths[0]);
        }
        command.args(&words[1..]).arg("--out").arg(paths[1]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        signals
            .run(&mut command)
            .context("cannot start this program again")
    };
    if !run(&["image", &disc.id], [&iso, &iso])?.success() {
        return Ok(Found::Nothing);
    }
    // What is left of another disc is no answer.
    drop(fs::remove_dir_all(&report));
    run(&["repro", "--attach", ATTACHMENTS], [&iso, &report])?;
    if let Ok(text) = fs::read(report.join("report.json")) {
        fs::write(folder.join(ID), &disc.id)?;
        return Ok(Found::Report(serde_json::from_slice(&text)?));
    }
    let is_no_iso = Container::recognise(&File::open(&iso)?, &iso).is_some();
    Ok(if is_no_iso {
        Found::NoIso
    } else {
        Found::Nothing
    })
}

impl Count {
    fn add(&mut self, disc: &Faulty, report: &Value) {
        let Ok(results) = serde_json::from_value::<Results>(report.clone()) else {
            self.unknown
                .push(format!("{}: its report cannot be read", disc.id));
            return;
        };
        self.discs += 1;
        for cell in &results.cells {
            let Some(starts) = cell.starts else {
                continue;
            };
            self.boots += 1;
            let name = format!("{} on {} by {}", disc.id, cell.firmware, cell.attachment);
            if starts == Starts::Yes && !cell.causes.is_empty() {
                self.of_started.push(name.clone());
            }
            let wrong = cell.causes.iter().filter_map(|cause| cause.id);
            let wrong: Vec<&str> = wrong
                .filter(|id| !disc.allowed.contains(id))
                .map(FindingId::as_str)
                .collect();
            if !wrong.is_empty() {
                self.wrong.push(format!("{name}: {}", wrong.join(", ")));
            }
            if starts != Starts::No {
                continue;
            }
            self.failed += 1;
            let mut causes = cell.causes.iter();
            if causes.any(|cause| cause.proved) {
                self.proved += 1;
            } else if cell.causes.iter().any(|cause| cause.id.is_some()) {
                self.likely += 1;
            } else if !cell.causes.is_empty() {
                self.by_design += 1;
            } else {
                self.unknown.push(name);
            }
        }
    }

    fn figures(self, failures: Vec<String>) -> Figures {
        let mut figures = Figures {
            failures,
            ..Figures::default()
        };
        figures.add("discs with one known fault", self.discs);
        figures.add(
            "discs recognized as another format and not booted",
            self.no_iso,
        );
        figures.add("boots of the discs with a fault", self.boots);
        figures.add("boots that do not start", self.failed);
        figures.add("of these with a cause proved by experiment", self.proved);
        figures.add(
            "of these with a likely cause, named by messages or reads",
            self.likely,
        );
        figures.add(
            "of these on firmware or an attachment for which the disc is not made",
            self.by_design,
        );
        figures.add("of these without a known cause", self.unknown.len());
        figures.add("with a wrong cause", self.wrong.len());
        figures.add("boots that start but have a cause", self.of_started.len());
        let explained = self.failed.saturating_sub(self.unknown.len());
        if explained * 100 < self.failed * EXPLAINED {
            let unknown = self.unknown.join("; ");
            let what = format!(
                "of {} boots that fail only {explained} have a cause; the others: {unknown}",
                self.failed
            );
            figures.failures.push(what);
        }
        let of_started = self.of_started.iter();
        let of_started = of_started.map(|name| format!("{name}: it starts, and has a cause"));
        let wrong = self
            .wrong
            .iter()
            .map(|name| format!("{name}, which is not the cause"));
        figures.failures.extend(wrong.chain(of_started));
        figures
    }
}
