//! Reduces a disc to the sectors that matter, and proves that it still behaves identically.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use images::{
    distilled::Distilled,
    fat::FatStructure,
    inspect::Source,
    map::{DiscMap, Extent, Structure},
    units::{BlockCount, ByteCount, Lba},
};

use crate::{
    observation::{DiscRead, Observation},
    outcome::{Outcome, OutcomeKind, Stage},
};

/// How often a disc is booted again before it is reduced, if chance may have decided ([`may_be_chance`]).
pub const AGAIN: usize = 2;
/// How often missing sectors are added and the disc is tried again.
const ROUNDS: usize = 6;

/// A reduced disc that behaves identically.
#[derive(Clone, Debug)]
pub struct Distillation {
    /// The disc.
    pub distilled: Distilled,
    /// How often it was tried until it behaved identically.
    pub rounds: usize,
    /// The programs and files that are partly left.
    pub contents: Vec<String>,
    /// The directories and path tables that are partly left: names of files.
    pub names: Vec<String>,
}

/// A disc that could not be reduced.
#[derive(Debug, thiserror::Error)]
pub enum DistilError<E> {
    /// Nothing was booted.
    #[error("nothing was booted")]
    NothingBooted,
    /// The reads are not known.
    #[error("QEMU reports no reads, so the sectors that matter are not known")]
    NoReads,
    /// It behaves differently without the rest of the disc.
    #[error("after {rounds} tries it still does something else than the whole disc: {}", differences.join("; "))]
    Different {
        /// The number of tries.
        rounds: usize,
        /// The differences.
        differences: Vec<String>,
    },
    /// The disc cannot be read, or the other one cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The disc to be written.
        path: PathBuf,
        /// The host's message.
        source: io::Error,
    },
    /// It could not be booted.
    #[error("{0}")]
    Boot(E),
}

/// Reduces a disc to the sectors that were read: first without programs and files, then, if that behaves differently, with them.
/// `boot` boots the disc at `path` as the `whole` one was booted, in the same order. Sectors that are read for the first time
/// are added, until nothing differs.
///
/// # Errors
/// [`DistilError`]: the file at `path` is then not a reproducer.
pub fn distil<E>(
    disc: &dyn Source,
    map: &DiscMap,
    whole: &[Whole],
    path: &Path,
    mut boot: impl FnMut(&Distilled) -> Result<Vec<Observation>, E>,
) -> Result<Distillation, DistilError<E>> {
    if whole.is_empty() {
        return Err(DistilError::NothingBooted);
    }
    if !whole.iter().all(|whole| whole.seen.reads_known) {
        return Err(DistilError::NoReads);
    }
    let failed = |source| DistilError::Io {
        path: path.to_owned(),
        source,
    };
    let mut keep = what_explains(map);
    add(&mut keep, whole.iter().map(|whole| &whole.seen));
    let structures = Structures {
        disc,
        map: map.without_content(),
    };
    let mut rounds = 0;
    loop {
        rounds += 1;
        let distilled = if rounds == 1 {
            Distilled::cut(&structures, &structures.of(&keep), &structures.map)
        } else {
            Distilled::cut(disc, &keep, map)
        };
        let distilled = distilled.map_err(failed)?;
        distilled.write_iso(path).map_err(failed)?;
        let again = boot(&distilled).map_err(DistilError::Boot)?;
        let differences = differences(whole, &again);
        if differences.is_empty() {
            let of_map = if rounds == 1 { &structures.map } else { map };
            return Ok(Distillation {
                contents: kept(&distilled, of_map, Structure::is_content),
                names: kept(&distilled, of_map, holds_names),
                distilled,
                rounds,
            });
        }
        let grew = add(&mut keep, &again) || rounds == 1;
        if !grew || rounds == ROUNDS {
            return Err(DistilError::Different {
                rounds,
                differences,
            });
        }
    }
}

const fn holds_names(structure: &Structure) -> bool {
    matches!(
        structure,
        Structure::Directory { .. }
            | Structure::PathTable { .. }
            | Structure::Fat {
                part: FatStructure::Directory { .. },
                ..
            }
    )
}

/// The structures of some kinds that are partly left, each once.
fn kept(distilled: &Distilled, map: &DiscMap, wanted: impl Fn(&Structure) -> bool) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for range in distilled.ranges() {
        let owned = map.whose(range.lba.byte_offset(), range.blocks.bytes());
        for structure in owned.into_iter().filter_map(|owned| owned.what) {
            let name = structure.to_string();
            if wanted(&structure) && !kept.contains(&name) {
                kept.push(name);
            }
        }
    }
    kept
}

/// The descriptors and the catalog, read or not: without them, the disc's defects could no longer be found.
fn what_explains(map: &DiscMap) -> BTreeSet<Lba> {
    let explains = |extent: &&Extent| {
        matches!(
            extent.what,
            Structure::VolumeDescriptor { .. } | Structure::Catalog
        )
    };
    let extents = map.extents().iter().filter(explains);
    extents
        .flat_map(|extent| blocks(extent.offset, extent.bytes.get()))
        .collect()
}

