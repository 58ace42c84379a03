//! `config-missing-file`: a configuration that names a file which is not on the disc.

use super::room::{Room, gravest, reading_firmware};
use crate::{
    boot_configuration::{Configuration, DefaultEntry, FileSystem, Loader, NamedFile},
    finding::{Finding, FindingId, Severity},
    grub_core::prepares,
    inspect::Reading,
};

const ID: FindingId = FindingId::ConfigMissingFile;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Info),
    trips: &["seabios", "ovmf"],
    explanation: "A boot loader's configuration names a kernel, an initial file system or a module that is not on the disc.",
    consequence: "The entry fails with the loader's own message, such as No such file or directory, file not found or Failed to open kernel; systemd-boot does not show such an entry.",
    remedy: "Download the disc again if its checksum is wrong, or ask its maker. If you made it, move the file to the path in the configuration, or correct the path.",
    check,
    ..Room::BASE
};

const KEEP_NAMES: &str = "If you did not make the disc, ask its maker for a new one. Otherwise master it with Rock Ridge (-R), which keeps long names for GRUB and for isolinux 6 (for isolinux 4: -l, or xorriso's -iso-level 2), or write the file's name on the disc into the configuration.";

/// isolinux does not read the names of Joliet. 6.04 reads those of Rock Ridge, and 4.05 does not; 5 was not tried.
const NAMES_FOR_ISOLINUX: &str = "If you did not make the disc, ask its maker for a new one. Otherwise name the file as isolinux reads it, or master the disc with isolinux 6 and Rock Ridge (-R). isolinux 4 reads only the names of ISO 9660, which -l (xorriso: -iso-level 2) allows to be 31 characters long.";

const NAME_A_LABEL: &str = "If you did not make the disc, ask its maker for a new one. Otherwise write an existing label after DEFAULT or ONTIMEOUT (upper and lower case must match), or add a label of that name.";
const BESIDE_THE_LOADER: &str = "If you did not make the disc, ask its maker for a new one. Otherwise put the kernel and its initial file system into the EFI image, with systemd-boot.";
/// At most this many labels are named.
const LABELS: usize = 5;

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let configurations = reading.configurations();
    for configuration in &configurations.all {
        // Another medium's GRUB reads it, which proves nothing about this one.
        if configuration.loader == Loader::GrubLoopback {
            continue;
        }
        // If there are no entries, the included file has them.
        let mut included = configuration.files.iter();
        let included = match configuration.loader {
            Loader::Grub => continues_in(reading, configuration),
            _ => included
                .find(|file| file.exists == Some(false) && file.directive.ends_with("include")),
        };
        if let Some(missing) = included.filter(|_| configuration.entries.is_empty()) {
            let message = format!(
                "{} continues in {} (line {}), but the disc has no such file: nothing is left to boot",
                missing.file, missing.path, missing.line
            );
            let place = reading.place_of(configuration.file_system, &missing.file);
            let mut finding = Finding::new(ID, place, message);
            finding.trips = reading_firmware(reading, configuration);
            findings.push(finding);
        }
        if let Some(DefaultEntry::Missing(name)) = &configuration.on_timeout {
            let message = format!(
                "ONTIMEOUT in {} names {name:?}, which is neither a label nor a file",
                configuration.path
            );
            let place = reading.place_of(configuration.file_system, &configuration.path);
            let mut finding = Finding::new(ID, place, message).with_fix(NAME_A_LABEL);
            finding.trips = reading_firmware(reading, configuration);
            findings.push(finding);
        }
        for (index, entry) in configuration.entries.iter().enumerate() {
            // A missing module of isolinux has its own finding.
            let is_module = |path: &str| {
                configuration.loader == Loader::Isolinux
                    && path.to_ascii_lowercase().ends_with(".c32")
            };
            let mut files = entry.files.iter();
            let missing = files.find(|file| file.exists == Some(false) && !is_module(&file.path));
            let Some(missing) = missing.filter(|_| !entry.conditional) else {
                continue;
            };
            let mut message = format!(
                "{} names {} in line {} ({:?}), but the disc has no such file",
                missing.file, missing.path, missing.line, entry.title
            );
            let mut fix = None;
            let mut is_default = configuration.may_be_default(index);
            if missing.directive == "default" {
                let labels: Vec<&str> = configuration
                    .entries
                    .iter()
                    .filter_map(|other| other.id.as_deref())
                    .filter(|id| *id != missing.path && entry.id.as_deref() != Some(id))
                    .take(LABELS)
                    .collect();
                message = format!(
                    "DEFAULT in line {} of {} names {:?}, which is neither a label nor a file; the labels are {}",
                    missing.line,
                    missing.file,
                    entry.title,
                    if labels.is_empty() {
                        "none".to_owned()
                    } else {
                        labels.join(", ")
                    }
                );
                fix = Some(NAME_A_LABEL);
            } else if configuration.loader == Loader::SystemdBoot
                && reading.has_file(&missing.path) == Some(true)
            {
                message = format!(
                    "{} names {} in line {} ({:?}), but the file system that systemd-boot is started from has no such file: it is in the disc's tree, where systemd-boot does not look",
                    missing.file, missing.path, missing.line, entry.title
                );
                fix = Some(BESIDE_THE_LOADER);
            } else if is_in_tree_alone(reading, configuration, missing) {
                message = format!(
                    "{} names {} in line {} ({:?}), but the image has no such file, only the disc's tree: GRUB finds it if it is started from a CD, or after a search for the disc",
                    missing.file, missing.path, missing.line, entry.title
                );
                is_default = false;
            } else if configuration.loader == Loader::Grub && !missing.path.starts_with('/') {
                message.push_str(": in GRUB, a path must begin with a slash");
                fix =
                    Some("Write the full path from the root of the disc, beginning with a slash.");
            } else if let Some(short) = LENGTHS.iter().find_map(|lengths| {
                shortened(&missing.path, *lengths)
                    .filter(|short| has_short(reading, configuration.loader, short))
            }) {
                // The other loaders see its full name.
                let is_for_others = reading.has_file(&missing.path) == Some(true);
                if configuration.loader == Loader::Isolinux && is_for_others {
                    message = format!(
                        "{} names {} in line {} ({:?}), and this isolinux does not read that name: for it the file is {short}",
                        missing.file, missing.path, missing.line, entry.title
                    );
                    fix = Some(NAMES_FOR_ISOLINUX);
                } else {
                    message = format!("{message}; it has {short}: names were shortened");
                    fix = Some(KEEP_NAMES);
                }
            }
            let place = reading.place_of(configuration.file_system, &missing.file);
            let mut finding = Finding::new(ID, place, message);
            finding.trips = reading_firmware(reading, configuration);
            if let Some(fix) = fix {
                fix.clone_into(&mut finding.fix);
            }
            findings.push(if is_default {
                finding
            } else {
                finding.as_info()
            });
        }
    }
    gravest(findings)
}

