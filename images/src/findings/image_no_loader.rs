//! `image-no-loader`: a boot image that is not a boot loader for a CD.

use std::ops::Range;

use super::{missing_emulation::drive, room::Room};
use crate::{
    bytes::le32,
    eltorito::{BootInfoTable, MediaType},
    finding::{Finding, FindingId, Place, Severity},
    inspect::{
        BiosProgram, BootReading, Reading, SectorCode, begins_core_for_disk, file::DiscBytes,
    },
    packed,
    units::VirtualSectorCount,
};

const ID: FindingId = FindingId::ImageNoLoader;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios"],
    explanation: "The boot image of a BIOS entry is not a boot loader for CDs. It is a kernel, a loader for disks or for the network, or another kind of file.",
    consequence: "The firmware jumps into the image. The machine hangs or restarts repeatedly, or a loader prints that it does not find its drive.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise use a loader for CDs as the boot image (isolinux.bin, or for GRUB an image of grub-mkimage -O i386-pc-eltorito), which then loads the kernel.",
    replaces: &[
        FindingId::BootInfoTable,
        FindingId::LoadSizeShort,
        FindingId::IsolinuxFiles,
    ],
    check,
    ..Room::BASE
};

const MAKE_FOR_EL_TORITO: &str = "If you did not make the disc, ask its maker for a new one. Otherwise make GRUB's image with grub-mkimage -O i386-pc-eltorito, and the disc with -boot-info-table.";
const BELONGS_TO_A_STICK: &str = "If you did not make the disc, ask its maker for a new one. Otherwise use a loader for CDs as the boot image (isolinux.bin, GRUB's eltorito.img). Boot code for a stick belongs to -isohybrid-mbr or --grub2-mbr.";
const ISOLINUX_INSTEAD: &str = "If you did not make the disc, ask its maker for a new one. Otherwise use isolinux.bin as the boot image: pxelinux.0 is only for the network.";

/// How GRUB's image for PXE begins, which such firmware loads elsewhere (`grub-core/boot/i386/pc/pxeboot.S`).
const CORE_FOR_NETWORK: &[u8] = &[0xB2, 0x7F, 0xEA, 0x00, 0x82, 0x00, 0x00];

/// The boot-info table (mkisofs(8), `-boot-info-table`).
const TABLE: Range<usize> = 8..64;

/// In so many bytes a loader jumps over a header.
const LOADER_BEGINS: usize = 16;

/// How much of an image is read for the name of its loader.
const SEARCHED: usize = 32 << 10;

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let images: Vec<_> = reading.bios_images().collect();
    let mut findings = Vec::new();
    for (entry, boot) in images {
        let is_loaded_as_is = boot.media.emulation() == MediaType::NO_EMULATION;
        if !is_loaded_as_is || drive(reading, boot).is_some() {
            continue;
        }
        let Some((what, fix)) = other(reading, boot) else {
            continue;
        };
        let message = format!("slot {}: the boot image {what}", entry.slot);
        let finding = Finding::new(ID, Place::block(boot.load_rba), message);
        findings.push(match fix {
            Some(fix) => finding.with_fix(fix),
            None => finding,
        });
    }
    findings
}

/// Names the kind of an image if it is not a boot loader for a CD, as a predicate; with a remedy if the usual one does not fit.
fn other(
    reading: &mut Reading<'_, '_>,
    boot: &BootReading,
) -> Option<(&'static str, Option<&'static str>)> {
    let start = boot.load_rba.byte_offset();
    let sector: [u8; 512] = reading.disc.array(start)?;
    let code = SectorCode::of(&sector);
    if !matches!(
        code,
        SectorCode::Empty | SectorCode::None | SectorCode::Other
    ) {
        let what = "is the boot code of a disk's first sector, not a loader for a CD";
        return Some((what, Some(BELONGS_TO_A_STICK)));
    }
    if begins_core_for_disk(&sector) {
        let what = "is a core image of GRUB for a disk, not one for a CD";
        return Some((what, Some(MAKE_FOR_EL_TORITO)));
    }
    if sector.starts_with(CORE_FOR_NETWORK) {
        let what = "is a core image of GRUB for the network, not one for a CD";
        return Some((what, Some(MAKE_FOR_EL_TORITO)));
    }
    let length = boot.file_bytes?;
    let file = DiscBytes::new([(start, length)], length);
    let mut head = file.bytes(reading.disc, 0, SEARCHED);
    without_table(&mut head, boot);
    let has = |marker: &[u8]| memchr::memmem::find(&head, marker).is_some();
    let kind = packed::kind_of(head.get(..0x250).unwrap_or(&head));
    let is_known = reading.bios_program(boot) != BiosProgram::Unknown;
    let what = if packed::is_linux(reading.disc, &file) {
        "is a Linux kernel, which needs a boot loader"
    } else if packed::is_memdisk(reading.disc, &file) {
        "is memdisk, which needs a boot loader"
    } else if is_efi_program(&head) {
        "is an EFI program, which a BIOS does not start"
    } else if has(b"PXELINUX ") {
        let what = "is PXELINUX, which starts only from the network";
        return Some((what, Some(ISOLINUX_INSTEAD)));
    } else if let Some(kind) = kind.filter(|kind| kind.starts_with("is compressed")) {
        // The name of what is compressed may stand in its header.
        kind
    } else if is_known {
        return None;
    } else {
        let loaded = boot.sector_count.max(VirtualSectorCount::new(1));
        let loaded = loaded.blocks_rounded_up().bytes().get();
        let loaded = head.get(..head.len().min(usize::try_from(loaded).ok()?))?;
        match loaded.iter().all(|&byte| byte == 0) {
            true => "has only zeros in the part that is loaded",
            false => kind.filter(|kind| *kind != packed::ZEROS)?,
        }
    };
    Some((what, None))
}

/// Replaces a boot-info table for this place, which a tool wrote into whatever the image was, by spaces.
fn without_table(head: &mut [u8], boot: &BootReading) {
    let Some(start) = head.first_chunk::<64>() else {
        return;
    };
    if BootInfoTable::decode(start).image == boot.load_rba
        && let Some(table) = head.get_mut(TABLE)
    {
        table.fill(b' ');
    }
}

/// Whether a file begins as a Portable Executable: its header is where the one for DOS says. One that is a loader too jumps before that.
fn is_efi_program(head: &[u8]) -> bool {
    const JUMPS: [u8; 3] = [0xE9, 0xEA, 0xEB];
    let code = head.get(2..0x3C).unwrap_or_default();
    if code
        .iter()
        .take(LOADER_BEGINS)
        .any(|byte| JUMPS.contains(byte))
    {
        return false;
    }
    let at = le32(head.get(..0x40).unwrap_or(&[0; 0x40]), 0x3C) as usize;
    head.starts_with(b"MZ")
        && head
            .get(at..)
            .is_some_and(|rest| rest.starts_with(b"PE\0\0"))
}
