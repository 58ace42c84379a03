//! The hash of a program as firmware computes it: all of the file but its checksum, the entry of the certificate table, and that table (Authenticode 1.0, "Calculating the
//! PE Image Hash"; EDK2 `HashPeImage`).

use sha2::{Digest, Sha256, Sha384, Sha512};

use super::certificate_table::CertificateTable;
use crate::{
    bytes::{le16, le32},
    inspect::{Window, file::DiscBytes},
};

/// Bytes of a program that are read at a time.
const PIECE: usize = 1 << 20;
/// A section's header (PE/COFF, "Section Table").
const SECTION_HEADER: usize = 40;
/// Sections that are hashed; firmware has a bound of its own.
const SECTIONS: usize = 256;

/// How a digest is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DigestKind {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl DigestKind {
    /// By its object identifier, 2.16.840.1.101.3.4.2.1 to 3.
    pub(super) const fn of(identifier: &[u8]) -> Option<Self> {
        match identifier {
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1] => Some(Self::Sha256),
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2] => Some(Self::Sha384),
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3] => Some(Self::Sha512),
            _ => None,
        }
    }

    /// By that of a signature made with RSA, 1.2.840.113549.1.1.11 to 13.
    pub(super) const fn of_rsa_signature(identifier: &[u8]) -> Option<Self> {
        match identifier {
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11] => Some(Self::Sha256),
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 12] => Some(Self::Sha384),
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 13] => Some(Self::Sha512),
            _ => None,
        }
    }

    /// What stands before a digest in a signature (RFC 8017 §9.2, note 1).
    pub(super) const fn digest_info(self) -> &'static [u8] {
        match self {
            Self::Sha256 => {
                b"\x30\x31\x30\x0D\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
            }
            Self::Sha384 => {
                b"\x30\x41\x30\x0D\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"
            }
            Self::Sha512 => {
                b"\x30\x51\x30\x0D\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"
            }
        }
    }

    /// The digest of bytes.
    pub(super) fn of_bytes(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

/// Digests of one program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Its SHA-256, by which revocation lists name it.
    pub sha256: [u8; 32],
    /// Others, for signatures that need them.
    others: Vec<(DigestKind, Vec<u8>)>,
}

impl Digests {
    /// The digest of a kind, where it was computed.
    #[must_use]
    pub fn get(&self, kind: DigestKind) -> Option<&[u8]> {
        if kind == DigestKind::Sha256 {
            return Some(&self.sha256);
        }
        let found = self.others.iter().find(|(it, _)| *it == kind);
        found.map(|(_, digest)| digest.as_slice())
    }
}

/// Whether the headers of a program name a certificate table, wherever it is.
pub(super) fn names_table(head: &[u8]) -> bool {
    let size = || {
        let optional = usize::try_from(le32(head, 0x3C)).ok()?.checked_add(24)?;
        let directories = optional.checked_add(directories_at(head, optional)?)?;
        let count = le32(head, directories.checked_sub(4)?);
        (count > 4).then_some(le32(head, directories.checked_add(36)?))
    };
    size().is_some_and(|size| size > 0)
}

/// Where in the optional header the data directories begin: it depends on the width.
fn directories_at(head: &[u8], optional: usize) -> Option<usize> {
    match head.get(optional..optional.checked_add(2)?)? {
        [0x0B, 2] => Some(112),
        [0x0B, 1] => Some(96),
        _ => None,
    }
}

/// The parts of a program's file that are hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedParts {
    /// Where they begin and end, in the order in which they are hashed.
    parts: Vec<(u64, u64)>,
    /// Where the certificate table stands, where the headers name one.
    pub table: Option<(u64, u64)>,
}

