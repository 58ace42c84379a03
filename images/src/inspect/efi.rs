//! Entries for UEFI: the counts, as the specification and as OVMF take them, and the loader in the image.

use super::{
    Examination, Purpose, entries,
    entries::{WRAP, blocks_of},
    reading::{BootReading, EntryKind, EntryReading},
};
use crate::{
    eltorito::{MediaType, Platform},
    finding::{FindingId, Place},
    partition_table::PartitionType,
    units::{BlockCount, ByteCount, Lba, VirtualSectorCount},
};

/// The slots in a block of 512 bytes: what firmware sees of the catalog on a stick.
const SLOTS_ON_A_STICK: u16 = 16;

/// Checks every entry for UEFI, and whether there should be one.
pub(super) fn check(examination: &mut Examination<'_, '_>) {
    check_platforms(examination);
    let bootable: Vec<_> = examination
        .entries_for(Purpose::Efi)
        .filter(|(_, boot)| boot.bootable)
        .collect();
    if bootable.is_empty() {
        check_indicators(examination);
    }
    check_depth(examination, &bootable);
    check_loader(examination, &bootable);
    for (entry, boot) in bootable {
        match boot.media.emulation() {
            MediaType::NO_EMULATION => check_count(examination, entry, boot),
            media if media.0 <= MediaType::HARD_DISK.0 => {
                let place = examination.place(entry, 1);
                let message = format!(
                    "slot {}: the EFI image has the media type {media}",
                    entry.slot
                );
                examination
                    .findings
                    .report(FindingId::EfiAsFloppy, place, message);
            }
            // OVMF takes the image to the end of the volume; the media type has a finding of its own.
            _ => {}
        }
    }
}

/// An entry that is not bootable may be meant so; that none for UEFI is cannot. Of the initial entry it is told elsewhere.
fn check_indicators(examination: &mut Examination<'_, '_>) {
    let mut entries = examination.entries_for(Purpose::Efi);
    let section = entries.find(|(entry, _)| entry.kind == EntryKind::Section);
    if let Some((entry, _)) = section {
        let place = examination.place(entry, 0);
        let message = format!(
            "slot {}: the entry for UEFI is not marked as bootable, and no other is there",
            entry.slot
        );
        examination
            .findings
            .report(FindingId::EntryNotBootable, place, message);
    }
}

fn check_platforms(examination: &mut Examination<'_, '_>) {
    let catalog = examination.catalog;
    let initial = catalog.entries.first().map(|entry| entry.platform);
    let on_platform =
        |platform| entries(Some(catalog)).any(move |(entry, _)| entry.platform == platform);
    if initial == Some(Platform::EFI) && !on_platform(Platform::X86) {
        let place = super::catalog::place(catalog.lba, 0, 1);
        examination.findings.report(
            FindingId::CatalogEfiOnly,
            place,
            "the validation entry's platform is EF, and no entry is for x86".to_owned(),
        );
    }
    let headless = !catalog
        .entries
        .iter()
        .any(|entry| entry.kind == EntryKind::Header)
        && entries(Some(catalog))
            .any(|(entry, boot)| entry.kind == EntryKind::Section && !boot.loaders.is_empty());
    // Where the headers are missing, that is what is wrong.
    if on_platform(Platform::EFI) || headless {
        return;
    }
    let partitions = examination.partitions;
    let loaders = examination.tree.map_or(&[][..], |tree| &tree.loaders);
    let mbr = partitions
        .mbr
        .iter()
        .any(|entry| entry.kind == PartitionType::EFI_SYSTEM.0);
    let gpt = partitions.gpt.iter().flatten().any(|entry| entry.esp);
    let what = if let Some(loader) = loaders.first() {
        format!("/EFI/BOOT/{loader} is in the tree")
    } else if mbr {
        "the MBR has an EFI system partition".to_owned()
    } else if gpt {
        "the GPT has an EFI system partition".to_owned()
    } else {
        return;
    };
    examination.findings.report(
        FindingId::CatalogNoEfi,
        Place::block(catalog.lba),
        format!("{what}, and no entry of the catalog has the platform EF"),
    );
}

fn check_depth(examination: &mut Examination<'_, '_>, bootable: &[(&EntryReading, &BootReading)]) {
    let Some((first, _)) = bootable.first() else {
        return;
    };
    if first.slot >= SLOTS_ON_A_STICK {
        let place = examination.place(first, 0);
        let message = format!(
            "the first EFI entry is in slot {}, and a stick's block shows slots 0 to 15",
            first.slot
        );
        examination
            .findings
            .report(FindingId::CatalogEfiTooDeep, place, message);
    }
}

