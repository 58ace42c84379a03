//! One disc, mastered by a tool.

use std::{
    fs, io,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use images::{
    boot::Boot,
    reference::{
        BOOT_FILE, BOOT_IN_TREE, CATALOG_IN_TREE, EFI_FILE, EFI_IN_TREE, SYSTEM_AREA_FILE, TREE,
        VOLUME_ID,
    },
    units::ByteCount,
};
use regex::Regex;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group};

use super::{
    Changed, FoundTool, Tool,
    template::{Deviation, Placeholder, Values},
};
use crate::{
    child::{die_with_parent, forward, tell_end},
    confine,
};

/// More of a tool's words than this is of no use to anybody.
const WORDS_MAX: usize = 64 << 10;
/// So many lines of a tool's words stand in a refusal.
const LINES: usize = 8;
/// What a tool may write beyond its medium before it is stopped, so that it can say so itself.
const SLACK: ByteCount = ByteCount::new(16 << 20);

/// A disc to be mastered by a tool.
#[derive(Debug)]
pub struct Job<'a> {
    /// How it boots.
    pub boot: &'a Boot,
    /// A folder of its own, empty but for what [`images::reference::Contents::write_to`] put there.
    pub folder: &'a Path,
    /// The sector count that the id asks for.
    pub load_sectors: Option<u16>,
    /// What the medium holds.
    pub capacity: Option<ByteCount>,
    /// How much there is to put on the disc.
    pub length: ByteCount,
    /// The circumstances to change.
    pub changed: Changed<'a>,
}

/// What a tool made of a disc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mastered {
    /// The command that ran, quoted for a shell.
    pub command: String,
    /// What the tool said.
    pub said: String,
    /// The ISO, a regular file in the job's folder; or why there is none: a sentence, then the tool's words, line by line.
    pub disc: Result<PathBuf, Vec<String>>,
}

/// Runs a tool on a disc. Whatever the tool does, it does not count as a failure of the host: that it ends with an error or
/// never, that it writes nothing, something else or too much, is a refusal in its own words.
///
/// The tool runs in the tree with end-of-file on standard input, may write below `job.folder` only (where the kernel has
/// Landlock) and reach no network, and is killed with all that it started when its time is over or this process ends.
///
/// # Errors
/// The host failed.
pub fn master(tool: &Tool, found: &FoundTool, job: &Job<'_>) -> io::Result<Mastered> {
    let template = tool.command(job.boot).map_err(io::Error::other)?;
    let iso = job.folder.join("disc.iso");
    let values = values(tool, job, &iso);
    let deviation = |which: Deviation| {
        let asked = match which {
            Deviation::Count => job.boot.count.is_some(),
            Deviation::Segment => job.boot.segment.is_some(),
            Deviation::Platform => job.boot.platform.is_some(),
            Deviation::BootInfo => job.boot.boot_info.is_some(),
        };
        match tool.deviations.get(&which) {
            Some(words) if asked => words.expand(&values, &|_| Vec::new()),
            _ => Vec::new(),
        }
    };
    let words = template.expand(&values, &deviation);
    let limit = limit(job.capacity, job.length);
    let task = Task {
        tool,
        found,
        words: &words,
        runs_in: &job.folder.join(TREE),
        folder: job.folder,
        limit,
        changed: job.changed,
    };
    task.run(|| no_disc(&iso, job.capacity).map_or(Ok(iso.clone()), Err))
}

/// What a tool may write, by its medium, or by the length of what there is to put on the disc.
pub(super) fn limit(capacity: Option<ByteCount>, length: ByteCount) -> ByteCount {
    match capacity {
        Some(capacity) => ByteCount::new(capacity.get().saturating_add(SLACK.get())),
        // Nothing is eight times as long as what is on it.
        None => ByteCount::new(
            length
                .get()
                .saturating_mul(8)
                .saturating_add(4 * SLACK.get()),
        ),
    }
}

