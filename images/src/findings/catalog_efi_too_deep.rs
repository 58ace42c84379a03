//! `catalog-efi-too-deep`: the first EFI entry is after slot 15.

use super::{
    recipe::declared::{genisoimage, oscdimg, pycdlib, xorriso},
    room::Room,
};
use crate::{
    boot::Boot,
    defect::{Injection, Lack, need},
    finding::{Finding, FindingId, Severity},
    inspect::Reading,
    size::Size,
};

/// The slots in a block of 512 bytes: firmware sees only these on a stick.
const SLOTS_ON_A_STICK: u16 = 16;
/// The deepest slot in the scenarios.
const TOO_DEEP: u16 = 17;

const ID: FindingId = FindingId::CatalogEfiTooDeep;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["ovmf", "usb"],
    explanation: "The first EFI entry is after slot 15.",
    consequence: "OVMF scans only the slots in one block: 16 on a USB stick or virtio disk. The disc therefore boots only from a CD drive.",
    remedy: "Put the section with the EFI entry before the other sections.",
    recipes: &[
        xorriso("-e"),
        genisoimage("-e"),
        pycdlib("efi=True"),
        oscdimg("#pEF"),
    ],
    check,
    defect: Some(Injection {
        express: fits,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let first = reading.bootable_efi_entries().next();
    let Some((first, _)) = first.filter(|(first, _)| first.slot >= SLOTS_ON_A_STICK) else {
        return Vec::new();
    };
    let message = format!(
        "the first EFI entry is in slot {}, but a block on a USB stick contains only slots 0 to 15",
        first.slot
    );
    let finding = Finding::new(ID, reading.place(first, 0), message);
    vec![reading.with_first(finding, first.slot)]
}

fn fits(boot: &mut Boot, _: &mut Option<Size>) -> Result<(), Lack> {
    need(boot.mode.efi(), "an EFI entry")?;
    need(boot.entries.is_none(), "an EFI entry that slot= can place")?;
    let slot = *boot.slot.get_or_insert(TOO_DEEP);
    need(
        slot >= SLOTS_ON_A_STICK,
        "an EFI entry in slot 16 or deeper",
    )
}
