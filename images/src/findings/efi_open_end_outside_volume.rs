//! `efi-open-end-outside-volume`: an open-ended EFI image that extends past the volume.

use super::{
    recipe::declared::{genisoimage, xorriso},
    room::Room,
};
use crate::{
    boot::{Boot, Count, Place as ImagePlace},
    defect::{BEYOND_16_BITS, Injection, Lack, need},
    finding::{Finding, FindingId, Severity},
    inspect::{BootReading, EntryReading, Reading, counts},
    size::Size,
    units::Lba,
};

const ID: FindingId = FindingId::EfiOpenEndOutsideVolume;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    trips: &["ovmf"],
    explanation: "An EFI entry with the count 0 or 1 extends to the end of the volume, but the volume ends before the image does.",
    consequence: "If the image begins exactly at the end of the volume or extends past it, OVMF computes no blocks or too few, and reports Not Found. If the image begins after the end, OVMF's subtraction wraps and the disc boots.",
    remedy: "Put the image inside the volume, keep it below 32 MiB so that its length fits the count, or enlarge the volume.",
    recipes: &[xorriso("-e"), genisoimage("-e")],
    check,
    defect: Some(Injection {
        express,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

/// Count 0 and 1: to the end of the volume, or of the disc if the volume claims more (EDK2 `ElTorito.c`).
fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let Some(volume) = &reading.inspection.volume else {
        return Vec::new();
    };
    let volume_end = Lba::new(volume.blocks.get());
    let entries = reading.bootable_efi_entries();
    let finding = |(entry, boot): (&EntryReading, &BootReading)| {
        if !counts::is_open_ended(boot) {
            return None;
        }
        let start = boot.load_rba;
        let end = counts::blocks_of(boot).map(|blocks| start.plus(blocks));
        let what = if start >= volume_end {
            format!("starts at LBA {}", start.get())
        } else if let Some(end) = end.filter(|&end| end > volume_end) {
            format!("ends before LBA {}", end.get())
        } else {
            return None;
        };
        let message = format!(
            "slot {}: the sector count {} extends to the end of the volume at LBA {}, but the image {what}",
            entry.slot,
            boot.sector_count.get(),
            volume_end.get()
        );
        let finding = Finding::new(ID, reading.place(entry, 6), message);
        let finding = fixed(reading, finding, (entry, boot), end);
        // EDK2 subtracts in 32 bits: strictly after the volume's end, that wraps to a huge partition, which works.
        Some(if start > volume_end {
            finding.milder()
        } else {
            finding
        })
    };
    entries.filter_map(finding).collect()
}

/// The fix is a count if it can express the image's length; else a volume that ends with the image, or with the disc if the image's length is not
/// known.
fn fixed(
    reading: &mut Reading<'_, '_>,
    finding: Finding,
    entry: (&EntryReading, &BootReading),
    end: Option<Lba>,
) -> Finding {
    let count = reading.right_count(entry.0, entry.1);
    if count.is_some_and(|count| (2..u16::MAX).contains(&count)) {
        return reading.counts(finding, entry);
    }
    let disc_end = Lba::new(reading.disc.blocks().get());
    let end = end.unwrap_or(disc_end);
    if end > disc_end {
        return finding;
    }
    reading.descriptors.main.sized(finding, end)
}

fn express(boot: &mut Boot, size: &mut Option<Size>) -> Result<(), Lack> {
    need(boot.mode.efi(), "an EFI entry")?;
    let count = *boot.count.get_or_insert(Count::Given(0));
    need(
        [Count::Given(0), Count::Given(1)].contains(&count),
        "an open end (count=0 or count=1)",
    )?;
    let place = *boot.place.get_or_insert(ImagePlace::Appended);
    need(
        place == ImagePlace::Appended,
        "an image behind the volume (place=appended)",
    )?;
    size.get_or_insert(BEYOND_16_BITS);
    Ok(())
}
