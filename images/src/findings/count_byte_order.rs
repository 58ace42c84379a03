//! `count-byte-order`: a sector count with its bytes swapped.

use super::{
    recipe::declared::{bsdtar, genisoimage, oscdimg, pycdlib, xorriso},
    room::Room,
};
use crate::{
    defect::{Facts, Injection, Lack, Patient, need, needs_no_emulation},
    eltorito::{EntryBytes, MediaType},
    finding::{Finding, FindingId, Severity},
    inspect::counts::LOADABLE,
    inspect::{BootReading, EntryReading, Purpose, Reading},
    units::{ByteCount, VirtualSectorCount},
};

const ID: FindingId = FindingId::CountByteOrder;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "bochs", "ovmf"],
    explanation: "The sector count is the right one with its two bytes swapped.",
    consequence: "A BIOS loads too few sectors, or so many that it overwrites itself; UEFI firmware sees the wrong length.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise write the count with its low byte first.",
    recipes: &[
        xorriso("-boot-load-size"),
        genisoimage("-boot-load-size"),
        bsdtar("boot-load-size"),
        pycdlib("boot_load_size"),
        oscdimg(""),
    ],
    replaces: &[
        FindingId::CountWrapped,
        FindingId::CountUnit,
        FindingId::CountEfiShort,
        FindingId::CountTooLarge,
        FindingId::LoadSizeShort,
        FindingId::ImageOutOfRange,
    ],
    check,
    defect: Some(Injection {
        express: needs_no_emulation,
        stands,
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let swapped = |boot: &BootReading| {
        let count = boot.sector_count.to_u16()?;
        let right = VirtualSectorCount::new(count.swap_bytes().into());
        (right != boot.sector_count).then_some(right)
    };
    let entries = reading.images_of_entries();
    let finding = |(entry, boot): (&EntryReading, &BootReading)| {
        let right = swapped(boot)?;
        let file = boot.file_bytes.map(ByteCount::virtual_sectors_rounded_up);
        let length = file.or(boot.own_length)?;
        let is_efi = Purpose::of(entry.platform, boot) == Purpose::Efi;
        let is_length = [file, boot.own_length].contains(&Some(right));
        // A BIOS entry loads its whole image, or four sectors of it; a count within the image may be intended.
        let is_right = if is_efi {
            is_length
        } else {
            let is_common = is_length || right == COMMON;
            is_common && boot.sector_count > length.blocks_rounded_up().virtual_sectors()
        };
        let count = boot.sector_count.get();
        if !is_right {
            return None;
        }
        let message = format!(
            "slot {}: the sector count is {count} ({count:04X}); with its bytes swapped it is {}, which is right",
            entry.slot,
            right.get()
        );
        let finding = Finding::new(ID, reading.place(entry, 6), message);
        if is_efi || right <= LOADABLE {
            let (place, count) = (finding.offset, right.to_u16()?);
            Some(finding.fixed_by(place, &count.to_le_bytes()))
        } else {
            Some(reading.counts(finding, (entry, boot)))
        }
    };
    let counted = entries.filter(|(_, boot)| {
        boot.media.emulation() == MediaType::NO_EMULATION && boot.extent_blocks.is_some()
    });
    counted.filter_map(finding).collect()
}

/// The sectors that a BIOS commonly loads.
const COMMON: VirtualSectorCount = VirtualSectorCount::new(4);

/// The unchanged count of the last image's entry.
fn count(slots: &[EntryBytes], last: u16) -> u16 {
    let entry = slots.get(usize::from(last));
    entry.map_or(0, |entry| u16::from_le_bytes([entry[6], entry[7]]))
}

fn stands(facts: &Facts<'_>) -> Result<(), Lack> {
    let count = count(facts.slots, facts.last_slot);
    let is_right = [facts.length, COMMON].contains(&VirtualSectorCount::new(count.into()));
    need(
        is_right && count != count.swap_bytes(),
        "a right count whose two bytes differ",
    )
}

fn inject(disc: &mut Patient<'_>) {
    let slot = disc.last.slot;
    disc.set_count(slot, count(&disc.slots, slot).swap_bytes());
}
