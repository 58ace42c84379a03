//! What can be wrong with a disc, a room for each finding.
//!
//! A room is a file with everything about one finding: its record, how it is found, how the reference master puts it on a disc, how each mastering tool avoids
//! it, its tests. A new finding is a new file and its two lines here: everything else (the catalogue, `--defect`, SARIF's rules,
//! documentation, tests) is made from the list.

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
mod config_missing_file;
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
mod efi_wrong_image;
mod entry_load_segment;
mod entry_media_type;
mod entry_not_bootable;
mod floppy_size;
mod hard_disk_cylinders;
mod hard_disk_geometry;
mod hard_disk_partition_slot;
mod hard_disk_system_type;
mod hybrid_gpt;
mod hybrid_mbr;
mod hybrid_pointer;
mod image_exceeds_quarter;
mod image_not_at_start;
mod image_out_of_range;
mod image_oversized_4x;
mod initrd_cut;
mod iso_burnt_as_file;
mod iso_in_partition;
mod isolinux_files;
mod isolinux_kernel_name;
mod kernel_cut;
mod kernel_no_multiboot_header;
mod load_size_short;
mod loader_emulation;
mod mbr_absent;
mod mbr_no_active;
mod mbr_no_code;
mod mbr_signature;
mod mbr_wrong_code;
mod media_checksum;
mod missing_emulation;
mod multisession_stale;
mod no_boot_record;
mod not_iso;
mod partition_past_end;
mod recipe;
mod secure_boot_2011_only;
mod secure_boot_2023_only;
mod secure_boot_revoked;
mod secure_boot_sbat;
mod secure_boot_unsigned;
mod squashfs_cut;
mod udf;
mod volume_size;
mod zeros;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) use self::recipe::choose;
pub use self::recipe::{Example, FilledRecipe, Recipe, When, examples};
use crate::{
    defect::Injection,
    finding::{Finding, Severity, UnknownFinding},
    inspect::Reading,
    units::Lba,
};

/// Everything about one finding.
pub(crate) struct Room {
    /// The id, as in `catalog-checksum`. Ids are stable.
    id: &'static str,
    severity: Severity,
    milder: Option<Severity>,
    trips: &'static [&'static str],
    explanation: &'static str,
    consequence: &'static str,
    remedy: &'static str,
    /// How to avoid it with each tool by which it can be avoided.
    recipes: &'static [Recipe],
    /// More general findings that say less of the same fault, and are left out where this one is found.
    replaces: &'static [FindingId],
    /// Whether it describes the disc, and no fault: then it is no part of what is accepted of a disc.
    describes: bool,
    /// Looks for it on a disc that was read. Rooms are asked in the order of the list, and see what was found before.
    check: fn(&mut Reading<'_, '_>) -> Vec<Finding>,
    /// How the reference master puts it on a disc, where it can.
    pub(crate) defect: Option<Injection>,
}

/// So many findings of one kind are reported.
const REPORTED: usize = 16;

/// The gravest findings of a kind that a disc can have often, each message once.
fn gravest(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings.dedup_by(|one, other| one.message == other.message);
    findings.truncate(REPORTED);
    findings
}

macro_rules! rooms {
    ($($room:ident: $variant:ident,)*) => {
        /// What can be wrong with a disc. The ids are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingId {
            $(#[doc = concat!("Its room is `findings/", stringify!($room), ".rs`.")] $variant),*
        }

        impl FindingId {
            /// Every id.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            pub(crate) const fn room(self) -> &'static Room {
                match self { $(Self::$variant => &$room::ROOM),* }
            }
        }
    };
}

