//! A cell's result, in its evidence.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use harness::{
    attachment::Attachment,
    diagnosis::Cause,
    guest::{Guest, Starts},
    medium_profile::MediumProfile,
    observation::Start,
    outcome::{Outcome, OutcomeKind},
    verdict::Expectation,
};
use serde::{Deserialize, Serialize, de::IgnoredAny};

use crate::{
    cell::Cell,
    difference::Differences,
    files::{self, FileError},
    id::CellId,
};

pub use harness::verdict::Verdict;

/// What a mismatch differs from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Differs {
    /// From the scenario's declaration.
    Outcome,
    /// From the accepted snapshot.
    Snapshot,
    /// Nothing was accepted yet.
    New,
    /// From the same machine's result when it started from a checkpoint.
    Start,
}

impl Differs {
    /// The word in results.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outcome => "outcome",
            Self::Snapshot => "snapshot",
            Self::New => "new",
            Self::Start => "start",
        }
    }
}

impl fmt::Display for Differs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One cell of `results.json`, and of the output of `repro --format json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellResult {
    /// The cell's id; the seven fields after it are its parts, unchanged.
    pub id: String,
    /// The scenario.
    pub scenario: String,
    /// The medium, or `-`.
    pub medium: String,
    /// The boot mode with its deviations.
    pub boot: String,
    /// The image's size, or `-`.
    pub size: String,
    /// The mastering tool, or `-`.
    pub master: String,
    /// The firmware, with `@version` if a build was chosen.
    pub firmware: String,
    /// How the disc was attached to the machine.
    pub attachment: Attachment,
    /// The fault of the medium itself; absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medium_profile: Option<MediumProfile>,
    /// What happened; `null` if the cell did not finish.
    pub outcome: Option<Outcome>,
    /// The state of the disc's program; `null` if the firmware handed over to none other than our probe.
    #[serde(default)]
    pub guest: Option<Guest>,
    /// Whether the disc was seen to start; `null` if nothing ran.
    #[serde(default)]
    pub starts: Option<Starts>,
    /// The expected result; `null` if nothing was declared.
    pub expected: Option<Expectation>,
    /// The judgement.
    pub verdict: Verdict,
    /// For a mismatch, what it differs from.
    pub differs: Vec<Differs>,
    /// The explanation if it does not start, as far as known: `repro` finds it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
    /// The ids of the defects seen on the disc.
    pub findings: Vec<String>,
    /// From the machine's start to the decision, in milliseconds.
    pub duration_ms: u64,
    /// How the machine started; `null` if none did.
    pub start: Option<Start>,
    /// The differences when the cell's machine started from a checkpoint. It was then started from power-on, and only that result counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warm_differs: Vec<String>,
    /// Why it failed at first, if it passed on retry: from power-on after a checkpoint, or in a rerun of failed cells with nothing changed
    /// in between. The verdict is that of the last try; this shows that the first one was different.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flaky: Vec<String>,
    /// The folder with the evidence, relative to the results.
    pub evidence: String,
    /// The differences from the scenario's declaration that a baseline accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contradicts: Vec<String>,
    /// The differences from a baseline; `null` if there was none to compare with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub differences: Option<Differences>,
    /// Why it was skipped, could not be run, or is a mismatch, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reason: Vec<String>,
}

impl CellResult {
    /// Whether a user has to look at it.
    #[must_use]
    pub const fn is_failure(&self) -> bool {
        matches!(self.verdict, Verdict::Mismatch | Verdict::Infra)
    }

    /// What happened, in a few words: `refused 0009 at catalog-read`, or for a program other than a probe `handed-over, gave-up at loader`.
    #[must_use]
    pub fn happened(&self) -> Option<String> {
        let outcome = self.outcome.as_ref()?;
        Some(match (&self.guest, outcome.kind) {
            (Some(guest), OutcomeKind::HandedOver | OutcomeKind::Reset) => {
                format!("{}, {} at {}", outcome.kind, guest.state, guest.stage)
            }
            _ => outcome.to_string(),
        })
    }

    /// Whether the disc starts, if a program other than a probe was followed.
    #[must_use]
    pub fn starts_in_words(&self) -> Option<&'static str> {
        self.guest.as_ref()?;
        Some(match self.starts? {
            Starts::Yes => "the disc starts",
            Starts::No => "the disc does not start",
            Starts::Unknown => "whether the disc starts is not known",
        })
    }
}

/// The folder of a cell's evidence, relative to the folder of the results.
#[must_use]
pub fn evidence_folder(id: &CellId) -> PathBuf {
    Path::new("cells").join(id.path())
}

/// The folder in a cell's evidence with the observations from a checkpoint, if the machine was started again from power-on.
pub const WARM: &str = "warm";

/// The disc's inspection, in the evidence of a cell.
pub const INSPECTION: &str = "inspection.json";
/// The disc at a glance, in the evidence of a cell.
pub const DISC: &str = "disc.json";
/// The explanation of the cell's result, in its evidence.
pub const DIAGNOSIS: &str = "diagnosis.json";

/// The file with a cell's record.
#[must_use]
pub fn record_file(out: &Path, id: &CellId) -> PathBuf {
    out.join(evidence_folder(id)).join("result.json")
}

/// The file with the text that a cell's snapshot is compared with; it exists if a snapshot judges the cell.
#[must_use]
pub fn snapshot_file(out: &Path, id: &CellId) -> PathBuf {
    out.join(evidence_folder(id)).join("snapshot.txt")
}

/// A cell's record: its result, and its run.
#[derive(Serialize, Deserialize)]
struct Record {
    /// The run's name ([`crate::run::Run::name`]).
    run: u64,
    #[serde(flatten)]
    result: CellResult,
}

/// Writes the record of a cell to its evidence, completely or not at all.
///
/// # Errors
/// As [`files::write()`].
pub fn write_record(
    out: &Path,
    run: u64,
    id: &CellId,
    result: CellResult,
) -> Result<CellResult, FileError> {
    let record = Record { run, result };
    files::write_json(&record_file(out, id), &record)?;
    Ok(record.result)
}

/// Reads the record that a cell left in a run.
///
/// # Errors
/// There is none, or it belongs to another run or another cell.
pub fn read_record(out: &Path, run: u64, id: &CellId) -> Result<CellResult, FileError> {
    let file = record_file(out, id);
    let record: Record = files::read_json(&file)?;
    let other = |what: &str| {
        Err(FileError::new("use", &file)(io::Error::other(
            what.to_owned(),
        )))
    };
    if record.run != run {
        return other("it is of another run");
    }
    if record.result.id != id.as_str() {
        return other("it is of another cell");
    }
    Ok(record.result)
}

/// The results that a continued run can keep, by id. It does not keep cells that could not be run, or cells with damaged evidence, as after a
/// power failure.
#[must_use]
pub fn kept(out: &Path, run: u64, cells: &[Cell]) -> BTreeMap<String, CellResult> {
    let kept = |cell: &Cell| {
        let result = read_record(out, run, &cell.id).ok()?;
        let folder = out.join(evidence_folder(&cell.id));
        (result.verdict != Verdict::Infra && is_sound(&folder))
            .then_some((result.id.clone(), result))
    };
    cells.iter().filter_map(kept).collect()
}

/// Whether every document in a folder of evidence is complete.
fn is_sound(folder: &Path) -> bool {
    let is_json = |path: &PathBuf| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    };
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    let mut documents = entries.flatten().map(|entry| entry.path()).filter(is_json);
    documents.all(|path| files::read_json::<IgnoredAny>(&path).is_ok())
}

/// The result of a cell without an observation.
#[must_use]
pub fn unseen(cell: &Cell, verdict: Verdict, reason: impl Into<String>) -> CellResult {
    nothing_of(&cell.id, cell.attachment, verdict, reason.into())
}

/// The result of a cell if only its name is known; nothing if the name has no attachment.
#[must_use]
pub fn of_id(id: &CellId, verdict: Verdict, reason: impl Into<String>) -> Option<CellResult> {
    let attachment = id.attachment_kind().parse().ok()?;
    Some(nothing_of(id, attachment, verdict, reason.into()))
}

fn nothing_of(id: &CellId, attachment: Attachment, verdict: Verdict, reason: String) -> CellResult {
    let disc = id.disc();
    CellResult {
        id: id.to_string(),
        scenario: disc.scenario().to_owned(),
        medium: disc.medium().to_owned(),
        boot: disc.boot().to_owned(),
        size: disc.size().to_owned(),
        master: disc.master().to_owned(),
        firmware: id.firmware().to_owned(),
        attachment,
        medium_profile: id.medium_profile(),
        outcome: None,
        guest: None,
        starts: None,
        expected: None,
        verdict,
        differs: Vec::new(),
        causes: Vec::new(),
        findings: Vec::new(),
        duration_ms: 0,
        start: None,
        warm_differs: Vec::new(),
        flaky: Vec::new(),
        contradicts: Vec::new(),
        differences: None,
        evidence: evidence_folder(id).to_string_lossy().into_owned(),
        reason: vec![reason],
    }
}

/// A time in results: milliseconds since 1970.
#[must_use]
pub fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Gathers the results of a run's cells. A cell without one could not be run, for the given reason if one is known.
#[must_use]
pub fn gather(out: &Path, run: u64, cells: &[Cell], why_missing: Option<&str>) -> Vec<CellResult> {
    let result = |cell: &Cell| {
        read_record(out, run, &cell.id).unwrap_or_else(|error| {
            let reason = why_missing.map_or_else(
                || format!("the cell left no result: {error}"),
                ToOwned::to_owned,
            );
            unseen(cell, Verdict::Infra, reason)
        })
    };
    cells.iter().map(result).collect()
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
