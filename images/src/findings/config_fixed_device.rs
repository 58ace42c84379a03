//! `config-fixed-device`: a configuration of GRUB that takes the disc's files from a drive by its name.

use super::room::{Room, gravest};
use crate::{
    boot_configuration::{Configuration, FileSystem, FixedDevice, Loader},
    finding::{Finding, FindingId, Severity},
    inspect::Reading,
};

const ID: FindingId = FindingId::ConfigFixedDevice;

pub(super) const ROOM: Room = Room {
    severity: Severity::Warning,
    milder: Some(Severity::Info),
    trips: &["seabios", "ovmf", "usb"],
    explanation: "GRUB's configuration names the drive with the disc's files, such as `cd0` or `(hd0)`. These names depend on the firmware and on the machine's drives.",
    consequence: "If GRUB finds no such drive, or a different one, it cannot load the kernel. A CD is `cd` under BIOS and `cd0` under UEFI; a stick is neither. `hd0` is the first disk, never a CD.",
    remedy: "Write the disc to the medium that the configuration names. If you made the disc, remove the drive from the configuration, or let GRUB search for a file that only this disc has: `search --set=root --file /path`.",
    check,
    ..Room::BASE
};

/// Bytes of a configuration that are read.
const CONFIGURATION: usize = 256 * 1024;

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let configurations = reading.configurations();
    let grub = configurations.of(Loader::Grub);
    let named = grub.flat_map(|it| it.fixed_devices.iter().map(move |fixed| (it, fixed)));
    let mut findings = Vec::new();
    for (configuration, fixed) in named {
        // A file that the disc does not have is meant to be on that drive: a system on the first disk, for example.
        let Some(system) = with_file(reading, configuration, &fixed.path) else {
            continue;
        };
        let message = format!(
            "{} takes {} from the drive {} in line {}: {}",
            fixed.file,
            fixed.path,
            fixed.device,
            fixed.line,
            meaning(&fixed.device)
        );
        let place = reading.place_of(configuration.file_system, &fixed.file);
        let mut finding = Finding::new(ID, place, message);
        if system == configuration.file_system
            && let Some((offset, blank)) = without_device(reading, configuration, fixed)
        {
            finding = finding.fixed_by(offset, &blank);
        }
        let entry = fixed.entry.map(|index| {
            let conditional = configuration.entries.get(index);
            let conditional = conditional.is_some_and(|entry| entry.conditional);
            configuration.may_be_default(index) && !conditional
        });
        let is_cd = fixed.device.starts_with("cd");
        let partitions = &reading.inspection.partitions;
        let is_stick_too = !partitions.mbr.is_empty() || partitions.gpt.is_some();
        findings.push(match entry.unwrap_or(true) && (!is_cd || is_stick_too) {
            true => finding,
            false => finding.as_info(),
        });
    }
    gravest(findings)
}

/// Where such names exist, as GRUB 2.06 on SeaBIOS and OVMF showed, and as its drivers say (`disk/i386/pc/biosdisk.c`, `disk/efi/efidisk.c`).
fn meaning(device: &str) -> &'static str {
    match device {
        "cd" => "GRUB uses this name only under BIOS and only for a CD, never for a stick",
        cd if cd.starts_with("cd") => {
            "GRUB uses this name only under UEFI, for a CD or for a stick that the firmware starts by its El Torito entry; under BIOS a CD is cd, and a stick is hd0"
        }
        _ => "GRUB uses this name for a disk of the machine, never for a CD",
    }
}

/// The file system of this disc that has the file.
fn with_file(
    reading: &mut Reading<'_, '_>,
    configuration: &Configuration,
    path: &str,
) -> Option<FileSystem> {
    let systems = [FileSystem::Tree, configuration.file_system];
    systems
        .into_iter()
        .find(|&system| reading.file_in(system, path).is_some())
}

/// Blanks over the drive's name, in the command or in the last one before it that sets `root`: where on the disc, and what.
fn without_device(
    reading: &mut Reading<'_, '_>,
    configuration: &Configuration,
    fixed: &FixedDevice,
) -> Option<(u64, Vec<u8>)> {
    let file = reading.file_in(configuration.file_system, &fixed.file)?;
    let bytes = file.bytes(reading.disc, 0, CONFIGURATION);
    let is_together = file.end() == file.start()?.saturating_add(file.length.get());
    let text = std::str::from_utf8(&bytes).ok().filter(|_| is_together)?;
    let mut lines = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n').take(fixed.line as usize) {
        lines.push((start, line));
        start += line.len();
    }
    let in_parentheses = format!("({})", fixed.device);
    let (line_at, line) = lines.last()?;
    let (at, length) = match line.find(&format!("{in_parentheses}{}", fixed.path)) {
        Some(at) => (line_at + at, in_parentheses.len()),
        None => lines.iter().rev().find_map(|(line_at, line)| {
            let (at, length) = sets_root(line, &fixed.device)?;
            Some((line_at + at, length))
        })?,
    };
    Some((file.start()? + at as u64, vec![b' '; length]))
}

/// Where in a line `set root=DEVICE` stands alone, and its length.
fn sets_root(line: &str, device: &str) -> Option<(usize, usize)> {
    let command = line.trim();
    let value = command.strip_prefix("set ").unwrap_or(command);
    let value = value.trim_start().strip_prefix("root=")?;
    let value = value.trim_matches(['"', '\'', '(', ')']);
    (value == device).then(|| (line.len() - line.trim_start().len(), command.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_sets_root_and_nothing_else_is_found() {
        for (line, device, expected) in [
            ("set root=cd0\n", "cd0", Some((0, 12))),
            ("\tset root='(hd0,msdos1)'\r\n", "hd0,msdos1", Some((1, 23))),
            ("root=(cd)", "cd", Some((0, 9))),
            ("set root=cd0", "cd", None),
            ("set root=cd0; insmod iso9660", "cd0", None),
            ("set prefix=(cd0)/boot", "cd0", None),
        ] {
            assert_eq!(sets_root(line, device), expected, "{line}");
        }
    }
}
