//! What is left of an ISO that was changed as a whole: zeros, a transfer as text, or a start at another byte than the file's first.

use super::format::Format;
use crate::{bytes::le32, inspect::Window, iso9660::SYSTEM_AREA_BLOCKS, units::Lba};

/// Bytes from the start in which the first descriptor is looked for, and which are zeros where a file was never written.
const HEAD: usize = 256 << 10;
/// Bytes from the start by which a text is told from a disc.
const SAMPLE: usize = 4 << 20;
/// So many bytes of a kind are no accident.
const MANY: usize = 64;
/// So often two bytes come together by chance that it is no accident where they hardly do.
const FEW: usize = 16;
/// Where the first descriptor stands (ECMA-119 §6.2.1), and how it begins (§8.4).
const FIRST: u64 = Lba::new(SYSTEM_AREA_BLOCKS.get()).byte_offset();
const PRIMARY: &[u8] = b"\x01CD001\x01";
/// Where it has the record of the root directory, and where a record has its address (ECMA-119 §8.4.18, §9.1).
const ROOT: u64 = 156;
const EXTENT: usize = 2;
/// The first record of a directory is its own: its name is one byte, a zero (ECMA-119 §6.8.2.2, §9.1.10).
const OWN_NAME: [u8; 2] = [1, 0];

/// What a file is whose first descriptor is not where an ISO has it.
pub(super) fn without_descriptor(file: &mut Window<'_>) -> Option<Format> {
    let head = read(file, HEAD);
    if !head.is_empty() && head.iter().all(|&byte| byte == 0) {
        return Some(Format::Zeros);
    }
    // Two bytes for each: UTF-16, in either order.
    if memchr::memmem::find(&head, b"C\0D\x000\x000\x001").is_some() {
        return Some(Format::TextTransfer);
    }
    let mut starts = memchr::memmem::find_iter(&head, b"CD001\x01");
    let is_near = starts.any(|at| (at as u64).abs_diff(FIRST) < 4_096);
    let sample = read(file, if is_near { SAMPLE } else { 0 });
    match shift(file, &head) {
        _ if is_near && is_text(&sample) => Some(Format::TextTransfer),
        // A few bytes less, and no pair that ends a line: as likely as not these are what is missing.
        Some(shift) if shift < 0 && shift % 512 != 0 && pairs(&sample).0 == 0 => {
            Some(Format::TextTransfer)
        }
        Some(shift) => Some(shifted(shift)),
        None => is_near.then_some(Format::TextTransfer),
    }
}

/// What a file is that has a descriptor at LBA 16, and is no ISO all the same: one whose bytes were moved behind it, or before it by whole blocks.
pub(super) fn with_descriptor(file: &mut Window<'_>) -> Option<Format> {
    // A disc is whole blocks; what was transferred as text seldom is.
    if !file.length().get().is_multiple_of(2_048) && is_text(&read(file, SAMPLE)) {
        return Some(Format::TextTransfer);
    }
    let mut descriptors = (1..16).map(|number| file.array(FIRST + number * 2_048));
    // The type of the last descriptor is 255; a transfer of seven bits leaves 127 (ECMA-119 §8.3.1).
    if descriptors.any(|it| it == Some(*b"\x7FCD001\x01")) {
        return Some(Format::TextTransfer);
    }
    if file.array(FIRST) == Some(*b"\x01CD001\x01") {
        return None;
    }
    let head = read(file, HEAD);
    let shift = shift(file, &head).filter(|&shift| shift < 0);
    shift.map(shifted)
}

const fn shifted(shift: i64) -> Format {
    if shift > 0 {
        Format::Behind
    } else {
        Format::Beheaded
    }
}

/// How many bytes stand before the ISO that begins somewhere in the file: fewer than none where its own first bytes are missing.
pub(super) fn shift_of(file: &mut Window<'_>) -> Option<i64> {
    let head = read(file, HEAD);
    shift(file, &head)
}

/// It is an ISO if its root directory stands where its descriptor says, counted from there.
fn shift(file: &mut Window<'_>, head: &[u8]) -> Option<i64> {
    let starts = memchr::memmem::find_iter(head, PRIMARY);
    starts.map(|at| at as u64).find_map(|at| {
        let record: [u8; 34] = file.array(at.checked_add(ROOT)?)?;
        let address = Lba::new(le32(&record, EXTENT).into()).byte_offset();
        let root = address.checked_sub(FIRST)?.checked_add(at)?;
        let own: [u8; 34] = file.array(root)?;
        let is_root = own.ends_with(&OWN_NAME) && own.get(EXTENT..10) == record.get(EXTENT..10);
        let shift = at.cast_signed().checked_sub(FIRST.cast_signed())?;
        (is_root && shift != 0).then_some(shift)
    })
}

/// Whether bytes were made those of a text: every line ends in one way, or all is UTF-8, or of 7 bits.
fn is_text(bytes: &[u8]) -> bool {
    let count = |wanted| memchr::memchr_iter(wanted, bytes).count();
    let (ends, (pairs, expected)) = (count(b'\n'), pairs(bytes));
    let lines_end_in_two = ends >= MANY && pairs == ends;
    // Of a carriage return before such an end one is taken, and a pair is left.
    let lines_end_in_one = expected >= FEW && pairs <= expected / 8;
    let no_returns = count(b'\r') == 0 && [b'\n', 0x0C, 0x0E].iter().all(|it| count(*it) >= MANY);
    let high = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    let is_utf8 = || match std::str::from_utf8(bytes) {
        Ok(_) => true,
        // The end may cut a character.
        Err(error) => error.error_len().is_none(),
    };
    lines_end_in_two || lines_end_in_one || no_returns || high == 0 || (high >= MANY && is_utf8())
}

/// How many lines end in two characters, and how many would by chance: in the data of a disc, a carriage return comes before each byte about as
/// often as before the next one.
fn pairs(bytes: &[u8]) -> (usize, usize) {
    let count = |second| memchr::memmem::find_iter(bytes, &[b'\r', second]).count();
    let others = [0x0B, 0x0C, 0x0E, 0x0F].map(count);
    (count(b'\n'), others.iter().sum::<usize>() / others.len())
}

fn read(file: &mut Window<'_>, most: usize) -> Vec<u8> {
    let mut bytes = vec![0; most];
    let size = file.read(0, &mut bytes);
    bytes.truncate(size);
    bytes
}
