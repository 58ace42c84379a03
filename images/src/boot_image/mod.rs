//! Boot images: what a boot entry points to, with a probe in it and sectors that know themselves.

mod efi;
mod fat;
mod floppy;
mod hard_disk;
mod isolinux;
mod no_emulation;
mod plan;

pub use efi::{efi_system_partition, efi_system_partition_with};
pub use fat::fat_image;
pub use floppy::floppy;
pub use hard_disk::{Geometry, GeometryRequest, hard_disk};
pub(crate) use isolinux::write_boot_info;
pub use no_emulation::no_emulation;
pub use plan::Identity;

use crate::{
    boot::{FatType, Floppy, Loader},
    manifest::ImageRecord,
    probe::{
        ProbePlan,
        sector::{classify, crc16, crc16_continue},
    },
    sparse::SparseBytes,
    units::{ByteCount, Lba, VirtualSector, VirtualSectorCount},
};

/// A boot image, made but not yet placed on a disc.
#[derive(Clone, Debug)]
pub struct BootImage {
    /// Its bytes.
    pub bytes: SparseBytes,
    /// What its probe does.
    pub plan: ProbePlan,
    /// The system type that its entry carries: the partition's type byte, 0 without partition.
    pub system_type: u8,
    /// The UEFI loaders in it.
    pub loaders: Vec<(Loader, Vec<u8>)>,
}

impl BootImage {
    /// Its length.
    #[must_use]
    pub const fn length(&self) -> VirtualSectorCount {
        self.plan.image
    }

    /// Whether it is an EFI system partition.
    #[must_use]
    pub const fn is_efi(&self) -> bool {
        !self.loaders.is_empty()
    }

    /// What a probe must find, when the image stands at `load_rba`.
    #[must_use]
    pub fn record(&self, load_rba: Lba) -> ImageRecord {
        let at = |sector: VirtualSector| self.bytes.array_at(sector.byte_offset());
        let expected = |sector| classify(&at(sector), self.plan.disc, self.plan.slot);
        let area_crc = self.plan.sweep.then(|| {
            (0..self.plan.structured.get()).fold(0xFFFF, |crc, number| {
                crc16_continue(crc, &at(VirtualSector::new(number)))
            })
        });
        let mut loaders = self
            .loaders
            .iter()
            .map(|(_, loader)| (loader.len() as u64, crc16(loader)));
        ImageRecord {
            slot: self.plan.slot,
            load_rba,
            length: self.length(),
            expected: self
                .plan
                .checks
                .iter()
                .map(|check| expected(check.sector))
                .collect(),
            plan: Some(self.plan.clone()),
            area_crc,
            loader: loaders.next(),
            other_loaders: loaders.collect(),
            altered: None,
        }
    }
}

/// A boot image that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Too short for the probe and what it needs.
    #[error(
        "a boot image of {length} cannot hold its probe and file system: {needed} is the least"
    )]
    TooShort {
        /// What was asked for.
        length: VirtualSectorCount,
        /// What is needed.
        needed: VirtualSectorCount,
    },
    /// A floppy of a length that no floppy has.
    #[error("a {floppy} floppy has {expected}, and {length} were asked for", expected = floppy.length())]
    FloppySize {
        /// Which floppy.
        floppy: Floppy,
        /// What was asked for.
        length: VirtualSectorCount,
    },
    /// More sectors than cylinders, heads and sectors can address.
    #[error(
        "a hard disk of {length} ({bytes}) needs {cylinders} cylinders of {heads} heads and {sectors} sectors, and INT 13h addresses 1024",
        bytes = length.bytes()
    )]
    BeyondChs {
        /// What was asked for.
        length: VirtualSectorCount,
        /// The cylinders that it would need.
        cylinders: u64,
        /// Heads.
        heads: u16,
        /// Sectors per track.
        sectors: u16,
    },
    /// The cylinders given and the length given disagree.
    #[error(
        "a hard disk of {length} has {needed} cylinders of {heads} heads and {sectors} sectors, and {given} were asked for"
    )]
    Cylinders {
        /// The length.
        length: VirtualSectorCount,
        /// The cylinders that it has.
        needed: u64,
        /// The cylinders that were asked for.
        given: u16,
        /// Heads.
        heads: u16,
        /// Sectors per track.
        sectors: u16,
    },
    /// The file system cannot be that long or short.
    #[error("no {fat} file system can be made in {length}: {why}", fat = fat.map_or("FAT".to_owned(), |fat| format!("FAT{fat}")))]
    FileSystem {
        /// The FAT type that was asked for, if any.
        fat: Option<FatType>,
        /// The length of the file system.
        length: ByteCount,
        /// What the file-system library says.
        why: String,
    },
    /// The probe could not be assembled: a defect of this program.
    #[error("the probe could not be assembled: {0}")]
    Assemble(#[from] crate::probe::AssembleError),
    /// The probe's place and its length depend on each other and did not settle: a defect of this program.
    #[error("the layout of the boot image did not settle")]
    Unsettled,
}

/// How many virtual sectors a padded stage 2 takes.
pub(crate) fn stage2_sectors(stage2: &[u8]) -> u16 {
    u16::try_from(stage2.len().div_ceil(crate::probe::sector::BYTES)).unwrap_or(u16::MAX)
}
