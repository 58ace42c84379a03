//! An observation without what changes from run to run: what is accepted once, and compared from then on.

use std::{collections::BTreeMap, iter::once, sync::LazyLock};

use images::{
    manifest::Manifest,
    probe::report::{CheckReport, ProbeKind, ProbeReport},
};
use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{Judged, Observation, fact, in_words};
use crate::{
    guest::{GuestStage, GuestState},
    outcome::Stage,
};

/// The facts of a snapshot, in its order: what the firmware made of the disc. Not `path`, which names
/// the attachment's controller and slot.
pub(super) const SNAPSHOT_FACTS: [&str; 28] = [
    "drive",
    "entry-point",
    "packet",
    "packet-error",
    "geometry",
    "geometry-error",
    "drives",
    "extensions",
    "extensions-error",
    "loaded",
    "limit",
    "error",
    "path-error",
    "cdrom-entry",
    "cdrom-start",
    "cdrom-blocks",
    "hd-partition",
    "hd-start",
    "hd-blocks",
    "hd-signature-type",
    "loader-path",
    "block-size",
    "last-block",
    "block-error",
    "removable",
    "read-only",
    "partition",
    "media-present",
];

/// Other facts of a probe that an expectation can name: the parts that [`fact`] combines, and `path`.
const OTHER_FACTS: [&str; 6] = ["cs", "ip", "cylinders", "heads", "sectors", "path"];

/// The names that [`fact`] knows.
pub fn fact_names() -> impl Iterator<Item = &'static str> {
    SNAPSHOT_FACTS.into_iter().chain(OTHER_FACTS)
}

/// What was seen, without what changes from run to run or from build to build: no reads, times, versions, device paths, hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canonical {
    /// What happened, in a word; `reset or hung` where either may.
    pub outcome: String,
    /// The firmware's code or status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How far it came; nothing where that is not determined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// What the disc's program came to, where it is not our probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<SeenGuest>,
    /// The entry that ran, as its probe says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<EntryThatRan>,
    /// What the firmware told the probe, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// What the probe's reads brought, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
    /// The firmware's words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
}

/// What a program came to, without its words, which name versions, times and devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenGuest {
    /// What it came to.
    pub state: GuestState,
    /// How far it came.
    pub stage: GuestStage,
    /// Which program says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
}

/// The catalog's entry that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryThatRan {
    /// Its slot.
    pub slot: u16,
    /// The kind of the probe in its image.
    pub probe: ProbeKind,
}

impl Observation {
    /// What is accepted once and compared from then on.
    ///
    /// `manifest` says what the disc was mastered to hold; without it the probe's reads are told, not judged.
    #[must_use]
    pub fn canonical(&self, manifest: Option<&Manifest>) -> Canonical {
        let report = self.probe.as_ref();
        let facts = report.into_iter().flat_map(|report| {
            let names = SNAPSHOT_FACTS.iter();
            names.filter_map(|&name| Some((name.to_owned(), fact(report, name)?)))
        });
        let checks = report.map_or_else(Vec::new, |report| read_lines(report, manifest));
        Canonical {
            outcome: self.outcome.kind.to_string(),
            code: self.outcome.code.clone(),
            stage: Some(self.outcome.stage),
            guest: self.guest.as_ref().map(|guest| SeenGuest {
                state: guest.state,
                stage: guest.stage,
                program: guest.program.clone(),
            }),
            entry: report.map(|report| EntryThatRan {
                slot: report.slot,
                probe: report.kind,
            }),
            facts: facts.collect(),
            checks: checks.iter().map(|line| without_checksums(line)).collect(),
            words: self.words.clone(),
        }
    }

    /// [`Self::canonical`] as a text: one line for each fact.
    #[must_use]
    pub fn snapshot(&self, manifest: Option<&Manifest>) -> String {
        self.canonical(manifest).to_text()
    }
}

