//! The expected result, and the judgement of the observed one.

use std::{collections::BTreeMap, fmt};

use images::manifest::Manifest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    guest::{GuestStage, GuestState},
    observation::{Canonical, Observation, damage, fact},
    outcome::{Outcome, OutcomeKind, Stage, kebab_display},
};

/// The expected result of a disc on one machine. Anything not declared may vary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The outcome.
    pub outcome: OutcomeKind,
    /// A second possible outcome, if it depends on timing: firmware that overwrites itself resets or hangs.
    /// Other observations are then not in the snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub or: Option<OutcomeKind>,
    /// The firmware's code (`0009`) or status (`Not Found`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How far it comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// The state of the disc's program, if it is not our probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<GuestState>,
    /// How far that program comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_stage: Option<GuestStage>,
    /// The 0-based catalog slot of the entry that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u16>,
    /// Whether a probe that ends finds sectors that differ from the mastered ones.
    #[serde(default, skip_serializing_if = "ExpectedDamage::is_none")]
    pub damage: ExpectedDamage,
    /// What the firmware reports to the probe: `drive = "80"`, `geometry = "9/16/63"`, `cdrom-blocks = "11520"`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// A regular expression that a message must match: the firmware's, or a refusing master's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// Why: the specification's section, the firmware's source, or what would disprove it.
    pub because: String,
}

impl Expectation {
    /// `reset`, or `reset or hung`.
    fn outcomes(&self) -> String {
        match self.or {
            None => self.outcome.to_string(),
            Some(or) => format!("{} or {or}", self.outcome),
        }
    }

    /// The text for the snapshot: the observation, or the possible outcomes if it is not determined.
    #[must_use]
    pub fn snapshot(&self, observation: &Observation, manifest: Option<&Manifest>) -> String {
        match self.or {
            None => observation.snapshot(manifest),
            Some(_) => format!("outcome: {}\n", self.outcomes()),
        }
    }

    /// The part of an observation that a baseline keeps: the same as for a snapshot, but an outcome that is not allowed is kept as observed.
    #[must_use]
    pub fn canonical(&self, observation: &Observation, manifest: Option<&Manifest>) -> Canonical {
        if self.leaves_open(observation.outcome.kind) {
            Canonical::undetermined(self.outcomes())
        } else {
            observation.canonical(manifest)
        }
    }

    /// Whether this outcome is one of several possible ones.
    #[must_use]
    pub fn leaves_open(&self, seen: OutcomeKind) -> bool {
        self.or.is_some_and(|or| or == seen || self.outcome == seen)
    }
}

/// Whether a probe must find its image damaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExpectedDamage {
    /// Every sector that it reads is intact.
    #[default]
    None,
    /// At least one is not: the disc is bad, and the probe must notice.
    Some,
}

kebab_display!(ExpectedDamage {
    None => "none",
    Some => "some",
});

impl ExpectedDamage {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// The judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The result is as declared and as accepted.
    AsExpected,
    /// It is not; the result has the differences.
    Mismatch,
    /// Not run, for a reason that is not a failure: a tool that is not installed.
    Skipped,
    /// QEMU could not start, died, or the host failed: this proves nothing about the disc.
    Infra,
    /// Nothing was declared.
    Observed,
}

kebab_display!(Verdict {
    AsExpected => "as-expected",
    Mismatch => "mismatch",
    Skipped => "skipped",
    Infra => "infra",
    Observed => "observed",
});

/// Every difference between an observation and the declared result; empty if there is none. Each is a
/// sentence with both sides.
///
/// If the disc has a manifest, two things are checked without a declaration: a probe that ran must be one
/// of this disc, and a boot of probes only must have a complete report.
#[must_use]
pub fn contradictions(
    observation: &Observation,
    manifest: Option<&Manifest>,
    expectation: &Expectation,
) -> Vec<String> {
    let outcome = &observation.outcome;
    let report = observation.probe.as_ref();
    let mut sentences = Vec::new();
    if outcome.kind != expectation.outcome && Some(outcome.kind) != expectation.or {
        sentences.push(format!(
            "expected {}, but it {}",
            expectation.outcomes(),
            told(outcome)
        ));
    }
    if let Some(code) = &expectation.code
        && outcome.code.as_ref() != Some(code)
    {
        let found = outcome
            .code
            .as_deref()
            .map_or("there was none".to_owned(), |code| {
                format!("it was {code:?}")
            });
        sentences.push(format!("expected the code {code:?}, but {found}"));
    }
    if let Some(stage) = expectation.stage
        && outcome.stage != stage
    {
        let found = match outcome.stage {
            Stage::Unknown => "nothing shows how far it came".to_owned(),
            found => format!("it came to {found}"),
        };
        sentences.push(format!("expected it to come to {stage}, but {found}"));
    }
    // A guest's state belongs to the first of two outcomes: a machine may reset before the state is seen.
    if expectation.or.is_none() || outcome.kind == expectation.outcome {
        sentences.extend(guest_contradictions(observation, expectation));
    }
    if let Some(slot) = expectation.slot
        && report.map(|report| report.slot) != Some(slot)
    {
        let found = report.map_or("no probe began".to_owned(), |report| {
            format!("slot {} did", report.slot)
        });
        sentences.push(format!(
            "expected the entry in slot {slot} to run, but {found}"
        ));
    }
    if let Some(pattern) = &expectation.words {
        sentences.extend(words_contradiction(pattern, &observation.words));
    }
    for (name, expected) in &expectation.facts {
        let found = report.and_then(|report| fact(report, name));
        if found.as_ref() != Some(expected) {
            let found = found.map_or("the probe did not say".to_owned(), |found| {
                format!("it was {found:?}")
            });
            sentences.push(format!("expected {name} to be {expected:?}, but {found}"));
        }
    }
    sentences.extend(probe_contradictions(
        observation,
        manifest,
        expectation.damage,
    ));
    sentences
}

