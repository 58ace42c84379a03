//! Comparisons of a cell with its earlier behavior, or with another tool's disc.

mod runs;

use std::collections::{BTreeMap, BTreeSet};

use harness::{guest::Starts, observation::Canonical};
use images::finding::Severity;

pub use self::runs::{
    ComparedCell, Comparison, ComparisonTotals, Side, With, with_edit, with_master, with_run,
};

use crate::{
    baseline::{Baseline, DiscStructure, StructureRead, WHOLE},
    difference::{AS_GIVEN, Difference, Differences, FINDING, NOT_READ, NOTHING, READ},
};

/// What counts in a comparison of a cell with its earlier behavior.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// The content that booting depends on.
    #[default]
    Booting,
    /// Everything, to the last block.
    Everything,
}

/// The differences of a cell from before. Differences that booting does not depend on are noted: addresses, and the disc's length. With another QEMU or
/// another build of the firmware, differences that only they cause are also noted.
#[must_use]
pub fn with_baseline(is: &Baseline, was: &Baseline, strictness: Strictness) -> Differences {
    let mut differences = Differences::default();
    let mut told = Vec::new();
    compare_boots(&mut told, &without_places(is), &without_places(was));
    if let (Some(is_read), Some(was_read)) = (&is.reads, &was.reads) {
        // Old baselines do not record which structures were read completely.
        let name = |read: &StructureRead| match was.tools.is_empty() {
            true => read.what.trim_end_matches(WHOLE).to_owned(),
            false => read.what.clone(),
        };
        compare_reads(
            &mut told,
            is_read.iter().map(name).collect(),
            was_read.iter().map(name).collect(),
        );
    }
    let others = other_tools(is, was);
    for difference in told {
        if others.is_empty() || OUTCOME.contains(&&*difference.what) {
            differences.boot.push(difference);
        } else {
            differences.noted.push(difference);
        }
    }
    differences.noted.extend(others);
    compare_findings(&mut differences, is, was);
    let disc = |cell: &Baseline| cell.disc.as_ref().map(facts_for_booting);
    compare(
        &mut differences.structure,
        disc(is).unwrap_or_default(),
        disc(was).unwrap_or_default(),
    );
    if is.disc.is_some() && was.disc.is_some() {
        compare_places(&mut differences.noted, is, was);
    }
    if strictness == Strictness::Everything {
        let mut exact = Vec::new();
        compare_boots(&mut exact, &is.boot, &was.boot);
        if let (Some(is), Some(was)) = (&is.reads, &was.reads) {
            compare_reads(&mut exact, reads(is), reads(was));
        }
        differences.boot = exact;
        differences.structure.append(&mut differences.noted);
    }
    differences
}

/// The differences of a disc from before an edit. Two things count: it no longer starts, or it has a new error. The rest is
/// noted.
fn by_edit(
    is: &Baseline,
    was: &Baseline,
    starts: Option<Starts>,
    started: Option<Starts>,
) -> Differences {
    let Differences {
        mut boot,
        mut structure,
        mut noted,
    } = with_baseline(is, was, Strictness::Booting);
    if let (Some(starts), Some(started)) = (starts, started)
        && is_lost(starts, started)
    {
        boot.push(Difference::new(
            STARTS,
            starts.to_string(),
            started.to_string(),
        ));
    } else {
        noted.append(&mut boot);
        let is_error = |it: &mut Difference| it.severity == Some(Severity::Error);
        let errors = structure.extract_if(.., is_error).collect();
        noted.append(&mut structure);
        structure = errors;
    }
    Differences {
        boot,
        structure,
        noted,
    }
}

/// Whether the disc no longer starts. If it was not known whether it started, only a failure to start is a loss.
const fn is_lost(starts: Starts, started: Starts) -> bool {
    match started {
        Starts::Yes => !matches!(starts, Starts::Yes),
        Starts::Unknown => matches!(starts, Starts::No),
        Starts::No => false,
    }
}

/// Whether a disc starts.
pub(crate) const STARTS: &str = "starts";
/// What is booted.
pub(crate) const IMAGE: &str = "boot image";
/// Its place.
pub(crate) const ADDRESS: &str = "load RBA";

