//! What happened to a disc, in sentences.

use super::boot::Boot;
use crate::{
    firmware::{FirmwareKind, bios_codes::BIOS_CODES},
    guest::{Guest, GuestStage, GuestState},
    observation::Observation,
    outcome::{Outcome, OutcomeKind, Stage},
    progress::{Came, Progress},
};

pub(super) fn happened(boot: &Boot<'_>, group: &[&Boot<'_>]) -> String {
    let outcome = &boot.observation.outcome;
    let attachments: Vec<&str> = group.iter().map(|boot| boot.attachment.as_str()).collect();
    let did = match outcome.kind {
        OutcomeKind::Booted => "boots it",
        OutcomeKind::HandedOver => "hands over to it",
        OutcomeKind::Refused => "refuses it",
        OutcomeKind::Hung => "hangs with it",
        OutcomeKind::Reset if outcome.stage >= Stage::Entered => "hands over to it",
        OutcomeKind::Reset => "does not hand over to it",
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
        sentence += &format!(" The code means: {meaning}.");
    }
    sentence
}

/// What followed: the program's words in quotes, what they mean, and what else decided.
pub(super) fn came_to(outcome: &Outcome, guest: Option<&Guest>) -> String {
    let detail = outcome.detail.trim_end_matches('.');
    let plain = |detail: &str| match detail {
        "" => ".".to_owned(),
        detail => format!(": {detail}."),
    };
    let Some(guest) = guest else {
        return plain(detail);
    };
    // A machine that hung is silent; nothing more is known of it than what it printed.
    if outcome.kind == OutcomeKind::Hung {
        let mut text = plain(detail);
        sentence(&mut text, &printed_last(guest));
        return text;
    }
    let mut text = match (outcome.kind, guest.state) {
        (OutcomeKind::HandedOver, GuestState::Silent) if !guest.last.is_empty() => {
            let mut text = plain(detail);
            sentence(&mut text, &guest.means);
            sentence(&mut text, &printed_last(guest));
            return text;
        }
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
            // Its words stand below.
            let came_to = guest.came_to();
            let repeats = detail.starts_with(&came_to);
            let mut text = plain(if repeats { &came_to } else { detail });
            if let (false, Some(program)) = (guest.said.is_empty(), &guest.program) {
                let before = format!("Before that, {program} said");
                sentence(&mut text, &with_words(&before, guest));
            }
            sentence(&mut text, &guest.means);
            if guest.said.is_empty() {
                sentence(&mut text, &printed_last(guest));
            }
            text
        }
    };
    let reached = match guest.stage {
        GuestStage::Loader => "",
        _ if guest.state == GuestState::System => "",
        GuestStage::Kernel => "It reached the kernel",
        GuestStage::Initramfs => "It reached the initramfs",
        GuestStage::System => "It reached the system",
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

/// What a program printed last, where nothing of it is known to say more.
fn printed_last(guest: &Guest) -> String {
    let lines = match guest.last.lines().count() {
        0 => return String::new(),
        1 => "line",
        _ => "lines",
    };
    format!("The last {lines} that it printed: {}", quoted_last(guest))
}

pub(super) fn quoted_last(guest: &Guest) -> String {
    format!("\"{}\"", guest.last_in_a_line())
}

pub(super) fn quoted(guest: &Guest) -> String {
    format!("\"{}\"", guest.said_in_a_line())
}

/// How far a boot came with changes to the disc, as a clause: `it comes to its menu`.
#[must_use]
pub fn comes_to(observation: &Observation) -> String {
    let outcome = &observation.outcome;
    let guest = observation.guest.as_ref();
    let progress = Progress::of(observation);
    let code = outcome
        .code
        .as_deref()
        .map_or_else(String::new, |code| format!(" ({code})"));
    match (outcome.kind, guest) {
        (OutcomeKind::Booted, _) => "it boots".to_owned(),
        (OutcomeKind::Refused, _) => {
            format!("the firmware still refuses it{code}, at {}", outcome.stage)
        }
        (OutcomeKind::Reset, _) => format!("the machine is reset at {}", outcome.stage),
        (OutcomeKind::Hung, _) => format!("it hangs at {}", outcome.stage),
        (OutcomeKind::NotMastered, _) => "there is no disc".to_owned(),
        (OutcomeKind::HandedOver, None) => "the firmware hands over to it".to_owned(),
        (OutcomeKind::HandedOver, Some(guest)) => {
            let at = match (guest.stage, progress.came) {
                (GuestStage::Loader, _) | (_, Came::Starts) => "",
                (GuestStage::Kernel, _) => ", in its kernel",
                (GuestStage::Initramfs, _) => ", in its initramfs",
                (GuestStage::System, _) => ", in its system",
            };
            match progress.came {
                Came::GoesOn if outcome.stage >= Stage::Entered => {
                    format!(
                        "the firmware hands over to it, and it continues{}",
                        at.trim_start_matches(',')
                    )
                }
                Came::GaveUp => format!(
                    "{}{at}, and stops there",
                    with_words(&guest.came_to(), guest)
                ),
                _ => format!("{}{at}", guest.came_to()),
            }
        }
    }
}

/// What a BIOS's code says.
#[must_use]
pub fn meaning_of_code(code: &str) -> Option<&'static str> {
    let known = BIOS_CODES.iter().find(|(known, ..)| *known == code);
    known.map(|(_, meaning, _)| *meaning)
}
