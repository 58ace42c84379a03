use crate::{
    bytes::{le32, le64, text},
    units::{VirtualSector, VirtualSectorCount},
};

/// The type of an EFI system partition, C12A7328-F81F-11D2-BA4B-00A0C93EC93B, as it stands on the disc.
pub const ESP_TYPE: [u8; 16] = [
    0x28, 0x73, 0x2A, 0xC1, 0x1F, 0xF8, 0xD2, 0x11, 0xBA, 0x4B, 0x00, 0xA0, 0xC9, 0x3E, 0xC9, 0x3B,
];

/// A GPT header as it stands on the disc (UEFI §5.3.2). Its blocks have 512 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GptHeader {
    /// Whether the checksum is that of the header.
    pub checksum_is_right: bool,
    /// Where it says that it stands itself.
    pub own: VirtualSector,
    /// Where the other header stands.
    pub other: VirtualSector,
    /// The last sector that a partition may use.
    pub last_usable: VirtualSector,
    /// Where the entries stand.
    pub entries_at: VirtualSector,
    /// How many entries there are.
    pub entries: u32,
    /// Bytes of an entry.
    pub entry_bytes: u32,
    /// The checksum of the entries.
    pub entries_checksum: u32,
}

/// An entry of it (UEFI §5.3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GptEntry {
    /// The type GUID as it stands on the disc; all zero for an unused entry.
    pub kind: [u8; 16],
    /// Its first sector.
    pub first: VirtualSector,
    /// Its last sector, which belongs to it.
    pub last: VirtualSector,
    /// Its name.
    pub name: String,
}

impl GptHeader {
    /// The header in a sector; `None` when it does not begin with `EFI PART`.
    #[must_use]
    pub fn decode(sector: &[u8; 512]) -> Option<Self> {
        if sector[..8] != *b"EFI PART" {
            return None;
        }
        let length = usize::try_from(le32(sector, 12)).unwrap_or(usize::MAX);
        let checksum_is_right = sector.get(..length).is_some_and(|header| {
            let mut header = header.to_vec();
            // The checksum's own field counts as zero.
            header
                .iter_mut()
                .skip(16)
                .take(4)
                .for_each(|byte| *byte = 0);
            length >= 92 && crc32fast::hash(&header) == le32(sector, 16)
        });
        let sector_at = |at| VirtualSector::new(le64(sector, at));
        Some(Self {
            checksum_is_right,
            own: sector_at(24),
            other: sector_at(32),
            last_usable: sector_at(48),
            entries_at: sector_at(72),
            entries: le32(sector, 80),
            entry_bytes: le32(sector, 84),
            entries_checksum: le32(sector, 88),
        })
    }
}

impl GptEntry {
    /// The entry in these bytes, at least 128; `None` when it is unused or cut.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let kind: [u8; 16] = *bytes.first_chunk()?;
        let name = bytes.get(56..128)?;
        if kind == [0; 16] {
            return None;
        }
        // UTF-16: its low halves are what a name on a boot medium has.
        let name: Vec<u8> = name.iter().step_by(2).copied().collect();
        Some(Self {
            kind,
            first: VirtualSector::new(le64(bytes, 32)),
            last: VirtualSector::new(le64(bytes, 40)),
            name: text(&name),
        })
    }

    /// The number of sectors before its end.
    #[must_use]
    pub const fn end(&self) -> VirtualSectorCount {
        VirtualSectorCount::new(self.last.get().saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_and_its_checksum_computed() {
        let mut sector = [0; 512];
        sector[..8].copy_from_slice(b"EFI PART");
        sector[12] = 92;
        sector[24] = 1;
        let sum = crc32fast::hash(&sector[..92]);
        sector[16..20].copy_from_slice(&sum.to_le_bytes());
        let header = GptHeader::decode(&sector).unwrap();
        assert!(header.checksum_is_right && header.own.get() == 1);
        sector[30] ^= 1;
        assert!(!GptHeader::decode(&sector).unwrap().checksum_is_right);
        sector[12] = 255;
        sector[13] = 255;
        assert!(!GptHeader::decode(&sector).unwrap().checksum_is_right);
        assert_eq!(GptHeader::decode(&[0; 512]), None);
        assert_eq!(GptEntry::decode(&[1; 127]), None);
    }
}
