use super::{
    directory::{self, Record},
    path_table::{self, PathTableRecord},
};
use crate::units::{BlockCount, ByteCount, Lba};

/// A file to be found in the directory tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSpec {
    /// Its path, of level 2 names without version: `/BOOT/BOOT.CAT`.
    pub path: String,
    /// Its length.
    pub length: ByteCount,
}

/// The directories of a volume, sized before anything has an address.
#[derive(Debug)]
pub struct Tree {
    /// In the order of the path table: by depth, then parent, then name. The root is first.
    directories: Vec<Directory>,
    files: Vec<FileSpec>,
}

#[derive(Debug)]
struct Directory {
    /// One zero byte for the root.
    identifier: Vec<u8>,
    /// Index of the parent; the root is its own.
    parent: usize,
    /// Names with version, and indices into the tree's files, by name.
    files: Vec<(String, usize)>,
    blocks: BlockCount,
}

/// A tree whose directories and files have addresses.
#[derive(Debug)]
pub struct TreeExtents {
    /// The little-endian path table.
    pub path_table_l: Vec<u8>,
    /// The big-endian path table.
    pub path_table_m: Vec<u8>,
    /// The root's record, 34 bytes.
    pub root_record: Vec<u8>,
    /// All directories, one after the other.
    pub directories: Vec<u8>,
}

impl Tree {
    /// The tree that holds these files.
    #[must_use]
    pub fn new(files: Vec<FileSpec>) -> Self {
        let mut tree = Self {
            directories: vec![Directory::new(vec![0], 0)],
            files,
        };
        tree.add_directories();
        for index in 0..tree.files.len() {
            let (parent, name) = split(&tree.files[index].path);
            let at = tree.find(parent);
            let name = format!("{name};1");
            tree.directories[at].files.push((name, index));
        }
        for directory in &mut tree.directories {
            directory.files.sort();
        }
        tree.size_directories();
        tree
    }

    /// Adds every directory that a file's path names, level by level.
    fn add_directories(&mut self) {
        let mut paths: Vec<&str> = self
            .files
            .iter()
            .flat_map(|file| parents(&file.path))
            .collect();
        paths.sort_unstable();
        paths.dedup();
        let mut known = vec![""];
        let mut level = 1;
        loop {
            let mut here: Vec<(usize, &str, &str)> = paths
                .iter()
                .filter(|path| path.matches('/').count() == level)
                .filter_map(|path| {
                    let (parent, name) = split(path);
                    Some((
                        known.iter().position(|known| *known == parent)?,
                        name,
                        *path,
                    ))
                })
                .collect();
            if here.is_empty() {
                return;
            }
            here.sort_unstable();
            for (parent, name, path) in here {
                self.directories
                    .push(Directory::new(name.as_bytes().to_vec(), parent));
                known.push(path);
            }
            level += 1;
        }
    }

