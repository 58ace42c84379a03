//! What the menus of boot loaders offer, and whether it is on the disc.
//!
//! A loader finds its configuration where its program looks for it: isolinux in five directories of the tree, GRUB beside its prefix, in the tree or in the
//! FAT image of an EFI entry, systemd-boot in `/loader`, Limine where the disc's own build of it looks. Each such file is read as that loader reads it, with what it includes, and every path in it is looked up
//! by the names that this loader knows.
//!
//! Nothing is guessed: a path with a variable of which the value is not known, in a condition, or on another device is named, and not judged. All walks are
//! bounded: 64 files of at most 256 KiB, 1,000 entries, includes to a depth of 8.

mod configuration;
mod grub;
mod isolinux;
mod item;
pub(crate) mod limine;
mod path;
mod reader;
mod systemd_boot;
mod volume;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use self::configuration::{
    Configuration, DefaultEntry, Entry, FileSystem, FixedDevice, Loader, NamedFile, Search,
    SearchBy, Start, Timeout,
};
use self::reader::Reader;
pub(crate) use self::volume::{Eyes, Found, Volumes};
use crate::inspect::{Inspection, Window};

/// All boot-loader configurations of a disc.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootConfigurations {
    /// Each, in the order in which they were found: isolinux', GRUB's in the tree and in the images, systemd-boot's, Limine's.
    pub all: Vec<Configuration>,
}

impl BootConfigurations {
    /// Those of a loader.
    pub fn of(&self, loader: Loader) -> impl Iterator<Item = &Configuration> {
        self.all.iter().filter(move |it| it.loader == loader)
    }

    /// Whether what this loader's menu offers is on the disc.
    ///
    /// A disc may have several configurations of one loader, for several firmwares: it is true where one of them offers something, and
    /// false where those that offer anything name files that are not on the disc. `None` where there is no configuration that
    /// has entries.
    #[must_use]
    pub fn offers_something_on_the_disc(&self, loader: Loader) -> Option<bool> {
        let offers = self.of(loader);
        let offers = offers.filter_map(Configuration::offers_something_on_the_disc);
        offers.reduce(|one, other| one || other)
    }

    /// Reads the configurations of a disc that was inspected.
    #[must_use]
    pub fn read(disc: &mut Window<'_>, inspection: &Inspection) -> Self {
        let mut reader = Reader {
            volumes: Volumes::new(disc, inspection),
            files: 0,
            entries: 0,
            read: BTreeSet::new(),
        };
        let mut all = Vec::new();
        isolinux::read(&mut reader, &mut all);
        grub::read(&mut reader, &mut all);
        systemd_boot::read(&mut reader, &mut all);
        limine::read(&mut reader, &mut all);
        Self { all }
    }
}

#[cfg(test)]
pub(crate) mod tests;
