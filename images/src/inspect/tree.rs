//! The directory tree: which files start where, and whether an EFI loader is among them.

use std::collections::{BTreeSet, VecDeque};

use super::{Window, reading::TreeReading};
use crate::{
    fat::is_loader,
    iso9660::DirectoryRecord,
    units::{BLOCK_BYTES, BlockCount, ByteCount, Lba},
};

/// Directories that are read at most.
const DIRECTORIES: usize = 16_384;
/// Records that are read at most.
const RECORDS: usize = 400_000;
/// Bytes of a path that are kept.
const PATH_BYTES: usize = 1_024;

/// A file that starts at a place somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileAt {
    pub(super) path: String,
    pub(super) start: Lba,
    /// Of all its extents together.
    pub(super) length: ByteCount,
}

/// What was learnt of the tree.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) reading: TreeReading,
    /// The files that start at one of the places asked for.
    pub(super) files: Vec<FileAt>,
    /// Where every file and directory starts.
    pub(super) starts: Vec<Lba>,
}

/// A directory that is known and not yet read.
struct Directory {
    start: Lba,
    length: ByteCount,
    /// The index of its parent among all known; the root's is its own.
    parent: usize,
    name: String,
}

/// Walks the tree from a root directory, and keeps the files that start at one of `wanted`.
pub(super) fn walk(disc: &mut Window<'_>, root: &DirectoryRecord, wanted: &[Lba]) -> Tree {
    let mut walk = Walk {
        tree: Tree::default(),
        known: vec![Directory {
            start: root.extent,
            length: root.data_length,
            parent: 0,
            name: String::new(),
        }],
        visited: BTreeSet::from([root.extent]),
        queue: VecDeque::from([0]),
        records: 0,
        wanted,
    };
    walk.tree.reading.complete = true;
    while let Some(index) = walk.queue.pop_front() {
        walk.directory(disc, index);
    }
    let mut tree = walk.tree;
    tree.reading.directories = walk.known.len() as u64;
    tree.starts.extend(walk.visited);
    tree
}

struct Walk<'w> {
    tree: Tree,
    known: Vec<Directory>,
    visited: BTreeSet<Lba>,
    queue: VecDeque<usize>,
    records: usize,
    wanted: &'w [Lba],
}

impl Walk<'_> {
    fn directory(&mut self, disc: &mut Window<'_>, index: usize) {
        let Some(directory) = self.known.get(index) else {
            return;
        };
        let (start, blocks) = (directory.start, directory.length.blocks_rounded_up());
        // A file of several extents, of which more come.
        let mut open: Option<(Lba, u64)> = None;
        for number in 0..blocks.get() {
            let Some(block) = disc.block(start.plus(BlockCount::new(number))) else {
                self.tree.reading.complete = false;
                return;
            };
            let mut at = 0;
            while let Some(record) = block.get(at..).and_then(DirectoryRecord::decode) {
                // A record of length 0 is the rest of the block; no record is shorter than its fixed part.
                at += record.length;
                self.records += 1;
                if self.records > RECORDS {
                    self.tree.reading.complete = false;
                    return;
                }
                if !record.is_dot() {
                    self.record(index, &record, &mut open);
                }
                debug_assert!(at <= BLOCK_BYTES as usize);
            }
        }
    }

    fn record(&mut self, parent: usize, record: &DirectoryRecord, open: &mut Option<(Lba, u64)>) {
        if record.directory {
            self.add_directory(parent, record);
            return;
        }
        let (start, before) = open.take().unwrap_or((record.extent, 0));
        let length = before.saturating_add(record.data_length.get());
        if record.more_extents {
            *open = Some((start, length));
            return;
        }
        self.tree.reading.files += 1;
        // Files without content share an address that means nothing.
        if length == 0 {
            return;
        }
        self.tree.starts.push(start);
        let name = record.name();
        if is_loader(&name) && self.is_removable_media_folder(parent) {
            self.tree.reading.loaders.push(name.clone());
        }
        if self.wanted.contains(&start) {
            self.tree.files.push(FileAt {
                path: self.path(parent, &name),
                start,
                length: ByteCount::new(length),
            });
        }
    }

    fn add_directory(&mut self, parent: usize, record: &DirectoryRecord) {
        // A directory that is met twice is a cycle, or shared: once is enough.
        if !self.visited.insert(record.extent) {
            return;
        }
        if self.known.len() >= DIRECTORIES {
            self.tree.reading.complete = false;
            return;
        }
        self.queue.push_back(self.known.len());
        self.known.push(Directory {
            start: record.extent,
            length: record.data_length,
            parent,
            name: record.name(),
        });
    }

    /// Whether a directory is `/EFI/BOOT`.
    fn is_removable_media_folder(&self, index: usize) -> bool {
        self.path(index, "").eq_ignore_ascii_case("/EFI/BOOT/")
    }

    /// A file's path, its beginning cut where it is very long.
    fn path(&self, mut directory: usize, name: &str) -> String {
        let mut path = format!("/{name}");
        while directory != 0 && path.len() < PATH_BYTES {
            let Some(above) = self.known.get(directory) else {
                break;
            };
            path.insert_str(0, &above.name);
            path.insert(0, '/');
            directory = above.parent;
        }
        path
    }
}
