use std::collections::BTreeSet;

use super::BiosParameterBlock;
use crate::{
    boot::FatType,
    bytes::{le16, le32, printable},
    inspect::Window,
};

/// Directory entries that are looked at, in each directory: more than any boot medium has.
pub(super) const ENTRIES: usize = 4_096;
pub(super) const ENTRY_BYTES: usize = 32;
const DIRECTORY: u8 = 0x10;
const VOLUME_LABEL: u8 = 0x08;
const LONG_NAME: u8 = 0x0F;
/// The first byte of an entry that was removed.
pub(super) const REMOVED: u8 = 0xE5;

/// Loaders that are named: UEFI has one for each architecture, fewer than ten.
const LOADERS: usize = 16;

/// A FAT file system somewhere on a disc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FatVolume {
    /// Its first byte on the disc.
    pub(super) start: u64,
    /// What its first sector says.
    pub parameters: BiosParameterBlock,
}

/// A file or directory.
pub(super) struct Entry {
    pub(super) short: String,
    long: String,
    pub(super) directory: bool,
    pub(super) cluster: u32,
    /// A file's length; a directory's is 0.
    pub(super) size: u32,
    /// Where it stands on the disc.
    pub(super) offset: u64,
    /// Where the parts of its long name stand.
    pub(super) parts: Vec<u64>,
}

impl Entry {
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.short.eq_ignore_ascii_case(name) || self.long.eq_ignore_ascii_case(name)
    }

    pub(super) fn name(self) -> String {
        if self.long.is_empty() {
            self.short
        } else {
            self.long
        }
    }
}

/// Which bytes a directory has.
#[derive(Clone, Copy)]
pub(super) enum Extent {
    /// The root of FAT12 and FAT16.
    Fixed,
    /// A chain of clusters.
    Chain(u32),
}

impl FatVolume {
    /// The file system that starts at a byte of the disc; `None` when there is none.
    #[must_use]
    pub fn at(disc: &mut Window<'_>, start: u64) -> Option<Self> {
        let parameters = BiosParameterBlock::decode(&disc.array(start)?)?;
        Some(Self { start, parameters })
    }

    /// The loaders by which UEFI boots a removable medium (UEFI §3.5.1.1): names such as `BOOTX64.EFI`, of files in
    /// `\EFI\BOOT`, each name once, at most sixteen. Upper and lower case are the same.
    pub fn removable_media_loaders(self, disc: &mut Window<'_>) -> Vec<String> {
        let mut directory = self.root();
        for name in ["EFI", "BOOT"] {
            let entries = self.entries(disc, directory);
            let found = entries
                .into_iter()
                .find(|entry| entry.directory && entry.is_called(name));
            let Some(found) = found else {
                return Vec::new();
            };
            directory = Extent::Chain(found.cluster);
        }
        let files = self
            .entries(disc, directory)
            .into_iter()
            .filter(|entry| !entry.directory)
            .map(Entry::name);
        let mut loaders = Vec::new();
        for name in files.filter(|name| is_loader(name)) {
            add_loader(&mut loaders, name);
        }
        loaders
    }

    /// Where the root directory stands.
    pub(super) const fn root(self) -> Extent {
        match self.parameters.fat {
            FatType::Fat32 => Extent::Chain(self.parameters.root_cluster),
            FatType::Fat12 | FatType::Fat16 => Extent::Fixed,
        }
    }

    pub(super) fn entries(self, disc: &mut Window<'_>, directory: Extent) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut long: Vec<u8> = Vec::new();
        let mut parts = Vec::new();
        for (offset, raw) in self.raw_entries(disc, directory) {
            if is_part_of_a_name(&raw) {
                // Pieces stand last first, each with thirteen UTF-16 characters; the low halves do for ASCII.
                let characters = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
                let piece = characters
                    .iter()
                    .map(|&at| le16(&raw, at))
                    .take_while(|&character| character != 0 && character != 0xFFFF)
                    .map(|character| u8::try_from(character).unwrap_or(b'?'));
                let mut name: Vec<u8> = piece.collect();
                if raw[0] & 0x40 == 0 {
                    name.append(&mut long);
                } else {
                    parts.clear();
                }
                parts.push(offset);
                long = name;
                long.truncate(260);
                continue;
            }
            let (long, parts) = (std::mem::take(&mut long), std::mem::take(&mut parts));
            if raw[0] == REMOVED || raw[11] & VOLUME_LABEL != 0 {
                continue;
            }
            entries.push(Entry {
                short: short_name(&raw),
                long: printable(&long),
                directory: raw[11] & DIRECTORY != 0,
                cluster: u32::from(le16(&raw, 20)) << 16 | u32::from(le16(&raw, 26)),
                size: le32(&raw, 28),
                offset,
                parts,
            });
        }
        entries
    }

