//! Entries for a BIOS: what is loaded, and where; floppies, hard disks, isolinux.

use std::collections::BTreeMap;

use super::{
    Examination, Purpose, Window,
    entries::{LOADABLE, WRAP},
    image::floppy,
    reading::{BootReading, EntryReading},
};
use crate::{
    boot::Floppy,
    eltorito::{BootInfoTable, MediaType},
    fat::FatVolume,
    finding::{FindingId, Place},
    iso9660::SYSTEM_AREA_BLOCKS,
    partition_table::{Mbr, MbrEntry, PartitionType},
    units::{BlockCount, ByteCount, Lba, VirtualSectorCount},
};

/// 64 KiB: where video memory and ROMs begin, as a segment.
const VIDEO_MEMORY: u16 = 0xA000;
/// The first segment behind the interrupt vectors and the BIOS's data.
const FREE_MEMORY: u16 = 0x0050;
/// Where a boot sector is linked to run: 0:7C00.
const BOOT_SEGMENTS: [u16; 2] = [0, 0x07C0];
/// What one gets who takes the address 7C00 for a segment.
const ADDRESS_FOR_SEGMENT: u16 = 0x7C00;
/// Cylinders that Bochs computes rightly.
const BOCHS_CYLINDERS: u16 = 255;
/// Cylinders that INT 13h addresses.
const CHS_CYLINDERS: u64 = 1_024;

/// Checks every entry for a BIOS.
pub(super) fn check(examination: &mut Examination<'_, '_>) {
    let mut seen: Vec<Lba> = Vec::new();
    // By image: two thousand entries may name the same one.
    let mut loaders: BTreeMap<Lba, bool> = BTreeMap::new();
    for (entry, boot) in examination.entries_for(Purpose::Bios) {
        if !boot.bootable && entry.slot != 1 {
            continue;
        }
        let on_disc = boot.extent_blocks.is_some();
        let isolinux = on_disc
            && boot.media.emulation() == MediaType::NO_EMULATION
            && *loaders
                .entry(boot.load_rba)
                .or_insert_with(|| is_isolinux(examination.disc, boot.load_rba));
        check_segment(examination, entry, boot, isolinux);
        check_count(examination, entry, boot);
        if !on_disc || seen.contains(&boot.load_rba) {
            continue;
        }
        seen.push(boot.load_rba);
        if boot.media.emulation() == MediaType::NO_EMULATION {
            check_boot_info_table(examination, entry, boot, isolinux);
        }
        if let Some(floppy) = floppy(boot.media) {
            check_floppy(examination, entry, boot, floppy);
        }
        if boot.media.emulation() == MediaType::HARD_DISK {
            check_hard_disk(examination, entry, boot);
        }
    }
}

fn check_segment(
    examination: &mut Examination<'_, '_>,
    entry: &EntryReading,
    boot: &BootReading,
    isolinux: bool,
) {
    let segment = boot.load_segment;
    let what = if segment == ADDRESS_FOR_SEGMENT {
        "7C00, which loads the image at 7C000h: the address 7C00h is segment 07C0, or 0 for short"
            .to_owned()
    } else if segment >= VIDEO_MEMORY {
        format!("{segment:04X}, where there is no memory to load to")
    } else if segment != 0 && segment < FREE_MEMORY {
        format!("{segment:04X}, where the interrupt vectors and the BIOS's data are")
    } else if isolinux && !BOOT_SEGMENTS.contains(&segment) {
        format!("{segment:04X}, and isolinux is made for 0:7C00")
    } else {
        return;
    };
    let place = examination.place(entry, 2);
    let message = format!("slot {}: the load segment is {what}", entry.slot);
    examination
        .findings
        .report(FindingId::EntryLoadSegment, place, message);
}

