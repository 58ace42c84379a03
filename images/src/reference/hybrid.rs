//! The system area of a disc that is a disk too: a partition table, and code that tests the BIOS image from a disk.

use super::{NotMastered, Plan, layout::Layout};
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

/// The probe's second stage: behind the place of a primary GUID partition table, whether or not there is one.
const STAGE2_AT: VirtualSector = VirtualSector::new(34);
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
        Some((image, &lba)) => write_code(bytes, image, lba)?,
        None => bytes.write_at(0, &NOTHING_FOR_BIOS),
    }
    let last = plan.images.last().zip(layout.images.last());
    let esp = last
        .filter(|(image, _)| image.loader.is_some())
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

/// Stage 1 in the master boot record, stage 2 behind it. Both read by the disk's own sectors, and the image under
/// test is that of the BIOS entry, which so stays the same on a CD.
fn write_code(bytes: &mut SparseBytes, image: &BootImage, lba: Lba) -> Result<(), NotMastered> {
    let assembled = |error| NotMastered::Image(ImageError::Assemble(error));
    let stage2 = bios::stage2(Drive::Disk(sector_of(lba)), &image.plan).map_err(assembled)?;
    let room = SYSTEM_AREA_BLOCKS.virtual_sectors();
    let sectors = VirtualSectorCount::new(crate::boot_image::stage2_sectors(&stage2).into());
    let needed = VirtualSectorCount::new(STAGE2_AT.get()).plus(sectors);
    if needed > room {
        return Err(NotMastered::Image(ImageError::TooShort {
            length: room,
            needed,
        }));
    }
    let disk = Drive::Disk(VirtualSector::new(0));
    let count = sectors.to_u16().unwrap_or(u16::MAX);
    let stage1 = bios::stage1(disk, 0, STAGE2_AT, count).map_err(assembled)?;
    bytes.write_at(0, &stage1);
    bytes.write_at(STAGE2_AT.byte_offset(), &stage2);
    Ok(())
}