/// A tool that is run once.
pub(super) struct Task<'a> {
    pub(super) tool: &'a Tool,
    pub(super) found: &'a FoundTool,
    /// The command, its placeholders replaced; the program that was found stands for the first word.
    pub(super) words: &'a [String],
    /// The folder that it runs in.
    pub(super) runs_in: &'a Path,
    /// All that it may write stands below it.
    pub(super) folder: &'a Path,
    /// How long a file it may write.
    pub(super) limit: ByteCount,
    /// The circumstances to change.
    pub(super) changed: Changed<'a>,
}

impl Task<'_> {
    /// Runs the tool; after an end without an error `made` says which disc it has made, or why it has made none.
    pub(super) fn run(
        &self,
        made: impl FnOnce() -> Result<PathBuf, String>,
    ) -> io::Result<Mastered> {
        let Self { tool, found, .. } = self;
        let arguments = self.words.get(1..).unwrap_or_default();
        let mut command = Command::new(&found.program);
        command.args(arguments);
        let program = found.program.to_string_lossy();
        let shown = shell_words::join(
            std::iter::once(&*program).chain(arguments.iter().map(String::as_str)),
        );
        let scratch = self.folder.join("tmp");
        fs::create_dir_all(&scratch)?;
        command.current_dir(self.runs_in);
        in_a_plain_environment(&mut command, &scratch);
        self.changed.set(&mut command);
        let deadline = tool.deadline;
        let ended = confined(command, self.folder, self.limit, deadline)?;
        // Paths of this host differ from run to run, and help no reader.
        let said = ended
            .said
            .replace(&*self.folder.to_string_lossy(), "…")
            .replace(&*program, &tool.name);
        let failed = !matches!(&ended.end, End::Exit(status) if status.success());
        let made = match ended.end {
            End::Start(error) => return Err(error),
            End::Deadline => Err(format!(
                "had not ended after {} s and was stopped",
                deadline.as_secs()
            )),
            End::Exit(status) => match why_not(status, self.limit) {
                Some(why) => Err(why),
                None => made(),
            },
        };
        let disc = made.map_err(|what| {
            let mut words = vec![format!("{} {what}", tool.name)];
            words.extend(telling(&said, tool.words.as_deref(), failed));
            words
        });
        Ok(Mastered {
            command: shown,
            said,
            disc,
        })
    }
}

/// Runs a command that may write below a folder only and reach no network; what it said, or why it failed: a sentence, then
/// its last lines. It is killed with all that it started when its time is over or this process ends.
///
/// # Errors
/// The command cannot be started, or the host failed.
pub(crate) fn run_in(
    name: &str,
    mut command: Command,
    folder: &Path,
    limit: ByteCount,
    deadline: Duration,
) -> io::Result<Result<String, Vec<String>>> {
    let scratch = folder.join("tmp");
    fs::create_dir_all(&scratch)?;
    in_a_plain_environment(&mut command, &scratch);
    let Ended { end, said } = confined(command, folder, limit, deadline)?;
    let refusal = match end {
        End::Start(error) => return Err(io::Error::other(format!("{name}: {error}"))),
        End::Deadline => Some(format!(
            "had not ended after {} s and was stopped",
            deadline.as_secs()
        )),
        End::Exit(status) => why_not(status, limit),
    };
    Ok(match refusal {
        None => Ok(said),
        Some(what) => {
            let mut words = vec![format!("{name} {what}")];
            words.extend(telling(&said, None, true));
            Err(words)
        }
    })
}

/// What a tool does must not depend on who runs it, or when.
fn in_a_plain_environment(command: &mut Command, scratch: &Path) {
    command
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .env("HOME", scratch)
        .env("TMPDIR", scratch)
        // 2000-01-01: what a tool dates by the clock would be another disc each day.
        .env("SOURCE_DATE_EPOCH", "946684800")
        .stdin(Stdio::null())
        .process_group(0);
}

