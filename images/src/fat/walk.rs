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

    fn partition(fat: FatType, sectors: u64) -> SparseBytes {
        let identity = Identity {
            disc: DiscHash::of_id("fat/-/-/-/-"),
            slot: 1,
        };
        let length = VirtualSectorCount::new(sectors);
        let partition = efi_system_partition(identity, length, Some(fat));
        partition.unwrap().bytes
    }

    /// What is where, and whether that is all.
    fn walked(bytes: &SparseBytes, start: u64) -> (Vec<(FatStructure, Vec<Run>)>, bool) {
        let mut disc = Window::new(bytes);
        let volume = FatVolume::at(&mut disc, start).unwrap();
        let mut found = Vec::new();
        let complete = volume.walk(&mut disc, &mut |structure, runs| {
            found.push((structure, runs.to_vec()));
            ControlFlow::Continue(())
        });
        (found, complete)
    }

    fn directories(found: &[(FatStructure, Vec<Run>)]) -> usize {
        let is_one = |structure: &FatStructure| matches!(structure, FatStructure::Directory { .. });
        found.iter().filter(|(it, _)| is_one(it)).count()
    }

    /// What fatfs wrote in turns, so that neither file's clusters stand together, is where the runs say.
    #[test]
    fn files_are_where_a_library_wrote_them() {
        use std::io::{Seek, SeekFrom, Write};
        const START: u64 = 3 * 2048;
        for (fat, sectors) in [
            (FatType::Fat12, 2_880),
            (FatType::Fat16, 32_768),
            (FatType::Fat32, 81_920),
        ] {
            let mut volume = partition(fat, sectors);
            let mut contents = [Vec::new(), Vec::new()];
            {
                let library =
                    fatfs::FileSystem::new(volume.cursor(), fatfs::FsOptions::new()).unwrap();
                let folder = library.root_dir().create_dir("A folder").unwrap();
                for turn in 0..5 {
                    for (name, content) in ["one.bin", "another.bin"].iter().zip(&mut contents) {
                        let piece = vec![turn * 2 + u8::try_from(name.len()).unwrap(); 3_000];
                        let mut file = folder.create_file(name).unwrap();
                        file.seek(SeekFrom::End(0)).unwrap();
                        file.write_all(&piece).unwrap();
                        content.extend(piece);
                    }
                }
            }
            let mut bytes = SparseBytes::zeroed(START + volume.len());
            bytes.embed(START, &volume);
            let (found, complete) = walked(&bytes, START);
            assert!(complete, "{fat:?}");
            for (name, content) in ["one.bin", "another.bin"].iter().zip(&contents) {
                let path = format!("\\A folder\\{name}");
                let runs = found.iter().find_map(|(structure, runs)| {
                    (*structure == FatStructure::File { path: path.clone() }).then_some(runs)
                });
                let runs = runs.unwrap_or_else(|| panic!("{fat:?} {path}: {found:?}"));
                assert!(runs.len() > 1, "{fat:?} {path}: {runs:?}");
                let mut read = Vec::new();
                for (start, length) in runs {
                    let mut piece = vec![0; usize::try_from(length.get()).unwrap()];
                    bytes.read_at(*start, &mut piece);
                    read.extend(piece);
                }
                assert!(read.starts_with(content), "{fat:?} {path}");
                assert!(read.len() < content.len() + 4_096, "{fat:?} {path}");
            }
            let names = ["", "EFI", "EFI\\BOOT", "A folder"].map(|path| format!("\\{path}"));
            for path in names {
                let directory = FatStructure::Directory { path };
                assert!(
                    found.iter().any(|(it, _)| *it == directory),
                    "{directory:?}"
                );
            }
            assert_eq!(directories(&found), 4, "{fat:?}");
            // The boot sector, the tables and, but on FAT32, the root follow one another.
            let mut end = START;
            for (structure, runs) in &found[..if fat == FatType::Fat32 { 2 } else { 3 }] {
                assert_eq!(runs[0].0, end, "{fat:?} {structure:?}");
                end += runs[0].1.get();
            }
        }
    }

    #[test]
    fn a_file_system_that_is_full_is_read_whole() {
        use std::io::Write;
        let mut bytes = partition(FatType::Fat12, 2_880);
        {
            let library = fatfs::FileSystem::new(bytes.cursor(), fatfs::FsOptions::new()).unwrap();
            let mut file = library.root_dir().create_file("full.bin").unwrap();
            while file.write_all(&[7; 512]).is_ok() {}
            assert_eq!(library.stats().unwrap().free_clusters(), 0);
        }
        let (found, complete) = walked(&bytes, 0);
        assert!(complete);
        let clusters: u64 = found[3..]
            .iter()
            .flat_map(|(_, runs)| runs.iter().map(|(_, length)| length.get()))
            .sum();
        let parameters = FatVolume::at(&mut Window::new(&bytes), 0)
            .unwrap()
            .parameters;
        assert_eq!(
            clusters,
            parameters.clusters().unwrap() * parameters.cluster_bytes()
        );
    }

    #[test]
    fn a_path_is_followed_to_its_bound() {
        // Four names and as many separators: 1,023 and 1,024 bytes.
        for (last, read) in [(254, true), (255, false)] {
            let mut bytes = partition(FatType::Fat12, 2_880);
            {
                let library =
                    fatfs::FileSystem::new(bytes.cursor(), fatfs::FsOptions::new()).unwrap();
                let mut folder = library.root_dir();
                for length in [255, 255, 255, last] {
                    folder = folder.create_dir(&"n".repeat(length)).unwrap();
                }
                folder.create_file("file").unwrap();
            }
            let (found, _) = walked(&bytes, 0);
            let is_read = found.iter().any(
                |(it, _)| matches!(it, FatStructure::File { path } if path.ends_with("\\file")),
            );
            assert_eq!(is_read, read, "{last}");
        }
    }

    /// The root has more entries than are looked at, and names more directories than are read.
    #[test]
    fn a_root_without_end_is_read_to_its_bound() {
        let mut bytes = partition(FatType::Fat12, 2_880);
        bytes.write_at(0x11, &5_000_u16.to_le_bytes());
        let parameters = FatVolume::at(&mut Window::new(&bytes), 0)
            .unwrap()
            .parameters;
        for number in 0..5_000_u16 {
            let mut entry = *b"D          \x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
            entry[26..28].copy_from_slice(&(number + 2).to_le_bytes());
            bytes.write_at(parameters.root_start() + u64::from(number) * 32, &entry);
        }
        let mut disc = Window::new(&bytes);
        let volume = FatVolume::at(&mut disc, 0).unwrap();
        assert_eq!(volume.entries(&mut disc, volume.root()).len(), ENTRIES);
        let (found, _) = walked(&bytes, 0);
        assert_eq!(directories(&found), 1 + DIRECTORIES);
    }

    /// The fuzzer found that one such chain was followed a million times.
    #[test]
    fn a_file_whose_chain_comes_back_to_itself_has_no_more_clusters_than_there_are() {
        let mut bytes = partition(FatType::Fat12, 2_880);
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
