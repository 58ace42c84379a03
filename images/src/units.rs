//! The two units of El Torito, kept apart by type.
//!
//! Load RBA, catalog pointer and every volume-descriptor LBA count **2048-byte logical blocks**; the
//! sector count of a boot entry counts **512-byte virtual sectors**. Mixing them up is the defect
//! KB912666 describes, so the types here have private fields, no conversion that does not name its
//! unit, and arithmetic that is checked.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Bytes in a logical block (ECMA-119 §6.1.2).
pub const BLOCK_BYTES: u64 = 2048;
/// Bytes in a virtual sector (El Torito §1.5).
pub const VIRTUAL_SECTOR_BYTES: u64 = 512;
/// Virtual sectors in a logical block.
pub const VIRTUAL_SECTORS_PER_BLOCK: u64 = BLOCK_BYTES / VIRTUAL_SECTOR_BYTES;

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident, $suffix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(0);

            /// The bare number, in this type's own unit.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The number as the 32-bit field of an on-disc structure, or `None` when it is too large.
            #[must_use]
            pub fn to_u32(self) -> Option<u32> {
                u32::try_from(self.0).ok()
            }

            /// The number as the 16-bit field of an on-disc structure, or `None` when it is too large.
            #[must_use]
            pub fn to_u16(self) -> Option<u16> {
                u16::try_from(self.0).ok()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{} ", $suffix), self.0)
            }
        }
    };
}

unit! {
    /// The address of a 2048-byte logical block, from the start of the disc.
    Lba, "(LBA)"
}
unit! {
    /// A length in 2048-byte logical blocks.
    BlockCount, "blocks"
}
unit! {
    /// A length in 512-byte virtual sectors.
    VirtualSectorCount, "virtual sectors"
}
unit! {
    /// The number of a 512-byte virtual sector, from the start of its boot image.
    VirtualSector, "(virtual sector)"
}
unit! {
    /// A length in bytes.
    ByteCount, "bytes"
}

impl Lba {
    /// The block with this address.
    #[must_use]
    pub const fn new(address: u64) -> Self {
        Self(address)
    }

    /// The block that holds the byte at this offset.
    #[must_use]
    pub const fn of_offset(offset: u64) -> Self {
        Self(offset / BLOCK_BYTES)
    }

    /// How many blocks stand before this one, counted from `start`; `None` when it stands before `start` itself.
    #[must_use]
    pub fn blocks_since(self, start: Self) -> Option<BlockCount> {
        self.0.checked_sub(start.0).map(BlockCount)
    }

    /// Offset of the block's first byte from the start of the disc. Saturates: no disc reaches 2^64 bytes.
    #[must_use]
    pub const fn byte_offset(self) -> u64 {
        self.0.saturating_mul(BLOCK_BYTES)
    }

    /// The address that many blocks further on; `None` on overflow.
    #[must_use]
    pub fn checked_add(self, blocks: BlockCount) -> Option<Self> {
        self.0.checked_add(blocks.0).map(Self)
    }

    /// The address that many blocks further on. Saturates: no disc reaches 2^64 blocks.
    #[must_use]
    pub const fn plus(self, blocks: BlockCount) -> Self {
        Self(self.0.saturating_add(blocks.0))
    }
}

impl BlockCount {
    /// That many 2048-byte blocks.
    #[must_use]
    pub const fn new(blocks: u64) -> Self {
        Self(blocks)
    }

    /// The same length in bytes. Saturates: no disc reaches 2^64 bytes.
    #[must_use]
    pub const fn bytes(self) -> ByteCount {
        ByteCount(self.0.saturating_mul(BLOCK_BYTES))
    }

    /// The same length in 512-byte virtual sectors: four times the number.
    #[must_use]
    pub const fn virtual_sectors(self) -> VirtualSectorCount {
        VirtualSectorCount(self.0.saturating_mul(VIRTUAL_SECTORS_PER_BLOCK))
    }

    /// The difference; `None` when `other` is longer.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The sum. Saturates: no disc reaches 2^64 blocks.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl VirtualSectorCount {
    /// That many 512-byte virtual sectors.
    #[must_use]
    pub const fn new(sectors: u64) -> Self {
        Self(sectors)
    }

    /// The same length in bytes. Saturates: no disc reaches 2^64 bytes.
    #[must_use]
    pub const fn bytes(self) -> ByteCount {
        ByteCount(self.0.saturating_mul(VIRTUAL_SECTOR_BYTES))
    }

    /// The logical blocks that hold this many virtual sectors, the last one perhaps only partly used.
    #[must_use]
    pub const fn blocks_rounded_up(self) -> BlockCount {
        BlockCount(self.0.div_ceil(VIRTUAL_SECTORS_PER_BLOCK))
    }

    /// The whole logical blocks in it; a rest counts for nothing.
    #[must_use]
    pub const fn whole_blocks(self) -> BlockCount {
        BlockCount(self.0 / VIRTUAL_SECTORS_PER_BLOCK)
    }

    /// The last virtual sector; `None` when there is none.
    #[must_use]
    pub fn last(self) -> Option<VirtualSector> {
        self.0.checked_sub(1).map(VirtualSector)
    }

