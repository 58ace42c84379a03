//! What can be wrong with a disc on purpose: how the reference master injects a finding. What each defect does stands in its room
//! (`findings`); here is what the rooms share.
//!
//! A defect is one of two things. Some are a disc that other words describe too, an entry too deep in the catalog or a
//! count that wrapped: the room puts them into these words, and such a disc is laid out as any other. The rest are
//! changes to a disc that was mastered whole.

pub(crate) mod id;
mod loader;
mod patient;

pub use id::Defect;
pub(crate) use loader::Loader;
pub(crate) use patient::{
    BEHIND_BOOT_RECORD, FIRST_HEADER, INITIAL, LAST_HEADER, MORE_FOLLOW, PRIMARY, Patient,
    PlacedImage, SPACE_SIZE, VALIDATION,
};

use crate::{
    boot::{Boot, Emulation, Hybrid},
    eltorito::EntryBytes,
    finding::FindingId,
    medium::Medium,
    size::Size,
    sparse::SparseBytes,
    units::{BlockCount, Lba, VirtualSectorCount},
};

/// How a finding gets on a disc.
pub(crate) struct Injection {
    /// Puts it into the words of a disc, where they are not given; or says what a disc lacks that cannot have it.
    pub(crate) express: fn(&mut Boot, &mut Option<Size>) -> Result<(), Lack>,
    /// Whether a disc that was laid out has it, or can be given it by changing bytes.
    pub(crate) stands: fn(&Facts<'_>) -> Result<(), Lack>,
    /// Changes the bytes of a disc that was mastered whole.
    pub(crate) inject: fn(&mut Patient<'_>),
    /// Spoils a boot image by itself, of which is known whether it holds an EFI loader; only where the defect lies within
    /// an image.
    pub(crate) in_image: Option<fn(&mut SparseBytes, bool)>,
    /// Spoils the EFI system partition that stands at a block: on a disc the last image's, or an image by itself.
    pub(crate) in_efi_image: Option<fn(&mut SparseBytes, Lba)>,
}

impl Injection {
    /// A defect that the words of a disc, or its layout, are enough for.
    pub(crate) const WORDS: Self = Self {
        express: |_, _| Ok(()),
        stands: |_| Ok(()),
        inject: |_| {},
        in_image: None,
        in_efi_image: None,
    };

    /// A defect that lies within the EFI system partition.
    pub(crate) const fn in_efi_image(spoil: fn(&mut SparseBytes, Lba)) -> Self {
        Self {
            express: needs_efi,
            in_efi_image: Some(spoil),
            ..Self::WORDS
        }
    }
}

/// What a disc lacks to have a defect.
pub(crate) type Lack = &'static str;

/// What is known of a disc when it is laid out.
pub(crate) struct Facts<'a> {
    pub(crate) medium: Option<Medium>,
    /// The length of the image that `size` speaks of.
    pub(crate) length: VirtualSectorCount,
    /// The last cylinder that the first image's partition table names, if it is a hard disk.
    pub(crate) last_cylinder: Option<u16>,
    pub(crate) slots: &'a [EntryBytes],
    pub(crate) last_slot: u16,
    pub(crate) last_lba: Lba,
    pub(crate) end: BlockCount,
}

/// 40 MiB: past what 16 bits count, and the least round size of a FAT32 file system.
pub(crate) const BEYOND_16_BITS: Size = Size::Sectors(VirtualSectorCount::new(40 * 2048));

/// Nothing lacks where a condition is met.
pub(crate) const fn need(met: bool, lack: Lack) -> Result<(), Lack> {
    if met { Ok(()) } else { Err(lack) }
}

pub(crate) fn needs_hard_disk(boot: &mut Boot, _: &mut Option<Size>) -> Result<(), Lack> {
    need(
        boot.mode.bios() == Some(Emulation::HardDisk),
        "hard-disk emulation",
    )
}

pub(crate) fn needs_efi(boot: &mut Boot, _: &mut Option<Size>) -> Result<(), Lack> {
    need(boot.mode.efi(), "an EFI entry")
}

/// Code for a BIOS and a table of the partitions in the first sector.
pub(crate) fn needs_boot_code(boot: &mut Boot, _: &mut Option<Size>) -> Result<(), Lack> {
    need(
        boot.mode.bios() == Some(Emulation::None),
        "a no-emulation image for the BIOS",
    )?;
    let hybrid = *boot.hybrid.get_or_insert(Hybrid::Mbr);
    need(
        hybrid == Hybrid::Mbr,
        "a master boot record with partitions (hybrid=mbr)",
    )
}

/// The last entry is one without emulation: the EFI one, where there is one.
pub(crate) fn needs_no_emulation(boot: &mut Boot, _: &mut Option<Size>) -> Result<(), Lack> {
    need(
        boot.mode.efi() || boot.mode.bios() == Some(Emulation::None),
        "an entry without emulation",
    )
}

/// Whether the BIOS image is a drive, and no disk can hold it as it is.
pub(crate) fn emulates_a_drive(boot: &Boot) -> bool {
    matches!(
        boot.mode.bios(),
        Some(Emulation::HardDisk | Emulation::Floppy(_))
    )
}

impl Defect {
    fn injection(self) -> &'static Injection {
        const NOTHING: &Injection = &Injection::WORDS;
        self.id().room().defect.as_ref().unwrap_or(NOTHING)
    }

    /// How many blocks the descriptor set has with this defect.
    pub(crate) fn descriptors(defect: Option<Self>) -> BlockCount {
        match defect.map(Self::id) {
            Some(FindingId::BootRecordMisplaced | FindingId::BootRecordDuplicate) => {
                BlockCount::new(4)
            }
            _ => BlockCount::new(3),
        }
    }

    /// Puts a defect that other words describe into these words, where they are not given; and says what a disc lacks
    /// that cannot have the defect.
    pub(crate) fn express(self, boot: &mut Boot, size: &mut Option<Size>) -> Result<(), Lack> {
        (self.injection().express)(boot, size)
    }

    /// Whether a disc that was laid out has the defect; or can be given it by changing bytes.
    pub(crate) fn stands_in(self, facts: &Facts<'_>) -> Result<(), Lack> {
        (self.injection().stands)(facts)
    }

    /// Spoils the disc. What is no change of bytes was done when the disc was laid out, by [`Self::express`] and by the
    /// layout itself.
    pub(crate) fn inject(self, disc: &mut Patient<'_>) {
        (self.injection().inject)(disc);
        if let Some(spoil) = self.injection().in_efi_image {
            spoil(disc.bytes, disc.last.lba);
        }
    }

    /// Whether it lies within a boot image: whoever masters a disc from such an image masters a disc with the defect.
    #[must_use]
    pub fn is_in_image(self) -> bool {
        self.injection().in_image.is_some() || self.injection().in_efi_image.is_some()
    }

    /// Spoils an image by itself, as far as bytes do.
    pub(crate) fn inject_into_image(self, image: &mut SparseBytes, has_loader: bool) {
        if let Some(inject) = self.injection().in_image {
            inject(image, has_loader);
        }
        if let Some(spoil) = self.injection().in_efi_image.filter(|_| has_loader) {
            spoil(image, Lba::new(0));
        }
    }
}

#[cfg(test)]
mod tests;
