//! What is shared by the readers of all formats.

use std::collections::BTreeSet;

use super::{
    configuration::{FileSystem, Loader},
    path::normal,
    volume::{Eyes, Found, Volumes},
};

/// Files that are read at most.
const FILES: usize = 64;

/// Entries that are kept at most, of all configurations together.
pub(super) const ENTRIES: usize = 1_000;

/// Files that an entry or a configuration names, of which so many are kept; the same for searches.
pub(super) const NAMED: usize = 256;

/// How deep files include one another.
pub(super) const INCLUDES: usize = 8;

/// Characters that are kept of a title, a path or a command line.
const TEXT: usize = 4_096;

/// What is shared by the readers of all formats: the disc, and what of the bounds is left.
#[derive(Debug)]
pub(super) struct Reader<'w, 'd> {
    pub(super) volumes: Volumes<'w, 'd>,
    pub(super) files: usize,
    pub(super) entries: usize,
    /// Configurations that stand in the list already.
    pub(super) read: BTreeSet<(Loader, FileSystem, String)>,
}

impl Reader<'_, '_> {
    /// A file's text, and whether it is whole; `None` where there is none or too many were read.
    pub(super) fn text(
        &mut self,
        system: FileSystem,
        path: &str,
        eyes: Eyes,
    ) -> Option<(String, bool)> {
        if self.files >= FILES {
            return None;
        }
        let text = self.volumes.text(system, path, eyes)?;
        self.files += 1;
        Some(text)
    }

    /// Whether there is a file at a path, as far as that can be told.
    pub(super) fn exists(&mut self, system: FileSystem, path: &str, eyes: Eyes) -> Option<bool> {
        match self.volumes.find(system, path, eyes) {
            Found::File { .. } => Some(true),
            Found::Directory | Found::Missing => Some(false),
            Found::Unknown => None,
        }
    }

    /// Takes room for one more entry.
    pub(super) fn has_room_for_an_entry(&mut self) -> bool {
        let has = self.entries < ENTRIES;
        self.entries += usize::from(has);
        has
    }

    /// Whether a configuration is not read yet; it counts as read from now on.
    pub(super) fn is_new(&mut self, loader: Loader, system: FileSystem, path: &str) -> bool {
        let normal = normal(path).to_ascii_lowercase();
        self.read.insert((loader, system, normal))
    }
}

/// A text as it is kept: not longer than [`TEXT`].
pub(super) fn kept(text: &str) -> String {
    text.chars().take(TEXT).collect()
}

/// A line's number, which cannot be larger than a file.
pub(super) fn line_number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
