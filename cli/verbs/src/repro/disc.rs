//! The disc that somebody holds: read, never written, and never copied.

use std::{
    fs::Metadata,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use images::{
    differ::Side,
    inspect::{DiscFile, Options, Window},
};
use scenarios::runner::boot::ReadDisc;

use crate::{inspect::revocations, iso, place::absolute, stop::Stop};

/// A disc, and all that can be known of it without booting it.
#[derive(Clone)]
pub(super) struct Disc {
    pub(super) path: PathBuf,
    pub(super) file: Arc<DiscFile>,
    pub(super) read: ReadDisc,
    stamp: Stamp,
}

/// By what a change shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: (i64, i64),
    inode: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            inode: metadata.ino(),
        }
    }
}

impl Disc {
    /// Opens and reads it; `remedy` is what else to name where it cannot be.
    ///
    /// # Errors
    /// It cannot be read, or is no disc but something that a disc can be made of.
    pub(super) fn open(path: &Path, remedy: &str) -> Result<Self, Stop> {
        let path = absolute(path);
        let file = iso::open(&path, remedy)?;
        let stamp = Stamp::of(
            &path
                .metadata()
                .map_err(|error| Stop::usage(error, remedy))?,
        );
        let revocations = revocations::read(None, None)?;
        let options = Options {
            revocations: Some(&revocations),
            ..Options::default()
        };
        let read = ReadDisc::strangers(&mut Window::new(&file), &options)
            .map_err(|error| Stop::usage(error, remedy))?;
        Ok(Self {
            path,
            file: Arc::new(file),
            read,
            stamp,
        })
    }

    /// One side of a comparison, through a window on the disc.
    pub(super) fn side<'s, 'd>(&'s self, disc: &'s mut Window<'d>) -> Side<'s, 'd> {
        Side {
            disc,
            inspection: &self.read.inspection,
            map: &self.read.map,
        }
    }

    /// The same disc with another file, in which only some sectors of it are.
    pub(super) fn cut_down_to(&self, iso: &Path) -> Self {
        Self {
            path: iso.to_owned(),
            ..self.clone()
        }
    }

    /// Whether it is still the disc that was read first: else nothing of what was seen fits together.
    pub(super) fn is_unchanged(&self) -> Result<(), Stop> {
        let now = self.path.metadata().map(|metadata| Stamp::of(&metadata));
        if now.is_ok_and(|now| now == self.stamp) {
            return Ok(());
        }
        let what = format!("{} changed while it was read", self.path.display());
        Err(Stop::usage(
            what,
            "wait until the writing process has finished, and start again",
        ))
    }
}
