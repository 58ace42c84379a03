//! The configuration of a boot loader, as it was read.

use serde::{Deserialize, Serialize};

use crate::units::Lba;

/// A boot loader that has a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loader {
    /// isolinux, which a BIOS starts; its relatives read the same language.
    Isolinux,
    /// GRUB 2.
    Grub,
    /// GRUB 2 of another medium, which starts this ISO as a file: `loopback.cfg`.
    GrubLoopback,
    /// systemd-boot.
    SystemdBoot,
    /// Limine.
    Limine,
}

/// Where on the disc a file system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileSystem {
    /// The directory tree of ISO 9660.
    Tree,
    /// The FAT file system of the boot image that starts at this block.
    Image(Lba),
}

/// A file that a configuration names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedFile {
    /// The path of the configuration file in which it is named.
    pub file: String,
    /// The line there, from 1.
    pub line: u32,
    /// The directive that names it, in lower case: `kernel`, `initrd`, `linux`.
    pub directive: String,
    /// Its path: absolute where it is known, and else as it is written.
    pub path: String,
    /// Whether it is on the disc; `None` where that is not judged.
    pub exists: Option<bool>,
}

/// One entry of a menu.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What the menu shows; a label where nothing else is given.
    pub title: String,
    /// The name by which others refer to it: an isolinux label, GRUB's `--id`, the file name of a systemd-boot entry.
    pub id: Option<String>,
    /// The path of the file in which it stands.
    pub file: String,
    /// The line on which it begins, from 1.
    pub line: u32,
    /// The entry that opens the submenu in which it stands: its index among the entries.
    pub parent: Option<usize>,
    /// Whether it is there only under a condition.
    pub conditional: bool,
    /// The files that it loads, in order.
    pub files: Vec<NamedFile>,
    /// What the kernel is given, without the kernel's path.
    pub command_line: Option<String>,
}

impl Entry {
    /// Whether all of its files are on the disc: false when one is missing, `None` when it names none or not all are judged.
    #[must_use]
    pub fn is_on_the_disc(&self) -> Option<bool> {
        if self.files.iter().any(|file| file.exists == Some(false)) {
            return Some(false);
        }
        let all = self.files.iter().all(|file| file.exists == Some(true));
        (all && !self.files.is_empty()).then_some(true)
    }
}

/// Which entry is started when a person chooses none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DefaultEntry {
    /// None is: nothing says one, and this loader takes none by itself.
    Unset,
    /// The entry of this index.
    Entry(usize),
    /// One of this name, which is not there.
    Missing(String),
    /// It depends on what is not known before the disc runs.
    Unknown,
}

/// How long a loader waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timeout {
    /// Nothing is said about it.
    Unset,
    /// For ever.
    Never,
    /// So many milliseconds.
    Milliseconds(u64),
}

/// When the default entry is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// At once.
    AtOnce,
    /// After so many milliseconds without a key.
    Milliseconds(u64),
    /// Only when a person says so.
    WhenAsked,
}

/// How GRUB's `search` finds a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchBy {
    /// It holds this file.
    File,
    /// It has this label.
    Label,
    /// It has this UUID: an ISO's date of modification, a FAT's serial number.
    Uuid,
}

/// A search for a file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// The path of the configuration file in which it stands.
    pub file: String,
    /// The line there, from 1.
    pub line: u32,
    /// What is compared.
    pub by: SearchBy,
    /// With what.
    pub wanted: String,
    /// The variable that is set to what is found: most often `root`.
    pub sets: Option<String>,
    /// Whether the disc has it; `None` where that is not judged.
    pub found: Option<bool>,
    /// The entry in which it stands; `None` where it is made before the menu.
    pub entry: Option<usize>,
}

/// A file that a configuration takes from a device by the device's name, such as `cd0` or `hd0,msdos1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedDevice {
    /// The path of the configuration file in which the file is named.
    pub file: String,
    /// The line there, from 1.
    pub line: u32,
    /// The device, without parentheses.
    pub device: String,
    /// The file's path on that device.
    pub path: String,
    /// The entry that needs it; `None` if it is needed before the menu.
    pub entry: Option<usize>,
}

