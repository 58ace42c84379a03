//! The map of a disc: which structure or file each byte of it belongs to.
//!
//! Structures stand inside each other: a loader in a file system in a boot image in a partition. A byte belongs to the
//! innermost. What ISO 9660 has in whole blocks is on the map in whole blocks, with what stands behind its end in the
//! last one.

mod extent;
mod structure;
mod survey;

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    fmt,
    ops::RangeInclusive,
};

use serde::{Deserialize, Serialize};

pub use self::extent::Extent;
pub use self::structure::{ByteOrder, GptCopy, PartitionScheme, Structure, TreeKind};
use self::survey::Survey;
use crate::{
    inspect::{Inspection, Window},
    iso9660::SYSTEM_AREA_BLOCKS,
    units::{BLOCK_BYTES, BlockCount, ByteCount},
};

/// Bytes in a row whose innermost structure is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    start: u64,
    end: u64,
    /// The index of its extent.
    extent: usize,
}

/// All that is known of what stands where on a disc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscMap {
    length: ByteCount,
    complete: bool,
    extents: Vec<Extent>,
    /// In order; what is between them is not known.
    segments: Vec<Segment>,
}

/// What some bytes of the disc belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    /// The structure; `None` where nothing is known.
    pub what: Option<Structure>,
    /// Which of its blocks, from 0: none where it has but one, or where nothing is known.
    pub blocks: Vec<RangeInclusive<BlockCount>>,
}

impl DiscMap {
    /// Walks the disc once more, and notes where everything stands that `inspection` and the disc's own structures
    /// tell of: 400,000 extents at most.
    #[must_use]
    pub fn read(disc: &mut Window<'_>, inspection: &Inspection) -> Self {
        let length = disc.length();
        let (mut extents, complete) = Survey::of(disc, inspection);
        extents.sort_by_key(|extent| (extent.offset, Reverse(extent.bytes), extent.what.layer()));
        let segments = segments(&extents);
        Self {
            length,
            complete,
            extents,
            segments,
        }
    }

    /// The disc's length.
    #[must_use]
    pub const fn length(&self) -> ByteCount {
        self.length
    }

    /// Whether everything was read: not so of damaged and endless trees.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// Everything that is known, by where it starts; what holds others comes before them.
    #[must_use]
    pub fn extents(&self) -> &[Extent] {
        &self.extents
    }

    /// The map without what somebody put on the disc ([`Structure::is_content`]), of which nothing is known then.
    #[must_use]
    pub fn without_content(&self) -> Self {
        let is_content = |index: usize| {
            let extent = self.extents.get(index);
            extent.is_none_or(|extent| extent.what.is_content())
        };
        let segments = self.segments.iter().copied();
        Self {
            segments: segments
                .filter(|segment| !is_content(segment.extent))
                .collect(),
            ..self.clone()
        }
    }

    /// The innermost structure that a byte belongs to, and the byte behind those that belong to it in a row.
    #[must_use]
    pub fn innermost(&self, offset: u64) -> Option<(&Extent, u64)> {
        let segment = self.segments.get(self.segment_after(offset))?;
        let extent = self.extents.get(segment.extent)?;
        (segment.start <= offset).then_some((extent, segment.end))
    }

    /// The next byte of which it is known what it belongs to, from one on of which it is not; the disc's end where there is none.
    #[must_use]
    pub fn next_known(&self, offset: u64) -> u64 {
        let next = self.segments.get(self.segment_after(offset));
        next.map_or(self.length.get(), |segment| segment.start)
    }

    /// The first segment that ends behind a byte.
    fn segment_after(&self, offset: u64) -> usize {
        self.segments
            .partition_point(|segment| segment.end <= offset)
    }

    /// What these bytes belong to, in the order in which they stand.
    #[must_use]
    pub fn whose(&self, offset: u64, bytes: ByteCount) -> Vec<Owned> {
        let end = offset.saturating_add(bytes.get());
        let first = self.segment_after(offset);
        let mut owners = Owners::default();
        let mut at = offset;
        for segment in self.segments.get(first..).unwrap_or_default() {
            if segment.start >= end {
                break;
            }
            let Some(extent) = self.extents.get(segment.extent) else {
                continue;
            };
            if segment.start > at {
                owners.unknown();
            }
            let (from, to) = (segment.start.max(offset), segment.end.min(end));
            owners.add(extent, from, to);
            at = to;
        }
        if at < end {
            owners.unknown();
        }
        owners.found
    }
}

