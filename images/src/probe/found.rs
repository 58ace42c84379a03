//! How `sector::Found` stands in a probe's memory: the same layout for 16-bit and for 64-bit code.

/// Offsets of the fields.
pub(super) mod field {
    /// One of [`kind`](super::kind).
    pub(in crate::probe) const KIND: u16 = 0;
    /// The code of the failed read.
    pub(in crate::probe) const ERROR: u16 = 1;
    /// The CRC-16 of an unknown sector.
    pub(in crate::probe) const CRC: u16 = 2;
    /// Bytes 8–23 of a self-identifying sector: disc, slot, number.
    pub(in crate::probe) const DISC: u16 = 4;
    pub(in crate::probe) const SLOT: u16 = 12;
    pub(in crate::probe) const NUMBER: u16 = 16;
    /// Bytes in all.
    pub(in crate::probe) const BYTES: u16 = 20;
}

/// The variants of `sector::Found`.
pub(super) mod kind {
    pub(in crate::probe) const SECTOR: u32 = 0;
    pub(in crate::probe) const FOREIGN: u32 = 1;
    pub(in crate::probe) const HOLE: u32 = 2;
    pub(in crate::probe) const OTHER: u32 = 3;
    pub(in crate::probe) const ERROR: u32 = 4;
}
