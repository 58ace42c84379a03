//! The folder of a run: one run at a time, and whatever a run started that was killed must have ended before the next.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::{
    options::BootMatrix,
    place::{absolute, cache},
    stop::Stop,
};

/// Locked by the run.
const LOCK: &str = ".lock";
/// Locked by the run and by all that it starts, as long as any of it lives.
const RUNNING: &str = ".running";
/// What is left of a run that was killed ends by itself, and is killed by its runner after 10 s (.config/nextest.toml).
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder for results, ours alone as long as this lives.
#[derive(Debug)]
pub(crate) struct Held {
    _lock: File,
    running: File,
}

/// The folder for results, sure to be there and writable, and ours alone.
pub(crate) fn hold(out: &Path) -> anyhow::Result<(PathBuf, Held)> {
    let out = absolute(out);
    let unwritable = |error: io::Error| {
        Stop::host(
            format!("cannot write into {}: {error}", out.display()),
            "another folder with --out",
        )
    };
    fs::create_dir_all(&out).map_err(unwritable)?;
    // A folder may exist and still refuse; find out before minutes of work.
    let lock = File::create(out.join(LOCK)).map_err(unwritable)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(error)) => return Err(unwritable(error).into()),
        Err(TryLockError::WouldBlock) => {
            return Err(Stop::host(
                format!("another run is writing into {}", out.display()),
                "wait for it, or choose another folder with --out",
            )
            .into());
        }
    }
    let running = File::create(out.join(RUNNING)).map_err(unwritable)?;
    let running = match running.try_lock() {
        Ok(()) => running,
        Err(TryLockError::Error(error)) => return Err(unwritable(error).into()),
        Err(TryLockError::WouldBlock) => wait(running, &out)?.map_err(unwritable)?,
    };
    Ok((
        out,
        Held {
            _lock: lock,
            running,
        },
    ))
}

/// Waits until what a run started that was killed has ended.
fn wait(running: File, out: &Path) -> Result<io::Result<File>, Stop> {
    remark!("waiting for processes of the killed run to end");
    let (done, ended) = mpsc::channel();
    // Where it waits for ever, it ends with this process.
    thread::spawn(move || done.send(running.lock().map(|()| running)));
    ended.recv_timeout(PATIENCE).map_err(|_| {
        let what = format!(
            "a process of a killed run still locks {}",
            out.join(RUNNING).display()
        );
        Stop::host(
            what,
            "end it (fuser has its number), or choose another folder with --out",
        )
    })
}

impl Held {
    /// A lock for what is started from now on, as long as this is open: unlike every other file of ours it is inherited.
    pub(super) fn inherited(&self) -> io::Result<OwnedFd> {
        Ok(rustix::io::dup(&self.running)?)
    }
}

/// The folder for results, as it is asked for.
///
/// # Errors
/// It is not asked for, and there is no cache.
pub(super) fn out_folder(options: &BootMatrix) -> Result<PathBuf, Stop> {
    Ok(match &options.out {
        Some(out) => absolute(out),
        None => cache()?.join("boot-matrix"),
    })
}
