//! `count-zero`: a BIOS entry that loads nothing.

use super::{
    recipe::declared::{bsdtar, genisoimage, oscdimg, pycdlib, xorriso},
    room::Room,
};
use crate::{
    defect::{INITIAL, Injection, Patient},
    finding::{Finding, FindingId, Severity},
    inspect::{BootReading, EntryReading, Reading, counts},
    units::VirtualSectorCount,
};

const ID: FindingId = FindingId::CountZero;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "bochs", "virtualbox"],
    explanation: "The sector count of a BIOS entry is 0: nothing is loaded.",
    consequence: "SeaBIOS jumps into empty memory and hangs; VirtualBox stops with code 12.",
    remedy: "Write the number of 512-byte sectors that the BIOS must load for the boot sector to run, commonly 4.",
    recipes: &[
        xorriso("-boot-load-size"),
        genisoimage("-boot-load-size"),
        bsdtar("boot-load-size"),
        pycdlib("boot_load_size"),
        oscdimg(""),
    ],
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let entries = reading.bios_entries();
    let zero = |(entry, boot): (&EntryReading, &BootReading)| {
        if boot.sector_count != VirtualSectorCount::ZERO {
            return None;
        }
        let why = counts::wrapped_on_a_bios(boot).map_or_else(String::new, |length| {
            format!(", which is the image's {} modulo 65536", length.get())
        });
        let message = format!(
            "slot {}: the sector count is 0{why}: nothing is loaded",
            entry.slot
        );
        let finding = Finding::new(ID, reading.place(entry, 6), message);
        Some(reading.counts(finding, (entry, boot)))
    };
    entries.filter_map(zero).collect()
}

fn inject(disc: &mut Patient<'_>) {
    disc.set_count(INITIAL, 0);
}
