//! The file systems in which loaders find their configuration, one file at a time.

use std::collections::BTreeMap;

use super::{
    configuration::FileSystem,
    isolinux::release::is_old,
    item::{Content, Item},
    path::parts,
};
use crate::{
    bytes::text,
    fat::FatVolume,
    inspect::{DescriptorSet, Inspection, Window, file::DiscBytes},
    iso9660::{DirectoryRecord, Names},
    units::{BlockCount, ByteCount, Lba},
};

/// Directories that are read at most, of all file systems together.
const DIRECTORIES: usize = 96;
/// Blocks of directories of the tree that are read at most, together.
const DIRECTORY_BLOCKS: u64 = 8_192;
/// Names in directories that are kept at most, together.
const NAMES: usize = 100_000;
/// Parts of a path that are followed at most.
const PATH_PARTS: usize = 64;
/// FAT images of EFI entries that are looked at.
const IMAGES: usize = 8;
/// Bytes of a file that are read at most.
pub(super) const FILE_BYTES: u64 = 256 << 10;

/// Whose eyes a path is looked up with: loaders read different names of the same tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Eyes {
    /// Rock Ridge names, exactly; without them ISO 9660's, in any case. isolinux knows no Joliet (`core/fs/iso9660/iso9660.c`), and before version 5 no Rock Ridge.
    Isolinux,
    /// The same, but Joliet's names before ISO 9660's (`grub-core/fs/iso9660.c`). In a FAT image, as every firmware does.
    Grub,
    /// Rock Ridge names, exactly; without them ISO 9660's, in any case. Limine knows no Joliet (`common/fs/iso9660.s2.c`).
    Limine,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A file with content: where its first bytes stand, and its length.
    File {
        runs: Vec<(u64, ByteCount)>,
        length: ByteCount,
    },
    Directory,
    /// Nothing of that name.
    Missing,
    /// It cannot be told: a link, a relocated directory, a name whose letters were not kept, or a bound that was reached.
    Unknown,
}

/// Which names of a tree are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum TreeNames {
    /// ISO 9660's, also where Rock Ridge has others.
    Iso,
    /// Rock Ridge's, and ISO 9660's where there are none.
    RockRidge,
    Joliet,
}

/// Where a directory stands, which is its name in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Folder {
    Tree(Lba, ByteCount, TreeNames),
    Image(usize, Option<u32>),
}

#[derive(Debug)]
struct Directory {
    items: Vec<Item>,
    complete: bool,
}

/// The tree and the FAT images of a disc.
#[derive(Debug)]
pub(crate) struct Volumes<'w, 'd> {
    disc: &'w mut Window<'d>,
    plain: Option<DirectoryRecord>,
    joliet: Option<DirectoryRecord>,
    has_rock_ridge: bool,
    /// Whether a UDF file system stands beside, which may hold other files: GRUB may read that one.
    has_udf: bool,
    images: Vec<(Lba, FatVolume)>,
    /// Whether the disc's isolinux is one that knows no Rock Ridge.
    isolinux_is_old: bool,
    /// Labels of the tree, by whom they are read.
    labels: Vec<String>,
    /// The time at which the volume was last changed, as GRUB writes it.
    modified: Option<String>,
    cache: BTreeMap<Folder, Directory>,
    blocks: u64,
    names: usize,
}

