//! Why a disc does what it does: what each firmware was seen to do, joined with what is wrong on the disc.

mod boot;
mod causes;
mod experiment;
mod happened;
mod reached;
#[cfg(test)]
mod tests;

use std::fmt;

use images::{
    eltorito::Platform,
    finding::{Finding, FindingId, Severity},
    inspect::{BootReading, EntryReading, Inspection},
    map::DiscMap,
};
use serde::{Deserialize, Serialize};

pub use self::{
    boot::{Boot, firmware_name},
    causes::Cause,
    experiment::{Experiment, likelihood},
    happened::{comes_to, meaning_of_code},
};
use self::{
    causes::Situation,
    happened::{happened, quoted, quoted_last},
    reached::reached,
};
use crate::{
    attachment::Attachment,
    firmware::{FirmwareId, FirmwareKind},
    guest::{Guest, GuestStage, GuestState, Need, Starts},
    medium_profile::MediumProfile,
    observation::Observation,
    outcome::Outcome,
};

/// Boots of one firmware that went the same way, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The firmware, as its build is called.
    pub firmware: String,
    /// By which attachments it went so.
    pub attachments: Vec<Attachment>,
    /// What happened.
    pub outcome: Outcome,
    /// What the disc's program came to, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<Guest>,
    /// Whether the disc was seen to start.
    #[serde(default)]
    pub starts: Starts,
    /// The same for people, with the firmware's words.
    pub happened: String,
    /// What it read, and where that stopped; empty when the reads are not known.
    pub reached: String,
    /// What explains it: what was proved, or else what is likely; empty when nothing need be explained, or nothing is known that does.
    pub causes: Vec<Cause>,
    /// What becomes of the disc on a sound medium, as a clause, where the medium alone does not explain it; empty where nothing was the matter with it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub on_sound_medium: String,
    /// Findings whose fix was tried and changes nothing here.
    #[serde(default)]
    pub harmless: Vec<FindingId>,
    /// Findings whose fix was not tried here.
    #[serde(default)]
    pub untried: Vec<FindingId>,
}

/// What happened, taken apart: the program's own words stand by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened<'a> {
    /// What the firmware did, and what the program came to.
    pub did: &'a str,
    /// The program's decisive words, line by line, or else the last ones that it printed before the machine stopped; none where it said nothing.
    pub said: Vec<&'a str>,
    /// What the words mean, and what else was seen.
    pub then: &'a str,
}

impl Diagnosis {
    /// What happened, with the program's words by themselves.
    #[must_use]
    pub fn happened(&self) -> Happened<'_> {
        let whole = Happened {
            did: &self.happened,
            said: Vec::new(),
            then: "",
        };
        let (said, quoted) = match &self.guest {
            Some(guest) if !guest.said.is_empty() => (&guest.said, quoted(guest)),
            Some(guest) if !guest.last.is_empty() => (&guest.last, quoted_last(guest)),
            _ => return whole,
        };
        match self.happened.split_once(&quoted) {
            None => whole,
            Some((did, then)) => Happened {
                did: did.trim_end(),
                said: said.lines().collect(),
                then: then.trim_start(),
            },
        }
    }

    /// What it read, and what explains it where it failed.
    #[must_use]
    pub fn why(&self) -> String {
        let mut text = self.reached.clone();
        let mut say = |sentence: &str| {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(sentence);
        };
        let (proved, likely): (Vec<&Cause>, Vec<&Cause>) =
            self.causes.iter().partition(|cause| cause.proved);
        for (number, cause) in proved.iter().enumerate() {
            let lead = if number == 0 { "The cause" } else { "And" };
            say(&format!("{lead}: {}", cause.sentence));
        }
        if let Some(first) = proved.first() {
            let with = match (first.id, proved.len()) {
                (None, _) => "with a sound medium",
                (Some(_), 1) => "with that fixed",
                (Some(_), _) => "with all of these fixed",
            };
            say(&format!(
                "Confirmed by experiment: {with}, {}.",
                first.then.trim_end_matches('.')
            ));
        }
        for (number, cause) in likely.iter().enumerate() {
            let lead = match (cause.id, number) {
                (None, _) if self.causes.len() > 1 => "Independently of this",
                (_, 0) => "Likely cause, not proved",
                _ => "Also",
            };
            say(&format!("{lead}: {}", cause.sentence));
        }
        let ids = |ids: &[FindingId]| {
            let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
            ids.join(", ")
        };
        if !self.on_sound_medium.is_empty() {
            say(&format!(
                "The medium alone does not explain the failure: on a sound one, {}. For the reason, run repro without --medium-profile.",
                self.on_sound_medium.trim_end_matches('.')
            ));
        } else if self.causes.is_empty() && self.starts == Starts::No {
            match &self.guest {
                Some(guest) if !guest.said.is_empty() => {
                    // A message that is explained is the reason; that of a system which found no medium may have several.
                    if guest.means.is_empty() || guest.stage >= GuestStage::Initramfs {
                        say("The cause is not known beyond this message.");
                    }
                }
                Some(guest) if !guest.means.is_empty() => {}
                _ => say("No known defect of the disc explains this."),
            }
        }
        if !self.harmless.is_empty() {
            let were = if self.harmless.len() == 1 {
                "was"
            } else {
                "were"
            };
            say(&format!(
                "{} {were} fixed for a trial, which made no difference.",
                ids(&self.harmless)
            ));
        }
        if !self.untried.is_empty() {
            say(&format!("Not tried on its own: {}.", ids(&self.untried)));
        }
        text
    }

    /// How to find out whether the disc starts; nothing where that was seen.
    #[must_use]
    pub fn unknown(&self) -> Option<String> {
        let way = way_to_know(self.guest.as_ref());
        let by_medium = self
            .causes
            .iter()
            .any(|cause| cause.proved && cause.id.is_none());
        (self.starts == Starts::Unknown && !by_medium)
            .then(|| format!("It is not known whether it starts: {way}"))
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.happened)?;
        let others = [Some(self.why()), self.unknown()];
        let mut others = others.iter().flatten().filter(|text| !text.is_empty());
        others.try_for_each(|text| write!(f, " {text}"))
    }
}

