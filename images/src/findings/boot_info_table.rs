//! `boot-info-table`: an isolinux without a right boot-info table.

use super::{
    Room,
    recipe::{bsdtar, genisoimage, grub_mkrescue, pycdlib, xorriso},
};
use crate::{
    boot::{Boot, BootInfo, Emulation},
    defect::{Injection, Lack, Patient, need},
    eltorito::{BootInfoTable as Table, MediaType},
    finding::{Finding, FindingId, Place, Severity},
    inspect::{BiosProgram, BootReading, Reading},
    iso9660::SYSTEM_AREA_BLOCKS,
    size::Size,
    units::{ByteCount, Lba},
};

/// Where the primary volume descriptor stands (ECMA-119 §6.2.1).
const FIRST_DESCRIPTOR: Lba = Lba::new(SYSTEM_AREA_BLOCKS.get());
/// More than any loader with a boot-info table has.
const LOADER_BYTES: usize = 4 * 1024 * 1024;
/// Where a table has its checksum (mkisofs(8), `-boot-info-table`).
const CHECKSUM: u64 = 20;

const ID: FindingId = FindingId::BootInfoTable;

pub(super) const ROOM: Room = Room {
    id: "boot-info-table",
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    trips: &["isolinux"],
    explanation: "isolinux or GRUB's El Torito image has no boot-info table, or a boot image has one that is wrong.",
    consequence: "isolinux stops with Image checksum error, sorry, or reads the wrong blocks; GRUB's image stops with no boot info. With the table that it was shipped with, isolinux 6 boots. Other loaders have no use for it; but the image is not as it was mastered.",
    remedy: "Fetch the image again if it was damaged; else let the mastering tool write the table, and change the image no more afterwards.",
    recipes: &[
        xorriso("-boot-info-table"),
        genisoimage("-boot-info-table"),
        grub_mkrescue(),
        bsdtar("boot-info-table"),
        pycdlib("boot_info_table=True"),
    ],
    replaces: &[],
    describes: false,
    check,
    defect: Some(Injection {
        express,
        inject,
        ..Injection::WORDS
    }),
};

/// isolinux and GRUB's image must have a table. Another loader may: where it is wrong the image is not as it was mastered.
fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let images: Vec<_> = reading.bios_images().collect();
    for (entry, boot) in images {
        if boot.media.emulation() != MediaType::NO_EMULATION {
            continue;
        }
        let program = reading.bios_program(boot);
        let Some(table) = Read::of(reading, boot) else {
            continue;
        };
        let is_needed = program.is_isolinux() || program == BiosProgram::Grub;
        let wrong = table.wrong(boot);
        if wrong.is_empty() || !(is_needed || is_table(&table.fields, boot)) {
            continue;
        }
        let place = Place::within(boot.load_rba, Table::START);
        let wrong = wrong.join(", ");
        let (message, stops) = match program {
            BiosProgram::Isolinux(_) if table.is_as_shipped(boot) => (
                format!(
                    "the image is isolinux with the boot-info table that it was shipped with ({wrong}): version 6 finds itself, older ones stop"
                ),
                false,
            ),
            BiosProgram::Isolinux(_) => (
                format!("the image is isolinux, and its boot-info table has {wrong}"),
                true,
            ),
            BiosProgram::Grub => (
                format!("the image is GRUB's for El Torito, and its boot-info table has {wrong}"),
                // It looks at these two alone (`grub-core/boot/i386/pc/cdboot.S`).
                !(table.image_is_right(boot) && table.length_is_right(boot)),
            ),
            _ => (
                format!(
                    "slot {}: the image's boot-info table has {wrong}",
                    entry.slot
                ),
                false,
            ),
        };
        let finding = Finding::new(ID, place, message);
        findings.push(if stops { finding } else { finding.milder() });
    }
    findings
}

/// A table, and what the disc says of it.
struct Read {
    fields: Table,
    /// Whether the volume that it names leads to this image.
    volume_is_right: bool,
    /// The checksum of as many bytes as it names; `None` where those are not there, or are too many.
    sum: Option<u32>,
}

impl Read {
    fn of(reading: &mut Reading<'_, '_>, boot: &BootReading) -> Option<Self> {
        let start = boot.load_rba.byte_offset();
        let fields = Table::decode(&reading.disc.array::<64>(start)?);
        let size = usize::try_from(fields.length.get()).unwrap_or(usize::MAX);
        let is_plausible = (64..=LOADER_BYTES).contains(&size);
        let sum = is_plausible.then(|| {
            let mut image = vec![0; size];
            reading.disc.read(start, &mut image);
            Table::sum(image.get(64..).unwrap_or_default())
        });
        Some(Self {
            volume_is_right: fields.volume == FIRST_DESCRIPTOR
                || reading.volume_leads_to(fields.volume, boot.load_rba),
            fields,
            sum,
        })
    }

    fn image_is_right(&self, boot: &BootReading) -> bool {
        self.fields.image == boot.load_rba
    }

    fn length_is_right(&self, boot: &BootReading) -> bool {
        boot.file_bytes
            .is_none_or(|length| is_length(&self.fields, length))
    }

    fn sum_is_right(&self) -> bool {
        self.sum == Some(self.fields.checksum)
    }

    /// Whether no tool filled it in, and isolinux finds itself all the same: it names no image, and its own length and checksum.
    fn is_as_shipped(&self, boot: &BootReading) -> bool {
        let names_no_volume = self.fields.volume == Lba::default();
        self.fields.image == Lba::default()
            && (names_no_volume || self.volume_is_right)
            && self.length_is_right(boot)
            && self.sum_is_right()
    }

    /// What it says that is not so. The checksum is looked at only where the rest is right.
    fn wrong(&self, boot: &BootReading) -> Vec<String> {
        let table = &self.fields;
        let mut wrong = Vec::new();
        if !self.volume_is_right {
            wrong.push(format!(
                "the volume at LBA {} instead of {}",
                table.volume.get(),
                FIRST_DESCRIPTOR.get()
            ));
        }
        if !self.image_is_right(boot) {
            wrong.push(format!(
                "the image at LBA {} instead of {}",
                table.image.get(),
                boot.load_rba.get()
            ));
        }
        if let Some(length) = boot.file_bytes.filter(|_| !self.length_is_right(boot)) {
            wrong.push(format!("{} instead of {}", table.length, length.get()));
        }
        if let Some(sum) = self
            .sum
            .filter(|_| wrong.is_empty() && !self.sum_is_right())
        {
            wrong.push(format!(
                "the checksum {:08X} instead of {sum:08X}",
                table.checksum
            ));
        }
        wrong
    }
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
