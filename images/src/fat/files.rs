//! Single files and directories of a FAT file system, by name.

use super::{
    FatVolume, Run,
    directory::{Entry, Extent},
};
use crate::{
    boot::FatType,
    bytes::{le32, printable},
    inspect::Window,
    units::ByteCount,
};

/// One directory entry that is a file or a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FatFile {
    /// The long name, or the short one where there is none.
    pub(crate) name: String,
    /// The short name.
    pub(crate) short: String,
    /// Whether it is a directory.
    pub(crate) directory: bool,
    /// Its first cluster.
    pub(crate) cluster: u32,
    /// Its length; a directory's is 0.
    pub(crate) length: ByteCount,
}

impl FatVolume {
    /// What a directory holds, `.` and `..` excluded. `None` is the root.
    pub(crate) fn list(self, disc: &mut Window<'_>, cluster: Option<u32>) -> Vec<FatFile> {
        let extent = cluster.map_or_else(|| self.root(), Extent::Chain);
        let entries = self.entries(disc, extent).into_iter();
        let file = |entry: Entry| FatFile {
            short: entry.short.clone(),
            directory: entry.directory,
            cluster: self.masked(entry.cluster),
            length: ByteCount::new(entry.size.into()),
            name: entry.name(),
        };
        let files = entries.map(file);
        files
            .filter(|file| !matches!(file.name.as_str(), "." | ".."))
            .collect()
    }

    /// Where the first `length` bytes of a file stand, cluster by cluster. A chain that ends early gives fewer.
    pub(crate) fn file_runs(
        self,
        disc: &mut Window<'_>,
        first: u32,
        length: ByteCount,
    ) -> Vec<Run> {
        let cluster_bytes = self.parameters.cluster_bytes();
        let mut left = length.get();
        let mut runs = Vec::new();
        let mut next = Some(self.masked(first));
        // `left` shrinks with each cluster, so a chain that comes back to itself ends too.
        while left > 0 && cluster_bytes > 0 {
            let Some((cluster, start)) =
                next.and_then(|cluster| Some((cluster, self.parameters.cluster_start(cluster)?)))
            else {
                break;
            };
            let bytes = left.min(cluster_bytes);
            runs.push((self.start.saturating_add(start), ByteCount::new(bytes)));
            left -= bytes;
            next = self.next(disc, cluster);
        }
        runs
    }

    /// The label in its boot sector (Microsoft's specification, §3: BS_VolLab).
    pub(crate) fn label(self, disc: &mut Window<'_>) -> Option<String> {
        let at = match self.parameters.fat {
            FatType::Fat12 | FatType::Fat16 => 0x2B,
            FatType::Fat32 => 0x47,
        };
        let bytes: [u8; 11] = disc.array(self.start.saturating_add(at))?;
        let label = printable(&bytes).trim_end().to_owned();
        (label != "NO NAME").then_some(label)
    }

    /// The serial number as GRUB and Linux write it: `1234-ABCD`.
    pub(crate) fn serial(self, disc: &mut Window<'_>) -> Option<String> {
        // Microsoft's specification, §3: BS_VolID.
        let at = match self.parameters.fat {
            FatType::Fat12 | FatType::Fat16 => 0x27,
            FatType::Fat32 => 0x43,
        };
        let bytes: [u8; 4] = disc.array(self.start.saturating_add(at))?;
        let serial = le32(&bytes, 0);
        Some(format!("{:04X}-{:04X}", serial >> 16, serial & 0xFFFF))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::{
        boot_image::{Identity, efi_system_partition},
        probe::DiscHash,
        units::VirtualSectorCount,
    };

    #[test]
    fn a_file_that_a_library_wrote_is_read_by_its_name() {
        let identity = Identity {
            disc: DiscHash::of_id("fat/-/-/-/-"),
            slot: 1,
        };
        for (fat, sectors) in [
            (FatType::Fat12, 2_880),
            (FatType::Fat16, 32_768),
            (FatType::Fat32, 81_920),
        ] {
            let length = VirtualSectorCount::new(sectors);
            let mut bytes = efi_system_partition(identity, length, Some(fat))
                .unwrap()
                .bytes;
            let content: Vec<u8> = (0..5_000_u32).map(|at| (at % 251) as u8).collect();
            let serial = {
                let library =
                    fatfs::FileSystem::new(bytes.cursor(), fatfs::FsOptions::new()).unwrap();
                let folder = library.root_dir().create_dir("loader").unwrap();
                let mut file = folder.create_file("A long name.conf").unwrap();
                file.write_all(&content).unwrap();
                library.volume_id()
            };
            let mut disc = Window::new(&bytes);
            let volume = FatVolume::at(&mut disc, 0).unwrap();
            let root = volume.list(&mut disc, None);
            let folder = root.iter().find(|file| file.name == "loader").unwrap();
            assert!(folder.directory);
            let files = volume.list(&mut disc, Some(folder.cluster));
            let [file] = &files[..] else {
                panic!("{files:?}")
            };
            assert_eq!(
                (file.name.as_str(), file.length.get()),
                ("A long name.conf", 5_000)
            );
            let mut read = Vec::new();
            for (start, length) in volume.file_runs(&mut disc, file.cluster, file.length) {
                let mut piece = vec![0; usize::try_from(length.get()).unwrap()];
                disc.read(start, &mut piece);
                read.extend(piece);
            }
            assert_eq!(read, content);
            let expected = format!("{:04X}-{:04X}", serial >> 16, serial & 0xFFFF);
            assert_eq!(volume.serial(&mut disc), Some(expected));
        }
    }

    #[test]
    fn a_chain_that_comes_back_to_itself_ends_with_the_file() {
        let identity = Identity {
            disc: DiscHash::of_id("fat/-/-/-/-"),
            slot: 1,
        };
        let length = VirtualSectorCount::new(2_880);
        let mut bytes = efi_system_partition(identity, length, Some(FatType::Fat12))
            .unwrap()
            .bytes;
        let volume = FatVolume::at(&mut Window::new(&bytes), 0).unwrap();
        bytes.write_at(volume.parameters.fat_start() + 3, &[0x02, 0x20, 0x00]);
        let mut disc = Window::new(&bytes);
        let runs = volume.file_runs(&mut disc, 2, ByteCount::new(5_000));
        let total: u64 = runs.iter().map(|run| run.1.get()).sum();
        assert_eq!(total, 5_000);
        assert!(
            volume
                .file_runs(&mut disc, 0, ByteCount::new(5_000))
                .is_empty()
        );
    }
}
