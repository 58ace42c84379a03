//! A disc held against what was asked for, by its bytes.

use std::{io, path::Path};

use images::{
    boot::{Boot, Emulation, Hybrid},
    boot_image::BootImage,
    eltorito::{BOOT_RECORD_LBA, BootInfoTable, MediaType, Platform, RawBootRecord, RawValidation},
    inspect::{BootReading, DiscFile, EntryReading, Inspection, Options, Window, inspect},
    iso9660::SYSTEM_AREA_BLOCKS,
    reference::Contents,
    units::{BLOCK_BYTES, BlockCount, ByteCount, Lba, VIRTUAL_SECTOR_BYTES},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cell::Recipe;

/// A field with a wrong value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Its name in the specification; or the id of a finding (docs/findings.md).
    pub field: String,
    /// A sentence with the actual and the expected value.
    pub sentence: String,
}

impl Fault {
    fn new(field: impl Into<String>, is: impl ToString, should: impl ToString) -> Self {
        let (field, is, should) = (field.into(), is.to_string(), should.to_string());
        let sentence = format!("{field} is {is}, not {should}");
        Self { field, sentence }
    }

    fn missing(field: impl Into<String>, what: impl ToString) -> Self {
        Self {
            field: field.into(),
            sentence: what.to_string(),
        }
    }
}

/// What of a disc is not as it was asked for; nothing for a disc that is right.
///
/// # Errors
/// The host cannot read the file, or nobody could make such a disc.
pub fn judge(recipe: &Recipe, iso: &Path) -> io::Result<Vec<Fault>> {
    let (id, boot) = (recipe.id.as_str(), &recipe.boot);
    let contents = Contents::new(id, recipe.medium, boot, recipe.size).map_err(io::Error::other)?;
    let load_sectors = contents.load_sectors().map_err(io::Error::other)?;
    let file = DiscFile::open(iso).map_err(io::Error::other)?;
    let mut disc = Window::new(&file);
    let inspection = inspect(&mut disc, &Options::default()).map_err(io::Error::other)?;
    let mut judge = Judge {
        disc,
        boot,
        faults: Vec::new(),
    };
    judge.catalog(&inspection);
    judge.entries(&inspection, contents.images(), load_sectors);
    judge.partitions(&inspection, contents.images());
    // An error names the field better than its consequences do.
    if judge.faults.is_empty() {
        let errors = inspection.errors();
        let errors = errors.map(|error| Fault::missing(error.id.to_string(), &error.message));
        judge.faults.extend(errors);
    }
    Ok(judge.faults)
}

struct Judge<'a> {
    disc: Window<'a>,
    boot: &'a Boot,
    faults: Vec<Fault>,
}

