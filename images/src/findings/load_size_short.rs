//! `load-size-short`: fewer sectors are loaded than the loader needs.

use super::{
    recipe::declared::{bsdtar, genisoimage, oscdimg, pycdlib, xorriso},
    room::Room,
};
use crate::{
    boot::{Boot, Emulation},
    defect::{Facts, INITIAL, Injection, Lack, need},
    eltorito::MediaType,
    finding::{Finding, FindingId, Severity},
    inspect::Reading,
    size::Size,
    units::{ByteCount, VirtualSectorCount},
};

/// An image of this many sectors may be loaded whole, as most are.
const SMALL: VirtualSectorCount = VirtualSectorCount::new(16);

const ID: FindingId = FindingId::LoadSizeShort;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    trips: &["seabios"],
    explanation: "The sector count of the BIOS entry is less than its loader needs before it can read the rest itself.",
    consequence: "The loader stops after its first message, or jumps into code that was not loaded. SeaBIOS rounds up to whole blocks of four sectors; another BIOS may not.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise write the number of sectors that the loader needs: 4 for isolinux and GRUB, 8 for etfsboot.com.",
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
        stands,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let entries: Vec<_> = reading.bios_images().collect();
    for (entry, boot) in entries {
        let count = boot.sector_count;
        if boot.media.emulation() != MediaType::NO_EMULATION || count == VirtualSectorCount::ZERO {
            continue;
        }
        let program = reading.bios_program(boot);
        let loaded = count.blocks_rounded_up().virtual_sectors();
        let place = reading.place(entry, 6);
        let slot = entry.slot;
        if let Some(needs) = program.needs() {
            let fixed = needs.to_u16().unwrap_or_default().to_le_bytes();
            let message = format!(
                "slot {slot}: {count} are loaded, but {} needs {}",
                program.name(),
                needs.get()
            );
            if loaded < needs {
                findings.push(Finding::new(ID, place, message).fixed_by(place.offset, &fixed));
            } else if count < needs {
                let message =
                    format!("{message}; SeaBIOS loads whole blocks, which is enough here");
                let finding = Finding::new(ID, place, message).milder();
                findings.push(finding.fixed_by(place.offset, &fixed));
            }
            continue;
        }
        let length = boot.file_bytes.map(ByteCount::virtual_sectors_rounded_up);
        if let Some(length) = length.filter(|&length| length <= SMALL && loaded < length) {
            let message = format!(
                "slot {slot}: {count} of an image of {} are loaded: unless the program reads the rest itself, it stops there",
                length.get()
            );
            let fixed = length.to_u16().unwrap_or_default().to_le_bytes();
            let finding = Finding::new(ID, place, message).milder();
            findings.push(finding.fixed_by(place.offset, &fixed));
        }
    }
    findings
}

fn express(boot: &mut Boot, size: &mut Option<Size>) -> Result<(), Lack> {
    need(
        boot.mode.bios() == Some(Emulation::None) && !boot.mode.efi(),
        "a no-emulation image for the BIOS alone",
    )?;
    size.get_or_insert(Size::Sectors(SMALL));
    Ok(())
}

fn stands(facts: &Facts<'_>) -> Result<(), Lack> {
    let entry = facts.slots.get(usize::from(INITIAL));
    let count = entry.map_or(0, |entry| u16::from_le_bytes([entry[6], entry[7]]));
    let loaded = VirtualSectorCount::new(count.into()).blocks_rounded_up();
    need(
        count > 0 && loaded.virtual_sectors() < facts.length && facts.length <= SMALL,
        "an image of at most 16 virtual sectors that is loaded in part",
    )
}
