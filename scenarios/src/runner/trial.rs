//! One cell: tried, judged and recorded.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use harness::observation::Start;

use super::{
    attempt::{self, Attempt, Seen},
    environment::Environment,
    judge,
};
use crate::{
    cell::Cell,
    files::{self, FileError},
    program::typed,
    record::{self, CellResult, Differs, Verdict},
    terms::Starts,
};

/// Tries a cell, judges it, and leaves its record and its evidence in the folder of the run.
///
/// # Errors
/// The folder cannot be written. That the cell could not be run is a verdict.
pub fn run(environment: &Environment, cell: &Cell) -> Result<CellResult, FileError> {
    // What an earlier run left must not be taken for this one's.
    let run = &environment.run;
    let folder = run.out.join(record::evidence_folder(&cell.id));
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(FileError::new("empty", folder)(error));
        }
        _ => {}
    }
    record::write_record(&run.out, run.name(), &cell.id, result(environment, cell))
}

/// What becomes of a cell, from a checkpoint, from power-on or both.
fn result(environment: &Environment, cell: &Cell) -> CellResult {
    let tried = |start| {
        let attempt = attempt::attempt(environment, cell, start);
        (judge::judge(environment, cell, &attempt), attempt)
    };
    let both = environment.run.starts == Starts::Both;
    // What is declared to differ is not proved not to.
    if environment.run.starts == Starts::Cold || cell.cold.is_some() {
        return tried(Start::Cold).0;
    }
    let (from_checkpoint, warm) = tried(Start::Warm);
    let started_warm =
        from_checkpoint.start == Some(Start::Warm) || from_checkpoint.verdict == Verdict::Infra;
    // Where the disc itself is not as it was accepted, no other start makes it so.
    let of_disc = from_checkpoint.differences.as_ref();
    let of_disc = of_disc.is_some_and(|differences| !differences.structure.is_empty());
    let settled = is_good(environment, &from_checkpoint) || of_disc;
    if !started_warm || (settled && !both) {
        return from_checkpoint;
    }
    // A checkpoint only saves time. Whatever is not as expected has to show from power-on.
    let folder = environment.run.out.join(record::evidence_folder(&cell.id));
    let warm_evidence = set_aside(&folder);
    let (mut result, cold) = tried(Start::Cold);
    if let Some(warm_evidence) = warm_evidence {
        // Best effort, as setting it aside: it explains, and decides nothing.
        drop(fs::rename(warm_evidence, folder.join(record::WARM)));
    }
    result.warm_differs = match (&warm, &cold) {
        (Attempt::Seen(warm), Attempt::Seen(cold)) => differences(&result, warm, cold),
        // The checkpoint has no part in it.
        (Attempt::Failed(warm), Attempt::Failed(cold)) if warm == cold => Vec::new(),
        (Attempt::Failed(why), _) => vec![why.clone()],
        _ => Vec::new(),
    };
    if is_good(environment, &result) && !is_good(environment, &from_checkpoint) {
        result.flaky = first_failure(from_checkpoint.clone(), &result.warm_differs);
    }
    if !both || result.verdict == Verdict::Infra {
        return result;
    }
    if result.warm_differs.is_empty() {
        // The same both ways, whatever it is.
        return from_checkpoint;
    }
    result.verdict = Verdict::Mismatch;
    result.differs.push(Differs::Start);
    // It is no longer passed.
    result.flaky.clear();
    let differs = result.warm_differs.iter();
    result
        .reason
        .extend(differs.map(|what| format!("from a checkpoint it differs: {what}")));
    result
}

/// Moves a folder out of the way, and says where it is now.
fn set_aside(folder: &Path) -> Option<PathBuf> {
    let aside = files::unfinished(folder);
    drop(fs::remove_dir_all(&aside));
    fs::rename(folder, &aside).ok().map(|()| aside)
}

/// Whether it needs no second look. What was accepted just now contrary to what is declared does.
const fn is_good(environment: &Environment, result: &CellResult) -> bool {
    matches!(result.verdict, Verdict::AsExpected | Verdict::Observed)
        && (!environment.run.accept || result.contradicts.is_empty())
}

/// Why a cell failed at first. What was seen differently is told where no reason was.
fn first_failure(first: CellResult, differs: &[String]) -> Vec<String> {
    let mut why = [first.reason, first.contradicts].concat();
    if why.is_empty() {
        why = differs.to_vec();
    }
    if why.is_empty() {
        why.push(format!("it was {}", first.verdict));
    }
    why
}

/// In what two attempts differ, other than as the scenario says that any two may.
fn differences(result: &CellResult, warm: &Seen, cold: &Seen) -> Vec<String> {
    let may_vary = result.expected.as_ref().is_some_and(|expected| {
        let allowed = [Some(expected.outcome), expected.or];
        expected.or.is_some()
            && [warm, cold]
                .iter()
                .all(|seen| allowed.contains(&Some(seen.observation.outcome.kind)))
    });
    if may_vary {
        return Vec::new();
    }
    warm.observation.differences(&cold.observation)
}

/// What a person needs to go on from here.
#[must_use]
pub fn explain(out: &Path, result: &CellResult) -> String {
    let folder = out.join(&result.evidence);
    let mut lines = result.reason.clone();
    if let Some(expected) = &result.expected {
        lines.push(format!("expected because: {}", expected.because));
    }
    let replay = folder.join("replay.sh");
    if replay.exists() {
        lines.push(format!("the exact command: {}", replay.display()));
    }
    lines.extend(
        tail(&folder.join("serial.txt"))
            .map(|serial| format!("the end of the serial output:\n{serial}")),
    );
    lines.push(format!("evidence: {}", folder.display()));
    // With what the run was given: its scenarios, tools and baseline.
    let out = out.display();
    lines.push(typed(&format!(
        "again: cargo xtask boot-matrix '{}' --rerun failed --out '{out}'",
        result.id
    )));
    lines.join("\n")
}

/// So many lines of serial output say how a boot ended.
const TAIL: usize = 12;

fn tail(file: &Path) -> Option<String> {
    let text = fs::read(file).ok()?;
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let tail = lines.get(lines.len().saturating_sub(TAIL)..)?;
    (!tail.is_empty()).then(|| {
        tail.iter()
            .map(|line| format!("  | {line}"))
            .collect::<Vec<_>>()
            .join("\n")
    })
}
