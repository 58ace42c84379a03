//! The disc as a picture: what stands where, the quarter of the medium, and what was read, in order.
//!
//! A disc may have a catalog of one block and an image of a hundred thousand. What lies between two boundaries is drawn as wide as the logarithm of
//! its length, so that both can be seen; the blocks' numbers are written beneath.

use std::collections::BTreeSet;

use images::{
    overview::{Overview, Region, RegionKind},
    units::BLOCK_BYTES,
};
use scenarios::report::Read;
use serde::Serialize;

/// The width of the picture.
const WIDTH: f64 = 1000.0;
/// No bar is narrower.
const NARROWEST: f64 = 2.0;
/// Where the reads begin, beneath the regions and their numbers.
const READS_TOP: f64 = 84.0;
/// Two numbers stand so far apart at least.
const NUMBER: f64 = 52.0;
/// About as wide is a character.
const CHARACTER: f64 = 6.6;

/// The picture.
#[derive(Debug, Serialize)]
pub(super) struct Map {
    width: f64,
    height: f64,
    reads_top: f64,
    regions: Vec<Band>,
    lines: Vec<Mark>,
    numbers: Vec<Mark>,
    reads: Vec<Bar>,
    /// The height of a read.
    row: f64,
}

#[derive(Debug, Serialize)]
struct Band {
    x: f64,
    width: f64,
    kind: RegionKind,
    /// What fits into it.
    label: String,
    first: u64,
    last: u64,
    what: String,
}

/// A place, and what is written there.
#[derive(Debug, Serialize)]
struct Mark {
    x: f64,
    text: String,
    /// Whether the text stands before the place.
    before: bool,
}

#[derive(Debug, Serialize)]
struct Bar {
    x: f64,
    y: f64,
    width: f64,
    number: usize,
    after_entry: bool,
    title: String,
}

impl Map {
    pub(super) fn new(disc: &Overview, reads: &[Read]) -> Self {
        let scale = Scale::new(disc, reads);
        let row = if reads.len() <= 40 { 11.0 } else { 5.0 };
        let rows: u32 = reads.len().try_into().unwrap_or(u32::MAX);
        let mut numbers: Vec<Mark> = Vec::new();
        for block in disc
            .regions
            .iter()
            .map(|region| region.offset / BLOCK_BYTES)
        {
            number(&mut numbers, scale.x(block), block);
        }
        let quarter = disc.capacity.map(|capacity| capacity.get() / 4);
        let lines = [
            quarter.map(|block| (block, format!("a quarter of the medium: {block}"))),
            disc.capacity.map(|capacity| {
                (
                    capacity.get(),
                    format!("the medium's end: {}", capacity.get()),
                )
            }),
            Some((
                blocks(disc.size.get()),
                format!("the disc's end: {}", blocks(disc.size.get())),
            )),
        ];
        let line = |(block, text): (u64, String)| {
            let x = scale.x(block);
            Mark {
                x,
                text,
                before: x > WIDTH / 2.0,
            }
        };
        Self {
            width: WIDTH,
            height: READS_TOP + row * f64::from(rows) + 6.0,
            reads_top: READS_TOP,
            regions: bands(disc, &scale),
            lines: lines.into_iter().flatten().map(line).collect(),
            numbers,
            reads: (0_u32..)
                .zip(reads)
                .map(|(index, read)| bar(read, READS_TOP + row * f64::from(index), &scale))
                .collect(),
            row,
        }
    }
}

fn bands(disc: &Overview, scale: &Scale) -> Vec<Band> {
    let band = |region: &Region| {
        let (first, end) = (region.offset / BLOCK_BYTES, blocks(region.end()));
        let (x, width) = scale.bar(first, end);
        let room = width / CHARACTER;
        let fits = |text: &str| f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX)) < room;
        let short = match region.kind {
            // It holds others.
            RegionKind::Partition => "",
            kind => short(kind),
        };
        Band {
            x,
            width,
            kind: region.kind,
            label: [short, short.get(..1).unwrap_or_default()]
                .into_iter()
                .find(|text| fits(text))
                .unwrap_or_default()
                .to_owned(),
            first,
            last: end.saturating_sub(1),
            what: region.what.clone(),
        }
    };
    let mut drawn: Vec<&Region> = Vec::new();
    for region in &disc.regions {
        // The parts of the system area are smaller than a block.
        let inside = |holder: &&Region| holder.kind == region.kind && region.end() <= holder.end();
        if !drawn.last().is_some_and(inside) {
            drawn.push(region);
        }
    }
    let mut bands: Vec<Band> = drawn.into_iter().map(band).collect();
    for index in 0..bands.len() {
        let (before, after) = bands.split_at_mut(index + 1);
        let Some(band) = before.last_mut() else {
            continue;
        };
        let covers = |other: &Band| other.x < band.x + band.width && band.x < other.x + other.width;
        // What is drawn over it would hide its name.
        if after.iter().any(covers) {
            band.label.clear();
        }
    }
    bands
}

const fn short(kind: RegionKind) -> &'static str {
    match kind {
        RegionKind::SystemArea => "system",
        RegionKind::Partition => "partition",
        RegionKind::Descriptor => "descriptor",
        RegionKind::Tree => "tree",
        RegionKind::File => "files",
        RegionKind::Catalog => "catalog",
        RegionKind::BootImage => "boot image",
        RegionKind::Behind => "behind",
    }
}

