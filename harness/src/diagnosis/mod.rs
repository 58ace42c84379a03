//! Why a disc does what it does: what each firmware was seen to do, joined with what is wrong on the disc.

mod causes;

use std::{collections::HashSet, fmt};

use images::{
    fat::FatStructure,
    finding::FindingId,
    inspect::Inspection,
    iso9660::DescriptorKind,
    map::{DiscMap, Structure},
    units::{ByteCount, Lba},
};
use serde::{Deserialize, Serialize};

use self::causes::Situation;
pub use self::causes::meaning_of_code;
use crate::{
    attachment::Attachment,
    firmware::{FirmwareId, FirmwareKind},
    observation::{DiscRead, Observation},
    outcome::{Outcome, OutcomeKind},
};

/// So many structures that a firmware read are named.
const NAMED: usize = 6;
/// So many of a boot loader's, which reads hundreds: the evidence has them all.
const NAMED_OF_LOADER: usize = 2;

/// One boot of the disc.
#[derive(Clone, Debug)]
pub struct Boot<'a> {
    /// The firmware, as its build is called: `seabios` or `seabios@1.17.0`.
    pub build: String,
    /// Which firmware that is.
    pub firmware: FirmwareId,
    /// How the disc hung on the machine.
    pub attachment: Attachment,
    /// What was seen.
    pub observation: &'a Observation,
}

impl Boot<'_> {
    /// Whether the firmware did start what is on the disc.
    #[must_use]
    pub fn started(&self) -> bool {
        started(&self.observation.outcome)
    }

    /// The firmware's name as people write it, with its build.
    #[must_use]
    pub fn name(&self) -> String {
        name(&self.build, self.firmware)
    }
}

/// Boots of one firmware that went the same way, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The firmware, as its build is called.
    pub firmware: String,
    /// By which attachments it went so.
    pub attachments: Vec<Attachment>,
    /// What happened.
    pub outcome: Outcome,
    /// The same for people, with the firmware's words.
    pub happened: String,
    /// What it read, and where that stopped; empty when the reads are not known.
    pub reached: String,
    /// What explains it, the likeliest first; empty when nothing need be explained, or nothing is known that does.
    pub causes: Vec<Cause>,
}

/// What explains a boot that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The defect on the disc; nothing where the disc is as it is by design.
    pub finding: Option<FindingId>,
    /// What it is, with its figures, and what it does.
    pub sentence: String,
    /// What would mend it; empty when nothing need be mended.
    pub remedy: String,
}

impl Diagnosis {
    /// Whether the firmware did start what is on the disc.
    #[must_use]
    pub fn started(&self) -> bool {
        started(&self.outcome)
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.happened)?;
        if !self.reached.is_empty() {
            write!(f, " {}", self.reached)?;
        }
        match self.causes.as_slice() {
            [] if self.started() => {}
            [] => f.write_str(" Nothing on the disc is known that would explain it.")?,
            [first, others @ ..] => {
                write!(f, " The cause: {}", first.sentence)?;
                for other in others {
                    let lead = match other.finding {
                        Some(_) => "Besides",
                        None => "Even with that mended it would not start",
                    };
                    write!(f, " {lead}: {}", other.sentence)?;
                }
            }
        }
        Ok(())
    }
}

/// Explains what was seen, firmware by firmware; what went the same way is told once.
#[must_use]
pub fn diagnose(inspection: &Inspection, map: &DiscMap, boots: &[Boot<'_>]) -> Vec<Diagnosis> {
    let mut groups: Vec<Vec<&Boot<'_>>> = Vec::new();
    for boot in boots {
        match groups.iter_mut().find(|group| alike(group[0], boot)) {
            Some(group) => group.push(boot),
            None => groups.push(vec![boot]),
        }
    }
    let explain = |group: &Vec<&Boot<'_>>| {
        let first = group[0];
        let outcome = &first.observation.outcome;
        Diagnosis {
            firmware: first.build.clone(),
            attachments: group.iter().map(|boot| boot.attachment).collect(),
            outcome: outcome.clone(),
            happened: happened(first, group),
            reached: reached(first, map),
            causes: causes(first, inspection, boots),
        }
    };
    groups.iter().map(explain).collect()
}

fn started(outcome: &Outcome) -> bool {
    let has_control = matches!(outcome.kind, OutcomeKind::Booted | OutcomeKind::HandedOver);
    has_control && !outcome.gave_back
}

/// Whether two boots went the same way: as a disk a disc is another thing than as a CD.
fn alike(one: &Boot<'_>, other: &Boot<'_>) -> bool {
    let what = |boot: &Boot<'_>| {
        let outcome = &boot.observation.outcome;
        let code = outcome.code.clone();
        (outcome.kind, outcome.gave_back, code, outcome.stage)
    };
    one.build == other.build
        && one.attachment.is_disk() == other.attachment.is_disk()
        && what(one) == what(other)
}

fn happened(boot: &Boot<'_>, group: &[&Boot<'_>]) -> String {
    let outcome = &boot.observation.outcome;
    let attachments: Vec<&str> = group.iter().map(|boot| boot.attachment.as_str()).collect();
    let did = match outcome.kind {
        OutcomeKind::Booted => "boots it",
        OutcomeKind::HandedOver => "hands over to it",
        OutcomeKind::Refused => "refuses it",
        OutcomeKind::Hung => "hangs with it",
        OutcomeKind::Reset => "is reset by it",
        OutcomeKind::NotMastered => "got no disc",
    };
    let role = if boot.attachment.is_disk() {
        "as a disk"
    } else {
        "as a CD"
    };
    let mut sentence = format!("{} {did} {role} ({})", boot.name(), attachments.join(", "));
    if !outcome.detail.is_empty() {
        sentence += &format!(": {}", outcome.detail.trim_end_matches('.'));
    }
    sentence.push('.');
    if let Some(meaning) = outcome
        .code
        .as_deref()
        .filter(|_| boot.firmware.kind() == FirmwareKind::Bios)
        .and_then(meaning_of_code)
    {
        sentence += &format!(" That code means: {meaning}.");
    }
    sentence
}

