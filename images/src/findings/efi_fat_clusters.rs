//! `efi-fat-clusters`: a FAT whose layout and number of clusters disagree.

use super::{
    recipe::declared::{genisoimage, xorriso},
    room::Room,
};
use crate::{
    boot::{Boot, FatType},
    defect::{BEYOND_16_BITS, Injection, Lack, need, needs_efi},
    fat::WrongWidth,
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    inspect::efi_image::EfiImage,
    size::Size,
    sparse::SparseBytes,
    units::Lba,
};

const ID: FindingId = FindingId::EfiFatClusters;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["ovmf"],
    explanation: "The file system in an EFI image has the FAT32 layout but fewer than 65,525 clusters, or its layout and its number of clusters disagree in another way.",
    consequence: "EDK2 refuses such a file system and reports Not Found. Linux and Windows mount it, so the files look right.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise make the file system again, and let the tool choose the FAT width.",
    recipes: &[xorriso("mkfs.fat mcopy"), genisoimage("mkfs.fat mcopy")],
    replaces: &[FindingId::EfiNoLoader],
    check,
    defect: Some(Injection {
        express,
        ..Injection::in_efi_image(make_few)
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let images = reading.efi_images();
    let finding = |image: &EfiImage<'_>| {
        let what = match image.fat?.parameters.wrong_width()? {
            WrongWidth::TooFewForFat32(clusters) => {
                format!("it is FAT32 with {clusters} clusters, but FAT32 must have at least 65525")
            }
            WrongWidth::TooManyForFat16(clusters) => format!(
                "it has the FAT16 layout and {clusters} clusters, but FAT16 can have at most 65524"
            ),
        };
        let message = format!(
            "slot {}: EDK2 refuses the file system at LBA {}: {what}",
            image.entry.slot,
            image.boot.load_rba.get()
        );
        let finding = Finding::new(ID, Place::block(image.boot.load_rba), message);
        Some(finding.info_if(images.iter().any(EfiImage::works)))
    };
    images.iter().filter_map(finding).collect()
}

/// Fields in a FAT32's boot sector: sectors in a cluster, sectors before the tables, number of tables, number of sectors, and sectors in
/// a table (Microsoft FAT specification §3.1, §3.3).
const PER_CLUSTER: u64 = 0x0D;
const RESERVED: u64 = 0x0E;
const TABLES: u64 = 0x10;
const SECTORS: u64 = 0x20;
const PER_TABLE: u64 = 0x24;
/// The values that mkfs.fat -F32 gives an image of 8 MiB.
const FEW: u32 = 16_100;

fn express(boot: &mut Boot, size: &mut Option<Size>) -> Result<(), Lack> {
    needs_efi(boot, size)?;
    let fat = *boot.fat.get_or_insert(FatType::Fat32);
    need(fat == FatType::Fat32, "FAT32 (fat=32)")?;
    size.get_or_insert(BEYOND_16_BITS);
    Ok(())
}

/// The file system ends after a few clusters; nothing in it moves.
fn make_few(bytes: &mut SparseBytes, image: Lba) {
    let start = image.byte_offset();
    let byte = |at| u32::from(bytes.array_at::<1>(start + at)[0]);
    let reserved = u32::from(u16::from_le_bytes(bytes.array_at(start + RESERVED)));
    let table = u32::from_le_bytes(bytes.array_at(start + PER_TABLE));
    let sectors = reserved + byte(TABLES) * table + byte(PER_CLUSTER) * FEW;
    bytes.write_at(start + SECTORS, &sectors.to_le_bytes());
}
