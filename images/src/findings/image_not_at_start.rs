//! `image-not-at-start`: a load address some blocks away from its image.

use super::{recipe::declared::ANY_TOOL, room::Room};
use crate::{
    defect::{Injection, Patient},
    fat::FatVolume,
    finding::{Finding, FindingId, Severity},
    inspect::{BiosProgram, Reading},
    units::{BlockCount, Lba},
};

/// The largest error of an address, in blocks.
const OFF_BY: u64 = 16;

const ID: FindingId = FindingId::ImageNotAtStart;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "bochs", "ovmf"],
    explanation: "The load address is some blocks after or before the start of the intended file.",
    consequence: "A BIOS jumps into the middle of the loader. OVMF finds no file system and reports Not Found.",
    remedy: "Download the disc again if its checksum is wrong, or ask its maker. If you made it, let the mastering tool write the address, and move nothing afterwards.",
    recipes: ANY_TOOL,
    replaces: &[
        FindingId::EfiWrongImage,
        FindingId::EfiForeignFilesystem,
        FindingId::EfiFatClusters,
        FindingId::EfiNoLoader,
        FindingId::EfiLoaderName,
        FindingId::BootInfoTable,
        FindingId::ImageOutOfRange,
        FindingId::FloppySize,
        FindingId::HardDiskPartitionSlot,
        FindingId::HardDiskSystemType,
        FindingId::HardDiskCylinders,
        FindingId::MbrSignature,
    ],
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let Some(tree) = reading.tree else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let entries: Vec<_> = reading
        .images_of_entries()
        .filter(|(_, boot)| boot.extent_blocks.is_some() && boot.path.is_none())
        .filter(|(_, boot)| reading.structure_at(boot.load_rba).is_none())
        .collect();
    for (entry, boot) in entries {
        let Some((start, blocks)) = near(&tree.extents, boot.load_rba) else {
            continue;
        };
        // If an image begins at the address, it is right. An address before a file counts only if the file is an image.
        let is_inside = boot.load_rba > start;
        if is_image(reading, boot.load_rba) || !(is_inside || is_image(reading, start)) {
            continue;
        }
        let path = reading.path_of(start).unwrap_or_default();
        let off = if is_inside { "inside" } else { "before" };
        let message = format!(
            "slot {}: the load address is LBA {}, {blocks} {off} {path}, which starts at LBA {}",
            entry.slot,
            boot.load_rba.get(),
            start.get()
        );
        let finding = Finding::new(ID, reading.place(entry, 8), message);
        let place = finding.offset;
        findings.push(match start.to_u32() {
            Some(start) => finding.fixed_by(place, &start.to_le_bytes()),
            None => finding,
        });
    }
    findings
}

/// The file that contains an address, or begins after it, not far from its start; and how far.
pub(super) fn near(extents: &[(Lba, BlockCount)], lba: Lba) -> Option<(Lba, BlockCount)> {
    let inside = extents.iter().find_map(|&(start, blocks)| {
        let into = lba.blocks_since(start)?;
        let is_in = into > BlockCount::ZERO && into < blocks && into.get() <= OFF_BY;
        is_in.then_some((start, into))
    });
    let behind = || {
        let distances = extents.iter().filter_map(|&(start, _)| {
            let before = start.blocks_since(lba)?;
            (before > BlockCount::ZERO && before.get() <= OFF_BY).then_some((start, before))
        });
        distances.min_by_key(|(_, before)| *before)
    };
    inside.or_else(behind)
}

/// Whether a known boot image begins there: a FAT with a loader, or a loader for a BIOS.
fn is_image(reading: &mut Reading<'_, '_>, lba: Lba) -> bool {
    let start = lba.byte_offset();
    let fat = FatVolume::at(reading.disc, start);
    fat.is_some_and(|fat| !fat.removable_media_loaders(reading.disc).is_empty())
        || BiosProgram::begins_at(reading.disc, start)
}

/// The last image's address becomes that of its second block.
fn inject(disc: &mut Patient<'_>) {
    let (slot, second) = (disc.last.slot, disc.last.lba.plus(BlockCount::new(1)));
    disc.set_load_rba(slot, second);
}
