//! Which cells begin first: the slow ones, so that none of them is alone at the end.

use std::collections::BTreeMap;

use harness::outcome::OutcomeKind;
use scenarios::{cell::Cell, results::Results};

/// Only so many are given a place of their own: their names stand on the way to nextest.
const SLOW_MAX: usize = 200;
/// A cell is slow that takes so many times as long as most.
const SLOW: u64 = 3;

/// The ids of the slow cells, the slowest first: as long as they took the last time, or as long as is to be feared.
pub(super) fn slow(cells: &[Cell], earlier: Option<&Results>) -> Vec<String> {
    let took: BTreeMap<&str, u64> = earlier
        .iter()
        .flat_map(|results| &results.cells)
        .map(|record| (record.id.as_str(), record.duration_ms))
        .collect();
    let mut known: Vec<u64> = took.values().copied().collect();
    known.sort_unstable();
    let usual = known.get(known.len() / 2).copied().unwrap_or(1).max(1);
    let mut slow: Vec<(u64, &str)> = cells
        .iter()
        .filter_map(|cell| {
            let id = cell.id.as_str();
            let millis = took.get(id).copied();
            let millis = millis.or_else(|| waits(cell).then_some(u64::MAX))?;
            (millis > SLOW * usual).then_some((millis, id))
        })
        .collect();
    slow.sort_by(|one, other| other.cmp(one));
    slow.truncate(SLOW_MAX);
    slow.into_iter().map(|(_, id)| id.to_owned()).collect()
}

/// Whether a cell is one that is waited for: a program of others, or a machine of which nothing more comes.
fn waits(cell: &Cell) -> bool {
    let hangs = |kind| matches!(kind, OutcomeKind::Hung | OutcomeKind::HandedOver);
    cell.text.is_some()
        || cell
            .expectation(None)
            .is_some_and(|expected| hangs(expected.outcome) || expected.or.is_some_and(hangs))
}
