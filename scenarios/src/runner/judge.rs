//! The judgement: what was seen against what is declared, and against what was accepted.

use std::path::Path;

use super::{
    attempt::{Attempt, Seen},
    environment::Environment,
    snapshot::{self, Comparison},
};
use crate::{
    baseline::{self, Baseline, finding_ids},
    cell::Cell,
    compare,
    files::{self, FileError},
    record::{self, CellResult, Differs, Verdict},
    run::Run,
    terms::Accepted,
};
use harness::{
    observation::Observation,
    toml_file::Location,
    verdict::{Expectation, contradictions},
};

/// What became of a cell.
#[must_use]
pub fn judge(environment: &Environment, cell: &Cell, attempt: &Attempt) -> CellResult {
    match attempt {
        Attempt::Skipped(reason) => record::unseen(cell, Verdict::Skipped, reason),
        Attempt::Failed(reason) => record::unseen(cell, Verdict::Infra, reason),
        Attempt::Seen(seen) => judge_seen(environment, cell, seen)
            .unwrap_or_else(|why| record::unseen(cell, Verdict::Infra, why)),
    }
}

fn judge_seen(environment: &Environment, cell: &Cell, seen: &Seen) -> Result<CellResult, String> {
    let run = &environment.run;
    let judge = cell.judged_by(seen.firmware_version.as_deref(), |expected| {
        contradictions(&seen.observation, seen.manifest.as_ref(), expected).is_empty()
    });
    let expected = judge.as_ref().map(|judge| &*judge.expectation);
    let record = Baseline::new(
        &cell.id,
        baseline::Seen {
            observation: &seen.observation,
            manifest: seen.manifest.as_ref(),
            inspection: seen.inspection.as_ref(),
            expected,
        },
    );
    files::write_evidence(&baseline::evidence_file(&run.out, &cell.id), &record)
        .map_err(|error| error.to_string())?;
    let against = expected.map_or_else(Vec::new, |expected| {
        contradictions(&seen.observation, seen.manifest.as_ref(), expected)
    });
    let judgement = match (&run.accepted, expected) {
        (Accepted::Baseline(folder), _) => by_baseline(folder, cell, &record, against, run.accept)
            .map_err(|error| error.to_string())?,
        (Accepted::Nothing, _) | (Accepted::Snapshots, None) => by_declaration(against),
        (Accepted::Snapshots, _)
            if !environment.has_snapshots(cell)
                || judge.as_ref().is_some_and(|judge| judge.since) =>
        {
            by_declaration(against)
        }
        (Accepted::Snapshots, Some(expected)) => {
            let declared = judge.as_ref().map(|judge| judge.at);
            by_snapshot(run, cell, seen, (expected, declared), against)
                .map_err(|error| error.to_string())?
        }
    };
    let declared_or_accepted = expected.is_some() || matches!(run.accepted, Accepted::Baseline(_));
    let findings = seen.inspection.as_ref().map_or_else(Vec::new, finding_ids);
    Ok(CellResult {
        expected: expected.cloned(),
        verdict: match (judgement.differs.is_empty(), declared_or_accepted) {
            (false, _) => Verdict::Mismatch,
            (true, true) => Verdict::AsExpected,
            (true, false) => Verdict::Observed,
        },
        differs: judgement.differs,
        contradicts: judgement.contradicts,
        reason: judgement.reason,
        start: seen
            .firmware_version
            .is_some()
            .then_some(seen.observation.start),
        ..observed(cell, &seen.observation, findings)
    })
}

/// What was seen of a cell, of which nothing was declared.
#[must_use]
pub fn observed(cell: &Cell, observation: &Observation, findings: Vec<String>) -> CellResult {
    CellResult {
        outcome: Some(observation.outcome.clone()),
        guest: observation.guest.clone(),
        starts: Some(observation.starts),
        causes: Vec::new(),
        findings,
        duration_ms: observation.duration_ms,
        start: Some(observation.start),
        reason: Vec::new(),
        ..record::unseen(cell, Verdict::Observed, "")
    }
}

/// In what a cell is not as it should be, and what of that is accepted all the same.
#[derive(Default)]
struct Judgement {
    differs: Vec<Differs>,
    reason: Vec<String>,
    contradicts: Vec<String>,
}

/// By what the scenario declares, where nothing was accepted that it could be compared with.
fn by_declaration(contradictions: Vec<String>) -> Judgement {
    let differs = if contradictions.is_empty() {
        Vec::new()
    } else {
        vec![Differs::Outcome]
    };
    Judgement {
        differs,
        reason: contradictions,
        contradicts: Vec::new(),
    }
}

/// By what was accepted, whatever the scenario declares.
fn by_baseline(
    folder: &Path,
    cell: &Cell,
    record: &Baseline,
    contradictions: Vec<String>,
    accept: bool,
) -> Result<Judgement, FileError> {
    let mut judgement = Judgement::default();
    if accept {
        record.accept(folder, &cell.id)?;
    } else {
        match Baseline::read_for(folder, &cell.id)? {
            None => {
                judgement.differs.push(Differs::New);
                let what = "it has no baseline yet; --accept takes what was seen";
                judgement.reason.push(what.to_owned());
            }
            Some(accepted) => {
                let differences = compare::with_baseline(record, &accepted);
                if !differences.is_empty() {
                    judgement.differs.push(Differs::Snapshot);
                }
                let sentences = differences.all().map(ToString::to_string);
                judgement.reason.extend(sentences);
            }
        }
    }
    if judgement.differs.is_empty() {
        judgement.contradicts = contradictions;
    } else if !contradictions.is_empty() {
        judgement.differs.push(Differs::Outcome);
        judgement.reason.extend(contradictions);
    }
    Ok(judgement)
}

/// By the scenario's snapshot, and by what it declares. The text that is compared is left in the evidence, for whoever accepts it.
fn by_snapshot(
    run: &Run,
    cell: &Cell,
    seen: &Seen,
    (expected, declared): (&Expectation, Option<&Location>),
    contradictions: Vec<String>,
) -> Result<Judgement, FileError> {
    let mut judgement = by_declaration(contradictions);
    if !judgement.differs.is_empty()
        && run.accept
        && let Some(declared) = declared
    {
        // It must not become the snapshot, and whoever asked for that is told first.
        let why = format!(
            "not accepted, because what was seen is not what the scenario declares; change that first, at {declared}"
        );
        judgement.reason.insert(0, why);
        return Ok(judgement);
    }
    let mut text = expected.snapshot(&seen.observation, seen.manifest.as_ref());
    let findings = seen.inspection.as_ref().map_or_else(Vec::new, finding_ids);
    if !findings.is_empty() {
        text.push_str(&format!("findings:\n  {}\n", findings.join("\n  ")));
    }
    files::write(&record::snapshot_file(&run.out, &cell.id), text.as_bytes())?;
    if run.accept {
        return Ok(judgement);
    }
    match snapshot::compare(&cell.snapshot, &text)? {
        Comparison::Same => {}
        Comparison::Different(lines) => {
            judgement.differs.push(Differs::Snapshot);
            judgement.reason.push(lines);
        }
        Comparison::New(lines) => {
            judgement.differs.push(Differs::New);
            judgement.reason.push(lines);
        }
    }
    Ok(judgement)
}
