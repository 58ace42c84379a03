//! A byte-exact transcript of a channel, with the times at which its pieces came.

use std::{fmt::Write, time::Duration};

/// What came over one channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recording {
    bytes: Vec<u8>,
    /// Since QEMU's start, and how many bytes.
    pieces: Vec<(Duration, usize)>,
}

impl Recording {
    pub(crate) fn push(&mut self, at: Duration, bytes: &[u8]) {
        self.pieces.push((at, bytes.len()));
        self.bytes.extend_from_slice(bytes);
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
