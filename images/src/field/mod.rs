//! The fields of on-disc structures, by name.

mod differing;
mod naming;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use self::{
    differing::{Comparison, Differing, compare},
    naming::{FieldNames, Named},
};
use crate::inspect::EntryKind;

/// A field of a structure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its first byte, from the structure's.
    pub at: usize,
    /// Its length in bytes.
    pub bytes: usize,
    /// Its name.
    pub name: Cow<'static, str>,
}

/// Lengths and names, in order and without gaps.
pub(crate) type Layout = &'static [(usize, &'static str)];

/// El Torito, figure 7.
pub(crate) const BOOT_RECORD: Layout = &[
    (1, "descriptor type"),
    (5, "ISO 9660 identifier"),
    (1, "version"),
    (32, "boot system identifier"),
    (32, "unused"),
    (4, "LBA of the catalog"),
];
/// El Torito, figure 2.
pub(crate) const VALIDATION: Layout = &[
    (1, "header id"),
    (1, "platform id"),
    (2, "reserved"),
    (24, "id string"),
    (2, "checksum"),
    (2, "key bytes 55 AA"),
];
/// El Torito, figure 3.
pub(crate) const INITIAL: Layout = &[
    (1, "boot indicator"),
    (1, "boot media type"),
    (2, "load segment"),
    (1, "system type"),
    (1, "unused"),
    (2, "sector count"),
    (4, "load RBA"),
    (20, "unused"),
];
/// El Torito, figure 4.
pub(crate) const HEADER: Layout = &[
    (1, "header indicator"),
    (1, "platform id"),
    (2, "number of section entries"),
    (28, "id string"),
];
/// El Torito, figure 5.
pub(crate) const SECTION: Layout = &[
    (1, "boot indicator"),
    (1, "boot media type"),
    (2, "load segment"),
    (1, "system type"),
    (1, "unused"),
    (2, "sector count"),
    (4, "load RBA"),
    (1, "selection criteria type"),
    (19, "selection criteria"),
];
/// El Torito, figure 6.
pub(crate) const EXTENSION: Layout = &[
    (1, "extension indicator"),
    (1, "extension flag"),
    (30, "selection criteria"),
];

/// ECMA-119 §8.4: what a primary and a supplementary descriptor have.
pub(crate) const VOLUME: Layout = &[
    (1, "descriptor type"),
    (5, "ISO 9660 identifier"),
    (1, "version"),
    (1, "flags"),
    (32, "system identifier"),
    (32, "volume identifier"),
    (8, "unused"),
    (8, "volume space size"),
    (32, "escape sequences"),
    (4, "volume set size"),
    (4, "volume sequence number"),
    (4, "logical block size"),
    (8, "path table size"),
    (4, "LBA of the little-endian path table"),
    (4, "LBA of the optional little-endian path table"),
    (4, "LBA of the big-endian path table"),
    (4, "LBA of the optional big-endian path table"),
    (34, "root directory record"),
    (128, "volume set identifier"),
    (128, "publisher identifier"),
    (128, "data preparer identifier"),
    (128, "application identifier"),
    (37, "copyright file identifier"),
    (37, "abstract file identifier"),
    (37, "bibliographic file identifier"),
    (17, "creation date"),
    (17, "modification date"),
    (17, "expiration date"),
    (17, "effective date"),
    (1, "file structure version"),
    (1, "reserved"),
    (512, "application use"),
    (653, "reserved"),
];
/// ECMA-119 §9.1, before the identifier.
pub(crate) const DIRECTORY_RECORD: Layout = &[
    (1, "record length"),
    (1, "extended attribute length"),
    (8, "location"),
    (8, "length"),
    (7, "recording date"),
    (1, "flags"),
    (1, "file unit size"),
    (1, "interleave gap"),
    (4, "volume sequence number"),
    (1, "identifier length"),
];
/// mkisofs(8), "EL TORITO BOOT INFORMATION TABLE", from byte 8 of the image on.
pub(crate) const BOOT_INFO_TABLE: Layout = &[
    (4, "volume descriptor's address"),
    (4, "image's address"),
    (4, "image's length"),
    (4, "checksum"),
    (40, "reserved"),
];
/// What stands behind the code of a master boot record: its last six bytes before the table, and the table.
pub(crate) const MASTER_BOOT_RECORD: Layout = &[
    (440, "boot code"),
    (4, "disk signature"),
    (2, "reserved"),
    (16, "entry 1"),
    (16, "entry 2"),
    (16, "entry 3"),
    (16, "entry 4"),
    (2, "signature"),
];
/// UEFI 2.10 §5.3.2.
pub(crate) const GPT_HEADER: Layout = &[
    (8, "signature"),
    (4, "revision"),
    (4, "header size"),
    (4, "header checksum"),
    (4, "reserved"),
    (8, "own sector"),
    (8, "other header's sector"),
    (8, "first usable sector"),
    (8, "last usable sector"),
    (16, "disk GUID"),
    (8, "entries' sector"),
    (4, "number of entries"),
    (4, "entry size"),
    (4, "entries' checksum"),
];
/// UEFI 2.10 §5.3.3.
pub(crate) const GPT_ENTRY: Layout = &[
    (16, "partition type GUID"),
    (16, "partition GUID"),
    (8, "first sector"),
    (8, "last sector"),
    (8, "attributes"),
    (72, "name"),
];
/// The boot sector of a FAT12 or FAT16 file system, as far as it is the same everywhere.
pub(crate) const FAT: Layout = &[
    (3, "jump"),
    (8, "OEM name"),
    (28, "parameters"),
    (4, "volume serial number"),
    (11, "volume label"),
    (8, "file system type"),
];
/// The boot sector of a FAT32 file system.
pub(crate) const FAT32: Layout = &[
    (3, "jump"),
    (8, "OEM name"),
    (56, "parameters"),
    (4, "volume serial number"),
    (11, "volume label"),
    (8, "file system type"),
];
/// An entry of a FAT directory.
pub(crate) const FAT_ENTRY: Layout = &[
    (11, "name"),
    (1, "attributes"),
    (1, "reserved"),
    (5, "creation time"),
    (2, "access date"),
    (2, "first cluster, high"),
    (4, "modification time"),
    (2, "first cluster"),
    (4, "length"),
];

/// The fields of a layout, each with its place.
pub(crate) fn fields(layout: Layout) -> Vec<Field> {
    let mut at = 0;
    let field = |&(bytes, name): &(usize, &'static str)| {
        let field = Field {
            at,
            bytes,
            name: Cow::Borrowed(name),
        };
        at += bytes;
        field
    };
    layout.iter().map(field).collect()
}

/// What a slot of the catalog is called, and its fields.
pub(crate) const fn of_slot(kind: EntryKind) -> (&'static str, Layout) {
    match kind {
        EntryKind::Validation => ("validation entry", VALIDATION),
        EntryKind::Initial => ("initial entry", INITIAL),
        EntryKind::Header => ("section header", HEADER),
        EntryKind::Section => ("section entry", SECTION),
        EntryKind::Extension => ("section entry extension", EXTENSION),
    }
}

#[cfg(test)]
mod tests;