/// Boots that went the same way, together.
#[must_use]
pub fn groups<'b, 'a>(boots: &'b [Boot<'a>]) -> Vec<Vec<&'b Boot<'a>>> {
    grouped(boots, alike)
}

fn grouped<'b, 'a>(
    boots: &'b [Boot<'a>],
    alike: impl Fn(&Boot<'_>, &Boot<'_>) -> bool,
) -> Vec<Vec<&'b Boot<'a>>> {
    let mut groups: Vec<Vec<&Boot<'_>>> = Vec::new();
    for boot in boots {
        let mut known = groups.iter_mut();
        match known.find(|group| group.first().is_some_and(|first| alike(first, boot))) {
            Some(group) => group.push(boot),
            None => groups.push(vec![boot]),
        }
    }
    groups
}

/// Explains what was seen and what experiments showed, firmware by firmware; what went the same way is told once.
#[must_use]
pub fn diagnose(
    inspection: &Inspection,
    map: &DiscMap,
    boots: &[Boot<'_>],
    experiments: &[Experiment],
) -> Vec<Diagnosis> {
    let shown = |boot: &Boot<'_>| experiments.iter().find(|experiment| experiment.is_of(boot));
    let groups = grouped(boots, |one, other| {
        alike(one, other) && shown(one) == shown(other)
    });
    let explain = |group: &Vec<&Boot<'_>>| {
        let first = *group.first()?;
        let outcome = &first.observation.outcome;
        let experiment = shown(first);
        Some(Diagnosis {
            firmware: first.build.clone(),
            attachments: group.iter().map(|boot| boot.attachment).collect(),
            outcome: outcome.clone(),
            guest: first.observation.guest.clone(),
            starts: first.observation.starts,
            happened: happened(first, group),
            reached: reached(
                first.observation,
                first.attachment,
                causes::loader_of(first.firmware),
                map,
            ),
            causes: match first.by_medium() {
                Some((profile, sound)) => vec![of_medium(profile, sound)],
                // What the disc's own bytes do is seen on a sound medium.
                None if first.medium.is_some() => Vec::new(),
                None => causes(first, inspection, boots, experiment),
            },
            on_sound_medium: match first.medium {
                Some((_, sound)) if first.by_medium().is_none() => comes_to(sound),
                _ => String::new(),
            },
            harmless: experiment.map_or_else(Vec::new, |it| it.harmless.clone()),
            untried: experiment.map_or_else(Vec::new, |it| it.untried.clone()),
        })
    };
    groups.iter().filter_map(explain).collect()
}

/// How a person finds out whether a disc starts of which that was not seen.
fn way_to_know(guest: Option<&Guest>) -> &'static str {
    match guest.map(|guest| (guest.state, guest.needs)) {
        Some((GuestState::Menu, _)) => {
            "choose an entry with --dialog, or name the expected text with --expect."
        }
        Some((GuestState::Needs, Some(Need::Memory))) => {
            "give the machine more memory with --memory."
        }
        Some((GuestState::Needs, Some(Need::Processor))) => {
            "choose another processor with --cpu, or try it on real hardware."
        }
        Some((GuestState::Needs, Some(Need::Network))) => {
            "give the machine a network card with --network isolated, or try it where there is a network."
        }
        Some((GuestState::Needs, _)) => {
            "try it on real hardware that has what the program asks for."
        }
        Some((GuestState::Runs, _)) => {
            "name the expected text with --expect (with console=ttyS0, a kernel writes to the serial line), wait longer with --timeout, or watch the screen with --show."
        }
        _ => "name the expected text with --expect, or watch the screen with --show.",
    }
}

