use crate::units::{VirtualSector, VirtualSectorCount};

/// The type byte of a partition, which no authority assigns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartitionType(pub u8);

impl PartitionType {
    /// An entry that is not used, whatever else it says.
    pub const EMPTY: Self = Self(0x00);
    /// What isohybrid calls the whole disc: "hidden NTFS", which nobody mounts.
    pub const WHOLE_DISC: Self = Self(0x17);
    /// The whole disk, whose table is the GUID partition table (UEFI §5.2.3).
    pub const GPT_PROTECTIVE: Self = Self(0xEE);
    /// An EFI system partition (UEFI §5.2.2).
    pub const EFI_SYSTEM: Self = Self(0xEF);
}

/// One of the four entries in a master boot record's partition table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MbrEntry {
    /// 80h active, 00 not; anything else is wrong.
    pub status: u8,
    /// Cylinder, head and sector of the first sector, as they stand.
    pub first_chs: [u8; 3],
    /// What it holds.
    pub kind: PartitionType,
    /// Cylinder, head and sector of the last sector.
    pub last_chs: [u8; 3],
    /// The first sector.
    pub first: VirtualSector,
    /// How many sectors.
    pub length: VirtualSectorCount,
}

impl MbrEntry {
    /// An entry's bytes.
    pub const BYTES: usize = 16;
    /// Where the table's four entries begin in the first sector.
    pub const TABLE: u64 = 446;
    /// Where 55AA stands.
    pub const SIGNATURE: u64 = 510;
    /// The entry of an active partition has this status.
    pub const ACTIVE: u8 = 0x80;
    /// Cylinder, head and sector of a sector that has none: only the 32-bit numbers count.
    pub const BEYOND_CHS: [u8; 3] = [0xFE, 0xFF, 0xFF];

    /// An entry by sector numbers alone.
    #[must_use]
    pub const fn linear(
        kind: PartitionType,
        first: VirtualSector,
        length: VirtualSectorCount,
    ) -> Self {
        Self {
            status: 0,
            first_chs: Self::BEYOND_CHS,
            kind,
            last_chs: Self::BEYOND_CHS,
            first,
            length,
        }
    }

    /// The protective entry of a disk of so many sectors (UEFI §5.2.3).
    #[must_use]
    pub const fn protective(disk: VirtualSectorCount) -> Self {
        Self {
            first_chs: [0x00, 0x02, 0x00],
            last_chs: [0xFF; 3],
            ..Self::linear(
                PartitionType::GPT_PROTECTIVE,
                VirtualSector::new(1),
                VirtualSectorCount::new(disk.get().saturating_sub(1)),
            )
        }
    }

    /// The same entry, active: what a BIOS boots that looks for one.
    #[must_use]
    pub const fn active(self) -> Self {
        Self {
            status: Self::ACTIVE,
            ..self
        }
    }

    /// The entry's bytes. Numbers past 32 bits saturate, as UEFI asks of a protective entry.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[0] = self.status;
        bytes[1..4].copy_from_slice(&self.first_chs);
        bytes[4] = self.kind.0;
        bytes[5..8].copy_from_slice(&self.last_chs);
        bytes[8..12].copy_from_slice(&self.first.to_u32().unwrap_or(u32::MAX).to_le_bytes());
        bytes[12..].copy_from_slice(&self.length.to_u32().unwrap_or(u32::MAX).to_le_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_that_sgdisk_writes() {
        // truncate -s 1474560 disk; sgdisk -o disk; dd if=disk bs=1 skip=446 count=16 | xxd -p, but for the last
        // sector's cylinder, which sgdisk knows of a small disk.
        let entry = MbrEntry::protective(VirtualSectorCount::new(2_880)).encode();
        assert_eq!(entry[..5], [0x00, 0x00, 0x02, 0x00, 0xEE]);
        assert_eq!(entry[8..], [1, 0, 0, 0, 0x3F, 0x0B, 0, 0]);
        let huge = MbrEntry::protective(VirtualSectorCount::new(1 << 33)).encode();
        assert_eq!(huge[12..], [0xFF; 4]);
    }
}
