//! `efi-as-floppy`: an EFI file system with an emulation.

use super::{
    recipe::declared::{genisoimage, oscdimg, pycdlib, xorriso},
    room::Room,
};
use crate::{
    boot::{Emulation, Floppy},
    defect::{Facts, Injection, Lack, Patient, need, needs_efi},
    eltorito::MediaType,
    finding::{Finding, FindingId, Severity},
    inspect::{BootReading, EntryReading, Reading},
};

const ID: FindingId = FindingId::EfiAsFloppy;

pub(super) const ROOM: Room = Room {
    severity: Severity::Warning,
    trips: &["firmware"],
    explanation: "The catalog entry of an EFI system partition has floppy or hard-disk emulation.",
    consequence: "OVMF boots it. Other firmware skips entries with emulation, which the UEFI specification allows.",
    remedy: "Use no emulation for EFI entries.",
    recipes: &[
        xorriso("-e -no-emul-boot"),
        genisoimage("-e -no-emul-boot"),
        pycdlib("efi=True"),
        oscdimg("#pEF,e"),
    ],
    check,
    defect: Some(Injection {
        express: needs_efi,
        stands,
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let entries = reading.bootable_efi_entries();
    let finding = |(entry, boot): (&EntryReading, &BootReading)| {
        let media = boot.media.emulation();
        // OVMF extends an unknown media type to the end of the volume; that has its own finding.
        if media == MediaType::NO_EMULATION || media.0 > MediaType::HARD_DISK.0 {
            return None;
        }
        let message = format!(
            "slot {}: the EFI image has the media type {media}",
            entry.slot
        );
        let finding = Finding::new(ID, reading.place(entry, 1), message);
        // Without emulation the count gives the image's end.
        let (place, flags) = (finding.offset, boot.media.0 & 0xF0);
        Some(reading.counts(finding.fixed_by(place, &[flags]), (entry, boot)))
    };
    entries.filter_map(finding).collect()
}

fn stands(facts: &Facts<'_>) -> Result<(), Lack> {
    let is_floppy = Floppy::ALL
        .iter()
        .any(|floppy| floppy.length() == facts.length);
    need(is_floppy, "an EFI image of a floppy's length")
}

/// The floppy with the image's length. A section entry's flags stay.
fn inject(disc: &mut Patient<'_>) {
    let floppy = Floppy::ALL
        .into_iter()
        .find(|floppy| floppy.length() == disc.last.length);
    if let Some(floppy) = floppy {
        let flags = disc.slots[usize::from(disc.last.slot)][1];
        let media = flags | Emulation::Floppy(floppy).media_type().0;
        disc.patch(disc.last.slot, 1, &[media]);
    }
}