rooms! {
    no_boot_record: NoBootRecord,
    boot_record_misplaced: BootRecordMisplaced,
    boot_record_duplicate: BootRecordDuplicate,
    boot_record_id_padding: BootRecordIdPadding,
    catalog_out_of_range: CatalogOutOfRange,
    catalog_header_id: CatalogHeaderId,
    catalog_key: CatalogKey,
    catalog_checksum: CatalogChecksum,
    catalog_platform: CatalogPlatform,
    catalog_efi_only: CatalogEfiOnly,
    catalog_bios_not_first: CatalogBiosNotFirst,
    catalog_no_efi: CatalogNoEfi,
    catalog_section_header_missing: CatalogSectionHeaderMissing,
    catalog_section_chain: CatalogSectionChain,
    catalog_efi_too_deep: CatalogEfiTooDeep,
    entry_not_bootable: EntryNotBootable,
    entry_media_type: EntryMediaType,
    entry_load_segment: EntryLoadSegment,
    count_zero: CountZero,
    count_too_large: CountTooLarge,
    count_wrapped: CountWrapped,
    count_unit: CountUnit,
    count_efi_short: CountEfiShort,
    image_out_of_range: ImageOutOfRange,
    image_oversized_4x: ImageOversized4x,
    image_exceeds_quarter: ImageExceedsQuarter,
    partition_past_end: PartitionPastEnd,
    floppy_size: FloppySize,
    efi_as_floppy: EfiAsFloppy,
    hard_disk_partition_slot: HardDiskPartitionSlot,
    hard_disk_system_type: HardDiskSystemType,
    hard_disk_cylinders: HardDiskCylinders,
    hard_disk_geometry: HardDiskGeometry,
    mbr_signature: MbrSignature,
    boot_info_table: BootInfoTable,
    efi_no_loader: EfiNoLoader,
    efi_open_end_outside_volume: EfiOpenEndOutsideVolume,
    volume_size: VolumeSize,
    multisession_stale: MultisessionStale,
    hybrid_mbr: HybridMbr,
    hybrid_gpt: HybridGpt,
    not_iso: NotIso,
    efi_fat_clusters: EfiFatClusters,
    efi_fat_longer_than_image: EfiFatLongerThanImage,
    efi_foreign_filesystem: EfiForeignFilesystem,
    efi_wrong_image: EfiWrongImage,
    efi_loader_program: EfiLoaderProgram,
    efi_loader_name: EfiLoaderName,
    efi_architecture: EfiArchitecture,
    efi_second_stage: EfiSecondStage,
    load_size_short: LoadSizeShort,
    loader_emulation: LoaderEmulation,
    missing_emulation: MissingEmulation,
    isolinux_files: IsolinuxFiles,
    mbr_no_code: MbrNoCode,
    mbr_absent: MbrAbsent,
    mbr_no_active: MbrNoActive,
    hybrid_pointer: HybridPointer,
    mbr_wrong_code: MbrWrongCode,
    iso_in_partition: IsoInPartition,
    iso_burnt_as_file: IsoBurntAsFile,
    image_not_at_start: ImageNotAtStart,
    count_byte_order: CountByteOrder,
    config_missing_file: ConfigMissingFile,
    config_wrong_medium: ConfigWrongMedium,
    isolinux_kernel_name: IsolinuxKernelName,
    config_encoding: ConfigEncoding,
    udf: Udf,
    kernel_cut: KernelCut,
    kernel_no_multiboot_header: KernelNoMultibootHeader,
    initrd_cut: InitrdCut,
    squashfs_cut: SquashfsCut,
    media_checksum: MediaChecksum,
    zeros: Zeros,
    secure_boot_unsigned: SecureBootUnsigned,
    secure_boot_2011_only: SecureBoot2011Only,
    secure_boot_2023_only: SecureBoot2023Only,
    secure_boot_revoked: SecureBootRevoked,
    secure_boot_sbat: SecureBootSbat,
}

/// Asks every room.
pub(crate) fn check(reading: &mut Reading<'_, '_>) {
    for id in FindingId::ALL {
        let found = (id.room().check)(reading);
        reading.found.extend(found);
    }
    replace(reading);
}

/// Leaves out findings that others of the same image replace. What belongs to no image is replaced by what concerns the disc.
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
    /// Every id, as a word.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|id| id.as_str())
    }

    /// The id, as in `catalog-checksum`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.room().id
    }

    /// Whether it describes what the disc is made for, and no fault of it: baselines and snapshots leave it out.
    #[must_use]
    pub const fn describes(self) -> bool {
        self.room().describes
    }

    /// How bad it is, at the worst.
    #[must_use]
    pub const fn severity(self) -> Severity {
        self.room().severity
    }

    /// How bad it is where it does less harm. [`FindingId::VolumeSize`] is an error where the volume claims more than
    /// there is, and only worth knowing where data trails the volume; [`FindingId::HybridMbr`] an error where the
    /// partition table is the only way to an EFI loader, and a warning elsewhere.
    #[must_use]
    pub const fn milder(self) -> Option<Severity> {
        self.room().milder
    }

    /// Who trips over it: `seabios`, `ovmf`, `u-boot`, `virtualbox`, `bochs`, `usb` (any firmware with the disc as a
    /// stick), `tools` (mastering tools and strict readers), `firmware` (some, depending on the maker).
    #[must_use]
    pub const fn trips(self) -> &'static [&'static str] {
        self.room().trips
    }

    /// What it is, in a sentence.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        self.room().explanation
    }

    /// What it does to whom, in a sentence.
    #[must_use]
    pub const fn consequence(self) -> &'static str {
        self.room().consequence
    }

    /// How to fix it, whatever the tool, in a sentence.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        self.room().remedy
    }

    /// How to avoid it with each tool by which it can be avoided. [`Finding::recipes`] has those that fit a disc.
    #[must_use]
    pub const fn recipes(self) -> &'static [Recipe] {
        self.room().recipes
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for FindingId {
    type Err = UnknownFinding;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().copied().find(|id| id.as_str() == text);
        found.ok_or_else(|| UnknownFinding::new(text))
    }
}

impl Serialize for FindingId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for FindingId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
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
            assert!(list.contains(&format!("    {room}: ")), "{id}");
        }
    }
}
