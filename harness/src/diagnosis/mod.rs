//! Why a disc does what it does: what each firmware was seen to do, joined with what is wrong on the disc.

mod boot;
mod causes;
mod experiment;
mod happened;
mod reached;

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

#[cfg(test)]
mod tests {
    use super::{happened::came_to, *};
    use crate::outcome::{OutcomeKind, Stage};

    fn diagnosis(outcome: Outcome, guest: Guest, starts: Starts) -> Diagnosis {
        Diagnosis {
            firmware: "seabios".to_owned(),
            attachments: vec![Attachment::Ide],
            happened: format!("SeaBIOS hands over{}", came_to(&outcome, Some(&guest))),
            outcome,
            guest: Some(guest),
            starts,
            reached: "It read the catalog.".to_owned(),
            causes: Vec::new(),
            on_sound_medium: String::new(),
            harmless: Vec::new(),
            untried: Vec::new(),
        }
    }

    fn handed_over(detail: &str) -> Outcome {
        Outcome {
            kind: OutcomeKind::HandedOver,
            code: None,
            stage: Stage::Entered,
            gave_back: false,
            detail: detail.to_owned(),
        }
    }

    #[test]
    fn the_words_of_a_program_are_quoted_once_and_whole() {
        let guest = Guest {
            program: Some("isolinux".to_owned()),
            said: "Failed to load ldlinux.c32\nBoot failed...".to_owned(),
            means: "isolinux 5 needs it.".to_owned(),
            ..Guest::unheard(GuestState::GaveUp, GuestStage::Loader)
        };
        let detail = format!(
            "{}; the expected text \"login\" did not come",
            guest.in_a_sentence()
        );
        let diagnosis = diagnosis(handed_over(&detail), guest, Starts::No);
        assert_eq!(
            diagnosis.happened(),
            Happened {
                did: "SeaBIOS hands over, and isolinux gave up:",
                said: vec!["Failed to load ldlinux.c32", "Boot failed..."],
                then: "isolinux 5 needs it. The expected text \"login\" did not come.",
            }
        );
        // It explains itself.
        assert_eq!(diagnosis.why(), "It read the catalog.");
        assert_eq!(diagnosis.unknown(), None);
        assert_eq!(
            diagnosis.to_string(),
            "SeaBIOS hands over, and isolinux gave up: \"Failed to load ldlinux.c32 / Boot failed...\" isolinux 5 needs it. \
             The expected text \"login\" did not come. It read the catalog."
        );
    }

    #[test]
    fn what_is_not_known_is_said_with_the_way_to_know() {
        let silent = Guest::unheard(GuestState::Silent, GuestStage::Kernel);
        let told = diagnosis(handed_over("nothing more came"), silent, Starts::Unknown);
        assert_eq!(
            told.to_string(),
            "SeaBIOS hands over: nothing more came. It reached the kernel. It read the catalog. \
             It is not known whether it starts: name the expected text with --expect, or watch the screen with --show."
        );
        assert_eq!(told.happened().said, Vec::<&str>::new());
        let menu = Guest::unheard(GuestState::Menu, GuestStage::Loader);
        let told = diagnosis(handed_over(""), menu, Starts::Unknown).to_string();
        assert!(
            told.contains(", and the boot image waits at its menu. It read"),
            "{told}"
        );
        assert!(told.contains("choose an entry with --dialog"), "{told}");
    }

