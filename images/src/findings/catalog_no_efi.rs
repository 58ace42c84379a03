//! `catalog-no-efi`: the disc has an EFI loader, but the catalog has no entry for it.

use super::{
    recipe::declared::{genisoimage, grub_mkrescue, oscdimg, pycdlib, xorriso},
    room::Room,
};
use crate::{
    boot::Boot,
    defect::{Facts, Injection, LAST_HEADER, Lack, MORE_FOLLOW, Patient, need},
    eltorito::{BOOTABLE, BootEntry, ENTRY_BYTES, MediaType, Platform},
    fat::FatVolume,
    finding::{Finding, FindingId, Place, Severity},
    inspect::{EntryKind, EntryReading, Reading},
    partition_table::PartitionType,
    size::Size,
    units::Lba,
};

const ID: FindingId = FindingId::CatalogNoEfi;

pub(super) const ROOM: Room = Room {
    severity: Severity::Warning,
    trips: &["ovmf"],
    explanation: "The disc contains an EFI loader or an EFI system partition, but its catalog has no entry for UEFI.",
    consequence: "Firmware that looks for the platform EF never finds the loader: after El Torito is found, partition tables are not tried.",
    remedy: "Put a FAT image with the loader on the disc, and add a catalog entry of platform EF for it.",
    recipes: &[
        xorriso("-e"),
        genisoimage("-e"),
        grub_mkrescue(),
        pycdlib("efi=True"),
        oscdimg("#pEF"),
    ],
    check,
    defect: Some(Injection {
        express: fits,
        stands,
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

/// EDK2 ignores the platform and starts such an image.
const UNDER_EF: &str =
    "OVMF starts this image. For other firmware, give the section the platform EF.";

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let Some(catalog) = reading.catalog() else {
        return Vec::new();
    };
    // Without a catalog, nothing is known about entries.
    let mut slots = reading.slots.iter();
    if slots.any(|slots| !slots.has_header() && !slots.has_key()) {
        return Vec::new();
    }
    let headless = !catalog
        .entries
        .iter()
        .any(|entry| entry.kind == EntryKind::Header)
        && reading
            .entries()
            .any(|(entry, boot)| entry.kind == EntryKind::Section && !boot.loaders.is_empty());
    let has_efi = reading
        .entries()
        .any(|(entry, _)| entry.platform == Platform::EFI);
    // If the headers are missing, another finding reports that.
    if has_efi || headless {
        return Vec::new();
    }
    if let Some(finding) = under_another_platform(reading) {
        return vec![finding];
    }
    let Some(what) = what_is_there(reading) else {
        return Vec::new();
    };
    let message = format!("{what}, but no entry of the catalog has the platform EF");
    let finding = Finding::new(ID, Place::block(catalog.lba), message);
    let finding = match entry_for_loader(reading) {
        Some(entry) => reading.with_section(finding, Platform::EFI, &entry.encode()),
        None => finding,
    };
    vec![finding]
}

/// A section with an EFI image, but with another platform in its header.
fn under_another_platform(reading: &Reading<'_, '_>) -> Option<Finding> {
    let entries = reading.catalog()?.entries.as_slice();
    let is_header = |entry: &&EntryReading| entry.kind == EntryKind::Header;
    let is_efi = |entry: &EntryReading| {
        let boot = entry.boot.as_ref();
        boot.is_some_and(|boot| boot.bootable && !boot.loaders.is_empty())
    };
    let image = entries
        .iter()
        .find(|entry| entry.kind == EntryKind::Section && is_efi(entry))?;
    let header = entries
        .iter()
        .filter(is_header)
        .rfind(|header| header.slot < image.slot)?;
    let message = format!(
        "slot {} is an image with an EFI loader, the header in slot {} says that it is for {}, and no entry of the catalog has the platform EF",
        image.slot, header.slot, header.platform
    );
    let place = reading.slots?.place(header.slot, 1);
    let mut finding = Finding::new(ID, place, message);
    UNDER_EF.clone_into(&mut finding.fix);
    finding.trips = vec!["firmware".to_owned()];
    let section = entries.iter().filter(|entry| entry.slot > header.slot);
    let alone = section
        .take_while(|entry| entry.kind != EntryKind::Header)
        .filter(|entry| entry.boot.is_some())
        .all(is_efi);
    let offset = finding.offset;
    Some(if alone {
        finding.fixed_by(offset, &[Platform::EFI.0])
    } else {
        finding
    })
}

/// An entry for a FAT image with a loader that no entry names.
fn entry_for_loader(reading: &mut Reading<'_, '_>) -> Option<BootEntry> {
    let images = reading.images_elsewhere();
    let mut entries = reading.entries();
    if entries.any(|(_, boot)| boot.bootable && !boot.loaders.is_empty()) {
        return None;
    }
    let image = images.first()?.lba;
    let fat = FatVolume::at(reading.disc, image.byte_offset())?;
    let sector_count = reading.right_efi_count(image, fat.parameters.length());
    Some(BootEntry {
        indicator: BOOTABLE,
        media: MediaType::NO_EMULATION,
        load_segment: 0,
        system_type: 0,
        sector_count,
        load_rba: image.to_u32()?,
    })
}

fn what_is_there(reading: &mut Reading<'_, '_>) -> Option<String> {
    let partitions = &reading.inspection.partitions;
    let tree = reading.inspection.tree.as_ref();
    let loaders = tree.map_or(&[][..], |tree| &tree.loaders);
    let mbr = partitions
        .mbr
        .iter()
        .any(|entry| entry.kind == PartitionType::EFI_SYSTEM.0);
    let gpt = partitions.gpt.iter().flatten().any(|entry| entry.esp);
    if let Some(loader) = loaders.first() {
        Some(format!("/EFI/BOOT/{loader} is in the tree"))
    } else if mbr {
        Some("the MBR has an EFI system partition".to_owned())
    } else if gpt {
        Some("the GPT has an EFI system partition".to_owned())
    } else {
        let named: Vec<Lba> = reading.entries().map(|(_, boot)| boot.load_rba).collect();
        let images = reading.images_elsewhere();
        let image = images.iter().find(|image| !named.contains(&image.lba))?;
        let name = reading.name_of(image);
        Some(format!(
            "{name} is a FAT image with {}",
            image.loaders.join(" and ")
        ))
    }
}

fn fits(boot: &mut Boot, _: &mut Option<Size>) -> Result<(), Lack> {
    need(
        boot.mode.efi() && boot.mode.bios().is_some(),
        "a BIOS entry that is left, and an EFI entry to leave out (bios+efi)",
    )
}

fn stands(facts: &Facts<'_>) -> Result<(), Lack> {
    let last = facts.slots.iter().rfind(|slot| slot[0] == LAST_HEADER);
    let is_efi = last.is_some_and(|header| header[1] == Platform::EFI.0);
    need(is_efi, "an EFI section")
}

/// Removes the last section. The one before it, if there is one, becomes the last.
fn inject(disc: &mut Patient<'_>) {
    let Some(section) = disc.last_header() else {
        return;
    };
    for slot in &mut disc.slots[section..] {
        *slot = [0; ENTRY_BYTES];
    }
    if let Some(before) = disc.slots.iter().rposition(|slot| slot[0] == MORE_FOLLOW) {
        disc.slots[before][0] = LAST_HEADER;
    }
    disc.rewrite_slots();
}