fn values(tool: &Tool, job: &Job<'_>, iso: &Path) -> Values {
    let file = |path: &Path| job.folder.join(path).to_string_lossy().into_owned();
    let number = |count: Option<u16>| count.map_or_else(String::new, |count| count.to_string());
    let capacity = job
        .capacity
        .map_or(0, |capacity| capacity.blocks_rounded_up().get());
    [
        (Placeholder::Iso, iso.to_string_lossy().into_owned()),
        (Placeholder::Tree, file(Path::new(TREE))),
        (Placeholder::BootImage, BOOT_IN_TREE.to_owned()),
        (Placeholder::EfiImage, EFI_IN_TREE.to_owned()),
        (Placeholder::BootFile, file(Path::new(BOOT_FILE))),
        (Placeholder::EfiFile, file(Path::new(EFI_FILE))),
        (Placeholder::SystemArea, file(Path::new(SYSTEM_AREA_FILE))),
        (Placeholder::Catalog, CATALOG_IN_TREE.to_owned()),
        (Placeholder::LoadSectors, number(job.load_sectors)),
        (
            Placeholder::LoadSegment,
            format!("{:04X}", job.boot.segment.unwrap_or(0)),
        ),
        (
            Placeholder::Platform,
            format!("{:02X}", job.boot.platform.map_or(0, |platform| platform.0)),
        ),
        (Placeholder::VolumeId, VOLUME_ID.to_owned()),
        (Placeholder::CapacityBlocks, capacity.to_string()),
        (Placeholder::Mode, job.boot.mode.to_string()),
        (Placeholder::Here, tool.here.to_string_lossy().into_owned()),
        (
            Placeholder::Installed,
            tool.installed.to_string_lossy().into_owned(),
        ),
    ]
    .into()
}

/// How a program ended.
enum End {
    /// It could not be started.
    Start(io::Error),
    /// By itself.
    Exit(ExitStatus),
    /// It did not.
    Deadline,
}

struct Ended {
    end: End,
    said: String,
}

/// Runs a command in a thread that may write below a folder only, for all that it starts inherits that.
fn confined(
    mut command: Command,
    folder: &Path,
    limit: ByteCount,
    deadline: Duration,
) -> io::Result<Ended> {
    limit_files(&mut command, limit);
    die_with_parent(&mut command);
    thread::scope(|scope| {
        let run = scope.spawn(move || {
            // What this thread starts inherits it.
            confine::rules(&[folder, Path::new("/dev/null"), Path::new("/dev/full")])
                .and_then(landlock::RulesetCreated::restrict_self)
                .map_err(io::Error::other)?;
            Ok(run_until(command, deadline))
        });
        run.join()
            .map_err(|_| io::Error::other("the thread that runs the mastering tool has died"))?
    })
}

#[expect(
    unsafe_code,
    reason = "a limit for the child alone can only be set between fork and exec"
)]
fn limit_files(command: &mut Command, limit: ByteCount) {
    let bytes = Rlimit {
        current: Some(limit.get()),
        maximum: Some(limit.get()),
    };
    // SAFETY: the closure makes one system call, which is async-signal-safe, and allocates nothing.
    unsafe {
        command.pre_exec(move || {
            rustix::process::setrlimit(Resource::Fsize, bytes)?;
            Ok(())
        });
    }
}

