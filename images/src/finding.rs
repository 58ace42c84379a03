//! Findings: what can be wrong with a disc, by forty stable ids, and what a reader says when it meets one.
//!
//! The catalogue is data, so that the command line, SARIF rules and documentation all say the same.

mod catalogue;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::units::Lba;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// By design, and worth knowing.
    Info,
    /// It boots, but breaks the specification or fails elsewhere.
    Warning,
    /// A firmware that the entry addresses fails to boot it, or the disc is not what was mastered. A healthy disc
    /// has none.
    Error,
}

impl Severity {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $variant:ident => $id:literal),* $(,)?) => {
        /// What can be wrong with a disc. The ids are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum FindingId { $($(#[$doc])* #[serde(rename = $id)] $variant),* }

        impl FindingId {
            /// Every id.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Every id, as a word.
            pub fn names() -> impl Iterator<Item = &'static str> {
                Self::ALL.iter().map(|id| id.as_str())
            }

            /// The id, as in `catalog-checksum`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }
        }
    };
}

ids! {
    /// Nothing El Torito in the descriptor set.
    NoBootRecord => "no-boot-record",
    /// The boot record is not at LBA 17.
    BootRecordMisplaced => "boot-record-misplaced",
    /// There are two boot records.
    BootRecordDuplicate => "boot-record-duplicate",
    /// The boot record's identifier is not byte for byte what the specification has.
    BootRecordIdPadding => "boot-record-id-padding",
    /// The boot record points past the end.
    CatalogOutOfRange => "catalog-out-of-range",
    /// The validation entry does not begin with 01.
    CatalogHeaderId => "catalog-header-id",
    /// The validation entry does not end with 55 AA.
    CatalogKey => "catalog-key",
    /// The validation entry's words do not sum to 0.
    CatalogChecksum => "catalog-checksum",
    /// A platform that no specification has.
    CatalogPlatform => "catalog-platform",
    /// Everything on the disc is for UEFI.
    CatalogEfiOnly => "catalog-efi-only",
    /// The disc holds an EFI loader, and the catalog has no entry for it.
    CatalogNoEfi => "catalog-no-efi",
    /// Entries after the initial one without a section header.
    CatalogSectionHeaderMissing => "catalog-section-header-missing",
    /// Section headers that contradict what follows them.
    CatalogSectionChain => "catalog-section-chain",
    /// The first EFI entry is behind slot 15.
    CatalogEfiTooDeep => "catalog-efi-too-deep",
    /// The initial entry is not marked as bootable.
    EntryNotBootable => "entry-not-bootable",
    /// A media type that does not exist.
    EntryMediaType => "entry-media-type",
    /// A load segment at which the image cannot run.
    EntryLoadSegment => "entry-load-segment",
    /// A BIOS entry of which nothing is loaded.
    CountZero => "count-zero",
    /// A BIOS entry of which more is loaded than there is room for.
    CountTooLarge => "count-too-large",
    /// A count that was cut to 16 bits.
    CountWrapped => "count-wrapped",
    /// A count in 2048-byte blocks.
    CountUnit => "count-unit",
    /// A count that covers a small part of the file system.
    CountEfiShort => "count-efi-short",
    /// An image that is not wholly on the disc.
    ImageOutOfRange => "image-out-of-range",
    /// An image that takes four times its length: KB912666.
    ImageOversized4x => "image-oversized-4x",
    /// An image longer than a quarter of the medium.
    ImageExceedsQuarter => "image-exceeds-quarter",
    /// The partition that OVMF computes ends behind the disc.
    PartitionPastEnd => "partition-past-end",
    /// A floppy image that is not as long as its floppy.
    FloppySize => "floppy-size",
    /// An EFI file system with an emulation.
    EfiAsFloppy => "efi-as-floppy",
    /// A hard-disk image without exactly one partition, in slot 0.
    HardDiskPartitionSlot => "hard-disk-partition-slot",
    /// An entry's system type that is not the partition's.
    HardDiskSystemType => "hard-disk-system-type",
    /// More cylinders than some firmware or CHS can address.
    HardDiskCylinders => "hard-disk-cylinders",
    /// A hard-disk image without 55 AA.
    MbrSignature => "mbr-signature",
    /// An isolinux without a right boot-info table.
    BootInfoTable => "boot-info-table",
    /// An EFI entry without a loader.
    EfiNoLoader => "efi-no-loader",
    /// An EFI image to the end of a volume that ends before it does.
    EfiOpenEndOutsideVolume => "efi-open-end-outside-volume",
    /// The volume's size and the file's disagree.
    VolumeSize => "volume-size",
    /// The boot record is in an earlier session only.
    MultisessionStale => "multisession-stale",
    /// A partition table that UEFI rejects as a whole.
    HybridMbr => "hybrid-mbr",
    /// A GPT that some firmware refuses.
    HybridGpt => "hybrid-gpt",
    /// No ISO 9660 at all.
    NotIso => "not-iso",
}