impl<'w, 'd> Volumes<'w, 'd> {
    pub(crate) fn new(disc: &'w mut Window<'d>, inspection: &Inspection) -> Self {
        let set = DescriptorSet::read(disc, Lba::default());
        let joliet = set
            .supplementary
            .iter()
            .find(|volume| volume.names == Names::Joliet);
        let has_udf = (0..8).any(|number| {
            let lba = Lba::new(16 + set.all.len() as u64 + number);
            let identifier = disc.array::<5>(lba.byte_offset().saturating_add(1));
            matches!(identifier, Some([b'N', b'S', b'R', b'0', b'2' | b'3']))
        });
        let mut images: Vec<(Lba, FatVolume)> = Vec::new();
        for (_, boot) in inspection.entries() {
            let known = images.iter().any(|(lba, _)| *lba == boot.load_rba);
            if boot.fat.is_some() && !known && images.len() < IMAGES {
                let volume = FatVolume::at(disc, boot.load_rba.byte_offset());
                images.extend(volume.map(|volume| (boot.load_rba, volume)));
            }
        }
        let primary = set.primary.as_ref();
        let modified = primary.and_then(|(lba, _)| {
            // ECMA-119 §8.4.27: from position 831 on, sixteen digits.
            disc.array::<16>(lba.byte_offset().saturating_add(830))
        });
        let mut volumes = Self {
            plain: primary.and_then(|(_, primary)| primary.root.clone()),
            joliet: joliet.and_then(|volume| volume.root.clone()),
            has_rock_ridge: false,
            has_udf,
            images,
            isolinux_is_old: is_old(disc, inspection),
            labels: primary
                .map(|(_, primary)| primary.volume_id.clone())
                .into_iter()
                .collect(),
            modified: modified.and_then(|digits| uuid(&digits)),
            cache: BTreeMap::new(),
            blocks: 0,
            names: 0,
            disc,
        };
        volumes.has_rock_ridge = volumes.root_has_rock_ridge();
        if let Some(joliet) = volumes.joliet.clone()
            && !volumes.has_rock_ridge
        {
            volumes.labels = volumes.joliet_label(&joliet, &set).into_iter().collect();
        }
        volumes
    }