/// A child and all of its process group, which end together: at the latest when this is dropped.
struct Group {
    leader: Child,
    ended: bool,
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

impl Group {
    /// Kills what is left of the group, then reaps the leader: in that order, for as long as it is not reaped the group's number is no
    /// other's.
    fn end(&mut self) -> io::Result<ExitStatus> {
        if !self.ended {
            self.ended = true;
            // Fails only for what has ended already.
            let _ = kill_process_group(Pid::from_child(&self.leader), Signal::KILL);
        }
        self.leader.wait()
    }
}

#[derive(Debug)]
enum Event {
    Said(Vec<u8>),
    Closed,
    Ended,
}

/// Runs a command until it ends, or until its time is over. What it started and left behind ends with it.
fn run_until(mut command: Command, deadline: Duration) -> Ended {
    let started = Instant::now();
    let spawned = io::pipe().and_then(|(output, input)| {
        // One pipe for both outputs, so that their lines stay in order.
        command.stdout(input.try_clone()?).stderr(input);
        let child = command.spawn()?;
        // It holds our ends of the pipe, which must close for the output to end.
        drop(command);
        let group = Group {
            leader: child,
            ended: false,
        };
        Ok((group, output))
    });
    let (mut group, output) = match spawned {
        Ok(spawned) => spawned,
        Err(error) => {
            return Ended {
                end: End::Start(error),
                said: String::new(),
            };
        }
    };
    let (events, receiver) = channel();
    let mut open = true;
    forward(output, events.clone(), Event::Said, Event::Closed);
    tell_end(&group.leader, events, Event::Ended);
    let mut said = Vec::new();
    let mut end = None;
    while open || end.is_none() {
        match receiver.recv_timeout(deadline.saturating_sub(started.elapsed())) {
            Ok(Event::Said(bytes)) => {
                // The end says more than the beginning.
                said.extend(bytes);
                if said.len() > 2 * WORDS_MAX {
                    said.drain(..said.len() - WORDS_MAX);
                }
            }
            Ok(Event::Closed) => open = false,
            Ok(Event::Ended) => {
                // What it left behind holds its output open until it ends too.
                end = Some(match group.end() {
                    Ok(status) => End::Exit(status),
                    Err(error) => End::Start(error),
                });
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    Ended {
        end: end.unwrap_or(End::Deadline),
        said: String::from_utf8_lossy(&said).into_owned(),
    }
}

/// Why an exit status is none of success.
fn why_not(status: ExitStatus, limit: ByteCount) -> Option<String> {
    if status.success() {
        return None;
    }
    Some(match (status.code(), status.signal()) {
        (_, Some(signal)) if signal == Signal::XFSZ.as_raw() => {
            format!("wanted to write more than {limit} and was stopped")
        }
        (_, Some(signal)) => format!("was ended by signal {signal}"),
        // A shell tells its child's signal so.
        (Some(code), None) if code == 128 + Signal::XFSZ.as_raw() => {
            format!("wanted to write more than {limit} and was stopped")
        }
        (Some(code), None) => format!("ended with exit status {code}"),
        (None, None) => "ended with no status".to_owned(),
    })
}

/// Why what stands where the disc should be is none.
pub(super) fn no_disc(iso: &Path, capacity: Option<ByteCount>) -> Option<String> {
    let meta = match fs::symlink_metadata(iso) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Some("ended without an error and wrote no disc".to_owned());
        }
        Err(error) => return Some(format!("wrote a disc that cannot be read: {error}")),
        Ok(meta) => meta,
    };
    if !meta.is_file() {
        return Some("wrote something that is no regular file in the disc's place".to_owned());
    }
    if let Err(error) = fs::File::options().read(true).write(true).open(iso) {
        return Some(format!("wrote a disc that cannot be read: {error}"));
    }
    if meta.len() == 0 {
        return Some("ended without an error and wrote an empty disc".to_owned());
    }
    let length = ByteCount::new(meta.len());
    match capacity {
        Some(capacity) if length > capacity => Some(format!(
            "wrote more than the medium holds: the disc has {} ({length}), and the medium {} ({capacity})",
            length.blocks_rounded_up(),
            capacity.blocks_rounded_up(),
        )),
        _ => None,
    }
}

/// The lines that say why.
fn telling(said: &str, pattern: Option<&str>, failed: bool) -> Vec<String> {
    let pattern = pattern.and_then(|pattern| Regex::new(pattern).ok());
    let line = |line: &str| {
        // What a progress display writes over is not there in the end.
        let last = line.rsplit('\r').find(|part| !part.trim().is_empty());
        last.unwrap_or_default().trim().to_owned()
    };
    let lines: Vec<String> = said
        .lines()
        .map(line)
        .filter(|line| !line.is_empty())
        .collect();
    let mut chosen: Vec<String> = match &pattern {
        Some(pattern) => lines
            .iter()
            .filter(|line| pattern.is_match(line))
            .cloned()
            .collect(),
        None => lines.clone(),
    };
    // Whoever failed has said why, if not in these words.
    if chosen.is_empty() && failed {
        chosen = lines;
    }
    let from = chosen.len().saturating_sub(LINES);
    chosen.split_off(from)
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
