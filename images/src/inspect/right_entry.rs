//! What an entry of the catalog should say, by the image that it names.

use super::{
    BiosProgram, BootReading, EntryKind, EntryReading, HardDisk, Purpose, Reading,
    counts::{LOADABLE, blocks_of},
    elsewhere,
    image::is_hard_disk,
};
use crate::{
    boot::Floppy,
    eltorito::{BOOT_RECORD_LBA, MediaType, Platform},
    fat::FatVolume,
    finding::Finding,
    iso9660::SYSTEM_AREA_BLOCKS,
    partition_table::{Mbr, MbrEntry},
    units::{BlockCount, ByteCount, Lba, VirtualSectorCount},
};

/// Where the load RBA stands in an entry.
const LOAD_RBA: u64 = 8;
/// Where the sector count stands.
const SECTOR_COUNT: u64 = 6;

impl Reading<'_, '_> {
    /// The sector count that is right for the firmware that looks at an entry.
    pub(crate) fn right_count(&mut self, entry: &EntryReading, boot: &BootReading) -> Option<u16> {
        boot.extent_blocks?;
        match Purpose::of(entry.platform, boot) {
            Purpose::Efi => {
                let file = boot.file_bytes.map(ByteCount::virtual_sectors_rounded_up);
                let length = file.max(boot.own_length)?;
                Some(self.right_efi_count(boot.load_rba, length))
            }
            Purpose::Bios => self.right_bios_count(boot, boot.media.emulation()),
            Purpose::Other => None,
        }
    }

    /// A finding that is mended by that count.
    pub(crate) fn counts(
        &mut self,
        finding: Finding,
        (entry, boot): (&EntryReading, &BootReading),
    ) -> Finding {
        let place = self.place(entry, SECTOR_COUNT).offset;
        match self.right_count(entry, boot) {
            Some(count) => finding.fixed_by(place, &count.to_le_bytes()),
            None => finding,
        }
    }

    /// The count of an image for UEFI: its length, or 0 where 16 bits do not hold it. With 0 it reaches to the end of the volume (EDK2
    /// `ElTorito.c`), so that an image that is not in the volume has the largest count instead: EDK2 takes it in blocks of 2,048 bytes.
    pub(crate) fn right_efi_count(&self, image: Lba, length: VirtualSectorCount) -> u16 {
        let volume = self.inspection.volume.as_ref();
        let volume_end = volume.map_or(Lba::default(), |volume| Lba::new(volume.blocks.get()));
        let blocks = length.blocks_rounded_up();
        let is_within = image.plus(blocks) <= volume_end;
        let is_reached = blocks <= BlockCount::new(u16::MAX.into());
        length.to_u16().unwrap_or(if is_within || !is_reached {
            0
        } else {
            u16::MAX
        })
    }

    /// The count of an image for a BIOS: what its loader needs before it reads for itself; of others the whole, as far as it can be loaded.
    /// An emulated drive's own boot sector loads the rest (El Torito §2.2).
    pub(crate) fn right_bios_count(&mut self, boot: &BootReading, media: MediaType) -> Option<u16> {
        if media != MediaType::NO_EMULATION {
            return (media.0 <= MediaType::HARD_DISK.0).then_some(1);
        }
        let known = self.bios_program(boot).needs();
        let room = blocks_of(boot).or(boot.extent_blocks);
        let file = boot.file_bytes.map(ByteCount::virtual_sectors_rounded_up);
        let whole = file.or(room.map(BlockCount::virtual_sectors));
        let whole = whole.map(|length| length.min(LOADABLE));
        known
            .or(whole)
            .filter(|&count| count > VirtualSectorCount::ZERO)?
            .to_u16()
    }

    /// The emulation that an image is made for; `None` where nothing in it tells.
    pub(crate) fn right_media(&mut self, boot: &BootReading) -> Option<MediaType> {
        let is_loader = self.bios_program(boot) != BiosProgram::Unknown;
        if is_loader || !boot.loaders.is_empty() {
            return Some(MediaType::NO_EMULATION);
        }
        let start = boot.load_rba.byte_offset();
        let length = boot.file_bytes.map(ByteCount::virtual_sectors_rounded_up);
        if let Some(fat) = FatVolume::at(self.disc, start) {
            let fat = fat.parameters.length();
            return floppy_of(fat).filter(|_| length.is_none_or(|length| length == fat));
        }
        let table = Mbr::decode(&self.disc.array(start)?);
        let room = length.or(boot.extent_blocks.map(BlockCount::virtual_sectors));
        if is_hard_disk(&table, room?) {
            return Some(MediaType::HARD_DISK);
        }
        floppy_of(length?).filter(|_| table.signature)
    }

    /// The platform of entries, by their images; `None` where nothing in these tells.
    pub(crate) fn right_platform(
        &mut self,
        platform: Platform,
        boots: &[&BootReading],
    ) -> Option<Platform> {
        if boots.iter().any(|boot| !boot.loaders.is_empty()) {
            return Some(Platform::EFI);
        }
        let boot = boots.iter().find(|boot| self.is_something(boot))?;
        let is_floppy = boot.media.emulation() != MediaType::NO_EMULATION;
        if boot.fat.is_none() || is_floppy {
            Some(Platform::X86)
        } else {
            // EF with its digits swapped.
            (platform == Platform(0xFE)).then_some(Platform::EFI)
        }
    }

