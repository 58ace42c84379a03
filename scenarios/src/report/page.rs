//! What is shown of one cell.

use std::{fs, path::Path};

use harness::{
    diagnosis::Diagnosis,
    evidence::REPLAY,
    guest::GuestStage,
    outcome::{OutcomeKind, Stage},
};
use images::finding::Severity;
use serde::Serialize;

use super::details::Details;
use crate::{
    files,
    id::CellId,
    program::typed,
    record::{self, CellResult, DIAGNOSIS, Differs, Verdict},
};

/// What is shown of a cell.
#[derive(Clone, Debug, Serialize)]
pub struct Page {
    /// Its record.
    #[serde(flatten)]
    pub result: CellResult,
    /// The boot mode without its deviations.
    pub mode: String,
    /// A letter for what happened.
    pub letter: char,
    /// What happened, in a few words.
    pub happened: String,
    /// What decided, without the words of the disc's program, which stand by themselves.
    pub decided: String,
    /// How far it came.
    pub steps: Vec<Step>,
    /// Why it is not as it should be.
    pub reasons: Vec<Reason>,
    /// The first of them that are sentences.
    pub summary: Vec<String>,
    /// Why it failed at first, where it is flaky.
    pub first_failure: Vec<Reason>,
    /// The first lines that are not what was accepted.
    pub changes: Vec<DiffLine>,
    /// Of what is wrong with the disc, the errors.
    pub errors: Vec<String>,
    /// Why it went as it did, where somebody has to look.
    pub diagnosis: Option<String>,
    /// The likeliest cause of that alone.
    pub cause: Option<String>,
    /// What would fix the disc, where something is wrong with it.
    pub remedies: Vec<String>,
    /// What can be done next.
    pub commands: Vec<Command>,
    /// The folder of the evidence, beside the page.
    pub folder: Option<String>,
    /// The names of the files of evidence.
    pub files: Vec<String>,
    /// The evidence itself, where somebody has to look.
    pub details: Option<Details>,
    /// What of the evidence is missing or cannot be read, one sentence each.
    pub missing: Vec<String>,
}

/// A stage of a boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Which: a stage of the firmware, and behind those, of the program that is no probe.
    pub stage: &'static str,
    /// Whether the boot came so far.
    pub reached: bool,
    /// Whether it went no further.
    pub last: bool,
    /// Whether it had to come just so far.
    pub expected: bool,
}

/// Why a cell is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// A sentence.
    Sentence(String),
    /// What is seen beside what was accepted.
    Diff(Vec<DiffLine>),
}

/// A line of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiffLine {
    /// What became of it.
    pub change: Change,
    /// The line.
    pub text: String,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It was accepted, and is not seen.
    Removed,
    /// It is seen, and was not accepted.
    Added,
    /// It is the same.
    Kept,
    /// It says where the lines stand.
    Place,
}

/// Something to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Command {
    /// What for.
    pub purpose: &'static str,
    /// The command, for a shell in the workspace.
    pub command: String,
}

/// By what cells are put in order: what somebody has to look at comes first.
pub(super) fn urgency(result: &CellResult) -> u8 {
    match result.verdict {
        // What happens outweighs what it looks like.
        Verdict::Mismatch if result.differs.contains(&Differs::Outcome) => 0,
        Verdict::Mismatch => 1,
        Verdict::Infra => 2,
        _ if !result.flaky.is_empty() => 3,
        Verdict::Observed => 4,
        Verdict::Skipped => 5,
        Verdict::AsExpected => 6,
    }
}

