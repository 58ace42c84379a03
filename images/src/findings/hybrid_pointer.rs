//! `hybrid-pointer`: boot code of a stick that points elsewhere than to its boot image.

use super::{Room, recipe::stick};
use crate::{
    finding::{Finding, FindingId, Place, Severity},
    inspect::{BiosProgram, POINTER, Reading, SectorCode},
    tool::Tool,
    units::Lba,
};

/// Where GRUB's boot image has the address of its third block (`-boot_image any grub2_boot_info=on`).
const GRUB_POINTER: u64 = 2_548;
/// Virtual sectors from the image's start to GRUB's second block, and one behind it.
const TO_SECOND_BLOCK: u64 = 4;
const TO_REST: u64 = 5;

const ID: FindingId = FindingId::HybridPointer;

pub(super) const ROOM: Room = Room {
    id: "hybrid-pointer",
    severity: Severity::Error,
    milder: None,
    trips: &["usb"],
    explanation: "The boot code in the first sector, or in GRUB's boot image, points elsewhere than to the boot image that it is to load.",
    consequence: "As a stick a BIOS starts it and stops: isolinux.bin missing or corrupt, GRUB and nothing more, or GRUB loading.",
    remedy: "Fetch the disc again if its checksum is wrong, use it in a CD drive, or ask its maker; else let the mastering tool write the address.",
    recipes: &[
        stick(
            Tool::Xorriso,
            "-isohybrid-mbr --grub2-mbr --grub2-boot-info",
        ),
        stick(Tool::Genisoimage, "isohybrid"),
    ],
    replaces: &[],
    describes: false,
    check,
    defect: None,
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let place = Place {
        offset: POINTER as u64,
    };
    match reading.sector_code {
        SectorCode::Isohdpfx(pointer) => {
            let images = images(reading, BiosProgram::is_isolinux);
            let wrong = wrong(&images, pointer, 0);
            let finding = wrong.map(|right| {
                let message = format!(
                    "isohdpfx in the first sector points to sector {pointer}, and isolinux stands at sector {right}"
                );
                Finding::new(ID, place, message)
            });
            finding.into_iter().collect()
        }
        SectorCode::GrubHybrid(pointer) => {
            let images = images(reading, |program| program == BiosProgram::Grub);
            let first = wrong(&images, pointer, TO_SECOND_BLOCK).map(|right| {
                let message = format!(
                    "GRUB's code in the first sector points to sector {pointer}, and the second block of its boot image stands at sector {right}"
                );
                Finding::new(ID, place, message)
            });
            let second = images.first().and_then(|&image| {
                let place = Place::within(image, GRUB_POINTER);
                let pointer = u64::from_le_bytes(reading.disc.array(place.offset)?);
                let right = wrong(&[image], pointer, TO_REST)?;
                let message = format!(
                    "GRUB's boot image points to sector {pointer} at its byte {GRUB_POINTER}, and its rest stands at sector {right}"
                );
                Some(Finding::new(ID, place, message))
            });
            first.into_iter().chain(second).collect()
        }
        _ => Vec::new(),
    }
}

/// The images of one loader.
fn images(reading: &mut Reading<'_, '_>, is_it: impl Fn(BiosProgram) -> bool) -> Vec<Lba> {
    let images: Vec<_> = reading.bios_images().collect();
    let images = images.into_iter();
    images
        .filter(|(_, boot)| is_it(reading.bios_program(boot)))
        .map(|(_, boot)| boot.load_rba)
        .collect()
}

/// Where a pointer should point, where it points to none of these images.
fn wrong(images: &[Lba], pointer: u64, behind: u64) -> Option<u64> {
    let right = |lba: &Lba| lba.get().saturating_mul(4).saturating_add(behind);
    let mut all = images.iter().map(right);
    let first = all.next()?;
    (pointer != first && all.all(|other| other != pointer)).then_some(first)
}
