//! The judgement: what was seen against what is declared, and against what was accepted.

use std::{collections::BTreeMap, path::Path};

use super::{
    attempt::{Attempt, Seen},
    environment::Environment,
    snapshot::{self, Comparison},
};
use crate::{
    accepted::Baselines,
    baseline::{self, Baseline, finding_ids},
    cell::Cell,
    compare::{self, Strictness},
    difference::Differences,
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
use images::inspect::Inspection;

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
            tools: tools(environment, cell, seen),
        },
    );
    files::write_evidence(&baseline::evidence_file(&run.out, &cell.id), &record)
        .map_err(|error| error.to_string())?;
    let against = expected.map_or_else(Vec::new, |expected| {
        contradictions(&seen.observation, seen.manifest.as_ref(), expected)
    });
    let judgement = match (&run.accepted, expected) {
        (Accepted::Baseline(folder), _) => {
            by_baseline(run, folder, cell, &record, against).map_err(|error| error.to_string())?
        }
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
        differences: judgement.differences,
        reason: judgement.reason,
        start: seen
            .firmware_version
            .is_some()
            .then_some(seen.observation.start),
        ..observed(cell, &seen.observation, findings)
    })
}

/// With what a cell was seen: the versions of QEMU, of the firmware and of the master, by their names.
fn tools(environment: &Environment, cell: &Cell, seen: &Seen) -> BTreeMap<String, String> {
    let mut tools = BTreeMap::new();
    if let Ok(toolbox) = environment.toolbox() {
        tools.insert("qemu".to_owned(), toolbox.qemu.version.to_string());
        let disc = cell.id.disc();
        let master = disc.master();
        let found = toolbox.masters.get(master).and_then(|it| it.as_ref().ok());
        if let Some(version) = found.and_then(|found| found.version.clone()) {
            tools.insert(master.to_owned(), version);
        }
    }
    if let Some(version) = &seen.firmware_version {
        tools.insert(cell.id.firmware_family().to_owned(), version.clone());
    }
    tools
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
    differences: Option<Differences>,
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
        ..Judgement::default()
    }
}

/// By what was accepted, whatever the scenario declares.
fn by_baseline(
    run: &Run,
    folder: &Path,
    cell: &Cell,
    record: &Baseline,
    contradictions: Vec<String>,
) -> Result<Judgement, FileError> {
    let mut judgement = Judgement::default();
    // What is accepted is written down when the run is over: other cells are in the same file.
    if !run.accept {
        match Baselines::read(folder, [&cell.id])?.of(&cell.id) {
            None => {
                judgement.differs.push(Differs::New);
                let what = "it has no baseline yet; --accept accepts the result";
                judgement.reason.push(what.to_owned());
            }
            Some(accepted) => {
                let strictness = match run.strict {
                    true => Strictness::Everything,
                    false => Strictness::Booting,
                };
                let each = accepted.all();
                let each = each.map(|was| compare::with_baseline(record, &was, strictness));
                let least = |differences: &Differences| differences.all().count();
                let differences = each.min_by_key(least).unwrap_or_default();
                if !differences.is_empty() {
                    judgement.differs.push(Differs::Snapshot);
                    // What changed on the disc, before what came of it.
                    let all = differences.structure.iter().chain(&differences.boot);
                    let sentences = all.map(ToString::to_string);
                    judgement.reason.extend(sentences);
                }
                judgement.differences = Some(differences);
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
    let predicted = seen.inspection.as_ref().map_or_else(Vec::new, predicted);
    if !predicted.is_empty() {
        text.push_str(&format!("predicted:\n  {}\n", predicted.join("\n  ")));
    }
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

/// What the machine's keys make of each program that is started on the way, in the order of their places: it stands in the snapshot beside what came of it.
fn predicted(inspection: &Inspection) -> Vec<String> {
    let programs = inspection.secure_boot.programs.iter();
    let told = programs.filter_map(|program| {
        let on_machine = program.on_machine.as_ref()?;
        let word = match on_machine.starts {
            Some(true) => "starts",
            Some(false) => "is refused",
            None => "is not known",
        };
        Some(format!("{} {word}", program.path))
    });
    told.collect()
}
