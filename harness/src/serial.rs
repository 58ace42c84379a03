//! One view of a serial line, whether its other end is QEMU's UART or a real machine.

use std::{
    io,
    os::{fd::AsFd, unix::net::UnixStream},
    time::Instant,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

/// A serial line that can be waited for.
pub trait SerialSource: AsFd + Send {
    /// Reads what is there. Called only when the descriptor is readable.
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

impl SerialSource for UnixStream {
    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        io::Read::read(&mut &*self, buffer)
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        io::Write::write_all(&mut &*self, bytes)
    }
}

impl SerialSource for serial2::SerialPort {
    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read(buffer)
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }
}

/// What waiting on a serial line brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Bytes, at least one.
    Bytes(Vec<u8>),
    /// The other end is gone.
    Closed,
    /// The deadline passed.
    TimedOut,
}

/// Waits for bytes until the deadline.
///
/// # Errors
/// The line failed.
pub fn receive(source: &dyn SerialSource, deadline: Instant) -> io::Result<Received> {
    let mut buffer = [0; 4096];
    if !wait_readable(source, deadline)? {
        return Ok(Received::TimedOut);
    }
    match source.receive(&mut buffer) {
        Ok(0) => Ok(Received::Closed),
        Ok(count) => Ok(Received::Bytes(buffer[..count].to_vec())),
        Err(error) if is_hang_up(&error) => Ok(Received::Closed),
        Err(error) => Err(error),
    }
}

/// Whether an error only says that the other end is gone: a pseudo-terminal whose other side is
/// closed answers `EIO`, a socket with unread bytes `ECONNRESET`.
#[must_use]
pub fn is_hang_up(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::IO | Errno::CONNRESET | Errno::PIPE)
    )
}

fn wait_readable(source: &dyn SerialSource, deadline: Instant) -> io::Result<bool> {
    let fd = source.as_fd();
    loop {
        let mut fds = [PollFd::new(&fd, PollFlags::IN)];
        match poll(&mut fds, Some(&until(deadline))) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The time left until a deadline, as `poll` wants it.
pub(crate) fn until(deadline: Instant) -> Timespec {
    let left = deadline.saturating_duration_since(Instant::now());
    Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    fn speaks_both_ways(here: impl SerialSource, there: impl SerialSource) {
        there.send(b"BM1 0 begin=bios\r\n").expect("send");
        assert_eq!(
            receive(&here, soon()).expect("receive"),
            Received::Bytes(b"BM1 0 begin=bios\r\n".to_vec())
        );
        here.send(&[0, 0xFF, 0x0D, 0x0A, 0x11]).expect("send");
        assert_eq!(
            receive(&there, soon()).expect("receive"),
            Received::Bytes(vec![0, 0xFF, 0x0D, 0x0A, 0x11])
        );
        assert_eq!(
            receive(&here, Instant::now()).expect("receive"),
            Received::TimedOut
        );
        drop(there);
        assert_eq!(receive(&here, soon()).expect("receive"), Received::Closed);
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
