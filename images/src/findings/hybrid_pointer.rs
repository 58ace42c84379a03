//! `hybrid-pointer`: a stick's boot code does not point to its boot image.

use super::{
    boot_code::{GRUB_POINTER, TO_REST, TO_SECOND_BLOCK, images, sector_of, to_rest},
    recipe::declared::stick,
    room::Room,
};
use crate::{
    boot::{Boot, BootInfo},
    defect::{Injection, Lack, Patient, needs_boot_code},
    finding::{Finding, FindingId, Place, Severity},
    inspect::{BiosProgram, POINTER, Reading, SectorCode},
    size::Size,
    tool::Tool,
    units::Lba,
};

const ID: FindingId = FindingId::HybridPointer;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["usb"],
    explanation: "The boot code in the first sector or in GRUB's boot image does not point to the boot image that it must load.",
    consequence: "On a stick, a BIOS starts the code, which stops with isolinux.bin missing or corrupt, with GRUB and nothing more, or with GRUB loading.",
    remedy: "Download the disc again if its checksum is wrong, use it in a CD drive, or ask its maker. If you made it, let the mastering tool write the address.",
    recipes: &[
        stick(
            Tool::Xorriso,
            "-isohybrid-mbr --grub2-mbr --grub2-boot-info",
        ),
        stick(Tool::Genisoimage, "isohybrid"),
    ],
    check,
    defect: Some(Injection {
        express,
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
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
                    "isohdpfx in the first sector points to sector {pointer}, but isolinux is at sector {right}"
                );
                Finding::new(ID, place, message).fixed_by(place.offset, &right.to_le_bytes())
            });
            finding.into_iter().collect()
        }
        SectorCode::GrubHybrid(pointer) => {
            let images = images(reading, |program| program == BiosProgram::Grub);
            let first = wrong(&images, pointer, TO_SECOND_BLOCK).map(|right| {
                let message = format!(
                    "GRUB's code in the first sector points to sector {pointer}, but the second block of its boot image is at sector {right}"
                );
                Finding::new(ID, place, message).fixed_by(place.offset, &right.to_le_bytes())
            });
            let second = images.first().and_then(|&image| {
                let place = Place::within(image, GRUB_POINTER);
                let pointer = u64::from_le_bytes(reading.disc.array(place.offset)?);
                let right = wrong(&[image], pointer, TO_REST)?;
                let message = format!(
                    "GRUB's boot image points to sector {pointer} at its byte {GRUB_POINTER}, but the rest of it is at sector {right}"
                );
                Some(Finding::new(ID, place, message).fixed_by_all(to_rest(reading, image)))
            });
            first.into_iter().chain(second).collect()
        }
        _ => Vec::new(),
    }
}

/// Where a pointer should point, if it points to none of these images.
fn wrong(images: &[Lba], pointer: u64, behind: u64) -> Option<u64> {
    let mut all = images.iter().map(|&image| sector_of(image, behind));
    let first = all.next()?;
    (pointer != first && all.all(|other| other != pointer)).then_some(first)
}

fn express(boot: &mut Boot, size: &mut Option<Size>) -> Result<(), Lack> {
    needs_boot_code(boot, size)?;
    boot.boot_info.get_or_insert(BootInfo::Isolinux);
    Ok(())
}

/// Code that behaves like isohdpfx in the parts that matter here: it reads the sector that its pointer names. If that is not isolinux, it
/// prints that and gives control back (INT 18h). The pointer, which a tool has to fill in, is 0.
fn inject(disc: &mut Patient<'_>) {
    const CODE: &[u8] = &[
        0x31, 0xC0, // XOR AX, AX
        0x8E, 0xD8, // MOV DS, AX
        0xBE, 0xA8, 0x7D, // MOV SI, the packet
        0xB4, 0x42, 0xCD, 0x13, // INT 13h, extended read
        0x72, 0x10, // JC to the words
        0x66, 0x81, 0x3E, 0xF6, 0x7F, b'I', b'S', b'O',
        b'L', // CMP what was read with the name
        0x75, 0x05, // JNE to the words
        0xEA, 0x00, 0x7E, 0x00, 0x00, // JMP to what was read
        0xBE, 0x33, 0x7C, // MOV SI, the words
        0xAC, // LODSB
        0x84, 0xC0, 0x74, 0x09, // until a zero
        0xB4, 0x0E, 0xBB, 0x07, 0x00, 0xCD, 0x10, // INT 10h, a character
        0xEB, 0xF2, // JMP to LODSB
        0xCD, 0x18, // INT 18h
        0xF4, 0xEB, 0xFD, // HLT
    ];
    const WORDS: &[u8] = b"isolinux.bin missing or corrupt.\r\n\0";
    // One sector to 0000:7E00; its address is the pointer, which ends the packet.
    const PACKET: &[u8] = &[0x10, 0, 1, 0, 0x00, 0x7E, 0, 0];
    let mut code = [0; POINTER + 8];
    code[..CODE.len()].copy_from_slice(CODE);
    code[CODE.len()..][..WORDS.len()].copy_from_slice(WORDS);
    code[POINTER - PACKET.len()..POINTER].copy_from_slice(PACKET);
    disc.bytes.write_at(0, &code);
}
