//! A file of any of a disc's file systems, as bytes at offsets.

use super::Window;
use crate::{fat::Run, units::ByteCount};

/// Where a file's bytes stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DiscBytes {
    /// In order; adjacent runs are one.
    runs: Vec<Run>,
    /// Its length as its directory says. There may be fewer bytes in the runs.
    pub(crate) length: ByteCount,
}

impl DiscBytes {
    pub(crate) fn new(runs: impl IntoIterator<Item = Run>, length: ByteCount) -> Self {
        let mut joined: Vec<Run> = Vec::new();
        for (start, run) in runs {
            match joined.last_mut() {
                Some(last) if last.0.saturating_add(last.1.get()) == start => {
                    last.1 = ByteCount::new(last.1.get().saturating_add(run.get()));
                }
                _ => joined.push((start, run)),
            }
        }
        Self {
            runs: joined,
            length,
        }
    }

    /// Where its first byte stands on the disc.
    pub(crate) fn start(&self) -> Option<u64> {
        self.runs.first().map(|run| run.0)
    }

    /// Where its bytes end that stand last on the disc.
    pub(crate) fn end(&self) -> u64 {
        let ends = self.runs.iter();
        let ends = ends.map(|(start, length)| start.saturating_add(length.get()));
        ends.max().unwrap_or(0)
    }

    /// Whether all of its bytes are known.
    pub(crate) fn is_whole(&self) -> bool {
        let runs = self.runs.iter().map(|run| run.1.get());
        runs.fold(0, u64::saturating_add) >= self.length.get()
    }

    /// Fills `buffer` from an offset of the file on, as far as there are bytes, and says how far that is.
    pub(crate) fn read(&self, disc: &mut Window<'_>, offset: u64, buffer: &mut [u8]) -> usize {
        let mut filled = 0;
        let mut before = 0_u64;
        let left = self.length.get().saturating_sub(offset);
        let wanted = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        for &(start, length) in &self.runs {
            let at = offset.saturating_add(filled as u64);
            let within = at.saturating_sub(before);
            before = before.saturating_add(length.get());
            if at >= before || filled >= wanted {
                continue;
            }
            let here = usize::try_from(length.get().saturating_sub(within)).unwrap_or(usize::MAX);
            let size = here.min(wanted - filled);
            let read = disc.read(
                start.saturating_add(within),
                &mut buffer[filled..filled + size],
            );
            filled += read;
            if read < size {
                break;
            }
        }
        filled
    }

    /// So many bytes from an offset on, or as many as there are.
    pub(crate) fn bytes(&self, disc: &mut Window<'_>, offset: u64, most: usize) -> Vec<u8> {
        let left = usize::try_from(self.length.get().saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; left.min(most)];
        let read = self.read(disc, offset, &mut bytes);
        bytes.truncate(read);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_read_as_one() {
        let disc: Vec<u8> = (0..100).collect();
        let run = |start, length| (start, ByteCount::new(length));
        let file = DiscBytes::new([run(10, 5), run(15, 5), run(50, 10)], ByteCount::new(18));
        let mut window = Window::new(&disc);
        let bytes = file.bytes(&mut window, 8, 100);
        assert_eq!(bytes, [18, 19, 50, 51, 52, 53, 54, 55, 56, 57]);
        assert!(file.bytes(&mut window, 18, 4).is_empty());
        assert_eq!((file.start(), file.end()), (Some(10), 60));
        // The directory claims more than there is.
        let file = DiscBytes::new([run(98, 10)], ByteCount::new(10));
        assert_eq!(file.bytes(&mut window, 0, 100), [98, 99]);
    }
}
