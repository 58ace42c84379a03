//! `image-out-of-range`: an image that is not completely on the disc.

use super::room::Room;
use crate::{
    defect::{INITIAL, Injection, Patient},
    finding::{Finding, FindingId, Severity},
    inspect::counts::LOADABLE,
    inspect::{BootReading, EntryReading, Purpose, Reading, floppy},
    units::ByteCount,
};

const ID: FindingId = FindingId::ImageOutOfRange;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "bochs", "ovmf"],
    explanation: "A boot image begins or ends after the end of the disc.",
    consequence: "If SeaBIOS loads from there, it stops with code 000c. OVMF finds no file system. If only the end of an image is missing, it may still start.",
    remedy: "Download the image again if it was truncated. Otherwise master the disc again, for a medium that is large enough.",
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

/// Whether each image is on the disc, from its first byte to its last.
fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let file = reading.disc.length();
    let (end, of) = match reading.options.medium {
        Some(medium) if medium.bytes() < file => (medium.bytes(), "medium"),
        _ => (file, "disc"),
    };
    let entries = reading.images_of_entries();
    let finding = |(entry, boot): (&EntryReading, &BootReading)| {
        let (wrong, is_elsewhere) = wrong(reading, entry, boot, end, of)?;
        let message = format!("slot {}: {wrong}", entry.slot);
        let finding = Finding::new(ID, reading.place(entry, 8), message);
        let finding = match reading.structure_at(boot.load_rba) {
            Some(_) => finding.with_fix(NAME_THE_IMAGE),
            None => finding,
        };
        let image = reading.image_for(entry, boot).filter(|_| is_elsewhere);
        Some(match image {
            Some(image) => reading.names(finding, (entry, boot), image),
            None => finding,
        })
    };
    entries.filter_map(finding).collect()
}

const NAME_THE_IMAGE: &str = "If you did not make the disc, ask its maker for a new one. Otherwise check that the image's file is not empty, and let the mastering tool write its address.";

/// The fault, and whether the entry's address has no image.
fn wrong(
    reading: &Reading<'_, '_>,
    entry: &EntryReading,
    boot: &BootReading,
    end: ByteCount,
    of: &str,
) -> Option<(String, bool)> {
    let start = boot.load_rba;
    if start.byte_offset() >= end.get() {
        let wrong = format!(
            "the image starts at LBA {}, but the {of} has {}",
            start.get(),
            end.blocks_rounded_up()
        );
        return Some((wrong, true));
    }
    if let Some(what) = reading.structure_at(start) {
        let wrong = format!(
            "the image starts at LBA {}, where {what} is{}",
            start.get(),
            match what {
                "the boot catalog" =>
                    ": genisoimage gives an empty image file the address of the file after it",
                _ => "",
            }
        );
        return Some((wrong, true));
    }
    let (length, what) = needed(entry, boot)?;
    let image_end = start.byte_offset().saturating_add(length.get());
    // Firmware reads whole blocks, so a file may end within its last one.
    (image_end > end.blocks_rounded_up().bytes().get()).then(|| {
        let missing = ByteCount::new(image_end - end.get()).blocks_rounded_up();
        let wrong = format!("{what} ends {missing} after the end of the {of}");
        (wrong, false)
    })
}

/// How much of the disc the image needs, and the source of that.
fn needed(entry: &EntryReading, boot: &BootReading) -> Option<(ByteCount, String)> {
    let file = boot
        .file_bytes
        .zip(boot.path.as_ref())
        .map(|(length, path)| (length, format!("the file {path}")));
    // A floppy's file that is shorter than the floppy has its own finding.
    let own = boot
        .own_length
        .filter(|_| floppy(boot.media).is_none() || file.is_none())
        .map(|length| (length.bytes(), format!("the image of {length}")));
    // A count larger than memory has its own finding.
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

fn inject(disc: &mut Patient<'_>) {
    let past_end = disc.past_end().to_le_bytes();
    disc.patch(INITIAL, 8, &past_end);
}
