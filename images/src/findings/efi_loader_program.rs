//! `efi-loader-program`: a loader that no firmware can start.

use super::{
    Room,
    recipe::{genisoimage, xorriso},
};
use crate::{
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
};

const ID: FindingId = FindingId::EfiLoaderProgram;

pub(super) const ROOM: Room = Room {
    id: "efi-loader-program",
    severity: Severity::Error,
    milder: None,
    trips: &["ovmf"],
    explanation: "A loader in \\EFI\\BOOT is empty, not an EFI program, cut, or made for another machine than its name says.",
    consequence: "Firmware reports Not Found, Load Error or Unsupported.",
    remedy: "Fetch the disc again if its checksum is wrong, or ask its maker; else copy the loader again from where it is whole, under the name of its machine.",
    recipes: &[xorriso("mkfs.fat mcopy"), genisoimage("mkfs.fat mcopy")],
    replaces: &[FindingId::EfiNoLoader],
    describes: false,
    check,
    defect: None,
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for image in reading.efi_images().iter() {
        let loaders = image
            .programs
            .iter()
            .filter(|program| program.looked_for().is_some());
        for loader in loaders {
            let Some(wrong) = loader.wrong() else {
                continue;
            };
            let message = format!("slot {}: {} {wrong}", image.entry.slot, loader.path());
            let place = loader.file.start().map_or_else(
                || Place::block(image.boot.load_rba),
                |offset| Place { offset },
            );
            findings.push(Finding::new(ID, place, message));
        }
    }
    findings
}
