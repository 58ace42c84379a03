//! Defects of the boot catalog.

use super::Patient;
use crate::{
    boot::{Emulation, Floppy},
    eltorito::{ENTRY_BYTES, EntryBytes, NOT_BOOTABLE, Platform, word_sum},
};

const VALIDATION: u16 = 0;
const INITIAL: u16 = 1;
/// The first section header.
const FIRST_HEADER: usize = 2;
/// The indicators of a section header that others follow, and of the last one.
const MORE_FOLLOW: u8 = 0x90;
const LAST: u8 = 0x91;

/// Changes the validation entry and mends its checksum, so that the change is all that is wrong.
pub(super) fn rewrite_validation(disc: &mut Patient<'_>, change: impl FnOnce(&mut EntryBytes)) {
    let mut entry = disc.slots[usize::from(VALIDATION)];
    change(&mut entry);
    entry[0x1C..0x1E].fill(0);
    let sum = word_sum(&entry);
    entry[0x1C..0x1E].copy_from_slice(&0_u16.wrapping_sub(sum).to_le_bytes());
    patch(disc, VALIDATION, 0, &entry);
}

pub(super) fn spoil_checksum(disc: &mut Patient<'_>) {
    let wrong = disc.slots[usize::from(VALIDATION)][0x1C].wrapping_add(1);
    patch(disc, VALIDATION, 0x1C, &[wrong]);
}

/// The section before it, if there is one, becomes the last.
pub(super) fn remove_last_section(disc: &mut Patient<'_>) {
    let Some(section) = last_header(disc) else {
        return;
    };
    for slot in &mut disc.slots[section..] {
        *slot = [0; ENTRY_BYTES];
    }
    if let Some(before) = disc.slots.iter().rposition(|slot| slot[0] == MORE_FOLLOW) {
        disc.slots[before][0] = LAST;
    }
    rewrite(disc);
}

pub(super) fn remove_section_header(disc: &mut Patient<'_>) {
    disc.slots.remove(FIRST_HEADER);
    disc.slots.push([0; ENTRY_BYTES]);
    rewrite(disc);
}

pub(super) fn announce_another_header(disc: &mut Patient<'_>) {
    if let Some(header) = last_header(disc) {
        disc.slots[header][0] = MORE_FOLLOW;
        rewrite(disc);
    }
}

pub(super) fn clear_indicator(disc: &mut Patient<'_>) {
    patch(disc, INITIAL, 0, &[NOT_BOOTABLE]);
}

/// Of the types that the specification leaves out, the first.
pub(super) fn set_media_type(disc: &mut Patient<'_>) {
    patch(disc, INITIAL, 1, &[5]);
}

/// 7C00 where 07C0 was meant.
pub(super) fn set_load_segment(disc: &mut Patient<'_>) {
    patch(disc, INITIAL, 2, &0x7C00_u16.to_le_bytes());
}

pub(super) fn set_first_count(disc: &mut Patient<'_>, count: u16) {
    patch(disc, INITIAL, 6, &count.to_le_bytes());
}

pub(super) fn set_last_count(disc: &mut Patient<'_>, count: u16) {
    patch(disc, disc.last.slot, 6, &count.to_le_bytes());
}

pub(super) fn count_in_blocks(disc: &mut Patient<'_>) {
    let slot = &disc.slots[usize::from(disc.last.slot)];
    let quarter = u16::from_le_bytes([slot[6], slot[7]]) / 4;
    set_last_count(disc, quarter);
}

pub(super) fn move_image_past_the_end(disc: &mut Patient<'_>) {
    let past_end = disc.past_end().to_le_bytes();
    patch(disc, INITIAL, 8, &past_end);
}

pub(super) fn change_system_type(disc: &mut Patient<'_>) {
    let other = disc.slots[usize::from(INITIAL)][4] ^ 0x80;
    patch(disc, INITIAL, 4, &[other]);
}

/// The floppy whose length the image has. A section entry's flags stay.
pub(super) fn call_last_a_floppy(disc: &mut Patient<'_>) {
    let floppy = Floppy::ALL
        .into_iter()
        .find(|floppy| floppy.length() == disc.last.length);
    if let Some(floppy) = floppy {
        let flags = disc.slots[usize::from(disc.last.slot)][1];
        let media = flags | Emulation::Floppy(floppy).media_type().0;
        patch(disc, disc.last.slot, 1, &[media]);
    }
}

/// Whether the last section is one for UEFI.
pub(super) fn last_section_is_efi(slots: &[EntryBytes]) -> bool {
    slots
        .iter()
        .rfind(|slot| slot[0] == LAST)
        .is_some_and(|header| header[1] == Platform::EFI.0)
}

fn last_header(disc: &Patient<'_>) -> Option<usize> {
    disc.slots.iter().rposition(|slot| slot[0] == LAST)
}

fn rewrite(disc: &mut Patient<'_>) {
    let slots = disc.slots.concat();
    disc.bytes.write_at(disc.catalog.byte_offset(), &slots);
}

fn patch(disc: &mut Patient<'_>, slot: u16, at: u64, bytes: &[u8]) {
    let slot = disc.catalog.byte_offset() + u64::from(slot) * ENTRY_BYTES as u64;
    disc.bytes.write_at(slot + at, bytes);
}
