//! The system area of a disc that is a disk too: a partition table, and code that tests the BIOS image from a disk.

use super::{entries::Plan, layout::Layout, not_mastered::NotMastered};
use crate::{
    boot::{Boot, Hybrid},
    boot_image::{BootImage, ImageError},
    iso9660::SYSTEM_AREA_BLOCKS,
    partition_table::{Gpt, GptEntry, Guid, MbrEntry, PartitionType},
    probe::{
        DiscHash,
        bios::{self, Drive},
    },
    sparse::SparseBytes,
    units::{Lba, VirtualSector, VirtualSectorCount},
};

/// `INT 18h`, then a halt: a disk with nothing for the BIOS gives control back.
const NOTHING_FOR_BIOS: [u8; 5] = [0xCD, 0x18, 0xF4, 0xEB, 0xFD];

/// Writes the system area.
pub(super) fn write(
    bytes: &mut SparseBytes,
    disc: DiscHash,
    hybrid: Hybrid,
    boot: &Boot,
    plan: &Plan,
    layout: &Layout,
) -> Result<(), NotMastered> {
    let disk = layout.end.virtual_sectors();
    let bios = plan.images.first().zip(layout.images.first());
    match bios.filter(|_| boot.mode.bios().is_some()) {
        Some((image, _)) => bytes.write_at(0, &boot_code(image)?),
        None => bytes.write_at(0, &NOTHING_FOR_BIOS),
    }
    let last = plan.images.last().zip(layout.images.last());
    let esp = last
        .filter(|(image, _)| image.is_efi())
        .map(|(image, &lba)| (lba, image.length()));
    bytes.write_at(MbrEntry::SIGNATURE, &[0x55, 0xAA]);
    match (hybrid, esp) {
        (Hybrid::Gpt, Some((lba, length))) => {
            bytes.write_at(MbrEntry::TABLE, &MbrEntry::protective(disk).encode());
            let first = sector_of(lba);
            let end = VirtualSectorCount::new(first.get()).plus(length);
            let gpt = Gpt {
                disk,
                id: Guid::of(disc.bits(), 0),
                // The probe's second stage stands before it.
                first_usable: VirtualSector::new(SYSTEM_AREA_BLOCKS.virtual_sectors().get()),
                partitions: vec![GptEntry {
                    kind: Guid::EFI_SYSTEM,
                    id: Guid::of(disc.bits(), 1),
                    first,
                    last: end.last().unwrap_or_default(),
                    attributes: 0,
                    name: "EFI system partition",
                }],
            };
            for (at, piece) in gpt.encode() {
                bytes.write_at(at.byte_offset(), &piece);
            }
        }
        _ => bytes.write_at(MbrEntry::TABLE, &shared_table(disk, esp)),
    }
    Ok(())
}

/// The partition table of a disc whose partitions are the disc itself and what lies in it, as isohybrid has it.
///
/// EDK2 refuses a table whose entries overlap (`Mbr.c`, `PartitionValidMbr`), and passes over those of type 00. So the
/// entry of the whole disc, which some BIOSes want to see active, is of type 00 beside that of an EFI system partition.
pub(crate) fn shared_table(
    disk: VirtualSectorCount,
    esp: Option<(Lba, VirtualSectorCount)>,
) -> Vec<u8> {
    let kind = match esp {
        Some(_) => PartitionType::EMPTY,
        None => PartitionType::WHOLE_DISC,
    };
    let whole = MbrEntry::linear(kind, VirtualSector::new(0), disk).active();
    let esp = esp
        .map(|(lba, length)| MbrEntry::linear(PartitionType::EFI_SYSTEM, sector_of(lba), length));
    let entries = [Some(whole), esp].into_iter().flatten();
    entries.flat_map(|entry| entry.encode()).collect()
}

fn sector_of(lba: Lba) -> VirtualSector {
    let before = crate::units::BlockCount::new(lba.get());
    VirtualSector::new(before.virtual_sectors().get())
}

/// Stage 1 for the master boot record. It finds the BIOS image by the disc's own catalog and starts the stage 2 in it, so that
/// it is the same wherever the image stands and whoever masters the disc: at most 440 bytes, behind which a GUID partition table's
/// record has a signature and the partition entries.
pub(super) fn boot_code(image: &BootImage) -> Result<Vec<u8>, NotMastered> {
    let assembled = |error| NotMastered::Image(ImageError::Assemble(error));
    let stage2 = image
        .plan
        .structured
        .checked_sub(VirtualSectorCount::new(1));
    let sectors = stage2.unwrap_or_default().to_u16().unwrap_or(u16::MAX);
    bios::stage1(Drive::Disk, 0, VirtualSector::new(1), sectors).map_err(assembled)
}
