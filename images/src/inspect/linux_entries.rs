//! The entries of configurations that start Linux with an initial file system.

use super::{Reading, file::DiscBytes};
use crate::{
    boot_configuration::{Entry, FileSystem, Loader},
    finding::Place,
    packed,
};

/// Entries that are judged.
const ENTRIES: usize = 64;

/// The directives that name an initial file system.
const INITRD: [&str; 4] = ["initrd", "initrd16", "initrdefi", "append"];
/// The directives that name a kernel.
pub(crate) const KERNEL: [&str; 4] = ["kernel", "linux", "linux16", "linuxefi"];

/// An entry whose kernel is Linux, and the files for its initial file system with their paths.
pub(crate) struct LinuxEntry {
    pub(crate) initrds: Vec<(String, DiscBytes)>,
    /// Whether it may be the one that is started when nobody chooses.
    pub(crate) is_default: bool,
}

/// Where a configuration names a file.
pub(crate) struct NamedIn {
    /// The configuration's file.
    pub(crate) place: Place,
    /// Whether by an entry that may be started when nobody chooses.
    pub(crate) by_default: bool,
    /// Who reads it; `None` if no configuration names the file.
    pub(crate) loader: Option<Loader>,
}

impl Reading<'_, '_> {
    /// The entries that start Linux, and not another program in the form of a kernel, if all their files are on the disc.
    pub(crate) fn linux_entries(&mut self) -> Vec<LinuxEntry> {
        let configurations = self.configurations();
        let of_this_disc = configurations.all.iter();
        let of_this_disc = of_this_disc.filter(|it| it.loader != Loader::GrubLoopback);
        let mut entries = Vec::new();
        for configuration in of_this_disc {
            for (index, entry) in configuration.entries.iter().enumerate().take(ENTRIES) {
                let system = configuration.file_system;
                let Some(initrds) = self.named_by(entry, system, &INITRD) else {
                    continue;
                };
                let kernels = self.named_by(entry, system, &KERNEL).unwrap_or_default();
                let mut kernels = kernels.iter();
                let is_linux = kernels.any(|(_, file)| packed::is_linux(self.disc, file));
                if is_linux && !initrds.is_empty() {
                    entries.push(LinuxEntry {
                        initrds,
                        is_default: configuration.may_be_default(index),
                    });
                }
            }
        }
        entries
    }

    /// The files that an entry names with some directives; `None` if one is not known whole.
    fn named_by(
        &mut self,
        entry: &Entry,
        system: FileSystem,
        directives: &[&str],
    ) -> Option<Vec<(String, DiscBytes)>> {
        let named = entry.files.iter();
        let named = named.filter(|file| directives.contains(&file.directive.as_str()));
        named
            .map(|named| {
                let systems = [system, FileSystem::Tree];
                let mut found = systems
                    .into_iter()
                    .filter_map(|it| self.file_in(it, &named.path));
                let file = found.next().filter(DiscBytes::is_whole)?;
                Some((named.path.clone(), file))
            })
            .collect()
    }

    /// Where a configuration names this path: an entry that may be started when nobody chooses, or else another.
    pub(crate) fn named_in(&mut self, path: &str) -> NamedIn {
        let configurations = self.configurations();
        let entries = configurations.all.iter().flat_map(|configuration| {
            let entries = configuration.entries.iter().enumerate();
            entries.map(move |(index, entry)| {
                (configuration, entry, configuration.may_be_default(index))
            })
        });
        let of_path = entries.filter(|(_, entry, _)| entry.files.iter().any(|it| it.path == path));
        let (found, by_default) = of_path
            .max_by_key(|(.., by_default)| *by_default)
            .map_or((None, false), |(configuration, entry, by_default)| {
                (Some((configuration, &entry.file)), by_default)
            });
        NamedIn {
            place: found.map_or(Place { offset: 0 }, |(configuration, file)| {
                self.place_of(configuration.file_system, file)
            }),
            loader: found.map(|(configuration, _)| configuration.loader),
            by_default,
        }
    }
}
