//! rexpect, listening to a serial line that somebody else reads.

use std::{
    io::{self, Read},
    net::Shutdown,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::mpsc::{Receiver, Sender, channel},
    thread::{self, JoinHandle},
};

use rexpect::{error::Error, reader::Options, session::StreamSession};
use rustix::{
    io::Errno,
    net::{RecvFlags, recv},
};

/// Listens for one pattern after the other, in a thread of its own, and rings when it was heard: [`AsFd`] then becomes
/// readable. Dropping it ends the thread.
pub(super) struct Ear {
    socket: UnixStream,
    patterns: Option<Sender<String>>,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

impl Ear {
    pub(super) fn new() -> io::Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        let (patterns, asked) = channel();
        let reader = theirs.try_clone()?;
        let thread = thread::Builder::new()
            .name("dialogue".into())
            .spawn(move || listen(LastingReader(reader), theirs, &asked))?;
        Ok(Self {
            socket,
            patterns: Some(patterns),
            thread: Some(thread),
        })
    }

    /// Hands on what came on the line.
    pub(super) fn hear(&self, bytes: &[u8]) {
        // It fails when the listener is gone, which `heard` tells.
        let _ = io::Write::write_all(&mut &self.socket, bytes);
    }

    /// Begins to wait for a pattern, in what came since the last one matched.
    pub(super) fn listen_for(&self, pattern: &str) {
        if let Some(patterns) = &self.patterns {
            let _ = patterns.send(pattern.to_owned());
        }
    }

    /// Whether the pattern that is waited for was heard. True once.
    pub(super) fn heard(&self) -> io::Result<bool> {
        match recv(&self.socket, &mut [0; 1], RecvFlags::DONTWAIT) {
            Ok((0, _)) => Err(io::Error::other("nobody listens to the serial line")),
            Ok(_) => Ok(true),
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Ear {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        // Whatever is waited for meets the end of file; and nothing more is asked for.
        let _ = self.socket.shutdown(Shutdown::Both);
        self.patterns = None;
        if let Some(thread) = self.thread.take() {
            // That it met the end is no failure.
            let _ = thread.join();
        }
    }
}

fn listen(
    reader: LastingReader,
    bell: UnixStream,
    patterns: &Receiver<String>,
) -> Result<(), Error> {
    // No timeout: there is one for each session only, and each step has its own. Who waits ends the session.
    let options = Options::new().strip_ansi_escape_codes(true);
    let mut session = StreamSession::new(reader, bell, options);
    for pattern in patterns {
        session.exp_regex(&pattern)?;
        session.send("!")?;
        session.flush()?;
    }
    Ok(())
}

/// The reader of rexpect's own thread, which tries again for ever after an error, in a busy loop: so an error is the end.
struct LastingReader(UnixStream);

impl Read for LastingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.0.read(buffer).unwrap_or(0))
    }
}
