use crate::{
    bytes::le32,
    units::{ByteCount, Lba},
};

/// The boot-info table that mastering tools write into bytes 8–63 of a boot image at the wish of its loader
/// (mkisofs(8), "EL TORITO BOOT INFORMATION TABLE").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootInfoTable {
    /// Where the primary volume descriptor stands.
    pub volume: Lba,
    /// Where the image stands.
    pub image: Lba,
    /// The image's length.
    pub length: ByteCount,
    /// The sum of the image's little-endian 32-bit words from byte 64 on.
    pub checksum: u32,
}

impl BootInfoTable {
    /// The bytes of the image that the table takes: from here …
    pub const START: u64 = 8;
    /// … to before here.
    pub const END: u64 = 64;

    /// The table in an image's first 64 bytes, whether or not there is one.
    #[must_use]
    pub fn decode(head: &[u8; 64]) -> Self {
        Self {
            volume: Lba::new(le32(head, 8).into()),
            image: Lba::new(le32(head, 12).into()),
            length: ByteCount::new(le32(head, 16).into()),
            checksum: le32(head, 20),
        }
    }

    /// The table's fields, from [`Self::START`] on; zeros follow to [`Self::END`]. A number past 32 bits saturates.
    #[must_use]
    pub fn encode(&self) -> [u8; 16] {
        let field = |value: Option<u32>| value.unwrap_or(u32::MAX);
        let fields = [
            field(self.volume.to_u32()),
            field(self.image.to_u32()),
            field(self.length.to_u32()),
            self.checksum,
        ];
        let mut bytes = [0; 16];
        for (to, from) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(fields) {
            *to = from.to_le_bytes();
        }
        bytes
    }

    /// The checksum of some bytes, a multiple of four but for the last ones, which zeros pad.
    #[must_use]
    pub fn sum(bytes: &[u8]) -> u32 {
        let (words, rest) = bytes.as_chunks::<4>();
        let mut last = [0; 4];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        words.iter().chain([&last]).fold(0, |sum: u32, word| {
            sum.wrapping_add(u32::from_le_bytes(*word))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let table = BootInfoTable {
            volume: Lba::new(16),
            image: Lba::new(0x0102_0304),
            length: ByteCount::new(2048),
            checksum: 0xDEAD_BEEF,
        };
        let mut head = [0; 64];
        head[8..24].copy_from_slice(&table.encode());
        assert_eq!(head[12..16], [4, 3, 2, 1]);
        assert_eq!(BootInfoTable::decode(&head), table);
    }

    #[test]
    fn words_are_summed_and_the_last_one_padded() {
        assert_eq!(
            BootInfoTable::sum(&[1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 5]),
            5
        );
        assert_eq!(BootInfoTable::sum(&[]), 0);
    }
}
