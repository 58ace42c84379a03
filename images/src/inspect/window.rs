//! Looking at a disc of any length through a few pages of memory.

use std::{
    fs::File,
    io::{self, Seek, SeekFrom},
    os::unix::fs::{FileExt, FileTypeExt},
    path::Path,
};

use super::error::InspectError;
use crate::{
    sparse::SparseBytes,
    units::{BLOCK_BYTES, BlockCount, ByteCount, Lba, VirtualSectorCount},
};

/// Bytes read at once.
const PAGE: u64 = 16 * 1024;
/// Pages kept: together 1 MiB.
const PAGES: usize = 64;
/// Unreadable places that are remembered.
const UNREADABLE: usize = 16;

/// Where a disc's bytes come from.
pub trait Source {
    /// How long it is.
    fn length(&self) -> ByteCount;

    /// Fills `buffer` from `offset`, as far as there are bytes, and says how far that is.
    ///
    /// # Errors
    /// The medium cannot be read there.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

/// A regular file or a block device.
#[derive(Debug)]
pub struct DiscFile {
    file: File,
    length: ByteCount,
}

impl DiscFile {
    /// Opens it for reading.
    ///
    /// # Errors
    /// There is no such file, it may not be read, it is empty, or it is something that cannot be read at offsets: a
    /// directory, a pipe, a socket, a terminal.
    pub fn open(path: &Path) -> Result<Self, InspectError> {
        let failed = |error| InspectError::Open {
            path: path.to_owned(),
            error,
        };
        // Before it is opened: opening a pipe waits for a writer.
        let kind = std::fs::metadata(path).map_err(failed)?.file_type();
        let unfit = if kind.is_dir() {
            Some("a directory")
        } else if kind.is_fifo() {
            Some("a pipe")
        } else if kind.is_socket() {
            Some("a socket")
        } else if kind.is_char_device() {
            Some("a character device")
        } else {
            None
        };
        if let Some(kind) = unfit {
            return Err(InspectError::NoDisc {
                path: path.to_owned(),
                kind,
            });
        }
        let mut file = File::open(path).map_err(failed)?;
        // A block device has a length too, but only this way.
        let length = ByteCount::new(file.seek(SeekFrom::End(0)).map_err(failed)?);
        if length == ByteCount::ZERO {
            return Err(InspectError::NoDisc {
                path: path.to_owned(),
                kind: "empty",
            });
        }
        Ok(Self { file, length })
    }
}

/// Reads until the buffer is full or the bytes end.
fn read_fully(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match FileExt::read_at(file, rest, offset.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(size) => filled += size,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl Source for DiscFile {
    fn length(&self) -> ByteCount {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        read_fully(&self.file, offset, buffer)
    }
}

/// A regular file or a block device; nothing where its length cannot be had. [`DiscFile::open`] says of anything else that it is no disc.
impl Source for File {
    fn length(&self) -> ByteCount {
        let mut file = self;
        ByteCount::new(file.seek(SeekFrom::End(0)).unwrap_or_default())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        read_fully(self, offset, buffer)
    }
}

impl Source for SparseBytes {
    fn length(&self) -> ByteCount {
        ByteCount::new(self.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len().saturating_sub(offset)).unwrap_or(usize::MAX);
        let size = buffer.len().min(left);
        self.read_at(offset, &mut buffer[..size]);
        Ok(size)
    }
}

impl Source for Vec<u8> {
    fn length(&self) -> ByteCount {
        ByteCount::new(self.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.get(start..).unwrap_or_default();
        let size = buffer.len().min(rest.len());
        buffer[..size].copy_from_slice(&rest[..size]);
        Ok(size)
    }
}

/// Reads a [`Source`] of any length at any offset, through a cache of 1 MiB.
pub struct Window<'a> {
    source: &'a dyn Source,
    length: ByteCount,
    /// The pages, the one used last at the end.
    pages: Vec<Page>,
    unreadable: Vec<u64>,
}

struct Page {
    number: u64,
    bytes: Vec<u8>,
}

impl std::fmt::Debug for Window<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Window")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl<'a> Window<'a> {
    /// A window onto a disc.
    #[must_use]
    pub fn new(source: &'a dyn Source) -> Self {
        Self {
            source,
            length: source.length(),
            pages: Vec::new(),
            unreadable: Vec::new(),
        }
    }

    /// The disc's length.
    #[must_use]
    pub const fn length(&self) -> ByteCount {
        self.length
    }

    /// The disc's length in blocks, a last one that is cut included.
    #[must_use]
    pub const fn blocks(&self) -> BlockCount {
        self.length.blocks_rounded_up()
    }

    /// The disc's length in virtual sectors, a last one that is cut included.
    #[must_use]
    pub const fn virtual_sectors(&self) -> VirtualSectorCount {
        self.length.virtual_sectors_rounded_up()
    }

    /// Offsets at which the medium could not be read: at most the first sixteen.
    #[must_use]
    pub fn unreadable(&self) -> &[u64] {
        &self.unreadable
    }

    /// Fills `buffer` from `offset` as far as the disc reaches and can be read, and says how far that is.
    pub fn read(&mut self, offset: u64, buffer: &mut [u8]) -> usize {
        let mut filled = 0;
        while filled < buffer.len() {
            let Some(at) = offset.checked_add(filled as u64) else {
                break;
            };
            let within = usize::try_from(at % PAGE).unwrap_or_default();
            let page = self.page(at / PAGE);
            let available = page.get(within..).unwrap_or_default();
            let size = available.len().min(buffer.len() - filled);
            if size == 0 {
                break;
            }
            buffer[filled..filled + size].copy_from_slice(&available[..size]);
            filled += size;
        }
        filled
    }

    /// The `N` bytes at `offset`; `None` unless all are there.
    pub fn array<const N: usize>(&mut self, offset: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        (self.read(offset, &mut bytes) == N).then_some(bytes)
    }

    /// A whole block; `None` past the end.
    pub fn block(&mut self, lba: Lba) -> Option<[u8; BLOCK_BYTES as usize]> {
        self.array(lba.byte_offset())
    }

    fn page(&mut self, number: u64) -> &[u8] {
        let known = self.pages.iter().rposition(|page| page.number == number);
        let page = match known {
            Some(at) => self.pages.remove(at),
            None => {
                if self.pages.len() >= PAGES {
                    self.pages.remove(0);
                }
                Page {
                    number,
                    bytes: self.fetch(number),
                }
            }
        };
        self.pages.push(page);
        self.pages.last().map_or(&[], |page| page.bytes.as_slice())
    }

    fn fetch(&mut self, number: u64) -> Vec<u8> {
        let Some(offset) = number
            .checked_mul(PAGE)
            .filter(|&offset| offset < self.length.get())
        else {
            return Vec::new();
        };
        let mut bytes = vec![0; usize::try_from(PAGE).unwrap_or_default()];
        let size = self.source.read_at(offset, &mut bytes).unwrap_or_else(|_| {
            // Part of it may well be readable: block by block, up to the first that is not.
            let mut filled = 0;
            for block in bytes.chunks_mut(BLOCK_BYTES as usize) {
                match self.source.read_at(offset + filled as u64, block) {
                    Ok(size) => filled += size,
                    Err(_) => break,
                }
            }
            if self.unreadable.len() < UNREADABLE {
                self.unreadable.push(offset + filled as u64);
            }
            filled
        });
        bytes.truncate(size);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A disc of 8 EiB that counts how often it is read, and whose second page cannot be.
    struct Huge(std::cell::Cell<usize>);

    impl Source for Huge {
        fn length(&self) -> ByteCount {
            ByteCount::new(u64::MAX)
        }

        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.set(self.0.get() + 1);
            if offset < 2 * PAGE && offset + buffer.len() as u64 > PAGE + 4096 {
                return Err(io::Error::other("a scratch"));
            }
            buffer.fill(7);
            Ok(buffer.len())
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let folder = File::open(folder.path()).unwrap();
        let error = read_fully(&folder, 0, &mut [0; 4]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn memory_is_bounded_and_a_scratch_is_an_end() {
        let disc = Huge(std::cell::Cell::new(0));
        let mut window = Window::new(&disc);
        for page in 2..1000 {
            assert_eq!(window.array(page * PAGE * 5), Some([7; 4]));
        }
        assert_eq!(window.pages.len(), PAGES);
        let before = disc.0.get();
        assert_eq!(window.array(999 * PAGE * 5), Some([7; 4]));
        assert_eq!(disc.0.get(), before);
        assert_eq!(window.array::<8>(u64::MAX - 3), None);
        assert!(window.block(Lba::new(u64::MAX)).is_none());
        assert_eq!(window.array(PAGE), Some([7; 4096]));
        assert_eq!(window.array::<1>(PAGE + 4096), None);
        assert_eq!(window.unreadable(), [PAGE + 4096]);
    }

    proptest! {
        #[test]
        fn shows_what_is_there(bytes in prop::collection::vec(any::<u8>(), 0..70_000), offset in 0_u64..80_000, size in 0_usize..40_000) {
            let mut window = Window::new(&bytes as &Vec<u8> as &dyn Source);
            let mut seen = vec![0; size];
            let filled = window.read(offset, &mut seen);
            let start = usize::try_from(offset).unwrap().min(bytes.len());
            let expected = &bytes[start..bytes.len().min(start + size)];
            prop_assert_eq!(&seen[..filled], expected);
        }
    }
}
