//! What was read: the shapes of `inspect/1`.

use serde::{Deserialize, Serialize};

use super::signed::reading::SecureBootReading;
use crate::{
    eltorito::{MediaType, Platform},
    finding::{Finding, FindingId, Severity},
    tool::Tool,
    units::{BlockCount, ByteCount, Lba, VirtualSector, VirtualSectorCount},
};

/// The name of the format, `inspect/1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Schema {
    /// The first one.
    #[default]
    #[serde(rename = "inspect/1")]
    Inspect1,
}

/// All that is read of a disc without booting it, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// The format.
    pub schema: Schema,
    /// The disc's length.
    #[serde(rename = "size_bytes")]
    pub size: ByteCount,
    /// The ISO 9660 volume at LBA 16.
    pub volume: Option<Volume>,
    /// Every session, the first one included, where there is more than one.
    pub sessions: Vec<Session>,
    /// The El Torito boot records in the descriptor set of LBA 16.
    pub boot_records: Vec<BootRecordReading>,
    /// The boot catalog.
    pub catalog: Option<CatalogReading>,
    /// The partition tables of a hybrid disc.
    pub partitions: PartitionsReading,
    /// The directory tree, counted.
    pub tree: Option<TreeReading>,
    /// How an original boot image compares with what is on the disc, where one was given and there is an entry.
    pub boot_image: Option<Comparison>,
    /// The EFI programs, who signed them, and who trusts them.
    #[serde(default)]
    pub secure_boot: SecureBootReading,
    /// Offsets at which the medium could not be read, at most sixteen.
    pub unreadable: Vec<u64>,
    /// What is wrong, the worst first.
    pub findings: Vec<Finding>,
}

impl Inspection {
    /// Whether something is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    /// What is at least so bad, the worst first.
    pub fn from(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        let findings = self.findings.iter();
        findings.filter(move |finding| finding.severity >= severity)
    }

    /// What is an error.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.from(Severity::Error)
    }

    /// Whether there is a finding of this id.
    #[must_use]
    pub fn found(&self, id: FindingId) -> bool {
        self.findings.iter().any(|finding| finding.id == id)
    }

    /// The catalog's boot entries.
    pub fn entries(&self) -> impl Iterator<Item = (&EntryReading, &BootReading)> {
        let entries = self.catalog.iter().flat_map(|catalog| &catalog.entries);
        entries.filter_map(|entry| Some((entry, entry.boot.as_ref()?)))
    }
}

/// A primary volume descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Where the descriptor stands.
    pub lba: Lba,
    /// The volume's name.
    pub id: String,
    /// What prepared it, in its own words.
    #[serde(default)]
    pub preparer: String,
    /// What made it, in its own words.
    pub application: String,
    /// The tools that left their traces on it, the one that laid it out first.
    #[serde(default)]
    pub mastered_by: Vec<Tool>,
    /// The volume's size.
    pub blocks: BlockCount,
    /// The root directory.
    pub root: Option<Lba>,
    /// Whether there is a supplementary descriptor, such as Joliet's.
    pub supplementary: bool,
}

/// A session: a descriptor set of its own, sixteen blocks behind its start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its first block.
    pub start: Lba,
    /// The volume's size that its primary descriptor says.
    pub blocks: BlockCount,
    /// The catalog that its boot record points to.
    pub catalog: Option<Lba>,
}

/// An El Torito boot record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootRecordReading {
    /// Where it stands.
    pub lba: Lba,
    /// The catalog that it points to.
    pub catalog: Lba,
}

/// The boot catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogReading {
    /// Where it starts.
    pub lba: Lba,
    /// Its slots that are in use, in order.
    pub entries: Vec<EntryReading>,
}

/// What a slot of the catalog is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// Slot 0.
    Validation,
    /// Slot 1.
    Initial,
    /// A section header.
    Header,
    /// A boot entry behind the initial one.
    Section,
    /// More selection criteria of the entry before it.
    Extension,
}

impl EntryKind {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Initial => "initial",
            Self::Header => "header",
            Self::Section => "section",
            Self::Extension => "extension",
        }
    }
}