fn check_count(examination: &mut Examination<'_, '_>, entry: &EntryReading, boot: &BootReading) {
    let count = boot.sector_count;
    let place = examination.place(entry, 6);
    let slot = entry.slot;
    let length = boot
        .file_bytes
        .map(ByteCount::virtual_sectors_rounded_up)
        .or(boot.own_length);
    // As it is, or in whole blocks, as mkisofs counts.
    let wrapped = |length: VirtualSectorCount| {
        let in_blocks = length.blocks_rounded_up().virtual_sectors();
        let wraps =
            |length: VirtualSectorCount| length.get() >= WRAP && length.get() % WRAP == count.get();
        wraps(length) || wraps(in_blocks)
    };
    let wrapped = length.filter(|&length| wrapped(length));
    if count == VirtualSectorCount::ZERO {
        let why = wrapped.map_or_else(String::new, |length| {
            format!(", which is the image's {} modulo 65536", length.get())
        });
        examination.findings.report(
            FindingId::CountZero,
            place,
            format!("slot {slot}: the sector count is 0{why}: nothing is loaded"),
        );
        return;
    }
    if count <= LOADABLE {
        // A partial load, whatever the image's length.
        return;
    }
    if let Some(length) = wrapped {
        examination.findings.report(
            FindingId::CountWrapped,
            place,
            format!(
                "slot {slot}: the sector count {} is the image's {} modulo 65536",
                count.get(),
                length.get()
            ),
        );
        return;
    }
    let blocks = examination.disc.blocks();
    let end = boot.load_rba.plus(count.blocks_rounded_up());
    let behind = end
        .blocks_since(Lba::new(blocks.get()))
        .filter(|&behind| behind > BlockCount::ZERO)
        .map_or_else(String::new, |behind| {
            format!(
                ", {} of them behind the disc's end",
                behind.virtual_sectors()
            )
        });
    examination.findings.report(
        FindingId::CountTooLarge,
        place,
        format!(
            "slot {slot}: {count} would be loaded{behind}; up to {} are known to work",
            LOADABLE.get()
        ),
    );
}

/// How many bytes of an image are searched for the name of its loader.
const SEARCHED: usize = 32 * 1024;

fn is_isolinux(disc: &mut Window<'_>, image: Lba) -> bool {
    let mut head = vec![0; SEARCHED];
    let size = disc.read(image.byte_offset(), &mut head);
    head.truncate(size);
    let name = b"isolinux";
    memchr::memchr2_iter(b'i', b'I', &head).any(|at| {
        let word = head.get(at..at + name.len());
        word.is_some_and(|word| word.eq_ignore_ascii_case(name))
    })
}

/// Where the primary volume descriptor stands (ECMA-119 §6.2.1).
const FIRST_DESCRIPTOR: Lba = Lba::new(SYSTEM_AREA_BLOCKS.get());
/// More than any loader with a boot-info table has.
const LOADER_BYTES: u64 = 4 * 1024 * 1024;

/// isolinux must have a table. Another loader may: GRUB has room for one and does not look at it, but where it is wrong the image is not as it was
/// mastered.
fn check_boot_info_table(
    examination: &mut Examination<'_, '_>,
    entry: &EntryReading,
    boot: &BootReading,
    isolinux: bool,
) {
    let disc = &mut *examination.disc;
    let start = boot.load_rba.byte_offset();
    let Some(head) = disc.array::<64>(start) else {
        return;
    };
    let table = BootInfoTable::decode(&head);
    if !isolinux && !is_table(&table, boot) {
        return;
    }
    let mut wrong = wrong_fields(&table, boot);
    if wrong.is_empty() && table.length.get() <= LOADER_BYTES {
        let size = usize::try_from(table.length.get()).unwrap_or_default();
        let mut image = vec![0; size];
        disc.read(start, &mut image);
        let sum = BootInfoTable::sum(image.get(64..).unwrap_or_default());
        if sum != table.checksum {
            wrong.push(format!(
                "the checksum {:08X} instead of {sum:08X}",
                table.checksum
            ));
        }
    }
    if wrong.is_empty() {
        return;
    }
    let place = Place::within(boot.load_rba, BootInfoTable::START);
    let wrong = wrong.join(", ");
    let findings = &mut *examination.findings;
    if isolinux {
        let message = format!("the image is isolinux, and its boot-info table has {wrong}");
        findings.report(FindingId::BootInfoTable, place, message);
    } else {
        let message = format!(
            "slot {}: the image's boot-info table has {wrong}",
            entry.slot
        );
        findings.report_milder(FindingId::BootInfoTable, place, message);
    }
}

/// Whether an image of a loader that is not known has a table: it names the volume, and the image's address or its length.
fn is_table(table: &BootInfoTable, boot: &BootReading) -> bool {
    let is_here = table.image == boot.load_rba;
    let is_as_long = boot
        .file_bytes
        .is_some_and(|length| is_length(table, length));
    table.volume == FIRST_DESCRIPTOR && (is_here || is_as_long)
}

