//! The results of several runs as one, with the proof that every cell was run and counts once.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

use crate::{
    basis::{Basis, ids_sha256},
    files::FileError,
    id::CellId,
    merged::{Contradiction, Lacking, Merged, Part},
    record::{self, CellResult, Verdict},
    results::{Host, Results, Tools},
    run::{LIST, Run, WHOLE, read_list},
    selection::Partition,
};

/// A run in its folder: a slice of the chosen cells, or all of them.
#[derive(Clone, Debug)]
pub struct Shard {
    /// Its folder.
    pub folder: PathBuf,
    /// When it began, in milliseconds since 1970.
    pub began_ms: u64,
    /// Its slice.
    pub partition: Partition,
    /// Everything that determines its results.
    pub basis: Basis,
    /// Whether it was stopped before its results were written.
    pub cut_short: bool,
    /// The ids of its cells.
    ids: Vec<CellId>,
    /// The ids of the cells of all slices, if they are known here.
    whole: Option<Vec<CellId>>,
    /// Its records, in the order of its cells.
    records: Vec<CellResult>,
    host: Host,
    accelerator: Option<String>,
    tools: Tools,
}

/// Incompatible runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// Their results depend on different things.
    #[error("{} and {} are not of one kind: {}", one.display(), other.display(), differences.join("; "))]
    Differ {
        /// One folder.
        one: PathBuf,
        /// The other, whose values are the earlier ones in the differences.
        other: PathBuf,
        /// A sentence each.
        differences: Vec<String>,
    },
    /// They have different slices.
    #[error("{} is {of_one} and {} is {of_other}: these overlap without being the same", one.display(), other.display())]
    Cut {
        /// One folder.
        one: PathBuf,
        /// Its slice.
        of_one: Partition,
        /// The other.
        other: PathBuf,
        /// Its slice.
        of_other: Partition,
    },
    /// A list of cells is not that of its slice.
    #[error("{} has other cells than its slice of what was chosen", .0.display())]
    Damaged(PathBuf),
}

impl Shard {
    /// Reads a run from a folder, complete or not.
    ///
    /// # Errors
    /// There is no run in it, or one of a version that does not record what determines its results.
    pub fn read(folder: &Path) -> Result<Self, FileError> {
        let run = Run::read(&Run::file(folder));
        let results = Results::read(folder);
        let whole = read_list(&folder.join(WHOLE)).ok();
        match (results, run) {
            // Without a run file, if only results were copied here, the results are trusted.
            (Ok(results), Ok(run)) if results.began_ms == Some(run.name()) => {
                Self::of_results(folder, results, whole)
            }
            (Ok(results), Err(_)) => Self::of_results(folder, results, whole),
            (_, Ok(run)) => Self::of_records(folder, &run, whole),
            (Err(error), Err(_)) => Err(error),
        }
    }

    fn of_results(
        folder: &Path,
        results: Results,
        whole: Option<Vec<CellId>>,
    ) -> Result<Self, FileError> {
        let file = Results::file(folder);
        let unusable = |what: String| FileError::new("merge", &file)(io::Error::other(what));
        let (Some(basis), Some(began_ms)) = (results.basis, results.began_ms) else {
            let what = "it does not say what it follows from: another version wrote it";
            return Err(unusable(what.to_owned()));
        };
        let ids = results.cells.iter().map(|cell| cell.id.parse());
        let ids: Result<Vec<CellId>, _> = ids.collect();
        Ok(Self {
            folder: folder.to_owned(),
            began_ms,
            partition: results.partition.unwrap_or(Partition::WHOLE),
            basis,
            cut_short: false,
            ids: ids.map_err(|error| unusable(error.to_string()))?,
            whole,
            records: results.cells,
            host: results.host,
            accelerator: Some(results.accelerator),
            tools: results.tools,
        })
    }

    /// A killed run has only its cells' records.
    fn of_records(folder: &Path, run: &Run, whole: Option<Vec<CellId>>) -> Result<Self, FileError> {
        let file = Run::file(folder);
        let unusable =
            |what: &str| FileError::new("merge", &file)(io::Error::other(what.to_owned()));
        let Some(basis) = run.basis.clone() else {
            return Err(unusable("it does not say what its results follow from"));
        };
        let ids = read_list(&folder.join(LIST))?;
        if ids_sha256(ids.iter().map(CellId::as_str)) != run.listed_sha256 {
            return Err(unusable("the list of cells is of another run"));
        }
        let records = ids.iter();
        let records = records.filter_map(|id| record::read_record(folder, run.name(), id).ok());
        let toolbox = run.toolbox.as_ref();
        Ok(Self {
            folder: folder.to_owned(),
            began_ms: run.name(),
            partition: run.partition.unwrap_or(Partition::WHOLE),
            basis,
            cut_short: true,
            records: records.collect(),
            ids,
            whole,
            host: Host::this(),
            accelerator: toolbox.map(|toolbox| toolbox.accelerator.accelerator.to_string()),
            tools: Tools::default(),
        })
    }
}

