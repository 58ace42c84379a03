//! The boot images: where each ends, which file it is, and how long it says that it is itself.

use std::collections::BTreeMap;

use super::{
    Window,
    descriptors::Descriptors,
    reading::{BootReading, CatalogReading, PartitionsReading, entries},
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
pub(crate) struct Images {
    /// Where something starts or the volume ends, ascending.
    boundaries: Vec<Lba>,
    files: BTreeMap<Lba, FileAt>,
    end: Lba,
}

/// The floppy that a media type is.
pub(crate) const fn floppy(media: MediaType) -> Option<Floppy> {
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
        boundaries.extend(entries(catalog).map(|(_, boot)| boot.load_rba));
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
            files: tree.map_or_else(BTreeMap::new, |tree| tree.files.clone()),
            end,
        }
    }

    /// Fills in what is known of each entry's image.
    pub(super) fn resolve(&self, disc: &mut Window<'_>, catalog: &mut CatalogReading) {
        // Two thousand entries may name one image, and its directories hold thousands of entries: each is read once.
        let mut fats = BTreeMap::new();
        for entry in &mut catalog.entries {
            let platform = entry.platform;
            if let Some(boot) = &mut entry.boot {
                self.resolve_one(disc, platform, boot, &mut fats);
                // The catalog is no image, though tools make it a file.
                if boot.load_rba == catalog.lba {
                    boot.path = None;
                }
            }
        }
    }

    fn resolve_one(
        &self,
        disc: &mut Window<'_>,
        platform: Platform,
        boot: &mut BootReading,
        fats: &mut BTreeMap<Lba, Option<Fat>>,
    ) {
        if let Some(file) = self.files.get(&boot.load_rba) {
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
        let fat = fats
            .entry(boot.load_rba)
            .or_insert_with(|| Fat::read(disc, start));
        if let Some(fat) = fat {
            boot.fat = Some(fat.bits);
            boot.loaders.clone_from(&fat.loaders);
        }
        let fat = fat.as_ref().map(|fat| fat.length);
        boot.own_length = match boot.media.emulation() {
            _ if platform == Platform::EFI || !boot.loaders.is_empty() => fat,
            MediaType::HARD_DISK => disc.array(start).and_then(|sector| partitions_end(&sector)),
            MediaType::NO_EMULATION => boot_info_length(disc, boot.load_rba),
            media => floppy(media).map(Floppy::length),
        };
    }

    /// The blocks from an address to the next thing on the disc.
    pub(crate) fn room(&self, from: Lba) -> Option<BlockCount> {
        let next = self.boundaries.partition_point(|&lba| lba <= from);
        self.boundaries.get(next)?.blocks_since(from)
    }
}

/// What is wanted of the file system in an image.
struct Fat {
    bits: u8,
    length: VirtualSectorCount,
    loaders: Vec<String>,
}

impl Fat {
    fn read(disc: &mut Window<'_>, start: u64) -> Option<Self> {
        let volume = FatVolume::at(disc, start)?;
        Some(Self {
            bits: match volume.parameters.fat {
                FatType::Fat12 => 12,
                FatType::Fat16 => 16,
                FatType::Fat32 => 32,
            },
            length: volume.parameters.length(),
            loaders: volume.removable_media_loaders(disc),
        })
    }
}

/// The end of the last partition in an MBR.
fn partitions_end(sector: &[u8; 512]) -> Option<VirtualSectorCount> {
    let table = Mbr::decode(sector);
    // A file system without a table has code there.
    table
        .used()
        .filter(|_| table.is_plausible())
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

/// Whether a table is that of a hard disk of such a length: one partition, in slot 0, within it (El Torito §2.2).
pub(super) fn is_hard_disk(table: &Mbr, length: VirtualSectorCount) -> bool {
    let used: Vec<_> = table.used().collect();
    table.signature
        && table.is_plausible()
        && matches!(used[..], [(0, partition)] if partition.first.get() > 0 && partition.end() <= length)
}