/// An image that differs from the tool's input from its first byte.
pub(crate) const ELSEWHERE: &str = "not what the tool was given, from its byte 0 on";
/// Where the catalog stands.
pub(crate) const CATALOG_ADDRESS: &str = "LBA of the boot catalog";

/// The facts that firmware and QEMU share in every build.
const OUTCOME: [&str; 4] = ["outcome", "stage", GUEST, ENTRY];
const GUEST: &str = "the disc's program";
const ENTRY: &str = "entry that ran";

/// The tools that differ, except the master, which is under test.
fn other_tools(is: &Baseline, was: &Baseline) -> Vec<Difference> {
    let master = |name: &String| is.cell.split('/').nth(4) == Some(name.as_str());
    let tools = is.tools.iter().filter(|(name, _)| !master(name));
    let others = tools.filter_map(|(name, version)| {
        let before = was.tools.get(name).filter(|before| *before != version)?;
        Some(Difference::new(name, version, before))
    });
    others.collect()
}

/// New findings count if they are errors or warnings; findings that are gone are noted.
fn compare_findings(differences: &mut Differences, is: &Baseline, was: &Baseline) {
    let (Some(is_disc), Some(was_disc)) = (&is.disc, &was.disc) else {
        return;
    };
    let told = |id: &String| is.told.get(id);
    let new = |id: &String| Difference {
        remedy: told(id).map_or_else(String::new, |told| told.remedy.clone()),
        severity: told(id).and_then(|told| told.severity),
        ..Difference::new(
            format!("{FINDING}{id}"),
            told(id).map_or("there", |told| &told.message),
            NOTHING,
        )
    };
    let gone = |id: &String| Difference::new(format!("{FINDING}{id}"), NOTHING, "there");
    let (is, was) = (&is_disc.findings, &was_disc.findings);
    let fresh = is.iter().filter(|id| !was.contains(id));
    differences.structure.extend(fresh.map(new));
    let old = was.iter().filter(|id| !is.contains(id));
    let old = old.filter(|id| !is_disc.noted.contains(id));
    differences.noted.extend(old.map(gone));
    let known = |id: &&String| was.contains(id) || was_disc.noted.contains(id);
    let noted = is_disc.noted.iter().filter(|id| !known(id));
    differences.noted.extend(noted.map(new));
}

/// Addresses, lengths, and content that no firmware reads.
fn compare_places(noted: &mut Vec<Difference>, is: &Baseline, was: &Baseline) {
    let facts = |cell: &Baseline| cell.disc.as_ref().map(facts_of_places).unwrap_or_default();
    compare(noted, facts(is), facts(was));
}

/// The differences between the cells of two tools. Other addresses on the disc are not a difference in booting.
fn between_tools(is: &Baseline, other: &Baseline) -> Differences {
    let mut boot = Vec::new();
    compare_boots(&mut boot, &without_places(is), &without_places(other));
    if let (Some(is), Some(other)) = (&is.reads, &other.reads) {
        let name = |read: &StructureRead| read.what.trim_end_matches(WHOLE).to_owned();
        let names = |reads: &[StructureRead]| reads.iter().map(name).collect();
        compare_reads(&mut boot, names(is), names(other));
    }
    let mut structure = Vec::new();
    compare(
        &mut structure,
        structure_facts(is.disc.as_ref()),
        structure_facts(other.disc.as_ref()),
    );
    Differences {
        boot,
        structure,
        noted: Vec::new(),
    }
}

fn compare_boots(differences: &mut Vec<Difference>, is: &Canonical, was: &Canonical) {
    // If no entry ran on one side, its probe's missing facts do not count.
    let probes = is.entry.is_some() == was.entry.is_some();
    compare(differences, boot_facts(is, probes), boot_facts(was, probes));
}

/// Facts by name, in a fixed order.
type Facts = Vec<(String, String)>;

