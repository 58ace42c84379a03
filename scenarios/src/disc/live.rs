//! Discs that are put together from packages.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use harness::live::{Built, KEYS, Stock, build, payload};

use super::{Disc, Exported, ISO, WORK, once, open_in, refuse, replace};
use crate::{
    files::{self, FileError},
    id::DiscId,
    live::Live,
};

/// Puts a live disc together unless that was done since some moment, its payload too. Only one of several processes does it.
///
/// # Errors
/// A package lacks a file, the disk is full, or the folder cannot be written.
pub fn live_once(
    live: &Live,
    id: &DiscId,
    discs: &Path,
    since: SystemTime,
    stock: &Stock,
) -> Result<Disc, FileError> {
    let folder = discs.join(id.path());
    let payload = match &live.layout.kernel {
        None => None,
        Some(kernel) => Some(payload_once(kernel, live, discs, since, stock)?),
    };
    once(&folder, since, |made| {
        if made {
            return open_in(&folder);
        }
        // Not in the disc's own folder: xorriso takes the `=` in its name for one that joins two paths.
        let unfinished = files::unfinished(&discs.join("live"));
        let failed = || FileError::new("make the disc", &folder);
        let built = put_together(live, &unfinished, payload.as_deref(), stock);
        built
            .and_then(|()| replace(&unfinished, &folder))
            .map_err(failed())?;
        open_in(&folder)
    })
}

/// Puts a live disc together in a file.
///
/// # Errors
/// A package lacks a file, the disk is full, or the folder cannot be written.
pub fn export_live(live: &Live, file: &Path, stock: &Stock) -> Result<Exported, FileError> {
    let folder = files::unfinished(file);
    let disc = folder.join("disc");
    let made = match &live.layout.kernel {
        None => Ok(None),
        // Whatever stands there is older than what has not begun.
        Some(kernel) => payload_once(kernel, live, &folder, SystemTime::now(), stock).map(Some),
    };
    let made = made.and_then(|payload| {
        put_together(live, &disc, payload.as_deref(), stock)
            .map_err(FileError::new("make the disc", file))?;
        match open_in(&disc)? {
            Disc::Refused(words) => Ok(Exported::Refused(words)),
            Disc::Made { iso, .. } => {
                fs::rename(&iso, file).map_err(FileError::new("write", file))?;
                let made = fs::metadata(file).map_err(FileError::new("read", file))?;
                Ok(Exported::Made { bytes: made.len() })
            }
        }
    });
    // Nothing in it is needed.
    drop(fs::remove_dir_all(&folder));
    made
}

/// The payload of a kernel, made unless that was done since some moment.
fn payload_once(
    kernel: &str,
    live: &Live,
    discs: &Path,
    since: SystemTime,
    stock: &Stock,
) -> Result<PathBuf, FileError> {
    // No scenario is called so.
    let folder = discs.join(format!(".payload-{kernel}"));
    once(&folder, since, |made| {
        if !made {
            let unfinished = files::unfinished(&folder);
            let init = live.layout.here.join(INIT);
            let init = fs::read(&init).map_err(FileError::new("read", init))?;
            payload::make(stock, kernel, &init, &unfinished)
                .and_then(|()| replace(&unfinished, &folder))
                .map_err(FileError::new("make the payload", &folder))?;
        }
        Ok(folder.clone())
    })
}

/// The script beside the layouts that every kernel starts first.
const INIT: &str = "init.sh";

/// Leaves a folder with the disc, or with the words of the command that failed.
fn put_together(
    live: &Live,
    folder: &Path,
    payload: Option<&Path>,
    stock: &Stock,
) -> io::Result<()> {
    let work = folder.join(WORK);
    fs::create_dir_all(&work)?;
    let built = build(&live.layout, live.damage.as_deref(), stock, payload, &work);
    match built {
        Err(error) => {
            drop(fs::remove_dir_all(folder));
            return Err(error);
        }
        Ok(Built::Refused(words)) => refuse(folder, &words)?,
        Ok(Built::Made(iso)) => {
            fs::rename(iso, folder.join(ISO))?;
            let keys = work.join(KEYS);
            if keys.is_dir() {
                fs::rename(keys, folder.join(KEYS))?;
            }
        }
    }
    fs::remove_dir_all(&work)
}
