//! The findings about a disc, each in its own file ("room").
//!
//! A room is a file with everything about one finding: its record, its detection, how the reference master puts it on a disc, how each mastering tool avoids
//! it, and its tests. A new finding needs a new file, a line in `id.rs` and two lines here: everything else (the catalogue, `--defect`, SARIF's rules,
//! documentation, tests) is generated from the list.

mod boot_code;
mod boot_info_table;
mod boot_record_duplicate;
mod boot_record_id_padding;
mod boot_record_misplaced;
mod catalog_bios_not_first;
mod catalog_checksum;
mod catalog_efi_only;
mod catalog_efi_too_deep;
mod catalog_header_id;
mod catalog_key;
mod catalog_no_efi;
mod catalog_out_of_range;
mod catalog_platform;
mod catalog_section_chain;
mod catalog_section_header_missing;
mod config_encoding;
mod config_fixed_device;
mod config_missing_file;
mod config_syntax;
mod config_wrong_medium;
mod count_byte_order;
mod count_efi_short;
mod count_too_large;
mod count_unit;
mod count_wrapped;
mod count_zero;
mod efi_architecture;
mod efi_as_floppy;
mod efi_fat_clusters;
mod efi_fat_longer_than_image;
mod efi_foreign_filesystem;
mod efi_loader_name;
mod efi_loader_program;
mod efi_no_loader;
mod efi_open_end_outside_volume;
mod efi_second_stage;
mod efi_syslinux_cd;
mod efi_wrong_image;
mod entry_load_segment;
mod entry_media_type;
mod entry_not_bootable;
mod floppy_size;
mod grub_files;
mod hard_disk_cylinders;
mod hard_disk_geometry;
mod hard_disk_partition_slot;
mod hard_disk_system_type;
mod hybrid_gpt;
mod hybrid_mbr;
mod hybrid_pointer;
mod id;
mod image_exceeds_quarter;
mod image_no_loader;
mod image_not_at_start;
mod image_out_of_range;
mod image_oversized_4x;
mod initrd_cut;
mod initrd_modules;
mod initrd_unreadable;
mod iso_burnt_as_file;
mod iso_in_partition;
mod isolinux_files;
mod isolinux_kernel_name;
mod kernel_cut;
mod kernel_no_multiboot_header;
mod kernel_not_linux;
mod limine_files;
mod load_size_short;
mod loader_emulation;
mod mbr_absent;
mod mbr_no_active;
mod mbr_no_code;
mod mbr_signature;
mod mbr_wrong_code;
mod media_checksum;
mod memdisk_image;
mod missing_emulation;
mod multisession_stale;
mod no_boot_record;
mod not_iso;
mod partition_past_end;
mod recipe;
mod room;
mod secure_boot_2011_only;
mod secure_boot_2023_only;
mod secure_boot_revoked;
mod secure_boot_sbat;
mod secure_boot_unsigned;
mod squashfs_cut;
mod udf;
mod volume_size;
mod windows_files;
mod zeros;

pub(crate) use self::recipe::choose;
use self::room::Room;
pub use self::{
    id::{FindingId, UnknownFinding},
    recipe::{Example, FilledRecipe, Recipe, When, examples},
};
use crate::{finding::Severity, inspect::Reading, units::Lba};