fn compare(differences: &mut Vec<Difference>, is: Facts, was: Facts) {
    let now: BTreeMap<&str, &str> = by_name(&is);
    let then: BTreeMap<&str, &str> = by_name(&was);
    let gone = was
        .iter()
        .filter(|(name, _)| !now.contains_key(name.as_str()));
    for (name, _) in is.iter().chain(gone) {
        let value = |facts: &BTreeMap<&str, &str>| {
            facts
                .get(name.as_str())
                .copied()
                .unwrap_or(NOTHING)
                .to_owned()
        };
        let (is, was) = (value(&now), value(&then));
        if is != was {
            differences.push(Difference::new(name, is, was));
        }
    }
}

fn by_name(facts: &Facts) -> BTreeMap<&str, &str> {
    facts
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

fn compare_reads(differences: &mut Vec<Difference>, is: BTreeSet<String>, was: BTreeSet<String>) {
    let mut tell = |what: &String, is: &str, was: &str| {
        differences.push(Difference::new(what, is, was));
    };
    was.difference(&is)
        .for_each(|what| tell(what, NOT_READ, READ));
    is.difference(&was)
        .for_each(|what| tell(what, READ, NOT_READ));
}

/// `LBA 33 (boot catalog)`, `LBA 34-37 (boot image of slot 1)`.
fn reads(reads: &[StructureRead]) -> BTreeSet<String> {
    let range = |read: &StructureRead| format!("LBA {} ({})", read.range(), read.what);
    reads.iter().map(range).collect()
}

fn boot_facts(boot: &Canonical, with_probe: bool) -> Facts {
    let code = boot
        .code
        .as_ref()
        .map_or(String::new(), |code| format!(" {code}"));
    let mut facts = vec![("outcome".to_owned(), format!("{}{code}", boot.outcome))];
    facts.extend(
        boot.stage
            .map(|stage| ("stage".to_owned(), stage.to_string())),
    );
    facts.extend(
        boot.guest
            .as_ref()
            .map(|guest| (GUEST.to_owned(), guest.to_string())),
    );
    facts.extend(
        boot.entry
            .map(|entry| (ENTRY.to_owned(), entry.to_string())),
    );
    if with_probe {
        facts.extend(
            boot.facts
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        for line in &boot.checks {
            let (name, value) = line.trim().split_once(": ").unwrap_or((line.trim(), ""));
            // Several checks may be missing.
            match facts.iter_mut().find(|(known, _)| known == name) {
                Some((_, values)) => *values = format!("{values} / {value}"),
                None => facts.push((name.to_owned(), value.to_owned())),
            }
        }
    }
    if !boot.words.is_empty() {
        facts.push(("words".to_owned(), boot.words.join(" / ")));
    }
    facts
}

/// A missing disc and an unused slot have no values.
fn structure_facts(disc: Option<&DiscStructure>) -> Facts {
    let Some(disc) = disc else {
        return Vec::new();
    };
    let findings = disc.findings.iter().chain(&disc.noted);
    let findings = findings.map(|id| (format!("{FINDING}{id}"), "there".to_owned()));
    findings
        .chain(facts_for_booting(disc))
        .chain(facts_of_places(disc))
        .collect()
}

/// The content that firmware reads, wherever it is.
fn facts_for_booting(disc: &DiscStructure) -> Facts {
    let mut facts: Facts = Vec::new();
    let mut tell = |what: String, value: String| facts.push((what, value));
    let records = match disc.boot_records.len() {
        0 => NOTHING.to_owned(),
        number => number.to_string(),
    };
    tell("boot records".to_owned(), records);
    let catalog = disc.catalog.map_or(NOTHING, |_| "there");
    tell("boot catalog".to_owned(), catalog.to_owned());
    for entry in &disc.entries {
        let slot = entry.slot;
        tell(
            format!("kind of slot {slot}"),
            entry.kind.as_str().to_owned(),
        );
        tell(
            format!("platform of slot {slot}"),
            entry.platform.to_string(),
        );
        let Some(boot) = &entry.boot else {
            continue;
        };
        let bootable = if boot.bootable { "88" } else { "00" };
        tell(
            format!("boot indicator of slot {slot}"),
            bootable.to_owned(),
        );
        tell(format!("media type of slot {slot}"), boot.media.to_string());
        // El Torito §2.2: 0 is the traditional segment.
        let segment = match boot.load_segment {
            0 => 0x7C0,
            segment => segment,
        };
        tell(
            format!("load segment of slot {slot}"),
            format!("{segment:04X}"),
        );
        tell(
            format!("sector count of slot {slot}"),
            boot.sector_count.get().to_string(),
        );
        let altered = match boot.altered {
            None => AS_GIVEN.to_owned(),
            Some(offset) => format!("not what the tool was given, from its byte {offset} on"),
        };
        tell(format!("{IMAGE} of slot {slot}"), altered);
    }
    facts
}

/// Addresses, lengths, and content that no firmware reads.
fn facts_of_places(disc: &DiscStructure) -> Facts {
    let mut facts: Facts = Vec::new();
    let mut tell = |what: String, value: String| facts.push((what, value));
    let records = disc.boot_records.iter();
    let records: Vec<String> = records.map(|lba| lba.get().to_string()).collect();
    tell(
        "LBA of the boot record".to_owned(),
        or_nothing(records.join(", ")),
    );
    let catalog = disc
        .catalog
        .map_or(String::new(), |lba| lba.get().to_string());
    tell(CATALOG_ADDRESS.to_owned(), or_nothing(catalog));
    for entry in &disc.entries {
        let slot = entry.slot;
        let Some(boot) = &entry.boot else {
            continue;
        };
        tell(
            format!("system type of slot {slot}"),
            format!("{:02X}", boot.system_type),
        );
        tell(
            format!("{ADDRESS} of slot {slot}"),
            boot.load_rba.get().to_string(),
        );
    }
    if let Some(volume) = disc.volume {
        tell(
            "size of the volume in blocks".to_owned(),
            volume.get().to_string(),
        );
    }
    tell(
        "length of the disc in blocks".to_owned(),
        disc.blocks.get().to_string(),
    );
    facts
}

fn or_nothing(text: String) -> String {
    if text.is_empty() {
        NOTHING.to_owned()
    } else {
        text
    }
}

/// The observation, with words in place of block numbers that only show the tool's addresses.
fn without_places(cell: &Baseline) -> Canonical {
    let mut boot = cell.boot.clone();
    let ran = boot.entry.map(|entry| entry.slot);
    let entries = cell.disc.iter().flat_map(|disc| &disc.entries);
    let image = entries
        .filter(|entry| Some(entry.slot) == ran)
        .find_map(|entry| Some(entry.boot.as_ref()?.load_rba.get()));
    let length = cell.disc.as_ref().map(|disc| disc.blocks.get());
    let (Some(image), Some(length)) = (image, length) else {
        return boot;
    };
    let number = |boot: &Canonical, name: &str| boot.facts.get(name)?.parse::<u64>().ok();
    // The firmware counts in blocks, or in virtual sectors if the disc is a disk.
    let units = [1, 4];
    for partition in ["cdrom", "hd"] {
        let (start_name, blocks_name) =
            (format!("{partition}-start"), format!("{partition}-blocks"));
        let (Some(start), Some(blocks)) = (number(&boot, &start_name), number(&boot, &blocks_name))
        else {
            continue;
        };
        if units
            .iter()
            .any(|unit| image.checked_mul(*unit) == Some(start))
        {
            boot.facts
                .insert(start_name, "where the image starts".to_owned());
        }
        if units
            .iter()
            .any(|unit| length.checked_mul(*unit) == start.checked_add(blocks))
        {
            if number(&boot, "last-block").and_then(|last| last.checked_add(1)) == Some(blocks) {
                boot.facts
                    .insert("last-block".to_owned(), "the disc's last".to_owned());
            }
            boot.facts
                .insert(blocks_name, "to the end of the disc".to_owned());
        }
    }
    // The specification packet has the image's address at byte 4, in little-endian order.
    let here: String = u32::try_from(image)
        .unwrap_or_default()
        .to_le_bytes()
        .map(|byte| format!("{byte:02X}"))
        .concat();
    if let Some(packet) = boot.facts.get_mut("packet")
        && packet.get(8..16) == Some(here.as_str())
    {
        packet.replace_range(8..16, "(image)");
    }
    boot
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