    /// GRUB takes the label of whichever tree it reads.
    fn joliet_label(&mut self, root: &DirectoryRecord, set: &DescriptorSet) -> Option<String> {
        let is_joliet = |lba: &Lba, disc: &mut Window<'_>| {
            let block = disc.block(*lba)?;
            let volume = crate::iso9660::RawPrimaryVolume::decode_supplementary(&block)?;
            let is_it = volume.root.as_ref() == Some(root);
            is_it.then(|| block[40..72].to_vec())
        };
        let field = set
            .all
            .iter()
            .find_map(|(lba, _)| is_joliet(lba, self.disc))?;
        let pairs = field.as_chunks::<2>().0.iter();
        let units: Vec<u16> = pairs.map(|&pair| u16::from_be_bytes(pair)).collect();
        let label = String::from_utf16_lossy(&units);
        Some(label.trim_end_matches(['\0', ' ']).to_owned())
    }

    fn root_has_rock_ridge(&mut self) -> bool {
        let Some(root) = self.plain.clone() else {
            return false;
        };
        let folder = Folder::Tree(root.extent, root.data_length, TreeNames::RockRidge);
        self.read_directory(folder);
        let items = self.cache.get(&folder).map(|directory| &directory.items);
        items.is_some_and(|items| items.iter().any(|item| item.exact))
    }

    /// The file systems: the tree, if there is one, and then the images in the catalog's order.
    pub(crate) fn file_systems(&self) -> Vec<FileSystem> {
        let tree = self.plain.as_ref().map(|_| FileSystem::Tree);
        let images = self.images.iter().map(|(lba, _)| FileSystem::Image(*lba));
        tree.into_iter().chain(images).collect()
    }

    /// Every label of the tree: ISO 9660's and Joliet's.
    pub(crate) fn all_labels(&mut self) -> Vec<String> {
        let set = DescriptorSet::read(self.disc, Lba::default());
        let primary = set.primary.as_ref();
        let mut labels: Vec<String> = primary
            .map(|(_, primary)| primary.volume_id.clone())
            .into_iter()
            .collect();
        if let Some(joliet) = self.joliet.clone() {
            labels.extend(self.joliet_label(&joliet, &set));
        }
        labels
    }

    /// The UUIDs of the tree: the time at which it was last changed, and where that is not set, at which it was made (libblkid, `iso9660.c`).
    pub(crate) fn uuids(&mut self) -> Vec<String> {
        let set = DescriptorSet::read(self.disc, Lba::default());
        let Some((lba, _)) = set.primary else {
            return Vec::new();
        };
        // ECMA-119 §8.4.26 and §8.4.27.
        let mut at = |byte: u64| {
            let digits = self
                .disc
                .array::<16>(lba.byte_offset().saturating_add(byte));
            digits.and_then(|digits| uuid(&digits))
        };
        let mut times: Vec<String> = [at(830), at(813)].into_iter().flatten().collect();
        times.dedup();
        times
    }

    /// Whether the tree has this label.
    pub(super) fn has_label(&self, label: &str) -> bool {
        self.labels.iter().any(|it| it == label)
    }

    /// The file system that has this UUID.
    pub(super) fn of_uuid(&mut self, uuid: &str) -> Option<FileSystem> {
        let modified = self.modified.as_ref();
        if modified.is_some_and(|it| it.eq_ignore_ascii_case(uuid)) {
            return Some(FileSystem::Tree);
        }
        let Self { images, disc, .. } = self;
        let image = images.iter().find(|(_, volume)| {
            let serial = volume.serial(disc);
            serial.is_some_and(|serial| serial.eq_ignore_ascii_case(uuid))
        });
        image.map(|(lba, _)| FileSystem::Image(*lba))
    }

    /// Whether a label or UUID that was not found may yet be on the disc: that of a UDF is not read, nor an image's label.
    pub(super) fn has_other_names(&self, of_label: bool) -> bool {
        self.has_udf || (of_label && !self.images.is_empty())
    }

    /// What stands at a path.
    pub(crate) fn find(&mut self, system: FileSystem, path: &str, eyes: Eyes) -> Found {
        // Other letters are kept as `?`.
        if !path.bytes().all(|byte| matches!(byte, b' '..=b'~')) || path.contains('?') {
            return Found::Unknown;
        }
        let found = self.follow(system, path, eyes);
        if found == Found::Missing
            && self.has_udf
            && eyes == Eyes::Grub
            && system == FileSystem::Tree
        {
            return Found::Unknown;
        }
        found
    }

    fn follow(&mut self, system: FileSystem, path: &str, eyes: Eyes) -> Found {
        let parts = parts(path);
        let Some(mut folder) = self.root(system, eyes) else {
            return Found::Unknown;
        };
        let Some((last, above)) = parts.split_last() else {
            return Found::Directory;
        };
        if parts.len() > PATH_PARTS {
            return Found::Unknown;
        }
        for part in above {
            let item = match self.item(folder, part) {
                Ok(item) => item,
                Err(found) => return found,
            };
            folder = match (item.content, item.directory, folder) {
                (Content::Extents(extents), true, Folder::Tree(_, _, names)) => {
                    let Some(&(start, length)) = extents.first() else {
                        return Found::Unknown;
                    };
                    Folder::Tree(start, length, names)
                }
                (Content::Cluster(cluster, _), true, Folder::Image(image, _)) => {
                    Folder::Image(image, Some(cluster))
                }
                // Rock Ridge leaves an empty file where a directory was relocated, and for a symbolic link.
                (Content::Extents(extents), false, _) if is_empty(&extents) => {
                    return Found::Unknown;
                }
                _ => return Found::Missing,
            };
        }
        match self.item(folder, last) {
            Ok(item) if item.directory => Found::Directory,
            Ok(item) => self.file(folder, item.content),
            Err(found) => found,
        }
    }

    fn file(&mut self, folder: Folder, content: Content) -> Found {
        match (content, folder) {
            (Content::Empty, _) => Found::File {
                runs: Vec::new(),
                length: ByteCount::ZERO,
            },
            // An empty file may be a link.
            (Content::Extents(extents), _) if is_empty(&extents) => Found::Unknown,
            (Content::Extents(extents), _) => {
                let sum = |sum: u64, it: &(Lba, ByteCount)| sum.saturating_add(it.1.get());
                let length = ByteCount::new(extents.iter().fold(0, sum));
                let run = |(lba, length): (Lba, ByteCount)| (lba.byte_offset(), length);
                let runs = extents.into_iter().map(run).collect();
                Found::File { runs, length }
            }
            (Content::Cluster(first, length), Folder::Image(image, _)) => {
                let Some((_, volume)) = self.images.get(image) else {
                    return Found::Unknown;
                };
                let most = ByteCount::new(length.get().min(FILE_BYTES));
                let runs = volume.file_runs(self.disc, first, most);
                Found::File { runs, length }
            }
            (Content::Cluster(..), Folder::Tree(..)) => Found::Unknown,
        }
    }

    /// A path as the disc spells it, for a loader that ignores upper and lower case; `None` where nothing has that name.
    pub(crate) fn spelled(&mut self, system: FileSystem, path: &str, eyes: Eyes) -> Option<String> {
        let mut folder = self.root(system, eyes)?;
        let mut spelled = String::new();
        let mut parts = parts(path).into_iter().take(PATH_PARTS).peekable();
        while let Some(part) = parts.next() {
            self.read_directory(folder);
            let items = self.cache.get(&folder)?.items.iter();
            let mut named = items.filter(|item| item.is_called_like(part));
            let item = named.next()?.clone();
            spelled.push('/');
            spelled.push_str(&item.name);
            if parts.peek().is_none() {
                return Some(spelled);
            }
            folder = match (item.content, item.directory, folder) {
                (Content::Extents(extents), true, Folder::Tree(_, _, names)) => {
                    let &(start, length) = extents.first()?;
                    Folder::Tree(start, length, names)
                }
                (Content::Cluster(cluster, _), true, Folder::Image(image, _)) => {
                    Folder::Image(image, Some(cluster))
                }
                _ => return None,
            };
        }
        None
    }

    /// The same, and what is there.
    pub(crate) fn find_in_any_case(
        &mut self,
        system: FileSystem,
        path: &str,
        eyes: Eyes,
    ) -> (String, Found) {
        let path = self
            .spelled(system, path, eyes)
            .unwrap_or_else(|| path.to_owned());
        let found = self.find(system, &path, eyes);
        (path, found)
    }

    /// The first bytes of a file.
    pub(super) fn bytes(
        &mut self,
        system: FileSystem,
        path: &str,
        eyes: Eyes,
        most: usize,
    ) -> Option<Vec<u8>> {
        match self.find(system, path, eyes) {
            Found::File { runs, length } => {
                Some(DiscBytes::new(runs, length).bytes(self.disc, 0, most))
            }
            Found::Directory | Found::Missing | Found::Unknown => None,
        }
    }

    /// Names of what a directory holds, in order; the directories among them or the files.
    pub(crate) fn names(
        &mut self,
        system: FileSystem,
        path: &str,
        directories: bool,
    ) -> Vec<String> {
        let Some(mut folder) = self.root(system, Eyes::Grub) else {
            return Vec::new();
        };
        for part in parts(path).into_iter().take(PATH_PARTS) {
            let Ok(item) = self.item(folder, part) else {
                return Vec::new();
            };
            folder = match (item.content, item.directory, folder) {
                (Content::Extents(extents), true, Folder::Tree(_, _, names)) => {
                    let first = extents.first().copied().unwrap_or_default();
                    Folder::Tree(first.0, first.1, names)
                }
                (Content::Cluster(cluster, _), true, Folder::Image(image, _)) => {
                    Folder::Image(image, Some(cluster))
                }
                _ => return Vec::new(),
            };
        }
        self.read_directory(folder);
        let items = self.cache.get(&folder).map(|it| it.items.as_slice());
        let items = items.unwrap_or_default().iter();
        let names = items.filter(|item| item.directory == directories);
        let mut names: Vec<String> = names.map(|item| item.name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// A file's text, as far as it is read, and whether that is all of it. What is no text is replaced, so that it can be shown.
    pub(super) fn text(
        &mut self,
        system: FileSystem,
        path: &str,
        eyes: Eyes,
    ) -> Option<(String, bool)> {
        let Found::File { runs, length } = self.find(system, path, eyes) else {
            return None;
        };
        let mut bytes = Vec::new();
        for (start, run) in runs {
            let left = FILE_BYTES.saturating_sub(bytes.len() as u64);
            let size = usize::try_from(run.get().min(left)).unwrap_or_default();
            if size == 0 {
                break;
            }
            let mut piece = vec![0; size];
            let read = self.disc.read(start, &mut piece);
            bytes.extend_from_slice(&piece[..read]);
            if read < size {
                break;
            }
        }
        let complete = bytes.len() as u64 == length.get();
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        let text = String::from_utf8_lossy(bytes);
        let text = text.replace(
            |it: char| it.is_control() && !matches!(it, '\n' | '\r' | '\t'),
            "\u{FFFD}",
        );
        Some((text, complete))
    }

    fn root(&self, system: FileSystem, eyes: Eyes) -> Option<Folder> {
        match system {
            FileSystem::Tree => {
                let joliet = self.joliet.as_ref();
                let joliet = joliet.filter(|_| eyes == Eyes::Grub && !self.has_rock_ridge);
                let root = joliet.or(self.plain.as_ref())?;
                let names = if joliet.is_some() {
                    TreeNames::Joliet
                } else if eyes == Eyes::Isolinux && self.isolinux_is_old {
                    TreeNames::Iso
                } else {
                    TreeNames::RockRidge
                };
                Some(Folder::Tree(root.extent, root.data_length, names))
            }
            FileSystem::Image(lba) => {
                let image = self.images.iter().position(|(it, _)| *it == lba)?;
                Some(Folder::Image(image, None))
            }
        }
    }

    fn item(&mut self, folder: Folder, name: &str) -> Result<Item, Found> {
        self.read_directory(folder);
        let Some(directory) = self.cache.get(&folder) else {
            return Err(Found::Unknown);
        };
        let found = directory.items.iter().find(|item| item.is_called(name));
        let lost = || {
            if directory.complete {
                Found::Missing
            } else {
                Found::Unknown
            }
        };
        found.cloned().ok_or_else(lost)
    }

    fn read_directory(&mut self, folder: Folder) {
        if self.cache.contains_key(&folder) || self.cache.len() >= DIRECTORIES {
            return;
        }
        let directory = match folder {
            Folder::Tree(start, length, names) => self.read_tree_directory(start, length, names),
            Folder::Image(image, cluster) => {
                let Some((_, volume)) = self.images.get(image) else {
                    return;
                };
                let files = volume.list(self.disc, cluster);
                Directory {
                    items: files.into_iter().map(Item::of_fat).collect(),
                    complete: true,
                }
            }
        };
        self.names = self.names.saturating_add(directory.items.len());
        self.cache.insert(folder, directory);
    }

    fn read_tree_directory(
        &mut self,
        start: Lba,
        length: ByteCount,
        names: TreeNames,
    ) -> Directory {
        let written = match names {
            TreeNames::Joliet => Names::Joliet,
            TreeNames::Iso | TreeNames::RockRidge => Names::Plain,
        };
        let mut items = Vec::new();
        let mut open = Vec::new();
        for number in 0..length.blocks_rounded_up().get() {
            self.blocks += 1;
            let known = self.names.saturating_add(items.len());
            let block = self.disc.block(start.plus(BlockCount::new(number)));
            let (Some(block), true) = (block, self.blocks < DIRECTORY_BLOCKS && known < NAMES)
            else {
                return Directory {
                    items,
                    complete: false,
                };
            };
            let mut at = 0;
            while let Some(mut record) = block.get(at..).and_then(DirectoryRecord::decode) {
                at += record.length;
                if record.is_dot() {
                    continue;
                }
                if names == TreeNames::Iso {
                    record.rock_ridge = None;
                }
                open.push((record.extent, record.data_length));
                if record.more_extents && !record.directory {
                    continue;
                }
                items.push(Item {
                    name: record.name_in(written),
                    short: None,
                    exact: names == TreeNames::Joliet || record.rock_ridge.is_some(),
                    directory: record.directory,
                    content: match is_empty(&open) && record.is_regular {
                        true => Content::Empty,
                        false => Content::Extents(open.clone()),
                    },
                });
                open.clear();
            }
        }
        Directory {
            items,
            complete: true,
        }
    }
}

fn is_empty(extents: &[(Lba, ByteCount)]) -> bool {
    extents.iter().all(|extent| extent.1 == ByteCount::ZERO)
}

/// `2024010112000000` as GRUB and Linux write it, with hyphens; a date of zeros is none.
fn uuid(digits: &[u8; 16]) -> Option<String> {
    if digits.iter().all(|&digit| matches!(digit, 0 | b'0')) {
        return None;
    }
    let digits = text(digits);
    let (year, rest) = digits.split_at_checked(4)?;
    let rest = rest.as_bytes().as_chunks::<2>().0.iter();
    let rest: Vec<String> = rest.map(|two| crate::bytes::printable(two)).collect();
    Some(format!("{year}-{}", rest.join("-")))
}
