//! For every child process other than a machine: it ends with this process, its output is read, and it is awaited without
//! being reaped.

use std::{
    io::Read,
    os::unix::process::CommandExt,
    process::{Child, Command},
    sync::mpsc::Sender,
    thread,
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitId, WaitIdOptions, getpid, getppid, waitid},
};

/// Lets a child end with the thread that starts it.
#[expect(
    unsafe_code,
    reason = "the death signal can only be set between fork and exec"
)]
pub fn die_with_parent(command: &mut Command) {
    let parent = getpid();
    // SAFETY: the closure makes two system calls, which are async-signal-safe, and allocates nothing.
    unsafe {
        command.pre_exec(move || {
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
            // The parent may have died before that call; no signal comes then.
            if getppid() == Some(parent) {
                Ok(())
            } else {
                Err(Errno::SRCH.into())
            }
        });
    }
}

/// Sends the data from an output, then a message that it has ended.
pub(crate) fn forward<T: Send + 'static>(
    mut from: impl Read + Send + 'static,
    to: Sender<T>,
    said: fn(Vec<u8>) -> T,
    ended: T,
) {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        // A failed read ends the stream like its end; a closed channel ends the reader.
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let bytes = buffer.get(..read).unwrap_or_default().to_vec();
            if to.send(said(bytes)).is_err() {
                return;
            }
        }
        let _ = to.send(ended);
    });
}

/// Sends a message that a child has ended, and leaves it to its owner to reap it: until then no other process gets its pid or the id of
/// its process group.
pub(crate) fn tell_end<T: Send + 'static>(child: &Child, to: Sender<T>, ended: T) {
    let pid = Pid::from_child(child);
    thread::spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
        to.send(ended)
    });
}
