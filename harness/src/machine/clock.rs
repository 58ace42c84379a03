//! The time that a machine had. A busy host gives it less than a clock on the wall shows, and a slow one gets less done in it:
//! neither says anything about the disc, so deadlines and silences are measured by this clock.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::accelerator::Pace;

/// Between two looks at how long QEMU's threads waited. In between they are taken to run.
const RESOLUTION: Duration = Duration::from_millis(10);

/// A machine's clock, which begins when QEMU is started. It never goes back, and never faster than the clock on the wall.
#[derive(Debug)]
pub(super) struct Clock {
    started: Instant,
    /// The folder in which the kernel tells of QEMU's threads.
    threads: PathBuf,
    pace: Pace,
    looked: Option<Instant>,
    /// The longest that a thread has waited for a processor.
    waited: Duration,
    latest: Duration,
}

impl Clock {
    pub(super) fn of(pid: u32, started: Instant, pace: Pace) -> Self {
        Self {
            started,
            threads: format!("/proc/{pid}/task").into(),
            pace,
            looked: None,
            waited: Duration::ZERO,
            latest: Duration::ZERO,
        }
    }

    pub(super) const fn started(&self) -> Instant {
        self.started
    }

    /// The time that the machine had since its start.
    pub(super) fn now(&mut self) -> Duration {
        let now = Instant::now();
        if self.looked.is_none_or(|looked| now - looked >= RESOLUTION) {
            self.looked = Some(now);
            self.waited = self.waited.max(self.longest_wait());
        }
        let had = (now - self.started).saturating_sub(self.waited);
        self.latest = self.latest.max(self.pace.shorten(had));
        self.latest
    }

    /// The earliest time on the wall at which this clock can show a time.
    pub(super) fn wall(&mut self, time: Duration) -> Instant {
        let left = time.saturating_sub(self.now());
        Instant::now() + self.pace.stretch(left)
    }

    /// The wait of the thread that waited longest: nothing that the machine does as a whole waited longer for want of a processor. A kernel that
    /// does not count waits says nothing.
    fn longest_wait(&self) -> Duration {
        let Ok(threads) = fs::read_dir(&self.threads) else {
            return Duration::ZERO;
        };
        let wait = |thread: fs::DirEntry| {
            let told = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            waited(&told)
        };
        threads.flatten().filter_map(wait).max().unwrap_or_default()
    }
}

/// How long a thread was ready and had no processor, by its `schedstat` (`Documentation/scheduler/sched-stats.rst`): time
/// on a processor, time waiting for one, both in nanoseconds, and how often it had one.
fn waited(schedstat: &str) -> Option<Duration> {
    let nanoseconds = schedstat.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_understood() {
        let wait = waited("1069059563 1005293 128\n");
        assert_eq!(wait, Some(Duration::from_nanos(1_005_293)));
        assert_eq!(waited("0\n"), None);
        assert_eq!(waited("1 -2 3"), None);
        let here = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        assert!(waited(&here).is_some(), "{here:?}");
    }

    #[test]
    fn what_was_waited_does_not_count_nor_what_a_slow_host_takes_longer() {
        let folder = tempfile::tempdir().unwrap();
        let thread = folder.path().join("7");
        fs::create_dir(&thread).unwrap();
        let tell = |seconds: u64| {
            fs::write(
                thread.join("schedstat"),
                format!("5 {seconds}000000000 5\n"),
            )
            .unwrap();
        };
        let clock = |pace| Clock {
            threads: folder.path().to_owned(),
            ..Clock::of(1, Instant::now() - Duration::from_secs(100), pace)
        };
        let near = |time: Duration, seconds: u64| {
            let expected = Duration::from_secs(seconds);
            assert!(
                time >= expected && time < expected + Duration::from_secs(5),
                "{time:?}"
            );
        };
        tell(60);
        near(clock(Pace::NORMAL).now(), 40);
        let slow = Pace::of_start(Pace::NORMAL_START * 4);
        near(clock(slow).now(), 10);
        // In ten of its own seconds at the earliest.
        let in_ten = clock(slow).wall(Duration::from_secs(20)) - Instant::now();
        assert!(
            in_ten > Duration::from_secs(35) && in_ten <= Duration::from_secs(40),
            "{in_ten:?}"
        );
        // Threads end, and their waits with them; the clock does not go back.
        let mut clock = clock(Pace::NORMAL);
        let before = clock.now();
        tell(99);
        clock.looked = None;
        assert!(clock.now() >= before);
    }
}