/// A slot of the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryReading {
    /// Its number; the validation entry is slot 0.
    pub slot: u16,
    /// What it is.
    pub kind: EntryKind,
    /// The platform that it names, or that its header or the validation entry names for it.
    pub platform: Platform,
    /// What it boots: the initial entry and section entries.
    #[serde(flatten)]
    pub boot: Option<BootReading>,
}

/// What an entry boots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootReading {
    /// Whether its indicator is 88.
    pub bootable: bool,
    /// The media byte.
    pub media: MediaType,
    /// Where the BIOS loads the image; 0 means 07C0.
    pub load_segment: u16,
    /// The type byte of the image's partition.
    pub system_type: u8,
    /// How many virtual sectors the BIOS loads.
    pub sector_count: VirtualSectorCount,
    /// Where the image starts.
    pub load_rba: Lba,
    /// The blocks from there to the end of the file that starts there, or to what comes next on the disc; nothing
    /// where the image is not on the disc.
    pub extent_blocks: Option<BlockCount>,
    /// The file that starts there.
    pub path: Option<String>,
    /// Its length.
    pub file_bytes: Option<ByteCount>,
    /// How long the image says that it is: its floppy's size, its file system's, the end of its last partition, or the
    /// length in its boot-info table.
    pub own_length: Option<VirtualSectorCount>,
    /// The FAT file system that it is: 12, 16 or 32.
    pub fat: Option<u8>,
    /// The loaders in `\EFI\BOOT` of that.
    pub loaders: Vec<String>,
}

/// The partition tables in the system area.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionsReading {
    /// Whether the first sector ends with 55 AA, without which a BIOS does not start it as a disk.
    #[serde(default)]
    pub signature: bool,
    /// The slots of the MBR that have a type or a length.
    pub mbr: Vec<MbrPartition>,
    /// The GPT's partitions, where there is a GPT.
    pub gpt: Option<Vec<GptPartition>>,
}

/// A slot of an MBR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MbrPartition {
    /// Its number from 0.
    pub slot: u8,
    /// 80h active, 00 not.
    pub status: u8,
    /// The type byte.
    pub kind: u8,
    /// Its first 512-byte sector.
    pub first: VirtualSector,
    /// Its length.
    pub sectors: VirtualSectorCount,
}

/// A partition of a GPT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GptPartition {
    /// Its name.
    pub name: String,
    /// Whether it is an EFI system partition.
    pub esp: bool,
    /// Its first 512-byte sector.
    pub first: VirtualSector,
    /// Its last one.
    pub last: VirtualSector,
}

/// The directory tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeReading {
    /// Directories, the root included.
    pub directories: u64,
    /// Files.
    pub files: u64,
    /// Whether all of it was read: damaged and endless trees are not.
    pub complete: bool,
    /// The loaders in `/EFI/BOOT` of the tree.
    pub loaders: Vec<String>,
}

pub(super) fn entries(
    catalog: Option<&CatalogReading>,
) -> impl Iterator<Item = (&EntryReading, &BootReading)> {
    let entries = catalog.into_iter().flat_map(|catalog| &catalog.entries);
    entries.filter_map(|entry| Some((entry, entry.boot.as_ref()?)))
}

/// How an original compares with the image of the entry that resembles it most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The entry's slot.
    pub slot: u16,
    /// The original's length.
    pub original_bytes: ByteCount,
    /// How they compare.
    #[serde(flatten)]
    pub result: ComparisonResult,
}

/// How they compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum ComparisonResult {
    /// Byte for byte the same.
    Equal,
    /// The same but for bytes 8 to 63, where a mastering tool writes the boot-info table.
    EqualButBootInfoTable,
    /// The same, and then zeros to the end of the file on the disc.
    EqualButPadded,
    /// The same, followed by three times as much filler: KB912666.
    FourfoldTail,
    /// Each virtual sector in a block of its own: KB912666.
    FourfoldSpread,
    /// Not the same.
    Differs {
        /// The first virtual sector that is another one.
        sector: VirtualSector,
        /// The first byte of it that is another one, from the image's start.
        byte: u64,
    },
}

impl ComparisonResult {
    /// Whether the disc holds what was mastered.
    #[must_use]
    pub const fn is_same(self) -> bool {
        matches!(
            self,
            Self::Equal | Self::EqualButBootInfoTable | Self::EqualButPadded
        )
    }
}
