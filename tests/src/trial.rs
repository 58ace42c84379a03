//! One cell as a test: tried, judged, recorded, and only then asserted.

use std::{fs, io};

use libtest_mimic::{Completion, Failed};
use scenarios::{
    cell::Cell,
    files,
    results::{self, CellRecord, Verdict},
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
    let record = judge::judge(environment, cell, attempt::attempt(environment, cell));
    files::write_json(
        &results::record_file(&environment.run.out, &cell.id),
        &record,
    )?;
    match record.verdict {
        Verdict::AsExpected | Verdict::Observed => Ok(Completion::Completed),
        Verdict::Skipped => Ok(Completion::ignored_with(record.reasons.join("; "))),
        Verdict::Mismatch | Verdict::Infra => Err(explain(environment, &record).into()),
    }
}

/// What a person needs to go on from here.
fn explain(environment: &Environment, record: &CellRecord) -> String {
    let evidence = environment.run.out.join(&record.evidence);
    let mut lines = record.reasons.clone();
    lines.push(format!("evidence: {}", evidence.display()));
    lines.push(format!("again: cargo xtask boot-matrix '{}'", record.id));
    lines.join("\n")
}
