//! `config-wrong-medium`: a configuration that looks for another medium.

use super::{
    Room, gravest,
    recipe::{commands, genisoimage, xorriso},
};
use crate::{
    boot_configuration::{Loader, SearchBy},
    finding::{Finding, FindingId, Severity},
    inspect::Reading,
    tool::Tool,
};

const ID: FindingId = FindingId::ConfigWrongMedium;

pub(super) const ROOM: Room = Room {
    id: "config-wrong-medium",
    severity: Severity::Error,
    milder: Some(Severity::Info),
    trips: &["seabios", "ovmf"],
    explanation: "A boot loader's configuration looks for a label, a UUID or a file that this disc does not have.",
    consequence: "The loader finds no file system, or the system that it starts stops in its initial file system: no medium found.",
    remedy: "Write the image to the stick or disc unchanged, with the volume label that it came with; else give the disc the label that its configuration names.",
    recipes: &[
        commands(
            Tool::Xorriso,
            "xorriso -indev disc.iso -outdev new.iso -boot_image any replay -volid {label} -commit",
            "-volid",
        ),
        xorriso("-V"),
        genisoimage("-V"),
    ],
    replaces: &[],
    describes: false,
    check,
    defect: None,
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let labels = reading.labels();
    let mut findings = Vec::new();
    let configurations = reading.configurations();
    for configuration in &configurations.all {
        if configuration.loader == Loader::GrubLoopback {
            continue;
        }
        for (index, entry) in configuration.entries.iter().enumerate() {
            let wanted = entry.command_line.as_deref().and_then(wanted_label);
            let Some(wanted) = wanted.filter(|wanted| !labels.contains(wanted)) else {
                continue;
            };
            let message = format!(
                "{} wants the label {wanted:?} in line {} ({:?}), and the disc's labels are {}",
                entry.file,
                entry.line,
                entry.title,
                labels
                    .iter()
                    .map(|label| format!("{label:?}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            );
            let place = reading.place_of(configuration.file_system, &entry.file);
            let finding = Finding::new(ID, place, message);
            let is_default = configuration.may_be_default(index);
            findings.push(if is_default && !entry.conditional {
                finding
            } else {
                finding.as_info()
            });
        }
        for search in &configuration.searches {
            if search.found != Some(false) {
                continue;
            }
            let what = match search.by {
                SearchBy::File => "the file",
                SearchBy::Label => "the label",
                SearchBy::Uuid => "the UUID",
            };
            let message = format!(
                "{} searches for {what} {:?} in line {}, and the disc does not have it",
                search.file, search.wanted, search.line
            );
            let place = reading.place_of(configuration.file_system, &search.file);
            // Where the search finds nothing, GRUB's root stays what it was: the medium it was started from.
            findings.push(Finding::new(ID, place, message).as_info());
        }
    }
    gravest(findings)
}

/// The label that a kernel's command line wants: any word whose key ends in `label` or whose value begins with `LABEL=` or `CDLABEL=`.
pub(super) fn wanted_label(line: &str) -> Option<String> {
    let label = line.split_whitespace().find_map(|word| {
        let word = word.trim_matches(['"', '\'']);
        let (key, value) = word.split_once('=')?;
        // Where changes are kept may well be another medium.
        if ["persist", "overlay", "cow"]
            .iter()
            .any(|word| key.contains(word))
        {
            return None;
        }
        let named = value.split_once("LABEL=").filter(|(before, _)| {
            before.is_empty() || before.ends_with("CD") || before.ends_with(':')
        });
        if let Some((_, label)) = named {
            return Some(label);
        }
        let is_label = key.to_ascii_lowercase().ends_with("label") && !value.starts_with('/');
        is_label.then_some(value)
    })?;
    // What follows a colon is a path on it (`hd:LABEL=FEDORA:/ks.cfg`).
    let label = label.split(':').next().unwrap_or(label);
    let label = label.replace("\\x20", " ").replace("\\040", " ");
    (!label.is_empty() && !label.contains('$')).then_some(label)
}
