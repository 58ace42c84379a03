//! How long the rest of a run may take: by what the same cells took before, or by what others took in this run.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use scenarios::{cell::Cell, results::Results};

/// So many cells must have ended before anything is said, and as many on each firmware whose cells are not known from before.
const ENOUGH: u32 = 3;

/// What is known of how long cells take.
pub(super) struct Estimate {
    /// Those that have not ended, by id.
    left: BTreeMap<String, Awaited>,
    /// What those took that have ended, by firmware.
    measured: BTreeMap<String, Measured>,
    /// What those took that were known, now and before.
    known: (Measured, Duration),
    at_once: u32,
}

/// A cell that has not ended.
struct Awaited {
    firmware: String,
    /// What its machine took in an earlier run.
    before: Option<Duration>,
}

#[derive(Clone, Copy, Default)]
struct Measured {
    cells: u32,
    sum: Duration,
}

impl Measured {
    fn add(&mut self, took: Duration) {
        self.cells += 1;
        self.sum += took;
    }

    fn mean(&self) -> Option<Duration> {
        (self.cells >= ENOUGH).then(|| self.sum / self.cells)
    }
}

impl Estimate {
    /// What is known before a run, in which so many cells run at once.
    pub(super) fn new(cells: &[Cell], earlier: Option<&Results>, at_once: usize) -> Self {
        let earlier = earlier.iter().flat_map(|results| &results.cells);
        // What was skipped or could not be run took no time, and will now.
        let earlier: BTreeMap<&str, Duration> = earlier
            .filter(|record| record.duration_ms > 0)
            .map(|record| (&*record.id, Duration::from_millis(record.duration_ms)))
            .collect();
        let awaited = |cell: &Cell| {
            let awaited = Awaited {
                firmware: cell.id.firmware().to_owned(),
                before: earlier.get(cell.id.as_str()).copied(),
            };
            (cell.id.to_string(), awaited)
        };
        Self {
            left: cells.iter().map(awaited).collect(),
            measured: BTreeMap::new(),
            known: Default::default(),
            at_once: u32::try_from(at_once).unwrap_or(1).max(1),
        }
    }

    /// Takes note of a cell's end.
    pub(super) fn ended(&mut self, id: &str, took: Option<Duration>) {
        let (Some(cell), Some(took)) = (self.left.remove(id), took) else {
            return;
        };
        self.measured.entry(cell.firmware).or_default().add(took);
        if let Some(before) = cell.before {
            self.known.0.add(took);
            self.known.1 += before;
        }
    }

    /// How long the rest takes, of which some cells run since a while; nothing as long as that would be a guess.
    pub(super) fn left(&self, running: &[(String, Instant)]) -> Option<Duration> {
        if self.left.is_empty() {
            return None;
        }
        let mut sum = Duration::ZERO;
        let mut longest = Duration::ZERO;
        for (id, cell) in &self.left {
            let whole = self.whole(cell)?;
            let since = running.iter().find(|(running, _)| running == id);
            let rest = whole.saturating_sub(since.map_or(Duration::ZERO, |(_, at)| at.elapsed()));
            sum += rest;
            longest = longest.max(rest);
        }
        Some(longest.max(sum / self.at_once))
    }

    /// What a cell takes from its start to its end.
    fn whole(&self, cell: &Awaited) -> Option<Duration> {
        let (now, before) = &self.known;
        match cell.before {
            // A machine's time is not all of a cell's, and this run may be slower: by as much as those that have ended.
            Some(took) if now.cells >= ENOUGH && !before.is_zero() => {
                Some(took.mul_f64(now.sum.as_secs_f64() / before.as_secs_f64()))
            }
            _ => self.measured.get(&cell.firmware)?.mean(),
        }
    }
}

/// `about 40 s left`.
pub(super) fn in_words(left: Duration) -> String {
    match left.as_secs() {
        0..10 => "a few seconds left".to_owned(),
        seconds @ 10..90 => format!("about {} s left", seconds.next_multiple_of(5)),
        seconds => format!("about {} min left", seconds.saturating_add(30) / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    fn estimate(cells: &[(&str, &str, Option<u64>)]) -> Estimate {
        let awaited = |(id, firmware, before): &(&str, &str, Option<u64>)| {
            let awaited = Awaited {
                firmware: (*firmware).to_owned(),
                before: before.map(seconds),
            };
            ((*id).to_owned(), awaited)
        };
        Estimate {
            left: cells.iter().map(awaited).collect(),
            measured: BTreeMap::new(),
            known: Default::default(),
            at_once: 2,
        }
    }

    #[test]
    fn nothing_is_said_before_it_means_something() {
        let ids = ["a", "b", "c", "d", "e", "f"];
        let mut unknown = estimate(&ids.map(|id| (id, "ovmf", None)));
        for id in ["a", "b"] {
            unknown.ended(id, Some(seconds(4)));
            assert_eq!(unknown.left(&[]), None);
        }
        unknown.ended("c", Some(seconds(4)));
        assert_eq!(
            unknown.left(&[]),
            Some(seconds(6)),
            "three of 4 s, two at once"
        );
        let mut other = estimate(&[("a", "ovmf", None), ("x", "seabios", None)]);
        other.measured.entry("ovmf".into()).or_default().cells = 9;
        other.ended("a", Some(seconds(1)));
        assert_eq!(other.left(&[]), None, "nothing is known of SeaBIOS");
    }

    #[test]
    fn what_cells_took_before_is_scaled_by_what_they_take_now() {
        let cells = [("a", 1), ("b", 1), ("c", 2), ("d", 10), ("e", 2)];
        let mut known = estimate(&cells.map(|(id, before)| (id, "ovmf", Some(before))));
        for (id, took) in [("a", 2), ("b", 2), ("c", 4)] {
            known.ended(id, Some(seconds(took)));
        }
        // 20 s and 4 s, two at once: the longer of them decides.
        assert_eq!(known.left(&[]), Some(seconds(20)));
        known.ended("d", Some(seconds(20)));
        known.ended("e", Some(seconds(4)));
        assert_eq!(known.left(&[]), None, "nothing is left");
    }

    #[test]
    fn an_estimate_is_rough_and_says_so() {
        assert_eq!(in_words(seconds(3)), "a few seconds left");
        assert_eq!(in_words(seconds(41)), "about 45 s left");
        assert_eq!(in_words(seconds(100)), "about 2 min left");
    }
}
