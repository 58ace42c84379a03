//! `kernel-not-linux`: a file that is loaded as a Linux kernel and is none.

use super::room::Room;
use crate::{
    boot_configuration::Loader,
    efi_program::Machine,
    finding::{Finding, FindingId, Place, Severity},
    inspect::{KERNEL, Reading},
    packed::{self, KernelFile},
};

const ID: FindingId = FindingId::KernelNotLinux;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Info),
    trips: &["seabios", "ovmf"],
    explanation: "A configuration loads a file as a Linux kernel, but the file is empty, or something else, or a kernel for another machine.",
    consequence: "GRUB says invalid magic number or premature end of file, isolinux says Booting kernel failed or Invalid or corrupt kernel image, systemd-boot returns to the firmware.",
    remedy: "Download the disc again and compare its checksum, or ask its maker. If you made it, put the kernel for this machine at the path in the configuration.",
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let images = reading.efi_images();
    let mut programs = images.iter().flat_map(|image| &image.programs);
    // The same configuration may be for them.
    let is_for_others = programs.any(|program| {
        let headers = program.headers.as_ref();
        headers.is_some_and(|it| ![Machine::X64, Machine::IA32].contains(&it.machine))
    });
    let mut in_tree = reading.inspection.tree.iter().flat_map(|it| &it.loaders);
    let is_for_others = is_for_others || in_tree.any(|name| !is_for_x86(name));
    let mut findings = Vec::new();
    for (path, file) in reading.named_files(&KERNEL) {
        let named = reading.named_in(&path);
        let what = match packed::kernel_file(reading.disc, &file) {
            KernelFile::Kernel | KernelFile::Unknown => continue,
            KernelFile::Empty => "is empty",
            KernelFile::Arm if !is_for_others => "is a kernel for 64-bit Arm",
            KernelFile::Other(what) if !is_for_others => what,
            KernelFile::Compressed(what) if named.loader == Some(Loader::Isolinux) => what,
            KernelFile::Arm | KernelFile::Other(_) | KernelFile::Compressed(_) => continue,
        };
        // isolinux and GRUB decide by the content, but isolinux looks at some names first.
        if is_other_kind(&path) {
            continue;
        }
        let message = format!("{path} is loaded as a Linux kernel, but it {what}");
        // An empty file stands nowhere.
        let place = file.start().map(|offset| Place { offset });
        let finding = Finding::new(ID, place.unwrap_or(named.place), message);
        findings.push(match named.by_default {
            true => finding,
            false => finding.as_info(),
        });
    }
    findings
}

/// Whether firmware for x86 looks for a loader of this name (UEFI §3.5.1.1).
fn is_for_x86(loader: &str) -> bool {
    let name = loader.to_ascii_uppercase();
    name.ends_with("X64.EFI") || name.ends_with("IA32.EFI")
}

/// Whether isolinux starts a file of this name as something else than a kernel (`com32/elflink/ldlinux/kernel.c`).
fn is_other_kind(path: &str) -> bool {
    const KINDS: [&str; 9] = ["c32", "com", "cbt", "bin", "bs", "bss", "0", "img", "fss"];
    let name = path.to_ascii_lowercase();
    let kind = name.rsplit_once('.');
    kind.is_some_and(|(_, kind)| KINDS.contains(&kind))
}
