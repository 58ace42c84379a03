//! Bytes of a disc that belong to one structure.

use serde::{Deserialize, Serialize};

use super::structure::Structure;
use crate::units::ByteCount;

/// Bytes of the disc that belong to one structure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// The first byte on the disc.
    pub offset: u64,
    /// How many there are.
    pub bytes: ByteCount,
    /// How much of the structure stands before them: more than nothing in the further extents of a file.
    pub before: ByteCount,
    /// How long the structure is, all its extents together.
    pub whole: ByteCount,
    /// What stands there.
    pub what: Structure,
}

impl Extent {
    /// The byte behind the last one.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes.get())
    }
}