    /// The entries before the end mark and where each stands on the disc, at most [`ENTRIES`], and no cluster's twice.
    fn raw_entries(
        self,
        disc: &mut Window<'_>,
        directory: Extent,
    ) -> Vec<(u64, [u8; ENTRY_BYTES])> {
        let mut entries = Vec::new();
        let mut read = BTreeSet::new();
        let mut at = match directory {
            Extent::Fixed => Some((0, self.parameters.root_start())),
            Extent::Chain(cluster) => self
                .parameters
                .cluster_start(self.masked(cluster))
                .map(|start| (self.masked(cluster), start)),
        };
        while let Some((cluster, start)) = at {
            // A chain that comes back to itself has no end mark.
            if !read.insert(cluster) {
                break;
            }
            let length = match directory {
                Extent::Fixed => self.parameters.root_length(),
                Extent::Chain(_) => self.parameters.cluster_bytes(),
            };
            for within in (0..length).step_by(ENTRY_BYTES) {
                let offset = self.start.saturating_add(start).saturating_add(within);
                let Some(raw) = disc.array::<ENTRY_BYTES>(offset) else {
                    return entries;
                };
                if raw[0] == 0 || entries.len() >= ENTRIES {
                    return entries;
                }
                entries.push((offset, raw));
            }
            at = match directory {
                Extent::Fixed => None,
                Extent::Chain(_) => self.next(disc, cluster).and_then(|next| {
                    self.parameters
                        .cluster_start(next)
                        .map(|start| (next, start))
                }),
            };
        }
        entries
    }

    /// The cluster's number without the bits that FAT32 reserves, and that FAT12 and FAT16 do not have.
    pub(super) const fn masked(self, cluster: u32) -> u32 {
        match self.parameters.fat {
            FatType::Fat32 => cluster & 0x0FFF_FFFF,
            FatType::Fat12 | FatType::Fat16 => cluster & 0xFFFF,
        }
    }

    /// The cluster behind this one in its chain.
    pub(super) fn next(self, disc: &mut Window<'_>, cluster: u32) -> Option<u32> {
        let index = u64::from(cluster);
        let fat = self.start.saturating_add(self.parameters.fat_start());
        match self.parameters.fat {
            FatType::Fat12 => {
                let pair: [u8; 2] = disc.array(fat.saturating_add(index + index / 2))?;
                let pair = u32::from(u16::from_le_bytes(pair));
                Some(if index % 2 == 0 {
                    pair & 0xFFF
                } else {
                    pair >> 4
                })
            }
            FatType::Fat16 => {
                let entry: [u8; 2] = disc.array(fat.saturating_add(index * 2))?;
                Some(u16::from_le_bytes(entry).into())
            }
            FatType::Fat32 => {
                let entry: [u8; 4] = disc.array(fat.saturating_add(index * 4))?;
                Some(self.masked(le32(&entry, 0)))
            }
        }
    }
}

/// Whether an entry is a part of a long name, and was not removed.
const fn is_part_of_a_name(raw: &[u8; ENTRY_BYTES]) -> bool {
    raw[11] & 0x3F == LONG_NAME && raw[0] != REMOVED
}

/// `BOOTX64 EFI` as a person writes it.
fn short_name(raw: &[u8; ENTRY_BYTES]) -> String {
    let part = |bytes: &[u8]| printable(bytes).trim_end().to_owned();
    let (name, extension) = (part(&raw[..8]), part(&raw[8..11]));
    if extension.is_empty() {
        name
    } else {
        format!("{name}.{extension}")
    }
}

/// Adds a loader's name: each once, and no more than there can be.
pub(crate) fn add_loader(loaders: &mut Vec<String>, name: String) {
    if loaders.len() < LOADERS && !loaders.contains(&name) {
        loaders.push(name);
    }
}

