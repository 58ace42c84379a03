use crate::{
    bytes::le32,
    units::{VirtualSector, VirtualSectorCount},
};

/// A master boot record's partition table as it stands on the disc: any bytes (UEFI §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mbr {
    /// The four slots.
    pub entries: [MbrEntry; 4],
    /// Whether the sector ends with 55 AA.
    pub signature: bool,
}

/// One slot of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MbrEntry {
    /// 80h active, 00 not.
    pub status: u8,
    /// The type byte; 0 is an unused slot.
    pub kind: u8,
    /// Head, sector and cylinder of its first sector, packed.
    pub first_chs: [u8; 3],
    /// Head, sector and cylinder of its last sector, packed.
    pub last_chs: [u8; 3],
    /// Its first sector.
    pub first: VirtualSector,
    /// How many sectors it has.
    pub sectors: VirtualSectorCount,
}

impl Mbr {
    /// Where the table stands in the sector.
    pub const TABLE: u64 = 446;
    /// Bytes of a slot.
    pub const ENTRY_BYTES: u64 = 16;

    /// The table in a sector, whether or not there is one.
    #[must_use]
    pub fn decode(sector: &[u8; 512]) -> Self {
        let entry = |slot: usize| {
            let mut bytes = [0; 16];
            bytes.copy_from_slice(&sector[446 + slot * 16..462 + slot * 16]);
            MbrEntry::decode(&bytes)
        };
        Self {
            entries: [entry(0), entry(1), entry(2), entry(3)],
            signature: sector[510..] == [0x55, 0xAA],
        }
    }

    /// Whether the bytes can be a table: every status is 00 or 80h. A boot sector's code seldom is.
    #[must_use]
    pub fn is_plausible(&self) -> bool {
        self.entries
            .iter()
            .all(|entry| matches!(entry.status, 0x00 | 0x80))
    }

    /// The slots that UEFI looks at: with a type, and not empty (EDK2 `Mbr.c`, `PartitionValidMbr`).
    pub fn used(&self) -> impl Iterator<Item = (usize, MbrEntry)> {
        let entries = self.entries.into_iter().enumerate();
        entries.filter(|(_, entry)| entry.kind != 0 && entry.sectors.get() != 0)
    }

    /// Whether a slot protects a GPT (UEFI §5.2.3): type EE from sector 1 on.
    #[must_use]
    pub fn is_protective(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.kind == MbrEntry::PROTECTIVE && entry.first.get() == 1)
    }
}

impl MbrEntry {
    /// The type byte of the partition that protects a GPT.
    pub const PROTECTIVE: u8 = 0xEE;
    /// The type byte of an EFI system partition.
    pub const ESP: u8 = 0xEF;

    /// The slot that these bytes are.
    #[must_use]
    pub fn decode(bytes: &[u8; 16]) -> Self {
        Self {
            status: bytes[0],
            first_chs: [bytes[1], bytes[2], bytes[3]],
            kind: bytes[4],
            last_chs: [bytes[5], bytes[6], bytes[7]],
            first: VirtualSector::new(le32(bytes, 8).into()),
            sectors: VirtualSectorCount::new(le32(bytes, 12).into()),
        }
    }

    /// The number of sectors before its end.
    #[must_use]
    pub const fn end(&self) -> VirtualSectorCount {
        VirtualSectorCount::new(self.first.get()).plus(self.sectors)
    }

    /// The drive's cylinders, heads and sectors per track, if the partition ends with the drive.
    #[must_use]
    pub fn geometry(&self) -> (u16, u16, u16) {
        let [head, sector, cylinder] = self.last_chs;
        let cylinders = (u16::from(sector & 0xC0) << 2) + u16::from(cylinder) + 1;
        (cylinders, u16::from(head) + 1, u16::from(sector & 0x3F))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read() {
        let mut sector = [0; 512];
        // memtest86+x64.iso 6.10, written by xorriso -append_partition 2 0xef: its slot 1.
        sector[462..478].copy_from_slice(&[
            0x00, 0x00, 0x27, 0x09, 0xEF, 0x27, 0x08, 0x05, 0xE8, 0x0C, 0, 0, 0, 0x20, 0, 0,
        ]);
        sector[510..].copy_from_slice(&[0x55, 0xAA]);
        let table = Mbr::decode(&sector);
        assert!(table.signature && table.is_plausible() && !table.is_protective());
        let (slot, entry) = table.used().next().unwrap();
        assert_eq!((slot, entry.kind, entry.first.get()), (1, 0xEF, 3304));
        assert_eq!(entry.end().get(), 3304 + 8192);
        let last = MbrEntry::decode(&[0, 0, 0, 0, 6, 254, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(last.geometry(), (1024, 255, 63));
    }
}
