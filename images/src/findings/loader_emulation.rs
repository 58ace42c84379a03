//! `loader-emulation`: a no-emulation loader that is mastered as a drive.

use super::{
    recipe::declared::{bsdtar, genisoimage, pycdlib, xorriso},
    room::Room,
};
use crate::{
    boot::{Boot, BootInfo, Emulation},
    defect::{INITIAL, Injection, Lack, Patient, need},
    eltorito::MediaType,
    fat::FatVolume,
    finding::{Finding, FindingId, Severity},
    inspect::{BiosProgram, Reading},
    size::Size,
    units::VirtualSectorCount,
};

const ID: FindingId = FindingId::LoaderEmulation;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "bochs"],
    explanation: "isolinux or GRUB's El Torito image is mastered as a floppy or a hard disk, although both require no emulation.",
    consequence: "isolinux prints Disk error 01; GRUB reads from a drive that does not exist.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise master it without emulation, with a load size of 4 and a boot-info table, from a file that is not padded to a floppy's size.",
    recipes: &[
        xorriso("-no-emul-boot -boot-load-size -boot-info-table"),
        genisoimage("-no-emul-boot -boot-load-size -boot-info-table"),
        bsdtar("boot-type=no-emulation"),
        pycdlib("media_name='noemul'"),
    ],
    replaces: &[
        FindingId::FloppySize,
        FindingId::HardDiskPartitionSlot,
        FindingId::MbrSignature,
        FindingId::HardDiskSystemType,
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
    let mut findings = Vec::new();
    let entries: Vec<_> = reading.bios_images().collect();
    for (entry, boot) in entries {
        let media = boot.media.emulation();
        let is_emulated = matches!(
            media,
            MediaType::FLOPPY_1200K
                | MediaType::FLOPPY_1440K
                | MediaType::FLOPPY_2880K
                | MediaType::HARD_DISK
        );
        // Another media type has its own finding. A file system may contain a file with that name.
        if !is_emulated || FatVolume::at(reading.disc, boot.load_rba.byte_offset()).is_some() {
            continue;
        }
        let program = reading.bios_program(boot);
        if matches!(program, BiosProgram::Isolinux(Some(_)) | BiosProgram::Grub) {
            let message = format!(
                "slot {}: the image is {}, which requires no emulation, but the media type is {media}",
                entry.slot,
                program.name()
            );
            let (media, count) = (reading.place(entry, 1), reading.place(entry, 6));
            let without_emulation = boot.media.0 & !0x0F;
            let needs = program.needs().and_then(VirtualSectorCount::to_u16);
            let finding = Finding::new(ID, media, message)
                .fixed_by(media.offset, &[without_emulation])
                .fixed_by(count.offset, &needs.unwrap_or_default().to_le_bytes());
            findings.push(finding);
        }
    }
    findings
}

fn express(boot: &mut Boot, _: &mut Option<Size>) -> Result<(), Lack> {
    need(
        boot.mode.bios() == Some(Emulation::None),
        "a no-emulation image for the BIOS",
    )?;
    boot.boot_info.get_or_insert(BootInfo::Isolinux);
    Ok(())
}

/// The image's last sector has its version, and its entry says that it is a floppy of 1.44 MB.
fn inject(disc: &mut Patient<'_>) {
    let last = disc.first.length.last().unwrap_or_default();
    let at = disc.first.lba.byte_offset() + last.byte_offset();
    disc.bytes.write_at(at, b"ISOLINUX 6.04 ");
    disc.patch(INITIAL, 1, &[MediaType::FLOPPY_1440K.0]);
}
