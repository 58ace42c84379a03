//! Bytes of a disc that are changed: what mends a finding, and how that is told.

use std::{collections::BTreeMap, io};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    bytes::hex,
    inspect::{Source, Window},
    units::ByteCount,
};

/// So many bytes are told as they are, more by their digest.
const TOLD: usize = 64;
/// Bytes that stay as they are between two that change are told with them, up to so many: a field is told whole.
const JOINED: usize = 8;
/// A long piece is told as no more changes than this.
const CHANGES: usize = 64;

/// Bytes to write, and where on the disc.
pub(crate) type Writes = Vec<(u64, Vec<u8>)>;

/// What to write where: pieces that do not touch each other, by the offset of their first byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits(BTreeMap<u64, Vec<u8>>);

impl Edits {
    /// Whether nothing is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pieces, in the order of their offsets.
    pub fn pieces(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.0
            .iter()
            .map(|(offset, bytes)| (*offset, bytes.as_slice()))
    }

    /// Writes bytes, also over what was to be written there before.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        let Some(end) = offset
            .checked_add(bytes.len() as u64)
            .filter(|_| !bytes.is_empty())
        else {
            return;
        };
        let touched: Vec<u64> = self
            .0
            .range(..=end)
            .rev()
            .take_while(|(start, piece)| **start + piece.len() as u64 >= offset)
            .map(|(start, _)| *start)
            .collect();
        let first = touched.last().copied().unwrap_or(offset).min(offset);
        let mut merged = Vec::new();
        let mut put = |at: u64, piece: &[u8]| {
            let from = usize::try_from(at - first).unwrap_or(usize::MAX);
            let to = from.saturating_add(piece.len());
            if merged.len() < to {
                merged.resize(to, 0);
            }
            merged[from..to].copy_from_slice(piece);
        };
        for start in touched.iter().rev() {
            if let Some(piece) = self.0.remove(start) {
                put(*start, &piece);
            }
        }
        put(offset, bytes);
        self.0.insert(first, merged);
    }

    /// Writes all that others write.
    pub fn add(&mut self, others: &Self) {
        for (offset, bytes) in others.pieces() {
            self.write(offset, bytes);
        }
    }

    /// Puts what is written here into bytes that begin at an offset of the disc.
    pub fn apply(&self, start: u64, bytes: &mut [u8]) {
        let end = start.saturating_add(bytes.len() as u64);
        for (offset, piece) in self.0.range(..end).rev() {
            let piece_end = offset + piece.len() as u64;
            if piece_end <= start {
                // Pieces do not overlap: those before this one end sooner.
                break;
            }
            let (from, to) = (start.max(*offset), end.min(piece_end));
            let index = |at: u64, base: u64| usize::try_from(at - base).unwrap_or(usize::MAX);
            bytes[index(from, start)..index(to, start)]
                .copy_from_slice(&piece[index(from, *offset)..index(to, *offset)]);
        }
    }

    /// The same without what stands on the disc already or lies behind its end, and what changes by that.
    pub(crate) fn against(&self, disc: &mut Window<'_>) -> (Self, Vec<Change>) {
        let (mut edits, mut changes) = (Self::default(), Vec::new());
        for (offset, after) in self.pieces() {
            let mut before = vec![0; after.len()];
            let there = disc.read(offset, &mut before);
            for (from, to) in different(&before[..there], &after[..there]) {
                let at = offset + from as u64;
                let (before, after) = (&before[from..to], &after[from..to]);
                edits.write(at, after);
                changes.push(Change::new(at, before, after));
            }
        }
        (edits, changes)
    }
}

/// Where two pieces of the same length differ; differences that are close to each other are one.
fn different(before: &[u8], after: &[u8]) -> Vec<(usize, usize)> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    let joined = JOINED.max(before.len().div_ceil(CHANGES));
    let all = before.iter().zip(after).enumerate();
    for at in all
        .filter(|(_, (before, after))| before != after)
        .map(|(at, _)| at)
    {
        match ranges.last_mut() {
            Some((_, to)) if at - *to < joined => *to = at + 1,
            _ => ranges.push((at, at + 1)),
        }
    }
    ranges
}

/// Bytes that change, as it is told: up to 64 of them in hexadecimal digits, more as `sha256:` and their digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The first one, from the start of the disc.
    pub offset: u64,
    /// How many.
    pub length: ByteCount,
    /// What stands there.
    pub before: String,
    /// What is written there.
    pub after: String,
}