impl Judge<'_> {
    fn hold(&mut self, field: impl Into<String>, is: impl ToString, should: impl ToString) {
        let (is, should) = (is.to_string(), should.to_string());
        if is != should {
            self.faults.push(Fault::new(field, is, should));
        }
    }

    /// The way to the catalog, and its validation entry.
    fn catalog(&mut self, inspection: &Inspection) {
        if inspection.volume.is_none() {
            let what = "no primary volume descriptor stands at LBA 16";
            self.faults
                .push(Fault::missing("primary volume descriptor", what));
            return;
        }
        let Some(record) = inspection.boot_records.first() else {
            let what = "no boot record stands among the volume descriptors";
            self.faults.push(Fault::missing("boot record", what));
            return;
        };
        self.hold("LBA of the boot record", record.lba, BOOT_RECORD_LBA);
        let raw = self.disc.block(record.lba);
        if let Some(raw) = raw.and_then(|block| RawBootRecord::decode(&block)) {
            self.hold("version of the boot record", raw.version, 1);
            let byte = |byte| format!("{byte:02X}");
            let field = "byte 1Eh of the boot record, behind its identifier,";
            self.hold(field, byte(raw.padding), byte(0));
        }
        let Some(validation) = self.disc.array(record.catalog.byte_offset()) else {
            let what = format!(
                "LBA of the boot catalog is {}, and the disc has {}",
                record.catalog,
                self.disc.blocks()
            );
            self.faults.push(Fault::missing("boot catalog", what));
            return;
        };
        let validation = RawValidation::decode(&validation);
        let word = |word| format!("{word:04X}");
        let byte = |byte| format!("{byte:02X}");
        let key = |[first, last]: [u8; 2]| format!("{first:02X} {last:02X}");
        let header = RawValidation::HEADER;
        self.hold(
            "header id of the validation entry",
            byte(validation.header),
            byte(header),
        );
        self.hold(
            "sum of the validation entry's words, which its checksum makes,",
            word(validation.word_sum),
            word(0),
        );
        self.hold(
            "key of the validation entry",
            key(validation.key),
            key(RawValidation::KEY),
        );
    }

    /// Each boot image has its entry, in the order in which they were asked for.
    fn entries(
        &mut self,
        inspection: &Inspection,
        images: &[BootImage],
        load_sectors: Option<u16>,
    ) {
        if inspection.catalog.is_none() {
            return;
        }
        let bootable = inspection.entries().filter(|(_, boot)| boot.bootable);
        let entries: Vec<(&EntryReading, &BootReading)> = bootable.collect();
        self.hold("number of bootable entries", entries.len(), images.len());
        let last = images.len().saturating_sub(1);
        for (index, (&(entry, boot), image)) in entries.iter().zip(images).enumerate() {
            let count = load_sectors.filter(|_| index == last);
            self.entry(entry, boot, image, count);
            self.image(entry, boot, image);
        }
    }

    fn entry(
        &mut self,
        entry: &EntryReading,
        boot: &BootReading,
        image: &BootImage,
        count: Option<u16>,
    ) {
        let of = |field: &str| format!("{field} of slot {}", entry.slot);
        let efi = image.is_efi();
        let platform = if efi { Platform::EFI } else { Platform::X86 };
        self.hold(of("platform"), entry.platform, platform);
        let emulation = self.boot.mode.bios().filter(|_| !efi);
        let media = emulation.map_or(MediaType::NO_EMULATION, Emulation::media_type);
        self.hold(of("boot media type"), boot.media, media);
        let segment = self.boot.segment.filter(|_| !efi).unwrap_or(0);
        // 0 means 07C0.
        let ordinary = |segment: u16| if segment == 0 { 0x07C0 } else { segment };
        let word = |word: u16| format!("{word:04X}");
        self.hold(
            of("load segment"),
            word(ordinary(boot.load_segment)),
            word(ordinary(segment)),
        );
        if let Some(count) = count {
            let field = of("sector count (in units of 512 bytes)");
            self.hold(field, boot.sector_count.get(), count);
        }
    }

    /// The image stands whole where its entry points to.
    fn image(&mut self, entry: &EntryReading, boot: &BootReading, image: &BootImage) {
        let table = self.boot.boot_info.is_some_and(|_| !image.is_efi());
        let of = |field: &str| format!("{field} of slot {}", entry.slot);
        match self.first_difference(boot.load_rba, image, table) {
            None => {}
            Some(Difference::End(bytes)) => {
                let (is, should) = (ByteCount::new(bytes), image.bytes.len());
                let field = of("length of the boot image");
                self.hold(field, is.get(), should);
            }
            Some(Difference::Byte { at, is, should }) => {
                let stands = (at < VIRTUAL_SECTOR_BYTES)
                    .then(|| self.find(image, table))
                    .flatten();
                if let Some(stands) = stands.filter(|&stands| stands != boot.load_rba) {
                    let field = of("load RBA (in blocks of 2048 bytes)");
                    self.hold(field, boot.load_rba.get(), stands.get());
                } else {
                    let field = format!("byte {at} of the boot image of slot {}", entry.slot);
                    self.hold(field, format!("{is:02X}"), format!("{should:02X}"));
                }
                return;
            }
        }
        if table {
            self.boot_info_table(entry, boot.load_rba, image);
        }
    }

    fn boot_info_table(&mut self, entry: &EntryReading, load_rba: Lba, image: &BootImage) {
        let Some(head) = self.disc.array(load_rba.byte_offset()) else {
            return;
        };
        let is = BootInfoTable::decode(&head);
        let behind = image.bytes.len().saturating_sub(BootInfoTable::END);
        let mut rest = vec![0; usize::try_from(behind).unwrap_or_default()];
        image.bytes.read_at(BootInfoTable::END, &mut rest);
        let of = |field: &str| format!("{field} in the boot-info table of slot {}", entry.slot);
        let volume = Lba::new(SYSTEM_AREA_BLOCKS.get());
        self.hold(of("LBA of the volume descriptor"), is.volume, volume);
        self.hold(of("LBA of the boot file"), is.image, load_rba);
        let length = image.bytes.len();
        self.hold(of("length of the boot file"), is.length.get(), length);
        let hex = |sum: u32| format!("{sum:08X}");
        let should = hex(BootInfoTable::sum(&rest));
        self.hold(of("checksum"), hex(is.checksum), should);
    }

    fn first_difference(&mut self, at: Lba, image: &BootImage, table: bool) -> Option<Difference> {
        const CHUNK: u64 = 64 << 10;
        let length = image.bytes.len();
        let (mut is, mut should) = (vec![0; CHUNK as usize], vec![0; CHUNK as usize]);
        let mut offset = 0;
        while offset < length {
            let size = usize::try_from(CHUNK.min(length - offset)).unwrap_or_default();
            let (is, should) = (is.get_mut(..size)?, should.get_mut(..size)?);
            let read = self.disc.read(at.byte_offset().saturating_add(offset), is);
            image.bytes.read_at(offset, should);
            for (number, (&is, &should)) in (offset..).zip(is.iter().zip(should.iter()).take(read))
            {
                if is != should && !(table && is_in_table(number)) {
                    return Some(Difference::Byte {
                        at: number,
                        is,
                        should,
                    });
                }
            }
            if read < size {
                return Some(Difference::End(offset.saturating_add(read as u64)));
            }
            offset += size as u64;
        }
        None
    }

    /// Where the image's first virtual sector stands at the beginning of a block.
    fn find(&mut self, image: &BootImage, table: bool) -> Option<Lba> {
        let first: [u8; VIRTUAL_SECTOR_BYTES as usize] = image.bytes.array_at(0);
        let same = |block: [u8; BLOCK_BYTES as usize]| {
            let mut bytes = (0..).zip(first.iter().zip(&block));
            bytes.all(|(number, (one, other))| one == other || table && is_in_table(number))
        };
        (0..self.disc.blocks().get())
            .map(Lba::new)
            .find(|&lba| self.disc.block(lba).is_some_and(same))
    }

    /// The tables of a disc that is a disk too name the image for UEFI.
    fn partitions(&mut self, inspection: &Inspection, images: &[BootImage]) {
        let Some(hybrid) = self.boot.hybrid else {
            return;
        };
        let read = &inspection.partitions;
        if !read.signature {
            let what = "the first sector does not end with 55 AA";
            self.faults
                .push(Fault::missing("signature of the master boot record", what));
        }
        let efi = images.iter().position(|image| image.is_efi());
        let mut bootable = inspection.entries().filter(|(_, boot)| boot.bootable);
        let Some((_, boot)) = efi.and_then(|index| bootable.nth(index)) else {
            return;
        };
        let should = BlockCount::new(boot.load_rba.get()).virtual_sectors().get();
        let (field, is) = match hybrid {
            Hybrid::Mbr => (
                "first sector of the EFI system partition in the master boot record",
                read.mbr
                    .iter()
                    .find(|partition| partition.kind == EFI_SYSTEM)
                    .map(|partition| partition.first),
            ),
            Hybrid::Gpt => (
                "first sector of the EFI system partition in the GUID partition table",
                read.gpt
                    .iter()
                    .flatten()
                    .find(|partition| partition.esp)
                    .map(|partition| partition.first),
            ),
        };
        match is {
            Some(is) => self.hold(field, is.get(), should),
            None => self
                .faults
                .push(Fault::missing(field, "there is no EFI system partition")),
        }
    }
}

/// The type byte of an EFI system partition (UEFI §5.2.2).
const EFI_SYSTEM: u8 = 0xEF;

/// Where an image on a disc is another than the one that was given.
enum Difference {
    /// The disc ends after so many bytes of it.
    End(u64),
    /// A byte of it.
    Byte { at: u64, is: u8, should: u8 },
}

fn is_in_table(byte: u64) -> bool {
    (BootInfoTable::START..BootInfoTable::END).contains(&byte)
}
