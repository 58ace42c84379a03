//! What holds for the entries of every platform.

use super::{
    Examination, Purpose, entries,
    image::floppy,
    reading::{BootReading, EntryKind, EntryReading},
};
use crate::{
    eltorito::{BOOT_RECORD_LBA, MediaType},
    finding::{FindingId, Place},
    iso9660::SYSTEM_AREA_BLOCKS,
    units::{BlockCount, ByteCount, Lba, VirtualSectorCount},
};

/// The most that SeaBIOS was seen to load without overwriting itself.
pub(super) const LOADABLE: VirtualSectorCount = VirtualSectorCount::new(1_800);
/// The first count that a 16-bit field cannot hold.
pub(super) const WRAP: u64 = 65_536;

/// Checks every entry.
pub(super) fn check(examination: &mut Examination<'_, '_>) {
    let catalog = examination.catalog;
    let mut seen: Vec<Lba> = Vec::new();
    for (entry, boot) in entries(Some(catalog)) {
        check_indicator(examination, entry, boot);
        check_media(examination, entry, boot);
        // Several entries may share an image: once is enough.
        if !seen.contains(&boot.load_rba) && (boot.bootable || entry.kind == EntryKind::Initial) {
            seen.push(boot.load_rba);
            check_range(examination, entry, boot);
            check_quarter(examination, boot);
        }
    }
}

fn check_indicator(
    examination: &mut Examination<'_, '_>,
    entry: &EntryReading,
    boot: &BootReading,
) {
    if entry.kind == EntryKind::Initial && !boot.bootable {
        let place = examination.place(entry, 0);
        let byte = examination
            .disc
            .array::<1>(place.offset)
            .unwrap_or_default();
        examination.findings.report(
            FindingId::EntryNotBootable,
            place,
            format!(
                "the initial entry's boot indicator is {:02X}, not 88",
                byte[0]
            ),
        );
    }
}

fn check_media(examination: &mut Examination<'_, '_>, entry: &EntryReading, boot: &BootReading) {
    let reserved = match entry.kind {
        EntryKind::Initial => 0xF0,
        // Bits 5 to 7 of a section entry say what follows and what is in the image (El Torito §2.4).
        _ => 0x10,
    };
    let byte = boot.media.0;
    let what = if boot.media.emulation().0 > MediaType::HARD_DISK.0 {
        format!("the media type is {byte:02X}, and 0 to 4 exist")
    } else if byte & reserved != 0 {
        format!("the media type is {byte:02X}: reserved bits are set")
    } else {
        return;
    };
    let place = examination.place(entry, 1);
    let message = format!("slot {}: {what}", entry.slot);
    examination
        .findings
        .report(FindingId::EntryMediaType, place, message);
}

/// Whether the image is on the disc, from its first byte to its last.
fn check_range(examination: &mut Examination<'_, '_>, entry: &EntryReading, boot: &BootReading) {
    let file = examination.disc.length();
    let (end, of) = match examination.options.medium {
        Some(medium) if medium.bytes() < file => (medium.bytes(), "medium"),
        _ => (file, "disc"),
    };
    let start = boot.load_rba;
    let place = examination.place(entry, 8);
    if start.byte_offset() >= end.get() {
        let message = format!(
            "slot {}: the image starts at LBA {}, and the {of} has {}",
            entry.slot,
            start.get(),
            end.blocks_rounded_up()
        );
        examination
            .findings
            .report(FindingId::ImageOutOfRange, place, message);
        return;
    }
    if let Some(what) = structure_at(examination, start) {
        let message = format!(
            "slot {}: the image starts at LBA {}, where {what} stands",
            entry.slot,
            start.get()
        );
        examination
            .findings
            .report(FindingId::ImageOutOfRange, place, message);
        return;
    }
    let Some((length, what)) = needed(entry, boot) else {
        return;
    };
    let image_end = start.byte_offset().saturating_add(length.get());
    // Firmware reads whole blocks; that a file ends within its last one harms nobody.
    if image_end > end.blocks_rounded_up().bytes().get() {
        let missing = ByteCount::new(image_end - end.get()).blocks_rounded_up();
        let message = format!(
            "slot {}: {what} ends {missing} behind the end of the {of}",
            entry.slot
        );
        examination
            .findings
            .report(FindingId::ImageOutOfRange, place, message);
    }
}

/// What stands at a block that is no place for a boot image: the descriptors, the catalog, the root directory.
fn structure_at(examination: &Examination<'_, '_>, lba: Lba) -> Option<&'static str> {
    let descriptors = SYSTEM_AREA_BLOCKS.get()..=BOOT_RECORD_LBA.get();
    if descriptors.contains(&lba.get()) {
        Some("a volume descriptor")
    } else if lba == examination.catalog.lba {
        Some("the boot catalog")
    } else if Some(lba) == examination.root {
        Some("the root directory")
    } else {
        None
    }
}

/// How much of the disc the image must have, and what says so.
fn needed(entry: &EntryReading, boot: &BootReading) -> Option<(ByteCount, String)> {
    let file = boot
        .file_bytes
        .zip(boot.path.as_ref())
        .map(|(length, path)| (length, format!("the file {path}")));
    // A floppy's file that is shorter than the floppy has a finding of its own.
    let own = boot
        .own_length
        .filter(|_| floppy(boot.media).is_none() || file.is_none())
        .map(|length| (length.bytes(), format!("the image of {length}")));
    // What is more than can be loaded at all is reported as that.
    let loaded = (Purpose::of(entry.platform, boot) == Purpose::Bios
        && boot.sector_count <= LOADABLE)
        .then(|| {
            let loaded = boot.sector_count.blocks_rounded_up().bytes();
            (loaded, format!("what {} load", boot.sector_count))
        });
    file.into_iter()
        .chain(own)
        .chain(loaded)
        .max_by_key(|(length, _)| *length)
}

/// Whether a defective IMAPI could not master it.
fn check_quarter(examination: &mut Examination<'_, '_>, boot: &BootReading) {
    let Some(medium) = examination.options.medium else {
        return;
    };
    let own = boot.own_length.map(VirtualSectorCount::bytes);
    let Some(length) = boot.file_bytes.max(own) else {
        return;
    };
    // A quarter of the medium's bytes.
    let quarter = medium.bytes().get() / 4;
    if length.get() > quarter {
        examination.findings.report(
            FindingId::ImageExceedsQuarter,
            Place::block(boot.load_rba),
            format!("the image has {length}, and a quarter of the medium is {quarter} bytes"),
        );
    }
}

/// The length of an image in blocks, by the file that it is or by what it says itself.
pub(super) fn blocks_of(boot: &BootReading) -> Option<BlockCount> {
    let own = boot.own_length.map(VirtualSectorCount::blocks_rounded_up);
    own.or(boot.file_bytes.map(ByteCount::blocks_rounded_up))
}