/// Whether a configuration of GRUB's in an image names a file that only the tree has: its root is the image only if that is a partition.
fn is_in_tree_alone(
    reading: &mut Reading<'_, '_>,
    configuration: &Configuration,
    missing: &NamedFile,
) -> bool {
    configuration.loader == Loader::Grub
        && configuration.file_system != FileSystem::Tree
        && reading.has_file(&missing.path) == Some(true)
}

/// Commands that read another configuration.
const CONTINUES: [&str; 4] = ["source", ".", "configfile", "normal"];
/// More than a configuration that only leads to another.
const CONFIGURATION_BYTES: usize = 64 << 10;

/// The missing file that GRUB's configuration continues in, if it does nothing else than to prepare that.
fn continues_in<'c>(
    reading: &mut Reading<'_, '_>,
    configuration: &'c Configuration,
) -> Option<&'c NamedFile> {
    // After a search, the file may be on what was found.
    if !configuration.searches.is_empty() || !configuration.complete {
        return None;
    }
    let is_missing = |file: &NamedFile| {
        CONTINUES.contains(&file.directive.as_str()) && file.exists == Some(false)
    };
    let files = &configuration.files;
    let missing = files.first().filter(|_| files.iter().all(is_missing))?;
    let file = reading.file_in(configuration.file_system, &configuration.path)?;
    let text = file.bytes(reading.disc, 0, CONFIGURATION_BYTES);
    let text = String::from_utf8_lossy(&text);
    let mut commands = text
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let only_prepares = commands.all(|it| prepares(it) || CONTINUES.contains(&it));
    only_prepares.then_some(missing)
}

/// Whether the loader sees a file with this name.
fn has_short(reading: &mut Reading<'_, '_>, loader: Loader, path: &str) -> bool {
    let has = match loader {
        Loader::Isolinux => reading.isolinux_has_file(path),
        _ => reading.has_file(path),
    };
    has == Some(true)
}

/// How many characters tools leave before a dot and after it, without Rock Ridge: by default (ECMA-119 §10.1), and with -l.
const LENGTHS: [(usize, usize); 2] = [(8, 3), (30, 30)];

/// A path as tools write it without Rock Ridge, if that differs (ECMA-119 §7.5).
fn shortened(path: &str, lengths: (usize, usize)) -> Option<String> {
    let plain = |text: &str, most: usize| -> String {
        let of = |it: char| match it.to_ascii_uppercase() {
            it @ ('A'..='Z' | '0'..='9' | '_') => it,
            _ => '_',
        };
        text.chars().take(most).map(of).collect()
    };
    let part = |part: &str| match part.rsplit_once('.') {
        Some((stem, extension)) => {
            format!("{}.{}", plain(stem, lengths.0), plain(extension, lengths.1))
        }
        None => plain(part, lengths.0),
    };
    let parts: Vec<String> = path.split('/').map(part).collect();
    let short = parts.join("/");
    (!short.eq_ignore_ascii_case(path)).then_some(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As genisoimage 1.1.11 names them without -R.
    #[test]
    fn names_are_cut_as_tools_cut_them() {
        let short = |path| shortened(path, LENGTHS[0]);
        assert_eq!(
            short("/boot/memtest.krnl").as_deref(),
            Some("/BOOT/MEMTEST.KRN")
        );
        assert_eq!(short("/vmlinuz-lts").as_deref(), Some("/VMLINUZ_"));
        assert_eq!(short("/boot/kernel.bin"), None);
        let long = |path| shortened(path, LENGTHS[1]);
        assert_eq!(long("/vmlinuz-lts").as_deref(), Some("/VMLINUZ_LTS"));
    }
}
