use crate::{
    bytes::{both16, both32, le32, printable},
    units::{BLOCK_BYTES, BlockCount, ByteCount, Lba},
};

/// The longest extent that one directory record can describe and the next can follow: the data length is
/// 32 bits, and every extent but the last fills its blocks.
pub const EXTENT_BYTES_MAX: ByteCount = ByteCount::new((1 << 32) - BLOCK_BYTES);

/// Bit 1 of the file flags: a directory (ECMA-119 §9.1.6).
const DIRECTORY: u8 = 1 << 1;
/// Bit 7: this is not the final record of the file (ECMA-119 §9.1.6).
const MULTI_EXTENT: u8 = 1 << 7;

/// One directory record (ECMA-119 §9.1).
pub(super) struct Record<'a> {
    pub(super) identifier: &'a [u8],
    pub(super) extent: u32,
    pub(super) data_length: u32,
    flags: u8,
}

impl<'a> Record<'a> {
    pub(super) const fn directory(identifier: &'a [u8], extent: u32, data_length: u32) -> Self {
        Self {
            identifier,
            extent,
            data_length,
            flags: DIRECTORY,
        }
    }

    /// The record's bytes, of an even number.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; 33];
        bytes[2..10].copy_from_slice(&both32(self.extent));
        bytes[10..18].copy_from_slice(&both32(self.data_length));
        // 2000-01-01 00:00:00, GMT.
        bytes[18..25].copy_from_slice(&[100, 1, 1, 0, 0, 0, 0]);
        bytes[25] = self.flags;
        bytes[28..32].copy_from_slice(&both16(1));
        bytes[32] = u8::try_from(self.identifier.len()).unwrap_or(u8::MAX);
        bytes.extend_from_slice(self.identifier);
        if bytes.len() % 2 == 1 {
            bytes.push(0);
        }
        bytes[0] = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
        bytes
    }
}

/// How a tree's identifiers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// One byte for each character.
    Plain,
    /// UCS-2, big-endian (Joliet).
    Joliet,
}

impl Names {
    /// By the escape sequences of a supplementary descriptor: `%/@`, `%/C` or `%/E` is Joliet.
    #[must_use]
    pub fn of_escape_sequences(field: &[u8]) -> Self {
        match field {
            [b'%', b'/', b'@' | b'C' | b'E', ..] => Self::Joliet,
            _ => Self::Plain,
        }
    }
}

/// A directory record as it stands on the disc, its little-endian halves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryRecord {
    /// The record's own length in the directory: at least 33.
    pub length: usize,
    /// Where the file or directory starts, behind any extended attributes.
    pub extent: Lba,
    /// Its length, or that of this extent of it.
    pub data_length: ByteCount,
    /// Whether it is a directory.
    pub directory: bool,
    /// Whether more extents of the file follow in further records.
    pub more_extents: bool,
    /// The identifier: one byte 0 for the directory itself, 1 for its parent.
    pub identifier: Vec<u8>,
    /// The Rock Ridge name, if there is one.
    pub rock_ridge: Option<String>,
    /// Whether Rock Ridge says that it is a file, and no link or relocated directory.
    pub is_regular: bool,
}

impl DirectoryRecord {
    /// The first record in these bytes; `None` when they hold no whole one.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let length = usize::from(*bytes.first()?);
        let record = bytes.get(..length)?;
        let identifier_length = usize::from(*record.get(32)?);
        let identifier = record.get(33..33 + identifier_length)?;
        let attributes = BlockCount::new(u64::from(record[1]));
        let system_use = (33 + identifier_length).next_multiple_of(2);
        // ECMA-119 §9.1: an even length of identifier is followed by a padding byte.
        let system_use = record.get(system_use..).unwrap_or_default();
        Some(Self {
            length,
            extent: Lba::new(le32(record, 2).into()).plus(attributes),
            data_length: ByteCount::new(le32(record, 10).into()),
            directory: record[25] & DIRECTORY != 0,
            more_extents: record[25] & MULTI_EXTENT != 0,
            identifier: identifier.to_vec(),
            rock_ridge: rock_ridge_name(system_use),
            is_regular: is_regular(system_use),
        })
    }

    /// Whether it stands for the directory that holds it, or that one's parent.
    #[must_use]
    pub fn is_dot(&self) -> bool {
        matches!(self.identifier[..], [0 | 1] | [])
    }

    /// The name that a person knows it by: the Rock Ridge name, or the identifier without its version.
    #[must_use]
    pub fn name(&self) -> String {
        self.name_in(Names::Plain)
    }

    /// The same, in a tree whose identifiers are written that way.
    #[must_use]
    pub fn name_in(&self, names: Names) -> String {
        if let Some(name) = &self.rock_ridge {
            return name.clone();
        }
        let name = match names {
            Names::Plain => printable(&self.identifier),
            Names::Joliet => {
                let characters = self.identifier.as_chunks::<2>().0.iter();
                let units: Vec<u16> = characters.map(|&unit| u16::from_be_bytes(unit)).collect();
                let name = String::from_utf16_lossy(&units);
                name.replace(
                    |it: char| !it.is_alphanumeric() && !matches!(it, ' '..='~'),
                    "?",
                )
            }
        };
        let name = name.split(';').next().unwrap_or_default();
        name.strip_suffix('.').unwrap_or(name).to_owned()
    }
}

