//! What is known of a checkpoint.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use super::{
    digest,
    saved::{Checkpoint, MEMORY, NoCheckpoint, PROGRAM, RECORD, STATE},
};
use crate::platform::Platform;

/// What a checkpoint was made from, and how it was left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// QEMU's version.
    pub qemu: String,
    /// The firmware's id.
    pub firmware: String,
    /// The firmware's version.
    pub firmware_version: String,
    /// How a disc hangs on the machine.
    pub attachment: String,
    /// How long it took to make, in milliseconds.
    pub made_in_ms: u64,
    /// Why there is none.
    pub refusal: Option<Refusal>,
    /// Its files, as they were left.
    files: Vec<FileRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileRecord {
    name: String,
    bytes: u64,
    modified_s: i64,
    modified_ns: i64,
    crc32: u32,
}

/// Why a platform has no checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The firmware went on to boot and did not run the program that stops it. It never will.
    PassedBy,
    /// The machine did not get there in time. Another time it may.
    Overdue,
    /// QEMU died or could not save it. Another time it may.
    Failed,
}

impl Refusal {
    /// Whether it will be the same whenever it is tried.
    pub(super) const fn is_final(self) -> bool {
        matches!(self, Self::PassedBy)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::PassedBy => {
                "the firmware goes on to boot and does not run the program that stops it for a checkpoint"
            }
            Self::Overdue => "the machine was not ready for a checkpoint in time",
            Self::Failed => "QEMU could not save the machine",
        })
    }
}

/// A checkpoint in a folder.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its folder.
    pub folder: PathBuf,
    /// What is known of it.
    pub record: Record,
    /// What it takes on the disk, in bytes.
    pub allocated: u64,
    /// When a run last used it.
    pub used: Option<SystemTime>,
}

impl Record {
    /// Of a checkpoint that is still to be made.
    pub(super) fn new(platform: &Platform) -> Self {
        Self {
            qemu: platform.emulator.version.to_string(),
            firmware: platform.firmware.id.to_string(),
            firmware_version: platform.firmware.version.clone(),
            attachment: platform.attachment.to_string(),
            made_in_ms: 0,
            refusal: None,
            files: Vec::new(),
        }
    }

    /// Takes down how the files are now.
    pub(super) fn take_down(&mut self, folder: &Path) -> io::Result<()> {
        for name in [MEMORY, STATE, PROGRAM] {
            let path = folder.join(name);
            let metadata = fs::metadata(&path)?;
            self.files.push(FileRecord {
                name: name.to_owned(),
                bytes: metadata.len(),
                modified_s: metadata.mtime(),
                modified_ns: metadata.mtime_nsec(),
                crc32: digest::of_content(&path)?,
            });
        }
        Ok(())
    }

    /// `None` when there is none that can be read.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(RECORD)).ok()?).ok()
    }

    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        fs::write(folder.join(RECORD), serde_json::to_vec_pretty(self)?)
    }

    pub(super) fn usable(&self, folder: &Path) -> Result<Checkpoint, NoCheckpoint> {
        match &self.refusal {
            Some(refusal) if refusal.is_final() => Err(NoCheckpoint::Never(refusal.to_string())),
            Some(refusal) => Err(NoCheckpoint::NotNow(refusal.to_string())),
            None => Ok(Checkpoint {
                folder: folder.to_owned(),
            }),
        }
    }

    /// Whether nobody has written to the files since, as far as the file system tells.
    pub(super) fn looks_whole(&self, folder: &Path) -> bool {
        self.files.iter().all(|file| {
            fs::metadata(folder.join(&file.name)).is_ok_and(|metadata| {
                (metadata.len(), metadata.mtime(), metadata.mtime_nsec())
                    == (file.bytes, file.modified_s, file.modified_ns)
            })
        })
    }

    /// Whether every byte is as it was.
    pub(super) fn is_whole(&self, folder: &Path) -> bool {
        self.looks_whole(folder)
            && self.files.iter().all(|file| {
                digest::of_content(&folder.join(&file.name)).is_ok_and(|crc| crc == file.crc32)
            })
    }
}

impl Kept {
    pub(super) fn new(folder: &Path, record: Record) -> Self {
        let sizes = fs::read_dir(folder).into_iter().flatten().flatten();
        let allocated = sizes
            .filter_map(|entry| Some(entry.metadata().ok()?.blocks() * 512))
            .sum();
        Self {
            folder: folder.to_owned(),
            record,
            allocated,
            used: fs::metadata(folder.join(RECORD))
                .and_then(|metadata| metadata.modified())
                .ok(),
        }
    }
}

/// Takes down that a run uses it now. Best effort: it decides only what goes first when there are too many.
pub(super) fn mark_used(folder: &Path) {
    drop(
        fs::File::options()
            .write(true)
            .open(folder.join(RECORD))
            .and_then(|file| file.set_modified(SystemTime::now())),
    );
}
