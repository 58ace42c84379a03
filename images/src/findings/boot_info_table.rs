//! `boot-info-table`: an isolinux without a right boot-info table.

use super::Room;
use crate::{
    boot::{Boot, BootInfo, Emulation},
    defect::{Injection, Lack, Patient, need},
    eltorito::{BootInfoTable as Table, MediaType},
    finding::{Finding, FindingId, Place, Severity},
    inspect::{BootReading, Reading, Window},
    iso9660::SYSTEM_AREA_BLOCKS,
    size::Size,
    units::{ByteCount, Lba},
};

/// Where the primary volume descriptor stands (ECMA-119 §6.2.1).
const FIRST_DESCRIPTOR: Lba = Lba::new(SYSTEM_AREA_BLOCKS.get());
/// More than any loader with a boot-info table has.
const LOADER_BYTES: u64 = 4 * 1024 * 1024;
/// Where a table has its checksum (mkisofs(8), `-boot-info-table`).
const CHECKSUM: u64 = 20;

const ID: FindingId = FindingId::BootInfoTable;

pub(super) const ROOM: Room = Room {
    id: "boot-info-table",
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    trips: &["isolinux"],
    explanation: "isolinux has no boot-info table, or a boot image has one that is wrong.",
    consequence: "isolinux stops with Image checksum error, sorry. Other loaders, such as GRUB's, do not look; but the image is not as it was mastered, and damaged code may do anything.",
    remedy: "Fetch the image again if it was damaged; else let the mastering tool write the table, and change the image no more afterwards.",
    recipes: &[
        ("xorriso", "-boot-info-table"),
        ("genisoimage", "-boot-info-table"),
        ("bsdtar", "boot-info-table"),
        ("pycdlib", "add_eltorito(…, boot_info_table=True)"),
    ],
    check,
    defect: Some(Injection {
        express,
        inject,
        ..Injection::WORDS
    }),
};

/// isolinux must have a table. Another loader may: GRUB has room for one and does not look at it, but where it is wrong the image is not as it was
/// mastered.
fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let images: Vec<_> = reading.bios_images().collect();
    for (entry, boot) in images {
        if boot.media.emulation() != MediaType::NO_EMULATION {
            continue;
        }
        let isolinux = reading.is_isolinux(boot);
        let Some(wrong) = wrong(reading.disc, boot, isolinux) else {
            continue;
        };
        let place = Place::within(boot.load_rba, Table::START);
        findings.push(if isolinux {
            let message = format!("the image is isolinux, and its boot-info table has {wrong}");
            Finding::new(ID, place, message)
        } else {
            let message = format!(
                "slot {}: the image's boot-info table has {wrong}",
                entry.slot
            );
            Finding::new(ID, place, message).milder()
        });
    }
    findings
}

/// What is wrong with the table of an image that has one, or must have one.
fn wrong(disc: &mut Window<'_>, boot: &BootReading, isolinux: bool) -> Option<String> {
    let start = boot.load_rba.byte_offset();
    let table = Table::decode(&disc.array::<64>(start)?);
    if !isolinux && !is_table(&table, boot) {
        return None;
    }
    let mut wrong = wrong_fields(&table, boot);
    if wrong.is_empty() && table.length.get() <= LOADER_BYTES {
        let size = usize::try_from(table.length.get()).unwrap_or_default();
        let mut image = vec![0; size];
        disc.read(start, &mut image);
        let sum = Table::sum(image.get(64..).unwrap_or_default());
        if sum != table.checksum {
            wrong.push(format!(
                "the checksum {:08X} instead of {sum:08X}",
                table.checksum
            ));
        }
    }
    (!wrong.is_empty()).then(|| wrong.join(", "))
}

/// Whether an image of a loader that is not known has a table: it names the volume, and the image's address or its length.
fn is_table(table: &Table, boot: &BootReading) -> bool {
    let is_here = table.image == boot.load_rba;
    let is_as_long = boot
        .file_bytes
        .is_some_and(|length| is_length(table, length));
    table.volume == FIRST_DESCRIPTOR && (is_here || is_as_long)
}

/// The length may be the file's or that of its blocks.
fn is_length(table: &Table, file: ByteCount) -> bool {
    table.length == file || table.length == file.blocks_rounded_up().bytes()
}

/// What a table says that is not so, but for the checksum.
fn wrong_fields(table: &Table, boot: &BootReading) -> Vec<String> {
    let mut wrong = Vec::new();
    if table.volume != FIRST_DESCRIPTOR {
        wrong.push(format!(
            "the volume at LBA {} instead of {}",
            table.volume.get(),
            FIRST_DESCRIPTOR.get()
        ));
    }
    if table.image != boot.load_rba {
        wrong.push(format!(
            "the image at LBA {} instead of {}",
            table.image.get(),
            boot.load_rba.get()
        ));
    }
    let length = boot.file_bytes.filter(|&length| !is_length(table, length));
    if let Some(length) = length {
        wrong.push(format!("{} instead of {}", table.length, length.get()));
    }
    wrong
}

fn express(boot: &mut Boot, _: &mut Option<Size>) -> Result<(), Lack> {
    need(
        boot.mode.bios() == Some(Emulation::None),
        "a no-emulation image for the BIOS",
    )?;
    boot.boot_info.get_or_insert(BootInfo::Isolinux);
    Ok(())
}

/// Its checksum becomes another one.
fn inject(disc: &mut Patient<'_>) {
    let at = disc.first.lba.byte_offset() + CHECKSUM;
    let right = u32::from_le_bytes(disc.bytes.array_at(at));
    disc.bytes
        .write_at(at, &right.wrapping_add(1).to_le_bytes());
}
