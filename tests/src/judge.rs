//! The judgement: what was seen against what is declared, and against what was accepted.

use harness::observation::Observation;
use scenarios::{
    cell::{Cell, Expectation},
    results::{CellRecord, Differs, Verdict},
};

use crate::{
    attempt::Attempt,
    environment::Environment,
    snapshot::{self, Comparison},
};

/// What became of a cell.
#[must_use]
pub fn judge(environment: &Environment, cell: &Cell, attempt: Attempt) -> CellRecord {
    match attempt {
        Attempt::Skipped(reason) => CellRecord::unseen(&cell.id, Verdict::Skipped, reason),
        Attempt::Failed(reason) => CellRecord::unseen(&cell.id, Verdict::Infra, reason),
        Attempt::Seen(seen) => judge_seen(environment, cell, &seen),
    }
}

fn judge_seen(environment: &Environment, cell: &Cell, seen: &Observation) -> CellRecord {
    let expected = cell.expectation(None);
    let mut reasons = expected
        .map(|expected| contradictions(expected, seen))
        .unwrap_or_default();
    let mut differs = Vec::new();
    if !reasons.is_empty() {
        differs.push(Differs::Outcome);
    }
    // What contradicts the scenario must not become the snapshot: the scenario has to be changed first.
    if differs.is_empty() || !environment.run.accept {
        match snapshot::compare(&cell.snapshot, &snapshot_text(seen)) {
            Comparison::Same => {}
            Comparison::Different(lines) => {
                differs.push(Differs::Snapshot);
                reasons.push(lines);
            }
            Comparison::New(lines) => {
                differs.push(Differs::New);
                reasons.push(lines);
            }
            Comparison::Failed(reason) => {
                return CellRecord::unseen(&cell.id, Verdict::Infra, reason);
            }
        }
    }
    let mut record = CellRecord::unseen(&cell.id, Verdict::AsExpected, "");
    record.reasons.clear();
    record.reasons.append(&mut reasons);
    record.verdict = if differs.is_empty() {
        Verdict::AsExpected
    } else {
        Verdict::Mismatch
    };
    record.differs = differs;
    record.outcome = Some(seen.outcome.clone());
    record.expected = expected.cloned();
    record.duration_ms = seen.duration_ms;
    record.start = Some(seen.start);
    record
}

fn contradictions(expected: &Expectation, seen: &Observation) -> Vec<String> {
    if expected.kind == seen.outcome.kind {
        Vec::new()
    } else {
        vec![format!(
            "expected {}, and it {}",
            expected.kind, seen.outcome.kind
        )]
    }
}

fn snapshot_text(seen: &Observation) -> String {
    format!("outcome: {}\n", seen.outcome.kind)
}