impl Canonical {
    /// That one of several things happened, and nothing more is determined.
    #[must_use]
    pub fn undetermined(outcomes: String) -> Self {
        Self {
            outcome: outcomes,
            code: None,
            stage: None,
            guest: None,
            entry: None,
            facts: BTreeMap::new(),
            checks: Vec::new(),
            words: Vec::new(),
        }
    }

    fn to_text(&self) -> String {
        let mut lines = vec![format!("outcome: {}", self.outcome)];
        lines.extend(self.code.iter().map(|code| format!("code: {code}")));
        lines.extend(self.stage.iter().map(|stage| format!("stage: {stage}")));
        lines.extend(self.guest.iter().map(|guest| format!("guest: {guest}")));
        lines.extend(self.entry.iter().map(|entry| format!("entry: {entry}")));
        let facts = SNAPSHOT_FACTS.iter();
        lines.extend(facts.filter_map(|&name| Some(format!("{name}: {}", self.facts.get(name)?))));
        lines.extend(self.checks.iter().cloned());
        if !self.words.is_empty() {
            lines.push("words:".to_owned());
            lines.extend(self.words.iter().map(|words| format!("  {words}")));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

const fn kind(probe: ProbeKind) -> &'static str {
    match probe {
        ProbeKind::Bios => "bios",
        ProbeKind::Uefi => "uefi",
    }
}

/// `menu of grub, stage loader`
impl std::fmt::Display for SeenGuest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.state)?;
        if let Some(program) = &self.program {
            write!(f, " of {program}")?;
        }
        write!(f, ", stage {}", self.stage)
    }
}

impl std::fmt::Display for EntryThatRan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "slot {}, {} probe", self.slot, kind(self.probe))
    }
}

/// A line without checksums: those of code change with every change to a probe, and that they differ is what matters.
fn without_checksums(line: &str) -> String {
    static CHECKSUM: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r" (?:\(CRC-16 [0-9a-f]{4}\)|with CRC-16 (?:[0-9a-f]{4}|none))").ok()
    });
    static COMPARED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"expected CRC-16 [0-9a-f]{4}, found CRC-16 (?:[0-9a-f]{4}|none)").ok()
    });
    let Some((checksum, compared)) = CHECKSUM.as_ref().zip(COMPARED.as_ref()) else {
        return line.to_owned();
    };
    let line = checksum.replace_all(line, "");
    compared
        .replace_all(&line, "other bytes than expected")
        .replace(
            "expected other bytes, found other bytes",
            "other bytes than expected",
        )
}

fn read_lines(report: &ProbeReport, manifest: Option<&Manifest>) -> Vec<String> {
    let Some(manifest) = manifest else {
        let found = |check: &CheckReport| {
            format!("  {}: {}", check.name, in_words(&check.found, report.disc))
        };
        return once(format!("checks: {} not judged", report.checks.len()))
            .chain(report.checks.iter().map(found))
            .collect();
    };
    let judged = match Judged::new(report, manifest) {
        Ok(judged) => judged,
        // With the hashes of two discs in it, the whole sentence would not be stable.
        Err(_) => return vec!["checks: the report is of no plan of this disc".to_owned()],
    };
    let (ok, planned) = (judged.checks_ok(), judged.plan.checks.len());
    let mut lines = vec![if ok == planned {
        format!("checks: {ok} ok")
    } else {
        format!("checks: {ok} of {planned} ok")
    }];
    lines.extend(judged.checks().iter().map(|damage| format!("  {damage}")));
    let sweeps = judged.plan.sweep;
    for (name, planned, damage) in [
        ("area", sweeps, judged.area()),
        ("sweep", sweeps, judged.sweep()),
        (
            "file",
            report.kind == ProbeKind::Uefi && judged.image.loader.is_some(),
            judged.file(),
        ),
    ] {
        match damage {
            Some(damage) => lines.push(damage.to_string()),
            None if planned => lines.push(format!("{name}: ok")),
            None => {}
        }
    }
    lines
}
