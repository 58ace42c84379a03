//! What a person wants to see of a disc: where things stand on it, and the bytes that decide how it boots.

mod excerpt;

use serde::{Deserialize, Serialize};

pub use self::excerpt::Excerpt;
pub use crate::field::Field;
use crate::{
    inspect::{Inspection, Window},
    map::{DiscMap, Extent, Structure},
    units::{BlockCount, ByteCount},
};

/// So many regions are kept. Of a disc with more, files that follow each other become one.
const MOST_REGIONS: usize = 200;

/// The name of the format, `disc/1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Schema {
    /// The first one.
    #[default]
    #[serde(rename = "disc/1")]
    Disc1,
}

/// A disc at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// The format.
    pub schema: Schema,
    /// The disc's length.
    #[serde(rename = "size_bytes")]
    pub size: ByteCount,
    /// The capacity of the medium that it is made for, where one is known.
    #[serde(rename = "capacity_blocks")]
    pub capacity: Option<BlockCount>,
    /// What stands where, by where it starts; what holds others comes before them. Between them nothing is known.
    pub regions: Vec<Region>,
    /// The bytes that decide how it boots.
    pub excerpts: Vec<Excerpt>,
}

/// Bytes in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// The first byte on the disc.
    pub offset: u64,
    /// How many there are.
    pub bytes: ByteCount,
    /// Which kind of thing it is.
    pub kind: RegionKind,
    /// What it is, in words.
    pub what: String,
}

impl Region {
    /// The byte behind the last one.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes.get())
    }
}

/// The kinds of things that stand on a disc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegionKind {
    /// The first sixteen blocks, boot code and partition tables.
    SystemArea,
    /// A partition.
    Partition,
    /// Volume descriptors, the boot record among them.
    Descriptor,
    /// Path tables and directories.
    Tree,
    /// Files.
    File,
    /// The boot catalog.
    Catalog,
    /// A boot image.
    BootImage,
    /// What follows the volume's end.
    Behind,
}

impl RegionKind {
    /// Nothing of what is inside the file system of a boot image.
    const fn of(what: &Structure) -> Option<Self> {
        Some(match what {
            Structure::SystemArea
            | Structure::BootCode
            | Structure::PartitionTable
            | Structure::GptHeader { .. }
            | Structure::GptEntries { .. } => Self::SystemArea,
            Structure::Partition { .. } => Self::Partition,
            Structure::VolumeDescriptor { .. } => Self::Descriptor,
            Structure::PathTable { .. } | Structure::Directory { .. } => Self::Tree,
            Structure::File { .. } => Self::File,
            Structure::Catalog => Self::Catalog,
            Structure::BootImage { .. } => Self::BootImage,
            Structure::BehindVolume => Self::Behind,
            Structure::Fat { .. } => return None,
        })
    }
}

impl Overview {
    /// Takes the bytes that are shown from the disc, and everything else from what was read of it.
    #[must_use]
    pub fn read(disc: &mut Window<'_>, inspection: &Inspection, map: &DiscMap) -> Self {
        Self {
            schema: Schema::default(),
            size: map.length(),
            capacity: None,
            regions: regions(map.extents()),
            excerpts: excerpt::excerpts(disc, inspection, map),
        }
    }

    /// The same, of a disc that is made for a medium.
    #[must_use]
    pub fn for_medium(self, capacity: Option<BlockCount>) -> Self {
        Self { capacity, ..self }
    }
}

fn regions(extents: &[Extent]) -> Vec<Region> {
    let known = extents.iter().filter_map(|extent| {
        Some(Region {
            offset: extent.offset,
            bytes: extent.bytes,
            kind: RegionKind::of(&extent.what)?,
            what: extent.what.to_string(),
        })
    });
    let regions: Vec<Region> = known.collect();
    if regions.len() <= MOST_REGIONS {
        return regions;
    }
    let mut joined = join(regions);
    // A tree that somebody made endless has no use for all of them either.
    joined.truncate(MOST_REGIONS);
    joined
}

/// Makes one region of files or directories that come one after the other.
fn join(regions: Vec<Region>) -> Vec<Region> {
    let mut joined: Vec<(Region, usize)> = Vec::new();
    for region in regions {
        match joined.last_mut() {
            Some((last, number))
                if last.kind == region.kind
                    && matches!(region.kind, RegionKind::File | RegionKind::Tree) =>
            {
                let end = last.end().max(region.end());
                last.bytes = ByteCount::new(end.saturating_sub(last.offset));
                *number += 1;
            }
            _ => joined.push((region, 1)),
        }
    }
    let named = joined.into_iter().map(|(region, number)| Region {
        what: match (number, region.kind) {
            (1, _) => region.what,
            (_, RegionKind::File) => format!("{number} files, {} the first", region.what),
            _ => format!("{number} directories and path tables"),
        },
        ..region
    });
    named.collect()
}

#[cfg(test)]
mod tests;