/// The length may be the file's or that of its blocks.
fn is_length(table: &BootInfoTable, file: ByteCount) -> bool {
    table.length == file || table.length == file.blocks_rounded_up().bytes()
}

/// What a table says that is not so, but for the checksum.
fn wrong_fields(table: &BootInfoTable, boot: &BootReading) -> Vec<String> {
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

fn check_floppy(
    examination: &mut Examination<'_, '_>,
    entry: &EntryReading,
    boot: &BootReading,
    floppy: Floppy,
) {
    let expected = floppy.length();
    let what = if let Some(length) = boot.file_bytes {
        // Four times the length has a finding of its own.
        let fourfold = ByteCount::new(expected.bytes().get() * 4);
        (length != expected.bytes() && length != fourfold).then(|| format!("its file has {length}"))
    } else {
        let start = boot.load_rba.byte_offset();
        let fat = FatVolume::at(examination.disc, start).map(|fat| fat.parameters.length());
        let room = examination.images.room(boot.load_rba);
        let disc_ends = boot.load_rba.plus(expected.blocks_rounded_up()).get()
            > examination.disc.blocks().get();
        match (fat, room) {
            (Some(fat), _) if fat != expected => Some(format!("its file system has {fat}")),
            (_, Some(room)) if room < expected.blocks_rounded_up() && !disc_ends => {
                Some(format!("something else begins {room} behind its start"))
            }
            _ => None,
        }
    };
    if let Some(what) = what {
        let place = examination.place(entry, 1);
        let message = format!(
            "slot {}: the image is to be a floppy of {floppy} ({}), and {what}",
            entry.slot,
            expected.bytes()
        );
        examination
            .findings
            .report(FindingId::FloppySize, place, message);
    }
}

fn check_hard_disk(
    examination: &mut Examination<'_, '_>,
    entry: &EntryReading,
    boot: &BootReading,
) {
    let image = boot.load_rba;
    let Some(sector) = examination.disc.array(image.byte_offset()) else {
        return;
    };
    let table = Mbr::decode(&sector);
    let slot = entry.slot;
    if !table.signature {
        examination.findings.report(
            FindingId::MbrSignature,
            Place::within(image, 510),
            format!(
                "slot {slot}: the hard disk's first sector ends with {:02X} {:02X}, not 55 AA",
                sector[510], sector[511]
            ),
        );
    }
    let partitions = table.entries.iter().enumerate();
    let used: Vec<_> = partitions
        .filter(|(_, entry)| entry.kind != PartitionType::EMPTY)
        .collect();
    let at = |index: usize| Place::within(image, MbrEntry::at(index));
    let problem = match used[..] {
        [(0, _)] => None,
        [] => Some("no partition".to_owned()),
        [(index, _)] => Some(format!(
            "its only partition in slot {index} of the table, not 0"
        )),
        _ => Some(format!("{} partitions, and one is allowed", used.len())),
    };
    if let Some(problem) = problem {
        examination.findings.report(
            FindingId::HardDiskPartitionSlot,
            at(used.first().map_or(0, |&(index, _)| index)),
            format!("slot {slot}: the hard disk has {problem}"),
        );
    }
    let Some(&(index, partition)) = used.first() else {
        return;
    };
    if partition.kind.0 != boot.system_type {
        let place = examination.place(entry, 4);
        let message = format!(
            "slot {slot}: the entry's system type is {:02X}, and the partition's type is {:02X}",
            boot.system_type, partition.kind.0
        );
        examination
            .findings
            .report(FindingId::HardDiskSystemType, place, message);
    }
    let (cylinders, heads, sectors) = partition.geometry();
    let reach = CHS_CYLINDERS * u64::from(heads) * u64::from(sectors);
    let what = if partition.end().get() > reach && reach > 0 {
        format!(
            "its partition ends behind sector {}, and 1024 cylinders of {heads} heads and {sectors} sectors reach {reach}",
            partition.end().get()
        )
    } else if cylinders > BOCHS_CYLINDERS {
        format!("it has {cylinders} cylinders, and Bochs computes more than 255 wrongly")
    } else {
        return;
    };
    examination.findings.report(
        FindingId::HardDiskCylinders,
        at(index),
        format!("slot {slot}: the hard disk has too many cylinders: {what}"),
    );
}