    /// Whether an entry leads to something that can be a boot image.
    pub(crate) fn is_something(&mut self, boot: &BootReading) -> bool {
        let is_behind = boot.load_rba > BOOT_RECORD_LBA;
        if boot.extent_blocks.is_none() || !is_behind || self.structure_at(boot.load_rba).is_some()
        {
            return false;
        }
        let start = self.disc.array(boot.load_rba.byte_offset());
        start.is_some_and(|start: [u8; 512]| start != [0; 512])
    }

    /// Whether an image that is emulated as a hard disk is one: a partition of its table lies within it, and no program that needs no emulation
    /// stands where the table should be.
    pub(crate) fn is_hard_disk(&mut self, disk: &HardDisk<'_>) -> bool {
        let length = disk.boot.extent_blocks.unwrap_or_default();
        let is_within = |(_, partition): (usize, MbrEntry)| {
            partition.first.get() > 0 && partition.end() <= length.virtual_sectors()
        };
        let mut used = disk.table.used();
        disk.table.is_plausible()
            && used.any(is_within)
            && self.is_something(disk.boot)
            && self.bios_program(disk.boot) == BiosProgram::Unknown
    }

    /// What stands at a block that is no place for a boot image: the descriptors, the catalog, the root directory.
    pub(crate) fn structure_at(&self, lba: Lba) -> Option<&'static str> {
        let volume = self.inspection.volume.as_ref();
        let root = volume.and_then(|volume| volume.root);
        let descriptors = SYSTEM_AREA_BLOCKS.get()..=BOOT_RECORD_LBA.get();
        if descriptors.contains(&lba.get()) {
            Some("a volume descriptor")
        } else if Some(lba) == self.catalog().map(|catalog| catalog.lba) {
            Some("the boot catalog")
        } else if Some(lba) == root {
            Some("the root directory")
        } else {
            None
        }
    }

    /// The boot image on the disc that an entry should name and does not: one that no other entry names.
    pub(crate) fn image_for(&mut self, entry: &EntryReading, boot: &BootReading) -> Option<Lba> {
        let named: Vec<Lba> = self.entries().map(|(_, boot)| boot.load_rba).collect();
        match Purpose::of(entry.platform, boot) {
            Purpose::Efi => {
                let images = self.images_elsewhere();
                let image = images.iter().find(|image| !named.contains(&image.lba))?;
                Some(image.lba)
            }
            // A BIOS looks at no other.
            Purpose::Bios if entry.kind == EntryKind::Initial => {
                let files = self.tree?.extents.iter().copied();
                let files = files.filter(|(start, _)| !named.contains(start)).collect();
                elsewhere::bios_image(self.disc, files, boot.media.emulation())
            }
            _ => None,
        }
    }

    /// A finding that is mended by the image that an entry names, and by a count that is right for it: where the one that stands there is too
    /// small for a file system.
    pub(crate) fn names(
        &mut self,
        finding: Finding,
        (entry, boot): (&EntryReading, &BootReading),
        image: Lba,
    ) -> Finding {
        let Some(address) = image.to_u32() else {
            return finding;
        };
        let place = self.place(entry, LOAD_RBA).offset;
        let finding = finding.fixed_by(place, &address.to_le_bytes());
        let is_efi = Purpose::of(entry.platform, boot) == Purpose::Efi;
        let fat = FatVolume::at(self.disc, image.byte_offset()).filter(|_| is_efi);
        let Some(fat) = fat.filter(|_| boot.media.emulation() == MediaType::NO_EMULATION) else {
            return finding;
        };
        let length = fat.parameters.length();
        let right = self.right_efi_count(image, length);
        let volume = self.inspection.volume.as_ref();
        let volume = volume.map_or(BlockCount::ZERO, |volume| volume.blocks);
        let is_within = image.plus(length.blocks_rounded_up()).get() <= volume.get();
        // 0 and 1 reach to the end of the volume.
        let is_open = boot.sector_count.get() < 2 && is_within;
        let is_enough = boot.sector_count >= length || is_open;
        if is_enough || boot.sector_count.to_u16() == Some(right) {
            return finding;
        }
        let place = self.place(entry, SECTOR_COUNT).offset;
        finding.fixed_by(place, &right.to_le_bytes())
    }
}

/// The floppy of that length.
fn floppy_of(length: VirtualSectorCount) -> Option<MediaType> {
    let floppies = [
        (Floppy::K1200, MediaType::FLOPPY_1200K),
        (Floppy::K1440, MediaType::FLOPPY_1440K),
        (Floppy::K2880, MediaType::FLOPPY_2880K),
    ];
    let floppy = floppies
        .into_iter()
        .find(|(floppy, _)| floppy.length() == length)?;
    Some(floppy.1)
}
