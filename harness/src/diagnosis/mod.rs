//! Why a disc does what it does: what each firmware was seen to do, joined with what is wrong on the disc.

mod causes;
mod reached;

use std::{collections::HashSet, fmt};

use images::{
    eltorito::Platform,
    finding::FindingId,
    inspect::{BootReading, EntryReading, Inspection},
    map::DiscMap,
};
use serde::{Deserialize, Serialize};

pub use self::causes::meaning_of_code;
use self::{causes::Situation, reached::reached};
use crate::{
    attachment::Attachment,
    firmware::{FirmwareId, FirmwareKind},
    guest::{Guest, GuestStage, GuestState, Need, Starts},
    observation::Observation,
    outcome::{Outcome, OutcomeKind},
};

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
    /// The firmware's name as people write it, with its build.
    #[must_use]
    pub fn name(&self) -> String {
        firmware_name(&self.build, self.firmware)
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
    /// How to fix it; empty if nothing needs a fix.
    pub remedy: String,
}

/// What happened, taken apart: the program's own words stand by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened<'a> {
    /// What the firmware did, and what the program came to.
    pub did: &'a str,
    /// The program's decisive words, line by line; none where it said nothing that decides.
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
        let Some(guest) = self.guest.as_ref().filter(|guest| !guest.said.is_empty()) else {
            return whole;
        };
        match self.happened.split_once(&quoted(guest)) {
            None => whole,
            Some((did, then)) => Happened {
                did: did.trim_end(),
                said: guest.said.lines().collect(),
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
        // A program that says what it lacks has explained itself.
        let meant = self.guest.as_ref().is_some_and(|it| !it.means.is_empty());
        match self.causes.as_slice() {
            [] if self.starts != Starts::No || meant => {}
            [] => say("Nothing on the disc is known that would explain it."),
            [first, others @ ..] => {
                say(&format!("Likely cause, not proved: {}", first.sentence));
                for other in others {
                    let lead = match other.finding {
                        Some(_) => "Also",
                        None => "Independently of that",
                    };
                    say(&format!("{lead}: {}", other.sentence));
                }
            }
        }
        text
    }

    /// How to find out whether the disc starts; nothing where that was seen.
    #[must_use]
    pub fn unknown(&self) -> Option<String> {
        let way = way_to_know(self.guest.as_ref());
        (self.starts == Starts::Unknown).then(|| format!("Whether it starts is not known: {way}"))
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
            guest: first.observation.guest.clone(),
            starts: first.observation.starts,
            happened: happened(first, group),
            reached: reached(first.observation, first.attachment, map),
            causes: causes(first, inspection, boots),
        }
    };
    groups.iter().map(explain).collect()
}

