//! A serial line to a real machine.

pub mod port;

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    time::Instant,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

/// A serial line that can be polled.
pub trait SerialSource: AsFd + Send {
    /// Reads the available bytes. Called only when the descriptor is readable.
    ///
    /// # Errors
    /// The line failed; see [`is_hang_up`] for the ways in which it merely ended.
    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Sends all of these bytes.
    ///
    /// # Errors
    /// The line failed or ended.
    fn send(&self, bytes: &[u8]) -> io::Result<()>;
}

impl SerialSource for serial2::SerialPort {
    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read(buffer)
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }
}

/// The result of waiting on a serial line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Bytes, at least one.
    Bytes(Vec<u8>),
    /// The other end is gone.
    Closed,
    /// The deadline passed.
    TimedOut,
    /// The interrupting descriptor became readable.
    Interrupted,
}

/// Waits for bytes until the deadline, or until `interrupt` becomes readable.
///
/// # Errors
/// The line failed.
pub fn receive(
    source: &dyn SerialSource,
    interrupt: Option<BorrowedFd<'_>>,
    deadline: Instant,
) -> io::Result<Received> {
    let mut buffer = [0; 4096];
    if let Some(other) = wait_readable(source, interrupt, deadline)? {
        return Ok(other);
    }
    match source.receive(&mut buffer) {
        Ok(0) => Ok(Received::Closed),
        Ok(count) => Ok(Received::Bytes(buffer[..count].to_vec())),
        Err(error) if is_hang_up(&error) => Ok(Received::Closed),
        Err(error) => Err(error),
    }
}

/// Whether an error only means that the other end is gone: a pseudo-terminal whose other side is
/// closed answers `EIO`, a socket with unread bytes `ECONNRESET`.
#[must_use]
pub fn is_hang_up(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::IO | Errno::CONNRESET | Errno::PIPE)
    )
}

/// Waits until there is something to read; else returns what came instead.
fn wait_readable(
    source: &dyn SerialSource,
    interrupt: Option<BorrowedFd<'_>>,
    deadline: Instant,
) -> io::Result<Option<Received>> {
    let fds = std::iter::once(source.as_fd()).chain(interrupt);
    let mut fds: Vec<PollFd<'_>> = fds
        .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
        .collect();
    loop {
        match poll(&mut fds, Some(&until(deadline))) {
            Ok(0) => return Ok(Some(Received::TimedOut)),
            Ok(_) if fds.iter().skip(1).any(|fd| !fd.revents().is_empty()) => {
                return Ok(Some(Received::Interrupted));
            }
            Ok(_) => return Ok(None),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The time left until a deadline, in the form that `poll` needs.
pub(crate) fn until(deadline: Instant) -> Timespec {
    let left = deadline.saturating_duration_since(Instant::now());
    Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::net::UnixStream, time::Duration};

    use super::*;

    impl SerialSource for UnixStream {
        fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
            io::Read::read(&mut &*self, buffer)
        }

        fn send(&self, bytes: &[u8]) -> io::Result<()> {
            io::Write::write_all(&mut &*self, bytes)
        }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    fn speaks_both_ways(here: impl SerialSource, there: impl SerialSource) {
        there.send(b"BM1 0 begin=bios\r\n").expect("send");
        assert_eq!(
            receive(&here, None, soon()).expect("receive"),
            Received::Bytes(b"BM1 0 begin=bios\r\n".to_vec())
        );
        here.send(&[0, 0xFF, 0x0D, 0x0A, 0x11]).expect("send");
        assert_eq!(
            receive(&there, None, soon()).expect("receive"),
            Received::Bytes(vec![0, 0xFF, 0x0D, 0x0A, 0x11])
        );
        assert_eq!(
            receive(&here, None, Instant::now()).expect("receive"),
            Received::TimedOut
        );
        drop(there);
        assert_eq!(
            receive(&here, None, soon()).expect("receive"),
            Received::Closed
        );
    }

    #[test]
    fn a_socket_pair_is_a_serial_line() {
        let (here, there) = UnixStream::pair().expect("pair");
        speaks_both_ways(here, there);
    }

    #[test]
    fn a_pseudo_terminal_is_a_serial_line() {
        let (here, there) = serial2::SerialPort::pair().expect("pair");
        speaks_both_ways(here, there);
    }
}
