//! `zeros`: zeros where a file cannot have them.

use super::{initrd_unreadable::INITRD, room::Room};
use crate::{
    finding::{Finding, FindingId, Place, Severity},
    inspect::file::DiscBytes,
    inspect::{Reading, Window},
    packed::{self, kernel_payload},
    units::BLOCK_BYTES,
};

/// More zeros in a row than compressed data has.
const MANY: u64 = 64 << 10;
/// Bytes read at once.
const CHUNK: usize = 64 << 10;

const ID: FindingId = FindingId::Zeros;

pub(super) const ROOM: Room = Room {
    severity: Severity::Warning,
    trips: &["tools"],
    explanation: "A loader, a kernel or a compressed file begins with a block of zeros, or contains 64 KiB or more of zeros.",
    consequence: "A download or a copy left holes: the data at these places is missing. The effect depends on which data it was.",
    remedy: "Download the disc again and compare its checksum, or write it again to another medium. If that does not help, ask its maker.",
    check,
    ..Room::BASE
};

/// Only with `verify`: it reads much of the disc.
fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    if !reading.options.verify {
        return Vec::new();
    }
    let mut files = reading.named_files(&["kernel", "linux", "linux16", "linuxefi"]);
    let kernels = files.len();
    let archives = reading.named_files(&INITRD).into_iter();
    // Disks that memdisk starts are none, and have zeros.
    files.extend(archives.filter(|(_, file)| {
        let head = file.bytes(reading.disc, 0, BLOCK_BYTES as usize);
        is_blank(&head) || packed::not_an_initrd(reading.disc, file).is_none()
    }));
    let squashed = reading.tree.map_or(&[][..], |tree| &tree.squashed);
    files.extend(squashed.iter().map(|(start, file)| {
        let run = (start.byte_offset(), file.length);
        (file.path.clone(), DiscBytes::new([run], file.length))
    }));
    let mut findings = Vec::new();
    for (index, (path, file)) in files.iter().enumerate() {
        // A kernel has zeros between its parts.
        let compressed = if index >= kernels {
            Some((0, file.length.get()))
        } else {
            kernel_payload(reading.disc, file)
        };
        if let Some((offset, what)) = zeros(reading.disc, file, compressed) {
            findings.push(Finding::new(ID, Place { offset }, format!("{path} {what}")));
        }
    }
    findings
}

fn is_blank(head: &[u8]) -> bool {
    !head.is_empty() && head.iter().all(|&byte| byte == 0)
}

/// Where zeros are in a file that should not have them, and the message.
fn zeros(
    disc: &mut Window<'_>,
    file: &DiscBytes,
    compressed: Option<(u64, u64)>,
) -> Option<(u64, String)> {
    let start = file.start()?;
    if is_blank(&file.bytes(disc, 0, BLOCK_BYTES as usize)) {
        return Some((start, "begins with zeros".to_owned()));
    }
    let mut run = 0;
    let (mut at, end) = compressed?;
    let end = end.min(file.length.get());
    while at < end {
        let bytes = file.bytes(disc, at, CHUNK);
        if bytes.is_empty() {
            break;
        }
        for &byte in &bytes {
            run = if byte == 0 { run + 1 } else { 0 };
            at += 1;
            // Zeros may follow the end of compressed data.
            if run >= MANY && at + MANY < end {
                let from = at - run;
                let message = format!("has {MANY} bytes of zeros from byte {from} on");
                return Some((start.saturating_add(from), message));
            }
        }
    }
    None
}
