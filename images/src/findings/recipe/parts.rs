//! What a firmware starts from a disc, as ingredients.

use crate::{
    eltorito::MediaType,
    inspect::BiosProgram,
    units::{BlockCount, ByteCount, Lba, VirtualSectorCount},
};

/// No path that is known is longer: of a longer one the beginning was cut.
const PATH_BYTES: usize = 512;

/// What a BIOS starts.
#[derive(Clone, Debug)]
pub(super) struct BiosPart {
    pub(super) image: Image,
    pub(super) program: BiosProgram,
    /// No emulation, a floppy, or a hard disk.
    pub(super) media: MediaType,
    pub(super) length: VirtualSectorCount,
    /// How many sectors are to be loaded.
    pub(super) load: VirtualSectorCount,
    /// Whether it wants a boot-info table.
    pub(super) has_table: bool,
    /// How long a program is that was filled up to be a floppy: it would load what was added, too.
    pub(super) padded: Option<ByteCount>,
}

/// What UEFI starts.
#[derive(Clone, Debug)]
pub(super) enum EfiPart {
    /// A FAT image that is as it must be.
    Whole {
        image: Image,
        length: VirtualSectorCount,
    },
    /// One whose loader has a name that no firmware looks for.
    Misnamed {
        path: String,
        /// Folders that it does not have, as mtools name them.
        folders: Vec<&'static str>,
        from: String,
        to: String,
        length: VirtualSectorCount,
    },
    /// One that must be made.
    ToMake {
        path: String,
        /// The directory of the tree that goes into it, as in `EFI`; `None` where its loader is not on the disc.
        from: Option<String>,
        loader: String,
        mib: u64,
    },
}

/// Where an image stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Image {
    /// It is a file of the tree: its path, without the first slash.
    File(String),
    /// It is none.
    Blocks {
        start: Lba,
        blocks: BlockCount,
        in_partition: bool,
    },
}

/// More than any EFI system partition on a disc has, in MiB.
pub(super) const MOST_MIB: u64 = 4_096;

/// What the tree was walked for.
#[derive(Default)]
pub(super) struct Searched {
    /// Files that may be a loader for a BIOS: where they start, their paths and lengths.
    pub(super) candidates: Vec<(Lba, String, ByteCount)>,
    /// The directory `/EFI`, as it is written, and the bytes of the files in it.
    pub(super) efi_folder: Option<String>,
    pub(super) efi_bytes: u64,
}

/// A path as tools want it: without its first slash. One that was cut, or that has other letters, is not known.
pub(super) fn path(path: String) -> Option<String> {
    let is_known = path.len() < PATH_BYTES && !path.contains('?');
    let path = path.strip_prefix('/').map(ToOwned::to_owned);
    path.filter(|path| is_known && !path.is_empty())
}