/// Writes a number where there is room for one.
fn number(numbers: &mut Vec<Mark>, x: f64, block: u64) {
    if numbers.iter().all(|other| (other.x - x).abs() >= NUMBER) {
        numbers.push(Mark {
            x,
            text: block.to_string(),
            before: x > WIDTH - NUMBER,
        });
    }
}

fn bar(read: &Read, y: f64, scale: &Scale) -> Bar {
    let first = read.lba.get();
    let end = first.saturating_add(read.blocks.get());
    let (x, width) = scale.bar(first, end);
    Bar {
        x,
        y,
        width,
        number: read.number,
        after_entry: read.after_entry,
        title: format!(
            "{}: LBA {first}, {} blocks: {}",
            read.number,
            read.blocks.get(),
            read.what
        ),
    }
}

const fn blocks(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK_BYTES)
}

/// From blocks to places.
struct Scale {
    /// The block of a boundary, and its place.
    boundaries: Vec<(u64, f64)>,
}

impl Scale {
    fn new(disc: &Overview, reads: &[Read]) -> Self {
        let mut blocks_of_interest: BTreeSet<u64> = [0, blocks(disc.size.get())].into();
        for region in &disc.regions {
            blocks_of_interest.extend([region.offset / BLOCK_BYTES, blocks(region.end())]);
        }
        if let Some(capacity) = disc.capacity {
            blocks_of_interest.extend([capacity.get() / 4, capacity.get()]);
        }
        let ends = reads
            .iter()
            .map(|read| read.lba.get().saturating_add(read.blocks.get()));
        blocks_of_interest.extend(ends.max());
        let mut boundaries: Vec<(u64, f64)> = Vec::new();
        let mut x = 0.0;
        for block in blocks_of_interest {
            if let Some(&(before, _)) = boundaries.last() {
                // Precise enough for a picture.
                x += 1.0 + ((block - before) as f64).ln_1p();
            }
            boundaries.push((block, x));
        }
        let whole = if x > 0.0 { x } else { 1.0 };
        for (_, place) in &mut boundaries {
            *place *= WIDTH / whole;
        }
        Self { boundaries }
    }

    fn x(&self, block: u64) -> f64 {
        let after = self
            .boundaries
            .partition_point(|&(boundary, _)| boundary <= block);
        let before = after.checked_sub(1).and_then(|at| self.boundaries.get(at));
        match (before, self.boundaries.get(after)) {
            (Some(&(from, left)), Some(&(to, right))) => {
                left + (right - left) * ((block - from) as f64 / (to - from) as f64)
            }
            (Some(&(_, last)), None) => last,
            (None, _) => 0.0,
        }
    }

    /// Where a bar begins, and how wide it is.
    fn bar(&self, first: u64, end: u64) -> (f64, f64) {
        let (x, right) = (self.x(first), self.x(end));
        let x = x.min(WIDTH - NARROWEST);
        (x, (right - x).max(NARROWEST))
    }
}

#[cfg(test)]
mod tests {
    use images::overview::Schema;
    use images::units::{BlockCount, ByteCount, Lba};

    use super::*;

    fn disc() -> Overview {
        let region = |first: u64, count: u64, kind| Region {
            offset: first * BLOCK_BYTES,
            bytes: ByteCount::new(count * BLOCK_BYTES),
            kind,
            what: "something with a very long name that never fits".into(),
        };
        Overview {
            schema: Schema::default(),
            size: ByteCount::new(100_000 * BLOCK_BYTES),
            capacity: Some(BlockCount::new(360_000)),
            regions: vec![
                region(16, 1, RegionKind::Descriptor),
                region(17, 1, RegionKind::Descriptor),
                region(33, 1, RegionKind::Catalog),
                region(34, 99_966, RegionKind::BootImage),
            ],
            excerpts: Vec::new(),
        }
    }

    #[test]
    fn what_is_small_is_seen_and_the_order_stays() {
        let read = |number, lba, blocks| Read {
            number,
            lba: Lba::new(lba),
            blocks: BlockCount::new(blocks),
            what: String::new(),
            after_entry: false,
        };
        let reads = [read(1, 17, 1), read(2, 33, 1), read(3, 400_000, 1)];
        let map = Map::new(&disc(), &reads);
        assert!(map.regions.iter().all(|band| band.width >= 5.0));
        assert!(
            map.regions
                .is_sorted_by(|one, next| one.x + one.width <= next.x + 0.001)
        );
        let inside = |x: f64, width: f64| (0.0..=WIDTH + 0.001).contains(&(x + width));
        assert!(map.reads.iter().all(|bar| inside(bar.x, bar.width)));
        // A read stands under what was read.
        assert!((map.reads[1].x - map.regions[2].x).abs() < 0.001);
        assert!(map.reads.is_sorted_by(|one, next| one.y < next.y));
        let places: Vec<f64> = map.lines.iter().map(|line| line.x).collect();
        assert!(places[0] < places[2] && places[2] < places[1], "{places:?}");
        assert_eq!(map.lines[0].text, "a quarter of the medium: 90000");
    }

    #[test]
    fn an_empty_disc_is_drawn() {
        let empty = Overview {
            size: ByteCount::new(0),
            capacity: None,
            regions: Vec::new(),
            ..disc()
        };
        assert!(Map::new(&empty, &[]).height.is_finite());
    }
}