    #[test]
    fn a_message_is_no_cause_and_is_what_is_known() {
        let beyond = "The cause is not known beyond this message.";
        let no_defect = "No known defect of the disc explains this.";
        let guest = |state, stage, said: &str, means: &str| Guest {
            said: said.to_owned(),
            means: means.to_owned(),
            ..Guest::unheard(state, stage)
        };
        let why = |guest| diagnosis(handed_over(""), guest, Starts::No).why();
        let loader = guest(GuestState::GaveUp, GuestStage::Loader, "Error 15", "");
        assert_eq!(why(loader), format!("It read the catalog. {beyond}"));
        // What a system's message means is known, and has several causes.
        let system = guest(
            GuestState::Prompt,
            GuestStage::Initramfs,
            "No medium",
            "It looked.",
        );
        assert_eq!(why(system), format!("It read the catalog. {beyond}"));
        let explained = guest(
            GuestState::GaveUp,
            GuestStage::Loader,
            "Error 15",
            "It is missing.",
        );
        assert_eq!(why(explained), "It read the catalog.");
        let unheard = guest(GuestState::GaveBack, GuestStage::Loader, "", "");
        assert_eq!(why(unheard), format!("It read the catalog. {no_defect}"));
    }

    #[test]
    fn a_fix_that_was_tried_in_vain_is_told_as_such() {
        let guest = Guest::unheard(GuestState::Silent, GuestStage::Loader);
        let mut told = diagnosis(handed_over(""), guest, Starts::Unknown);
        told.harmless = vec![FindingId::MbrNoActive];
        let one = "mbr-no-active was fixed for a trial, which made no difference.";
        assert!(told.why().ends_with(one), "{}", told.why());
        told.harmless.push(FindingId::VolumeSize);
        let two = "mbr-no-active, volume-size were fixed for a trial, which made no difference.";
        assert!(told.why().ends_with(two), "{}", told.why());
    }

    #[test]
    fn what_a_machine_that_stopped_printed_last_is_quoted() {
        let guest = |state| Guest {
            last: "one\ntwo".to_owned(),
            ..Guest::unheard(state, GuestStage::Kernel)
        };
        let told = |kind, state, starts| {
            let outcome = Outcome {
                kind,
                ..handed_over("it stopped")
            };
            diagnosis(outcome, guest(state), starts)
        };
        let hung = told(OutcomeKind::Hung, GuestState::Silent, Starts::No);
        assert_eq!(
            hung.happened(),
            Happened {
                did: "SeaBIOS hands over: it stopped. The last lines that it printed:",
                said: vec!["one", "two"],
                then: "",
            }
        );
        let reset = told(OutcomeKind::Reset, GuestState::Runs, Starts::No).to_string();
        assert!(
            reset.starts_with("SeaBIOS hands over: it stopped. The last lines that it printed: \"one / two\" It reached the kernel."),
            "{reset}"
        );
        let halted = told(OutcomeKind::HandedOver, GuestState::Silent, Starts::Unknown);
        assert_eq!(halted.happened().said, ["one", "two"]);
        assert!(halted.to_string().contains("with --expect"), "{halted}");
        assert_eq!(
            guest(GuestState::Silent).came_to(),
            "a kernel printed text and halted the processor"
        );
    }

    #[test]
    fn what_a_program_said_before_it_returned_or_was_reset_comes_after_that() {
        let guest = |state| Guest {
            program: Some("linux".to_owned()),
            said: "Kernel panic".to_owned(),
            ..Guest::unheard(state, GuestStage::Kernel)
        };
        let reset = Outcome {
            kind: OutcomeKind::Reset,
            ..handed_over("the machine reset itself")
        };
        let told = diagnosis(reset, guest(GuestState::Panic), Starts::No).to_string();
        assert!(
            told.starts_with(
                "SeaBIOS hands over: the machine reset itself. Before that, linux said: \"Kernel panic\" It reached the kernel."
            ),
            "{told}"
        );
        let returned = Outcome {
            gave_back: true,
            ..handed_over("the boot image gave control back")
        };
        let told = diagnosis(returned, guest(GuestState::GaveBack), Starts::No).to_string();
        assert!(
            told.starts_with("SeaBIOS hands over: the boot image gave control back. Before that, linux said: \"Kernel panic\""),
            "{told}"
        );
        assert!(
            told.ends_with("The cause is not known beyond this message."),
            "{told}"
        );
    }
}
