//! A disc cut down to the sectors that matter: a reproducer of kilobytes, made from a disc of gigabytes.
//!
//! The disc keeps its length and its addresses. What is not kept is zeros.

mod text;

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    fs::File,
    io,
    path::Path,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::bytes::hex;

pub use self::text::DistilledError;
use crate::{
    inspect::Source,
    map::{DiscMap, Owned},
    sparse::SparseBytes,
    units::{BLOCK_BYTES, BlockCount, ByteCount, Lba},
};

/// Blocks with something in them that are kept at most, together 64 MiB: more is no reproducer.
pub const BLOCKS_MAX: BlockCount = BlockCount::new(32_768);
/// The memory that so many take where each stands apart from the others.
const STORED_MAX: u64 = BLOCKS_MAX.bytes().get() * 2;

/// A disc of which only some blocks are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distilled {
    ranges: Vec<KeptRange>,
    /// The whole disc; zeros where nothing is kept.
    bytes: SparseBytes,
}

/// Blocks in a row that are kept and belong to the same structures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRange {
    /// The first one.
    pub lba: Lba,
    /// How many.
    pub blocks: BlockCount,
    /// What stands there, in the words of [`DiscMap`].
    pub what: Vec<String>,
}

/// How much of one structure or file is kept. A block that several have counts for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The structure or file.
    pub what: String,
    /// Its blocks that are kept.
    pub blocks: BlockCount,
    /// Bytes in them, without the zeros at a block's end.
    pub bytes: ByteCount,
}

impl Distilled {
    /// Keeps these blocks of a disc. Blocks behind its end are none; one that the end cuts is kept as far as it goes.
    ///
    /// # Errors
    /// The disc cannot be read there, or more than [`BLOCKS_MAX`] blocks would be kept.
    pub fn cut(disc: &dyn Source, keep: &BTreeSet<Lba>, map: &DiscMap) -> io::Result<Self> {
        let length = disc.length();
        let mut distilled = Self {
            ranges: Vec::new(),
            bytes: SparseBytes::zeroed(length.get()),
        };
        let mut filled = BlockCount::ZERO;
        for &lba in keep {
            let there = within(length, lba);
            if there == 0 {
                break;
            }
            let mut block = [0; BLOCK_BYTES as usize];
            let block = block.get_mut(..there).unwrap_or_default();
            if disc.read_at(lba.byte_offset(), block)? < there {
                let message = format!("the disc ends at LBA {} while it is read", lba.get());
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
            }
            if trimmed(block).is_empty() {
                // Zeros need no room.
            } else if filled < BLOCKS_MAX {
                filled = filled.plus(BlockCount::new(1));
                distilled.bytes.write_at(lba.byte_offset(), block);
            } else {
                let message = format!("more than {BLOCKS_MAX} would be kept");
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
            }
            let mut owned = map.whose(lba.byte_offset(), ByteCount::new(there as u64));
            if owned.iter().any(|owned| owned.what.is_some()) {
                // What stands beside a structure in its block says nothing.
                owned.retain(|owned| owned.what.is_some());
            }
            let what = owned.iter().map(Owned::structure);
            distilled.keep(lba, what.collect());
        }
        Ok(distilled)
    }

    /// Notes a block behind those that are noted.
    fn keep(&mut self, lba: Lba, what: Vec<String>) {
        let one = BlockCount::new(1);
        match self.ranges.last_mut() {
            Some(last) if last.end() == lba && last.what == what => {
                last.blocks = last.blocks.plus(one);
            }
            _ => self.ranges.push(KeptRange {
                lba,
                blocks: one,
                what,
            }),
        }
    }

    /// The disc's length.
    #[must_use]
    pub const fn length(&self) -> ByteCount {
        ByteCount::new(self.bytes.len())
    }

    /// What is kept, by address.
    #[must_use]
    pub fn ranges(&self) -> &[KeptRange] {
        &self.ranges
    }

    /// The disc, with zeros where nothing is kept.
    #[must_use]
    pub const fn bytes(&self) -> &SparseBytes {
        &self.bytes
    }

    /// Writes the disc as a sparse file, over what is at that path.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_iso(&self, path: &Path) -> io::Result<()> {
        self.bytes.write_to(&File::create(path)?)
    }

    /// The SHA-256 of the disc's contents: of its length in bytes, and of the address (LBA) and the bytes of each
    /// block that is not all zeros, in order. Numbers are 64 bits, little-endian; a block that the disc's end cuts is
    /// as short as it is. Two discs have the same one just when they have the same bytes, and it is not computed over
    /// the zeros in between.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.bytes.len().to_le_bytes());
        for (lba, bytes) in self.filled() {
            hasher.update(lba.get().to_le_bytes());
            hasher.update(bytes);
        }
        hex(hasher.finalize())
    }

    /// The blocks that are not all zeros.
    fn filled(&self) -> impl Iterator<Item = (Lba, &[u8])> {
        self.bytes.pieces().flat_map(|(start, piece)| {
            let blocks = piece.chunks(BLOCK_BYTES as usize).zip(0..);
            let first = Lba::of_offset(start);
            blocks
                .filter(|(block, _)| !trimmed(block).is_empty())
                .map(move |(block, number)| (first.plus(BlockCount::new(number)), block))
        })
    }

    /// How much of each structure or file is kept, in the order in which they stand: what whoever gets this sees of
    /// the disc.
    #[must_use]
    pub fn listing(&self) -> Vec<Kept> {
        let mut listing: Vec<Kept> = Vec::new();
        let mut known = HashMap::new();
        for range in &self.ranges {
            let bytes = self.bytes_in(range);
            for what in &range.what {
                let index = *known.entry(what).or_insert_with(|| {
                    listing.push(Kept {
                        what: what.clone(),
                        blocks: BlockCount::ZERO,
                        bytes: ByteCount::ZERO,
                    });
                    listing.len() - 1
                });
                if let Some(kept) = listing.get_mut(index) {
                    kept.blocks = kept.blocks.plus(range.blocks);
                    kept.bytes = ByteCount::new(kept.bytes.get().saturating_add(bytes.get()));
                }
            }
        }
        listing
    }

    fn bytes_in(&self, range: &KeptRange) -> ByteCount {
        let start = range.lba.byte_offset();
        let part = self.bytes.slice(start, range.blocks.bytes().get());
        let blocks = part
            .pieces()
            .flat_map(|(_, piece)| piece.chunks(BLOCK_BYTES as usize));
        ByteCount::new(blocks.map(|block| trimmed(block).len() as u64).sum())
    }
}

impl KeptRange {
    /// The address behind the last block.
    #[must_use]
    pub const fn end(&self) -> Lba {
        self.lba.plus(self.blocks)
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, {}", self.what, self.blocks, self.bytes)
    }
}

/// How many of a block's bytes a disc of that length has.
fn within(length: ByteCount, lba: Lba) -> usize {
    let left = length.get().saturating_sub(lba.byte_offset());
    usize::try_from(left.min(BLOCK_BYTES)).unwrap_or_default()
}

/// Bytes without the zeros at their end.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|&byte| byte != 0);
    end.and_then(|last| bytes.get(..=last)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