/// The innermost structure of every byte. Of two on one layer, which damaged discs have, the shorter one counts.
fn segments(extents: &[Extent]) -> Vec<Segment> {
    let mut bounds: Vec<u64> = extents.iter().map(|extent| extent.offset).collect();
    bounds.extend(extents.iter().map(Extent::end));
    bounds.sort_unstable();
    bounds.dedup();
    let mut coming = extents.iter().enumerate().peekable();
    let mut open = BinaryHeap::new();
    let mut segments: Vec<Segment> = Vec::new();
    for bound in bounds.windows(2) {
        let &[start, end] = bound else { continue };
        while let Some((index, extent)) = coming.next_if(|(_, extent)| extent.offset <= start) {
            if holds_the_volume(extent) {
                continue;
            }
            open.push((
                extent.what.layer(),
                Reverse(extent.bytes),
                Reverse(index),
                extent.end(),
            ));
        }
        while open.peek().is_some_and(|innermost| innermost.3 <= start) {
            open.pop();
        }
        let Some(&(_, _, Reverse(extent), _)) = open.peek() else {
            continue;
        };
        match segments.last_mut() {
            Some(last) if last.extent == extent && last.end == start => last.end = end,
            _ => segments.push(Segment { start, end, extent }),
        }
    }
    segments
}

/// Whether it is a hybrid disc's partition of the whole disc, of which a byte's belonging to it says nothing.
fn holds_the_volume(extent: &Extent) -> bool {
    let descriptors = SYSTEM_AREA_BLOCKS.bytes().get();
    let range = extent.offset..extent.end();
    matches!(extent.what, Structure::Partition { .. }) && range.contains(&descriptors)
}

/// Structures as they are met, each once.
#[derive(Default)]
struct Owners<'m> {
    found: Vec<Owned>,
    known: HashMap<Option<&'m Structure>, usize>,
}

impl<'m> Owners<'m> {
    fn unknown(&mut self) {
        self.entry(None);
    }

    fn entry(&mut self, what: Option<&'m Structure>) -> Option<&mut Owned> {
        let index = *self.known.entry(what).or_insert_with(|| {
            self.found.push(Owned {
                what: what.cloned(),
                blocks: Vec::new(),
            });
            self.found.len() - 1
        });
        self.found.get_mut(index)
    }

    /// Notes the bytes from one offset on the disc to another, which belong to an extent.
    fn add(&mut self, extent: &'m Extent, from: u64, to: u64) {
        let block = |offset: u64| {
            let within = offset.saturating_sub(extent.offset);
            BlockCount::new(extent.before.get().saturating_add(within) / BLOCK_BYTES)
        };
        let (first, last) = (block(from), block(to.saturating_sub(1)));
        let Some(owned) = self.entry(Some(&extent.what)) else {
            return;
        };
        if extent.whole.blocks_rounded_up() <= BlockCount::new(1) {
            return;
        }
        match owned.blocks.last_mut() {
            Some(range)
                if first <= range.end().plus(BlockCount::new(1)) && first >= *range.start() =>
            {
                *range = *range.start()..=last.max(*range.end());
            }
            _ => owned.blocks.push(first..=last),
        }
    }
}

impl Owned {
    /// The structure in words, without which of its blocks.
    #[must_use]
    pub fn structure(&self) -> String {
        let unknown = || "nothing that is known".to_owned();
        self.what
            .as_ref()
            .map_or_else(unknown, Structure::to_string)
    }
}

impl fmt::Display for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.structure())?;
        for (index, range) in self.blocks.iter().enumerate() {
            let (first, last) = (range.start().get(), range.end().get());
            f.write_str(if index == 0 { ", block " } else { ", " })?;
            if first == last {
                write!(f, "{first}")?;
            } else {
                write!(f, "{first}–{last}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