impl FindingId {
    pub(crate) const fn room(self) -> &'static Room {
        match self {
            Self::NoBootRecord => &no_boot_record::ROOM,
            Self::BootRecordMisplaced => &boot_record_misplaced::ROOM,
            Self::BootRecordDuplicate => &boot_record_duplicate::ROOM,
            Self::BootRecordIdPadding => &boot_record_id_padding::ROOM,
            Self::CatalogOutOfRange => &catalog_out_of_range::ROOM,
            Self::CatalogHeaderId => &catalog_header_id::ROOM,
            Self::CatalogKey => &catalog_key::ROOM,
            Self::CatalogChecksum => &catalog_checksum::ROOM,
            Self::CatalogPlatform => &catalog_platform::ROOM,
            Self::CatalogEfiOnly => &catalog_efi_only::ROOM,
            Self::CatalogBiosNotFirst => &catalog_bios_not_first::ROOM,
            Self::CatalogNoEfi => &catalog_no_efi::ROOM,
            Self::CatalogSectionHeaderMissing => &catalog_section_header_missing::ROOM,
            Self::CatalogSectionChain => &catalog_section_chain::ROOM,
            Self::CatalogEfiTooDeep => &catalog_efi_too_deep::ROOM,
            Self::EntryNotBootable => &entry_not_bootable::ROOM,
            Self::EntryMediaType => &entry_media_type::ROOM,
            Self::EntryLoadSegment => &entry_load_segment::ROOM,
            Self::CountZero => &count_zero::ROOM,
            Self::CountTooLarge => &count_too_large::ROOM,
            Self::CountWrapped => &count_wrapped::ROOM,
            Self::CountUnit => &count_unit::ROOM,
            Self::CountEfiShort => &count_efi_short::ROOM,
            Self::ImageOutOfRange => &image_out_of_range::ROOM,
            Self::ImageOversized4x => &image_oversized_4x::ROOM,
            Self::ImageExceedsQuarter => &image_exceeds_quarter::ROOM,
            Self::PartitionPastEnd => &partition_past_end::ROOM,
            Self::FloppySize => &floppy_size::ROOM,
            Self::EfiAsFloppy => &efi_as_floppy::ROOM,
            Self::HardDiskPartitionSlot => &hard_disk_partition_slot::ROOM,
            Self::HardDiskSystemType => &hard_disk_system_type::ROOM,
            Self::HardDiskCylinders => &hard_disk_cylinders::ROOM,
            Self::HardDiskGeometry => &hard_disk_geometry::ROOM,
            Self::MbrSignature => &mbr_signature::ROOM,
            Self::BootInfoTable => &boot_info_table::ROOM,
            Self::EfiNoLoader => &efi_no_loader::ROOM,
            Self::EfiOpenEndOutsideVolume => &efi_open_end_outside_volume::ROOM,
            Self::VolumeSize => &volume_size::ROOM,
            Self::MultisessionStale => &multisession_stale::ROOM,
            Self::HybridMbr => &hybrid_mbr::ROOM,
            Self::HybridGpt => &hybrid_gpt::ROOM,
            Self::NotIso => &not_iso::ROOM,
            Self::EfiFatClusters => &efi_fat_clusters::ROOM,
            Self::EfiFatLongerThanImage => &efi_fat_longer_than_image::ROOM,
            Self::EfiForeignFilesystem => &efi_foreign_filesystem::ROOM,
            Self::EfiWrongImage => &efi_wrong_image::ROOM,
            Self::EfiLoaderProgram => &efi_loader_program::ROOM,
            Self::EfiLoaderName => &efi_loader_name::ROOM,
            Self::EfiArchitecture => &efi_architecture::ROOM,
            Self::EfiSecondStage => &efi_second_stage::ROOM,
            Self::EfiSyslinuxCd => &efi_syslinux_cd::ROOM,
            Self::LoadSizeShort => &load_size_short::ROOM,
            Self::LoaderEmulation => &loader_emulation::ROOM,
            Self::ImageNoLoader => &image_no_loader::ROOM,
            Self::MissingEmulation => &missing_emulation::ROOM,
            Self::IsolinuxFiles => &isolinux_files::ROOM,
            Self::GrubFiles => &grub_files::ROOM,
            Self::LimineFiles => &limine_files::ROOM,
            Self::WindowsFiles => &windows_files::ROOM,
            Self::MbrNoCode => &mbr_no_code::ROOM,
            Self::MbrAbsent => &mbr_absent::ROOM,
            Self::MbrNoActive => &mbr_no_active::ROOM,
            Self::HybridPointer => &hybrid_pointer::ROOM,
            Self::MbrWrongCode => &mbr_wrong_code::ROOM,
            Self::IsoInPartition => &iso_in_partition::ROOM,
            Self::IsoBurntAsFile => &iso_burnt_as_file::ROOM,
            Self::ImageNotAtStart => &image_not_at_start::ROOM,
            Self::CountByteOrder => &count_byte_order::ROOM,
            Self::ConfigMissingFile => &config_missing_file::ROOM,
            Self::ConfigWrongMedium => &config_wrong_medium::ROOM,
            Self::ConfigFixedDevice => &config_fixed_device::ROOM,
            Self::IsolinuxKernelName => &isolinux_kernel_name::ROOM,
            Self::ConfigEncoding => &config_encoding::ROOM,
            Self::ConfigSyntax => &config_syntax::ROOM,
            Self::Udf => &udf::ROOM,
            Self::KernelCut => &kernel_cut::ROOM,
            Self::KernelNotLinux => &kernel_not_linux::ROOM,
            Self::KernelNoMultibootHeader => &kernel_no_multiboot_header::ROOM,
            Self::MemdiskImage => &memdisk_image::ROOM,
            Self::InitrdCut => &initrd_cut::ROOM,
            Self::InitrdUnreadable => &initrd_unreadable::ROOM,
            Self::InitrdModules => &initrd_modules::ROOM,
            Self::SquashfsCut => &squashfs_cut::ROOM,
            Self::MediaChecksum => &media_checksum::ROOM,
            Self::Zeros => &zeros::ROOM,
            Self::SecureBootUnsigned => &secure_boot_unsigned::ROOM,
            Self::SecureBoot2011Only => &secure_boot_2011_only::ROOM,
            Self::SecureBoot2023Only => &secure_boot_2023_only::ROOM,
            Self::SecureBootRevoked => &secure_boot_revoked::ROOM,
            Self::SecureBootSbat => &secure_boot_sbat::ROOM,
        }
    }
}

