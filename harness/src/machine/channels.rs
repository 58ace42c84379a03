//! QEMU's process, the pipes of its serial line and debug port, and the socket of its monitor.
//!
//! QEMU writes each byte of a guest by itself. A socket counts a byte as a message with its overhead, and is full after some 280 of them; then OVMF's terminal
//! driver gives up within 200 µs and loses text (`MdeModulePkg/Universal/Console/TerminalDxe`: the timeout that it sets). A pipe is full after 64 KiB.

use std::{
    fs::File,
    io::{self, IoSlice, PipeReader, PipeWriter, Write as _},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd, RawFd},
        unix::net::UnixStream,
    },
    path::Path,
    process::{Child, Command, ExitStatus},
    time::Instant,
};

use command_fds::{CommandFdExt, FdMapping};
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::{Errno, ioctl_fionbio, read},
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
};

use super::{
    files,
    isolation::Isolation,
    spec::{Channels, MachineSpec, Origin, descriptor},
};
use crate::serial::{is_hang_up, until};

/// Our ends, and the process at the other.
#[derive(Debug)]
pub(super) struct Wires {
    pub(super) child: Child,
    serial: PipeReader,
    /// What is typed on the serial line.
    keys: PipeWriter,
    debug: PipeReader,
    monitor: UnixStream,
}

/// What came in one wake-up, to be judged as a whole. Nothing in it has its cause in a later batch: neither a message of the monitor's
/// nor a byte on the serial line comes before what the debug port said earlier.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) serial: Vec<u8>,
    pub(super) debug: Vec<u8>,
    pub(super) monitor: Vec<u8>,
    pub(super) exited: Option<ExitStatus>,
}

impl Wires {
    /// Starts QEMU in `folder`, which becomes its own, its diagnostics going to `stderr`. The guest's memory is in `memory`, where the
    /// machine goes to a checkpoint or comes from one.
    ///
    /// QEMU dies with the **thread** that calls this (the kernel ties the parent-death signal to the
    /// thread), and stays in the caller's process group, so that a signal to the group reaches it.
    pub(super) fn start(
        spec: &MachineSpec,
        folder: &Path,
        stderr: File,
        memory: Option<&File>,
    ) -> io::Result<Self> {
        let (serial, serial_theirs) = io::pipe()?;
        let (keys_theirs, keys) = io::pipe()?;
        let (debug, debug_theirs) = io::pipe()?;
        let (monitor, monitor_theirs) = UnixStream::pair()?;
        let ours = [serial.as_fd(), keys.as_fd(), debug.as_fd(), monitor.as_fd()];
        for ours in ours {
            ioctl_fionbio(ours, true)?;
        }
        let mut theirs = vec![
            mapping(debug_theirs, descriptor::DEBUG),
            mapping(monitor_theirs, descriptor::MONITOR),
            mapping(files::open(Path::new(&spec.disc.path))?, descriptor::DISC),
            mapping(files::firmware(&spec.firmware)?, descriptor::FIRMWARE),
        ];
        if let Some(overlay) = &spec.disc.overlay {
            theirs.push(mapping(
                files::open(Path::new(overlay))?,
                descriptor::OVERLAY,
            ));
        }
        if let Some(memory) = memory {
            theirs.push(mapping(memory.try_clone()?, descriptor::MEMORY));
        }
        if let Origin::ToCheckpoint(files) | Origin::Checkpoint(files) = &spec.origin {
            theirs.push(mapping(files::copy(&files.program)?, descriptor::PROGRAM));
        }
        let mut command = Command::new(&spec.program);
        command
            .args(spec.argv(Channels::Inherited))
            .current_dir(folder)
            .stdin(keys_theirs)
            .stdout(serial_theirs)
            .stderr(stderr);
        Isolation::of(spec, folder)?.hold(&mut command);
        // Last: it may give a number to them that one of ours has.
        command.fd_mappings(theirs).map_err(io::Error::other)?;
        // The command owns QEMU's ends; with it they go, or their end of file would never come.
        let child = command.spawn()?;
        drop(command);
        Ok(Self {
            child,
            serial,
            keys,
            debug,
            monitor,
        })
    }

    /// Types on the serial line.
    pub(super) fn type_text(&mut self, text: &[u8]) -> io::Result<()> {
        self.keys
            .write_all(text)
            .map_err(|error| match error.kind() {
                io::ErrorKind::WouldBlock => {
                    io::Error::other("the guest does not read what is typed on its serial line")
                }
                _ => error,
            })
    }

    /// Sends a line on the monitor's socket. It is far smaller than the socket's buffer.
    pub(super) fn send(&mut self, line: &[u8]) -> io::Result<()> {
        self.monitor.write_all(line)
    }

    /// Sends a line on the monitor's socket and with it a file, which QEMU then has too.
    pub(super) fn send_with_file(&self, line: &[u8], file: &File) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let files = [file.as_fd()];
        if !control.push(SendAncillaryMessage::ScmRights(&files)) {
            return Err(io::Error::other("no room for a descriptor"));
        }
        let sent = sendmsg(
            &self.monitor,
            &[IoSlice::new(line)],
            &mut control,
            SendFlags::NOSIGNAL,
        )?;
        // A line is far smaller than the socket's buffer.
        if sent == line.len() {
            Ok(())
        } else {
            Err(io::ErrorKind::WriteZero.into())
        }
    }

    /// Waits until something comes, `interrupt` becomes readable or the deadline passes; in the last two cases
    /// the batch may be empty.
    pub(super) fn wait(
        &mut self,
        deadline: Instant,
        interrupt: Option<BorrowedFd<'_>>,
    ) -> io::Result<Batch> {
        let ours = [
            self.serial.as_fd(),
            self.debug.as_fd(),
            self.monitor.as_fd(),
        ];
        let mut fds: Vec<PollFd<'_>> = ours
            .into_iter()
            .chain(interrupt)
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
            .collect();
        loop {
            match poll(&mut fds, Some(&until(deadline))) {
                Ok(0) => return Ok(Batch::default()),
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut batch = Batch::default();
        // The monitor first: all that QEMU wrote elsewhere before this message is then there to be read. The debug port
        // before and after the serial line: whatever the port said before a byte of the line is in the batch too.
        let closed = drain(&self.monitor, &mut batch.monitor)?;
        drain(&self.debug, &mut batch.debug)?;
        drain(&self.serial, &mut batch.serial)?;
        drain(&self.debug, &mut batch.debug)?;
        if closed {
            // Only QEMU has the other end, so it is gone or about to be.
            batch.exited = Some(self.child.wait()?);
            drain(&self.debug, &mut batch.debug)?;
            drain(&self.serial, &mut batch.serial)?;
        }
        Ok(batch)
    }
}

/// Reads what is there; says whether the other end is gone.
fn drain(from: impl AsFd, into: &mut Vec<u8>) -> io::Result<bool> {
    let mut buffer = [0_u8; 16 * 1024];
    // As much as QEMU can pour in while we read is bounded here, so that a chatterer cannot hold us.
    for _ in 0..16 {
        match read(&from, &mut buffer) {
            Ok(0) => return Ok(true),
            Ok(count) => into.extend_from_slice(&buffer[..count]),
            Err(Errno::AGAIN) => return Ok(false),
            Err(Errno::INTR) => {}
            Err(error) if is_hang_up(&error.into()) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// What QEMU inherits, and by which number.
fn mapping(theirs: impl Into<OwnedFd>, descriptor: RawFd) -> FdMapping {
    FdMapping {
        parent_fd: theirs.into(),
        child_fd: descriptor,
    }
}
