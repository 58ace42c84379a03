//! A name in a directory of any of a disc's file systems.

use crate::{
    fat::FatFile,
    units::{ByteCount, Lba},
};

/// One name in a directory.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) name: String,
    /// FAT's other name.
    pub(super) short: Option<String>,
    /// Whether upper and lower case are different.
    pub(super) exact: bool,
    pub(super) directory: bool,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// A file without a byte, and no link.
    Empty,
    Extents(Vec<(Lba, ByteCount)>),
    Cluster(u32, ByteCount),
}

impl Item {
    pub(super) fn of_fat(file: FatFile) -> Self {
        Self {
            name: file.name,
            short: Some(file.short),
            exact: false,
            directory: file.directory,
            content: Content::Cluster(file.cluster, file.length),
        }
    }

    pub(super) fn is_called(&self, name: &str) -> bool {
        let is_it = |own: &str| {
            if self.exact {
                own == name
            } else {
                own.eq_ignore_ascii_case(name)
            }
        };
        is_it(&self.name) || self.short.as_deref().is_some_and(is_it)
    }

    /// Whether it has this name in any case.
    pub(super) fn is_called_like(&self, name: &str) -> bool {
        let mut names = std::iter::once(&self.name).chain(&self.short);
        names.any(|own| own.eq_ignore_ascii_case(name))
    }
}
