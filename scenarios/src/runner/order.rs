//! Which cells begin first: the slow ones, so that none of them is alone at the end.

use std::collections::BTreeMap;

use crate::{cell::Cell, results::Results};
use harness::outcome::OutcomeKind;

/// A cell is slow that takes so many times as long as most.
const SLOW: u64 = 3;

/// Cells in the order in which they begin: the slow ones first, by how long they took the last time or as is to be feared, then the others as they are.
#[must_use]
pub fn slow_first(cells: &[Cell], earlier: Option<&Results>) -> Vec<Cell> {
    let took: BTreeMap<&str, u64> = earlier
        .iter()
        .flat_map(|results| &results.cells)
        .map(|record| (record.id.as_str(), record.duration_ms))
        .collect();
    let mut known: Vec<u64> = took.values().copied().collect();
    known.sort_unstable();
    let usual = known.get(known.len() / 2).copied().unwrap_or(1).max(1);
    let slowness = |cell: &Cell| {
        let known = took.get(cell.id.as_str()).copied();
        let millis = known.or_else(|| waits(cell).then_some(u64::MAX));
        millis.filter(|millis| *millis > SLOW * usual)
    };
    let mut cells = cells.to_vec();
    cells.sort_by_cached_key(|cell| std::cmp::Reverse(slowness(cell)));
    cells
}

/// Whether a cell is one that is waited for: a program of others, or a machine of which nothing more comes.
fn waits(cell: &Cell) -> bool {
    let hangs = |kind| matches!(kind, OutcomeKind::Hung | OutcomeKind::HandedOver);
    cell.text.is_some()
        || cell
            .expectation(None)
            .is_some_and(|expected| hangs(expected.outcome) || expected.or.is_some_and(hangs))
}