/// Whether a disc has something for a firmware: an entry, a loader or a partition that it would look at.
#[must_use]
pub fn addresses(inspection: &Inspection, firmware: FirmwareId) -> bool {
    let mut entries = inspection.entries();
    match firmware.kind() {
        FirmwareKind::Bios => {
            let x86 = |(entry, boot): (&EntryReading, &BootReading)| {
                entry.platform != Platform::EFI && boot.bootable
            };
            entries.any(x86) || (inspection.catalog.is_none() && inspection.partitions.signature)
        }
        FirmwareKind::Uefi => {
            let loader = causes::loader_of(firmware);
            let loaders = || {
                let of_entries = inspection.entries().flat_map(|(_, boot)| &boot.loaders);
                of_entries.chain(inspection.tree.iter().flat_map(|tree| &tree.loaders))
            };
            // Where loaders are known it is these that count: a disc for another architecture is none for this.
            if loaders().next().is_some() {
                loaders().any(|known| known.eq_ignore_ascii_case(loader))
            } else {
                entries.any(|(entry, _)| entry.platform == Platform::EFI)
            }
        }
    }
}

/// Whether two boots went the same way: as a disk a disc is another thing than as a CD.
fn alike(one: &Boot<'_>, other: &Boot<'_>) -> bool {
    let what = |boot: &Boot<'_>| {
        let outcome = &boot.observation.outcome;
        let code = outcome.code.clone();
        let guest = boot.observation.guest.as_ref();
        let guest = guest.map(|guest| (guest.state, guest.stage, guest.said.clone()));
        let by_medium = boot.by_medium().is_some();
        (
            outcome.kind,
            outcome.gave_back,
            code,
            outcome.stage,
            guest,
            by_medium,
        )
    };
    one.build == other.build
        && one.attachment.is_disk() == other.attachment.is_disk()
        && what(one) == what(other)
}

/// What explains a boot that did not come about: what an experiment proved, or else what words or reads name.
fn causes(
    boot: &Boot<'_>,
    inspection: &Inspection,
    boots: &[Boot<'_>],
    experiment: Option<&Experiment>,
) -> Vec<Cause> {
    let situation = Situation::of(boot);
    let proved = experiment.map_or(&[][..], |it| &it.proved);
    let mut told = None;
    let mut causes: Vec<Cause> = proved
        .iter()
        .map(|finding| {
            let others = unconcerned(finding.id, boot, boots);
            let new = others.filter(|sentence| told.as_ref() != Some(sentence));
            let sentence = told_of(finding, new.as_deref());
            told = new.or(told.take());
            Cause {
                id: Some(finding.id),
                proved: true,
                then: experiment.map_or_else(String::new, |it| it.then.clone()),
                changes: finding.changes.clone(),
                sentence,
                remedy: finding.fix.clone(),
            }
        })
        .collect();
    // With its fixes it is not seen to fail: then the disc is made for this.
    let no_longer_fails =
        experiment.is_some_and(|it| !it.proved.is_empty() && it.starts != Starts::No);
    if proved.is_empty() {
        let tried = experiment.map_or(&[][..], |it| &it.harmless);
        let mut likely = situation.findings(inspection);
        let likely = likely.by_ref().filter(|it| !tried.contains(&it.id));
        causes.extend(likely.filter_map(|finding| {
            let named = situation.named_by(boot, finding)?;
            Some(Cause {
                id: Some(finding.id),
                proved: false,
                then: String::new(),
                changes: Vec::new(),
                sentence: format!("{} {named}", told_of(finding, None)),
                // The fix of an info finding says that nothing need be done, which is wrong where the finding is the cause.
                remedy: match finding.severity {
                    Severity::Info => finding.id.remedy().to_owned(),
                    _ => finding.fix.clone(),
                },
            })
        }));
    }
    if causes.is_empty() || (!no_longer_fails && situation.knows_the_design(inspection)) {
        causes.extend(situation.by_design(inspection));
    }
    causes
}

/// A medium that explains it: on a sound one the disc comes further.
fn of_medium(profile: MediumProfile, sound: &Observation) -> Cause {
    Cause {
        id: None,
        proved: true,
        then: comes_to(sound),
        changes: Vec::new(),
        sentence: format!("{}.", profile.told()),
        remedy: profile.remedy().to_owned(),
    }
}

/// A finding with its place, in a sentence.
fn told_of(finding: &Finding, more: Option<&str>) -> String {
    format!(
        "{} (LBA {}, byte {}; {}).{}",
        finding.message,
        finding.lba.get(),
        finding.offset,
        finding.id.as_str(),
        more.unwrap_or_default()
    )
}

/// Other firmware that starts the disc in spite of a defect, in a sentence.
fn unconcerned(id: FindingId, boot: &Boot<'_>, boots: &[Boot<'_>]) -> Option<String> {
    let other = boots.iter().find(|other| {
        other.firmware.project() != boot.firmware.project()
            && other.attachment.is_disk() == boot.attachment.is_disk()
            && other.observation.starts == Starts::Yes
            && !id.trips().contains(&other.firmware.project())
    });
    other.map(|other| {
        let does = if other.observation.guest.is_some() {
            "starts the disc"
        } else {
            "boots"
        };
        let name = other.name();
        format!(" {name} does not check this, and {does}.")
    })
}
