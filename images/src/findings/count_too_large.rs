//! `count-too-large`: a BIOS entry that loads more than memory has room for.

use super::{
    recipe::declared::{bsdtar, genisoimage, oscdimg, pycdlib, xorriso},
    room::Room,
};
use crate::{
    boot::{Boot, Emulation, Mode},
    defect::{INITIAL, Injection, Lack, Patient},
    finding::{Finding, FindingId, Severity},
    inspect::counts::LOADABLE,
    inspect::{BootReading, EntryReading, Reading, counts},
    size::Size,
    units::{BlockCount, Lba, VirtualSectorCount},
};

/// From here a BIOS that loads to 7C00 overwrites itself: the load ends past the first megabyte.
const TOO_MANY: u16 = 2048;

const ID: FindingId = FindingId::CountTooLarge;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "bochs", "virtualbox"],
    explanation: "The sector count of a BIOS entry is too large for the memory below the BIOS.",
    consequence: "SeaBIOS overwrites itself and resets or hangs from 1,824 sectors on; VirtualBox stops with code 12 above 1,024.",
    remedy: "Load only the first sectors, commonly 4, and let the loader read the rest itself.",
    recipes: &[
        xorriso("-boot-load-size"),
        genisoimage("-boot-load-size"),
        bsdtar("boot-load-size"),
        pycdlib("boot_load_size"),
        oscdimg(""),
    ],
    check,
    defect: Some(Injection {
        express,
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let entries = reading.bios_entries();
    let finding = |(entry, boot): (&EntryReading, &BootReading)| {
        let count = boot.sector_count;
        // A wrapped count has its own finding.
        if count <= LOADABLE || counts::wrapped_on_a_bios(boot).is_some() {
            return None;
        }
        let blocks = reading.disc.blocks();
        let end = boot.load_rba.plus(count.blocks_rounded_up());
        let behind = end
            .blocks_since(Lba::new(blocks.get()))
            .filter(|&behind| behind > BlockCount::ZERO)
            .map_or_else(String::new, |behind| {
                format!(
                    ", {} of them after the end of the disc",
                    behind.virtual_sectors()
                )
            });
        let message = format!(
            "slot {}: {count} would be loaded{behind}; up to {} are known to work",
            entry.slot,
            LOADABLE.get()
        );
        let finding = Finding::new(ID, reading.place(entry, 6), message);
        Some(reading.counts(finding, (entry, boot)))
    };
    entries.filter_map(finding).collect()
}

/// Enough room for the count, so that only the count is wrong.
fn express(boot: &mut Boot, size: &mut Option<Size>) -> Result<(), Lack> {
    if boot.mode == Mode::Bios(Emulation::None) {
        size.get_or_insert(Size::Sectors(VirtualSectorCount::new(TOO_MANY.into())));
    }
    Ok(())
}

fn inject(disc: &mut Patient<'_>) {
    disc.set_count(INITIAL, TOO_MANY);
}