/// A configuration, with all that it includes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// Whose it is.
    pub loader: Loader,
    /// Where it stands.
    pub file_system: FileSystem,
    /// Its path there. For systemd-boot this is `/loader/loader.conf`, whether or not there is such a file.
    pub path: String,
    /// The configuration that leads to it, by its path; `None` where the loader looks for it by itself.
    pub reached_from: Option<String>,
    /// The menu's entries, submenus flattened.
    pub entries: Vec<Entry>,
    /// Which entry is started when nobody chooses.
    pub default: DefaultEntry,
    /// Which one is started when the time is over, where that is another one (isolinux' `ONTIMEOUT`).
    pub on_timeout: Option<DefaultEntry>,
    /// How long the loader waits; `None` where that depends on a condition or a variable. Of isolinux' `TIMEOUT` and `TOTALTIMEOUT` the shorter one.
    pub timeout: Option<Timeout>,
    /// Whether a person is asked at all: by a menu, or at a prompt.
    pub prompts: bool,
    /// The program that shows the menu, where it is one of its own: isolinux' `menu.c32`.
    pub interface: Option<NamedFile>,
    /// Files that are named outside of the entries: what is included, and configurations to go on with.
    pub files: Vec<NamedFile>,
    /// Searches for file systems.
    pub searches: Vec<Search>,
    /// Files that are taken from a device by its name.
    pub fixed_devices: Vec<FixedDevice>,
    /// Where an entry begins whose brace is never closed: its file and line, and how many entries precede it.
    pub unclosed: Option<(String, u32, usize)>,
    /// Whether all of it was read and understood: no bound was reached, and every block is closed.
    pub complete: bool,
}

impl Configuration {
    pub(super) fn new(loader: Loader, file_system: FileSystem, path: String) -> Self {
        Self {
            loader,
            file_system,
            path,
            reached_from: None,
            entries: Vec::new(),
            default: DefaultEntry::Unset,
            on_timeout: None,
            timeout: Some(Timeout::Unset),
            prompts: true,
            interface: None,
            files: Vec::new(),
            searches: Vec::new(),
            fixed_devices: Vec::new(),
            unclosed: None,
            complete: true,
        }
    }

    /// Whether the entry of this index may start by itself. If no default is set, any may; if the default is missing, the first does.
    #[must_use]
    pub fn may_be_default(&self, index: usize) -> bool {
        match &self.default {
            DefaultEntry::Entry(default) => *default == index,
            DefaultEntry::Unset => true,
            DefaultEntry::Missing(_) => index == 0,
            DefaultEntry::Unknown => false,
        }
    }

    /// The entry that is started when nobody chooses, where it is known.
    #[must_use]
    pub fn default_entry(&self) -> Option<&Entry> {
        match self.default {
            DefaultEntry::Entry(index) => self.entries.get(index),
            _ => None,
        }
    }

    /// When the default entry is started without a person; `None` where that is not known.
    #[must_use]
    pub fn start(&self) -> Option<Start> {
        if self.default == DefaultEntry::Unset && self.loader != Loader::SystemdBoot {
            return Some(Start::WhenAsked);
        }
        if !self.prompts {
            return Some(Start::AtOnce);
        }
        Some(match self.timeout? {
            Timeout::Milliseconds(0) => Start::AtOnce,
            Timeout::Milliseconds(time) => Start::Milliseconds(time),
            Timeout::Unset | Timeout::Never => Start::WhenAsked,
        })
    }

    /// Whether what it offers is on the disc.
    ///
    /// The default entry decides where it is known and judged. Else one entry is enough that is on the disc or that is not judged; entries without a file, such as
    /// one that starts the next device, count only where there are no others. Without entries: false where it goes on with a configuration
    /// that is missing, and else `None`.
    #[must_use]
    pub fn offers_something_on_the_disc(&self) -> Option<bool> {
        if let Some(decided) = self.default_entry().and_then(Entry::is_on_the_disc) {
            return Some(decided);
        }
        let naming: Vec<&Entry> = self
            .entries
            .iter()
            .filter(|entry| !entry.files.is_empty())
            .collect();
        if !naming.is_empty() {
            return Some(
                naming
                    .iter()
                    .any(|entry| entry.is_on_the_disc() != Some(false)),
            );
        }
        if !self.entries.is_empty() {
            return Some(true);
        }
        let lost = self.files.iter().any(|file| file.exists == Some(false));
        lost.then_some(false)
    }
}