/// One entry with a loader is enough: others hold what makes the disc start on a Mac.
fn check_loader(examination: &mut Examination<'_, '_>, bootable: &[(&EntryReading, &BootReading)]) {
    if bootable.iter().any(|(_, boot)| !boot.loaders.is_empty()) {
        return;
    }
    // What is not on the disc is reported as that.
    let Some((entry, boot)) = bootable
        .iter()
        .find(|(_, boot)| boot.extent_blocks.is_some())
    else {
        return;
    };
    let what = match boot.fat {
        None => "is no FAT file system".to_owned(),
        Some(fat) => format!("is FAT{fat} and has no file \\EFI\\BOOT\\BOOT*.EFI"),
    };
    examination.findings.report(
        FindingId::EfiNoLoader,
        Place::block(boot.load_rba),
        format!(
            "slot {}: the image at LBA {} {what}",
            entry.slot,
            boot.load_rba.get()
        ),
    );
}

fn check_count(examination: &mut Examination<'_, '_>, entry: &EntryReading, boot: &BootReading) {
    if boot.extent_blocks.is_none() {
        return;
    }
    let count = boot.sector_count;
    if count.get() < 2 {
        check_open_end(examination, entry, boot);
        return;
    }
    check_computed_partition(examination, entry, boot);
    let Some(file_system) = boot.own_length.filter(|length| *length > count) else {
        return;
    };
    let lengths = [
        Some(file_system),
        boot.file_bytes.map(ByteCount::virtual_sectors_rounded_up),
    ];
    let slot = entry.slot;
    let place = examination.place(entry, 6);
    for length in lengths.into_iter().flatten() {
        // mkisofs rounds up to whole blocks.
        let in_blocks = length.blocks_rounded_up().virtual_sectors();
        let wraps =
            |length: VirtualSectorCount| length.get() >= WRAP && length.get() % WRAP == count.get();
        if wraps(length) || wraps(in_blocks) {
            let message = format!(
                "slot {slot}: the sector count {} is the image's {} modulo 65536",
                count.get(),
                length.get()
            );
            examination
                .findings
                .report(FindingId::CountWrapped, place, message);
            return;
        }
    }
    for length in lengths.into_iter().flatten() {
        let blocks = [length.whole_blocks(), length.blocks_rounded_up()];
        if blocks.iter().any(|blocks| blocks.get() == count.get()) {
            let message = format!(
                "slot {slot}: the sector count {} is the image's length in 2048-byte blocks, and in 512-byte sectors it has {}",
                count.get(),
                length.get()
            );
            examination
                .findings
                .report(FindingId::CountUnit, place, message);
            return;
        }
    }
    // Taken in blocks, as OVMF does, it is still too short.
    if BlockCount::new(count.get()).virtual_sectors() < file_system {
        let message = format!(
            "slot {slot}: the sector count {} covers a part of a file system of {file_system}",
            count.get()
        );
        examination
            .findings
            .report(FindingId::CountEfiShort, place, message);
    }
}

/// Count 0 and 1: to the end of the volume, or of the disc if the volume claims more (EDK2 `ElTorito.c`).
fn check_open_end(examination: &mut Examination<'_, '_>, entry: &EntryReading, boot: &BootReading) {
    let Some(volume) = examination.volume else {
        return;
    };
    let volume_end = Lba::new(volume.get());
    let start = boot.load_rba;
    let what = if start >= volume_end {
        format!("starts at LBA {}", start.get())
    } else if let Some(blocks) = blocks_of(boot)
        && start.plus(blocks) > volume_end
    {
        format!("ends before LBA {}", start.plus(blocks).get())
    } else {
        return;
    };
    let place = examination.place(entry, 6);
    let message = format!(
        "slot {}: the sector count {} reaches to the end of the volume at LBA {}, and the image {what}",
        entry.slot,
        boot.sector_count.get(),
        volume_end.get()
    );
    examination
        .findings
        .report(FindingId::EfiOpenEndOutsideVolume, place, message);
}

/// The partition as OVMF computes it: the count in 2048-byte blocks.
fn check_computed_partition(
    examination: &mut Examination<'_, '_>,
    entry: &EntryReading,
    boot: &BootReading,
) {
    let end = boot.load_rba.plus(BlockCount::new(boot.sector_count.get()));
    let disc_end = Lba::new(examination.disc.blocks().get());
    if let Some(behind) = end.blocks_since(disc_end)
        && behind > BlockCount::ZERO
    {
        let place = examination.place(entry, 6);
        let message = format!(
            "slot {}: OVMF takes the sector count {} in blocks, and its partition ends {behind} behind the disc",
            entry.slot,
            boot.sector_count.get()
        );
        examination
            .findings
            .report(FindingId::PartitionPastEnd, place, message);
    }
}
