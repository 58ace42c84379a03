//! What a defect asks of a disc, and which other words describe it.

use super::{Defect, catalog::last_section_is_efi};
use crate::{
    boot::{Boot, Count, Emulation, Floppy, Hybrid, Mode, Place},
    eltorito::EntryBytes,
    medium::Medium,
    size::{Offset, Size},
    units::{BlockCount, Lba, VirtualSectorCount},
};

/// 40 MiB: past what 16 bits count, and the least round size of a FAT32 file system.
const BEYOND_16_BITS: Size = Size::Sectors(VirtualSectorCount::new(40 * 2048));
/// The first slot that a block of 512 bytes does not hold is 16; as deep as the scenarios go is one more.
const TOO_DEEP: u16 = 17;
const SLOTS_IN_512_BYTES: u16 = 16;
/// Where a BIOS that loads to 7C00 overwrites itself: it ends past the first megabyte.
pub(super) const TOO_MANY: u16 = 2048;
/// One more than Bochs takes from a partition entry without a mistake.
const CYLINDERS: u16 = 256;

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

impl Defect {
    /// Puts a defect that other words describe into these words, where they are not given; and says what a disc lacks
    /// that cannot have the defect.
    pub(crate) fn express(self, boot: &mut Boot, size: &mut Option<Size>) -> Result<(), Lack> {
        self.fits(boot)?;
        match self {
            Self::CatalogEfiTooDeep => {
                boot.slot.get_or_insert(TOO_DEEP);
            }
            // Room for what the entry asks for, so that only the count is wrong.
            Self::CountTooLarge if boot.mode == Mode::Bios(Emulation::None) => {
                size.get_or_insert(Size::Sectors(VirtualSectorCount::new(TOO_MANY.into())));
            }
            Self::CountWrapped => {
                boot.count.get_or_insert(Count::Wrapped);
                size.get_or_insert(BEYOND_16_BITS);
            }
            Self::ImageExceedsQuarter => {
                size.get_or_insert(Size::Quarter(Offset::Blocks(1)));
            }
            Self::HardDiskCylinders if size.is_none() => {
                boot.cylinders.get_or_insert(CYLINDERS);
            }
            Self::BootInfoTable => {
                boot.boot_info
                    .get_or_insert(crate::boot::BootInfo::Isolinux);
            }
            Self::EfiOpenEndOutsideVolume => {
                boot.count.get_or_insert(Count::Given(0));
                boot.place.get_or_insert(Place::Appended);
                size.get_or_insert(BEYOND_16_BITS);
            }
            Self::HybridMbr | Self::NotIso => {
                boot.hybrid.get_or_insert(Hybrid::Mbr);
            }
            Self::HybridGpt => {
                boot.hybrid.get_or_insert(Hybrid::Gpt);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the words of a disc leave room for the defect.
    fn fits(self, boot: &Boot) -> Result<(), Lack> {
        let efi = boot.mode.efi();
        let bios = boot.mode.bios();
        let hard_disk = bios == Some(Emulation::HardDisk);
        let floppy = matches!(bios, Some(Emulation::Floppy(_)));
        let emulates = hard_disk || floppy;
        let need = |met: bool, lack: Lack| if met { Ok(()) } else { Err(lack) };
        match self {
            Self::HardDiskPartitionSlot
            | Self::HardDiskSystemType
            | Self::HardDiskCylinders
            | Self::MbrSignature => need(hard_disk, "hard-disk emulation"),
            Self::FloppySize => need(floppy, "a floppy"),
            Self::EfiNoLoader
            | Self::CountEfiShort
            | Self::CountUnit
            | Self::EfiAsFloppy
            | Self::PartitionPastEnd => need(efi, "an EFI entry"),
            Self::CatalogSectionHeaderMissing | Self::CatalogSectionChain => {
                need(boot.has_sections(), "a second boot entry (bios+efi)")
            }
            Self::CatalogEfiOnly => need(
                boot.mode == Mode::Efi && boot.slot.is_none() && boot.platform.is_none(),
                "a catalog for UEFI alone (efi)",
            ),
            Self::CatalogNoEfi => need(
                efi && bios.is_some(),
                "a BIOS entry that is left, and an EFI entry to leave out (bios+efi)",
            ),
            Self::CatalogEfiTooDeep => {
                need(efi, "an EFI entry")?;
                need(boot.entries.is_none(), "an EFI entry that slot= can place")?;
                let deep = boot.slot.is_none_or(|slot| slot >= SLOTS_IN_512_BYTES);
                need(deep, "an EFI entry in slot 16 or deeper")
            }
            Self::CountWrapped => {
                need(
                    efi || !emulates,
                    "an entry whose count is its image's length",
                )?;
                let wrapped = boot.count.is_none_or(|count| count == Count::Wrapped);
                need(wrapped, "a wrapped count (count=wrapped, or none)")
            }
            Self::BootInfoTable => need(
                bios == Some(Emulation::None),
                "a no-emulation image for the BIOS",
            ),
            Self::EfiOpenEndOutsideVolume => {
                need(efi, "an EFI entry")?;
                let open = [None, Some(Count::Given(0)), Some(Count::Given(1))];
                need(
                    open.contains(&boot.count),
                    "an open end (count=0 or count=1)",
                )?;
                let outside = [None, Some(Place::Appended)];
                need(
                    outside.contains(&boot.place),
                    "an image behind the volume (place=appended)",
                )
            }
            Self::HybridMbr => {
                need(efi && !emulates, "an EFI entry, and no emulated drive")?;
                need(
                    boot.hybrid != Some(Hybrid::Gpt),
                    "a master boot record that counts (hybrid=mbr)",
                )
            }
            Self::HybridGpt => {
                need(efi && !emulates, "an EFI entry, and no emulated drive")?;
                need(
                    boot.hybrid != Some(Hybrid::Mbr),
                    "a GUID partition table (hybrid=gpt)",
                )?;
                let inside = [None, Some(Place::Appended)];
                need(
                    inside.contains(&boot.place),
                    "room for the backup table at the end (no place=)",
                )
            }
            Self::NotIso => need(
                !emulates,
                "an image that a disk can hold (none, efi, bios+efi)",
            ),
            _ => Ok(()),
        }
    }

    /// Whether a disc that was laid out has the defect; or can be given it by changing bytes.
    pub(crate) fn stands_in(self, facts: &Facts<'_>) -> Result<(), Lack> {
        let need = |met: bool, lack: Lack| if met { Ok(()) } else { Err(lack) };
        match self {
            Self::CountWrapped => need(
                facts.length.to_u16().is_none(),
                "an image of 65536 virtual sectors or more",
            ),
            Self::ImageExceedsQuarter => {
                let Some(medium) = facts.medium else {
                    return Err("a medium");
                };
                let quarter = VirtualSectorCount::new(medium.capacity().get());
                need(
                    facts.length > quarter,
                    "an image above a quarter of its medium",
                )
            }
            Self::HardDiskCylinders => need(
                facts
                    .last_cylinder
                    .is_some_and(|last| last >= CYLINDERS - 1),
                "256 cylinders or more",
            ),
            Self::EfiAsFloppy => need(
                Floppy::ALL
                    .iter()
                    .any(|floppy| floppy.length() == facts.length),
                "an EFI image of a floppy's length",
            ),
            Self::CatalogNoEfi => need(last_section_is_efi(facts.slots), "an EFI section"),
            Self::PartitionPastEnd => {
                let slot = facts.slots.get(usize::from(facts.last_slot));
                let count = slot.map_or(0, |slot| u16::from_le_bytes([slot[6], slot[7]]));
                let end = facts.last_lba.plus(BlockCount::new(count.into()));
                need(
                    end.get() > facts.end.get(),
                    "an EFI entry whose count, taken in blocks, ends past the disc",
                )
            }
            _ => Ok(()),
        }
    }
}
