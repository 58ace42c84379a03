//! `media-checksum`: a disc that does not match its implanted checksum.

use md5::{Digest, Md5};

use super::{recipe::declared::commands, room::Room};
use crate::{
    bytes::hex,
    defect::{Injection, PRIMARY, Patient},
    finding::{Finding, FindingId, Place, Severity},
    inspect::{Reading, Window},
    tool::Tool,
};

/// The checksum's place in the primary volume descriptor: the bytes for applications (ECMA-119 §8.4.32).
const APPLICATION: u64 = 883;
const APPLICATION_BYTES: usize = 512;
/// Bytes read at once.
const CHUNK: usize = 64 << 10;

const ID: FindingId = FindingId::MediaChecksum;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["tools"],
    explanation: "The checksum that isomd5sum implanted in the disc does not match its bytes.",
    consequence: "checkisomd5 and the media check in the boot menu of Fedora and related distributions fail: some bytes are damaged.",
    remedy: "Download the disc again, or write it again to another medium. If you changed the disc yourself, implant the checksum again (implantisomd5).",
    recipes: &[commands(
        Tool::Implantisomd5,
        "implantisomd5 --force disc.iso",
        "",
    )],
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

/// Only with `verify`: it reads the whole disc.
fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let primary = reading.descriptors.main.primary.as_ref();
    let Some((lba, primary)) = primary.filter(|_| reading.options.verify) else {
        return Vec::new();
    };
    let place = Place::within(*lba, APPLICATION);
    let Some(implanted) = Implanted::read(reading.disc, place.offset) else {
        return Vec::new();
    };
    let length = primary.space_size.bytes().get();
    let end = length.saturating_sub(implanted.skipped.saturating_mul(2_048));
    let Some(sum) = checksum(reading.disc, end, place.offset) else {
        let message =
            "the disc is shorter than the data that its implanted checksum covers".to_owned();
        return vec![Finding::new(ID, place, message)];
    };
    if sum == implanted.sum {
        return Vec::new();
    }
    let message = format!(
        "the implanted checksum is {}, but that of the disc is {sum}",
        implanted.sum
    );
    vec![Finding::new(ID, place, message)]
}

/// The text that implantisomd5 wrote (isomd5sum, `libimplantisomd5.c`).
struct Implanted {
    sum: String,
    /// Sectors at the end that do not count.
    skipped: u64,
}

impl Implanted {
    fn read(disc: &mut Window<'_>, at: u64) -> Option<Self> {
        let bytes: [u8; APPLICATION_BYTES] = disc.array(at)?;
        let text = String::from_utf8_lossy(&bytes);
        let (_, rest) = text.split_once("ISO MD5SUM = ")?;
        let sum = rest.get(..32)?.to_ascii_lowercase();
        let skipped = text.split_once("SKIPSECTORS = ").map_or(0, |(_, rest)| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().unwrap_or(0)
        });
        sum.bytes()
            .all(|byte| byte.is_ascii_hexdigit())
            .then_some(Self { sum, skipped })
    }
}

/// The checksum of the bytes before an end, with spaces for the application bytes; `None` if some are missing.
fn checksum(disc: &mut Window<'_>, end: u64, application: u64) -> Option<String> {
    let mut hasher = Md5::new();
    let mut bytes = vec![0; CHUNK];
    let mut at = 0;
    while at < end {
        let size = usize::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
        let bytes = bytes.get_mut(..size)?;
        if disc.read(at, bytes) < size {
            return None;
        }
        for (byte, offset) in bytes.iter_mut().zip(at..) {
            if (application..application + APPLICATION_BYTES as u64).contains(&offset) {
                *byte = b' ';
            }
        }
        hasher.update(&*bytes);
        at += size as u64;
    }
    Some(hex(hasher.finalize()))
}

/// The text that implantisomd5 writes, with a sum that no disc has.
fn inject(disc: &mut Patient<'_>) {
    let mut text = [b' '; APPLICATION_BYTES];
    let words = b"ISO MD5SUM = 00000000000000000000000000000000;SKIPSECTORS = 0;RHLISOSTATUS=0;";
    text[..words.len()].copy_from_slice(words);
    disc.bytes
        .write_at(PRIMARY.byte_offset() + APPLICATION, &text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        inspect::{Inspection, Options, inspect},
        reference::master,
        sparse::SparseBytes,
    };

    fn verified(disc: &SparseBytes) -> Inspection {
        let options = Options {
            verify: true,
            ..Options::default()
        };
        inspect(&mut Window::new(disc), &options).unwrap()
    }

    #[test]
    fn a_changed_byte_is_seen_where_a_checksum_was_implanted() {
        let mut disc = master("md5/-/-/-/reference", None, &"none".parse().unwrap(), None)
            .unwrap()
            .bytes;
        let at = 16 * 2_048 + APPLICATION;
        let end = disc.len() - 2 * 2_048;
        disc.write_at(at, &[b' '; APPLICATION_BYTES]);
        let sum = checksum(&mut Window::new(&disc), end, at).unwrap();
        let text = format!("ISO MD5SUM = {sum};SKIPSECTORS = 2;RHLISOSTATUS=0;");
        disc.write_at(at, text.as_bytes());
        assert!(!verified(&disc).found(ID));
        // Skipped bytes do not count.
        disc.write_at(end, b"another");
        assert!(!verified(&disc).found(ID));
        disc.write_at(end - 1, b"x");
        assert!(verified(&disc).found(ID));
        let quick = inspect(&mut Window::new(&disc), &Options::default()).unwrap();
        assert!(!quick.found(ID));
    }
}
