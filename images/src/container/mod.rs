//! What a file is that is no ISO, though somebody took it for one, and the command that makes an ISO of it.
//!
//! Sources of the layouts: libmagic's files `archive`, `cdrom`, `compress`, `filesystems` and `msdos`; libmirage's parsers for
//! the images of CD burning programs; ECMA-130 §14 for raw sectors; ECMA-167 2/9 for UDF's recognition sequence.

mod changed;
mod cue;
mod format;
mod part;
mod recognise;
mod remedy;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use self::part::Part;
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
    /// How many bytes stand before the ISO, where it does not begin with the file.
    shift: Option<i64>,
}

impl Container {
    /// What a file is; `None` if it is an ISO, whatever else it is besides, or nothing that is known.
    ///
    /// `name` is where the file is: some formats are two files side by side.
    #[must_use]
    pub fn recognise(source: &dyn Source, name: &Path) -> Option<Self> {
        let format = Format::of(source);
        let part = Part::of(name).filter(|part| part.is_one(source, format));
        let format = part.map_or(format, |_| Some(Format::Part))?;
        // What jigdo reads is a text, and often compressed.
        let is_jigdo = name.extension().is_some_and(|ending| ending == "jigdo");
        let format = match format {
            Format::Gzip | Format::Text if is_jigdo => Format::Jigdo,
            format => format,
        };
        let sectors = match format {
            Format::Cue => Some(cue::file_with_sectors(source, name)),
            Format::CloneCd => Some(name.with_extension("img")),
            Format::Alcohol => Some(name.with_extension("mdf")),
            _ => None,
        };
        Some(Self {
            format,
            path: name.to_owned(),
            sectors,
            shift: matches!(format, Format::Behind | Format::Beheaded)
                .then(|| changed::shift_of(&mut Window::new(source)))
                .flatten(),
        })
    }

    /// The format's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.format.words().0
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