/// Runs every room.
pub(crate) fn check(reading: &mut Reading<'_, '_>) {
    for id in FindingId::ALL {
        let found = (id.room().check)(reading);
        reading.found.extend(found);
    }
    replace(reading);
}

/// Leaves out findings that others of the same image replace. Findings that belong to no image are replaced by those about the disc.
fn replace(reading: &mut Reading<'_, '_>) {
    let subjects: Vec<(FindingId, Option<Lba>)> = reading
        .found
        .iter()
        .map(|finding| (finding.id, reading.subject(finding)))
        .collect();
    let is_replaced = |&(id, subject): &(FindingId, Option<Lba>)| {
        subjects.iter().any(|&(by, of)| {
            let is_same = subject.is_none() || of.is_none() || subject == of;
            is_same && by.room().replaces.contains(&id)
        })
    };
    let mut replaced = subjects.iter().map(is_replaced);
    reading
        .found
        .retain(|_| !replaced.next().unwrap_or_default());
}

impl FindingId {
    /// Whether it describes the disc's purpose and is not a fault: baselines and snapshots leave it out.
    #[must_use]
    pub const fn describes(self) -> bool {
        self.room().describes
    }

    /// Its highest severity.
    #[must_use]
    pub const fn severity(self) -> Severity {
        self.room().severity
    }

    /// Its severity where it does less harm. [`FindingId::VolumeSize`] is an error if the volume claims more than the
    /// disc has, and only information if data follows the volume. [`FindingId::HybridMbr`] is an error if the partition
    /// table is the only way to an EFI loader, else a warning.
    #[must_use]
    pub const fn milder(self) -> Option<Severity> {
        self.room().milder
    }

    /// Who trips over it: `seabios`, `ovmf`, `u-boot`, `virtualbox`, `bochs`, `usb` (any firmware with the disc as a
    /// stick), `tools` (mastering tools and strict readers), `firmware` (some, depending on the maker), `isolinux`, `grub`, `loader` (the program in the boot
    /// image).
    #[must_use]
    pub const fn trips(self) -> &'static [&'static str] {
        self.room().trips
    }

    /// What it is, in a sentence.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        self.room().explanation
    }

    /// Its effect, in a sentence.
    #[must_use]
    pub const fn consequence(self) -> &'static str {
        self.room().consequence
    }

    /// How to fix it with any tool, in a sentence.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        self.room().remedy
    }

    /// How to avoid it, for each tool that can avoid it. [`crate::finding::Finding::recipes`] has those that fit a disc.
    #[must_use]
    pub const fn recipes(self) -> &'static [Recipe] {
        self.room().recipes
    }
}

#[cfg(test)]
mod fix_tests;
#[cfg(test)]
mod tests;

#[cfg(test)]
mod list_tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_room_is_furnished() {
        let ids: BTreeSet<&str> = FindingId::names().collect();
        assert_eq!(ids.len(), FindingId::ALL.len(), "an id stands twice");
        for id in FindingId::ALL {
            assert_eq!(id.as_str().parse(), Ok(*id));
            for sentence in [id.explanation(), id.consequence(), id.remedy()] {
                assert!(
                    sentence.len() > 20 && sentence.ends_with('.') && !sentence.contains("  "),
                    "{id}: {sentence}"
                );
            }
            assert!(
                id.milder().is_none_or(|milder| milder < id.severity()),
                "{id}"
            );
            let json = serde_json::to_string(id).unwrap();
            assert_eq!(json, format!("\"{id}\""));
            assert_eq!(serde_json::from_str::<FindingId>(&json).unwrap(), *id);
        }
        assert!("catalog".parse::<FindingId>().is_err());
    }

    #[test]
    fn a_room_is_called_as_its_id() {
        let list = include_str!("mod.rs");
        for id in FindingId::ALL {
            let room = id.as_str().replace('-', "_");
            assert!(list.contains(&format!("\nmod {room};\n")), "{id}");
            assert!(list.contains(&format!("&{room}::ROOM,")), "{id}");
        }
    }
}
