//! The ids of what can be wrong with a disc. They are stable.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! ids {
    ($($variant:ident: $id:literal,)*) => {
        /// The id of a finding about a disc. The ids are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingId {
            $(#[doc = concat!("`", $id, "`: its room in `findings` has this name.")] $variant),*
        }

        impl FindingId {
            /// Every id, in the order in which rooms are asked.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The id, as in `catalog-checksum`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }
        }
    };
}

ids! {
    NoBootRecord: "no-boot-record",
    BootRecordMisplaced: "boot-record-misplaced",
    BootRecordDuplicate: "boot-record-duplicate",
    BootRecordIdPadding: "boot-record-id-padding",
    CatalogOutOfRange: "catalog-out-of-range",
    CatalogHeaderId: "catalog-header-id",
    CatalogKey: "catalog-key",
    CatalogChecksum: "catalog-checksum",
    CatalogPlatform: "catalog-platform",
    CatalogEfiOnly: "catalog-efi-only",
    CatalogBiosNotFirst: "catalog-bios-not-first",
    CatalogNoEfi: "catalog-no-efi",
    CatalogSectionHeaderMissing: "catalog-section-header-missing",
    CatalogSectionChain: "catalog-section-chain",
    CatalogEfiTooDeep: "catalog-efi-too-deep",
    EntryNotBootable: "entry-not-bootable",
    EntryMediaType: "entry-media-type",
    EntryLoadSegment: "entry-load-segment",
    CountZero: "count-zero",
    CountTooLarge: "count-too-large",
    CountWrapped: "count-wrapped",
    CountUnit: "count-unit",
    CountEfiShort: "count-efi-short",
    ImageOutOfRange: "image-out-of-range",
    ImageOversized4x: "image-oversized-4x",
    ImageExceedsQuarter: "image-exceeds-quarter",
    PartitionPastEnd: "partition-past-end",
    FloppySize: "floppy-size",
    EfiAsFloppy: "efi-as-floppy",
    HardDiskPartitionSlot: "hard-disk-partition-slot",
    HardDiskSystemType: "hard-disk-system-type",
    HardDiskCylinders: "hard-disk-cylinders",
    HardDiskGeometry: "hard-disk-geometry",
    MbrSignature: "mbr-signature",
    BootInfoTable: "boot-info-table",
    EfiNoLoader: "efi-no-loader",
    EfiOpenEndOutsideVolume: "efi-open-end-outside-volume",
    VolumeSize: "volume-size",
    MultisessionStale: "multisession-stale",
    HybridMbr: "hybrid-mbr",
    HybridGpt: "hybrid-gpt",
    NotIso: "not-iso",
    EfiFatClusters: "efi-fat-clusters",
    EfiFatLongerThanImage: "efi-fat-longer-than-image",
    EfiForeignFilesystem: "efi-foreign-filesystem",
    EfiWrongImage: "efi-wrong-image",
    EfiLoaderProgram: "efi-loader-program",
    EfiLoaderName: "efi-loader-name",
    EfiArchitecture: "efi-architecture",
    EfiSecondStage: "efi-second-stage",
    EfiSyslinuxCd: "efi-syslinux-cd",
    LoadSizeShort: "load-size-short",
    LoaderEmulation: "loader-emulation",
    MissingEmulation: "missing-emulation",
    ImageNoLoader: "image-no-loader",
    IsolinuxFiles: "isolinux-files",
    GrubFiles: "grub-files",
    LimineFiles: "limine-files",
    WindowsFiles: "windows-files",
    MbrNoCode: "mbr-no-code",
    MbrAbsent: "mbr-absent",
    MbrNoActive: "mbr-no-active",
    HybridPointer: "hybrid-pointer",
    MbrWrongCode: "mbr-wrong-code",
    IsoInPartition: "iso-in-partition",
    IsoBurntAsFile: "iso-burnt-as-file",
    ImageNotAtStart: "image-not-at-start",
    CountByteOrder: "count-byte-order",
    ConfigMissingFile: "config-missing-file",
    ConfigWrongMedium: "config-wrong-medium",
    ConfigFixedDevice: "config-fixed-device",
    IsolinuxKernelName: "isolinux-kernel-name",
    ConfigEncoding: "config-encoding",
    ConfigSyntax: "config-syntax",
    Udf: "udf",
    KernelCut: "kernel-cut",
    KernelNotLinux: "kernel-not-linux",
    KernelNoMultibootHeader: "kernel-no-multiboot-header",
    MemdiskImage: "memdisk-image",
    InitrdCut: "initrd-cut",
    InitrdUnreadable: "initrd-unreadable",
    InitrdModules: "initrd-modules",
    SquashfsCut: "squashfs-cut",
    MediaChecksum: "media-checksum",
    Zeros: "zeros",
    SecureBootUnsigned: "secure-boot-unsigned",
    SecureBoot2011Only: "secure-boot-2011-only",
    SecureBoot2023Only: "secure-boot-2023-only",
    SecureBootRevoked: "secure-boot-revoked",
    SecureBootSbat: "secure-boot-sbat",
}

impl FindingId {
    /// Every id, as a word.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|id| id.as_str())
    }
}

/// A word that is no id of a finding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no finding is called {0:?}")]
pub struct UnknownFinding(String);

impl UnknownFinding {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
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
