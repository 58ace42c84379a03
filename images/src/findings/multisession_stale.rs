//! `multisession-stale`: the boot record is only in an earlier session.

use super::{recipe::declared::ANY_TOOL, room::Room};
use crate::{
    bytes::both32,
    defect::{Injection, PRIMARY, Patient, SPACE_SIZE},
    finding::{Finding, FindingId, Place, Severity},
    inspect::{DescriptorSet, Reading},
    iso9660::{SYSTEM_AREA_BLOCKS, terminator},
    units::BlockCount,
};

const ID: FindingId = FindingId::MultisessionStale;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["firmware"],
    explanation: "Only an earlier session has a boot record.",
    consequence: "Firmware that supports sessions finds nothing to boot in the last one. Other firmware boots the old one.",
    remedy: "Copy the boot record into each added session.",
    recipes: ANY_TOOL,
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let Some((last, earlier)) = reading.descriptors.sessions.split_last() else {
        return Vec::new();
    };
    let stale = earlier
        .iter()
        .rev()
        .find(|session| session.catalog.is_some());
    let Some(stale) = stale.filter(|_| last.catalog.is_none()) else {
        return Vec::new();
    };
    let descriptor = last.start.plus(SYSTEM_AREA_BLOCKS);
    let message = format!(
        "the session that starts at LBA {} has no boot record, but the one that starts at LBA {} has one",
        last.start.get(),
        stale.start.get()
    );
    let finding = Finding::new(ID, Place::block(descriptor), message);
    let set = DescriptorSet::read(reading.disc, last.start);
    let room = reading.images.room(descriptor);
    vec![match stale.catalog {
        Some(catalog) => set.with_boot_record(reading.disc, finding, catalog, room),
        None => finding,
    }]
}

/// The second session's volume is the whole disc, with the first one's tree: it adds nothing else. The first keeps its
/// own size, as on a write-once medium.
fn inject(disc: &mut Patient<'_>) {
    let Some(start) = disc.second_session else {
        return;
    };
    let primary = start.plus(SYSTEM_AREA_BLOCKS);
    let mut descriptor: [u8; 2048] = disc.bytes.array_at(PRIMARY.byte_offset());
    let size = both32(disc.length().to_u32().unwrap_or(u32::MAX));
    let at = SPACE_SIZE as usize;
    descriptor[at..at + size.len()].copy_from_slice(&size);
    disc.bytes.write_at(primary.byte_offset(), &descriptor);
    let behind = primary.plus(BlockCount::new(1));
    disc.bytes.write_at(behind.byte_offset(), &terminator());
}
