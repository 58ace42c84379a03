//! `entry-load-segment`: a load segment at which the image cannot run.

use super::{
    recipe::declared::{bsdtar, genisoimage, oscdimg, pycdlib, xorriso},
    room::Room,
};
use crate::{
    defect::{INITIAL, Injection, Patient},
    finding::{Finding, FindingId, Severity},
    inspect::Reading,
};

/// 640 KiB: where video memory and ROMs begin, as a segment.
const VIDEO_MEMORY: u16 = 0xA000;
/// The first segment after the interrupt vectors and the BIOS's data.
const FREE_MEMORY: u16 = 0x0050;
/// Where a boot sector is linked to run: 0:7C00.
const BOOT_SEGMENTS: [u16; 2] = [0, 0x07C0];
/// The result of using the address 7C00 as a segment.
const ADDRESS_FOR_SEGMENT: u16 = 0x7C00;
/// What one gets who takes 1984, which is 07C0 in decimal, for hexadecimal.
const DECIMAL_FOR_SEGMENT: u16 = 0x1984;

const ID: FindingId = FindingId::EntryLoadSegment;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios"],
    explanation: "The image cannot run at its load segment.",
    consequence: "With 7C00 instead of 07C0, the image is loaded at address 7C000h, and a loader that is linked for 0:7C00 jumps to memory without code.",
    remedy: "Write segment 0, which stands for 07C0.",
    recipes: &[
        xorriso(""),
        genisoimage("no -boot-load-seg"),
        bsdtar("no boot-load-seg"),
        pycdlib("no boot_load_seg"),
        oscdimg("no -t"),
    ],
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let entries: Vec<_> = reading.bios_entries().collect();
    for (entry, boot) in entries {
        let isolinux = reading.is_isolinux(boot);
        if let Some(what) = wrong(boot.load_segment, isolinux) {
            let message = format!("slot {}: the load segment is {what}", entry.slot);
            let place = reading.place(entry, 2);
            let finding = Finding::new(ID, place, message);
            findings.push(if reading.is_something(boot) {
                finding.fixed_by(place.offset, &[0, 0])
            } else {
                finding
            });
        }
    }
    findings
}

fn wrong(segment: u16, isolinux: bool) -> Option<String> {
    if segment == ADDRESS_FOR_SEGMENT {
        Some(
            "7C00, which loads the image at 7C000h: for the address 7C00h, write segment 07C0 or 0"
                .to_owned(),
        )
    } else if segment == DECIMAL_FOR_SEGMENT {
        Some(
            "1984h, which loads the image at 19840h: the segment for the address 7C00h is 1984 in decimal, so write 07C0 or 0"
                .to_owned(),
        )
    } else if segment >= VIDEO_MEMORY {
        Some(format!("{segment:04X}, which is not in usable memory"))
    } else if segment != 0 && segment < FREE_MEMORY {
        Some(format!(
            "{segment:04X}, which overwrites the interrupt vectors and the BIOS's data"
        ))
    } else if isolinux && !BOOT_SEGMENTS.contains(&segment) {
        Some(format!(
            "{segment:04X}, but isolinux must be loaded at 0:7C00"
        ))
    } else {
        None
    }
}

/// 7C00 instead of 07C0.
fn inject(disc: &mut Patient<'_>) {
    disc.patch(INITIAL, 2, &ADDRESS_FOR_SEGMENT.to_le_bytes());
}
