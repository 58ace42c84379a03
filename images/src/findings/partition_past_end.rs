//! `partition-past-end`: the partition that OVMF computes ends after the disc.

use super::room::Room;
use crate::{
    defect::{Facts, Injection, Lack, need, needs_efi},
    finding::{Finding, FindingId, Severity},
    inspect::{BootReading, EntryReading, Reading, counts},
    units::{BlockCount, Lba},
};

const ID: FindingId = FindingId::PartitionPastEnd;

pub(super) const ROOM: Room = Room {
    severity: Severity::Info,
    trips: &["ovmf"],
    explanation: "OVMF takes the sector count of an EFI entry in 2048-byte blocks, so its partition ends after the last recorded block.",
    consequence: "OVMF shows blocks that cannot be read. This is harmless unless something reads them.",
    remedy: "No fix is needed unless something reads these blocks.",
    check,
    defect: Some(Injection {
        express: needs_efi,
        stands,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

/// The partition as OVMF computes it: the count in 2048-byte blocks.
fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let disc_end = Lba::new(reading.disc.blocks().get());
    let entries = reading.bootable_efi_entries();
    let finding = |(entry, boot): (&EntryReading, &BootReading)| {
        let count = boot.sector_count;
        if !counts::is_counted(boot) {
            return None;
        }
        let end = boot.load_rba.plus(BlockCount::new(count.get()));
        let behind = end
            .blocks_since(disc_end)
            .filter(|&behind| behind > BlockCount::ZERO)?;
        let message = format!(
            "slot {}: OVMF takes the sector count {} in blocks, so its partition ends {behind} after the end of the disc",
            entry.slot,
            count.get()
        );
        let finding = Finding::new(ID, reading.place(entry, 6), message);
        Some(fixed(reading, finding, (entry, boot)))
    };
    entries.filter_map(finding).collect()
}

/// The fix is the right count, if only a count that is too large leads past the end. A right count stays: with a smaller one, another firmware would
/// see less than the image.
fn fixed(
    reading: &mut Reading<'_, '_>,
    finding: Finding,
    (entry, boot): (&EntryReading, &BootReading),
) -> Finding {
    let right = reading.right_count(entry, boot).unwrap_or_default();
    let end = boot.load_rba.plus(BlockCount::new(right.into()));
    let is_shorter = u64::from(right) < boot.sector_count.get();
    if right >= 2 && is_shorter && end.get() <= reading.disc.blocks().get() {
        reading.counts(finding, (entry, boot))
    } else {
        finding
    }
}

fn stands(facts: &Facts<'_>) -> Result<(), Lack> {
    let slot = facts.slots.get(usize::from(facts.last_slot));
    let count = slot.map_or(0, |slot| u16::from_le_bytes([slot[6], slot[7]]));
    let end = facts.last_lba.plus(BlockCount::new(count.into()));
    need(
        end.get() > facts.end.get(),
        "an EFI entry whose count, taken in blocks, ends past the disc",
    )
}
