//! `mbr-wrong-code`: a stick's boot code is not for the disc's loader.

use super::{
    boot_code::{boot_code, fault},
    recipe::declared::{grub_mkrescue, stick},
    room::Room,
};
use crate::{
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    tool::Tool,
};

const ID: FindingId = FindingId::MbrWrongCode;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["usb"],
    explanation: "The boot code in the first sector is for another loader or for an installed disk, so it looks for a program that is not on this disc.",
    consequence: "On a stick, a BIOS starts the code, which stops with isolinux.bin missing or corrupt or Missing operating system, prints GRUB repeatedly, or prints nothing.",
    remedy: "Use the disc in a CD drive, or with UEFI firmware if the disc has a loader for it. If you make the disc, write the boot code of its own loader: isohdpfx.bin for isolinux, boot_hybrid.img for GRUB.",
    recipes: &[
        stick(Tool::Xorriso, "-isohybrid-mbr --grub2-mbr"),
        stick(Tool::Genisoimage, "isohybrid"),
        grub_mkrescue(),
    ],
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    // Without the signature a BIOS does not start the code.
    if !reading.inspection.partitions.signature {
        return Vec::new();
    }
    let Some(message) = fault(reading, reading.sector_code) else {
        return Vec::new();
    };
    let finding = Finding::new(ID, Place { offset: 0 }, message);
    vec![finding.fixed_by_all(boot_code(reading).unwrap_or_default())]
}
