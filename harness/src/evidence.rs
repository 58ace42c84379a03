//! A cell's evidence folder.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::machine::{files::open_left, spec::TRACE_LOG};

/// The observation's name. It is written last, and shows that the other files are complete.
pub const OBSERVATION: &str = "observation.json";
/// The bytes of the serial line.
pub const SERIAL_RAW: &str = "serial.raw";
/// The time of each piece of it.
pub const SERIAL_TIMES: &str = "serial-times.txt";
/// The same without control sequences.
pub const SERIAL_TEXT: &str = "serial.txt";
/// The serial line as a terminal shows it.
pub const SERIAL_SCREEN: &str = "serial-screen.txt";
/// The machine's screen as text.
pub const SCREEN_TEXT: &str = "screen.txt";
/// The machine's screen as a picture.
pub const SCREENSHOT: &str = "screenshot.png";
/// A script that boots the disc the same way, without this crate.
pub const REPLAY: &str = "replay.sh";
/// The changes to the disc, if any: an overlay in qcow2.
pub const OVERLAY: &str = "overlay.qcow2";
/// The names of all other files that a run may leave.
const FILES: &[&str] = &[
    SERIAL_RAW,
    SERIAL_TIMES,
    SERIAL_TEXT,
    SERIAL_SCREEN,
    "debug.txt",
    "qemu-stderr.txt",
    TRACE_LOG,
    "reads.txt",
    REPLAY,
    SCREENSHOT,
    SCREEN_TEXT,
    "registers.txt",
    "infra.txt",
    OVERLAY,
];

/// The folder of the machine itself, as long as it runs.
const MACHINE: &str = "machine";

/// The folder for a run's observations.
#[derive(Clone, Debug)]
pub struct EvidenceFolder {
    path: PathBuf,
}

/// A file of evidence that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("evidence {} cannot be written: {source}; free some space or choose another folder", path.display())]
pub struct EvidenceError {
    path: PathBuf,
    source: io::Error,
}

impl EvidenceFolder {
    /// Creates the folder, and removes an earlier run's evidence from it, the observation first.
    ///
    /// # Errors
    /// The folder cannot be created or written.
    pub fn create(path: &Path) -> Result<Self, EvidenceError> {
        let failed = |source| EvidenceError {
            path: path.to_owned(),
            source,
        };
        let path = std::path::absolute(path).map_err(failed)?;
        fs::create_dir_all(&path).map_err(failed)?;
        let folder = Self { path };
        folder.remove(OBSERVATION)?;
        for name in FILES {
            folder.remove(name)?;
        }
        folder.remove_machine()?;
        Ok(folder)
    }

    /// Creates an empty folder for a machine, which only its user can read.
    ///
    /// # Errors
    /// It cannot be created.
    pub fn machine(&self) -> Result<PathBuf, EvidenceError> {
        let path = self.path.join(MACHINE);
        self.remove_machine()?;
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map(|()| path.clone())
            .map_err(|source| EvidenceError { path, source })
    }

    /// Removes that folder, but keeps the log of the machine's reads.
    ///
    /// # Errors
    /// The host refuses.
    pub fn end_machine(&self) -> Result<(), EvidenceError> {
        let left = self.path.join(MACHINE).join(TRACE_LOG);
        let path = self.path.join(TRACE_LOG);
        // Nothing to keep, or not written by QEMU.
        if open_left(&left).is_ok() {
            let ours = rustix::process::geteuid().as_raw();
            std::os::unix::fs::lchown(&left, Some(ours), None)
                .and_then(|()| fs::rename(&left, &path))
                .map_err(|source| EvidenceError { path, source })?;
        }
        self.remove_machine()
    }

    fn remove_machine(&self) -> Result<(), EvidenceError> {
        let path = self.path.join(MACHINE);
        match fs::remove_dir_all(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(EvidenceError { path, source })
            }
            _ => Ok(()),
        }
    }

    /// The folder, absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Creates an empty file for another process to write.
    ///
    /// # Errors
    /// It cannot be created.
    pub fn file(&self, name: &str) -> Result<fs::File, EvidenceError> {
        let path = self.path.join(name);
        fs::File::create(&path).map_err(|source| EvidenceError { path, source })
    }

    /// Writes a file, completely or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), EvidenceError> {
        self.write_with_mode(name, bytes, 0o666)
    }

    /// Writes a script, completely or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_script(&self, name: &str, bytes: &[u8]) -> Result<(), EvidenceError> {
        self.write_with_mode(name, bytes, 0o777)
    }

    fn write_with_mode(&self, name: &str, bytes: &[u8], mode: u32) -> Result<(), EvidenceError> {
        let path = self.path.join(name);
        let partial = self.path.join(format!(".{name}.partial"));
        let write = || {
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(mode)
                .open(&partial)?;
            io::Write::write_all(&mut file, bytes)?;
            fs::rename(&partial, &path)
        };
        write().map_err(|source| {
            let _ = fs::remove_file(&partial);
            EvidenceError {
                path: path.clone(),
                source,
            }
        })
    }

    /// Removes a file, if it exists.
    ///
    /// # Errors
    /// It exists but cannot be removed.
    pub fn remove(&self, name: &str) -> Result<(), EvidenceError> {
        let path = self.path.join(name);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(EvidenceError { path, source })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_observation_does_not_outlive_a_new_run() {
        let temporary = tempfile::tempdir().expect("folder");
        let path = temporary.path().join("a/b/c");
        let folder = EvidenceFolder::create(&path).expect("create");
        folder.write(OBSERVATION, b"{}").expect("write");
        folder
            .write_script("replay.sh", b"#!/bin/sh\n")
            .expect("write");
        EvidenceFolder::create(&path).expect("create again");
        assert_eq!(fs::read_dir(&path).expect("list").count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let temporary = tempfile::tempdir().expect("folder");
        let file = temporary.path().join("file");
        fs::write(&file, b"").expect("write");
        let error = EvidenceFolder::create(&file.join("cell")).expect_err("a file is no folder");
        assert!(error.to_string().contains("cell"), "{error}");
    }
}
