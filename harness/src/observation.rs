//! The observation of one disc on one machine.

mod canonical;

use std::fmt;

use images::{
    manifest::{ImageRecord, Manifest},
    probe::{
        Check, DiscHash, ProbePlan,
        report::{AreaReport, FileReport, ProbeKind, ProbeReport},
        sector::Found,
    },
    units::{Lba, VirtualSectorCount},
};
use serde::{Deserialize, Serialize};

use crate::{
    guest::{Guest, Starts},
    outcome::Outcome,
};

pub use self::canonical::{Canonical, EntryThatRan, SeenGuest, fact_names};

/// Whether the machine started from power-on or from a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// From power-on.
    Cold,
    /// From a checkpoint after the power-on self-test.
    Warm,
}

/// An observation, written as `observation.json` in the cell's evidence folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// What happened.
    pub outcome: Outcome,
    /// The state of the disc's program, if the firmware handed over to one other than our probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<Guest>,
    /// Whether the disc was seen to start.
    #[serde(default)]
    pub starts: Starts,
    /// The probe's report, if one began.
    pub probe: Option<ProbeReport>,
    /// The firmware's own lines about booting, made canonical: no serial numbers, device paths,
    /// addresses, versions or times.
    pub words: Vec<String>,
    /// The sectors that were read from the disc, in order.
    pub reads: Vec<DiscRead>,
    /// The number of reads by the firmware before it handed over; `null` if it did not. UEFI firmware prints that it hands over, but the boot image may have
    /// read something before that message arrives: then the number is slightly too high.
    pub reads_before_entry: Option<usize>,
    /// Whether the reads are known: a QEMU without the `log` trace backend reports none.
    pub reads_known: bool,
    /// Whether the machine started cold or warm.
    pub start: Start,
    /// From QEMU's start to the decision, in milliseconds.
    pub duration_ms: u64,
    /// The serial output without cursor movements. It is a separate file in the evidence folder.
    #[serde(skip)]
    pub serial: String,
    /// The machine's text screen at the end, if it was read. It is not needed on a disc whose probe reports everything.
    #[serde(skip)]
    pub screen: Option<String>,
}

/// One read from the disc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscRead {
    /// The first byte, from the start of the disc.
    pub offset: u64,
    /// How many bytes.
    pub bytes: u64,
}

impl DiscRead {
    /// The block in which the read begins.
    #[must_use]
    pub const fn lba(&self) -> Lba {
        Lba::new(self.offset / images::units::BLOCK_BYTES)
    }
}

/// One contradiction between a probe's report and the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// The check's name, or `area`, `sweep`, `file`, `missing` (a planned check that was not
    /// reported), `plan` (the report belongs to no plan of this disc).
    pub check: String,
    /// The difference, with both figures: `expected virtual sector 83249, found 20812`.
    pub what: String,
}

impl Damage {
    fn new(check: &str, what: impl Into<String>) -> Self {
        Self {
            check: check.to_owned(),
            what: what.into(),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.what)
    }
}

/// Every contradiction between a probe's report and the disc's mastered content; empty if every
/// sector is right. A planned check that was not reported is damage too.
#[must_use]
pub fn damage(report: &ProbeReport, manifest: &Manifest) -> Vec<Damage> {
    match Judged::new(report, manifest) {
        Ok(judged) => judged.damage(),
        Err(stranger) => vec![stranger],
    }
}

/// A report with the image of its plan.
struct Judged<'a> {
    report: &'a ProbeReport,
    image: &'a ImageRecord,
    plan: &'a ProbePlan,
}

impl<'a> Judged<'a> {
    fn new(report: &'a ProbeReport, manifest: &'a Manifest) -> Result<Self, Damage> {
        if report.disc != manifest.disc {
            let what = format!(
                "expected a probe of disc {}, found one of {}",
                manifest.disc, report.disc
            );
            return Err(Damage::new("plan", what));
        }
        let planned = manifest.image(report.slot).and_then(|image| {
            Some(Self {
                report,
                image,
                plan: image.plan.as_ref()?,
            })
        });
        planned.ok_or_else(|| {
            let what = format!(
                "a probe of slot {} ran, and the disc was mastered without one",
                report.slot
            );
            Damage::new("plan", what)
        })
    }

    fn damage(&self) -> Vec<Damage> {
        let mut damage = self.checks();
        damage.extend(self.area());
        damage.extend(self.sweep());
        damage.extend(self.file());
        damage
    }

