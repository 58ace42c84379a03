//! What a file is that is no ISO, though somebody took it for one, and the command that makes an ISO of it.
//!
//! Sources of the layouts: libmagic's files `archive`, `cdrom`, `compress`, `filesystems` and `msdos`; libmirage's parsers for
//! the images of CD burning programs; ECMA-130 §14 for raw sectors; ECMA-167 2/9 for UDF's recognition sequence.

mod format;
mod partition;
mod remedy;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use self::partition::IsoPartition;
pub use self::{format::Format, remedy::Remedy};
use crate::inspect::{Source, Window};

/// A file of another format than ISO 9660.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// What it is.
    pub format: Format,
    path: PathBuf,
    /// The file with the sectors, where this is the one that describes them.
    sectors: Option<PathBuf>,
    /// The partition with an ISO in it, where it is the image of a disk that has one.
    partition: Option<IsoPartition>,
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
        let partition = match format {
            Format::IsoInPartition => IsoPartition::find(&mut Window::new(source)),
            _ => None,
        };
        Some(Self {
            format,
            path: name.to_owned(),
            sectors,
            partition,
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
        if let Some(partition) = self.partition {
            return remedy::of_partition(partition, &self.path);
        }
        remedy::of(self.format, &self.path, self.sectors.as_deref())
    }

    /// Whether a firmware may find an ISO in it all the same, as it is.
    #[must_use]
    pub const fn holds_an_iso(&self) -> bool {
        matches!(self.format, Format::IsoInPartition)
    }
}

/// One sentence that says what it is.
impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.format.words().1)?;
        match self.partition {
            Some(partition) => write!(f, " (partition {})", partition.number),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