impl Page {
    /// Reads the evidence of a cell. What is shown of it is taken from the budget.
    pub(super) fn read(out: &Path, result: CellResult, budget: &mut usize) -> Self {
        let mut missing = Vec::new();
        // The id names the folder; what the record says may be anything.
        let id: Option<CellId> = result.id.parse().ok();
        let folder = id.as_ref().map(|id| out.join(record::evidence_folder(id)));
        let files = folder.as_deref().map(names).unwrap_or_default();
        let looked_at = result.is_failure() || result.verdict == Verdict::Observed;
        let ran = result.outcome.is_some();
        let read = folder.as_deref().filter(|_| looked_at && !files.is_empty());
        let details = read.and_then(|folder| Details::read(folder, ran, budget, &mut missing));
        if looked_at && files.is_empty() && ran {
            missing.push("The evidence of this cell is missing.".to_owned());
        } else if looked_at && details.is_none() && !files.is_empty() {
            missing.push(
                "To keep the page small, the evidence of this cell is not shown. See its files."
                    .to_owned(),
            );
        }
        let told: Option<Vec<Diagnosis>> =
            read.and_then(|folder| files::read_json(&folder.join(DIAGNOSIS)).ok());
        let remedies = told
            .iter()
            .flatten()
            .flat_map(|diagnosis| &diagnosis.causes)
            .map(|cause| cause.remedy.clone())
            .filter(|remedy| !remedy.is_empty());
        let reasons: Vec<Reason> = result.reason.iter().map(|reason| parse(reason)).collect();
        Self {
            mode: result.boot.split(',').next().unwrap_or_default().to_owned(),
            letter: letter(&result),
            happened: result
                .happened()
                .unwrap_or_else(|| "nothing was seen".to_owned()),
            decided: decided(&result),
            steps: steps(&result),
            summary: summary(&reasons),
            changes: changes(&reasons),
            errors: details.as_ref().map(errors).unwrap_or_default(),
            reasons,
            first_failure: result.flaky.iter().map(|reason| parse(reason)).collect(),
            diagnosis: told
                .as_ref()
                .and_then(|told| told.first())
                .map(ToString::to_string),
            remedies: remedies.collect(),
            cause: told
                .as_ref()
                .and_then(|told| told.first()?.causes.first())
                .map(|cause| cause.sentence.clone()),
            folder: id.map(|id| record::evidence_folder(&id).to_string_lossy().into_owned()),
            commands: commands(out, &result, &files),
            files,
            details,
            missing,
            result,
        }
    }
}

/// The names of the files in a folder, in order; none when there is no such folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_file = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_file());
    let mut names: Vec<String> = entries
        .filter(is_file)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort_unstable();
    names
}

fn letter(result: &CellResult) -> char {
    match (&result.outcome, result.verdict) {
        (Some(outcome), _) => match outcome.kind {
            OutcomeKind::Booted => 'B',
            OutcomeKind::HandedOver => 'O',
            OutcomeKind::Refused => 'R',
            OutcomeKind::Hung => 'H',
            OutcomeKind::Reset => 'X',
            OutcomeKind::NotMastered => 'N',
        },
        (None, Verdict::Skipped) => '–',
        (None, _) => '?',
    }
}

fn decided(result: &CellResult) -> String {
    let detail = result.outcome.as_ref().map(|outcome| &outcome.detail);
    let detail = detail.map_or("", String::as_str);
    let guest = result.guest.as_ref().filter(|guest| !guest.said.is_empty());
    let rest = guest.and_then(|guest| detail.strip_prefix(&guest.in_a_sentence()));
    rest.unwrap_or(detail)
        .trim_start_matches([';', ' '])
        .to_owned()
}

/// The stages, of a cell that was booted.
fn steps(result: &CellResult) -> Vec<Step> {
    let Some(outcome) = &result.outcome else {
        return Vec::new();
    };
    if outcome.kind == OutcomeKind::NotMastered {
        return Vec::new();
    }
    let expected = result.expected.as_ref();
    // What booted without a probe has nothing to wait for behind its entry, but for the program's own stages.
    let without_probe = outcome.kind == OutcomeKind::Booted && outcome.stage == Stage::Entered;
    let guest = result
        .guest
        .as_ref()
        .filter(|_| outcome.stage == Stage::Entered);
    let last = if without_probe || guest.is_some() {
        Stage::Entered
    } else {
        Stage::Ended
    };
    let known = Stage::ALL
        .iter()
        .filter(|&&stage| stage != Stage::Unknown && stage <= last);
    let of_firmware = known.map(|&stage| Step {
        stage: stage.as_str(),
        reached: stage <= outcome.stage,
        last: stage == outcome.stage && guest.is_none(),
        expected: expected.and_then(|expected| expected.stage) == Some(stage),
    });
    let of_guest = guest.into_iter().flat_map(|guest| {
        GuestStage::ALL.iter().map(|&stage| Step {
            stage: stage.as_str(),
            reached: stage <= guest.stage,
            last: stage == guest.stage,
            expected: expected.and_then(|expected| expected.guest_stage) == Some(stage),
        })
    });
    of_firmware.chain(of_guest).collect()
}

