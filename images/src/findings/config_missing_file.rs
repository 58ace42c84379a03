//! `config-missing-file`: a configuration that names a file which is not on the disc.

use super::{Room, gravest};
use crate::{
    boot_configuration::Loader,
    finding::{Finding, FindingId, Severity},
    inspect::Reading,
};

const ID: FindingId = FindingId::ConfigMissingFile;

pub(super) const ROOM: Room = Room {
    id: "config-missing-file",
    severity: Severity::Error,
    milder: Some(Severity::Info),
    trips: &["seabios", "ovmf"],
    explanation: "A boot loader's configuration names a kernel, an initial file system or a module that is not on the disc.",
    consequence: "The menu appears, and its entry fails with the loader's own words: No such file or directory, file not found.",
    remedy: "Fetch the disc again if its checksum is wrong, or ask its maker; else put the file where the configuration names it, or name it where it is.",
    recipes: &[],
    replaces: &[],
    describes: false,
    check,
    defect: None,
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let configurations = reading.configurations();
    for configuration in &configurations.all {
        // What another medium's GRUB reads says nothing of this one.
        if configuration.loader == Loader::GrubLoopback {
            continue;
        }
        // What is included has the entries, where there are none.
        let mut included = configuration.files.iter();
        let included =
            included.find(|file| file.exists == Some(false) && file.directive.ends_with("include"));
        if let Some(missing) = included.filter(|_| configuration.entries.is_empty()) {
            let message = format!(
                "{} includes {} in line {}, and the disc has no such file: nothing is left to boot",
                missing.file, missing.path, missing.line
            );
            let place = reading.place_of(configuration.file_system, &missing.file);
            findings.push(Finding::new(ID, place, message));
        }
        for (index, entry) in configuration.entries.iter().enumerate() {
            // A module of isolinux that is missing has a finding of its own.
            let is_module = |path: &str| {
                configuration.loader == Loader::Isolinux
                    && path.to_ascii_lowercase().ends_with(".c32")
            };
            let mut files = entry.files.iter();
            let missing = files.find(|file| file.exists == Some(false) && !is_module(&file.path));
            let Some(missing) = missing.filter(|_| !entry.conditional) else {
                continue;
            };
            let message = format!(
                "{} names {} in line {} ({:?}), and the disc has no such file",
                missing.file, missing.path, missing.line, entry.title
            );
            let place = reading.place_of(configuration.file_system, &missing.file);
            let finding = Finding::new(ID, place, message);
            let is_default = configuration.may_be_default(index);
            findings.push(if is_default {
                finding
            } else {
                finding.as_info()
            });
        }
    }
    gravest(findings)
}
