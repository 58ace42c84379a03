//! `count-wrapped`: a count that was cut to 16 bits.

use super::{
    recipe::declared::{bsdtar, genisoimage, pycdlib, xorriso},
    room::Room,
};
use crate::{
    boot::{Boot, Count, Emulation},
    defect::{BEYOND_16_BITS, Facts, Injection, Lack, need},
    finding::{Finding, FindingId, Severity},
    inspect::counts::{LOADABLE, WrongCount},
    inspect::{BootReading, EntryReading, Purpose, Reading, counts},
    size::Size,
    units::VirtualSectorCount,
};

const ID: FindingId = FindingId::CountWrapped;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["ovmf", "firmware"],
    explanation: "The sector count is the image's length modulo 65,536.",
    consequence: "The firmware sees only a small part of an image of 32 MiB or more. OVMF takes the count four times as large, so the error does not show if that is enough.",
    remedy: "For an EFI image above 65,535 sectors write 0: EDK2 then extends the partition to the end of the volume (U-Boot takes 0 for an empty partition). For a BIOS, load fewer sectors.",
    recipes: &[
        xorriso("-e -boot-load-size"),
        genisoimage("-boot-load-size"),
        bsdtar("boot-load-size"),
        pycdlib("boot_load_size"),
    ],
    check,
    defect: Some(Injection {
        express,
        stands,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let on_a_bios = |boot: &BootReading| {
        // A wrapped length proves nothing if it is zero or can be loaded.
        counts::wrapped_on_a_bios(boot).filter(|_| boot.sector_count > LOADABLE)
    };
    let on_efi = |boot: &BootReading| match WrongCount::of_efi(boot)? {
        WrongCount::Wrapped { length } => Some(length),
        _ => None,
    };
    let bios = reading
        .bios_entries()
        .map(|(entry, boot)| (entry, boot, on_a_bios(boot)));
    let efi = reading
        .bootable_efi_entries()
        .map(|(entry, boot)| (entry, boot, on_efi(boot)));
    let findings = bios.chain(efi).filter_map(|(entry, boot, length)| {
        let mut finding = finding(reading, entry, boot, length?);
        if boot.sector_count > LOADABLE && Purpose::of(entry.platform, boot) == Purpose::Bios {
            // More would be loaded than there is room for.
            let who = FindingId::CountTooLarge.trips();
            finding.trips = who.iter().map(|&who| who.to_owned()).collect();
        }
        Some(reading.counts(finding, (entry, boot)))
    });
    findings.collect()
}

fn finding(
    reading: &Reading<'_, '_>,
    entry: &EntryReading,
    boot: &BootReading,
    length: VirtualSectorCount,
) -> Finding {
    let message = format!(
        "slot {}: the sector count {} is the image's {} modulo 65536",
        entry.slot,
        boot.sector_count.get(),
        length.get()
    );
    Finding::new(ID, reading.place(entry, 6), message)
}

fn express(boot: &mut Boot, size: &mut Option<Size>) -> Result<(), Lack> {
    let emulates = !matches!(boot.mode.bios(), None | Some(Emulation::None));
    need(
        boot.mode.efi() || !emulates,
        "an entry whose count is its image's length",
    )?;
    let count = *boot.count.get_or_insert(Count::Wrapped);
    need(
        count == Count::Wrapped,
        "a wrapped count (count=wrapped, or none)",
    )?;
    size.get_or_insert(BEYOND_16_BITS);
    Ok(())
}

fn stands(facts: &Facts<'_>) -> Result<(), Lack> {
    need(
        facts.length.to_u16().is_none(),
        "an image of 65536 virtual sectors or more",
    )
}
