//! The judgement: what was seen against what is declared, and against what was accepted.

use harness::verdict::contradictions;
use scenarios::{
    cell::Cell,
    results::{self, CellResult, Differs, Verdict},
};

use crate::{
    attempt::{Attempt, Seen},
    environment::Environment,
    snapshot::{self, Comparison},
};

/// What became of a cell.
#[must_use]
pub fn judge(environment: &Environment, cell: &Cell, attempt: &Attempt) -> CellResult {
    match attempt {
        Attempt::Skipped(reason) => results::unseen(cell, Verdict::Skipped, reason),
        Attempt::Failed(reason) => results::unseen(cell, Verdict::Infra, reason),
        Attempt::Seen(seen) => judge_seen(environment, cell, seen),
    }
}

fn judge_seen(environment: &Environment, cell: &Cell, seen: &Seen) -> CellResult {
    let (observation, manifest) = (&seen.observation, seen.manifest.as_ref());
    let Some(expected) = cell.expectation(seen.firmware_version.as_deref()) else {
        return results::unseen(cell, Verdict::Infra, "no scenario says what must happen");
    };
    if let Err(error) = snapshot::forget_pending(&cell.snapshot) {
        return results::unseen(cell, Verdict::Infra, error.to_string());
    }
    let mut reason = contradictions(observation, manifest, expected);
    let mut differs = Vec::new();
    if !reason.is_empty() {
        differs.push(Differs::Outcome);
    }
    if !reason.is_empty()
        && environment.run.accept
        && let Some(declared) = cell.declared(seen.firmware_version.as_deref())
    {
        // It must not become the snapshot, and whoever asked for that is told first.
        let why = format!(
            "not accepted, because what was seen is not what the scenario declares; change that first, at {declared}"
        );
        reason.insert(0, why);
    } else {
        match snapshot::compare(&cell.snapshot, &expected.snapshot(observation, manifest)) {
            Comparison::Same => {}
            Comparison::Different(lines) => {
                differs.push(Differs::Snapshot);
                reason.push(lines);
            }
            Comparison::New(lines) => {
                differs.push(Differs::New);
                reason.push(lines);
            }
            Comparison::Failed(why) => return results::unseen(cell, Verdict::Infra, why),
        }
    }
    CellResult {
        outcome: Some(observation.outcome.clone()),
        expected: Some(expected.clone()),
        verdict: if differs.is_empty() {
            Verdict::AsExpected
        } else {
            Verdict::Mismatch
        },
        differs,
        reason,
        duration_ms: observation.duration_ms,
        start: seen.firmware_version.is_some().then_some(observation.start),
        ..results::unseen(cell, Verdict::AsExpected, "")
    }
}
