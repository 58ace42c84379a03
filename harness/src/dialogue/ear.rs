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

use crate::text::Cleaner;

/// Listens for one pattern after the other, in a thread of its own, and rings when it was heard: [`AsFd`] then becomes
/// readable. Dropping it ends the thread.
///
/// It hears text, not bytes. A program that draws its cursor by a timer, as GRUB does, sends `g\r\x1b[9;2Hrub> ` now and
/// then, and its prompt is on the screen all the same.
pub(super) struct Ear {
    socket: UnixStream,
    cleaner: Cleaner,
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
            cleaner: Cleaner::default(),
            patterns: Some(patterns),
            thread: Some(thread),
        })
    }

    /// Hands on what came on the line.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        let mut heard = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            let before = self.cleaner.text().len();
            self.cleaner.push(&[byte]);
            // A backspace takes text away, which cannot be unheard.
            let new = self.cleaner.text().get(before..).unwrap_or_default();
            // rexpect takes each byte for a character, and so hears those up to U+00FF alone.
            heard.extend(new.chars().filter_map(|c| u8::try_from(c).ok()));
        }
        // It fails when the listener is gone, which `heard` tells.
        let _ = io::Write::write_all(&mut &self.socket, &heard);
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
    let mut session = StreamSession::new(reader, bell, Options::new());
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

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    /// What GRUB 2.06 sent for its prompt when its clock ticked between the first letter and the second.
    const PROMPT: &[u8] = b"\x1b[06;23H\x1b[06;24Hexits.  \r\n\n\ng\r\x1b[09;02Hrub> ";

    fn rings(ear: &Ear) -> bool {
        let patience = Timespec {
            tv_sec: 20,
            tv_nsec: 0,
        };
        poll(&mut [PollFd::new(ear, PollFlags::IN)], Some(&patience)).expect("poll") == 1
            && ear.heard().expect("a listener")
    }

    #[test]
    fn a_cursor_drawn_between_two_letters_is_not_heard() {
        for cut in 0..PROMPT.len() {
            let mut ear = Ear::new().expect("an ear");
            ear.listen_for(r"exits\.\s+grub> ");
            ear.hear(&PROMPT[..cut]);
            ear.hear(&PROMPT[cut..]);
            assert!(rings(&ear), "cut at {cut}");
        }
    }

    #[test]
    fn letters_beyond_ascii_are_heard_in_utf8() {
        let mut ear = Ear::new().expect("an ear");
        ear.listen_for("^caf\u{e9}$");
        ear.hear("caf\u{e9}".as_bytes());
        assert!(rings(&ear));
    }
}