/// A reason is a sentence, or a comparison as `diff -u` writes them.
fn parse(reason: &str) -> Reason {
    if !reason.starts_with("--- ") {
        return Reason::Sentence(reason.to_owned());
    }
    let line = |line: &str| {
        let (change, text) = match line.as_bytes() {
            [b'@', ..] => (Change::Place, line),
            [b'-', b'-', b'-', b' ', ..] => (Change::Removed, line),
            [b'+', b'+', b'+', b' ', ..] => (Change::Added, line),
            [b'-', ..] => (Change::Removed, line),
            [b'+', ..] => (Change::Added, line),
            _ => (Change::Kept, line),
        };
        DiffLine {
            change,
            text: text.to_owned(),
        }
    };
    Reason::Diff(reason.lines().map(line).collect())
}

/// So many of the things that are told of a cell stand in the list of failures.
const FIRST: usize = 3;

fn summary(reasons: &[Reason]) -> Vec<String> {
    let sentence = |reason: &Reason| match reason {
        Reason::Sentence(sentence) => Some(sentence.clone()),
        Reason::Diff(_) => None,
    };
    reasons.iter().filter_map(sentence).take(FIRST).collect()
}

fn changes(reasons: &[Reason]) -> Vec<DiffLine> {
    let lines = reasons.iter().filter_map(|reason| match reason {
        Reason::Sentence(_) => None,
        // The names of both sides are no change.
        Reason::Diff(lines) => lines.get(2..),
    });
    let changed = |line: &&DiffLine| matches!(line.change, Change::Added | Change::Removed);
    let changed = lines.flatten().filter(changed).take(2 * FIRST);
    changed
        .map(|line| DiffLine {
            text: line.text.get(1..).unwrap_or_default().trim().to_owned(),
            ..line.clone()
        })
        .collect()
}

fn errors(details: &Details) -> Vec<String> {
    let findings = details.findings.iter();
    findings
        .filter(|finding| finding.severity == Severity::Error)
        .take(FIRST)
        .map(|finding| format!("{} ({})", finding.message, finding.id))
        .collect()
}

fn commands(out: &Path, result: &CellResult, files: &[String]) -> Vec<Command> {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let (id, out_quoted) = (quoted(&result.id), quoted(&out.to_string_lossy()));
    let mut commands = Vec::new();
    // What was only observed is a disc that exists, and in no scenario.
    if result.verdict != Verdict::Observed {
        let again = if result.is_failure() {
            format!(" --rerun failed --out {out_quoted}")
        } else {
            String::new()
        };
        commands.push(Command {
            purpose: "run this cell again",
            command: typed(&format!("cargo xtask boot-matrix {id}{again}")),
        });
    }
    if files.iter().any(|name| name == REPLAY) {
        let script = out
            .join(&result.evidence)
            .join(REPLAY)
            .to_string_lossy()
            .into_owned();
        commands.push(Command {
            purpose: "boot it by hand, without boot-matrix",
            command: format!("sh {}", quoted(&script)),
        });
    }
    let acceptable = |differs: &Differs| matches!(differs, Differs::Snapshot | Differs::New);
    if result.verdict == Verdict::Mismatch && result.differs.iter().all(acceptable) {
        commands.push(Command {
            purpose: "review the difference, and accept it if it is right",
            command: typed(&format!("cargo xtask boot-matrix {id} --review")),
        });
    }
    if !result.findings.is_empty() && result.medium != "-" {
        commands.push(Command {
            purpose: "master the disc, and inspect it",
            command: typed(&format!(
                "cargo xtask image {id} --out disc.iso && cargo xtask inspect disc.iso"
            )),
        });
    }
    commands
}
