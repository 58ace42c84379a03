//! Serial ports of this host, each for one program alone.

use std::{
    fmt, fs, io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::{FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
    termios::{ioctl_tiocexcl, ioctl_tiocnxcl},
};
use serial2::SerialPort;

use super::SerialSource;

/// An open port that is this program's alone. Dropping it gives it free also where it outlives that: a pseudo-terminal keeps what was set
/// as long as its other end is there, and only root passes by.
#[derive(Debug)]
pub struct Port(SerialPort);

impl Drop for Port {
    fn drop(&mut self) {
        // Best effort: a port that is gone is nobody's.
        let _gone = ioctl_tiocnxcl(&self.0);
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl SerialSource for Port {
    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.receive(buffer)
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.send(bytes)
    }
}

/// A serial port that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// There is no such file.
    #[error("port {} does not exist: {}", path.display(), listed(there))]
    Missing {
        /// Its path.
        path: PathBuf,
        /// The ports that there are.
        there: Vec<PathBuf>,
    },
    /// It is something else.
    #[error("{} is no serial port", .0.display())]
    NoPort(PathBuf),
    /// Another program has it.
    #[error("{} is in use by {by}", path.display())]
    Busy {
        /// Its path.
        path: PathBuf,
        /// By whom.
        by: Holder,
    },
    /// It may not be used.
    #[error("{} may not be opened by this user, only by group {group}", path.display())]
    Denied {
        /// Its path.
        path: PathBuf,
        /// The number of the group that it belongs to.
        group: u32,
    },
    /// It has no such speed.
    #[error("{} cannot be set to {speed} baud: {cause}", path.display())]
    Speed {
        /// Its path.
        path: PathBuf,
        /// The speed.
        speed: u32,
        /// Why.
        cause: io::Error,
    },
    /// It failed.
    #[error("{} cannot be opened: {cause}", path.display())]
    Failed {
        /// Its path.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

fn listed(ports: &[PathBuf]) -> String {
    match ports {
        [] => "this host has none".to_owned(),
        ports => {
            let names = ports.iter().map(|port| port.display().to_string());
            format!("there is {}", names.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Who has a port open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A process, by its id and its command line.
    Process {
        /// Its id.
        pid: u32,
        /// Its words, with spaces between.
        command: String,
    },
    /// A process of another user, into which we cannot look.
    Unknown,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { pid, command } => write!(f, "process {pid} ({command})"),
            Self::Unknown => f.write_str("another user's process"),
        }
    }
}

/// Opens a port, raw, with 8 data bits, no parity and one stop bit. It is locked for others until it is closed, and
/// refused when another process has it open already, locked or not: two readers would get half of the bytes each.
///
/// # Errors
/// It is not there, is no serial port, is in use, or may not be opened.
pub fn open(path: &Path, speed: u32) -> Result<Port, PortError> {
    let failed = |cause: io::Error| PortError::Failed {
        path: path.to_owned(),
        cause,
    };
    let file = match fs::metadata(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(PortError::Missing {
                path: path.to_owned(),
                // A host that cannot tell has none to offer.
                there: SerialPort::available_ports().unwrap_or_default(),
            });
        }
        Err(error) => return Err(failed(error)),
    };
    // Opening a FIFO would wait for its other end.
    if !file.file_type().is_char_device() {
        return Err(PortError::NoPort(path.to_owned()));
    }
    let device = file.rdev();
    let busy = || PortError::Busy {
        path: path.to_owned(),
        by: holder(device).unwrap_or(Holder::Unknown),
    };
    // As it is: whether it can have the speed is a question of its own.
    let port =
        SerialPort::open(path, |settings: serial2::Settings| Ok(settings)).map_err(|cause| {
            match Errno::from_io_error(&cause) {
                Some(Errno::ACCESS | Errno::PERM) => PortError::Denied {
                    path: path.to_owned(),
                    group: file.gid(),
                },
                Some(Errno::BUSY) => busy(),
                Some(Errno::NOTTY | Errno::INVAL) => PortError::NoPort(path.to_owned()),
                _ => failed(cause),
            }
        })?;
    // Most programs lock nothing.
    if holder(device).is_some() {
        return Err(busy());
    }
    flock(&port, FlockOperation::NonBlockingLockExclusive).map_err(|error| match error {
        Errno::AGAIN => busy(),
        error => failed(error.into()),
    })?;
    ioctl_tiocexcl(&port).map_err(|error| failed(error.into()))?;
    let mut port = Port(port);
    let line = &mut port.0;
    let set = line.get_configuration().and_then(|mut settings| {
        settings.set_raw();
        settings.set_baud_rate(speed)?;
        line.set_configuration(&settings)
    });
    set.map_err(|cause| PortError::Speed {
        path: path.to_owned(),
        speed,
        cause,
    })?;
    Ok(port)
}

/// Another process that has this device open, as `fuser` finds it. Processes of other users are seen by root only.
fn holder(device: u64) -> Option<Holder> {
    let own = std::process::id();
    let pid = |entry: fs::DirEntry| entry.file_name().to_str()?.parse::<u32>().ok();
    let processes = fs::read_dir("/proc").ok()?.flatten().filter_map(pid);
    let has_it = |pid: &u32| {
        let files = fs::read_dir(format!("/proc/{pid}/fd"));
        // What a descriptor is, not what it is called: a port has many names.
        let is_it = |file: fs::DirEntry| {
            fs::metadata(file.path())
                .is_ok_and(|file| file.file_type().is_char_device() && file.rdev() == device)
        };
        files.is_ok_and(|files| files.flatten().any(is_it))
    };
    let pid = processes.filter(|&pid| pid != own).find(has_it)?;
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let command = String::from_utf8_lossy(&command).replace('\0', " ");
    Some(Holder::Process {
        pid,
        command: command.trim().to_owned(),
    })
}