    fn find(&self, path: &str) -> usize {
        let mut at = 0;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let child = self
                .directories
                .iter()
                .enumerate()
                .skip(1)
                .find(|(_, directory)| {
                    directory.parent == at && directory.identifier == name.as_bytes()
                });
            at = child.map_or(at, |(index, _)| index);
        }
        at
    }

    fn size_directories(&mut self) {
        let nowhere = vec![Lba::new(0); self.files.len()];
        for index in 0..self.directories.len() {
            let bytes = self.directory_bytes(index, Lba::new(0), &nowhere);
            self.directories[index].blocks = ByteCount::new(bytes.len() as u64).blocks_rounded_up();
        }
    }

    /// The blocks that all directories take together.
    #[must_use]
    pub fn directory_blocks(&self) -> BlockCount {
        self.directories
            .iter()
            .fold(BlockCount::ZERO, |sum, directory| {
                sum.plus(directory.blocks)
            })
    }

    /// The length of each of the two path tables.
    #[must_use]
    pub fn path_table_length(&self) -> ByteCount {
        let lengths = self
            .directories
            .iter()
            .map(|d| 8 + d.identifier.len().next_multiple_of(2));
        ByteCount::new(lengths.sum::<usize>() as u64)
    }

    /// The tree with its directories from `first` on and each file at its address.
    #[must_use]
    pub fn place(&self, first: Lba, files: &[Lba]) -> TreeExtents {
        let records: Vec<_> = self
            .directories
            .iter()
            .enumerate()
            .map(|(index, directory)| PathTableRecord {
                identifier: &directory.identifier,
                extent: field(self.lba_of(index, first)),
                parent: u16::try_from(directory.parent + 1).unwrap_or(u16::MAX),
            })
            .collect();
        let (path_table_l, path_table_m) = path_table::encode(&records);
        let directories = (0..self.directories.len())
            .flat_map(|index| self.directory_bytes(index, first, files))
            .collect();
        let root_record = self.record(0, &[0], first).encode();
        TreeExtents {
            path_table_l,
            path_table_m,
            root_record,
            directories,
        }
    }

    fn lba_of(&self, index: usize, first: Lba) -> Lba {
        self.directories[..index]
            .iter()
            .fold(first, |lba, directory| lba.plus(directory.blocks))
    }

    fn record<'a>(&self, index: usize, identifier: &'a [u8], first: Lba) -> Record<'a> {
        let length = self.directories[index]
            .blocks
            .bytes()
            .to_u32()
            .unwrap_or(u32::MAX);
        Record::directory(identifier, field(self.lba_of(index, first)), length)
    }

    fn directory_bytes(&self, index: usize, first: Lba, files: &[Lba]) -> Vec<u8> {
        let directory = &self.directories[index];
        let mut records = vec![
            self.record(index, &[0], first),
            self.record(directory.parent, &[1], first),
        ];
        let mut named: Vec<(&[u8], Vec<Record<'_>>)> = Vec::new();
        for (child, subdirectory) in self.directories.iter().enumerate().skip(1) {
            if subdirectory.parent == index {
                let name = subdirectory.identifier.as_slice();
                named.push((name, vec![self.record(child, name, first)]));
            }
        }
        for (name, file) in &directory.files {
            let start = files.get(*file).copied().unwrap_or_default();
            let name = name.as_bytes();
            named.push((
                name,
                directory::file_records(name, start, self.files[*file].length),
            ));
        }
        named.sort_by_key(|(name, _)| *name);
        records.extend(named.into_iter().flat_map(|(_, records)| records));
        directory::pack(records)
    }
}

impl Directory {
    const fn new(identifier: Vec<u8>, parent: usize) -> Self {
        Self {
            identifier,
            parent,
            files: Vec::new(),
            blocks: BlockCount::ZERO,
        }
    }
}

/// A directory's address as the 32-bit field it becomes; directories stand at the disc's beginning.
fn field(lba: Lba) -> u32 {
    lba.to_u32().unwrap_or(u32::MAX)
}