fn blocks(offset: u64, bytes: u64) -> impl Iterator<Item = Lba> {
    let last = offset.saturating_add(bytes.saturating_sub(1));
    (Lba::of_offset(offset).get()..=Lba::of_offset(last).get()).map(Lba::new)
}

/// A disc without content: zeros in place of programs and files.
struct Structures<'a> {
    disc: &'a dyn Source,
    /// The map without programs and files.
    map: DiscMap,
}

impl Structures<'_> {
    /// The blocks among these that contain anything else.
    fn of(&self, blocks: &BTreeSet<Lba>) -> BTreeSet<Lba> {
        let holds = |lba: &&Lba| {
            let owned = self
                .map
                .whose(lba.byte_offset(), BlockCount::new(1).bytes());
            owned.iter().any(|owned| owned.what.is_some())
        };
        blocks.iter().filter(holds).copied().collect()
    }

    fn is_content(&self, offset: u64) -> bool {
        let owned = self.map.whose(offset, ByteCount::new(1));
        owned.iter().all(|owned| owned.what.is_none())
    }
}

impl Source for Structures<'_> {
    fn length(&self) -> ByteCount {
        self.disc.length()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let filled = self.disc.read_at(offset, buffer)?;
        for (at, byte) in (offset..).zip(&mut buffer[..filled]) {
            if *byte != 0 && self.is_content(at) {
                *byte = 0;
            }
        }
        Ok(filled)
    }
}

/// Keeps the blocks that were read, and returns whether any is new.
fn add<'a>(keep: &mut BTreeSet<Lba>, seen: impl IntoIterator<Item = &'a Observation>) -> bool {
    let before = keep.len();
    for observation in seen {
        keep.extend(blocks_of(&observation.reads));
    }
    keep.len() > before
}

/// How the reduced disc behaves differently from the whole one.
fn differences(whole: &[Whole], again: &[Observation]) -> Vec<String> {
    if whole.len() != again.len() {
        return vec![format!("{} boots in place of {}", again.len(), whole.len())];
    }
    let pairs = whole.iter().zip(again);
    let mut all: Vec<String> = pairs
        .flat_map(|(whole, again)| whole.differences(again))
        .collect();
    all.sort();
    all.dedup();
    all
}

/// The whole disc's behavior on one machine.
#[derive(Clone, Debug)]
pub struct Whole {
    /// What was seen.
    pub seen: Observation,
    /// Whether chance decides if the machine resets or hangs: on another boot, the same disc did the other, and nothing else differed.
    pub either: bool,
}

impl Whole {
    /// With the observations from booting the same disc again.
    #[must_use]
    pub fn new(seen: Observation, again: &[Observation]) -> Self {
        let is_other = |other: &Observation| {
            other.outcome.kind != seen.outcome.kind && went_astray_alike(&seen, other)
        };
        let either = again.iter().any(is_other);
        Self { seen, either }
    }

    fn differences(&self, again: &Observation) -> Vec<String> {
        if self.either && went_astray_alike(&self.seen, again) {
            return Vec::new();
        }
        all_differences(&self.seen, again)
    }
}

/// Whether chance may have decided the outcome: code that overwrites the firmware resets the machine or hangs it.
#[must_use]
pub fn may_be_chance(outcome: &Outcome) -> bool {
    let astray = matches!(outcome.kind, OutcomeKind::Reset | OutcomeKind::Hung);
    astray && outcome.stage >= Stage::ImageLoaded
}

/// Whether two boots each ended in a reset or a hang, and nothing else differs.
fn went_astray_alike(one: &Observation, other: &Observation) -> bool {
    let mut of_one_kind = other.clone();
    of_one_kind.outcome.kind = one.outcome.kind;
    may_be_chance(&one.outcome)
        && may_be_chance(&other.outcome)
        && all_differences(one, &of_one_kind).is_empty()
}

fn all_differences(one: &Observation, other: &Observation) -> Vec<String> {
    let mut all = one.differences(other);
    for (lba, whose) in [
        (read_alone(one, other), "whole"),
        (read_alone(other, one), "cut"),
    ] {
        let alone = |lba: Lba| {
            format!(
                "reads after entry: LBA {} of the {whose} disc alone",
                lba.get()
            )
        };
        all.extend(lba.map(alone));
    }
    all
}

/// A block that one boot image read, and that was not read at all on the other boot. With UEFI firmware it is uncertain where a boot image's reads
/// begin ([`Observation::reads_before_entry`]), so the other boot's firmware may have read it.
fn read_alone(one: &Observation, other: &Observation) -> Option<Lba> {
    let before = one.reads_before_entry?;
    let after = one.reads.get(before..).unwrap_or_default();
    let read_there = blocks_of(&other.reads).collect::<BTreeSet<Lba>>();
    let mut read = blocks_of(after);
    read.find(|lba| !read_there.contains(lba))
}

fn blocks_of(reads: &[DiscRead]) -> impl Iterator<Item = Lba> {
    reads
        .iter()
        .flat_map(|read| blocks(read.offset, read.bytes))
}
