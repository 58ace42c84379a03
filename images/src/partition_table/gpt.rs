use crate::{
    bytes::{le32, le64, text},
    units::{VirtualSector, VirtualSectorCount},
};

/// A globally unique identifier as it stands on the disk: the first three fields little-endian (UEFI §5.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// The type of an EFI system partition, C12A7328-F81F-11D2-BA4B-00A0C93EC93B.
    pub const EFI_SYSTEM: Self = Self([
        0x28, 0x73, 0x2A, 0xC1, 0x1F, 0xF8, 0xD2, 0x11, 0xBA, 0x4B, 0x00, 0xA0, 0xC9, 0x3E, 0xC9,
        0x3B,
    ]);

    /// An identifier of version 8 (RFC 9562 §5.8) that these bits make, so that a disk has the same one every time.
    #[must_use]
    pub fn of(bits: u64, which: u8) -> Self {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&bits.to_be_bytes());
        bytes[8..].copy_from_slice(&bits.rotate_left(u32::from(which)).to_be_bytes());
        bytes[15] = which;
        // The version is the top of the third field, whose bytes are swapped; the variant the top of the fourth.
        bytes[7] = bytes[7] & 0x0F | 0x80;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        Self(bytes)
    }
}

/// One partition (UEFI §5.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GptEntry {
    /// What it holds; zeros in an entry that is not used.
    pub kind: Guid,
    /// Its own identifier.
    pub id: Guid,
    /// The first sector.
    pub first: VirtualSector,
    /// The last sector, which belongs to it.
    pub last: VirtualSector,
    /// Attribute bits.
    pub attributes: u64,
    /// Its name, at most 36 UTF-16 units.
    pub name: &'static str,
}

impl GptEntry {
    /// An entry's bytes.
    pub const BYTES: usize = 128;

    /// The entry's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..16].copy_from_slice(&self.kind.0);
        bytes[16..32].copy_from_slice(&self.id.0);
        bytes[32..40].copy_from_slice(&self.first.get().to_le_bytes());
        bytes[40..48].copy_from_slice(&self.last.get().to_le_bytes());
        bytes[48..56].copy_from_slice(&self.attributes.to_le_bytes());
        for (to, unit) in bytes[56..]
            .chunks_exact_mut(2)
            .zip(self.name.encode_utf16())
        {
            to.copy_from_slice(&unit.to_le_bytes());
        }
        bytes
    }
}

/// The header that names a table of partitions (UEFI §5.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GptHeader {
    /// Where this header stands.
    pub this: VirtualSector,
    /// Where the other one stands.
    pub other: VirtualSector,
    /// The first sector that a partition may take.
    pub first_usable: VirtualSector,
    /// The last one.
    pub last_usable: VirtualSector,
    /// The disk's identifier.
    pub disk: Guid,
    /// Where the entries begin.
    pub entries: VirtualSector,
    /// How many entries there are, used or not.
    pub entry_count: u32,
    /// The CRC-32 of all entries.
    pub entries_crc: u32,
}

impl GptHeader {
    /// A header's bytes, without the rest of its sector.
    pub const BYTES: usize = 92;

    /// The header's bytes, with their own CRC-32.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(b"EFI PART");
        // Revision 1.0.
        bytes[8..12].copy_from_slice(&[0, 0, 1, 0]);
        bytes[12..16].copy_from_slice(&(Self::BYTES as u32).to_le_bytes());
        bytes[24..32].copy_from_slice(&self.this.get().to_le_bytes());
        bytes[32..40].copy_from_slice(&self.other.get().to_le_bytes());
        bytes[40..48].copy_from_slice(&self.first_usable.get().to_le_bytes());
        bytes[48..56].copy_from_slice(&self.last_usable.get().to_le_bytes());
        bytes[56..72].copy_from_slice(&self.disk.0);
        bytes[72..80].copy_from_slice(&self.entries.get().to_le_bytes());
        bytes[80..84].copy_from_slice(&self.entry_count.to_le_bytes());
        bytes[84..88].copy_from_slice(&(GptEntry::BYTES as u32).to_le_bytes());
        bytes[88..92].copy_from_slice(&self.entries_crc.to_le_bytes());
        // Taken over the header with zeros in its place (UEFI §5.3.2).
        let crc = crc32fast::hash(&bytes);
        bytes[16..20].copy_from_slice(&crc.to_le_bytes());
        bytes
    }
}

