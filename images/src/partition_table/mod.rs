//! Partition tables, which make a disc a disk too: the master boot record and the GUID partition table.
//!
//! All addresses count **512-byte sectors** from the start of the disc: a disk's sectors, as large as El Torito's
//! virtual ones.

mod gpt;
mod mbr;

pub use gpt::{Gpt, GptEntry, GptHeader, Guid, RawGptEntry, RawGptHeader};
pub use mbr::{Mbr, MbrEntry, PartitionType};

use crate::units::{ByteCount, VirtualSectorCount};

/// A sector of a disk.
pub const SECTOR_BYTES: ByteCount = VirtualSectorCount::new(1).bytes();
