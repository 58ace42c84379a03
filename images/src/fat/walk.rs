//! Where everything in a FAT file system stands.

use std::{
    collections::{BTreeSet, VecDeque},
    ops::ControlFlow,
};

use serde::{Deserialize, Serialize};

use super::{
    FatVolume,
    directory::{ENTRIES, ENTRY_BYTES, Extent},
};
use crate::{inspect::Window, units::ByteCount};

/// Directories that are read at most.
const DIRECTORIES: usize = 1_024;
/// As long as a directory is read.
const DIRECTORY_BYTES: ByteCount = ByteCount::new((ENTRIES * ENTRY_BYTES) as u64);
/// Links of cluster chains that are followed at most, all together: 4 GiB in clusters of 4 KiB.
const LINKS: u64 = 1 << 20;
/// Bytes of a path behind which nothing is read.
const PATH_BYTES: usize = 1_024;

/// What stands somewhere in a FAT file system.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FatStructure {
    /// The boot sector and the others before the first FAT.
    BootSector,
    /// The file allocation tables.
    Table,
    /// A directory.
    Directory {
        /// Its path; the root's is `\`.
        path: String,
    },
    /// A file.
    File {
        /// Its path: `\EFI\BOOT\BOOTX64.EFI`.
        path: String,
    },
}

/// Bytes of the disc: where they start, and how many.
pub type Run = (u64, ByteCount);

/// What is done with each structure and its runs, in order; a break ends the walk.
pub type FatVisit<'v> = dyn FnMut(FatStructure, &[Run]) -> ControlFlow<()> + 'v;

impl FatVolume {
    /// Shows every structure, in whole clusters, and says whether all of them were read.
    pub fn walk(self, disc: &mut Window<'_>, visit: &mut FatVisit<'_>) -> bool {
        // A cluster belongs to one chain: more links than clusters are a chain that comes back to itself or to another.
        let clusters = self.parameters.clusters().unwrap_or_default();
        let mut walk = Walk {
            volume: self,
            links: 0,
            most_links: LINKS.min(clusters.saturating_add(1)),
            known: BTreeSet::new(),
            queue: VecDeque::new(),
        };
        let flow = walk.structures(disc, visit);
        flow.is_continue() && walk.links < walk.most_links
    }
}

struct Walk {
    volume: FatVolume,
    links: u64,
    most_links: u64,
    /// The first clusters of directories.
    known: BTreeSet<u32>,
    queue: VecDeque<(Extent, String)>,
}

impl Walk {
    fn structures(&mut self, disc: &mut Window<'_>, visit: &mut FatVisit<'_>) -> ControlFlow<()> {
        let parameters = self.volume.parameters;
        let (fat, root) = (parameters.fat_start(), parameters.root_start());
        let run = |from: u64, to: u64| {
            let start = self.volume.start.saturating_add(from);
            [(start, ByteCount::new(to.saturating_sub(from)))]
        };
        visit(FatStructure::BootSector, &run(0, fat))?;
        visit(FatStructure::Table, &run(fat, root))?;
        let extent = self.volume.root();
        let runs = match extent {
            Extent::Fixed => run(root, root.saturating_add(parameters.root_length())).to_vec(),
            Extent::Chain(cluster) => self.chain(disc, cluster, DIRECTORY_BYTES),
        };
        let path = "\\".to_owned();
        visit(FatStructure::Directory { path }, &runs)?;
        self.queue.push_back((extent, String::new()));
        while let Some((extent, path)) = self.queue.pop_front() {
            self.directory(disc, extent, &path, visit)?;
        }
        ControlFlow::Continue(())
    }

    fn directory(
        &mut self,
        disc: &mut Window<'_>,
        extent: Extent,
        folder: &str,
        visit: &mut FatVisit<'_>,
    ) -> ControlFlow<()> {
        for entry in self.volume.entries(disc, extent) {
            let (cluster, directory) = (entry.cluster, entry.directory);
            let length = ByteCount::new(entry.size.into());
            let name = entry.name();
            if matches!(name.as_str(), "." | "..") {
                continue;
            }
            let path = format!("{folder}\\{name}");
            if !directory {
                let runs = self.chain(disc, cluster, length);
                visit(FatStructure::File { path }, &runs)?;
                continue;
            }
            // A directory that is met twice is a cycle.
            let is_new = self.known.len() < DIRECTORIES && self.known.insert(cluster);
            if is_new && path.len() < PATH_BYTES {
                let runs = self.chain(disc, cluster, DIRECTORY_BYTES);
                visit(FatStructure::Directory { path: path.clone() }, &runs)?;
                self.queue.push_back((Extent::Chain(cluster), path));
            }
        }
        ControlFlow::Continue(())
    }

    /// The clusters of a chain, as far as that length reaches; those that stand side by side are one run.
    fn chain(&mut self, disc: &mut Window<'_>, first: u32, length: ByteCount) -> Vec<Run> {
        let cluster_bytes = self.volume.parameters.cluster_bytes();
        let mut left = length.get().div_ceil(cluster_bytes.max(1));
        let mut runs: Vec<Run> = Vec::new();
        let mut next = Some(self.volume.masked(first));
        while left > 0 && self.links < self.most_links {
            let Some((cluster, start)) = next.and_then(|cluster| {
                Some((cluster, self.volume.parameters.cluster_start(cluster)?))
            }) else {
                break;
            };
            let start = self.volume.start.saturating_add(start);
            match runs.last_mut() {
                Some(run) if run.0.saturating_add(run.1.get()) == start => {
                    run.1 = ByteCount::new(run.1.get().saturating_add(cluster_bytes));
                }
                _ => runs.push((start, ByteCount::new(cluster_bytes))),
            }
            next = self.volume.next(disc, cluster);
            left -= 1;
            self.links += 1;
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        boot::FatType,
        boot_image::{Identity, efi_system_partition},
        probe::DiscHash,
        sparse::SparseBytes,
        units::VirtualSectorCount,
    };

    /// The fuzzer found that one such chain was followed a million times.
    #[test]
    fn a_file_whose_chain_comes_back_to_itself_has_no_more_clusters_than_there_are() {
        let identity = Identity {
            disc: DiscHash::of_id("fat/-/-/-/-"),
            slot: 1,
        };
        let length = VirtualSectorCount::new(2_880);
        let partition = efi_system_partition(identity, length, Some(FatType::Fat12));
        let mut bytes = partition.unwrap().bytes;
        fn walk(bytes: &SparseBytes) -> (FatVolume, bool, usize) {
            let mut disc = Window::new(bytes);
            let volume = FatVolume::at(&mut disc, 0).unwrap();
            let mut runs = 0;
            let complete = volume.walk(&mut disc, &mut |_, these| {
                runs += these.len();
                ControlFlow::Continue(())
            });
            (volume, complete, runs)
        }
        let (volume, complete, _) = walk(&bytes);
        assert!(complete);
        let entry = b"ENDLESS    \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\xFF\xFF\xFF\xFF";
        bytes.write_at(volume.parameters.root_start(), entry);
        bytes.write_at(volume.parameters.fat_start() + 3, &[0x02, 0x20, 0x00]);
        let (volume, complete, runs) = walk(&bytes);
        assert!(!complete);
        let clusters = volume.parameters.clusters().unwrap();
        assert!(
            runs as u64 <= clusters + 8,
            "{runs} runs of {clusters} clusters"
        );
    }
}
