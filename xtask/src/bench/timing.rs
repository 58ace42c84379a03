//! Times, and how they are said.

use std::time::{Duration, Instant};

use super::bed::Bed;

/// What many runs of one thing took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    pub(super) median: Duration,
    pub(super) least: Duration,
    pub(super) most: Duration,
    pub(super) runs: usize,
}

/// Something to be timed.
pub(super) type Action<'a> = &'a dyn Fn() -> anyhow::Result<()>;

/// How long something took.
pub(super) fn time(action: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let start = Instant::now();
    action()?;
    Ok(start.elapsed())
}

/// Times several things in turn, so that a drift of the machine hits them all, after one run of each that does
/// not count.
pub(super) fn in_turn(bed: &Bed, runs: u32, actions: &[Action<'_>]) -> anyhow::Result<Vec<Spread>> {
    let mut times = vec![Vec::new(); actions.len()];
    for run in 0..=runs {
        for (action, times) in actions.iter().zip(&mut times) {
            bed.unless_interrupted()?;
            let took = time(action)?;
            if run > 0 {
                times.push(took);
            }
        }
    }
    Ok(times.into_iter().map(Spread::of).collect())
}

/// As [`in_turn`], of two things.
pub(super) fn alternate(
    bed: &Bed,
    runs: u32,
    one: Action<'_>,
    other: Action<'_>,
) -> anyhow::Result<(Spread, Spread)> {
    let spreads = in_turn(bed, runs, &[one, other])?;
    Ok((spreads[0], spreads[1]))
}

impl Spread {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |index: usize| times.get(index).copied().unwrap_or_default();
        let last = times.len().saturating_sub(1);
        Self {
            median: (at(last / 2) + at(last.div_ceil(2))) / 2,
            least: at(0),
            most: at(last),
            runs: times.len(),
        }
    }
}

/// `one / other`.
pub(super) fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// In milliseconds.
pub(super) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// For people.
pub(super) fn show(time: Duration) -> String {
    // What is rounded up to a second is a second.
    if time < Duration::from_micros(999_500) {
        format!("{} ms", number(ms(time)))
    } else {
        format!("{} s", number(time.as_secs_f64()))
    }
}

/// A figure with about three digits, as many as a measurement deserves.
pub(super) fn number(value: f64) -> String {
    let digits = match value.abs() {
        large if large >= 99.95 => 0,
        middle if middle >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_between_the_least_and_the_most() {
        let of = |times: &[u64]| {
            let spread = Spread::of(times.iter().copied().map(Duration::from_millis).collect());
            [spread.least, spread.median, spread.most].map(ms)
        };
        assert_eq!(of(&[5, 1, 9]), [1.0, 5.0, 9.0]);
        assert_eq!(of(&[5, 1, 9, 7]), [1.0, 6.0, 9.0]);
        assert_eq!(of(&[5]), [5.0, 5.0, 5.0]);
        assert_eq!(of(&[]), [0.0, 0.0, 0.0]);
    }

    #[test]
    fn times_have_three_digits() {
        let shown = |micros| show(Duration::from_micros(micros));
        assert_eq!(shown(9_714), "9.71 ms");
        assert_eq!(shown(33_333), "33.3 ms");
        assert_eq!(shown(99_960), "100 ms");
        assert_eq!(shown(999_600), "1.00 s");
        assert_eq!(shown(397_800_000), "398 s");
    }
}
