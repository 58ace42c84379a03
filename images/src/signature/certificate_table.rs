//! The certificate table of a program: `WIN_CERTIFICATE` after `WIN_CERTIFICATE` (PE/COFF, "The Attribute Certificate Table"; UEFI §32.2.4).

use crate::{
    bytes::{le16, le32},
    inspect::{Window, file::DiscBytes},
};

/// Bytes of a table that are read. Real ones have some ten thousand.
const TABLE_BYTES: u64 = 1 << 20;
/// Signatures that are looked at.
pub(super) const SIGNATURES: usize = 16;
/// Signatures that are counted.
const COUNTED: usize = 100_000;

/// `WIN_CERT_TYPE_PKCS_SIGNED_DATA` and `WIN_CERT_TYPE_EFI_GUID`.
const PKCS_SIGNED_DATA: u16 = 2;
const EFI_GUID: u16 = 0x0EF1;
/// `EFI_CERT_TYPE_PKCS7_GUID`, 4aafd29d-68df-49ee-8aa9-347d375665a7.
pub(super) const PKCS7_GUID: [u8; 16] = [
    0x9D, 0xD2, 0xAF, 0x4A, 0xDF, 0x68, 0xEE, 0x49, 0x8A, 0xA9, 0x34, 0x7D, 0x37, 0x56, 0x65, 0xA7,
];

/// Why firmware trusts no signature of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableProblem {
    /// A certificate ends behind the table, or the table behind its certificates.
    Length,
    /// More than is read.
    TooLong,
}

impl std::fmt::Display for TableProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Length => "the lengths in its certificate table contradict each other",
            Self::TooLong => "its certificate table is longer than 1 MiB",
        })
    }
}

/// What stands in a certificate table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateTable {
    /// The PKCS #7 data of its first signatures.
    pub signatures: Vec<Vec<u8>>,
    /// How many there are.
    pub count: usize,
    /// What is wrong with the table.
    pub problem: Option<TableProblem>,
    /// Whether it ends behind the file.
    pub is_cut: bool,
}

impl CertificateTable {
    pub(super) fn read(disc: &mut Window<'_>, file: &DiscBytes, start: u64, size: u64) -> Self {
        if size > TABLE_BYTES {
            return Self {
                signatures: Vec::new(),
                count: 0,
                problem: Some(TableProblem::TooLong),
                is_cut: start.saturating_add(size) > file.length.get(),
            };
        }
        let size = usize::try_from(size).unwrap_or(0);
        let bytes = file.bytes(disc, start, size);
        let mut table = Self::decode(&bytes);
        if bytes.len() < size {
            table.problem = Some(TableProblem::Length);
            table.is_cut = true;
        }
        table
    }

    /// Walks a table as EDK2 does (`DxeImageVerificationHandler`).
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Self {
        let mut table = Self {
            signatures: Vec::new(),
            count: 0,
            problem: None,
            is_cut: false,
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            let length = usize::try_from(le32(rest, 0)).unwrap_or(usize::MAX);
            let aligned = length.checked_next_multiple_of(8);
            let next = aligned.and_then(|aligned| rest.get(aligned..));
            let content = rest.get(8..length);
            let (Some(next), Some(content), 9..) = (next, content, rest.len()) else {
                table.problem = Some(TableProblem::Length);
                break;
            };
            let data = match le16(rest, 6) {
                PKCS_SIGNED_DATA => Some(content),
                EFI_GUID => content.strip_prefix(&PKCS7_GUID),
                _ => None,
            };
            if data.is_some_and(<[u8]>::is_empty) {
                table.problem = Some(TableProblem::Length);
                break;
            }
            if let Some(data) = data {
                table.count += 1;
                if table.signatures.len() < SIGNATURES {
                    table.signatures.push(data.to_vec());
                }
            }
            if table.count >= COUNTED {
                table.problem = Some(TableProblem::TooLong);
                break;
            }
            rest = next;
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: u16, data: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(data.len() + 8)
            .unwrap()
            .to_le_bytes()
            .to_vec();
        bytes.extend([0, 2]);
        bytes.extend(kind.to_le_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn a_table_is_walked_as_firmware_walks_it() {
        let padded = |mut bytes: Vec<u8>| {
            bytes.resize(bytes.len().next_multiple_of(8), 0);
            bytes
        };
        let one = padded(entry(2, b"one"));
        let other = padded(entry(0x0EF1, &[&PKCS7_GUID[..], b"other"].concat()));
        let unknown = padded(entry(1, b"x"));
        let table = CertificateTable::decode(&[one.clone(), unknown, other].concat());
        assert_eq!(table.signatures, [b"one".to_vec(), b"other".to_vec()]);
        assert_eq!((table.count, table.problem), (2, None));
        // The last one's padding is part of the table.
        let cut = CertificateTable::decode(&entry(2, b"one"));
        assert_eq!(cut.problem, Some(TableProblem::Length));
        for broken in [&one[..12], &[0; 16], &[7, 0, 0, 0, 0, 2, 2, 0], &[0xFF; 16]] {
            let table = CertificateTable::decode(broken);
            assert_eq!(table.problem, Some(TableProblem::Length), "{broken:?}");
        }
        let many = CertificateTable::decode(&one.repeat(5_000));
        assert_eq!(
            (many.count, many.signatures.len(), many.problem),
            (5_000, 16, None)
        );
    }
}
