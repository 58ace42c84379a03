//! `boot-info-table`: an isolinux without a correct boot-info table.

use super::{
    recipe::declared::{bsdtar, genisoimage, grub_mkrescue, pycdlib, xorriso},
    room::Room,
};
use crate::{
    boot::{Boot, BootInfo, Emulation},
    defect::{Injection, Lack, Patient, need},
    eltorito::{BootInfoTable as Table, MediaType},
    finding::{Finding, FindingId, Place, Severity},
    inspect::{BiosProgram, BootReading, Reading, Window, reads_table},
    iso9660::SYSTEM_AREA_BLOCKS,
    size::Size,
    units::{ByteCount, Lba},
};

/// The address of the primary volume descriptor (ECMA-119 §6.2.1).
const FIRST_DESCRIPTOR: Lba = Lba::new(SYSTEM_AREA_BLOCKS.get());
/// More than any loader with a boot-info table has.
const LOADER_BYTES: usize = 4 * 1024 * 1024;
/// Where a table has its checksum (mkisofs(8), `-boot-info-table`).
const CHECKSUM: u64 = 20;

const ID: FindingId = FindingId::BootInfoTable;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    trips: &["isolinux", "grub", "loader"],
    explanation: "A boot image that reads its own address from a boot-info table (isolinux, GRUB's El Torito image and others) has no such table, a boot image has a wrong one, or the table lies over a loader's code.",
    consequence: "isolinux stops with Image checksum error, sorry, or reads the wrong blocks; GRUB's image stops with no boot info; GRUB 0.97 reads other blocks and runs them. isolinux 6 boots with the table that it was shipped with. Other loaders do not use the table, but a wrong one shows that the image has changed since it was mastered.",
    remedy: "Download the image again if it was damaged. Otherwise let the mastering tool write the table, and do not change the image afterwards.",
    recipes: &[
        xorriso("-boot-info-table"),
        genisoimage("-boot-info-table"),
        grub_mkrescue(),
        bsdtar("boot-info-table"),
        pycdlib("boot_info_table=True"),
    ],
    check,
    defect: Some(Injection {
        express,
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

const NO_TABLE: &str = "If you did not make the disc, ask its maker for a new one. Otherwise master it without -boot-info-table, or begin the loader with a jump over bytes 8 to 63.";

/// isolinux and GRUB's image must have a table. Another loader may have one: if it is wrong, the image changed after mastering.
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
        let is_read = program == BiosProgram::Unknown
            && !table.image_is_right(boot)
            && reads_table(reading.disc, boot.load_rba.byte_offset());
        let is_needed = program.is_isolinux() || program == BiosProgram::Grub || is_read;
        let wrong = table.wrong(boot);
        if wrong.is_empty()
            && program == BiosProgram::Unknown
            && !reads_table(reading.disc, boot.load_rba.byte_offset())
            && runs_into_table(reading.disc, boot)
        {
            let message = format!(
                "slot {}: the boot-info table lies over the loader's code: before byte 8 the code does not jump, so it runs into the table",
                entry.slot
            );
            let place = Place::within(boot.load_rba, Table::START);
            let mut finding = Finding::new(ID, place, message).with_fix(NO_TABLE).milder();
            finding.trips = vec!["loader".to_owned()];
            findings.push(finding);
            continue;
        }
        if wrong.is_empty() || !(is_needed || is_table(&table.fields, boot)) {
            continue;
        }
        let place = Place::within(boot.load_rba, Table::START);
        let warning = if table.is_right_but_for_its_checksum(boot) {
            "; if the image itself is damaged, correcting the checksum makes isolinux start the damaged image"
        } else {
            ""
        };
        // What stands there before a tool writes a table, such as GRUB 0.97's DEADBEEFh.
        let has_none = table.fields.image.byte_offset() >= reading.disc.length().get();
        let wrong = wrong.join(", ");
        let (message, stops) = match program {
            BiosProgram::Isolinux(_) if table.is_as_shipped(boot) => (
                format!(
                    "the image is isolinux with the boot-info table that it was shipped with ({wrong}): version 6 boots without it, older versions stop"
                ),
                false,
            ),
            BiosProgram::Isolinux(_) => (
                format!("the image is isolinux, and its boot-info table has {wrong}{warning}"),
                true,
            ),
            BiosProgram::Grub => (
                format!("the image is GRUB's for El Torito, and its boot-info table has {wrong}"),
                // It reads only these two (`grub-core/boot/i386/pc/cdboot.S`).
                !(table.image_is_right(boot) && table.length_is_right(boot)),
            ),
            // It would read from there.
            _ if is_read && has_none => (
                format!(
                    "slot {}: the image's loader reads its own address from a boot-info table, and the image has none",
                    entry.slot
                ),
                true,
            ),
            _ if is_read => (
                format!(
                    "slot {}: the image's loader reads its own address from a boot-info table, and that has {wrong}",
                    entry.slot
                ),
                true,
            ),
            _ => (
                format!(
                    "slot {}: the image's boot-info table has {wrong}",
                    entry.slot
                ),
                false,
            ),
        };
        let fixed = table.fixed(reading, boot);
        let finding = Finding::new(ID, place, message)
            .fixed_by_all(fixed.map(|table| (place.offset, table.encode())));
        let mut finding = if stops { finding } else { finding.milder() };
        let who = match program {
            // It does not check the checksum, and runs what the image has become.
            BiosProgram::Grub if stops || table.is_right_but_for_its_checksum(boot) => Some("grub"),
            _ if !stops => None,
            BiosProgram::Isolinux(_) => Some("isolinux"),
            _ => Some("loader"),
        };
        finding.trips = who.into_iter().map(str::to_owned).collect();
        findings.push(finding);
    }
    findings
}

