//! `efi-loader-program`: a loader that no firmware can start.

use super::{
    recipe::declared::{genisoimage, xorriso},
    room::Room,
};
use crate::{
    defect::{Injection, Loader},
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    sparse::SparseBytes,
    units::Lba,
};

const ID: FindingId = FindingId::EfiLoaderProgram;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["ovmf"],
    explanation: "A loader in \\EFI\\BOOT is empty, truncated, not an EFI program, or made for an architecture that does not match its name.",
    consequence: "Firmware reports Not Found, Load Error or Unsupported.",
    remedy: "Download the disc again if its checksum is wrong, or ask its maker. If you made it, copy a complete loader again, with the name for its architecture.",
    recipes: &[xorriso("mkfs.fat mcopy"), genisoimage("mkfs.fat mcopy")],
    replaces: &[FindingId::EfiNoLoader],
    check,
    defect: Some(Injection::in_efi_image(break_headers)),
    ..Room::BASE
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

/// A program begins with MZ (UEFI §2.1.1; PE/COFF specification, "MS-DOS Stub"); this one does not.
fn break_headers(bytes: &mut SparseBytes, image: Lba) {
    if let Some(loader) = Loader::find(bytes, image) {
        bytes.write_at(loader.start, &[0; 2]);
    }
}