/// Whether a file's name is that of a loader for some architecture: `BOOT*.EFI`.
#[must_use]
pub(crate) fn is_loader(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.starts_with("BOOT") && name.ends_with(".EFI")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
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
        efi_system_partition(identity, VirtualSectorCount::new(sectors), Some(fat))
            .unwrap()
            .bytes
    }

    #[test]
    fn the_loader_is_found_on_each_type() {
        for (fat, sectors) in [
            (FatType::Fat12, 2_880),
            (FatType::Fat16, 32_768),
            (FatType::Fat32, 81_920),
        ] {
            let bytes = partition(fat, sectors);
            let mut disc = Window::new(&bytes);
            let volume = FatVolume::at(&mut disc, 0).unwrap();
            assert_eq!(volume.parameters.fat, fat);
            assert_eq!(volume.parameters.length().get(), sectors);
            assert_eq!(
                volume.removable_media_loaders(&mut disc),
                ["BOOTX64.EFI"],
                "FAT{fat}"
            );
        }
    }

    #[test]
    fn what_is_in_a_directory_has_its_long_name() {
        let mut bytes = partition(FatType::Fat12, 2_880);
        let names = [
            "thirteen char",
            "Fourteen chars",
            "The name of a file that needs four entries of a directory.img",
        ];
        {
            let library = fatfs::FileSystem::new(bytes.cursor(), fatfs::FsOptions::new()).unwrap();
            let root = library.root_dir();
            root.create_file("gone once it was here").unwrap();
            for name in names {
                root.create_file(name).unwrap();
            }
            root.remove("gone once it was here").unwrap();
            root.create_dir("A directory").unwrap();
        }
        let mut disc = Window::new(&bytes);
        let volume = FatVolume::at(&mut disc, 0).unwrap();
        let entries = volume.entries(&mut disc, volume.root());
        let found: BTreeSet<(bool, String)> = entries
            .into_iter()
            .map(|entry| (entry.directory, entry.name()))
            .collect();
        // Neither the label nor what was removed.
        let mut expected: BTreeSet<_> = names.map(|name| (false, name.to_owned())).into();
        expected.extend(["EFI", "A directory"].map(|name| (true, name.to_owned())));
        assert_eq!(found, expected);
    }

    /// Microsoft's specification, §7: a part of a name that was removed belongs to no entry.
    #[test]
    fn a_name_that_was_removed_is_not_that_of_the_next_entry() {
        let mut bytes = partition(FatType::Fat12, 2_880);
        {
            let library = fatfs::FileSystem::new(bytes.cursor(), fatfs::FsOptions::new()).unwrap();
            library.root_dir().create_file("a long name.img").unwrap();
        }
        let mut disc = Window::new(&bytes);
        let volume = FatVolume::at(&mut disc, 0).unwrap();
        let parts = volume.raw_entries(&mut disc, volume.root()).into_iter();
        let parts: Vec<u64> = parts
            .filter(|(_, raw)| is_part_of_a_name(raw))
            .map(|(offset, _)| offset)
            .collect();
        assert!(parts.len() >= 2);
        for offset in parts {
            bytes.write_at(offset, &[REMOVED]);
        }
        let entries = volume.entries(&mut Window::new(&bytes), volume.root());
        let names: Vec<String> = entries.into_iter().map(Entry::name).collect();
        assert!(names.contains(&"ALONGN~1.IMG".to_owned()), "{names:?}");
    }

    #[test]
    fn entries_are_told_from_labels_and_from_pieces_of_names() {
        let mut bytes = partition(FatType::Fat12, 2_880);
        let volume = FatVolume::at(&mut Window::new(&bytes), 0).unwrap();
        let entry = |name: &[u8; 11], attributes: u8| {
            let mut entry = [0; ENTRY_BYTES];
            entry[..11].copy_from_slice(name);
            entry[11] = attributes;
            // OS/2 has extended attributes where FAT32 has the upper half of the cluster's number.
            entry[20..22].copy_from_slice(&[0x34, 0x12]);
            entry[26..32].copy_from_slice(&[5, 1, 4, 3, 2, 1]);
            entry
        };
        let entries = [
            entry(b"LABEL      ", VOLUME_LABEL),
            // The upper two bits are reserved.
            entry(b"PIECE      ", 0xC0 | LONG_NAME),
            entry(b"\xE5ONE       ", 0),
            entry(b"READONLYTXT", 0x01),
            entry(b"NO         ", 0x20),
            entry(b"A FOLDER   ", 0x20 | DIRECTORY),
        ];
        let root = volume.parameters.root_start();
        for (entry, at) in entries.iter().zip((root..).step_by(ENTRY_BYTES)) {
            bytes.write_at(at, entry);
        }
        bytes.write_at(root + 6 * 32, &[0; ENTRY_BYTES]);
        let found = volume.entries(&mut Window::new(&bytes), volume.root());
        let found: Vec<_> = found
            .into_iter()
            .map(|it| (it.directory, it.size, volume.masked(it.cluster), it.short))
            .collect();
        let expected = [(false, "READONLY.TXT"), (false, "NO"), (true, "A FOLDER")];
        let expected =
            expected.map(|(directory, name)| (directory, 0x0102_0304, 0x0105, name.to_owned()));
        assert_eq!(found, expected);
    }

    /// Microsoft's specification, §4: entries of 12, 16 and 32 bits, of the last of which four are reserved.
    #[test]
    fn a_chain_goes_on_where_its_entry_says() {
        for (fat, sectors, table, links) in [
            (
                FatType::Fat12,
                2_880,
                &[0xF8, 0xFF, 0xFF, 0x03, 0x41, 0x23][..],
                [(2, 0x103), (3, 0x234)],
            ),
            (
                FatType::Fat16,
                32_768,
                &[0xF8, 0xFF, 0xFF, 0xFF, 0x03, 0x01, 0x34, 0x12],
                [(2, 0x103), (3, 0x1234)],
            ),
            (
                FatType::Fat32,
                81_920,
                &[
                    0xF8, 0xFF, 0xFF, 0x0F, 0xFF, 0xFF, 0xFF, 0x0F, 0x03, 0x01, 0x02, 0xF0, 0x34,
                    0x12, 0x00, 0xA0,
                ],
                [(2, 0x2_0103), (3, 0x1234)],
            ),
        ] {
            let mut bytes = partition(fat, sectors);
            let volume = FatVolume::at(&mut Window::new(&bytes), 0).unwrap();
            bytes.write_at(volume.parameters.fat_start(), table);
            let mut disc = Window::new(&bytes);
            for (cluster, next) in links {
                assert_eq!(volume.next(&mut disc, cluster), Some(next), "{fat:?}");
            }
        }
    }

    #[test]
    fn loaders_are_called_boot_and_efi() {
        for name in ["BOOTX64.EFI", "bootaa64.efi", "Boot.EFI"] {
            assert!(is_loader(name), "{name}");
        }
        for name in ["GRUBX64.EFI", "BOOTX64.EF", "XBOOT.EFI", "BOOT"] {
            assert!(!is_loader(name), "{name}");
        }
        let mut loaders = Vec::new();
        for name in ["A", "A", "B"] {
            add_loader(&mut loaders, name.to_owned());
        }
        assert_eq!(loaders, ["A", "B"]);
    }

    #[test]
    fn each_cluster_of_a_chain_that_comes_back_to_itself_is_read_once() {
        let mut bytes = partition(FatType::Fat12, 2_880);
        let volume = FatVolume::at(&mut Window::new(&bytes), 0).unwrap();
        let fat = volume.parameters.fat_start();
        // Every cluster of the first entries leads to cluster 2, which is full of files.
        bytes.write_at(fat, &[0x02, 0x20, 0x00].repeat(20));
        let root = volume.parameters.root_start();
        let mut entry = *b"EFI        \x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\0\0";
        bytes.write_at(root, &entry);
        entry[11] = 0;
        let cluster = volume.parameters.cluster_start(2).unwrap();
        for at in (0..512).step_by(32) {
            bytes.write_at(cluster + at, &entry);
        }
        let mut disc = Window::new(&bytes);
        let volume = FatVolume::at(&mut disc, 0).unwrap();
        assert_eq!(volume.entries(&mut disc, Extent::Chain(2)).len(), 16);
        assert!(volume.removable_media_loaders(&mut disc).is_empty());
    }

    /// A catalog may name the image two thousand times, and each time its loaders are told.
    #[test]
    fn a_directory_full_of_loaders_has_so_many_as_there_can_be() {
        let mut bytes = partition(FatType::Fat12, 2_880);
        let volume = FatVolume::at(&mut Window::new(&bytes), 0).unwrap();
        let cluster = |number| volume.parameters.cluster_start(number).unwrap();
        // \EFI is cluster 2, and \EFI\BOOT in it is cluster 3, which leads to itself.
        bytes.write_at(
            volume.parameters.fat_start(),
            &[0xF8, 0xFF, 0xFF, 0xFF, 0x3F, 0x00],
        );
        let entry = |name: &[u8; 11], attributes, cluster| {
            let mut entry = [0; ENTRY_BYTES];
            entry[..11].copy_from_slice(name);
            (entry[11], entry[26]) = (attributes, cluster);
            entry
        };
        let root = volume.parameters.root_start();
        bytes.write_at(root, &entry(b"EFI        ", DIRECTORY, 2));
        bytes.write_at(cluster(2), &entry(b"BOOT       ", DIRECTORY, 3));
        for (number, at) in (b'A'..).zip((0..512).step_by(ENTRY_BYTES)) {
            let mut name = *b"BOOT    EFI";
            name[4] = number;
            bytes.write_at(cluster(3) + at, &entry(&name, 0, 0));
        }
        let loaders = volume.removable_media_loaders(&mut Window::new(&bytes));
        let expected: Vec<String> = ('A'..='P').map(|it| format!("BOOT{it}.EFI")).collect();
        assert_eq!(loaders, expected);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(mutations in prop::collection::vec((0_u64..40_000, any::<u8>()), 1..40)) {
            let mut bytes = partition(FatType::Fat12, 2_880);
            for (at, byte) in mutations {
                bytes.write_at(at % 0x7000, &[byte]);
            }
            let mut disc = Window::new(&bytes);
            if let Some(volume) = FatVolume::at(&mut disc, 0) {
                volume.removable_media_loaders(&mut disc);
            }
        }
    }
}
