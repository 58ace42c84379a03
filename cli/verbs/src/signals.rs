//! Ctrl-C and SIGTERM: the child ends first, then we report what there is.

use std::{
    fs, io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::{net::UnixStream, process::CommandExt},
    },
    process::{Command, ExitStatus},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use anyhow::Context;
use nix::{
    sys::{
        signal::{self, SigSet, Signal},
        signalfd::SignalFd,
    },
    unistd::Pid,
};

/// What ends a run before its time.
const ENDING: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// A signal that the kernel sent, as a terminal's Ctrl-C: it went to the child too. (`SI_KERNEL` of `sigaction(2)`.)
const FROM_KERNEL: i32 = 0x80;

/// Takes back that a parent which catches signals has blocked them for us: they end us.
///
/// # Errors
/// The kernel refuses.
pub fn unblock() -> anyhow::Result<()> {
    let set: SigSet = ENDING.into_iter().collect();
    set.thread_unblock().context("cannot unblock signals")
}

/// Catches the signals that would end us, for the rest of this process.
pub struct Signals {
    state: Arc<State>,
    bell: UnixStream,
}

#[derive(Default)]
struct State {
    caught: AtomicBool,
    child: Mutex<Option<Pid>>,
    /// Whether all children end with the first signal: machines that this process runs itself.
    ends_children: AtomicBool,
    /// Closed with the first signal, so that the other end becomes readable.
    clapper: Mutex<Option<UnixStream>>,
}

impl Signals {
    /// Catches signals from the first call on. Make it before any thread is started.
    pub fn catch() -> anyhow::Result<&'static Self> {
        static CATCHING: OnceLock<Signals> = OnceLock::new();
        match CATCHING.get() {
            Some(signals) => Ok(signals),
            None => {
                let signals = Self::begin()?;
                Ok(CATCHING.get_or_init(|| signals))
            }
        }
    }

    fn begin() -> anyhow::Result<Self> {
        let set: SigSet = ENDING.into_iter().collect();
        set.thread_block().context("cannot block signals")?;
        let signals = SignalFd::new(&set).context("cannot watch for signals")?;
        let (bell, clapper) = UnixStream::pair().context("cannot make a pair of sockets")?;
        let state = Arc::new(State {
            clapper: Mutex::new(Some(clapper)),
            ..State::default()
        });
        let shared = Arc::clone(&state);
        // It ends with the process: it waits for signals, and for nothing else.
        thread::Builder::new()
            .name("signals".into())
            .spawn(move || shared.watch(&signals))
            .context("cannot start a thread")?;
        Ok(Self { state, bell })
    }

    /// Whether one came.
    pub fn caught(&self) -> bool {
        self.state.caught.load(Ordering::Relaxed)
    }

    /// From now on a signal ends every child of this process: whoever boots in threads of his own does not wait for what a machine comes to.
    pub fn end_children(&self) {
        self.state.ends_children.store(true, Ordering::Relaxed);
    }

    /// What becomes readable when one comes.
    pub fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    /// Runs a command to its end. A signal that comes only to us is passed on; we being killed ends it too.
    pub fn run(&self, command: &mut Command) -> io::Result<ExitStatus> {
        unblock_in_child(command);
        let mut child = command.spawn()?;
        let pid = i32::try_from(child.id()).map(Pid::from_raw).ok();
        *self.state.child() = pid;
        if self.caught()
            && let Some(pid) = pid
        {
            // It came between our last look and the child's start.
            let _ = signal::kill(pid, Signal::SIGTERM);
        }
        let status = child.wait();
        *self.state.child() = None;
        status
    }
}

impl State {
    fn child(&self) -> std::sync::MutexGuard<'_, Option<Pid>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self, signals: &SignalFd) {
        while let Ok(Some(info)) = signals.read_signal() {
            self.caught.store(true, Ordering::Relaxed);
            *self.clapper.lock().unwrap_or_else(PoisonError::into_inner) = None;
            if self.ends_children.load(Ordering::Relaxed) {
                for child in children() {
                    // It may have ended by itself; and it has inherited that milder ones are blocked.
                    let _ = signal::kill(child, Signal::SIGKILL);
                }
            }
            let signal = i32::try_from(info.ssi_signo)
                .ok()
                .and_then(|number| Signal::try_from(number).ok());
            if info.ssi_code != FROM_KERNEL
                && let (Some(pid), Some(signal)) = (*self.child(), signal)
            {
                // The child may just have ended: then there is nobody to tell.
                let _ = signal::kill(pid, signal);
            }
        }
    }
}

/// The children of this process, whichever thread started them (proc_pid_task_children(5)).
fn children() -> Vec<Pid> {
    let threads = fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let numbers = lists.flat_map(|list| {
        let numbers: Vec<i32> = list.split_whitespace().flat_map(str::parse).collect();
        numbers
    });
    numbers.map(Pid::from_raw).collect()
}

/// A child inherits blocked signals: give it back its own, and let it not outlive us.
#[expect(
    unsafe_code,
    reason = "only code between fork and exec can set the child's signal mask and parent-death signal"
)]
fn unblock_in_child(command: &mut Command) {
    let parent = rustix::process::getpid();
    let prepare = move || {
        ENDING.into_iter().collect::<SigSet>().thread_unblock()?;
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
        // We may have died before that call, and nothing tells then.
        if rustix::process::getppid() == Some(parent) {
            Ok(())
        } else {
            Err(rustix::io::Errno::SRCH.into())
        }
    };
    // SAFETY: the closure runs after fork and before exec. It makes three system calls that are
    // async-signal-safe, and allocates nothing.
    unsafe { command.pre_exec(prepare) };
}
