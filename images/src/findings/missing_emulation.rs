//! `missing-emulation`: a floppy or a hard disk that is mastered without emulation, as if it were a loader for CDs.

use super::{
    recipe::declared::{bsdtar, genisoimage, pycdlib, xorriso},
    room::Room,
};
use crate::{
    eltorito::MediaType,
    fat::FatVolume,
    finding::{Finding, FindingId, Severity},
    inspect::{BootReading, Reading, floppy, reads_own_drive},
};

const ID: FindingId = FindingId::MissingEmulation;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    trips: &["seabios", "bochs"],
    explanation: "The boot image is a floppy or a hard disk, but its entry has no emulation.",
    consequence: "Its boot sector reads from its own drive, in sectors of 512 bytes, and finds the CD: it prints Boot error or Read Error, hangs, or resets the machine.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise master the image with its emulation: a floppy without -no-emul-boot, a hard disk with -hard-disk-boot.",
    recipes: &[
        xorriso("-b -hard-disk-boot"),
        genisoimage("-b -hard-disk-boot"),
        bsdtar("boot-type"),
        pycdlib("media_name"),
    ],
    // With a smaller load size it is not a drive.
    replaces: &[
        FindingId::CountTooLarge,
        FindingId::CountZero,
        FindingId::LoadSizeShort,
    ],
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let images: Vec<_> = reading.bios_images().collect();
    for (entry, boot) in images {
        let Some((media, is_sure)) = drive(reading, boot) else {
            continue;
        };
        let what = floppy(media).map_or("a hard disk".to_owned(), |floppy| {
            format!("a floppy of {floppy}")
        });
        let message = format!(
            "slot {}: the image is {what}, but its entry has no emulation",
            entry.slot
        );
        let place = reading.place(entry, 1);
        let flags = boot.media.0 & !0x0F;
        let mut finding =
            Finding::new(ID, place, message).fixed_by(place.offset, &[flags | media.0]);
        if let Some(count) = reading.right_bios_count(boot, media) {
            let at = reading.place(entry, 6).offset;
            finding = finding.fixed_by(at, &count.to_le_bytes());
        }
        findings.push(if is_sure { finding } else { finding.milder() });
    }
    findings
}

/// The drive in a no-emulation image, and whether its boot sector is known to read only from that drive.
pub(super) fn drive(
    reading: &mut Reading<'_, '_>,
    boot: &BootReading,
) -> Option<(MediaType, bool)> {
    if boot.media.emulation() != MediaType::NO_EMULATION {
        return None;
    }
    let start = boot.load_rba.byte_offset();
    let sector: [u8; 512] = reading.disc.array(start)?;
    let media = reading
        .right_media(boot)
        .filter(|media| *media != MediaType::NO_EMULATION && sector.ends_with(&[0x55, 0xAA]))?;
    let is_known = reads_own_drive(&sector);
    // A loader may be padded to the length of a floppy.
    let is_drive = media == MediaType::HARD_DISK || FatVolume::at(reading.disc, start).is_some();
    (is_known || is_drive).then_some((media, is_known))
}
