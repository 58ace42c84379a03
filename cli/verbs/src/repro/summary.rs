//! The whole in a few lines: whether each firmware starts the disc, and by what that is known.

use harness::{
    attachment::Attachment,
    diagnosis::{Boot, firmware_name},
    guest::{GuestState, Starts},
    outcome::OutcomeKind,
};

use super::boots::{Booted, ERROR, Failure};

/// `SeaBIOS does not start the disc (ide, ahci): isolinux gave up.`
pub(super) fn lines(booted: &[Booted]) -> Vec<String> {
    let mut firmware: Vec<&str> = Vec::new();
    for one in booted {
        if !firmware.contains(&one.cell.id.firmware()) {
            firmware.push(one.cell.id.firmware());
        }
    }
    let of_firmware = |firmware: &&str| {
        let boots = booted
            .iter()
            .filter(|one| one.cell.id.firmware() == *firmware);
        sentences(firmware, &boots.collect::<Vec<_>>())
    };
    firmware.iter().flat_map(of_firmware).collect()
}

/// A sentence for boots of one firmware that came to the same.
fn sentences(firmware: &str, boots: &[&Booted]) -> Vec<String> {
    let first = boots.first().map(|one| one.cell.firmware);
    let name = first.map_or_else(
        || firmware.to_owned(),
        |first| firmware_name(firmware, first),
    );
    let mut groups: Vec<(Answer, Vec<Attachment>)> = Vec::new();
    for one in boots {
        let answer = Answer::of(one);
        match groups.iter_mut().find(|(known, _)| *known == answer) {
            Some((_, attachments)) => attachments.push(one.cell.attachment),
            None => groups.push((answer, vec![one.cell.attachment])),
        }
    }
    let sentence = |(answer, attachments): &(Answer, Vec<Attachment>)| {
        let by: Vec<&str> = attachments.iter().map(|one| one.as_str()).collect();
        let by = by.join(", ");
        let how = match answer.how.as_str() {
            "" => String::new(),
            how => format!(": {how}"),
        };
        format!("{} ({by}){how}.", answer.does.replace("NAME", &name))
    };
    groups.iter().map(sentence).collect()
}

/// Whether a firmware starts the disc, and by what that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    /// A clause in which NAME stands for the firmware.
    does: &'static str,
    how: String,
}

impl Answer {
    fn of(booted: &Booted) -> Self {
        match (booted.boot(), &booted.seen) {
            (Some(boot), _) => Self::of_boot(&boot),
            (None, Err(Failure::Skipped(_))) => Self {
                does: "NAME was not tried",
                how: String::new(),
            },
            (None, _) => Self {
                does: "NAME could not be tried",
                how: ERROR.to_owned(),
            },
        }
    }

    fn of_boot(boot: &Boot<'_>) -> Self {
        let observation = boot.observation;
        let does = match (observation.outcome.kind, observation.starts) {
            (OutcomeKind::Booted, _) => "NAME boots the disc",
            (_, Starts::Yes) => "NAME starts the disc",
            (_, Starts::No) => "NAME does not start the disc",
            (_, Starts::Unknown) => "It is not known whether NAME starts the disc",
        };
        Self {
            does,
            how: how(boot),
        }
    }
}

/// By what it is known.
fn how(boot: &Boot<'_>) -> String {
    let observation = boot.observation;
    let outcome = &observation.outcome;
    let guest = observation.guest.as_ref();
    let code = outcome.code.as_deref().unwrap_or_default();
    let came_to = || guest.map_or_else(String::new, harness::guest::Guest::came_to);
    match outcome.kind {
        OutcomeKind::Booted => String::new(),
        OutcomeKind::Refused if code.is_empty() => "refused".to_owned(),
        OutcomeKind::Refused => format!("refused ({code})"),
        OutcomeKind::Hung => "it hangs".to_owned(),
        OutcomeKind::Reset if guest.is_some_and(|guest| guest.state < GuestState::Menu) => {
            format!("{}, and the machine was reset", came_to())
        }
        OutcomeKind::Reset => "the machine was reset".to_owned(),
        OutcomeKind::NotMastered => "there is no disc".to_owned(),
        OutcomeKind::HandedOver if outcome.gave_back => {
            "the boot image returned to the firmware".to_owned()
        }
        // What was asked for did not come: what is seen instead is no start, whatever it is.
        OutcomeKind::HandedOver
            if observation.starts == Starts::No
                && guest.is_none_or(|guest| guest.state >= GuestState::Menu) =>
        {
            let what = "what was asked for did not come";
            match guest {
                Some(_) => format!("{what}; {}", came_to()),
                None => what.to_owned(),
            }
        }
        OutcomeKind::HandedOver => match guest.map(|guest| guest.state) {
            Some(GuestState::Menu) if observation.starts == Starts::Yes => {
                format!("{}, and what that offers is on the disc", came_to())
            }
            Some(_) => came_to(),
            None => "nothing more is seen".to_owned(),
        },
    }
}
