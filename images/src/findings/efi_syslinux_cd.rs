//! `efi-syslinux-cd`: SYSLINUX for UEFI as the loader of a CD.

use super::room::Room;
use crate::{
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
};

const ID: FindingId = FindingId::EfiSyslinuxCd;

/// Seen with 6.04 on OVMF 2022.11 and 2025.02. Users report it of 6.03 (<https://bugzilla.syslinux.org/show_bug.cgi?id=72>).
pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["ovmf"],
    explanation: "The EFI loader is SYSLINUX (syslinux.efi), which starts from a disk but crashes when it is started from a CD.",
    consequence: "The firmware starts the loader from a CD, and the loader crashes before it prints anything. OVMF reports a general protection fault. Users report the same for other firmware.",
    remedy: "If you did not make the disc, ask its maker for a new one, or write it to a USB stick. Otherwise use another EFI loader, such as GRUB or systemd-boot.",
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let images = reading.efi_images();
    let mut findings = Vec::new();
    for image in images.iter() {
        for loader in image.programs.iter().filter(|loader| loader.works()) {
            if !loader.is_syslinux(reading.disc) {
                continue;
            }
            let message = format!(
                "slot {}: {} is SYSLINUX for UEFI, which crashes when it is started from a CD",
                image.entry.slot,
                loader.path()
            );
            let offset = loader.file.start().unwrap_or_default();
            findings.push(Finding::new(ID, Place { offset }, message));
        }
    }
    findings
}
