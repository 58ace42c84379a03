//! The whole in a line: what each firmware does with the disc.

use harness::{attachment::Attachment, diagnosis::Boot, outcome::OutcomeKind};

use super::boots::{Booted, Failure};

/// `SeaBIOS: starts it by all attachments. OVMF: refuses it by all attachments.`
pub(super) fn line(booted: &[Booted]) -> String {
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
        sentence(firmware, &boots.collect::<Vec<_>>())
    };
    firmware
        .iter()
        .map(of_firmware)
        .collect::<Vec<_>>()
        .join(" ")
}

fn sentence(firmware: &str, boots: &[&Booted]) -> String {
    let mut groups: Vec<(&str, Vec<Attachment>)> = Vec::new();
    for one in boots {
        let does = match &one.seen {
            Err(Failure::Skipped(_)) => "not tried",
            _ => one.boot().map_or("could not be run", |boot| does(&boot)),
        };
        match groups.iter_mut().find(|(known, _)| *known == does) {
            Some((_, attachments)) => attachments.push(one.cell.attachment),
            None => groups.push((does, vec![one.cell.attachment])),
        }
    }
    let clause = |(does, attachments): &(&str, Vec<Attachment>)| match attachments.as_slice() {
        [others @ .., last] if !others.is_empty() && groups.len() > 1 => {
            let others: Vec<&str> = others.iter().map(|one| one.as_str()).collect();
            format!("{does} by {} and {last}", others.join(", "))
        }
        [one] => format!("{does} by {one}"),
        [others @ .., last] if groups.len() > 1 => {
            let others: Vec<&str> = others.iter().map(|one| one.as_str()).collect();
            format!("{does} by {} and {last}", others.join(", "))
        }
        _ => format!("{does} by all attachments"),
    };
    let clauses: Vec<String> = groups.iter().map(clause).collect();
    let name = boots.iter().find_map(|one| Some(one.boot()?.name()));
    let name = name.unwrap_or_else(|| firmware.to_owned());
    format!("{name}: {}.", clauses.join("; "))
}

fn does(boot: &Boot<'_>) -> &'static str {
    let outcome = &boot.observation.outcome;
    match outcome.kind {
        _ if outcome.gave_back => "starts it in vain",
        OutcomeKind::Booted => "boots it",
        OutcomeKind::HandedOver => "starts it",
        OutcomeKind::Refused => "refuses it",
        OutcomeKind::Hung => "hangs with it",
        OutcomeKind::Reset => "is reset by it",
        OutcomeKind::NotMastered => "got no disc",
    }
}
