//! One cell as a test: tried, judged, recorded, and only then asserted.

use std::{fs, io, path::Path};

use libtest_mimic::{Completion, Failed};
use scenarios::{
    cell::Cell,
    files,
    results::{self, CellResult, Verdict},
};

use crate::{attempt, environment::Environment, judge};

/// Runs a cell as a test.
///
/// # Errors
/// What is seen is not what is expected, or could not be seen.
pub fn run(environment: &Environment, cell: &Cell) -> Result<Completion, Failed> {
    // What an earlier run left must not be taken for this one's.
    let folder = environment.run.out.join(results::evidence_folder(&cell.id));
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(format!("cannot empty {}: {error}", folder.display()).into());
        }
        _ => {}
    }
    let result = judge::judge(environment, cell, &attempt::attempt(environment, cell));
    files::write_json(
        &results::record_file(&environment.run.out, &cell.id),
        &result,
    )?;
    match result.verdict {
        Verdict::AsExpected | Verdict::Observed => Ok(Completion::Completed),
        Verdict::Skipped => Ok(Completion::ignored_with(result.reason.join("; "))),
        Verdict::Mismatch | Verdict::Infra => Err(explain(&folder, &result).into()),
    }
}

/// What a person needs to go on from here.
fn explain(folder: &Path, result: &CellResult) -> String {
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
    lines.push(format!("again: cargo xtask boot-matrix '{}'", result.id));
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
