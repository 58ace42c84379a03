//! Bytes of which nearly all are zero: a disc of 25 GB that costs kilobytes.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
};

use sha2::{Digest, Sha256};

use crate::bytes::hex;

/// The granularity at which zeros are left out: the block size of common file systems.
const PAGE: usize = 4096;

/// A length and the pages in it that are not all zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SparseBytes {
    len: u64,
    pages: BTreeMap<u64, Box<[u8; PAGE]>>,
}

impl SparseBytes {
    /// That many zero bytes.
    #[must_use]
    pub const fn zeroed(len: u64) -> Self {
        Self {
            len,
            pages: BTreeMap::new(),
        }
    }

    /// The length in bytes.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no bytes at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Memory that the stored pages take, in bytes: about what the file will take on disk.
    #[must_use]
    pub fn stored(&self) -> u64 {
        self.pages.len() as u64 * PAGE as u64
    }

    /// The pieces that may hold something else than zeros, in order, and where each begins.
    pub fn pieces(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.pages.iter().map(|(page, bytes)| {
            let start = page * PAGE as u64;
            let left = usize::try_from(self.len - start).unwrap_or(PAGE);
            (start, &bytes[..left.min(PAGE)])
        })
    }

    /// Cuts or extends (with zeros) to a length.
    pub fn set_len(&mut self, len: u64) {
        let (page, within) = split(len);
        if len < self.len {
            let mut cut = self.pages.split_off(&page);
            if within > 0
                && let Some(mut last) = cut.remove(&page)
            {
                last[within..].fill(0);
                self.pages.insert(page, last);
            }
        }
        self.len = len;
    }

    /// Writes `bytes` at `offset`. What falls beyond the end is dropped, as a medium that ends does.
    pub fn write_at(&mut self, mut offset: u64, bytes: &[u8]) {
        let room = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut rest = &bytes[..bytes.len().min(room)];
        while !rest.is_empty() {
            let (page, within) = split(offset);
            let (piece, after) = rest.split_at(rest.len().min(PAGE - within));
            if piece.iter().any(|&byte| byte != 0) || self.pages.contains_key(&page) {
                let stored = self
                    .pages
                    .entry(page)
                    .or_insert_with(|| Box::new([0; PAGE]));
                stored[within..within + piece.len()].copy_from_slice(piece);
            }
            offset += piece.len() as u64;
            rest = after;
        }
    }

    /// Fills `bytes` from `offset`; beyond the end come zeros.
    pub fn read_at(&self, mut offset: u64, bytes: &mut [u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (page, within) = split(offset);
            let size = rest.len().min(PAGE - within);
            let (piece, after) = rest.split_at_mut(size);
            match self.pages.get(&page) {
                Some(stored) => piece.copy_from_slice(&stored[within..within + size]),
                None => piece.fill(0),
            }
            offset += size as u64;
            rest = after;
        }
    }

    /// The `N` bytes at `offset`; beyond the end come zeros.
    #[must_use]
    pub fn array_at<const N: usize>(&self, offset: u64) -> [u8; N] {
        let mut bytes = [0; N];
        self.read_at(offset, &mut bytes);
        bytes
    }

    /// Puts all of `other` at `offset`. What falls beyond the end is dropped.
    pub fn embed(&mut self, offset: u64, other: &Self) {
        for (page, bytes) in &other.pages {
            let start = page * PAGE as u64;
            let size = usize::try_from(other.len - start).unwrap_or(PAGE).min(PAGE);
            self.write_at(offset + start, &bytes[..size]);
        }
    }

    /// A part of the bytes; beyond the end come zeros.
    #[must_use]
    pub fn slice(&self, offset: u64, len: u64) -> Self {
        let mut part = Self::zeroed(len);
        let end = offset.saturating_add(len);
        for (page, bytes) in self.pages.range(split(offset).0..=split(end).0) {
            let start = page * PAGE as u64;
            let skip = usize::try_from(offset.saturating_sub(start))
                .unwrap_or(PAGE)
                .min(PAGE);
            part.write_at((start + skip as u64).saturating_sub(offset), &bytes[skip..]);
        }
        part
    }

    /// Writes a sparse file: its length set, its stored pages at their offsets, holes elsewhere.
    ///
    /// # Errors
    /// The file cannot be sized or written.
    pub fn write_to(&self, file: &File) -> io::Result<()> {
        file.set_len(self.len)?;
        let mut run: Vec<u8> = Vec::new();
        let mut run_start = 0;
        for (page, bytes) in &self.pages {
            let start = page * PAGE as u64;
            let size = usize::try_from(self.len - start).unwrap_or(PAGE).min(PAGE);
            if run_start + run.len() as u64 != start {
                file.write_all_at(&run, run_start)?;
                run.clear();
                run_start = start;
            }
            run.extend_from_slice(&bytes[..size]);
        }
        file.write_all_at(&run, run_start)
    }

