//! Runs of the matrix that a part starts, kills and looks into.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid},
};
use scenarios::results::Results;
use tempfile::TempDir;

use cli::place;

/// By this variable whatever a run started is known, however far down.
const MARK: &str = "BOOT_MATRIX_TRIAL";
/// Whatever a killed run started must have ended by itself after so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// This program in a folder of its own, with checkpoints of its own.
pub(super) struct Runner {
    folder: TempDir,
    program: PathBuf,
    mark: String,
}

impl Runner {
    pub(super) fn new() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("trust-")
            .tempdir_in(crate::repository::target())
            .context("make a folder for the runs")?;
        // What is kept between runs lies two folders above the program.
        let own = folder.path().join("target");
        let beside = own.join("debug");
        fs::create_dir_all(&beside)?;
        let program = beside.join("xtask");
        let this = env::current_exe().context("cannot find this program")?;
        fs::hard_link(&this, &program)
            .or_else(|_| place::copy(&this, &program))
            .context("cannot copy this program")?;
        let mark = folder.path().to_string_lossy().into_owned();
        Ok(Self {
            folder,
            program,
            mark,
        })
    }

    /// A folder or file below its own.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Forgets the checkpoints, so that the next run makes them.
    pub(super) fn forget_checkpoints(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.path("target/checkpoints")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// This program with some arguments, silent but for a file.
    pub(super) fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let said = fs::File::create(self.path("said.txt"))?;
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env(MARK, &self.mark)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said);
        Ok(command)
    }

    /// Runs it to its end: the exit code.
    pub(super) fn run(&self, arguments: &[&str]) -> anyhow::Result<i32> {
        let status = self.command(arguments)?.status()?;
        Ok(status.code().unwrap_or(-1))
    }

    /// What it said last.
    pub(super) fn said(&self) -> String {
        fs::read_to_string(self.path("said.txt")).unwrap_or_default()
    }

    /// Runs it for so long, and kills it then, it alone; nothing when that was so, and how it ended otherwise.
    pub(super) fn run_for(
        &self,
        arguments: &[&str],
        time: Duration,
    ) -> anyhow::Result<Option<ExitStatus>> {
        let mut child = self.command(arguments)?.spawn()?;
        if ends_within(&child, time) {
            return Ok(Some(child.wait()?));
        }
        // Not reaped yet, so the number is still its own.
        child.kill()?;
        child.wait()?;
        Ok(None)
    }

    /// Runs it until a file is there, and kills it then.
    pub(super) fn run_until(&self, arguments: &[&str], file: &Path) -> anyhow::Result<()> {
        let mut child = self.command(arguments)?.spawn()?;
        while !file.exists() {
            if ends_within(&child, Duration::from_millis(2)) {
                break;
            }
        }
        child.kill()?;
        child.wait()?;
        self.await_end()
            .map_err(|left| anyhow::anyhow!("still there: {}", left.join(", ")))?;
        anyhow::ensure!(file.exists(), "{}", self.said());
        Ok(())
    }

    /// The program.
    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// Waits until whatever was started has ended by itself: how long that took; or the command lines of what has not.
    pub(super) fn await_end(&self) -> Result<Duration, Vec<String>> {
        let began = Instant::now();
        loop {
            let Some(&pid) = self.marked().first() else {
                return Ok(began.elapsed());
            };
            let left = PATIENCE.saturating_sub(began.elapsed());
            if left.is_zero() {
                let marked = self.marked();
                return Err(marked.into_iter().map(command_line).collect());
            }
            // One that has ended meanwhile cannot be opened, and is not found again.
            if let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) {
                let timeout = Timespec::try_from(left).ok();
                let mut end = [PollFd::new(&handle, PollFlags::IN)];
                // Whether it was woken by a signal or by the end is seen then.
                let _ = poll(&mut end, timeout.as_ref());
            }
        }
    }

    /// What carries the mark.
    fn marked(&self) -> Vec<Pid> {
        let mark = format!("{MARK}={}\0", self.mark);
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse::<i32>().ok();
        let carries = |pid: &i32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment
                .windows(mark.len())
                .any(|window| window == mark.as_bytes())
        };
        let marked = entries.filter_map(number).filter(carries);
        marked.filter_map(Pid::from_raw).collect()
    }
}

/// The program of the cells' tests, as it was built last.
pub(super) fn test_program() -> anyhow::Result<PathBuf> {
    let entries = fs::read_dir(crate::repository::target().join("debug/deps"))?;
    let programs = entries.flatten().filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("matrix-") && !name.contains('.')
    });
    let newest =
        programs.max_by_key(|entry| entry.metadata().and_then(|file| file.modified()).ok());
    let newest = newest.context("the tests are not built: cargo xtask boot-matrix builds them")?;
    Ok(newest.path())
}

fn command_line(pid: Pid) -> String {
    let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

/// Whether a child ends within some time. It is left to be reaped.
fn ends_within(child: &Child, time: Duration) -> bool {
    let pid = Pid::from_child(child);
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
        // Nobody may be waiting any more.
        let _ = done.send(());
    });
    ended.recv_timeout(time).is_ok()
}

/// What is wrong with the files below a folder: JSON that is not whole, and with `finished` what somebody left unfinished too.
pub(super) fn damage(folder: &Path, finished: bool) -> io::Result<Vec<String>> {
    let mut wrong = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if scenarios::files::is_unfinished(&name.to_string_lossy()) {
            if finished {
                wrong.push(format!("{} was left unfinished", path.display()));
            }
        } else if entry.file_type()?.is_dir() {
            wrong.extend(damage(&path, finished)?);
        } else if is_record(&path) {
            let read = scenarios::files::read_json::<serde::de::IgnoredAny>(&path);
            wrong.extend(read.err().map(|error| error.to_string()));
        }
    }
    Ok(wrong)
}

/// What is read by name is whole or not there. Other evidence belongs to a cell that has a record, or is none.
fn is_record(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    ["results.json", "run.json", "result.json"]
        .iter()
        .any(|record| name == *record)
        || path
            .extension()
            .is_some_and(|extension| extension == "json")
            && path.with_file_name("result.json").exists()
}

/// By id: what each cell came to, without what differs from run to run. An id that is there twice is told.
pub(super) fn verdicts(results: &Results) -> Result<Vec<String>, String> {
    let mut ids: Vec<&str> = results.cells.iter().map(|cell| &*cell.id).collect();
    ids.sort_unstable();
    if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("{} is there twice", pair[0]));
    }
    let told = |cell: &scenarios::record::CellResult| format!("{} {}", cell.id, cell.verdict);
    let mut verdicts: Vec<String> = results.cells.iter().map(told).collect();
    verdicts.sort_unstable();
    Ok(verdicts)
}
