//! The observed behavior of a cell, and its disc, as in the evidence of a run. [`crate::accepted`] keeps it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use harness::{
    observation::{Canonical, DiscRead, Observation},
    outcome::OutcomeKind,
};
use images::{
    eltorito::{MediaType, Platform},
    finding::{FindingId, Severity},
    inspect::{EntryKind, Inspection},
    manifest::Manifest,
    units::{BLOCK_BYTES, BlockCount, Lba, VirtualSectorCount},
};
use serde::{Deserialize, Serialize};

use crate::{
    cell::Expectation,
    files::{self, FileError},
    id::CellId,
    record::{self, CellResult},
};

/// The name and version of the document.
pub const SCHEMA: &str = "baseline/1";

/// The suffix of a structure's name if it was read from its first block to its last.
pub(crate) const WHOLE: &str = ", whole";

/// The first volume descriptor (ECMA-119 §6.2.1). A BIOS reads it for its menu in the self-test, which comes before a checkpoint.
const FIRST_DESCRIPTOR: Lba = Lba::new(16);

/// The observed behavior of one cell, and its disc.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// [`SCHEMA`].
    pub schema: String,
    /// The cell, without the firmware's version.
    pub cell: String,
    /// What happened.
    pub boot: Canonical,
    /// The structures on the disc that were read, in the order of the disc; nothing if the reads are not known.
    pub reads: Option<Vec<StructureRead>>,
    /// The content of the disc; nothing if none was mastered.
    pub disc: Option<DiscStructure>,
    /// The versions of QEMU, the firmware and the master that it was seen with, by their names. Old baselines have none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, String>,
    /// The findings' messages about this disc, by their ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub told: BTreeMap<String, Told>,
}

/// A finding's message about a disc.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The fault, with the field and its values.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// Its severity on this disc.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

/// A range of blocks that was read within a structure of the disc.
///
/// Written as `17 boot record`, `25-26 boot image of slot 1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StructureRead {
    /// The first block.
    pub lba: Lba,
    /// How many; also 1 if the length of a read depends on timing.
    pub blocks: BlockCount,
    /// The content there.
    pub what: String,
}

impl StructureRead {
    /// `17`, `25-26`.
    #[must_use]
    pub fn range(&self) -> String {
        let (first, blocks) = (self.lba.get(), self.blocks.get());
        if blocks <= 1 {
            return first.to_string();
        }
        let last = first.saturating_add(blocks).saturating_sub(1);
        format!("{first}-{last}")
    }
}

impl From<StructureRead> for String {
    fn from(read: StructureRead) -> Self {
        format!("{} {}", read.range(), read.what)
    }
}

impl TryFrom<String> for StructureRead {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is no read: it is written as \"25-26 boot image of slot 1\"");
        let (range, what) = text.split_once(' ').ok_or_else(wrong)?;
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
        let (first, last) = (number(first)?, number(last)?);
        let blocks = last.checked_sub(first).and_then(|more| more.checked_add(1));
        Ok(Self {
            lba: Lba::new(first),
            blocks: BlockCount::new(blocks.ok_or_else(wrong)?),
            what: what.to_owned(),
        })
    }
}

/// The parts of a disc that matter for booting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscStructure {
    /// Its length.
    pub blocks: BlockCount,
    /// Its El Torito boot records.
    pub boot_records: Vec<Lba>,
    /// The boot catalog.
    pub catalog: Option<Lba>,
    /// The catalog's slots that are in use.
    pub entries: Vec<EntryStructure>,
    /// The number of blocks in its volume, by its primary volume descriptor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<BlockCount>,
    /// The ids of its errors and warnings.
    pub findings: Vec<String>,
    /// The ids of findings that are only information.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noted: Vec<String>,
}

/// A slot of the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryStructure {
    /// Its number.
    pub slot: u16,
    /// What it is.
    pub kind: EntryKind,
    /// The platform that it is for.
    pub platform: Platform,
    /// What it boots; nothing for a validation entry, a header or an extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<ImageStructure>,
}

/// What an entry boots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageStructure {
    /// Whether its indicator is 88.
    pub bootable: bool,
    /// The media byte.
    pub media: MediaType,
    /// Where the BIOS loads it; 0 means 07C0.
    pub load_segment: u16,
    /// The type byte of the image's partition.
    pub system_type: u8,
    /// How many virtual sectors are loaded.
    pub sector_count: VirtualSectorCount,
    /// Where it starts.
    pub load_rba: Lba,
    /// The first byte of the image that differs from the tool's input; nothing if it is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altered: Option<u64>,
}

