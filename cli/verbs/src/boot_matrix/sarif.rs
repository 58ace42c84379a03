//! A run as SARIF: a result for each cause, and none where nothing is wrong, so that a page of alerts closes those of before.

use std::{collections::BTreeMap, fs, path::Path};

use images::{
    bytes::hex,
    finding::{FindingId, Severity},
};
use scenarios::{
    accepted, files, gate as causes,
    record::{CellResult, Differs},
    results::Results,
    run::Run,
    terms::Accepted,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{gate, github, github::Places};
use crate::sarif::{Log, level, rule, uri};

/// The name of the log in the folder of a run.
pub(crate) const FILE: &str = "results.sarif";
/// So many cells of a result are named.
const CELLS: usize = 100;

/// Writes the log into the folder of the results. What could not be run, or not proven, leaves none: it would close alerts of which nothing is
/// known.
pub(crate) fn write(results: &Results, declared: &Places<'_>, out: &Path) -> anyhow::Result<()> {
    let file = out.join(FILE);
    if results.exit_code() > 1 {
        return Ok(files::remove(&file)?);
    }
    let accepted = Run::read(&Run::file(out)).map(|run| run.accepted).ok();
    let baseline = match &accepted {
        Some(Accepted::Baseline(folder)) => Some(&**folder),
        _ => None,
    };
    let places = Declared {
        baseline,
        declared,
        out,
    };
    files::write_json(&file, &document(results, &places))?;
    Ok(())
}

/// One thing that is wrong, in all its cells.
struct Alert {
    /// The id of a finding, or what is not as it was.
    rule: String,
    /// What that means.
    means: String,
    /// By what it is known in the next run.
    key: String,
    severity: Severity,
    message: String,
    cells: Vec<String>,
}

fn document(results: &Results, places: &Declared<'_>) -> Value {
    let mut alerts = of_causes(results);
    alerts.extend(of_others(results));
    let mut kinds: BTreeMap<&str, &Alert> = BTreeMap::new();
    for alert in &alerts {
        if alert.rule.parse::<FindingId>().is_err() {
            kinds.entry(&alert.rule).or_insert(alert);
        }
    }
    let findings = FindingId::ALL.iter().map(|&id| rule(id, &[]));
    let kinds = kinds.into_iter().map(|(id, alert)| {
        json!({
            "id": id,
            "shortDescription": { "text": alert.means },
            "help": { "text": "If the change is intended, accept it with --accept; if not, fix the tool that masters the disc." },
        })
    });
    let rules: Vec<Value> = findings.chain(kinds).collect();
    let index = |id: &str| rules.iter().position(|rule| rule["id"] == id);
    let all = alerts
        .iter()
        .map(|alert| result(alert, index(&alert.rule), places));
    let masters = results.tools.masters.iter();
    let masters: Vec<&str> = masters.map(|master| &*master.id).collect();
    // What tries several tools must not close one's alerts by the other's run.
    let id = format!("boot-matrix/{}/", masters.join("+"));
    Log {
        verb: "boot-matrix",
        results: all.collect(),
        rules,
        others: vec![("automationDetails", json!({ "id": id }))],
    }
    .document()
}

/// What is not as it was accepted, or as in an earlier run.
fn of_causes(results: &Results) -> Vec<Alert> {
    let causes = causes::all_causes(&results.cells, results.comparison.as_ref());
    let alert = |cause: causes::Cause| Alert {
        rule: cause.finding.clone().unwrap_or_else(|| slug(&cause.key)),
        means: format!("{}: not as it was accepted", cause.key),
        severity: cause.severity,
        message: format!("{}\n{}", cause.sentence, gate::told(&cause)),
        key: cause.key,
        cells: cause.cells,
    };
    causes.into_iter().map(alert).collect()
}

/// What else fails the run: what is not as declared, or has nothing accepted yet; by the first thing that is said of it.
fn of_others(results: &Results) -> Vec<Alert> {
    let mut groups: BTreeMap<(&str, String), Vec<&CellResult>> = BTreeMap::new();
    for (record, _) in github::problems(results) {
        let mut differs = record.differs.iter();
        let differs = differs.find(|it| **it != Differs::New);
        let (what, reason) = match differs {
            Some(differs) => {
                let reason = record.reason.first();
                (differs.as_str(), reason.cloned().unwrap_or_default())
            }
            None => {
                let reason = "nothing was accepted yet to compare with";
                ("not-accepted-yet", reason.to_owned())
            }
        };
        groups.entry((what, reason)).or_default().push(record);
    }
    let alert = |((what, reason), records): ((&str, String), Vec<&CellResult>)| Alert {
        rule: what.to_owned(),
        means: match what {
            "not-accepted-yet" => "nothing was accepted yet",
            "snapshot" => "not as it was accepted",
            "start" => "a machine from a checkpoint behaves differently from one from power-on",
            _ => "not as the scenario declares",
        }
        .to_owned(),
        key: format!("{what} {reason}"),
        severity: match what {
            "not-accepted-yet" => Severity::Warning,
            _ => Severity::Error,
        },
        message: reason,
        cells: records.iter().map(|record| record.id.clone()).collect(),
    };
    groups.into_iter().map(alert).collect()
}

fn result(alert: &Alert, rule: Option<usize>, places: &Declared<'_>) -> Value {
    let location = |id: &String| {
        json!({
            "physicalLocation": places.of(id),
            "logicalLocations": [{ "fullyQualifiedName": id }],
            "message": { "text": id },
        })
    };
    let named = alert.cells.iter().take(CELLS);
    let fingerprint = hex(&Sha256::digest(&alert.key)[..16]);
    json!({
        "ruleId": alert.rule,
        "ruleIndex": rule,
        "level": level(alert.severity),
        "message": { "text": alert.message },
        "locations": [alert.cells.first().map(location)],
        "relatedLocations": named.map(location).collect::<Vec<_>>(),
        // The second by the name under which GitHub looks for one.
        "fingerprints": { "cause/v1": fingerprint },
        "partialFingerprints": { "primaryLocationLineHash": format!("{fingerprint}:1") },
        "properties": { "cells": alert.cells.len() },
    })
}

/// `sector-count`.
fn slug(key: &str) -> String {
    let words = key.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

/// Where it stands what cells must do.
struct Declared<'a> {
    /// The folder with what was accepted.
    baseline: Option<&'a Path>,
    declared: &'a Places<'a>,
    out: &'a Path,
}

impl Declared<'_> {
    /// The line of a cell in its baseline, or of what its scenario declares; or else the results.
    fn of(&self, id: &str) -> Value {
        let (file, line) = self
            .in_baseline(id)
            .unwrap_or_else(|| match self.declared.get(id) {
                Some(place) => (place.file().to_owned(), place.line()),
                None => (Results::file(self.out), None),
            });
        let line = line.unwrap_or(1);
        json!({
            "artifactLocation": { "uri": uri(&file) },
            "region": { "startLine": line },
        })
    }

    fn in_baseline(&self, id: &str) -> Option<(std::path::PathBuf, Option<usize>)> {
        let (scenario, cell) = id.split_once('/')?;
        let file = accepted::file(self.baseline?, scenario);
        let text = fs::read_to_string(&file).ok()?;
        let wanted = format!("\"{cell}\":");
        let line = text.lines().position(|line| line.contains(&wanted))?;
        Some((file, Some(line + 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_a_word() {
        assert_eq!(slug("load RBA"), "load-rba");
        assert_eq!(slug("the disc's program"), "the-disc-s-program");
    }
}
