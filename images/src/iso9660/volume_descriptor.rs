use serde::{Deserialize, Serialize};

use super::directory::{DirectoryRecord, Names};
use crate::{
    bytes::{both16, both32, le16, le32, padded, text},
    units::{BlockCount, ByteCount, Lba},
};

/// Blocks before the first volume descriptor (ECMA-119 §6.2.1).
pub const SYSTEM_AREA_BLOCKS: BlockCount = BlockCount::new(16);

/// What a primary volume descriptor says (ECMA-119 §8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrimaryVolume<'a> {
    /// The volume's name, at most 32 d-characters.
    pub volume_id: &'a str,
    /// The volume's length in blocks.
    pub space_size: u32,
    /// The path table's length in bytes.
    pub path_table_bytes: u32,
    /// LBA of the little-endian path table.
    pub path_table_l: u32,
    /// LBA of the big-endian path table.
    pub path_table_m: u32,
    /// The root directory's record, 34 bytes.
    pub root: &'a [u8],
}

impl PrimaryVolume<'_> {
    /// The descriptor's 2048 bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; 2048] {
        let mut bytes = [0; 2048];
        let mut put = |position: usize, field: &[u8]| {
            // ECMA-119 counts byte positions from 1.
            bytes[position - 1..position - 1 + field.len()].copy_from_slice(field);
        };
        put(1, b"\x01CD001\x01");
        put(9, &padded::<32>("", b' '));
        put(41, &padded::<32>(self.volume_id, b' '));
        put(81, &both32(self.space_size));
        put(121, &both16(1));
        put(125, &both16(1));
        put(129, &both16(2048));
        put(133, &both32(self.path_table_bytes));
        put(141, &self.path_table_l.to_le_bytes());
        put(149, &self.path_table_m.to_be_bytes());
        put(157, self.root);
        put(191, &padded::<128>("", b' '));
        put(319, &padded::<128>("", b' '));
        put(447, &padded::<128>("", b' '));
        put(575, &padded::<128>("BOOT-MATRIX REFERENCE MASTER", b' '));
        put(703, &padded::<111>("", b' '));
        // Created and modified at a fixed time, so that a disc is the same on every day; never expires.
        put(814, b"2000010100000000\0");
        put(831, b"2000010100000000\0");
        put(848, b"0000000000000000\0");
        put(865, b"0000000000000000\0");
        put(882, &[1]);
        bytes
    }
}

/// What kind of volume descriptor a block is (ECMA-119 §8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DescriptorKind {
    /// Type 0, of whatever system.
    BootRecord,
    /// Type 1.
    Primary,
    /// Type 2: Joliet and the like.
    Supplementary,
    /// Type 3.
    Partition,
    /// Type 255: the last one.
    Terminator,
    /// A type that ECMA-119 reserves.
    Reserved(u8),
}

impl DescriptorKind {
    /// The kind of this block; `None` when it is no volume descriptor.
    #[must_use]
    pub fn of(block: &[u8; 2048]) -> Option<Self> {
        (block[1..6] == *b"CD001").then_some(match block[0] {
            0 => Self::BootRecord,
            1 => Self::Primary,
            2 => Self::Supplementary,
            3 => Self::Partition,
            255 => Self::Terminator,
            other => Self::Reserved(other),
        })
    }
}

/// A primary volume descriptor as it stands on the disc, its little-endian halves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawPrimaryVolume {
    /// The volume's name.
    pub volume_id: String,
    /// Who prepared it.
    pub preparer_id: String,
    /// What made it.
    pub application_id: String,
    /// The volume's length in logical blocks.
    pub space_size: BlockCount,
    /// Bytes in a logical block; firmware assumes 2048.
    pub block_bytes: u16,
    /// The path table's length.
    pub path_table: ByteCount,
    /// Where the little-endian path table starts.
    pub path_table_l: Lba,
    /// Where the big-endian path table starts.
    pub path_table_m: Lba,
    /// The root directory's record, if it is one.
    pub root: Option<DirectoryRecord>,
    /// How the names in its tree are written.
    pub names: Names,
}

