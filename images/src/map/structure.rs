use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{fat::FatStructure, iso9660::DescriptorKind, units::Lba};

/// What stands somewhere on a disc.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Structure {
    /// The first sixteen blocks, where nothing more is known of them.
    SystemArea,
    /// The code of the master boot record.
    BootCode,
    /// The four entries of the master boot record, and its signature.
    PartitionTable,
    /// The header of the GUID partition table.
    GptHeader {
        /// The one at the beginning, or the backup.
        copy: GptCopy,
    },
    /// Its entries.
    GptEntries {
        /// Those at the beginning, or the backup.
        copy: GptCopy,
    },
    /// A partition, where nothing more is known of what is in it.
    Partition {
        /// The table that has it.
        table: PartitionScheme,
        /// Its number among those in use, from 1.
        number: u32,
        /// Its name, if it has one.
        name: String,
    },
    /// A volume descriptor.
    VolumeDescriptor {
        /// Which.
        descriptor: DescriptorKind,
        /// The start of the session that it belongs to, where that is not the disc's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<Lba>,
    },
    /// A path table.
    PathTable {
        /// How its numbers are written.
        order: ByteOrder,
        /// The tree that it leads into.
        tree: TreeKind,
    },
    /// A directory of the tree.
    Directory {
        /// Its path; the root's is `/`.
        path: String,
        /// The tree that it belongs to.
        tree: TreeKind,
    },
    /// A file of the tree.
    File {
        /// Its path.
        path: String,
    },
    /// The boot catalog.
    Catalog,
    /// A boot image.
    BootImage {
        /// The slots whose entries name it.
        slots: Vec<u16>,
        /// The file that it is.
        path: Option<String>,
    },
    /// Something in a FAT file system.
    Fat {
        /// What.
        part: FatStructure,
        /// The boot image or partition that the file system is.
        holder: Box<Structure>,
    },
    /// What follows the volume's end, where nothing more is known of it.
    BehindVolume,
}

/// Which copy of a GUID partition table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GptCopy {
    /// From the second sector on.
    Primary,
    /// At the disc's end.
    Backup,
}

/// The kinds of partition tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartitionScheme {
    /// The master boot record's.
    Mbr,
    /// The GUID partition table.
    Gpt,
}

/// How the numbers of a path table are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ByteOrder {
    /// Type L.
    LittleEndian,
    /// Type M.
    BigEndian,
}

/// The trees of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TreeKind {
    /// The primary volume descriptor's.
    Primary,
    /// A supplementary one's, such as Joliet's.
    Supplementary,
}

impl Structure {
    /// How far inside others it stands: what a byte belongs to is the innermost.
    pub(super) const fn layer(&self) -> u8 {
        match self {
            Self::BehindVolume | Self::Partition { .. } => 0,
            Self::SystemArea => 1,
            Self::File { .. } => 2,
            Self::BootImage { .. } => 3,
            Self::BootCode
            | Self::PartitionTable
            | Self::GptHeader { .. }
            | Self::GptEntries { .. }
            | Self::VolumeDescriptor { .. }
            | Self::PathTable { .. }
            | Self::Directory { .. }
            | Self::Catalog => 4,
            Self::Fat { .. } => 5,
        }
    }

    /// Whether it is what somebody put on the disc, programs and files, and not what leads there.
    #[must_use]
    pub const fn is_content(&self) -> bool {
        match self {
            Self::SystemArea
            | Self::BootCode
            | Self::Partition { .. }
            | Self::File { .. }
            | Self::BootImage { .. }
            | Self::BehindVolume => true,
            Self::PartitionTable
            | Self::GptHeader { .. }
            | Self::GptEntries { .. }
            | Self::VolumeDescriptor { .. }
            | Self::PathTable { .. }
            | Self::Directory { .. }
            | Self::Catalog => false,
            Self::Fat { part, .. } => matches!(part, FatStructure::File { .. }),
        }
    }

    /// Bytes of text that it holds.
    pub(super) fn text(&self) -> usize {
        match self {
            Self::Directory { path, .. } | Self::File { path } => path.len(),
            Self::Partition { name, .. } => name.len(),
            Self::BootImage { path, .. } => path.as_ref().map_or(0, String::len),
            Self::Fat { part, holder } => holder.text().saturating_add(match part {
                FatStructure::Directory { path } | FatStructure::File { path } => path.len(),
                FatStructure::BootSector | FatStructure::Table => 0,
            }),
            _ => 0,
        }
    }
}

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SystemArea => f.write_str("system area"),
            Self::BootCode => f.write_str("boot code of the master boot record"),
            Self::PartitionTable => f.write_str("partition table of the master boot record"),
            Self::GptHeader { copy } => write!(f, "{copy}GPT header"),
            Self::GptEntries { copy } => write!(f, "{copy}GPT entries"),
            Self::Partition {
                table,
                number,
                name,
            } => {
                write!(f, "partition {number} of the {table}")?;
                match name.as_str() {
                    "" => Ok(()),
                    name => write!(f, " ({name})"),
                }
            }
            Self::VolumeDescriptor {
                descriptor,
                session,
            } => {
                f.write_str(match descriptor {
                    DescriptorKind::BootRecord => "boot record",
                    DescriptorKind::Primary => "primary volume descriptor",
                    DescriptorKind::Supplementary => "supplementary volume descriptor",
                    DescriptorKind::Partition => "volume partition descriptor",
                    DescriptorKind::Terminator => "volume descriptor set terminator",
                    DescriptorKind::Reserved(_) => "volume descriptor of a reserved type",
                })?;
                match session {
                    Some(start) => write!(f, " of the session at LBA {}", start.get()),
                    None => Ok(()),
                }
            }
            Self::PathTable { order, tree } => {
                f.write_str(match order {
                    ByteOrder::LittleEndian => "path table, little-endian",
                    ByteOrder::BigEndian => "path table, big-endian",
                })?;
                tree.fmt(f)
            }
            Self::Directory { path, tree } => {
                write!(f, "directory {path}")?;
                tree.fmt(f)
            }
            Self::File { path } => f.write_str(path),
            Self::Catalog => f.write_str("catalog"),
            Self::BootImage { slots, path } => {
                let numbers: Vec<String> = slots.iter().map(u16::to_string).collect();
                let plural = if slots.len() > 1 { "s" } else { "" };
                write!(f, "boot image of slot{plural} {}", numbers.join(" and "))?;
                match path {
                    Some(path) => write!(f, " ({path})"),
                    None => Ok(()),
                }
            }
            Self::Fat { part, holder } => match part {
                FatStructure::BootSector => write!(f, "boot sector of the {holder}"),
                FatStructure::Table => write!(f, "file allocation table of the {holder}"),
                FatStructure::Directory { path } => write!(f, "directory {path} in the {holder}"),
                FatStructure::File { path } => write!(f, "{path} in the {holder}"),
            },
            Self::BehindVolume => f.write_str("behind the volume's end"),
        }
    }
}

impl fmt::Display for GptCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "",
            Self::Backup => "backup ",
        })
    }
}

impl fmt::Display for PartitionScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mbr => "MBR",
            Self::Gpt => "GPT",
        })
    }
}

impl fmt::Display for TreeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "",
            Self::Supplementary => " (supplementary tree)",
        })
    }
}