/// How a person finds out whether a disc starts of which that was not seen.
fn way_to_know(guest: Option<&Guest>) -> &'static str {
    match guest.map(|guest| (guest.state, guest.needs)) {
        Some((GuestState::Menu, _)) => {
            "choose an entry with --dialog, or say with --expect what must be seen."
        }
        Some((GuestState::Needs, Some(Need::Memory))) => {
            "give the machine more memory with --memory."
        }
        Some((GuestState::Needs, Some(Need::Processor))) => {
            "choose another processor with --cpu, or try it on real hardware."
        }
        Some((GuestState::Needs, _)) => "try it on real hardware that has what it asks for.",
        Some((GuestState::Runs, _)) => {
            "say with --expect what must be seen (a kernel writes to the serial line with console=ttyS0), give it longer with --timeout, or look with --show."
        }
        _ => "say with --expect what must be seen, or look with --show.",
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
        (outcome.kind, outcome.gave_back, code, outcome.stage, guest)
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
    sentence += &came_to(outcome, boot.observation.guest.as_ref());
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

/// What followed: the program's words in quotes, what they mean, and what else decided.
fn came_to(outcome: &Outcome, guest: Option<&Guest>) -> String {
    let detail = outcome.detail.trim_end_matches('.');
    let plain = |detail: &str| match detail {
        "" => ".".to_owned(),
        detail => format!(": {detail}."),
    };
    // A machine that hung is silent; nothing more is known of it.
    let Some(guest) = guest.filter(|_| outcome.kind != OutcomeKind::Hung) else {
        return plain(detail);
    };
    let mut text = match (outcome.kind, guest.state) {
        (OutcomeKind::HandedOver, GuestState::Runs | GuestState::Silent) => plain(detail),
        (OutcomeKind::HandedOver, state)
            if state != GuestState::GaveBack || guest.is_firmware_speaking() =>
        {
            // Words that decided stand in the detail too.
            let detail = outcome.detail.strip_prefix(&guest.in_a_sentence());
            let detail = detail.unwrap_or(&outcome.detail);
            let detail = detail.trim_start_matches([';', ' ']);
            let mut came_to = guest.came_to();
            if guest.is_firmware_speaking() && !guest.said.is_empty() {
                came_to += ", which shows";
            }
            let mut text = format!(", and {}", with_words(&came_to, guest));
            sentence(&mut text, &guest.means);
            sentence(&mut text, detail);
            text
        }
        _ => {
            let mut text = plain(detail);
            if let (false, Some(program)) = (guest.said.is_empty(), &guest.program) {
                let before = format!("Before that, {program} said");
                sentence(&mut text, &with_words(&before, guest));
            }
            sentence(&mut text, &guest.means);
            text
        }
    };
    let reached = match guest.stage {
        GuestStage::Loader => "",
        _ if guest.state == GuestState::System => "",
        GuestStage::Kernel => "It came as far as the kernel",
        GuestStage::Initramfs => "It came as far as the initramfs",
        GuestStage::System => "It came as far as the system",
    };
    sentence(&mut text, reached);
    if !text.ends_with(['.', '"']) {
        text.push('.');
    }
    text
}

/// Adds a sentence, where there is one.
fn sentence(text: &mut String, sentence: &str) {
    let sentence = sentence.trim();
    let mut characters = sentence.chars();
    let Some(first) = characters.next() else {
        return;
    };
    // Programs' names keep their letters: only our own fragments begin with "the" or "started".
    let own = ["the ", "no ", "started ", "a "];
    let first = if own.iter().any(|word| sentence.starts_with(word)) {
        first.to_ascii_uppercase()
    } else {
        first
    };
    if !text.ends_with(['.', '"']) {
        text.push('.');
    }
    text.push(' ');
    text.push(first);
    text.push_str(characters.as_str());
    if !text.ends_with(['.', '"', '?', '!']) {
        text.push('.');
    }
}

/// A clause with the program's words behind it.
fn with_words(clause: &str, guest: &Guest) -> String {
    match guest.said.as_str() {
        "" => clause.to_owned(),
        _ => format!("{clause}: {}", quoted(guest)),
    }
}

fn quoted(guest: &Guest) -> String {
    format!("\"{}\"", guest.said_in_a_line())
}

/// The firmware's name as people write it, with its build.
#[must_use]
pub fn firmware_name(build: &str, firmware: FirmwareId) -> String {
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
            && other.observation.starts == Starts::Yes
            && !id.trips().contains(&other.firmware.family())
    });
    other.map(|other| {
        let does = match other.observation.outcome.kind {
            OutcomeKind::Booted => "boots",
            _ => "starts the disc",
        };
        let name = other.name();
        format!(" {name} does not look at this, and {does}.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Stage;

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
            "SeaBIOS hands over: nothing more came. It came as far as the kernel. It read the catalog. \
             Whether it starts is not known: say with --expect what must be seen, or look with --show."
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
                "SeaBIOS hands over: the machine reset itself. Before that, linux said: \"Kernel panic\" It came as far as the kernel."
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
            told.ends_with("Nothing on the disc is known that would explain it."),
            "{told}"
        );
    }
}
