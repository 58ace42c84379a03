//! `kernel-no-multiboot-header`: a kernel that GRUB's multiboot commands refuse.

use super::room::Room;
use crate::{
    bytes::le32,
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
};

const ID: FindingId = FindingId::KernelNoMultibootHeader;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "ovmf"],
    explanation: "The configuration of GRUB starts a kernel with multiboot or multiboot2, and the kernel has no such header where GRUB looks.",
    consequence: "GRUB prints: error: no multiboot header found.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise put the header near the beginning of the kernel: in the linker script, put its section first, in KEEP, and make it an allocated section. The command multiboot2 needs a different header than multiboot.",
    check,
    ..Room::BASE
};

/// A header by the specification: its magic number, the bytes in which it must be, and its alignment.
struct Header {
    directive: &'static str,
    magic: u32,
    within: usize,
    align: usize,
    /// Fields that sum up to zero, the last of them the checksum.
    fields: usize,
}

/// Multiboot 0.6.96 §3.1, Multiboot2 2.0 §3.1.
const HEADERS: [Header; 2] = [
    Header {
        directive: "multiboot",
        magic: 0x1BAD_B002,
        within: 8_192,
        align: 4,
        fields: 3,
    },
    Header {
        directive: "multiboot2",
        magic: 0xE852_50D6,
        within: 32_768,
        align: 8,
        fields: 4,
    },
];

/// What GRUB unpacks before it looks: gzip, xz, lzop.
const PACKED: [&[u8]; 3] = [
    &[0x1F, 0x8B],
    &[0xFD, b'7', b'z', b'X', b'Z'],
    &[0x89, b'L', b'Z', b'O'],
];

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for header in HEADERS {
        for (path, file) in reading.named_files(&[header.directive]) {
            let bytes = file.bytes(reading.disc, 0, header.within);
            let is_packed = PACKED.iter().any(|magic| bytes.starts_with(magic));
            if is_packed || header.is_in(&bytes) {
                continue;
            }
            let other = HEADERS.iter().find(|other| other.is_in(&bytes));
            let other = other.map_or_else(String::new, |other| {
                format!("; it has the one of {}", other.directive)
            });
            let message = format!(
                "{path} is started with {}, and its first {} bytes have no header for that{other}",
                header.directive, header.within
            );
            let offset = file.start().unwrap_or_default();
            findings.push(Finding::new(ID, Place { offset }, message));
        }
    }
    findings
}

impl Header {
    fn is_in(&self, bytes: &[u8]) -> bool {
        (0..bytes.len()).step_by(self.align).any(|at| {
            let fields = (0..self.fields).map(|number| le32(bytes, at + 4 * number));
            at + 4 * self.fields <= bytes.len()
                && le32(bytes, at) == self.magic
                && fields.fold(0, u32::wrapping_add) == 0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_found_where_it_is_allowed() {
        let mut bytes = vec![0; 8_192];
        let [one, two] = &HEADERS;
        assert!(!one.is_in(&bytes));
        let header = [0x1BAD_B002, 3, 0_u32.wrapping_sub(0x1BAD_B002 + 3)];
        let header: Vec<u8> = header
            .iter()
            .flat_map(|field: &u32| field.to_le_bytes())
            .collect();
        bytes[4_100..4_112].copy_from_slice(&header);
        assert!(one.is_in(&bytes));
        assert!(!two.is_in(&bytes));
        assert!(!one.is_in(&bytes[..4_108]));
        bytes[4_108] ^= 1;
        assert!(!one.is_in(&bytes));
        assert!(!one.is_in(&bytes[1..]));
    }
}