/// The name in a system use area (Rock Ridge Interchange Protocol §4.1.4, entry NM).
fn rock_ridge_name(area: &[u8]) -> Option<String> {
    let names = system_use_entries(area).filter(|entry| entry.starts_with(b"NM"));
    let parts = names.filter_map(|entry| entry.get(5..).filter(|part| !part.is_empty()));
    let parts = parts.map(printable);
    parts.reduce(|name, part| name + &part)
}

/// Whether `PX` says that it is a regular file, and `CL` nothing else (IEEE P1282 §4.1.1 and §4.1.5.1).
fn is_regular(area: &[u8]) -> bool {
    const TYPE: u32 = 0o170_000;
    const REGULAR: u32 = 0o100_000;
    let is_file = |entry: &[u8]| {
        let mode = entry.get(4..8).map(|mode| le32(mode, 0));
        entry.starts_with(b"PX") && mode.is_some_and(|mode| mode & TYPE == REGULAR)
    };
    system_use_entries(area).any(is_file)
        && !system_use_entries(area).any(|entry| entry.starts_with(b"CL"))
}

/// The entries of a record's system use area, each with its signature, length and version (IEEE P1281 §4.1).
fn system_use_entries(mut area: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = usize::from(*area.get(2)?);
        let (entry, rest) = area.split_at_checked(length)?;
        area = rest;
        (entry.len() >= 4).then_some(entry)
    })
}

/// The extents of a file of that length: each but the last is [`EXTENT_BYTES_MAX`] long.
#[must_use]
pub fn directory_record_extents(start: Lba, length: ByteCount) -> Vec<(Lba, ByteCount)> {
    let mut extents = Vec::new();
    let mut at = start;
    let mut left = length.get();
    loop {
        let piece = ByteCount::new(left.min(EXTENT_BYTES_MAX.get()));
        extents.push((at, piece));
        left -= piece.get();
        if left == 0 {
            return extents;
        }
        at = at.plus(piece.blocks_rounded_up());
    }
}

/// The records of a file, one for each extent. An LBA past 32 bits saturates: no named medium has one.
pub(super) fn file_records(identifier: &[u8], start: Lba, length: ByteCount) -> Vec<Record<'_>> {
    let extents = directory_record_extents(start, length);
    let last = extents.len() - 1;
    let record = |(index, (lba, length)): (usize, (Lba, ByteCount))| Record {
        identifier,
        extent: lba.to_u32().unwrap_or(u32::MAX),
        data_length: length.to_u32().unwrap_or(u32::MAX),
        flags: if index < last { MULTI_EXTENT } else { 0 },
    };
    extents.into_iter().enumerate().map(record).collect()
}

