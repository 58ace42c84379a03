//! Discs that are nearly right: one of a few, with some bytes of its structures replaced by the input's.

use std::{cell::Cell, io};

use images::{
    inspect::{Options, Source, Window, inspect},
    map::{DiscMap, Structure},
    sparse::SparseBytes,
    units::{ByteCount, Lba},
};

/// Pages that a reader may fetch of such a disc, which has a few hundred: more is a walk without a bound.
const FETCHES_MAX: usize = 60_000;

/// A disc that is right, and the blocks that decide what is read of it.
#[derive(Debug)]
pub(super) struct Base {
    bytes: Vec<u8>,
    blocks: Vec<Lba>,
}

impl Base {
    /// A disc of the reference master by its words, and the blocks of those of its structures that are meant.
    pub(super) fn mastered(boot: &str, size: Option<&str>, meant: fn(&Structure) -> bool) -> Self {
        let words = (boot.parse(), size.map(str::parse).transpose());
        let (Ok(boot), Ok(size)) = words else {
            panic!("{boot} {size:?} are no words of a disc");
        };
        let disc = images::reference::master("fuzzing/-/-/-/reference", None, &boot, size);
        let bytes = disc.unwrap_or_else(|error| panic!("{boot}: {error}")).bytes;
        let mut window = Window::new(&bytes);
        let inspection = inspect(&mut window, &Options::default());
        let inspection = inspection.unwrap_or_else(|error| panic!("{boot}: {error}"));
        let map = DiscMap::read(&mut window, &inspection);
        let mut blocks = Vec::new();
        for extent in map.extents().iter().filter(|extent| meant(&extent.what)) {
            let first = Lba::of_offset(extent.offset);
            let many = extent.bytes.blocks_rounded_up().get().min(BLOCKS_OF_ONE);
            blocks.extend((first.get()..first.get() + many).map(Lba::new));
        }
        blocks.sort_unstable();
        blocks.dedup();
        Self::new(&bytes, blocks)
    }

    /// With more blocks that decide.
    pub(super) fn and(mut self, more: impl IntoIterator<Item = Lba>) -> Self {
        self.blocks.extend(more);
        self
    }

    /// Bytes of which these blocks decide.
    pub(super) fn new(bytes: &SparseBytes, blocks: Vec<Lba>) -> Self {
        let length = usize::try_from(bytes.len()).unwrap_or_default();
        let mut dense = vec![0; length];
        bytes.read_at(0, &mut dense);
        Self {
            bytes: dense,
            blocks,
        }
    }
}

/// Blocks of one structure that are patched: its beginning decides.
const BLOCKS_OF_ONE: u64 = 3;

/// A disc with what an input puts in its place.
#[derive(Debug)]
pub(super) struct Patched<'a> {
    base: &'a Base,
    length: u64,
    patches: Vec<(u64, &'a [u8])>,
    fetches: Cell<usize>,
}

impl<'a> Patched<'a> {
    /// An input is: which disc; how much of it, 0 for all and else to so many blocks behind the sixteenth; and
    /// patches: the number of a block among those that decide, where in it (16 bits, little-endian), how many bytes, and these.
    pub(super) fn new(bases: &'a [Base], input: &'a [u8]) -> Option<Self> {
        let (&[base, blocks], mut rest) = input.split_first_chunk::<2>()?;
        let base = bases.get(usize::from(base) % bases.len().max(1))?;
        let whole = base.bytes.len() as u64;
        let length = match blocks {
            0 => whole,
            blocks => whole.min(Lba::new(16 + u64::from(blocks)).byte_offset()),
        };
        let mut patches = Vec::new();
        while let Some((&[block, low, high, count], after)) = rest.split_first_chunk::<4>() {
            let block = base
                .blocks
                .get(usize::from(block) % base.blocks.len().max(1))?;
            let within = u64::from(u16::from_le_bytes([low, high]) % 2048);
            let (bytes, after) = after.split_at(usize::from(count).min(after.len()));
            patches.push((block.byte_offset() + within, bytes));
            rest = after;
        }
        Some(Self {
            base,
            length,
            patches,
            fetches: Cell::new(0),
        })
    }

    /// # Panics
    /// Where more was read than a walk with a bound reads.
    pub(super) fn assert_bounded(&self) {
        let fetches = self.fetches.get();
        assert!(fetches <= FETCHES_MAX, "{fetches} pages were read");
    }
}

impl Source for Patched<'_> {
    fn length(&self) -> ByteCount {
        ByteCount::new(self.length)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.fetches.set(self.fetches.get() + 1);
        let size = self.length.saturating_sub(offset).min(buffer.len() as u64);
        let (start, size) = (usize::try_from(offset), usize::try_from(size));
        let (Ok(start), Ok(size)) = (start, size) else {
            return Ok(0);
        };
        let from = self.base.bytes.get(start..start + size).unwrap_or_default();
        let buffer = &mut buffer[..from.len()];
        buffer.copy_from_slice(from);
        for &(at, bytes) in &self.patches {
            // Where the patch and what is read overlap.
            let first = at.max(offset);
            let end = (at + bytes.len() as u64).min(offset + from.len() as u64);
            for position in first..end {
                let (to, from) = ((position - offset) as usize, (position - at) as usize);
                buffer[to] = bytes[from];
            }
        }
        Ok(from.len())
    }
}