/// The ids of a disc's faults, each once, the most severe first. Findings that only describe the disc are left out.
#[must_use]
pub fn finding_ids(inspection: &Inspection) -> Vec<String> {
    ids(inspection, |_| true)
}

fn ids(inspection: &Inspection, wanted: impl Fn(Severity) -> bool) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    let findings = inspection.findings.iter();
    for finding in findings.filter(|it| !it.is_description() && wanted(it.severity)) {
        let id = finding.id.to_string();
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// The data for a cell's baseline.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    /// What was seen.
    pub observation: &'a Observation,
    /// The content that the disc was mastered with; nothing for a third-party disc.
    pub manifest: Option<&'a Manifest>,
    /// The content of the disc; nothing if there is none.
    pub inspection: Option<&'a Inspection>,
    /// The declared result; nothing if nothing was declared.
    pub expected: Option<&'a Expectation>,
    /// The versions that it was seen with, by name.
    pub tools: BTreeMap<String, String>,
}

impl Seen<'_> {
    /// Whether chance decides the outcome: a boot image that overwrites the BIOS resets the machine in one run and hangs it in the
    /// next.
    fn is_by_chance(&self) -> bool {
        let outcome = self.observation.outcome.kind;
        let overwrites = |inspection: &Inspection| inspection.found(FindingId::CountTooLarge);
        matches!(outcome, OutcomeKind::Reset | OutcomeKind::Hung)
            && self.inspection.is_some_and(overwrites)
    }
}

impl Baseline {
    /// The kept data of a cell.
    #[must_use]
    pub fn new(id: &CellId, seen: Seen<'_>) -> Self {
        let (observation, manifest) = (seen.observation, seen.manifest);
        let boot = match seen.expected {
            _ if seen.is_by_chance() => Canonical::undetermined("reset or hung".to_owned()),
            Some(expected) => expected.canonical(observation, manifest),
            None => observation.canonical(manifest),
        };
        // If the outcome is a matter of chance, so are the reads.
        let reads_known = observation.reads_known && boot.stage.is_some();
        let reads = seen.inspection.filter(|_| reads_known);
        Self {
            schema: SCHEMA.to_owned(),
            cell: without_version(id),
            reads: reads.map(|inspection| structures_read(observation, inspection)),
            disc: seen
                .inspection
                .map(|inspection| DiscStructure::new(inspection, manifest)),
            told: seen.inspection.map_or_else(BTreeMap::new, told),
            tools: seen.tools,
            boot,
        }
    }

    /// The old place of a cell's file below the folder of a baseline, from when each cell had one.
    #[must_use]
    pub fn old_file(folder: &Path, id: &CellId) -> PathBuf {
        folder.join(id.snapshot_path()).with_extension("json")
    }

    /// The cell's file in the evidence of a run.
    #[must_use]
    pub fn evidence(out: &Path, evidence: &str) -> PathBuf {
        out.join(evidence).join("baseline.json")
    }

    /// Reads a file; nothing if there is none.
    ///
    /// # Errors
    /// It cannot be read, or is invalid: with its path.
    pub fn read(file: &Path) -> Result<Option<Self>, FileError> {
        let unreadable = || FileError::new("read", file);
        let text = match fs::read(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(unreadable())?,
        };
        let value: serde_json::Value =
            serde_json::from_slice(&text).map_err(|error| unreadable()(error.into()))?;
        files::expect_schema(&value, SCHEMA).map_err(unreadable())?;
        let baseline = serde_json::from_value(value).map_err(|error| unreadable()(error.into()))?;
        Ok(Some(baseline))
    }

    /// A cell's baseline in the evidence of a run; nothing if it left none, or none that can be read.
    #[must_use]
    pub fn of_run(out: &Path, result: &CellResult) -> Option<Self> {
        let left = Self::read(&Self::evidence(out, &result.evidence));
        left.ok().flatten()
    }
}

/// The messages of a disc's findings, the first of each id.
fn told(inspection: &Inspection) -> BTreeMap<String, Told> {
    let mut told = BTreeMap::new();
    for finding in &inspection.findings {
        told.entry(finding.id.to_string()).or_insert_with(|| Told {
            message: finding.message.clone(),
            remedy: finding.fix.clone(),
            severity: Some(finding.severity),
        });
    }
    told
}

/// A cell's id, without the version of its firmware.
#[must_use]
pub fn without_version(id: &CellId) -> String {
    format!("{}/{}/{}", id.disc(), id.firmware_family(), id.attachment())
}