/// What the catalogue says of one id.
pub(crate) struct Record {
    severity: Severity,
    milder: Option<Severity>,
    trips: &'static [&'static str],
    explanation: &'static str,
    consequence: &'static str,
    remedy: &'static str,
    fixes: &'static [(&'static str, &'static str)],
}

impl FindingId {
    /// How bad it is, at the worst.
    #[must_use]
    pub const fn severity(self) -> Severity {
        catalogue::record(self).severity
    }

    /// How bad it is where it does less harm. [`FindingId::VolumeSize`] is an error where the volume claims more than
    /// there is, and only worth knowing where data trails the volume; [`FindingId::HybridMbr`] an error where the
    /// partition table is the only way to an EFI loader, and a warning elsewhere.
    #[must_use]
    pub const fn milder(self) -> Option<Severity> {
        catalogue::record(self).milder
    }

    /// Who trips over it: `seabios`, `ovmf`, `u-boot`, `virtualbox`, `bochs`, `usb` (any firmware with the disc as a
    /// stick), `tools` (mastering tools and strict readers), `firmware` (some, depending on the maker).
    #[must_use]
    pub const fn trips(self) -> &'static [&'static str] {
        catalogue::record(self).trips
    }

    /// What it is, in a sentence.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        catalogue::record(self).explanation
    }

    /// What it does to whom, in a sentence.
    #[must_use]
    pub const fn consequence(self) -> &'static str {
        catalogue::record(self).consequence
    }

    /// How to mend it, whatever the tool, in a sentence.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        catalogue::record(self).remedy
    }

    /// How to mend it with each mastering tool that has an option for it: the tool, and what to do.
    #[must_use]
    pub const fn fixes(self) -> &'static [(&'static str, &'static str)] {
        catalogue::record(self).fixes
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no id of a finding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no finding is called {0:?}")]
pub struct UnknownFinding(String);

impl FromStr for FindingId {
    type Err = UnknownFinding;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().copied().find(|id| id.as_str() == text);
        found.ok_or_else(|| UnknownFinding(text.to_owned()))
    }
}

/// Where the guilty bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Their offset from the start of the disc, in bytes.
    pub offset: u64,
}

impl Place {
    /// The first byte of a block.
    #[must_use]
    pub const fn block(lba: Lba) -> Self {
        Self {
            offset: lba.byte_offset(),
        }
    }

    /// A byte within a block or behind it.
    #[must_use]
    pub const fn within(lba: Lba, byte: u64) -> Self {
        Self {
            offset: lba.byte_offset().saturating_add(byte),
        }
    }
}

/// Something that is wrong with a disc, or worth knowing of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is.
    pub id: FindingId,
    /// How bad it is here.
    pub severity: Severity,
    /// The block that holds the guilty bytes.
    pub lba: Lba,
    /// Their absolute offset in bytes.
    pub offset: u64,
    /// A sentence with the figures that were found and those that should have been.
    pub message: String,
    /// Who trips over it.
    pub trips: Vec<String>,
    /// How to mend it.
    pub fix: String,
}

impl Finding {
    /// A finding as bad as its id can be.
    #[must_use]
    pub fn new(id: FindingId, place: Place, message: String) -> Self {
        Self {
            id,
            severity: id.severity(),
            lba: Lba::of_offset(place.offset),
            offset: place.offset,
            message,
            trips: id.trips().iter().map(|&who| who.to_owned()).collect(),
            fix: id.remedy().to_owned(),
        }
    }

    /// The same where it does less harm here.
    #[must_use]
    pub fn milder(mut self) -> Self {
        self.severity = self.id.milder().unwrap_or(self.severity);
        self
    }

    /// The same where it is only worth knowing: nobody trips over it, and nothing need be mended.
    #[must_use]
    pub fn as_info(mut self) -> Self {
        self.severity = Severity::Info;
        self.trips.clear();
        "Nothing need be done.".clone_into(&mut self.fix);
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_catalogue_is_complete() {
        assert_eq!(FindingId::ALL.len(), 40);
        let ids: BTreeSet<&str> = FindingId::ALL.iter().map(|id| id.as_str()).collect();
        assert_eq!(ids.len(), 40);
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
            for (tool, remedy) in id.fixes() {
                assert!(!tool.is_empty() && remedy.len() > 10, "{id}: {tool}");
            }
            let json = serde_json::to_string(id).unwrap();
            assert_eq!(json, format!("\"{id}\""));
        }
        assert!("catalog".parse::<FindingId>().is_err());
    }
}
