//! Boot code in the first sector of a stick: what it starts on a disc, and the code that the user names for one that has none.

use super::boot_info_table;
use crate::{
    change::Writes,
    finding::Place,
    inspect::{BiosProgram, CODE, POINTER, Reading, SectorCode},
    partition_table::MbrEntry,
    units::{Lba, VirtualSector},
};

/// Where GRUB's boot image has the address of its third block (`-boot_image any grub2_boot_info=on`).
pub(super) const GRUB_POINTER: u64 = 2_548;

/// Virtual sectors from the image's start to GRUB's second block, and one after it.
pub(super) const TO_SECOND_BLOCK: u64 = 4;

pub(super) const TO_REST: u64 = 5;

/// The pointer in GRUB's boot image, and the image's checksum with it.
pub(super) fn to_rest(reading: &mut Reading<'_, '_>, image: Lba) -> Writes {
    let pointer = sector_of(image, TO_REST).to_le_bytes();
    let checksum = boot_info_table::checksum_with(reading, image, GRUB_POINTER, pointer);
    let at = Place::within(image, GRUB_POINTER).offset;
    checksum
        .into_iter()
        .chain([(at, pointer.to_vec())])
        .collect()
}

/// The user's code for the first sector, with a pointer to its boot image, and that image with a pointer to its rest; `None` if the disc has no
/// image for that code.
pub(super) fn boot_code(reading: &mut Reading<'_, '_>) -> Option<Writes> {
    let named = reading.options.boot_code?;
    let named = named.get(..CODE).unwrap_or(named);
    let mut sector = [0; 512];
    sector.get_mut(..named.len())?.copy_from_slice(named);
    let (pointer, mut writes) = match SectorCode::of(&sector) {
        SectorCode::Empty | SectorCode::None => return None,
        SectorCode::Other => return Some(vec![(0, named.to_vec())]),
        code @ (SectorCode::GrubDisk(_) | SectorCode::ActivePartition) => {
            let starts = fault(reading, code).is_none();
            return starts.then(|| vec![(0, named.to_vec())]);
        }
        SectorCode::Isohdpfx(_) => {
            let image = *images(reading, BiosProgram::is_isolinux).first()?;
            (sector_of(image, 0), Vec::new())
        }
        SectorCode::GrubHybrid(_) => {
            let image = *images(reading, |program| program == BiosProgram::Grub).first()?;
            (sector_of(image, TO_SECOND_BLOCK), to_rest(reading, image))
        }
    };
    sector
        .get_mut(POINTER..POINTER + 8)?
        .copy_from_slice(&pointer.to_le_bytes());
    writes.push((0, sector.get(..CODE)?.to_vec()));
    Some(writes)
}

/// The images of one loader.
pub(super) fn images(
    reading: &mut Reading<'_, '_>,
    is_it: impl Fn(BiosProgram) -> bool,
) -> Vec<Lba> {
    let images: Vec<_> = reading.bios_images().collect();
    let images = images.into_iter();
    images
        .filter(|(_, boot)| is_it(reading.bios_program(boot)))
        .map(|(_, boot)| boot.load_rba)
        .collect()
}

/// The sector of a disk at this distance from the start of an image.
pub(super) fn sector_of(image: Lba, behind: u64) -> u64 {
    image.get().saturating_mul(4).saturating_add(behind)
}