fn guest_contradictions(observation: &Observation, expectation: &Expectation) -> Vec<String> {
    let mut sentences = Vec::new();
    let guest = observation.guest.as_ref();
    if let Some(expected) = expectation.guest
        && guest.map(|guest| guest.state) != Some(expected)
    {
        let found = guest.map_or("there was none".to_owned(), |guest| {
            let said = match guest.said.as_str() {
                "" => String::new(),
                said => format!(" ({})", said.replace('\n', " / ")),
            };
            format!("it came to {}{said}", guest.state)
        });
        sentences.push(format!(
            "expected the disc's program to come to {expected}, but {found}"
        ));
    }
    if let Some(expected) = expectation.guest_stage
        && guest.map(|guest| guest.stage) != Some(expected)
    {
        let found = guest.map_or("there was no program".to_owned(), |guest| {
            format!("it came to stage {}", guest.stage)
        });
        sentences.push(format!(
            "expected the disc's program to come to stage {expected}, but {found}"
        ));
    }
    sentences
}

fn words_contradiction(pattern: &str, words: &[String]) -> Option<String> {
    match regex::Regex::new(pattern) {
        Err(error) => Some(format!(
            "expected words that no regular expression describes: {error}"
        )),
        Ok(regex) if words.iter().any(|line| regex.is_match(line)) => None,
        Ok(_) => Some(format!(
            "expected words like {pattern:?}, but they were: {}",
            words.join(" / ")
        )),
    }
}

fn probe_contradictions(
    observation: &Observation,
    manifest: Option<&Manifest>,
    expected: ExpectedDamage,
) -> Vec<String> {
    let booted = observation.outcome.kind == OutcomeKind::Booted;
    let Some(report) = &observation.probe else {
        let probes_only = manifest.is_some_and(|manifest| {
            !manifest.images.is_empty() && manifest.images.iter().all(|image| image.plan.is_some())
        });
        return match (booted, expected) {
            (true, _) if probes_only => {
                vec!["expected a probe's report, but there was none".to_owned()]
            }
            (_, ExpectedDamage::Some) => {
                vec!["expected damage, but no probe looked for it".to_owned()]
            }
            _ => Vec::new(),
        };
    };
    let mut sentences = Vec::new();
    if booted && !report.ended {
        sentences.push("expected the probe to end, but it only began".to_owned());
    }
    let Some(manifest) = manifest else {
        if expected == ExpectedDamage::Some {
            sentences.push("expected damage, but there is no manifest to find it by".to_owned());
        }
        return sentences;
    };
    if report.disc != manifest.disc {
        sentences.push(format!(
            "expected a probe of disc {}, but it was of disc {}",
            manifest.disc, report.disc
        ));
        return sentences;
    }
    // Half a report is not damage on the disc: only a complete one counts.
    if booted {
        let damage = damage(report, manifest);
        match expected {
            ExpectedDamage::None => sentences.extend(damage.iter().map(ToString::to_string)),
            ExpectedDamage::Some if damage.is_empty() => {
                sentences.push("expected damage, but every sector came back intact".to_owned());
            }
            ExpectedDamage::Some => {}
        }
    } else if expected == ExpectedDamage::Some {
        sentences.push("expected damage, but the probe did not end".to_owned());
    }
    sentences
}

/// `was refused with code "0009" at catalog-read (boot failed: …)`.
fn told(outcome: &Outcome) -> String {
    let what = match outcome.kind {
        OutcomeKind::Booted => "booted",
        OutcomeKind::HandedOver => "was handed over",
        OutcomeKind::Refused => "was refused",
        OutcomeKind::Hung => "hung",
        OutcomeKind::Reset => "was reset",
        OutcomeKind::NotMastered => "was not mastered",
    };
    let code = outcome
        .code
        .as_ref()
        .map_or(String::new(), |code| format!(" with code {code:?}"));
    let detail = match outcome.detail.as_str() {
        "" => String::new(),
        detail => format!(" ({detail})"),
    };
    // Without a disc there is no stage.
    let stage = match (outcome.kind, outcome.stage) {
        (OutcomeKind::NotMastered, _) | (_, Stage::Unknown) => String::new(),
        (_, stage) => format!(" at {stage}"),
    };
    format!("{what}{code}{stage}{detail}")
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