impl DiscStructure {
    fn new(inspection: &Inspection, manifest: Option<&Manifest>) -> Self {
        let catalog = inspection.catalog.as_ref();
        let entries = catalog.into_iter().flat_map(|catalog| &catalog.entries);
        Self {
            blocks: BlockCount::new(inspection.size.get().div_ceil(BLOCK_BYTES)),
            boot_records: inspection
                .boot_records
                .iter()
                .map(|record| record.lba)
                .collect(),
            catalog: catalog.map(|catalog| catalog.lba),
            entries: entries
                .map(|entry| EntryStructure {
                    slot: entry.slot,
                    kind: entry.kind,
                    platform: entry.platform,
                    boot: entry.boot.as_ref().map(|boot| ImageStructure {
                        bootable: boot.bootable,
                        media: boot.media,
                        load_segment: boot.load_segment,
                        system_type: boot.system_type,
                        sector_count: boot.sector_count,
                        load_rba: boot.load_rba,
                        altered: manifest
                            .and_then(|manifest| manifest.image(entry.slot))
                            .and_then(|image| image.altered),
                    }),
                })
                .collect(),
            volume: inspection.volume.as_ref().map(|volume| volume.blocks),
            findings: ids(inspection, |severity| severity >= Severity::Warning),
            noted: ids(inspection, |severity| severity < Severity::Warning),
        }
    }
}

/// A structure of a disc: its first block, and the number of blocks.
struct Region {
    start: u64,
    blocks: u64,
    what: String,
    /// Whether its reads are reported block by block.
    in_parts: bool,
}

/// The structures that matter for booting. Without the first volume descriptor and anything else: a firmware's reads of those depend on
/// whether it started from a checkpoint.
fn regions(inspection: &Inspection) -> Vec<Region> {
    let one = |lba: Lba, what: &str| Region {
        start: lba.get(),
        blocks: 1,
        what: what.to_owned(),
        in_parts: false,
    };
    let mut regions = vec![one(Lba::new(0), "master boot record")];
    let records = &inspection.boot_records;
    regions.extend(records.iter().map(|record| one(record.lba, "boot record")));
    let second = FIRST_DESCRIPTOR.plus(BlockCount::new(1));
    if records.iter().all(|record| record.lba != second) {
        regions.push(one(
            second,
            "volume descriptor, where a boot record belongs",
        ));
    }
    if let Some(catalog) = &inspection.catalog {
        regions.push(one(catalog.lba, "boot catalog"));
    }
    for (entry, boot) in inspection.entries() {
        let extent = boot.extent_blocks.map_or(1, BlockCount::get).max(1);
        regions.push(Region {
            start: boot.load_rba.get(),
            blocks: extent,
            what: format!("boot image of slot {}", entry.slot),
            in_parts: true,
        });
    }
    regions.sort_by_key(|region| region.start);
    regions
}

/// The reads of a disc's structures.
fn structures_read(observation: &Observation, inspection: &Inspection) -> Vec<StructureRead> {
    // A machine that is stopped at an arbitrary moment might have read more.
    let ended = observation.probe.as_ref().is_some_and(|probe| probe.ended);
    let reads = ranges(&observation.reads);
    let mut structures = Vec::new();
    for region in regions(inspection) {
        let end = region.start.saturating_add(region.blocks);
        let within = reads.iter().filter_map(|&(from, to)| {
            let (from, to) = (from.max(region.start), to.min(end));
            (from < to).then_some((from, to))
        });
        let range = |(from, to): (u64, u64)| StructureRead {
            lba: Lba::new(from),
            blocks: BlockCount::new(to - from),
            what: region.what.clone(),
        };
        if region.in_parts && ended {
            let parts: Vec<(u64, u64)> = within.collect();
            let is_whole = parts == [(region.start, end)];
            structures.extend(parts.into_iter().map(range).map(|read| StructureRead {
                what: if is_whole {
                    format!("{}{WHOLE}", read.what)
                } else {
                    read.what.clone()
                },
                ..read
            }));
        } else if within.count() > 0 {
            structures.push(range((region.start, region.start + 1)));
        }
    }
    structures
}

/// The blocks of all reads, in order; adjacent ones are joined.
fn ranges(reads: &[DiscRead]) -> Vec<(u64, u64)> {
    let blocks = |read: &DiscRead| {
        let end = read.offset.saturating_add(read.bytes);
        (read.lba().get(), end.div_ceil(BLOCK_BYTES))
    };
    let mut all: Vec<(u64, u64)> = reads.iter().map(blocks).collect();
    all.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for (from, to) in all {
        match joined.last_mut() {
            Some((_, end)) if from <= *end => *end = (*end).max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}

/// The file in a cell's evidence folder, by the cell.
#[must_use]
pub fn evidence_file(out: &Path, id: &CellId) -> PathBuf {
    Baseline::evidence(out, &record::evidence_folder(id).to_string_lossy())
}

#[cfg(test)]
#[path = "baseline_tests.rs"]
mod tests;
