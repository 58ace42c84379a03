//! `floppy-size`: a floppy image that is not as long as its floppy, or is formatted for another one.

use super::{
    recipe::declared::{bsdtar, genisoimage, xorriso},
    room::Room,
};
use crate::{
    boot::{Boot, Emulation, Floppy},
    bytes::le16,
    defect::{Injection, Lack, need},
    fat::FatVolume,
    finding::{Finding, FindingId, Severity},
    inspect::{BootReading, EntryReading, Reading, floppy},
    size::Size,
    units::ByteCount,
};

const ID: FindingId = FindingId::FloppySize;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["tools", "seabios", "bochs"],
    explanation: "A floppy image does not have the length of its floppy (1,200, 1,440 or 2,880 KiB), or its file system is for a floppy with another number of sectors per track.",
    consequence: "Tools refuse it. At the end of an image that is too short, a BIOS reads whatever follows it on the disc. With other sectors per track, a boot sector reads the wrong sectors: syslinux prints Boot error.",
    remedy: "Pad the image to the size of its floppy, or write the media type that fits. If the file system is for another floppy, format a floppy of the right size and copy its files.",
    recipes: &[
        xorriso("truncate"),
        genisoimage("truncate"),
        bsdtar("truncate"),
    ],
    check,
    defect: Some(Injection {
        express: fits,
        // This is the image's length.
        in_image: Some(|_, _| {}),
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let images: Vec<_> = reading.bios_images().collect();
    for (entry, boot) in images {
        let Some(floppy) = floppy(boot.media) else {
            continue;
        };
        if let Some(what) = wrong(reading, boot, floppy) {
            let message = format!(
                "slot {}: the image should be a floppy of {floppy} ({}), but {what}",
                entry.slot,
                floppy.length().bytes()
            );
            let finding = Finding::new(ID, reading.place(entry, 1), message);
            findings.push(fixed(reading, finding, entry, boot));
        }
    }
    findings
}

/// The fix is the media type that the image was made for, with its count.
fn fixed(
    reading: &mut Reading<'_, '_>,
    finding: Finding,
    entry: &EntryReading,
    boot: &BootReading,
) -> Finding {
    let Some(media) = reading
        .right_media(boot)
        .filter(|media| *media != boot.media.emulation())
    else {
        return finding;
    };
    let Some(count) = reading.right_bios_count(boot, media) else {
        return finding;
    };
    let (type_at, count_at) = (finding.offset, reading.place(entry, 6).offset);
    let flags = boot.media.0 & 0xF0;
    finding
        .fixed_by(type_at, &[flags | media.0])
        .fixed_by(count_at, &count.to_le_bytes())
}

fn wrong(reading: &mut Reading<'_, '_>, boot: &BootReading, floppy: Floppy) -> Option<String> {
    let expected = floppy.length();
    if let Some(length) = boot.file_bytes {
        // Four times the length has its own finding.
        let fourfold = ByteCount::new(expected.bytes().get() * 4);
        if length != expected.bytes() && length != fourfold {
            return Some(format!("its file has {length}"));
        }
        return other_geometry(reading, boot, floppy);
    }
    let start = boot.load_rba.byte_offset();
    let fat = FatVolume::at(reading.disc, start).map(|fat| fat.parameters.length());
    let room = reading.images.room(boot.load_rba);
    let blocks = expected.blocks_rounded_up();
    let disc_ends = boot.load_rba.plus(blocks).get() > reading.disc.blocks().get();
    match (fat, room) {
        (Some(fat), _) if fat != expected => Some(format!("its file system has {fat}")),
        (_, Some(room)) if room < blocks && !disc_ends => {
            Some(format!("something else begins {room} after its start"))
        }
        _ => None,
    }
}

/// A boot sector that reads by its own sectors per track and heads, where the drive that is emulated has others.
fn other_geometry(
    reading: &mut Reading<'_, '_>,
    boot: &BootReading,
    floppy: Floppy,
) -> Option<String> {
    let start = boot.load_rba.byte_offset();
    FatVolume::at(reading.disc, start)?;
    let sector: [u8; 512] = reading.disc.array(start)?;
    // GRUB's asks the BIOS.
    if sector[510..] != [0x55, 0xAA] || memchr::memmem::find(&sector, b"GRUB").is_some() {
        return None;
    }
    let (track, heads) = (le16(&sector, 24), le16(&sector, 26));
    let is_right = track == floppy.sectors_per_track() && heads == 2;
    (track > 0 && heads > 0 && !is_right).then(|| {
        format!(
            "its file system is for a floppy with {track} sectors per track and {heads} heads, not {} and 2",
            floppy.sectors_per_track()
        )
    })
}

fn fits(boot: &mut Boot, _: &mut Option<Size>) -> Result<(), Lack> {
    need(
        matches!(boot.mode.bios(), Some(Emulation::Floppy(_))),
        "a floppy",
    )
}