/// Joins compatible runs. Returns the results, and by id the index of the run that each is taken from.
///
/// If several runs have a cell, one that could not be run is ignored; of the others, which must agree, the latest counts.
///
/// # Errors
/// They are incompatible.
pub fn join(shards: &[Shard]) -> Result<(Results, BTreeMap<String, usize>), MergeError> {
    for pair in shards.windows(2) {
        if let [one, other] = pair {
            fit(one, other)?;
        }
    }
    let places = places(shards)?;
    let mut candidates: BTreeMap<&str, Vec<(usize, &CellResult)>> = BTreeMap::new();
    for (index, shard) in shards.iter().enumerate() {
        for record in &shard.records {
            candidates
                .entry(&record.id)
                .or_default()
                .push((index, record));
        }
    }
    let mut contradictions = Vec::new();
    let mut taken = BTreeMap::new();
    let mut cells = Vec::new();
    for id in places.iter().flatten() {
        let records = candidates.get(id.as_str()).map_or(&[][..], Vec::as_slice);
        match best(shards, records) {
            Some((index, record)) => {
                contradictions.extend(contradiction(shards, records));
                taken.insert(record.id.clone(), index);
                cells.push(CellResult {
                    flaky: flaky(record, records),
                    ..record.clone()
                });
            }
            None => cells.extend(record::of_id(
                id,
                Verdict::Infra,
                "none of the runs that were merged has a result of it",
            )),
        }
    }
    let of = shards.first().map_or(1, |shard| shard.partition.of);
    let lacking = lacking(shards, &places, &taken, of);
    let mut tools = Tools::default();
    let mut basis = Basis::default();
    for shard in shards {
        tools.join(&shard.tools);
        let known = basis.tools;
        basis = shard.basis.clone();
        basis.tools.extend(known);
    }
    let accelerators: BTreeSet<&str> = shards
        .iter()
        .filter_map(|shard| shard.accelerator.as_deref())
        .collect();
    let accelerator = accelerators.into_iter().collect::<Vec<_>>().join(" and ");
    let mut results = Results::new(accelerator, tools, cells);
    if let Some(first) = shards.first() {
        results.host = first.host.clone();
    }
    results.began_ms = shards.iter().map(|shard| shard.began_ms).min();
    results.basis = Some(basis);
    results.merged = Some(Merged {
        proven: lacking.is_empty() && contradictions.is_empty(),
        from: parts(shards, &taken),
        lacking,
        contradictions,
    });
    Ok((results, taken))
}

/// Checks that two runs are compatible.
fn fit(one: &Shard, other: &Shard) -> Result<(), MergeError> {
    let differences = one.basis.differences(&other.basis);
    if !differences.is_empty() {
        return Err(MergeError::Differ {
            one: one.folder.clone(),
            other: other.folder.clone(),
            differences,
        });
    }
    if one.partition.of != other.partition.of {
        return Err(MergeError::Cut {
            one: one.folder.clone(),
            of_one: one.partition,
            other: other.folder.clone(),
            of_other: other.partition,
        });
    }
    Ok(())
}

/// The ids of all chosen cells, in their order; nothing in the place of one that no run knows.
fn places(shards: &[Shard]) -> Result<Vec<Option<CellId>>, MergeError> {
    let cells = shards.first().map_or(0, |shard| shard.basis.cells);
    let mut places: Vec<Option<CellId>> = vec![None; cells];
    for shard in shards {
        let damaged = || MergeError::Damaged(shard.folder.clone());
        let Partition { slice, of } = shard.partition;
        let mut slots = places
            .iter_mut()
            .skip(slice.saturating_sub(1))
            .step_by(of.max(1));
        for id in &shard.ids {
            let slot = slots.next().ok_or_else(damaged)?;
            if slot.get_or_insert_with(|| id.clone()) != id {
                return Err(damaged());
            }
        }
        // A slice has all its cells, run or not.
        if slots.next().is_some() {
            return Err(damaged());
        }
    }
    let digest = |ids: &[CellId]| ids_sha256(ids.iter().map(CellId::as_str));
    for shard in shards {
        if let Some(whole) = &shard.whole
            && digest(whole) == shard.basis.cells_sha256
        {
            let known = places.iter().zip(whole);
            if known
                .clone()
                .any(|(place, id)| place.as_ref().is_some_and(|known| known != id))
            {
                return Err(MergeError::Damaged(shard.folder.clone()));
            }
            return Ok(whole.iter().cloned().map(Some).collect());
        }
    }
    // If these are all cells, the digest shows that they are the chosen ones.
    let all: Option<Vec<CellId>> = places.iter().cloned().collect();
    match (all, shards.first()) {
        (Some(all), Some(first)) if digest(&all) != first.basis.cells_sha256 => {
            Err(MergeError::Damaged(first.folder.clone()))
        }
        _ => Ok(places),
    }
}