/// A whole table, primary and backup, of a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpt {
    /// The disk's length.
    pub disk: VirtualSectorCount,
    /// The disk's identifier.
    pub id: Guid,
    /// The first sector that a partition may take; the primary table ends before it.
    pub first_usable: VirtualSector,
    /// The partitions, at most [`Gpt::ENTRIES`].
    pub partitions: Vec<GptEntry>,
}

impl Gpt {
    /// As many as every table has room for at least (UEFI §5.3.1: 16,384 bytes).
    pub const ENTRIES: u32 = 128;
    /// The header and the entries: what the backup takes at the disk's end, and the primary behind the first sector.
    pub const SECTORS: VirtualSectorCount = VirtualSectorCount::new(33);

    const PRIMARY: u64 = 1;

    /// Both tables: each piece and the sector where it stands. Nothing for a disk too short for them.
    #[must_use]
    pub fn encode(&self) -> Vec<(VirtualSector, Vec<u8>)> {
        let Some(backup_entries) = self.disk.checked_sub(Self::SECTORS) else {
            return Vec::new();
        };
        let backup_entries = VirtualSector::new(backup_entries.get());
        let last = self.disk.last().unwrap_or_default();
        let primary = VirtualSector::new(Self::PRIMARY);
        let primary_entries = VirtualSector::new(Self::PRIMARY + 1);
        let mut entries: Vec<u8> = self.partitions.iter().flat_map(GptEntry::encode).collect();
        entries.resize(Self::ENTRIES as usize * GptEntry::BYTES, 0);
        let header = |this, other, at| GptHeader {
            this,
            other,
            first_usable: self.first_usable,
            last_usable: VirtualSector::new(backup_entries.get().saturating_sub(1)),
            disk: self.id,
            entries: at,
            entry_count: Self::ENTRIES,
            entries_crc: crc32fast::hash(&entries),
        };
        let first = header(primary, last, primary_entries).encode().to_vec();
        let second = header(last, primary, backup_entries).encode().to_vec();
        vec![
            (primary, first),
            (primary_entries, entries.clone()),
            (backup_entries, entries),
            (last, second),
        ]
    }
}

/// A GPT header as it stands on the disc (UEFI §5.3.2). Its blocks have 512 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawGptHeader {
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
pub struct RawGptEntry {
    /// What it holds.
    pub kind: Guid,
    /// Its first sector.
    pub first: VirtualSector,
    /// Its last sector, which belongs to it.
    pub last: VirtualSector,
    /// Its name.
    pub name: String,
}

impl RawGptHeader {
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

impl RawGptEntry {
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
            kind: Guid(kind),
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
    fn both_tables_name_each_other() {
        let gpt = Gpt {
            disk: VirtualSectorCount::new(4_000),
            id: Guid::of(7, 0),
            first_usable: VirtualSector::new(64),
            partitions: Vec::new(),
        };
        let pieces = gpt.encode();
        let at: Vec<u64> = pieces.iter().map(|(at, _)| at.get()).collect();
        assert_eq!(at, [1, 2, 3_967, 3_999]);
        let number = |piece: usize, at: usize| {
            let mut field = [0; 8];
            field.copy_from_slice(&pieces[piece].1[at..at + 8]);
            u64::from_le_bytes(field)
        };
        assert_eq!((number(0, 24), number(0, 32)), (1, 3_999));
        assert_eq!((number(3, 24), number(3, 32)), (3_999, 1));
        assert_eq!((number(0, 48), number(3, 72)), (3_966, 3_967));
    }

    #[test]
    fn a_partition_is_read_back_with_its_numbers_where_they_belong() {
        let partition = GptEntry {
            kind: Guid::EFI_SYSTEM,
            id: Guid::of(1, 2),
            first: VirtualSector::new(0x0102_0304_0506),
            last: VirtualSector::new(0x0102_0304_0507),
            attributes: 1 << 60 | 4,
            name: "El Torito",
        };
        let bytes = partition.encode();
        // UEFI §5.3.3, table 5-6.
        assert_eq!(bytes[..16], Guid::EFI_SYSTEM.0);
        assert_eq!(bytes[16..32], Guid::of(1, 2).0);
        assert_eq!(bytes[32..40], [6, 5, 4, 3, 2, 1, 0, 0]);
        assert_eq!(bytes[48..56], [4, 0, 0, 0, 0, 0, 0, 0x10]);
        assert_eq!(bytes[56..62], [b'E', 0, b'l', 0, b' ', 0]);
        let read = RawGptEntry::decode(&bytes).unwrap();
        assert_eq!(
            (read.kind, read.first, read.last, read.name.as_str()),
            (partition.kind, partition.first, partition.last, "El Torito")
        );
        assert_eq!(read.end().get(), 0x0102_0304_0508);
        assert_eq!(RawGptEntry::decode(&[0; 128]), None);
        let last = RawGptEntry::decode(&[0xFF; 128]).unwrap();
        assert_eq!(last.end().get(), u64::MAX);
    }