impl RawPrimaryVolume {
    /// The primary descriptor that a block is; `None` when it is none.
    #[must_use]
    pub fn decode(block: &[u8; 2048]) -> Option<Self> {
        (DescriptorKind::of(block)? == DescriptorKind::Primary).then(|| Self::fields(block))
    }

    /// The supplementary descriptor that a block is, which has the same fields (ECMA-119 §8.5); `None` when it is none.
    #[must_use]
    pub fn decode_supplementary(block: &[u8; 2048]) -> Option<Self> {
        (DescriptorKind::of(block)? == DescriptorKind::Supplementary).then(|| Self::fields(block))
    }

    fn fields(block: &[u8; 2048]) -> Self {
        // ECMA-119 counts byte positions from 1.
        let field = |first: usize, last: usize| text(&block[first - 1..last]);
        let address = |position: usize| u64::from(le32(block, position - 1));
        Self {
            volume_id: field(41, 72),
            preparer_id: field(447, 574),
            application_id: field(575, 702),
            space_size: BlockCount::new(address(81)),
            block_bytes: le16(block, 128),
            path_table: ByteCount::new(address(133)),
            path_table_l: Lba::new(address(141)),
            path_table_m: Lba::new(
                u32::from_be_bytes([block[148], block[149], block[150], block[151]]).into(),
            ),
            root: DirectoryRecord::decode(&block[156..190]),
            // Zeros in a primary descriptor.
            names: Names::of_escape_sequences(&block[88..120]),
        }
    }
}

/// The volume descriptor set terminator (ECMA-119 §8.3): 2048 bytes.
#[must_use]
pub fn terminator() -> [u8; 2048] {
    let mut bytes = [0; 2048];
    bytes[..7].copy_from_slice(b"\xFFCD001\x01");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Byte positions are those of ECMA-119 §8.4, which counts from 1.
    #[test]
    fn a_primary_descriptor_has_its_fields_where_they_belong() {
        let root = crate::iso9660::directory::Record::directory(&[0], 20, 2048).encode();
        let volume = PrimaryVolume {
            volume_id: "BOOT",
            space_size: 0x0102_0304,
            path_table_bytes: 10,
            path_table_l: 0x0506_0708,
            path_table_m: 0x090A_0B0C,
            root: &root,
        };
        let block = volume.encode();
        assert_eq!(block[..7], *b"\x01CD001\x01");
        assert_eq!(block[40..73], *b"BOOT                            \0");
        assert_eq!(block[80..88], [4, 3, 2, 1, 1, 2, 3, 4]);
        assert_eq!(block[128..132], [0, 8, 8, 0]);
        assert_eq!(block[140..144], [8, 7, 6, 5]);
        assert_eq!(block[148..152], [9, 10, 11, 12]);
        assert_eq!(block[881], 1);
        let read = RawPrimaryVolume::decode(&block).unwrap();
        assert_eq!(
            (
                read.volume_id.as_str(),
                read.space_size.get(),
                read.block_bytes
            ),
            ("BOOT", 0x0102_0304, 2048)
        );
        assert_eq!(read.application_id, "BOOT-MATRIX REFERENCE MASTER");
        assert_eq!(read.path_table.get(), 10);
        assert_eq!(
            (read.path_table_l.get(), read.path_table_m.get()),
            (0x0506_0708, 0x090A_0B0C)
        );
        assert_eq!(read.root.map(|root| root.extent), Some(Lba::new(20)));
        assert_eq!(read.names, Names::Plain);
    }

    #[test]
    fn a_descriptor_s_kind_is_its_first_byte() {
        let mut block = terminator();
        let kinds = [
            (0, DescriptorKind::BootRecord),
            (1, DescriptorKind::Primary),
            (2, DescriptorKind::Supplementary),
            (3, DescriptorKind::Partition),
            (4, DescriptorKind::Reserved(4)),
            (255, DescriptorKind::Terminator),
        ];
        for (first, kind) in kinds {
            block[0] = first;
            assert_eq!(DescriptorKind::of(&block), Some(kind));
            let primary = RawPrimaryVolume::decode(&block).is_some();
            let supplementary = RawPrimaryVolume::decode_supplementary(&block).is_some();
            assert_eq!((primary, supplementary), (first == 1, first == 2));
        }
        block[5] = b'2';
        assert_eq!(DescriptorKind::of(&block), None);
    }
}
