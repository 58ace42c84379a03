//! Machines that have finished their power-on self-test, saved once and shared by every case that starts from there.
//!
//! A checkpoint is a folder: the guest's memory, the rest of the machine's state, what the machine had said until then, and a record of
//! what it was made from. It appears whole, by a rename, or not at all; whoever makes one holds a lock, and whoever needs the same one waits for it.
//! The folder's name is a digest of everything that the state depends on, so that another QEMU, firmware or option has another checkpoint
//! and an old one is never found again.

mod digest;
mod make;
mod record;
mod saved;

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

pub use self::{
    record::{Kept, Record, Refusal},
    saved::{Checkpoint, NoCheckpoint},
};

use crate::platform::Platform;

/// As many are kept; the ones that were used longest ago go first. Each takes some ten megabytes.
const KEPT_MAX: usize = 40;

/// A folder of checkpoints. Several runs may share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoints {
    folder: PathBuf,
}

impl Checkpoints {
    /// The checkpoints in a folder, which need not be there yet.
    #[must_use]
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Where they are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The checkpoint of a platform, made now if there is none. What is obviously not as it was left is made again.
    ///
    /// # Errors
    /// [`NoCheckpoint`]: then the machine has to start cold.
    pub fn get(&self, platform: &Platform) -> Result<Checkpoint, NoCheckpoint> {
        self.get_if(platform, Record::looks_whole)
    }

    /// As [`Checkpoints::get`], but reads the whole of it to be sure that it is as it was left, and tries again what could not be made.
    ///
    /// # Errors
    /// As [`Checkpoints::get`].
    pub fn prepare(&self, platform: &Platform) -> Result<Checkpoint, NoCheckpoint> {
        let checkpoint = self.get_if(platform, |record, folder| {
            record.refusal.is_none_or(Refusal::is_final) && record.is_whole(folder)
        });
        if let Ok(checkpoint) = &checkpoint {
            record::mark_used(&checkpoint.folder);
            self.bound(&checkpoint.folder);
        }
        checkpoint
    }

    fn get_if(
        &self,
        platform: &Platform,
        good: impl Fn(&Record, &Path) -> bool,
    ) -> Result<Checkpoint, NoCheckpoint> {
        if let Some(why) = platform.why_cold() {
            return Err(NoCheckpoint::Never(why.to_owned()));
        }
        let key = digest::of_platform(platform)?;
        let folder = self.folder.join(&key);
        let host = |source| NoCheckpoint::Host {
            folder: self.folder.clone(),
            source,
        };
        if let Some(record) = Record::read(&folder).filter(|record| good(record, &folder)) {
            return record.usable(&folder);
        }
        fs::create_dir_all(&self.folder).map_err(host)?;
        let lock = fs::File::create(self.folder.join(format!("{key}.lock"))).map_err(host)?;
        lock.lock().map_err(host)?;
        // Somebody else may have made it meanwhile.
        if let Some(record) = Record::read(&folder).filter(|record| good(record, &folder)) {
            return record.usable(&folder);
        }
        // With the lock in hand, whatever is unfinished was left by somebody who was killed.
        let unfinished = self.folder.join(format!("{key}.unfinished"));
        for old in [&folder, &unfinished] {
            remove_folder(old).map_err(host)?;
        }
        fs::create_dir_all(&unfinished).map_err(host)?;
        let made = make::make(platform, &unfinished);
        let record = match made {
            Ok(record) => record,
            Err(error) => {
                // Best effort: it is removed at the next attempt in any case.
                drop(remove_folder(&unfinished));
                if matches!(error, NoCheckpoint::Qemu(_)) {
                    // So that not every case that needs it tries again.
                    let mut record = Record::new(platform);
                    record.refusal = Some(Refusal::Failed);
                    drop(fs::create_dir(&folder).and_then(|()| record.write(&folder)));
                }
                return Err(error);
            }
        };
        record.write(&unfinished).map_err(host)?;
        fs::rename(&unfinished, &folder).map_err(host)?;
        record.usable(&folder)
    }

    /// Every checkpoint in the folder, the one used last first.
    ///
    /// # Errors
    /// The folder cannot be read. There being none is no error.
    pub fn list(&self) -> io::Result<Vec<Kept>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut kept = Vec::new();
        for entry in entries {
            let folder = entry?.path();
            if let Some(record) = Record::read(&folder) {
                kept.push(Kept::new(&folder, record));
            }
        }
        kept.sort_by_key(|kept| std::cmp::Reverse(kept.used.unwrap_or(SystemTime::UNIX_EPOCH)));
        Ok(kept)
    }

    /// Removes every checkpoint, and whatever was left by somebody who was killed while making one. Says how many there were. A machine that was
    /// started from one goes on.
    ///
    /// # Errors
    /// One cannot be removed.
    pub fn clear(&self) -> io::Result<usize> {
        let kept = self.list()?.len();
        remove_folder(&self.folder)?;
        Ok(kept)
    }

    /// Removes a checkpoint that QEMU does not take. Best effort: it is no reason to fail.
    pub(crate) fn discard(&self, checkpoint: &Checkpoint) {
        drop(remove_folder(&checkpoint.folder));
    }

    /// Keeps the folder bounded. Best effort: what cannot be removed now can be later.
    fn bound(&self, in_use: &Path) {
        let Ok(kept) = self.list() else { return };
        for old in kept.iter().skip(KEPT_MAX) {
            if old.folder != in_use {
                drop(remove_folder(&old.folder));
            }
        }
    }
}

fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