    /// In the order of the plan, then unplanned reports.
    fn checks(&self) -> Vec<Damage> {
        let mut damage = Vec::new();
        for (at, check) in self.plan.checks.iter().enumerate() {
            let Some(expected) = self.image.expected.get(at) else {
                damage.push(Damage::new(
                    &check.name,
                    "the manifest does not say what must be there",
                ));
                continue;
            };
            let mut reported = self
                .report
                .checks
                .iter()
                .filter(|found| found.name == check.name)
                .peekable();
            if reported.peek().is_none() {
                let what = format!(
                    "check {} of virtual sector {} was not reported",
                    check.name,
                    check.sector.get()
                );
                damage.push(Damage::new("missing", what));
            }
            damage.extend(reported.filter_map(|found| {
                let what = if u64::from(found.sector) != check.sector.get() {
                    format!(
                        "expected a read of virtual sector {}, found one of {}",
                        check.sector.get(),
                        found.sector
                    )
                } else if found.found != *expected {
                    expected_found(expected, &found.found, self.plan.disc)
                } else {
                    return None;
                };
                Some(Damage::new(&check.name, what))
            }));
        }
        let unplanned = self.report.checks.iter().filter(|found| {
            self.plan
                .checks
                .iter()
                .all(|check| check.name != found.name)
        });
        damage.extend(
            unplanned.map(|found| Damage::new(&found.name, "expected no such check, found one")),
        );
        damage
    }

    /// How many planned checks were reported correctly.
    fn checks_ok(&self) -> usize {
        let right = |(check, expected): &(&Check, &Found)| {
            self.report.checks.iter().any(|found| {
                found.name == check.name
                    && u64::from(found.sector) == check.sector.get()
                    && found.found == **expected
            })
        };
        self.plan
            .checks
            .iter()
            .zip(&self.image.expected)
            .filter(right)
            .count()
    }

    fn area(&self) -> Option<Damage> {
        if !self.plan.sweep || self.plan.structured == VirtualSectorCount::ZERO {
            return None;
        }
        let planned = self.plan.structured.get();
        let what = match (&self.report.area, self.image.area_crc) {
            (None, _) => format!("expected {planned} virtual sectors, found no report"),
            (
                Some(AreaReport {
                    error: Some((sector, code)),
                    ..
                }),
                _,
            ) => {
                format!(
                    "expected {planned} virtual sectors, found error {code:02x} at virtual sector {sector}"
                )
            }
            (Some(area), _) if u64::from(area.sectors) != planned => {
                format!("expected {planned} virtual sectors, found {}", area.sectors)
            }
            (Some(_), None) => "the manifest does not say what must be there".to_owned(),
            (Some(area), Some(crc)) if area.crc != Some(crc) => {
                format!(
                    "expected CRC-16 {crc:04x}, found CRC-16 {}",
                    hex_or_none(area.crc)
                )
            }
            (Some(_), Some(_)) => return None,
        };
        Some(Damage::new("area", what))
    }

    fn sweep(&self) -> Option<Damage> {
        let last = self.plan.image.last()?.get();
        let first = self.plan.structured.get();
        if !self.plan.sweep || first > last {
            return None;
        }
        let planned = last - first + 1;
        let what = match &self.report.sweep {
            None => format!("expected virtual sectors {first} to {last}, found no report"),
            Some(sweep) if (u64::from(sweep.first), u64::from(sweep.last)) != (first, last) => {
                format!(
                    "expected virtual sectors {first} to {last}, found {} to {}",
                    sweep.first, sweep.last
                )
            }
            Some(sweep) if u64::from(sweep.intact) != planned || sweep.first_bad.is_some() => {
                let bad = sweep.first_bad.as_ref().map(|(sector, found)| {
                    let first = expected_found(&Found::Sector(*sector), found, self.plan.disc);
                    format!("; the first: {first}")
                });
                format!(
                    "expected {planned} intact virtual sectors, found {}{}",
                    sweep.intact,
                    bad.unwrap_or_default()
                )
            }
            Some(_) => return None,
        };
        Some(Damage::new("sweep", what))
    }

    fn is_a_loader(&self, file: &FileReport) -> bool {
        let loaders = self.image.loader.iter().chain(&self.image.other_loaders);
        let mut loaders = loaders.map(|&(bytes, crc)| (Some(bytes), Some(crc)));
        loaders.any(|loader| loader == (file.bytes, file.crc))
    }

    fn file(&self) -> Option<Damage> {
        if self.report.kind == ProbeKind::Bios {
            return None;
        }
        let (bytes, crc) = self.image.loader?;
        let expected = format!("expected {bytes} bytes with CRC-16 {crc:04x}");
        let what = match &self.report.file {
            None => format!("{expected}, found no report"),
            Some(FileReport {
                error: Some(code), ..
            }) => format!("{expected}, found error {code:02x}"),
            // The path built into the probe identifies one of several loaders.
            Some(file) if !self.is_a_loader(file) => format!(
                "{expected}, found {} bytes with CRC-16 {}",
                file.bytes
                    .map_or_else(|| "no".to_owned(), |bytes| bytes.to_string()),
                hex_or_none(file.crc)
            ),
            Some(_) => return None,
        };
        Some(Damage::new("file", what))
    }
}

fn hex_or_none(crc: Option<u16>) -> String {
    crc.map_or_else(|| "none".to_owned(), |crc| format!("{crc:04x}"))
}