/// A directory's bytes from its records: no record crosses the end of a block (ECMA-119 §6.8.1.1).
pub(super) fn pack<'a>(records: impl IntoIterator<Item = Record<'a>>) -> Vec<u8> {
    let block = 2048;
    let mut bytes = Vec::new();
    for record in records {
        let encoded = record.encode();
        let left = block - bytes.len() % block;
        if left < encoded.len() {
            bytes.resize(bytes.len() + left, 0);
        }
        bytes.extend_from_slice(&encoded);
    }
    bytes.resize(bytes.len().next_multiple_of(block), 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_above_4_gib_have_several_extents() {
        let extents = directory_record_extents(Lba::new(100), ByteCount::new(6_000_000_000));
        let blocks = EXTENT_BYTES_MAX.get() / BLOCK_BYTES;
        assert_eq!(
            extents,
            [
                (Lba::new(100), EXTENT_BYTES_MAX),
                (
                    Lba::new(100 + blocks),
                    ByteCount::new(6_000_000_000 - EXTENT_BYTES_MAX.get())
                ),
            ]
        );
        assert_eq!(
            directory_record_extents(Lba::new(1), ByteCount::ZERO).len(),
            1
        );
    }

    #[test]
    fn a_record_is_read_back() {
        let written = file_records(b"EFI.IMG;1", Lba::new(77), ByteCount::new(5000));
        let bytes = written[0].encode();
        let read = DirectoryRecord::decode(&bytes).unwrap();
        assert_eq!(
            (
                read.length,
                read.extent,
                read.data_length.get(),
                read.directory,
                read.name()
            ),
            (bytes.len(), Lba::new(77), 5000, false, "EFI.IMG".to_owned())
        );
        for cut in 0..bytes.len() {
            assert_eq!(DirectoryRecord::decode(&bytes[..cut]), None);
        }
        // xorriso 1.5.4: the system use area of a file "efi.img".
        assert_eq!(
            rock_ridge_name(b"PX\x05\x01\0NM\x0C\x01\0efi.img\0"),
            Some("efi.img".to_owned())
        );
        assert_eq!(rock_ridge_name(b"NM\x00\x01\0efi.img"), None);
    }

    #[test]
    fn a_rock_ridge_name_is_joined_from_its_entries() {
        // RRIP §4.1.4: flags (here CONTINUE), then the part of the name; each entry says how long it is.
        let area = b"NM\x08\x01\x01efiPX\x06\x01\0xNM\x06\x01\0_NM\x05\x01\0NM\x08\x01\0img";
        assert_eq!(rock_ridge_name(area), Some("efi_img".to_owned()));
        assert_eq!(rock_ridge_name(b"NM\x05\x01\0"), None);
        assert_eq!(
            rock_ridge_name(b"XX\x04\x01NM\x06\x01\0a"),
            Some("a".to_owned())
        );
        assert_eq!(rock_ridge_name(b"XX\x03\x01NM\x06\x01\0a"), None);
        assert_eq!(rock_ridge_name(b"NM\x06\x01\0"), None);
    }

    #[test]
    fn names_are_read_as_their_tree_writes_them() {
        let record = |identifier: &[u8]| DirectoryRecord {
            length: 34,
            extent: Lba::new(20),
            data_length: ByteCount::ZERO,
            directory: false,
            more_extents: false,
            identifier: identifier.to_vec(),
            rock_ridge: None,
            is_regular: false,
        };
        assert_eq!(record(b"READ.ME;1").name(), "READ.ME");
        assert_eq!(record(b"README.;1").name(), "README");
        assert_eq!(record(b"A\x1B[2J;1").name(), "A?[2J");
        let joliet: Vec<u8> = "é \u{1B}~.img;1"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        assert_eq!(record(&joliet).name_in(Names::Joliet), "é ?~.img");
        for level in [b"%/@", b"%/C", b"%/E"] {
            assert_eq!(Names::of_escape_sequences(level), Names::Joliet);
        }
        assert_eq!(Names::of_escape_sequences(b"%/A"), Names::Plain);
        assert_eq!(Names::of_escape_sequences(&[0; 32]), Names::Plain);
        let dots = [&b"\0"[..], b"\x01", b""].map(|identifier| record(identifier).is_dot());
        assert_eq!(dots, [true; 3]);
        assert!(!record(b"A").is_dot() && !record(b"\0\0").is_dot());
    }

    #[test]
    fn a_record_s_flags_and_attributes_are_read() {
        let mut bytes = Record::directory(b"BOOT", 77, 2048).encode();
        let read = DirectoryRecord::decode(&bytes).unwrap();
        assert!(read.directory && !read.more_extents);
        // ECMA-119 §9.1.2: so many blocks of attributes come before the file.
        bytes[1] = 3;
        bytes[25] = 1 << 7;
        let read = DirectoryRecord::decode(&bytes).unwrap();
        assert_eq!(read.extent, Lba::new(80));
        assert!(!read.directory && read.more_extents);
        // An even identifier has a byte of padding behind it, and an odd one none, before the system use area.
        for name in [&b"BOOT"[..], b"BOO"] {
            let mut bytes = Record::directory(name, 77, 2048).encode();
            bytes.extend_from_slice(b"NM\x09\x01\0name");
            bytes[0] = u8::try_from(bytes.len()).unwrap();
            assert_eq!(DirectoryRecord::decode(&bytes).unwrap().name(), "name");
        }
    }

    #[test]
    fn records_fill_a_block_to_its_last_byte() {
        // 33 bytes and the identifier: 64, of which 32 make a block.
        let name = [b'A'; 31];
        let records = |count| pack((0..count).map(|_| Record::directory(&name, 20, 2048)));
        assert_eq!(records(32).len(), 2048);
        let two = records(33);
        assert_eq!(
            (two.len(), two[31 * 64], two[2048], two[2048 + 64]),
            (4096, 64, 64, 0)
        );
    }

    #[test]
    fn records_do_not_cross_blocks() {
        let names: Vec<_> = (0..62)
            .map(|n| format!("BOOT_IMAGE_SLOT_{n:02}.IMG;1"))
            .collect();
        let records = names
            .iter()
            .flat_map(|n| file_records(n.as_bytes(), Lba::new(9), ByteCount::new(5)));
        let bytes = pack(records);
        assert_eq!(bytes.len(), 2 * 2048);
        let size = usize::from(bytes[0]);
        let fit = 2048 / size;
        assert_eq!(bytes[fit * size], 0);
        assert_eq!(usize::from(bytes[2048]), size);
    }
}