/// `/BOOT/BOOT.CAT` → `/BOOT`, `BOOT.CAT`.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// `/EFI/BOOT/BOOTX64.EFI` → `/EFI/BOOT`, `/EFI`.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(split(path).0), |path| Some(split(path).0))
        .take_while(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iso9660::DirectoryRecord;

    /// Paths as `parent/name` by what the path tables say, each with its address; both tables must say the same.
    fn directories_in(extents: &TreeExtents) -> Vec<(String, u32)> {
        let (mut little, mut big) = (&extents.path_table_l[..], &extents.path_table_m[..]);
        let mut found: Vec<(String, u32)> = Vec::new();
        while let [length, _, rest @ ..] = little {
            let length = usize::from(*length);
            let padded = length.next_multiple_of(2);
            let mirrored: Vec<u8> = [&big[2..6], &big[6..8]]
                .iter()
                .flat_map(|field| field.iter().rev().copied())
                .collect();
            assert_eq!(rest[..6], mirrored);
            assert_eq!(rest[6..6 + padded], big[8..8 + padded]);
            let extent = u32::from_le_bytes([rest[0], rest[1], rest[2], rest[3]]);
            let parent = usize::from(u16::from_le_bytes([rest[4], rest[5]]));
            let name = String::from_utf8_lossy(&rest[6..6 + length]);
            let path = match found.get(parent - 1) {
                Some((parent, _)) => format!("{parent}/{name}"),
                None => String::new(),
            };
            found.push((path, extent));
            (little, big) = (&rest[6 + padded..], &big[8 + padded..]);
        }
        assert!(big.is_empty());
        found
    }

    /// ECMA-119 §6.9.1: by level, then the parent's number, then the name.
    #[test]
    fn directories_stand_in_the_order_of_the_path_table_and_hold_their_files() {
        let paths = ["/Z", "/B/C/X", "/A/D/Y", "/A/D/Z", "/B/C/E/W"];
        let files = paths.map(|path| FileSpec {
            path: path.to_owned(),
            length: ByteCount::new(2049),
        });
        let tree = Tree::new(files.to_vec());
        assert_eq!(tree.directory_blocks().get(), 6);
        let addresses: Vec<Lba> = (0..5).map(|file| Lba::new(100 + file)).collect();
        let extents = tree.place(Lba::new(20), &addresses);
        let found = directories_in(&extents);
        let expected = ["", "/A", "/B", "/A/D", "/B/C", "/B/C/E"];
        assert_eq!(
            found,
            expected
                .iter()
                .zip(20..)
                .map(|(path, lba)| ((*path).to_owned(), lba))
                .collect::<Vec<_>>()
        );
        let names_in = |path: &str| -> Vec<(String, u64, u64)> {
            let index = expected.iter().position(|it| *it == path).unwrap();
            let mut bytes = &extents.directories[index * 2048..(index + 1) * 2048];
            let mut names = Vec::new();
            while bytes[0] != 0 {
                let record = DirectoryRecord::decode(bytes).unwrap();
                bytes = &bytes[record.length..];
                let name = match record.identifier[..] {
                    [0] => ".".to_owned(),
                    [1] => "..".to_owned(),
                    _ => record.name(),
                };
                names.push((name, record.extent.get(), record.data_length.get()));
            }
            names
        };
        let name = |name: &str, lba, bytes| (name.to_owned(), lba, bytes);
        assert_eq!(
            names_in(""),
            [
                name(".", 20, 2048),
                name("..", 20, 2048),
                name("A", 21, 2048),
                name("B", 22, 2048),
                name("Z", 100, 2049),
            ]
        );
        assert_eq!(
            names_in("/A/D"),
            [
                name(".", 23, 2048),
                name("..", 21, 2048),
                name("Y", 102, 2049),
                name("Z", 103, 2049),
            ]
        );
        assert_eq!(names_in("/B/C")[2], name("E", 25, 2048));
        let root = DirectoryRecord::decode(&extents.root_record).unwrap();
        assert_eq!((root.extent.get(), root.directory), (20, true));
    }

    #[test]
    fn a_path_table_has_a_record_for_each_directory() {
        let file = |path: &str| FileSpec {
            path: path.to_owned(),
            length: ByteCount::new(1),
        };
        // ECMA-119 §9.4: eight bytes and the identifier, padded to an even length. The root's is one byte.
        let length = |paths: &[&str]| {
            let tree = Tree::new(paths.iter().map(|path| file(path)).collect());
            tree.path_table_length().get()
        };
        assert_eq!(length(&["/A.;1"]), 10);
        assert_eq!(length(&["/BOOT/A.;1"]), 10 + 12);
        assert_eq!(length(&["/BOOT/A.;1", "/EFI/BOOT/B.;1"]), 10 + 12 + 12 + 12);
    }
}
