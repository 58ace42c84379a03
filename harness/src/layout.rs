//! The places of a disc's boot structures, as firmware finds them: enough to name the stage that a boot reached.

use std::{io, path::Path};

use images::{
    eltorito::{BOOTABLE, BootEntry, RawBootRecord},
    inspect::{DiscFile, Window},
    iso9660::{DescriptorKind, SYSTEM_AREA_BLOCKS},
    units::{BLOCK_BYTES, BlockCount, Lba, VirtualSectorCount},
};

use crate::observation::DiscRead;

/// More descriptors than any disc has, fewer than a hostile one could claim.
const DESCRIPTORS: u64 = 64;

/// The places of the boot structures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BootLayout {
    /// The boot catalog, as the boot record says.
    pub(crate) catalog: Option<Lba>,
    /// The catalog's bootable entries, in order.
    pub(crate) images: Vec<BootImage>,
}

/// A catalog entry's description of its boot image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BootImage {
    /// 0-based.
    pub(crate) slot: u16,
    /// The media byte: 0 is no emulation.
    pub(crate) media: u8,
    /// The sector count.
    pub(crate) count: VirtualSectorCount,
    /// Where it starts.
    pub(crate) load_rba: Lba,
}

impl BootImage {
    /// The blocks that SeaBIOS reads before it jumps: the sector count rounded up to blocks without emulation,
    /// the boot sector's block with it (`src/cdrom.c`, `cdrom_boot`).
    pub(crate) fn loaded_by_bios(self) -> BlockCount {
        if self.media == 0 {
            self.count.blocks_rounded_up()
        } else {
            BlockCount::new(1)
        }
    }

    /// Whether a read touches the image's known blocks.
    pub(crate) fn touched_by(self, read: DiscRead) -> bool {
        let blocks = self.count.blocks_rounded_up().get().max(1);
        let start = self.load_rba.byte_offset();
        let end = self.load_rba.plus(BlockCount::new(blocks)).byte_offset();
        read.offset < end && start < read.offset.saturating_add(read.bytes)
    }
}

impl BootLayout {
    /// Reads a disc's boot record and the first block of its catalog. A disc without them, or with
    /// invalid ones, has an empty layout.
    pub(crate) fn of(disc: &mut Window<'_>) -> Self {
        let Some(catalog) = find_boot_record(disc) else {
            return Self::default();
        };
        let images = disc.block(catalog).map(|block| entries(&block));
        Self {
            catalog: Some(catalog),
            images: images.unwrap_or_default(),
        }
    }

    /// The same of a file.
    ///
    /// # Errors
    /// It cannot be opened, or is not a disc.
    pub(crate) fn of_file(disc: &Path) -> io::Result<Self> {
        let file = DiscFile::open(disc).map_err(io::Error::other)?;
        Ok(Self::of(&mut Window::new(&file)))
    }

    /// The initial entry, the only one that a BIOS reads.
    pub(crate) fn initial(&self) -> Option<BootImage> {
        self.images.iter().copied().find(|image| image.slot == 1)
    }
}

fn find_boot_record(disc: &mut Window<'_>) -> Option<Lba> {
    let first = Lba::new(SYSTEM_AREA_BLOCKS.get());
    let blocks = (0..DESCRIPTORS).map_while(|number| {
        let block = disc.block(first.plus(BlockCount::new(number)))?;
        DescriptorKind::of(&block).map(|_| block)
    });
    let mut records = blocks.filter_map(|block| RawBootRecord::decode(&block));
    records.next().map(|record| record.catalog)
}

fn entries(catalog: &[u8; BLOCK_BYTES as usize]) -> Vec<BootImage> {
    let slots = catalog.as_chunks::<32>().0;
    (0_u16..)
        .zip(slots.iter().map(BootEntry::decode))
        .filter(|(slot, entry)| *slot > 0 && entry.indicator == BOOTABLE)
        .map(|(slot, entry)| BootImage {
            slot,
            media: entry.media.emulation().0,
            count: VirtualSectorCount::new(entry.sector_count.into()),
            load_rba: Lba::new(entry.load_rba.into()),
        })
        .collect()
}