/// Why boot code starts nothing on this disc; `None` if it may start something.
pub(super) fn fault(reading: &mut Reading<'_, '_>, code: SectorCode) -> Option<String> {
    let stands = |reading: &mut Reading<'_, '_>, pointer: u64, loader: fn(&[u8; 512]) -> bool| {
        let sector = reading
            .disc
            .array(VirtualSector::new(pointer).byte_offset());
        sector.is_some_and(|sector| loader(&sector))
    };
    let (name, wanted, pointer) = match code {
        // A wrong pointer to an existing image has its own finding.
        SectorCode::Isohdpfx(pointer) => {
            if !images(reading, BiosProgram::is_isolinux).is_empty()
                || stands(reading, pointer, is_hybrid_isolinux)
            {
                return None;
            }
            ("isolinux' boot code (isohdpfx.bin)", "isolinux", pointer)
        }
        SectorCode::GrubHybrid(pointer) => {
            let is_grub = |program| program == BiosProgram::Grub;
            if !images(reading, is_grub).is_empty() || stands(reading, pointer, is_diskboot) {
                return None;
            }
            let name = "GRUB's boot code (boot_hybrid.img)";
            (name, "GRUB's boot image", pointer)
        }
        SectorCode::GrubDisk(pointer) => {
            if stands(reading, pointer, is_diskboot) {
                return None;
            }
            let name = "GRUB's boot code for an installed disk (boot.img)";
            (name, "GRUB's core image", pointer)
        }
        SectorCode::ActivePartition => {
            let fault = of_active_partition(reading)?;
            return Some(format!(
                "the first sector has syslinux' boot code for an installed disk (mbr.bin), which starts the active partition, and {fault}"
            ));
        }
        SectorCode::Empty | SectorCode::None | SectorCode::Other => return None,
    };
    if is_cut_off(reading, pointer) {
        return None;
    }
    let boot_image = boot_image(reading);
    Some(format!(
        "the first sector has {name}, which starts {wanted} at sector {pointer}, but it is not there{boot_image}"
    ))
}

/// Whether a sector belongs to the volume but is past the end of the disc: its content is not known.
fn is_cut_off(reading: &Reading<'_, '_>, sector: u64) -> bool {
    let volume = reading.descriptors.main.primary.as_ref();
    let claimed = volume.map_or(0, |(_, primary)| primary.space_size.bytes().get());
    let at = VirtualSector::new(sector).byte_offset();
    (reading.disc.length().get()..claimed).contains(&at)
}

/// The disc's boot image for a BIOS, for people.
fn boot_image(reading: &mut Reading<'_, '_>) -> String {
    let boots: Vec<_> = reading.bios_images().collect();
    let mut programs = boots.iter().map(|(_, boot)| reading.bios_program(boot));
    match programs.find(|program| *program != BiosProgram::Unknown) {
        Some(program) => format!(": the disc's boot image is {}", program.name()),
        None => String::new(),
    }
}

/// `isolinux_hybrid_signature`, which isohdpfx looks for in the first sector of isolinux.bin (`mbr/isohdpfx.S`).
fn is_hybrid_isolinux(sector: &[u8; 512]) -> bool {
    sector.get(64..68) == Some(&[0xFB, 0xC0, 0x78, 0x70])
}

/// The first sector of GRUB's core image (`grub-core/boot/i386/pc/diskboot.S`).
fn is_diskboot(sector: &[u8; 512]) -> bool {
    memchr::memmem::find(sector, b"Geom\0Read\0 Error\0").is_some()
}

/// Why mbr.bin does not start a partition (`mbr/mbr.S`).
fn of_active_partition(reading: &mut Reading<'_, '_>) -> Option<String> {
    // An invalid status proves nothing.
    if !reading.tables.mbr.is_some_and(|mbr| mbr.is_plausible()) {
        return None;
    }
    let table = &reading.inspection.partitions.mbr;
    // It also looks for active partitions in these.
    if table.iter().any(|it| matches!(it.kind, 0x05 | 0x0F | 0x85)) {
        return None;
    }
    let mut active = table.iter().filter(|it| it.status == MbrEntry::ACTIVE);
    let Some(partition) = active.next() else {
        return Some("none is active".to_owned());
    };
    if active.next().is_some() {
        return Some("more than one is active".to_owned());
    }
    let first = partition.first;
    if first.get() == 0 {
        return Some("that begins with sector 0: it loads itself again and again".to_owned());
    }
    let Some(sector) = reading.disc.array::<512>(first.byte_offset()) else {
        return Some(format!(
            "that begins with sector {}, which is not on the disc",
            first.get()
        ));
    };
    // mkfs.fat writes this in place of boot code (dosfstools, `mkfs.fat.c`).
    if memchr::memmem::find(&sector, b"This is not a bootable disk.").is_some() {
        return Some(format!(
            "that begins with sector {}, whose boot sector reports that it is not bootable",
            first.get()
        ));
    }
    let is_signed = sector.ends_with(&[0x55, 0xAA]);
    // XFS has its loader after its own first sector.
    let is_xfs = sector.starts_with(b"XFSB");
    (!is_signed && !is_xfs).then(|| {
        format!(
            "that begins with sector {}, which has no boot code: the signature 55 AA is missing",
            first.get()
        )
    })
}