impl HashedParts {
    /// Reads the headers of a program (PE/COFF, "Optional Header"). `None` where they make no sense, or where the file ends before what they name: firmware does
    /// not load that.
    #[must_use]
    pub fn decode(head: &[u8], length: u64) -> Option<Self> {
        let pe = usize::try_from(le32(head, 0x3C)).ok()?;
        let optional = pe.checked_add(24)?;
        let at = |byte: usize| optional.checked_add(byte);
        let directories = at(directories_at(head, optional)?)?;
        let checksum = at(64)?;
        let header_bytes = u64::from(le32(head, at(60)?));
        let directory_count = le32(head, directories.checked_sub(4)?);
        let table_entry = directories.checked_add(32)?;
        let sections_at = at(le16(head, pe.checked_add(20)?).into())?;
        let sections = usize::from(le16(head, pe.checked_add(6)?));
        let sections_end = sections_at.checked_add(sections.checked_mul(SECTION_HEADER)?)?;
        if sections > SECTIONS || head.len() < sections_end.max(directories) {
            return None;
        }
        let checksum = u64::try_from(checksum).ok()?;
        let mut parts = vec![(0, checksum)];
        let mut table = None;
        if directory_count > 4 {
            let entry = u64::try_from(table_entry).ok()?;
            parts.push((checksum + 4, entry));
            parts.push((entry + 8, header_bytes));
            let start = u64::from(le32(head, table_entry));
            let size = u64::from(le32(head, table_entry.checked_add(4)?));
            table = (size > 0).then_some((start, start + size));
        } else {
            parts.push((checksum + 4, header_bytes));
        }
        let header = |number: usize| head.get(sections_at + number * SECTION_HEADER..);
        let section = |number| {
            let header = header(number)?;
            let start = u64::from(le32(header, 20));
            let size = u64::from(le32(header, 16));
            (size > 0).then_some((start, start + size))
        };
        let mut of_sections: Vec<(u64, u64)> = (0..sections).filter_map(section).collect();
        of_sections.sort_by_key(|(start, _)| *start);
        let sum = of_sections.iter().map(|(start, end)| end - start);
        let hashed = sum.fold(header_bytes, u64::saturating_add);
        parts.extend(of_sections);
        // What stands behind the sections is hashed too, up to the certificates, which stand last.
        let certificates = table.map_or(0, |(start, end)| end - start);
        let end = length.checked_sub(certificates)?;
        if end < hashed {
            return None;
        }
        parts.push((hashed, end));
        let is_within = |&(start, end): &(u64, u64)| start <= end && end <= length;
        let table_is_within = table.is_none_or(|(_, end)| end <= length);
        (table_is_within && parts.iter().all(is_within)).then_some(Self { parts, table })
    }

    /// How many bytes are hashed.
    #[must_use]
    pub fn length(&self) -> u64 {
        let lengths = self.parts.iter().map(|(start, end)| end - start);
        lengths.fold(0, u64::saturating_add)
    }

    /// Hashes them; `None` where the disc ends before they do.
    pub(crate) fn digests(
        &self,
        disc: &mut Window<'_>,
        file: &DiscBytes,
        kinds: &[DigestKind],
    ) -> Option<Digests> {
        let mut sha256 = Sha256::new();
        let mut sha384 = kinds.contains(&DigestKind::Sha384).then(Sha384::new);
        let mut sha512 = kinds.contains(&DigestKind::Sha512).then(Sha512::new);
        let mut buffer = vec![0; PIECE];
        for &(start, end) in &self.parts {
            let mut at = start;
            while at < end {
                let left = usize::try_from(end - at).unwrap_or(usize::MAX);
                let piece = buffer.get_mut(..left.min(PIECE))?;
                if file.read(disc, at, piece) < piece.len() {
                    return None;
                }
                sha256.update(&piece);
                sha384.iter_mut().for_each(|hash| hash.update(&piece));
                sha512.iter_mut().for_each(|hash| hash.update(&piece));
                at += piece.len() as u64;
            }
        }
        let sha384 = sha384.map(|hash| (DigestKind::Sha384, hash.finalize().to_vec()));
        let sha512 = sha512.map(|hash| (DigestKind::Sha512, hash.finalize().to_vec()));
        Some(Digests {
            sha256: sha256.finalize().into(),
            others: sha384.into_iter().chain(sha512).collect(),
        })
    }

    /// The certificate table.
    pub(crate) fn certificate_table(
        &self,
        disc: &mut Window<'_>,
        file: &DiscBytes,
    ) -> Option<CertificateTable> {
        let (start, end) = self.table?;
        Some(CertificateTable::read(disc, file, start, end - start))
    }
}