/// The record of a cell that counts, among several.
fn best<'a>(
    shards: &[Shard],
    records: &[(usize, &'a CellResult)],
) -> Option<(usize, &'a CellResult)> {
    let rank = |(index, record): &(usize, &CellResult)| {
        let weight = match record.verdict {
            Verdict::Infra => 0,
            Verdict::Skipped | Verdict::AsExpected | Verdict::Observed => 1,
            // A result that contradicts a pass must not be lost.
            Verdict::Mismatch => 2,
        };
        (weight, shards[*index].began_ms)
    };
    records.iter().copied().max_by_key(rank)
}

/// Why a cell failed at first in any of its runs.
fn flaky(record: &CellResult, records: &[(usize, &CellResult)]) -> Vec<String> {
    let mut flaky = records.iter().map(|(_, record)| &record.flaky);
    let first = flaky.find(|flaky| !flaky.is_empty());
    first.unwrap_or(&record.flaky).clone()
}

/// The contradiction, if runs have different results for a cell.
fn contradiction(shards: &[Shard], records: &[(usize, &CellResult)]) -> Option<Contradiction> {
    let ran = || {
        let records = records.iter();
        records.filter(|(_, record)| record.verdict != Verdict::Infra)
    };
    let (_, first) = ran().next()?;
    if ran().all(|(_, record)| is_alike(first, record)) {
        return None;
    }
    let seen = |(index, record): &(usize, &CellResult)| {
        let outcome = record.outcome.as_ref();
        let outcome = outcome.map_or(String::new(), |outcome| format!(", {outcome}"));
        let folder = shards[*index].folder.clone();
        (folder, format!("{}{outcome}", record.verdict))
    };
    Some(Contradiction {
        id: first.id.clone(),
        seen: ran().map(seen).collect(),
    })
}

/// Whether two records agree, apart from the duration and the start of the machine.
fn is_alike(one: &CellResult, other: &CellResult) -> bool {
    let happened = |record: &CellResult| {
        let outcome = record.outcome.as_ref()?;
        let expected = record.expected.as_ref();
        // All possible outcomes count as the same.
        (!expected.is_some_and(|expected| expected.leaves_open(outcome.kind)))
            .then(|| (outcome.kind, outcome.code.clone()))
    };
    one.verdict == other.verdict
        && one.differs == other.differs
        && one.findings == other.findings
        && happened(one) == happened(other)
}

/// By slice: the cells without a result in any run.
fn lacking(
    shards: &[Shard],
    places: &[Option<CellId>],
    taken: &BTreeMap<String, usize>,
    of: usize,
) -> Vec<Lacking> {
    let lacks = |place: &&Option<CellId>| {
        let id = place.as_ref();
        !id.is_some_and(|id| taken.contains_key(id.as_str()))
    };
    let slices = (1..=of).map(|slice| Partition { slice, of });
    slices
        .filter_map(|partition| {
            let cells = partition.slots(places).filter(lacks).count();
            let own = |shard: &&Shard| shard.partition == partition;
            (cells > 0).then(|| Lacking {
                partition,
                cells,
                folder: shards.iter().find(own).map(|shard| shard.folder.clone()),
            })
        })
        .collect()
}

fn parts(shards: &[Shard], taken: &BTreeMap<String, usize>) -> Vec<Part> {
    let mut counts = vec![0; shards.len()];
    for &index in taken.values() {
        counts[index] += 1;
    }
    let mut parts: Vec<Part> = shards
        .iter()
        .zip(counts)
        .map(|(shard, taken)| Part {
            folder: shard.folder.clone(),
            partition: shard.partition,
            began_ms: shard.began_ms,
            cells: shard.ids.len(),
            taken,
            cut_short: shard.cut_short,
        })
        .collect();
    parts.sort_by_key(|part| (part.partition, part.began_ms));
    parts
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
