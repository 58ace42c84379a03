use crate::{
    bytes::le32,
    units::{VirtualSector, VirtualSectorCount},
};

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

/// A master boot record's partition table as it stands on the disc: any bytes (UEFI §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mbr {
    /// The four slots.
    pub entries: [MbrEntry; 4],
    /// Whether the sector ends with 55 AA.
    pub signature: bool,
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

impl Mbr {
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
        entries.filter(|(_, entry)| entry.kind != PartitionType::EMPTY && entry.length.get() != 0)
    }

    /// Whether a slot protects a GPT (UEFI §5.2.3): type EE from sector 1 on.
    #[must_use]
    pub fn is_protective(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.kind == PartitionType::GPT_PROTECTIVE && entry.first.get() == 1)
    }
}

impl MbrEntry {
    /// An entry's bytes.
    pub const BYTES: usize = 16;
    /// Where the table's four entries begin in the first sector.
    pub const TABLE: u64 = 446;
    /// Where 55AA stands.
    pub const SIGNATURE: u64 = 510;
    /// Where the entry of a slot begins in the first sector.
    #[must_use]
    pub const fn at(slot: usize) -> u64 {
        Self::TABLE + (slot * Self::BYTES) as u64
    }

    /// The entry of an active partition has this status.
    pub const ACTIVE: u8 = 0x80;
    /// Cylinder, head and sector of a sector that has none: only the 32-bit numbers count.
    pub const BEYOND_CHS: [u8; 3] = [0xFE, 0xFF, 0xFF];

    /// Cylinder 0, head 0, sector 1: the first sector, whatever the geometry.
    pub const FIRST_CHS: [u8; 3] = [0, 1, 0];

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

    /// The entry that these bytes are, whatever they are.
    #[must_use]
    pub fn decode(bytes: &[u8; Self::BYTES]) -> Self {
        Self {
            status: bytes[0],
            first_chs: [bytes[1], bytes[2], bytes[3]],
            kind: PartitionType(bytes[4]),
            last_chs: [bytes[5], bytes[6], bytes[7]],
            first: VirtualSector::new(le32(bytes, 8).into()),
            length: VirtualSectorCount::new(le32(bytes, 12).into()),
        }
    }

    /// The number of sectors before its end.
    #[must_use]
    pub const fn end(&self) -> VirtualSectorCount {
        VirtualSectorCount::new(self.first.get()).plus(self.length)
    }

    /// The drive's cylinders, heads and sectors per track, if the partition ends with the drive.
    #[must_use]
    pub fn geometry(&self) -> (u16, u16, u16) {
        let [head, sector, cylinder] = self.last_chs;
        let cylinders = (u16::from(sector & 0xC0) << 2) + u16::from(cylinder) + 1;
        (cylinders, u16::from(head) + 1, u16::from(sector & 0x3F))
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
        // UEFI §5.2.3 has this for a last sector that cannot be told so.
        assert_eq!(entry[5..8], [0xFF; 3]);
        assert_eq!(entry[8..], [1, 0, 0, 0, 0x3F, 0x0B, 0, 0]);
        let huge = MbrEntry::protective(VirtualSectorCount::new(1 << 33)).encode();
        assert_eq!(huge[12..], [0xFF; 4]);
    }

    #[test]
    fn an_active_entry_is_the_same_but_for_its_status() {
        let entry = MbrEntry::protective(VirtualSectorCount::new(2_880));
        let active = entry.active();
        assert_eq!((entry.status, active.status), (0x00, 0x80));
        assert_eq!(active.encode()[1..], entry.encode()[1..]);
    }

    #[test]
    fn what_protects_a_gpt_has_its_type_and_begins_behind_the_table() {
        let protects = |kind, first| {
            let mut sector = [0; 512];
            let first = VirtualSector::new(first);
            let entry = MbrEntry::linear(kind, first, VirtualSectorCount::new(9));
            sector[446..462].copy_from_slice(&entry.encode());
            Mbr::decode(&sector).is_protective()
        };
        assert!(protects(PartitionType::GPT_PROTECTIVE, 1));
        assert!(!protects(PartitionType::GPT_PROTECTIVE, 2));
        assert!(!protects(PartitionType::EFI_SYSTEM, 1));
    }

    #[test]
    fn a_slot_is_used_that_has_a_type_and_a_length() {
        let mut sector = [0; 512];
        let slots = [(0x83, 9), (0x00, 9), (0x83, 0), (0xEF, 1)];
        for (slot, (kind, length)) in slots.into_iter().enumerate() {
            let at = usize::try_from(MbrEntry::at(slot)).unwrap();
            (sector[at + 4], sector[at + 12]) = (kind, length);
        }
        let table = Mbr::decode(&sector);
        let used: Vec<usize> = table.used().map(|(slot, _)| slot).collect();
        assert_eq!(used, [0, 3]);
        assert!(table.is_plausible() && !table.signature);
        // UEFI §5.2.1, table 5-1: byte 446, sixteen bytes each.
        assert_eq!([0, 1, 2, 3].map(MbrEntry::at), [446, 462, 478, 494]);
        sector[494] = 0x80;
        assert!(Mbr::decode(&sector).is_plausible());
        sector[494] = 0x81;
        assert!(!Mbr::decode(&sector).is_plausible());
    }

    #[test]
    fn a_geometry_is_the_last_sector_s_address() {
        // The cylinder's upper two bits stand in the sector's byte; the sector counts from 1.
        for (chs, geometry) in [
            ([0, 1, 0], (1, 1, 1)),
            ([1, 18, 79], (80, 2, 18)),
            ([0x27, 0x48, 0x05], (262, 40, 8)),
            ([0xFE, 0xBF, 0x00], (513, 255, 63)),
        ] {
            let [head, sector, cylinder] = chs;
            let entry = MbrEntry::decode(&[
                0, 0, 0, 0, 6, head, sector, cylinder, 0, 0, 0, 0, 0, 0, 0, 0,
            ]);
            assert_eq!(entry.geometry(), geometry, "{chs:02X?}");
        }
    }

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
        assert_eq!(
            (slot, entry.kind, entry.first.get()),
            (1, PartitionType::EFI_SYSTEM, 3304)
        );
        assert_eq!(entry.end().get(), 3304 + 8192);
        let last = MbrEntry::decode(&[0, 0, 0, 0, 6, 254, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(last.geometry(), (1024, 255, 63));
    }
}