/// The firmware's name as people write it, with its build.
fn name(build: &str, firmware: FirmwareId) -> String {
    let name = match firmware {
        FirmwareId::Seabios => "SeaBIOS",
        FirmwareId::Ovmf => "OVMF",
        FirmwareId::OvmfIa32 => "OVMF for IA-32",
        FirmwareId::OvmfSecureBoot => "OVMF with Secure Boot",
    };
    match build.split_once('@') {
        Some((_, version)) => format!("{name} {version}"),
        None => name.to_owned(),
    }
}

/// What the firmware read of the disc, and the boot image after it.
fn reached(boot: &Boot<'_>, map: &DiscMap) -> String {
    let observation = boot.observation;
    if !observation.reads_known {
        return String::new();
    }
    let reads = &observation.reads;
    if reads.is_empty() {
        return "It read nothing of the disc.".to_owned();
    }
    let before = observation.reads_before_entry.unwrap_or(reads.len());
    let (firmware, image) = reads.split_at(before.min(reads.len()));
    let decisive = |structure: &Structure| match structure {
        Structure::VolumeDescriptor { descriptor, .. } => *descriptor == DescriptorKind::BootRecord,
        // A catalog leads on by itself. A disk may begin with a table of partitions, or with code.
        Structure::BootCode | Structure::PartitionTable => boot.attachment.is_disk(),
        Structure::Catalog | Structure::BootImage { .. } | Structure::Fat { .. } => true,
        _ => false,
    };
    let read = listed(&structures(firmware, map, decisive), NAMED);
    let mut sentence = match (read.as_str(), observation.reads_before_entry) {
        ("", _) => "It read nothing that it could boot.".to_owned(),
        (read, Some(_)) => format!("It read {read}."),
        (read, None) => format!("It read {read}, and nothing to boot after that."),
    };
    if !image.is_empty() {
        let count = match image.len() {
            1 => "one more read".to_owned(),
            several => format!("{several} more reads"),
        };
        let of = structures(image, map, Structure::is_content);
        let of = listed(&of, NAMED_OF_LOADER);
        let of = if of.is_empty() {
            "what is not known"
        } else {
            &of
        };
        sentence += &format!(" Then its program ran: {count}, of {of}.");
    }
    sentence
}

/// What was read of some kinds of structures, each once, in the order of the first read, with the address of that.
fn structures(
    reads: &[DiscRead],
    map: &DiscMap,
    wanted: impl Fn(&Structure) -> bool,
) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    for read in reads {
        let owned = map.whose(read.offset, ByteCount::new(read.bytes));
        for structure in owned.into_iter().filter_map(|owned| owned.what) {
            if wanted(&structure) && !seen.contains(&structure) {
                names.push(named(&structure, map));
                seen.insert(structure);
            }
        }
    }
    names
}

fn named(structure: &Structure, map: &DiscMap) -> String {
    let article = match structure {
        Structure::File { .. } => "",
        Structure::Fat {
            part: FatStructure::File { .. },
            ..
        } => "",
        _ => "the ",
    };
    let extent = map
        .extents()
        .iter()
        .find(|extent| extent.what == *structure);
    let place = extent.map_or_else(String::new, |extent| {
        format!(" at LBA {}", Lba::of_offset(extent.offset).get())
    });
    format!("{article}{structure}{place}")
}

/// Some of them, and how many more there are.
fn listed(names: &[String], some: usize) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        _ if names.len() > some + 1 => format!(
            "{} and {} others",
            names[..some].join(", "),
            names.len() - some
        ),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

/// What explains a boot that did not come about.
fn causes(boot: &Boot<'_>, inspection: &Inspection, boots: &[Boot<'_>]) -> Vec<Cause> {
    let situation = Situation::of(boot);
    let mut told = HashSet::new();
    let found = situation.findings(inspection).map(|finding| Cause {
        finding: Some(finding.id),
        sentence: {
            let unconcerned = unconcerned(finding.id, boot, boots)
                .filter(|sentence| told.insert(sentence.clone()))
                .unwrap_or_default();
            format!(
                "{} (LBA {}, byte {}; {}).{unconcerned}",
                finding.message,
                finding.lba.get(),
                finding.offset,
                finding.id.as_str()
            )
        },
        remedy: finding.fix.clone(),
    });
    let mut causes: Vec<Cause> = found.collect();
    if causes.is_empty() || situation.knows_the_design(inspection) {
        causes.extend(situation.by_design(inspection));
    }
    causes
}

/// Other firmware that starts the disc in spite of a defect, in a sentence.
fn unconcerned(id: FindingId, boot: &Boot<'_>, boots: &[Boot<'_>]) -> Option<String> {
    let other = boots.iter().find(|other| {
        other.firmware.family() != boot.firmware.family()
            && other.attachment.is_disk() == boot.attachment.is_disk()
            && started(&other.observation.outcome)
            && !id.trips().contains(&other.firmware.family())
    });
    other.map(|other| {
        let does = match other.observation.outcome.kind {
            OutcomeKind::Booted => "boots",
            _ => "hands over",
        };
        let name = other.name();
        format!(" {name} does not look at this, and {does}.")
    })
}