    /// A reader, writer and seeker over these bytes, which keeps their length.
    pub const fn cursor(&mut self) -> SparseCursor<'_> {
        let end = self.len;
        SparseCursor {
            bytes: self,
            start: 0,
            end,
            position: 0,
        }
    }

    /// The same over a part of them, which it takes for the whole.
    pub const fn cursor_over(&mut self, start: u64, end: u64) -> SparseCursor<'_> {
        SparseCursor {
            bytes: self,
            start,
            end,
            position: 0,
        }
    }

    /// SHA-256, in hexadecimal, over the length, and each page of 4,096 bytes that is not all zero with its offset before it; numbers
    /// are of 64 bits, little-endian. Discs of 25 GB are nearly all zeros, and nobody has to read those.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(self.len.to_le_bytes());
        let written = self.pieces();
        for (offset, page) in written.filter(|(_, page)| page.iter().any(|&byte| byte != 0)) {
            digest.update(offset.to_le_bytes());
            digest.update(page);
        }
        hex(digest.finalize())
    }
}

fn split(offset: u64) -> (u64, usize) {
    let page = PAGE as u64;
    (
        offset / page,
        usize::try_from(offset % page).unwrap_or_default(),
    )
}

/// Reads, writes and seeks in a part of [`SparseBytes`].
#[derive(Debug)]
pub struct SparseCursor<'a> {
    bytes: &'a mut SparseBytes,
    start: u64,
    end: u64,
    position: u64,
}

impl SparseCursor<'_> {
    fn room(&self, wanted: usize) -> usize {
        let left = (self.end - self.start).saturating_sub(self.position);
        wanted.min(usize::try_from(left).unwrap_or(usize::MAX))
    }
}

impl Read for SparseCursor<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.room(buffer.len());
        self.bytes
            .read_at(self.start + self.position, &mut buffer[..size]);
        self.position += size as u64;
        Ok(size)
    }
}

impl Write for SparseCursor<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let size = self.room(buffer.len());
        self.bytes
            .write_at(self.start + self.position, &buffer[..size]);
        self.position += size as u64;
        Ok(size)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for SparseCursor<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(delta) => self.position.checked_add_signed(delta),
            SeekFrom::End(delta) => (self.end - self.start).checked_add_signed(delta),
        };
        self.position = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_disc_of_25_gb_stores_what_was_written() {
        let mut bytes = SparseBytes::zeroed(25_000_000_000);
        bytes.write_at(24_999_999_990, &[7; 20]);
        bytes.write_at(0, &[0; 100_000]);
        assert_eq!(bytes.stored(), 4096);
        assert_eq!(
            bytes.array_at::<12>(24_999_999_988),
            [0, 0, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]
        );
    }

    #[test]
    fn what_is_zero_is_no_page_however_it_came_so() {
        let mut bytes = SparseBytes::zeroed(10_000);
        bytes.write_at(5_000, b"x");
        let once = bytes.digest();
        bytes.write_at(9_000, b"y");
        assert_ne!(bytes.digest(), once);
        bytes.write_at(9_000, &[0]);
        assert_eq!(bytes.digest(), once);
        // By hand: printf with the length, the offset of the second page, and that page.
        let mut by_hand = Vec::new();
        by_hand.extend(10_000_u64.to_le_bytes());
        by_hand.extend(4_096_u64.to_le_bytes());
        let mut page = [0; 4_096];
        page[5_000 - 4_096] = b'x';
        by_hand.extend(page);
        assert_eq!(once, hex(Sha256::digest(by_hand)));
    }

    #[test]
    fn a_file_has_what_was_written_from_its_first_page_on() {
        let mut bytes = SparseBytes::zeroed(7 * PAGE as u64 + 10);
        for page in [0, 1, 2, 5, 7] {
            bytes.write_at(page * PAGE as u64, &[page as u8 + 1; 10]);
        }
        let mut file = tempfile::tempfile().unwrap();
        bytes.write_to(&file).unwrap();
        let mut written = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut written).unwrap();
        let mut expected = vec![0; written.len()];
        bytes.read_at(0, &mut expected);
        assert_eq!(written.len() as u64, bytes.len());
        assert!(written == expected);
    }

    #[test]
    fn the_last_piece_ends_where_the_bytes_do() {
        let mut bytes = SparseBytes::zeroed(3 * PAGE as u64 + 10);
        bytes.write_at(PAGE as u64 + 1, &[1]);
        bytes.write_at(3 * PAGE as u64, &[2]);
        let pieces: Vec<(u64, usize)> = bytes
            .pieces()
            .map(|(start, piece)| (start, piece.len()))
            .collect();
        assert_eq!(pieces, [(PAGE as u64, PAGE), (3 * PAGE as u64, 10)]);
    }

    proptest! {
        #[test]
        fn behaves_as_a_vector(len in 0_u64..20_000, writes in prop::collection::vec((0_u64..20_000, prop::collection::vec(any::<u8>(), 0..5_000)), 0..5), cut in 0_u64..20_000) {
            let mut sparse = SparseBytes::zeroed(len);
            let mut plain = vec![0; usize::try_from(len).unwrap()];
            for (offset, bytes) in writes {
                sparse.write_at(offset, &bytes);
                for (to, from) in plain.iter_mut().skip(usize::try_from(offset).unwrap()).zip(bytes) {
                    *to = from;
                }
            }
            sparse.set_len(cut);
            sparse.set_len(len);
            plain.truncate(usize::try_from(cut).unwrap());
            plain.resize(usize::try_from(len).unwrap(), 0);
            let mut read = Vec::new();
            sparse.cursor().read_to_end(&mut read).unwrap();
            prop_assert_eq!(read, plain);
        }
    }
}
