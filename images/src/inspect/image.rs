//! The boot images: where each ends, which file it is, and how long it says that it is itself.

use super::{
    Window,
    descriptors::Descriptors,
    reading::{BootReading, CatalogReading, PartitionsReading},
    tree::{FileAt, Tree},
};
use crate::{
    boot::{FatType, Floppy},
    eltorito::{BootInfoTable, MediaType, Platform},
    fat::FatVolume,
    partition_table::Mbr,
    units::{BlockCount, ByteCount, Lba, VirtualSectorCount},
};

/// What is known of the disc around the images.
#[derive(Debug)]
pub(super) struct Images {
    /// Where something starts or the volume ends, ascending.
    boundaries: Vec<Lba>,
    files: Vec<FileAt>,
    end: Lba,
}

/// The floppy that a media type is.
pub(super) const fn floppy(media: MediaType) -> Option<Floppy> {
    match media.emulation() {
        MediaType::FLOPPY_1200K => Some(Floppy::K1200),
        MediaType::FLOPPY_1440K => Some(Floppy::K1440),
        MediaType::FLOPPY_2880K => Some(Floppy::K2880),
        _ => None,
    }
}

impl Images {
    /// Gathers everything that may stand behind an image.
    pub(super) fn new(
        disc: &Window<'_>,
        descriptors: &Descriptors,
        catalog: Option<&CatalogReading>,
        partitions: &PartitionsReading,
        tree: Option<&Tree>,
    ) -> Self {
        let end = Lba::new(disc.blocks().get());
        let mut boundaries = vec![end];
        if let Some((_, primary)) = &descriptors.main.primary {
            boundaries.extend([
                Lba::new(primary.space_size.get()),
                primary.path_table_l,
                primary.path_table_m,
            ]);
        }
        boundaries.extend(descriptors.sessions.iter().map(|session| session.start));
        boundaries.extend(catalog.map(|catalog| catalog.lba));
        boundaries.extend(super::entries(catalog).map(|(_, boot)| boot.load_rba));
        let mbr = partitions.mbr.iter().map(|partition| partition.first);
        let gpt = partitions.gpt.iter().flatten();
        let starts = mbr.chain(gpt.map(|partition| partition.first));
        boundaries.extend(starts.map(|sector| Lba::of_offset(sector.byte_offset())));
        if let Some(tree) = tree {
            boundaries.extend(&tree.starts);
        }
        boundaries.retain(|&lba| lba <= end);
        boundaries.sort_unstable();
        boundaries.dedup();
        Self {
            boundaries,
            files: tree.map_or_else(Vec::new, |tree| tree.files.clone()),
            end,
        }
    }

    /// Fills in what is known of each entry's image.
    pub(super) fn resolve(&self, disc: &mut Window<'_>, catalog: &mut CatalogReading) {
        for entry in &mut catalog.entries {
            let platform = entry.platform;
            if let Some(boot) = &mut entry.boot {
                self.resolve_one(disc, platform, boot);
            }
        }
    }

    fn resolve_one(&self, disc: &mut Window<'_>, platform: Platform, boot: &mut BootReading) {
        if let Some(file) = self.files.iter().find(|file| file.start == boot.load_rba) {
            boot.path = Some(file.path.clone());
            boot.file_bytes = Some(file.length);
        }
        if boot.load_rba >= self.end {
            return;
        }
        boot.extent_blocks = boot.file_bytes.map_or_else(
            || self.room(boot.load_rba),
            |length| Some(length.blocks_rounded_up()),
        );
        let start = boot.load_rba.byte_offset();
        let volume = FatVolume::at(disc, start);
        if let Some(volume) = volume {
            boot.fat = Some(match volume.parameters.fat {
                FatType::Fat12 => 12,
                FatType::Fat16 => 16,
                FatType::Fat32 => 32,
            });
            boot.loaders = volume.removable_media_loaders(disc);
        }
        let fat = volume.map(|volume| volume.parameters.length());
        boot.own_length = match boot.media.emulation() {
            _ if platform == Platform::EFI || !boot.loaders.is_empty() => fat,
            MediaType::HARD_DISK => disc.array(start).and_then(|sector| partitions_end(&sector)),
            MediaType::NO_EMULATION => boot_info_length(disc, boot.load_rba),
            media => floppy(media).map(Floppy::length),
        };
    }

    /// The blocks from an address to the next thing on the disc.
    pub(super) fn room(&self, from: Lba) -> Option<BlockCount> {
        let next = self.boundaries.partition_point(|&lba| lba <= from);
        self.boundaries.get(next)?.blocks_since(from)
    }
}

/// The end of the last partition in an MBR.
fn partitions_end(sector: &[u8; 512]) -> Option<VirtualSectorCount> {
    let table = Mbr::decode(sector);
    table
        .used()
        .map(|(_, entry)| entry.end())
        .max()
        .filter(|end| end.get() > 0)
}

/// The length in a boot-info table, where there is one that knows its own address.
fn boot_info_length(disc: &mut Window<'_>, image: Lba) -> Option<VirtualSectorCount> {
    let table = BootInfoTable::decode(&disc.array(image.byte_offset())?);
    let is_one = table.image == image && table.length > ByteCount::ZERO;
    is_one.then(|| table.length.virtual_sectors_rounded_up())
}