impl Change {
    fn new(offset: u64, before: &[u8], after: &[u8]) -> Self {
        Self {
            offset,
            length: ByteCount::new(after.len() as u64),
            before: told(before),
            after: told(after),
        }
    }
}

fn told(bytes: &[u8]) -> String {
    if bytes.len() <= TOLD {
        hex(bytes)
    } else {
        format!("sha256:{}", hex(Sha256::digest(bytes)))
    }
}

/// A disc of which some bytes are changed, and none are written.
pub struct Changed<'a> {
    disc: &'a dyn Source,
    edits: &'a Edits,
}

impl std::fmt::Debug for Changed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Changed")
            .field("edits", self.edits)
            .finish_non_exhaustive()
    }
}

impl<'a> Changed<'a> {
    /// A disc with these edits.
    #[must_use]
    pub const fn new(disc: &'a dyn Source, edits: &'a Edits) -> Self {
        Self { disc, edits }
    }
}

impl Source for Changed<'_> {
    fn length(&self) -> ByteCount {
        self.disc.length()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.disc.read_at(offset, buffer)?;
        if let Some(read) = buffer.get_mut(..size) {
            self.edits.apply(offset, read);
        }
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edits() -> impl Strategy<Value = Vec<(u64, Vec<u8>)>> {
        let one = (0_u64..300, prop::collection::vec(any::<u8>(), 0..40));
        prop::collection::vec(one, 0..12)
    }

    proptest! {
        #[test]
        fn what_is_written_later_stands(list in edits(), start in 0_u64..320, size in 0_usize..80) {
            let disc = vec![7; 310];
            let mut expected = disc.clone();
            let mut edits = Edits::default();
            for (offset, bytes) in &list {
                edits.write(*offset, bytes);
                for (at, byte) in bytes.iter().enumerate() {
                    if let Some(place) = expected.get_mut(usize::try_from(*offset).unwrap() + at) {
                        *place = *byte;
                    }
                }
            }
            let ends: Vec<u64> = edits.pieces().map(|(offset, bytes)| offset + bytes.len() as u64).collect();
            for ((next, _), end) in edits.pieces().skip(1).zip(&ends) {
                prop_assert!(next > *end, "two pieces touch");
            }
            let changed = Changed::new(&disc, &edits);
            let mut window = Window::new(&changed);
            let mut seen = vec![0; size];
            let there = window.read(start, &mut seen);
            let from = usize::try_from(start).unwrap().min(310);
            prop_assert_eq!(&seen[..there], &expected[from..(from + size).min(310)]);

            // Only what differs is left of them, and it is told.
            let (needed, changes) = edits.against(&mut Window::new(&disc));
            let again = Changed::new(&disc, &needed);
            let mut whole = vec![0; 310];
            Window::new(&again).read(0, &mut whole);
            prop_assert_eq!(&whole, &expected);
            prop_assert_eq!(changes.is_empty(), expected == disc);
            prop_assert!(changes.iter().all(|change| change.before != change.after));
        }
    }

    #[test]
    fn long_changes_are_told_by_their_digest() {
        let change = Change::new(0, &[0; 65], &[1; 65]);
        assert!(change.before.starts_with("sha256:98ce42de"), "{change:?}");
        assert_eq!(Change::new(0, &[0xAB], &[0x0C]).before, "ab");
    }

    #[test]
    fn a_long_piece_is_told_in_few_changes() {
        let disc = vec![0; 1 << 16];
        let mut edits = Edits::default();
        let every_512th: Vec<u8> = (0..1 << 16).map(|at| u8::from(at % 512 == 0)).collect();
        edits.write(0, &every_512th);
        let (needed, changes) = edits.against(&mut Window::new(&disc));
        assert!((1..=CHANGES).contains(&changes.len()), "{}", changes.len());
        let mut whole = vec![0; 1 << 16];
        Window::new(&Changed::new(&disc, &needed)).read(0, &mut whole);
        assert_eq!(whole, every_512th);
    }

    #[test]
    fn a_field_is_told_whole() {
        let disc = vec![0; 100];
        let mut edits = Edits::default();
        edits.write(10, &[1, 0, 0, 0, 1]);
        edits.write(40, &[0; 8]);
        let (_, changes) = edits.against(&mut Window::new(&disc));
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].after, "0100000001");
    }
}
