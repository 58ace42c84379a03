//! A loader that reads the same again and again, and nothing else.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use crate::observation::DiscRead;

/// Read so often with nothing new in between, a block is one that is read again and again.
const OFTEN: usize = 10;
/// Fewer different reads are those of a program that polls a drive.
const FEWEST: usize = 3;
/// Read so often, a single one is no poll either: boot code that loads itself reads its sector a thousand times a second.
const WITHOUT_END: usize = 5_000;
/// So long nothing new must have been read.
const LONG: Duration = Duration::from_secs(10);
/// So many different reads are remembered. What reads more does not go round in a circle.
const MOST: usize = 1 << 16;

/// The reads of a guest.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    known: HashSet<u64>,
    /// How often each read came since the last new one.
    again: HashMap<u64, usize>,
    /// When the last new one came.
    since: Duration,
}

impl Rounds {
    /// Takes further reads.
    pub(super) fn read(&mut self, reads: &[DiscRead], now: Duration) {
        for read in reads {
            if self.known.len() < MOST && self.known.insert(read.offset) {
                self.again.clear();
                self.since = now;
            } else {
                *self.again.entry(read.offset).or_default() += 1;
            }
        }
    }

    /// Since when it has read the same again and again; nothing when it has not.
    pub(super) fn since(&self, now: Duration) -> Option<Duration> {
        let often = self.again.values().filter(|&&count| count >= OFTEN).count();
        let is_endless = self.again.values().any(|&count| count >= WITHOUT_END);
        let is_round = often >= FEWEST || is_endless;
        let long = now.saturating_sub(self.since) >= LONG;
        (long && is_round && self.known.len() < MOST).then_some(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(blocks: &[u64], times: usize) -> Rounds {
        let mut rounds = Rounds::default();
        let read = |offset: &u64| DiscRead {
            offset: *offset * 2048,
            bytes: 2048,
        };
        let reads: Vec<DiscRead> = blocks.iter().map(read).collect();
        for second in 0..times {
            rounds.read(&reads, Duration::from_secs(second as u64));
        }
        rounds
    }

    #[test]
    fn only_the_same_blocks_many_times_and_for_long_are_a_circle() {
        let now = Duration::from_secs(20);
        assert_eq!(rounds(&[20, 31, 32], 12).since(now), Some(Duration::ZERO));
        assert_eq!(rounds(&[20, 31, 32], 12).since(LONG / 2), None);
        assert_eq!(rounds(&[20, 31, 32], 4).since(now), None);
        assert_eq!(rounds(&[16], 100).since(now), None);
        assert_eq!(rounds(&[0], 5_001).since(now), Some(Duration::ZERO));
        let mut fresh = rounds(&[20, 31, 32], 12);
        fresh.read(
            &[DiscRead {
                offset: 0,
                bytes: 512,
            }],
            Duration::from_secs(19),
        );
        assert_eq!(fresh.since(now), None);
    }
}