/// The result of a read by a probe of `disc`, as text.
fn in_words(found: &Found, disc: DiscHash) -> String {
    match found {
        Found::Sector(number) => format!("virtual sector {number}"),
        Found::Foreign {
            disc: other,
            slot,
            number,
        } if *other == disc => {
            format!("virtual sector {number} of slot {slot}")
        }
        Found::Foreign { slot, number, .. } => {
            format!("virtual sector {number} of slot {slot} of another disc")
        }
        Found::Hole => "a hole".to_owned(),
        Found::Other(crc) => format!("other bytes (CRC-16 {crc:04x})"),
        Found::Error(code) => format!("read error {code:02x}"),
    }
}

fn expected_found(expected: &Found, found: &Found, disc: DiscHash) -> String {
    let found = match (expected, found) {
        (Found::Sector(_), Found::Sector(number)) => number.to_string(),
        _ => in_words(found, disc),
    };
    format!("expected {}, found {found}", in_words(expected, disc))
}

/// A fact that a probe reported, by the name in snapshots and expectations; `None` if it did not report it.
///
/// In addition to the keys of the probe's lines: `entry-point` (`cs:ip`) and `geometry` (cylinders/heads/sectors).
#[must_use]
pub fn fact(report: &ProbeReport, name: &str) -> Option<String> {
    let one = |key: &str| {
        report
            .facts
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| value.clone())
    };
    let all = |keys: &[&str], separator: &str| {
        let values: Option<Vec<String>> = keys.iter().map(|key| one(key)).collect();
        values.map(|values| values.join(separator))
    };
    match name {
        "entry-point" => all(&["cs", "ip"], ":"),
        "geometry" => all(&["cylinders", "heads", "sectors"], "/"),
        // The amount of free memory depends on the machine, not on the disc.
        "loaded" if one("limit").as_deref() == Some("memory") => {
            Some("to the end of memory".to_owned())
        }
        // Names on a FAT ignore case, and U-Boot has used several spellings.
        "loader-path" => one(name).map(|path| {
            let path = path.trim_start_matches('\\').to_ascii_uppercase();
            format!("\\{path}")
        }),
        _ => one(name),
    }
}

impl Observation {
    /// The differences from another observation of the same disc on the same machine, a sentence each with both sides: outcome, code, stage, the firmware's
    /// messages, the probe's report, and the sectors that were read.
    ///
    /// It does not compare what depends on time: the duration, and the sentence for people.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, one: String, other: String| {
            if one != other {
                differences.push(format!("{what}: {one} against {other}"));
            }
        };
        let code = |observation: &Self| format!("{:?}", observation.outcome.code);
        compare(
            "outcome",
            self.outcome.kind.to_string(),
            other.outcome.kind.to_string(),
        );
        compare("code", code(self), code(other));
        compare(
            "stage",
            self.outcome.stage.to_string(),
            other.outcome.stage.to_string(),
        );
        let guest = |observation: &Self| {
            let guest = observation.guest.as_ref();
            guest.map_or("none".to_owned(), |guest| {
                format!("{} at {}", guest.state, guest.stage)
            })
        };
        compare("guest", guest(self), guest(other));
        compare("words", self.words.join(" / "), other.words.join(" / "));
        match (&self.probe, &other.probe) {
            (Some(one), Some(other)) => compare_reports(one, other, &mut compare),
            (one, other) => {
                let began = |report: &Option<ProbeReport>| match report {
                    Some(_) => "began".to_owned(),
                    None => "did not begin".to_owned(),
                };
                compare("probe", began(one), began(other));
            }
        }
        let after = |observation: &Self| {
            let before = observation.reads_before_entry?;
            Some(observation.reads.len().saturating_sub(before))
        };
        if let (true, true, Some(one), Some(two)) = (
            self.reads_known,
            other.reads_known,
            after(self),
            after(other),
        ) {
            // Only those that are certainly the boot image's in both.
            let last = |reads: &[DiscRead]| last_reads(reads, one.min(two));
            compare("reads after entry", last(&self.reads), last(&other.reads));
        }
        differences
    }
}

fn compare_reports(
    one: &ProbeReport,
    other: &ProbeReport,
    compare: &mut impl FnMut(&str, String, String),
) {
    let facts = |report: &ProbeReport| {
        let facts = report
            .facts
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        facts.collect::<Vec<_>>().join(" ")
    };
    compare("probe's facts", facts(one), facts(other));
    compare("slot", one.slot.to_string(), other.slot.to_string());
    compare(
        "probe's checks",
        format!("{:?}", one.checks),
        format!("{:?}", other.checks),
    );
    compare(
        "probe's other lines",
        format!(
            "{:?} {:?} {:?} {}",
            one.area, one.sweep, one.file, one.ended
        ),
        format!(
            "{:?} {:?} {:?} {}",
            other.area, other.sweep, other.file, other.ended
        ),
    );
}

/// The last reads, as `offset+bytes`.
fn last_reads(reads: &[DiscRead], count: usize) -> String {
    let reads = &reads[reads.len().saturating_sub(count)..];
    let words = reads
        .iter()
        .map(|read| format!("{}+{}", read.offset, read.bytes));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
pub(crate) mod tests;