    #[test]
    fn an_identifier_has_its_version_and_its_variant() {
        for (bits, which) in [(0, 0), (u64::MAX, 9), (0x0123_4567_89AB_CDEF, 3)] {
            let Guid(bytes) = Guid::of(bits, which);
            // RFC 9562 §5.8 and §4.1; the third field is little-endian here.
            assert_eq!((bytes[7] >> 4, bytes[8] >> 6), (0b1000, 0b10));
            assert_eq!(bytes[15], which);
        }
        let Guid(bytes) = Guid::of(0x0123_4567_89AB_CDEF, 4);
        assert_eq!(bytes[..8], [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0x8F]);
        assert_eq!(bytes[8..], [0x92, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE, 4]);
    }

    #[test]
    fn what_is_written_is_a_right_table() {
        let gpt = |sectors| Gpt {
            disk: VirtualSectorCount::new(sectors),
            id: Guid::of(7, 0),
            first_usable: VirtualSector::new(64),
            partitions: vec![GptEntry {
                kind: Guid::EFI_SYSTEM,
                id: Guid::of(7, 1),
                first: VirtualSector::new(64),
                last: VirtualSector::new(99),
                attributes: 0,
                name: "",
            }],
        };
        assert!(gpt(32).encode().is_empty());
        assert_eq!(gpt(33).encode().len(), 4);
        let pieces = gpt(4_000).encode();
        for (header, entries) in [(0, 1), (3, 2)] {
            let (at, bytes) = &pieces[header];
            let mut sector = [0; 512];
            sector[..92].copy_from_slice(bytes);
            let read = RawGptHeader::decode(&sector).unwrap();
            let (entries_at, entries) = &pieces[entries];
            assert!(read.checksum_is_right);
            assert_eq!((read.own, read.entries_at), (*at, *entries_at));
            assert_eq!((read.entries, read.entry_bytes), (128, 128));
            assert_eq!(read.entries_checksum, crc32fast::hash(entries));
            assert_eq!(
                (entries.len(), &entries[..16]),
                (16_384, &Guid::EFI_SYSTEM.0[..])
            );
            assert_eq!(read.last_usable.get(), 3_966);
            assert_eq!(sector[56..72], Guid::of(7, 0).0);
            assert_eq!(sector[8..12], [0, 0, 1, 0]);
            assert_eq!(sector[40], 64);
        }
    }

    #[test]
    fn a_header_is_read_and_its_checksum_computed() {
        let mut sector = [0; 512];
        sector[..8].copy_from_slice(b"EFI PART");
        sector[12] = 92;
        sector[24] = 1;
        let sum = crc32fast::hash(&sector[..92]);
        sector[16..20].copy_from_slice(&sum.to_le_bytes());
        let header = RawGptHeader::decode(&sector).unwrap();
        assert!(header.checksum_is_right && header.own.get() == 1);
        sector[30] ^= 1;
        assert!(!RawGptHeader::decode(&sector).unwrap().checksum_is_right);
        // Shorter than it must be, with the checksum of what there is.
        sector[12] = 91;
        sector[16..20].fill(0);
        let sum = crc32fast::hash(&sector[..91]);
        sector[16..20].copy_from_slice(&sum.to_le_bytes());
        assert!(!RawGptHeader::decode(&sector).unwrap().checksum_is_right);
        sector[12] = 255;
        sector[13] = 255;
        assert!(!RawGptHeader::decode(&sector).unwrap().checksum_is_right);
        assert_eq!(RawGptHeader::decode(&[0; 512]), None);
        assert_eq!(RawGptEntry::decode(&[1; 127]), None);
    }
}
