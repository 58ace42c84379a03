//! The first structure in which a disc differs from one that boots, in the order in which firmware reads: system area,
//! volume descriptors, catalog, boot images, files.
//!
//! Two discs are laid out differently and made on different days. So an address is not compared but what stands there,
//! and names, dates and serial numbers are not compared at all.

mod contents;
mod fields;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    inspect::{Inspection, Window},
    map::DiscMap,
};

/// A disc that is compared, with what is known of it.
#[derive(Debug)]
pub struct Side<'s, 'd> {
    /// Its bytes.
    pub disc: &'s mut Window<'d>,
    /// What was read of it.
    pub inspection: &'s Inspection,
    /// What stands where on it.
    pub map: &'s DiscMap,
}

/// Where a disc differs from one that boots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What differs: `the validation entry's checksum`.
    pub what: String,
    /// Where on this disc: the first byte that differs, or that of the field.
    pub offset: u64,
    /// The slot of the catalog that it belongs to.
    pub slot: Option<u16>,
    /// What the disc that boots has.
    pub there: String,
    /// What this disc has.
    pub here: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {}", self.what, self.offset)?;
        if let Some(slot) = self.slot {
            write!(f, ", slot {slot}")?;
        }
        write!(f, "): {} there, {} here", self.there, self.here)
    }
}

/// The first difference of a disc from one that boots; `None` where nothing differs that firmware reads, nor any file
/// that both have.
#[must_use]
pub fn first_difference(good: Side<'_, '_>, other: Side<'_, '_>) -> Option<Difference> {
    let mut pair = Pair { good, other };
    pair.system_area()
        .or_else(|| pair.descriptors())
        .or_else(|| pair.catalog())
        .or_else(|| pair.boot_images())
        .or_else(|| pair.files())
}

/// The disc that boots, and the one that is compared with it.
struct Pair<'s, 'g, 'o> {
    good: Side<'s, 'g>,
    other: Side<'s, 'o>,
}

#[cfg(test)]
mod tests;