/// Whether an image begins with code that reaches the place of the table: none of its first eight bytes can be part of an instruction that goes elsewhere.
fn runs_into_table(disc: &mut Window<'_>, boot: &BootReading) -> bool {
    let Some(start) = disc.array::<{ Table::START as usize }>(boot.load_rba.byte_offset()) else {
        return false;
    };
    // Jumps, calls, returns, interrupts, HLT and groups with jumps (Intel SDM, volume 2, appendix A).
    let may_leave = |byte: &u8| {
        matches!(
            byte,
            0x0F | 0x70..=0x7F | 0x9A | 0xC2 | 0xC3 | 0xCA..=0xCF | 0xE0..=0xE3 | 0xE8..=0xEB | 0xF4 | 0xFF
        )
    };
    start.iter().any(|&byte| byte != 0) && !start.iter().any(may_leave)
}

/// A table, and how it compares with the disc.
struct Read {
    fields: Table,
    /// Whether its volume leads to this image.
    volume_is_right: bool,
    /// The checksum of its number of bytes; `None` if the bytes are not there, or are too many.
    sum: Option<u32>,
}

impl Read {
    fn of(reading: &mut Reading<'_, '_>, boot: &BootReading) -> Option<Self> {
        let start = boot.load_rba.byte_offset();
        let fields = Table::decode(&reading.disc.array::<64>(start)?);
        let image = behind_table(reading.disc, boot.load_rba, fields.length);
        Some(Self {
            volume_is_right: fields.volume == FIRST_DESCRIPTOR
                || reading.volume_leads_to(fields.volume, boot.load_rba),
            fields,
            sum: image.map(|image| Table::sum(&image)),
        })
    }

    fn image_is_right(&self, boot: &BootReading) -> bool {
        self.fields.image == boot.load_rba
    }

    /// It is the file's length, or the loader's in a longer file: isolinux loads that many bytes, and cannot load 1.44 MB.
    fn length_is_right(&self, boot: &BootReading) -> bool {
        let length = self.fields.length;
        boot.file_bytes.is_none_or(|file| {
            is_length(&self.fields, file) || (length < file && self.sum_is_right())
        })
    }

    fn sum_is_right(&self) -> bool {
        self.sum == Some(self.fields.checksum)
    }

    /// Whether no tool filled it in, but isolinux still finds itself: it has no image's address, but its own length and checksum.
    fn is_as_shipped(&self, boot: &BootReading) -> bool {
        let names_no_volume = self.fields.volume == Lba::default();
        self.fields.image == Lba::default()
            && (names_no_volume || self.volume_is_right)
            && self.length_is_right(boot)
            && self.sum_is_right()
    }

    fn is_right_but_for_its_checksum(&self, boot: &BootReading) -> bool {
        self.volume_is_right && self.image_is_right(boot) && self.length_is_right(boot)
    }

    /// The table as it should be; `None` if the image's length is not known.
    ///
    /// If the image is damaged, its checksum no longer matches: with this table the damaged image starts, which shows whether anything else
    /// keeps it from starting.
    fn fixed(&self, reading: &mut Reading<'_, '_>, boot: &BootReading) -> Option<Table> {
        let volume = if self.volume_is_right {
            self.fields.volume
        } else {
            reading.descriptors.main.primary.as_ref()?.0
        };
        let (length, sum) = if self.length_is_right(boot) {
            (self.fields.length, self.sum)
        } else {
            let length = boot.file_bytes?;
            let image = behind_table(reading.disc, boot.load_rba, length);
            (length, image.map(|image| Table::sum(&image)))
        };
        Some(Table {
            volume,
            image: boot.load_rba,
            length,
            checksum: sum?,
        })
    }

    /// Its wrong fields. The checksum is checked only if the rest is right.
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

/// An image of this many bytes without those before its table's end; `None` if there are fewer, or too many for a loader.
fn behind_table(disc: &mut Window<'_>, image: Lba, length: ByteCount) -> Option<Vec<u8>> {
    let before = Table::END;
    let size = usize::try_from(length.get().checked_sub(before)?).ok()?;
    if size > LOADER_BYTES {
        return None;
    }
    let mut bytes = vec![0; size];
    let read = disc.read(Place::within(image, before).offset, &mut bytes);
    (read == size).then_some(bytes)
}

/// The bytes that keep a right checksum right when bytes of the image change.
pub(super) fn checksum_with(
    reading: &mut Reading<'_, '_>,
    image: Lba,
    at: u64,
    bytes: [u8; 8],
) -> Option<(u64, Vec<u8>)> {
    let table = Table::decode(&reading.disc.array(image.byte_offset())?);
    let mut content = behind_table(reading.disc, image, table.length)?;
    if Table::sum(&content) != table.checksum {
        return None;
    }
    let from = usize::try_from(at.checked_sub(Table::END)?).ok()?;
    content.get_mut(from..from + 8)?.copy_from_slice(&bytes);
    let checksum = Table::sum(&content).to_le_bytes().to_vec();
    Some((Place::within(image, CHECKSUM).offset, checksum))
}

/// Whether an unknown loader's image has a table: it names the volume, and the image's address or its length.
fn is_table(table: &Table, boot: &BootReading) -> bool {
    let is_here = table.image == boot.load_rba;
    let is_as_long = boot
        .file_bytes
        .is_some_and(|length| is_length(table, length));
    table.volume == FIRST_DESCRIPTOR && (is_here || is_as_long)
}

/// The length may be that of the file or of its blocks.
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

/// Changes its checksum.
fn inject(disc: &mut Patient<'_>) {
    let at = disc.first.lba.byte_offset() + CHECKSUM;
    let right = u32::from_le_bytes(disc.bytes.array_at(at));
    disc.bytes
        .write_at(at, &right.wrapping_add(1).to_le_bytes());
}
