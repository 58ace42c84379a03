//! A byte-exact transcript of a channel, with the times of its pieces.

use std::{fmt::Write, time::Duration};

/// More than any boot here prints; a guest that prints more never stops.
const LONGEST: usize = 4 << 20;
/// At most this many pieces are kept separate.
const MOST_PIECES: usize = 20_000;

/// The output of one channel, up to the available room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recording {
    bytes: Vec<u8>,
    /// Since QEMU's start, and how many bytes.
    pieces: Vec<(Duration, usize)>,
}

impl Recording {
    /// Adds output, and returns the part that there was room for.
    pub(crate) fn push<'b>(&mut self, at: Duration, bytes: &'b [u8]) -> &'b [u8] {
        let room = LONGEST - self.bytes.len();
        let taken = bytes.get(..room).unwrap_or(bytes);
        let many = self.pieces.len() >= MOST_PIECES;
        match self.pieces.last_mut() {
            Some((_, length)) if many => *length += taken.len(),
            _ => self.pieces.push((at, taken.len())),
        }
        self.bytes.extend_from_slice(taken);
        taken
    }

    /// Whether there is no more room.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= LONGEST
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// One line a piece: milliseconds since QEMU's start, offset, length.
    pub(crate) fn times(&self) -> String {
        let mut table = String::from("# ms since start, offset, bytes\n");
        let mut offset = 0;
        for (at, length) in &self.pieces {
            // Writing to a String cannot fail.
            let _ = writeln!(table, "{:.3} {offset} {length}", at.as_secs_f64() * 1e3);
            offset += length;
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_too_much_is_not_listened_to_for_ever() {
        let mut recording = Recording::default();
        let piece = [b'x'; 100];
        for _ in 0..LONGEST / piece.len() {
            assert_eq!(recording.push(Duration::ZERO, &piece), piece);
        }
        assert!(!recording.is_full());
        assert_eq!(
            recording.push(Duration::ZERO, &piece).len(),
            LONGEST % piece.len()
        );
        assert_eq!(recording.push(Duration::ZERO, &piece), b"");
        assert!(recording.is_full());
        assert_eq!(recording.bytes().len(), LONGEST);
        assert_eq!(recording.times().lines().count(), 1 + MOST_PIECES);
    }
}
