//! `isolinux-kernel-name`: a Linux kernel that isolinux takes for something else by its name.

use super::room::{Room, gravest};
use crate::{
    boot_configuration::{Loader, NamedFile},
    finding::{Finding, FindingId, Severity},
    inspect::Reading,
    packed,
};

const ID: FindingId = FindingId::IsolinuxKernelName;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Info),
    trips: &["seabios"],
    explanation: "isolinux' configuration names a Linux kernel with KERNEL, but by the file's extension it is a boot sector (.bin, .bs, .bss) or a program for network boot (.0).",
    consequence: "isolinux loads the file as such a program and not as a kernel, so the kernel's code does not run properly: isolinux stops, or fails repeatedly.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise write LINUX instead of KERNEL before the file's name, or rename the file so that it has no such extension.",
    check,
    ..Room::BASE
};

/// How isolinux treats a file that KERNEL, a label or DEFAULT names (syslinux 6.04, `com32/elflink/ldlinux/kernel.c`: `file_extensions`; before
/// version 5, `core/runkernel.inc`). Upper and lower case matter.
const KINDS: [(&str, &str); 4] = [
    (".bin", "a boot sector"),
    (".bss", "a boot sector"),
    (".bs", "a boot sector"),
    (".0", "a program for network boot"),
];

/// The part of a configuration that is searched for the word to change.
const CONFIGURATION: usize = 256 * 1024;

/// The extension by which isolinux takes a file for something else than a kernel, and for what.
pub(super) fn kind_by_name(file: &NamedFile) -> Option<(&'static str, &'static str)> {
    let by_name = matches!(file.directive.as_str(), "kernel" | "label" | "default");
    let mut kinds = KINDS.iter().filter(|_| by_name);
    kinds.find(|(end, _)| file.path.ends_with(end)).copied()
}

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let configurations = reading.configurations();
    for configuration in configurations.of(Loader::Isolinux) {
        for (index, entry) in configuration.entries.iter().enumerate() {
            let Some(kernel) = entry.files.first() else {
                continue;
            };
            let kind = kind_by_name(kernel).filter(|_| kernel.exists == Some(true));
            let Some((end, kind)) = kind else {
                continue;
            };
            let Some(file) = reading.file(&kernel.path) else {
                continue;
            };
            if packed::kernel_length(reading.disc, &file).is_none() {
                continue;
            }
            let message = format!(
                "{} names {} in line {} ({:?}), which is a Linux kernel: because of the extension {end}, isolinux takes it for {kind}",
                kernel.file, kernel.path, kernel.line, entry.title
            );
            let place = reading.place_of(configuration.file_system, &kernel.file);
            let finding = Finding::new(ID, place, message);
            findings.push(match configuration.may_be_default(index) {
                true => finding.fixed_by_all(named_by_linux(reading, kernel)),
                false => finding.as_info(),
            });
        }
    }
    gravest(findings)
}

/// The word LINUX instead of KERNEL.
fn named_by_linux(reading: &mut Reading<'_, '_>, kernel: &NamedFile) -> Option<(u64, [u8; 6])> {
    let file = reading.file(&kernel.file)?;
    let text = file.bytes(reading.disc, 0, CONFIGURATION);
    let before = usize::try_from(kernel.line).ok()?.checked_sub(1)?;
    let lines = text.split_inclusive(|&byte| byte == b'\n');
    let start: usize = lines.clone().take(before).map(<[u8]>::len).sum();
    let line = lines.clone().nth(before)?;
    let blank = line.iter().take_while(|byte| byte.is_ascii_whitespace());
    let at = blank.count();
    let word = line.get(at..)?.first_chunk::<6>()?;
    let offset = file.start()?.checked_add((start + at) as u64)?;
    let linux = match word {
        b"KERNEL" => b"LINUX ",
        word if word.eq_ignore_ascii_case(b"kernel") => b"linux ",
        _ => return None,
    };
    Some((offset, *linux))
}