    /// The difference; `None` when `other` is longer.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The sum. Saturates: no disc reaches 2^64 sectors.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl VirtualSector {
    /// The virtual sector with this number, counted from the start of its image.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Offset of its first byte from the start of the image. Saturates.
    #[must_use]
    pub const fn byte_offset(self) -> u64 {
        self.0.saturating_mul(VIRTUAL_SECTOR_BYTES)
    }
}

impl ByteCount {
    /// That many bytes.
    #[must_use]
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The logical blocks that hold this many bytes.
    #[must_use]
    pub const fn blocks_rounded_up(self) -> BlockCount {
        BlockCount(self.0.div_ceil(BLOCK_BYTES))
    }

    /// The virtual sectors that hold this many bytes.
    #[must_use]
    pub const fn virtual_sectors_rounded_up(self) -> VirtualSectorCount {
        VirtualSectorCount(self.0.div_ceil(VIRTUAL_SECTOR_BYTES))
    }

    /// The same length in virtual sectors; `None` when it is no whole number of them.
    #[must_use]
    pub const fn virtual_sectors_exact(self) -> Option<VirtualSectorCount> {
        if self.0.is_multiple_of(VIRTUAL_SECTOR_BYTES) {
            Some(VirtualSectorCount(self.0 / VIRTUAL_SECTOR_BYTES))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_end_with_64_bits() {
        let (last, one) = (Lba::new(u64::MAX), BlockCount::new(1));
        assert_eq!(Lba::new(16).checked_add(one), Some(Lba::new(17)));
        assert_eq!(last.checked_add(one), None);
        assert_eq!(last.plus(one), last);
        assert_eq!(last.byte_offset(), u64::MAX);
    }

    #[test]
    fn a_quarter_in_virtual_sectors_is_the_medium_in_blocks() {
        let cd_80 = BlockCount::new(360_000);
        let quarter = ByteCount::new(cd_80.bytes().get() / 4);
        assert_eq!(
            quarter.virtual_sectors_exact().map(VirtualSectorCount::get),
            Some(cd_80.get())
        );
    }

    #[test]
    fn an_offset_is_in_its_block_and_a_block_at_its_offset() {
        for (offset, block) in [(0, 0), (2047, 0), (2048, 1), (34_815, 16), (34_816, 17)] {
            assert_eq!(Lba::of_offset(offset), Lba::new(block), "{offset}");
        }
        assert_eq!(Lba::new(17).byte_offset(), 34_816);
        assert_eq!(VirtualSector::new(17).byte_offset(), 8_704);
        assert_eq!(
            Lba::new(17).blocks_since(Lba::new(16)),
            Some(BlockCount::new(1))
        );
        assert_eq!(
            Lba::new(16).blocks_since(Lba::new(16)),
            Some(BlockCount::ZERO)
        );
        assert_eq!(Lba::new(15).blocks_since(Lba::new(16)), None);
    }

    #[test]
    fn lengths_are_added_and_subtracted_in_their_own_unit() {
        let (five, two) = (BlockCount::new(5), BlockCount::new(2));
        assert_eq!(five.plus(two).get(), 7);
        assert_eq!(five.checked_sub(two).map(BlockCount::get), Some(3));
        assert_eq!(two.checked_sub(five), None);
        let (five, two) = (VirtualSectorCount::new(5), VirtualSectorCount::new(2));
        assert_eq!(five.plus(two).get(), 7);
        assert_eq!(five.checked_sub(two).map(VirtualSectorCount::get), Some(3));
        assert_eq!(two.checked_sub(five), None);
        assert_eq!(five.last(), Some(VirtualSector::new(4)));
        assert_eq!(VirtualSectorCount::ZERO.last(), None);
    }

    #[test]
    fn fields_hold_what_fits_and_words_name_the_unit() {
        let count = VirtualSectorCount::new(65_535);
        assert_eq!(
            (count.to_u16(), count.to_u32()),
            (Some(65_535), Some(65_535))
        );
        let count = VirtualSectorCount::new(65_536);
        assert_eq!((count.to_u16(), count.to_u32()), (None, Some(65_536)));
        assert_eq!(VirtualSectorCount::new(1 << 32).to_u32(), None);
        assert_eq!(count.to_string(), "65536 virtual sectors");
        assert_eq!(BlockCount::new(4).to_string(), "4 blocks");
        assert_eq!(Lba::new(17).to_string(), "17 (LBA)");
    }

    #[test]
    fn blocks_round_up_and_sectors_do_not_round() {
        assert_eq!(VirtualSectorCount::new(5).blocks_rounded_up().get(), 2);
        assert_eq!(VirtualSectorCount::new(7).whole_blocks().get(), 1);
        assert_eq!(VirtualSectorCount::new(3).bytes().get(), 1_536);
        assert_eq!(BlockCount::new(3).bytes().get(), 6_144);
        assert_eq!(ByteCount::new(2_049).blocks_rounded_up().get(), 2);
        assert_eq!(BlockCount::new(2).virtual_sectors().get(), 8);
        assert_eq!(ByteCount::new(513).virtual_sectors_exact(), None);
        assert_eq!(ByteCount::new(513).virtual_sectors_rounded_up().get(), 2);
    }
}
