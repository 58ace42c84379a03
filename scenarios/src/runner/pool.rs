//! Runs cells, each in a child process, so that a crash, a limit or a signal is that cell's alone.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::process::{CommandExt, ExitStatusExt},
    },
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open},
};

use crate::{
    cell::Cell,
    files,
    record::{self, CellResult, Verdict},
    run::Run,
};

/// What one machine may need at most, in MiB, where its scenario does not say how much memory it has.
const MACHINE_MIB: u64 = 512;
/// What one takes beyond the memory that its scenario says.
const BEYOND_MIB: u64 = 256;
/// A cell has deadlines of its own, which a busy host stretches up to fifteen times: 40 s from a checkpoint, and again from power-on.
const LONGEST: Duration = Duration::from_secs(22 * 60);
/// So long a child is waited for that was told to end.
const GRACE: Duration = Duration::from_secs(10);
/// So much of what a child said before it died stands in a message, in bytes.
const LAST_WORDS: i64 = 2000;

/// Runs the cells of a run.
#[derive(Clone, Copy, Debug)]
pub struct Pool<'a> {
    /// The run.
    pub run: &'a Run,
    /// The program that runs one cell, with the words before the run file and the cell's id. It leaves the cell's record, as
    /// [`super::trial::run`] does.
    pub program: (&'a Path, &'a [&'a str]),
    /// How many cells run at once.
    pub at_once: usize,
    /// What becomes readable when the run must stop.
    pub stop: BorrowedFd<'a>,
}

/// What happens to a cell.
#[derive(Debug)]
pub enum Event {
    /// It begins.
    Began,
    /// It has left its record.
    Ended(Box<CellResult>),
}

/// How a child ended.
enum Ended {
    /// By itself.
    Itself(ExitStatus),
    /// It took too long, and was killed.
    TooLong,
    /// The run was stopped, and the child with it.
    Stopped,
}

impl Pool<'_> {
    /// Runs cells in their order. What a child does not record that died is recorded as what could not be run. Returns once the last
    /// one has ended, or all of them because the run must stop; then those that had not ended leave no record.
    ///
    /// # Errors
    /// No child can be started, or nothing written.
    pub fn run(&self, cells: &[Cell], tell: impl Fn(&Cell, Event) + Sync) -> io::Result<()> {
        let next = AtomicUsize::new(0);
        let worker = |number: usize| {
            let output = files::unfinished(&self.run.out.join(format!("cell-{number}")));
            let mut done = Ok(());
            while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                tell(cell, Event::Began);
                match self.run_one(cell, &output) {
                    Ok(None) => break,
                    Ok(Some(result)) => tell(cell, Event::Ended(Box::new(result))),
                    Err(error) => {
                        // Nothing else is begun.
                        next.store(cells.len(), Ordering::Relaxed);
                        done = Err(error);
                        break;
                    }
                }
            }
            // Best effort: the next run sweeps.
            drop(std::fs::remove_file(&output));
            done
        };
        thread::scope(|scope| {
            let started: Vec<_> = (0..self.at_once.clamp(1, cells.len().max(1)))
                .map(|number| scope.spawn(move || worker(number)))
                .collect();
            started.into_iter().try_for_each(|worker| {
                let panicked = |_| Err(io::Error::other("a thread of the runner panicked"));
                worker.join().unwrap_or_else(panicked)
            })
        })
    }

    /// Runs one cell; nothing where the run must stop.
    fn run_one(&self, cell: &Cell, output: &Path) -> io::Result<Option<CellResult>> {
        if is_readable(self.stop, Duration::ZERO)? {
            return Ok(None);
        }
        let (program, words) = self.program;
        let file = File::create(output)?;
        let mut command = Command::new(program);
        command
            .args(words)
            .arg(Run::file(&self.run.out))
            .arg(cell.id.as_str())
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            // With whatever it starts, to be ended together.
            .process_group(0);
        harness::child::die_with_parent(&mut command);
        let child = command.spawn()?;
        let why = match self.wait(child)? {
            Ended::Stopped => return Ok(None),
            Ended::TooLong => format!("it took more than {} s", LONGEST.as_secs()),
            Ended::Itself(status) => {
                let (out, run) = (&self.run.out, self.run.name());
                match record::read_record(out, run, &cell.id) {
                    Ok(result) if status.success() => return Ok(Some(result)),
                    _ => format!("its process ended with {}", in_words(status)),
                }
            }
        };
        let reason = match last_words(output)?.trim() {
            "" => why,
            words => format!("{why}: {words}"),
        };
        let result = record::unseen(cell, Verdict::Infra, reason);
        record::write_record(&self.run.out, self.run.name(), &cell.id, result)
            .map(Some)
            .map_err(io::Error::other)
    }

    /// Waits for a child's end, and ends whatever it left.
    fn wait(&self, mut child: Child) -> io::Result<Ended> {
        let group = Pid::from_child(&child);
        let pidfd = pidfd_open(group, PidfdFlags::empty())?;
        let deadline = Instant::now() + LONGEST;
        let ended = loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match first_readable([pidfd.as_fd(), self.stop], left)? {
                [true, _] => break None,
                [_, true] => {
                    // It may be ending by itself.
                    let _ = kill_process_group(group, Signal::TERM);
                    is_readable(pidfd.as_fd(), GRACE)?;
                    break Some(Ended::Stopped);
                }
                _ if left.is_zero() => break Some(Ended::TooLong),
                _ => {}
            }
        };
        // Before it is reaped its number is no other's.
        let _ = kill_process_group(group, Signal::KILL);
        let status = child.wait()?;
        Ok(ended.unwrap_or(Ended::Itself(status)))
    }
}

fn is_readable(file: BorrowedFd<'_>, within: Duration) -> io::Result<bool> {
    Ok(first_readable([file], within)? == [true])
}

/// Waits until one of some files is readable or hung up: which are.
fn first_readable<const N: usize>(
    files: [BorrowedFd<'_>; N],
    within: Duration,
) -> io::Result<[bool; N]> {
    let mut polled = files.map(|file| PollFd::from_borrowed_fd(file, PollFlags::IN));
    let within = Timespec::try_from(within).map_err(io::Error::other)?;
    match poll(&mut polled, Some(&within)) {
        // Whoever waits looks at the clock again.
        Err(rustix::io::Errno::INTR) => return Ok([false; N]),
        polled => polled?,
    };
    Ok(polled.map(|file| !file.revents().is_empty()))
}

fn in_words(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("signal {signal}"),
        (None, Some(0)) => "no record".to_owned(),
        (None, _) => status.to_string(),
    }
}

/// The end of what a child said.
fn last_words(output: &Path) -> io::Result<String> {
    let mut file = File::open(output)?;
    let length = i64::try_from(file.metadata()?.len()).unwrap_or(i64::MAX);
    file.seek(SeekFrom::End(-length.min(LAST_WORDS)))?;
    let mut words = Vec::new();
    file.read_to_end(&mut words)?;
    Ok(String::from_utf8_lossy(&words).into_owned())
}

/// How many machines run at once: one for each processor, as long as memory lasts.
#[must_use]
pub fn at_once(cells: &[Cell]) -> usize {
    let processors = thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let declared = cells.iter().filter_map(|cell| cell.memory_mib).max();
    let machine = declared.map_or(MACHINE_MIB, |mib| u64::from(mib) + BEYOND_MIB);
    let by_memory =
        harness::run::host_memory_mib().map_or(processors, |mib| mib / machine.max(MACHINE_MIB));
    usize::try_from(processors.min(by_memory))
        .unwrap_or(1)
        .max(1)
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
