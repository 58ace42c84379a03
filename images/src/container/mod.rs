//! What a file is that is no ISO, though somebody took it for one, and the command that makes an ISO of it.
//!
//! Sources of the layouts: libmagic's files `archive`, `cdrom`, `compress`, `filesystems` and `msdos`; libmirage's parsers for
//! the images of CD burning programs; ECMA-130 §14 for raw sectors; ECMA-167 2/9 for UDF's recognition sequence.

mod format;
mod remedy;

use std::{
    fmt,
    path::{Path, PathBuf},
};

pub use self::{format::Format, remedy::Remedy};
use crate::inspect::Source;

/// A file of another format than ISO 9660.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// What it is.
    pub format: Format,
    path: PathBuf,
    /// The file with the sectors, where this is the one that describes them.
    sectors: Option<PathBuf>,
}

impl Container {
    /// What a file is; `None` if it is an ISO, whatever else it is besides, or nothing that is known.
    ///
    /// `name` is where the file is: some formats are two files side by side.
    #[must_use]
    pub fn recognise(source: &dyn Source, name: &Path) -> Option<Self> {
        let format = Format::of(source)?;
        let sectors = match format {
            Format::Cue => Some(remedy::file_in_cue_sheet(source, name)),
            Format::CloneCd => Some(name.with_extension("img")),
            Format::Alcohol => Some(name.with_extension("mdf")),
            _ => None,
        };
        Some(Self {
            format,
            path: name.to_owned(),
            sectors,
        })
    }

    /// The format's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.format.words().0
    }

    /// How to come to an ISO.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        remedy::of(self.format, &self.path, self.sectors.as_deref())
    }
}

/// One sentence that says what it is.
impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.format.words().1)
    }
}

#[cfg(test)]
mod tests;
