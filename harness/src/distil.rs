//! Cutting a disc down to the sectors that matter, and proving that it still does the same.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use images::{
    distilled::Distilled,
    inspect::Source,
    map::{DiscMap, Extent, Structure},
    units::{BlockCount, ByteCount, Lba},
};

use crate::{observation::Observation, outcome::OutcomeKind};

/// So often what is missing is added and the disc is tried again.
const ROUNDS: usize = 6;

/// A disc that was cut down and does the same.
#[derive(Clone, Debug)]
pub struct Distillation {
    /// The disc.
    pub distilled: Distilled,
    /// How often it was tried until it did the same.
    pub rounds: usize,
}

/// A disc that could not be cut down.
#[derive(Debug, thiserror::Error)]
pub enum DistilError<E> {
    /// Nothing was booted.
    #[error("nothing was booted")]
    NothingBooted,
    /// What is read is not known.
    #[error("QEMU tells of no reads, so that what matters is not known")]
    NoReads,
    /// It does something else without the rest of the disc.
    #[error("after {rounds} tries it still does something else than the whole disc: {}", differences.join("; "))]
    Different {
        /// So many tries.
        rounds: usize,
        /// In what it differs.
        differences: Vec<String>,
    },
    /// The disc cannot be read, or the other one cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The disc to be written.
        path: PathBuf,
        /// The host's words.
        source: io::Error,
    },
    /// It could not be booted.
    #[error("{0}")]
    Boot(E),
}

/// Cuts a disc down to what was read of it: first without anything that somebody put on it, then, if that does something else, with it.
/// `boot` boots the disc at `path` as the whole one was booted for `seen`, in the same order. What is read then that was not read before
/// is kept too, until nothing differs.
///
/// # Errors
/// [`DistilError`]: then what is left at `path` is no reproducer.
pub fn distil<E>(
    disc: &dyn Source,
    map: &DiscMap,
    seen: &[Observation],
    path: &Path,
    mut boot: impl FnMut(&Distilled) -> Result<Vec<Observation>, E>,
) -> Result<Distillation, DistilError<E>> {
    if seen.is_empty() {
        return Err(DistilError::NothingBooted);
    }
    if !seen.iter().all(|observation| observation.reads_known) {
        return Err(DistilError::NoReads);
    }
    let failed = |source| DistilError::Io {
        path: path.to_owned(),
        source,
    };
    let mut keep = what_explains(map);
    add(&mut keep, seen);
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
        let differences = differences(seen, &again);
        if differences.is_empty() {
            return Ok(Distillation { distilled, rounds });
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

/// The descriptors and the catalog, read or not: without them nobody could say any more what is wrong with the disc.
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

/// A disc as if nothing had been put on it: zeros in place of programs and files.
struct Structures<'a> {
    disc: &'a dyn Source,
    /// Without what somebody put there.
    map: DiscMap,
}

impl Structures<'_> {
    /// The blocks of these in which there is anything else.
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

/// Keeps the blocks that were read, and says whether any is new.
fn add(keep: &mut BTreeSet<Lba>, seen: &[Observation]) -> bool {
    let before = keep.len();
    for read in seen.iter().flat_map(|observation| &observation.reads) {
        keep.extend(blocks(read.offset, read.bytes));
    }
    keep.len() > before
}

fn differences(seen: &[Observation], again: &[Observation]) -> Vec<String> {
    if seen.len() != again.len() {
        return vec![format!("{} boots in place of {}", again.len(), seen.len())];
    }
    let pairs = seen.iter().zip(again);
    let mut all: Vec<String> = pairs
        .filter(|(one, other)| !went_astray_alike(one, other))
        .flat_map(|(one, other)| one.differences(other))
        .collect();
    all.sort();
    all.dedup();
    all
}

/// Code that overwrote the firmware resets the machine or hangs it, and which of the two chance decides.
fn went_astray_alike(one: &Observation, other: &Observation) -> bool {
    let astray = |observation: &Observation| {
        matches!(
            observation.outcome.kind,
            OutcomeKind::Reset | OutcomeKind::Hung
        )
    };
    astray(one)
        && astray(other)
        && one.outcome.kind != other.outcome.kind
        && one.outcome.stage == other.outcome.stage
}
