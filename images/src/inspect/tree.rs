//! The directory tree: what stands where in it, which files start at given places, and whether an EFI loader is
//! among them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::ControlFlow,
};

use super::{Window, descriptors::DescriptorSet, reading::TreeReading};
use crate::{
    fat::{add_loader, is_loader},
    iso9660::{DirectoryRecord, Names},
    units::{BLOCK_BYTES, BlockCount, ByteCount, Lba},
};

/// Directories that are read at most.
const DIRECTORIES: usize = 16_384;
/// Blocks of directories that are read at most: some hold nothing.
const BLOCKS: usize = 400_000;
/// Records that are read at most.
pub(crate) const RECORDS: usize = 400_000;
/// Bytes of a path that are kept.
const PATH_BYTES: usize = 1_024;

/// A file that starts at a place somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileAt {
    pub(crate) path: String,
    /// Of all its extents together.
    pub(crate) length: ByteCount,
}

/// What was learnt of the tree.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) reading: TreeReading,
    /// The first file that starts at each of the places asked for.
    pub(super) files: BTreeMap<Lba, FileAt>,
    /// Where every file and directory starts.
    pub(super) starts: Vec<Lba>,
    /// Where each file's first bytes stand.
    pub(crate) extents: Vec<(Lba, BlockCount)>,
    /// Where what stands last in it ends.
    pub(crate) end: Lba,
    /// The largest file, and where it starts.
    pub(crate) largest: Option<(Lba, FileAt)>,
    /// Files that are called as a squashfs is.
    pub(crate) squashed: Vec<(Lba, FileAt)>,
}

/// Files called as a squashfs that are kept.
const SQUASHED: usize = 64;

impl Tree {
    /// Reads the tree of a root directory, and keeps a file that starts at each of `wanted`.
    pub(super) fn read(
        disc: &mut Window<'_>,
        root: &DirectoryRecord,
        wanted: &BTreeSet<Lba>,
    ) -> Self {
        let mut tree = Self::default();
        let mut loaders = Vec::new();
        let reading = walk(disc, root, Names::Plain, &mut |node| {
            tree.starts.push(node.start());
            for &(start, length) in node.extents {
                tree.end = tree.end.max(start.plus(length.blocks_rounded_up()));
            }
            if node.kind == NodeKind::File {
                if is_loader(node.name) && node.is_in_removable_media_folder() {
                    add_loader(&mut loaders, node.name.to_owned());
                }
                let file = || FileAt {
                    path: node.path(),
                    length: node.length(),
                };
                if wanted.contains(&node.start()) {
                    tree.files.entry(node.start()).or_insert_with(file);
                }
                let first = node.extents.first().map(|extent| extent.1);
                let blocks = first.unwrap_or_default().blocks_rounded_up();
                tree.extents.push((node.start(), blocks));
                let largest = tree.largest.as_ref().map(|(_, file)| file.length);
                if largest < Some(node.length()) {
                    tree.largest = Some((node.start(), file()));
                }
                if is_squashed(node.name) && tree.squashed.len() < SQUASHED {
                    tree.squashed.push((node.start(), file()));
                }
            }
            ControlFlow::Continue(())
        });
        tree.reading = TreeReading { loaders, ..reading };
        tree
    }
}

/// Where the records of the file stand that has its bytes in a row from a block on: in every tree of the disc.
pub(crate) fn records_of(disc: &mut Window<'_>, set: &DescriptorSet, start: Lba) -> Vec<u64> {
    let primary = set.primary.iter().map(|(_, volume)| volume);
    let mut records = Vec::new();
    for volume in primary.chain(&set.supplementary) {
        let Some(root) = &volume.root else { continue };
        walk(disc, root, volume.names, &mut |node| {
            let is_it = matches!(node.extents, &[(extent, _)] if extent == start);
            if node.kind == NodeKind::File && is_it {
                records.push(node.record);
            }
            ControlFlow::Continue(())
        });
    }
    records
}

fn is_squashed(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".squashfs", ".sfs", ".squash", "squashfs.img"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// What something in the tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeKind {
    File,
    Directory,
}

/// A file with content, or a directory, as the walk comes by it.
pub(crate) struct Node<'n> {
    pub(crate) kind: NodeKind,
    pub(crate) name: &'n str,
    /// Where its bytes stand, in order: one extent at least.
    pub(crate) extents: &'n [(Lba, ByteCount)],
    /// Where its record stands; that of the last extent, where there are several.
    pub(crate) record: u64,
    known: &'n [Directory],
    parent: usize,
}

impl Node<'_> {
    /// Where it starts.
    pub(crate) fn start(&self) -> Lba {
        self.extents.first().map_or(Lba::default(), |first| first.0)
    }

    /// Its length, all extents together.
    pub(crate) fn length(&self) -> ByteCount {
        let lengths = self.extents.iter().map(|extent| extent.1.get());
        ByteCount::new(lengths.fold(0, u64::saturating_add))
    }

    /// Its path, the beginning cut where it is very long.
    pub(crate) fn path(&self) -> String {
        path(self.known, self.parent, self.name)
    }

    fn is_in_removable_media_folder(&self) -> bool {
        path(self.known, self.parent, "").eq_ignore_ascii_case("/EFI/BOOT/")
    }
}

/// A directory that is known and not yet read.
struct Directory {
    start: Lba,
    length: ByteCount,
    /// The index of its parent among all known; the root's is its own.
    parent: usize,
    name: String,
}

fn path(known: &[Directory], mut directory: usize, name: &str) -> String {
    let mut path = format!("/{name}");
    while directory != 0 && path.len() < PATH_BYTES {
        let Some(above) = known.get(directory) else {
            break;
        };
        path.insert_str(0, &above.name);
        path.insert(0, '/');
        directory = above.parent;
    }
    path
}

/// What is done with each node; a break ends the walk.
pub(crate) type Visit<'v> = dyn FnMut(&Node<'_>) -> ControlFlow<()> + 'v;

/// Walks the tree from a root directory, and shows all that it comes by, the root first.
///
/// Nobody looks for loaders here: that list of the reading stays empty.
pub(crate) fn walk(
    disc: &mut Window<'_>,
    root: &DirectoryRecord,
    names: Names,
    visit: &mut Visit<'_>,
) -> TreeReading {
    let mut walk = Walk {
        reading: TreeReading {
            complete: true,
            ..TreeReading::default()
        },
        known: Vec::new(),
        visited: BTreeSet::new(),
        queue: VecDeque::new(),
        records: 0,
        blocks: 0,
        names,
        visit,
    };
    let mut flow = walk.add_directory(0, 0, root, String::new());
    while let (ControlFlow::Continue(()), Some(index)) = (flow, walk.queue.pop_front()) {
        flow = walk.directory(disc, index);
    }
    if flow.is_break() {
        walk.reading.complete = false;
    }
    walk.reading.directories = walk.known.len() as u64;
    walk.reading
}

struct Walk<'w, 'v> {
    reading: TreeReading,
    known: Vec<Directory>,
    visited: BTreeSet<Lba>,
    queue: VecDeque<usize>,
    records: usize,
    blocks: usize,
    names: Names,
    visit: &'w mut Visit<'v>,
}

impl Walk<'_, '_> {
    fn directory(&mut self, disc: &mut Window<'_>, index: usize) -> ControlFlow<()> {
        let Some(directory) = self.known.get(index) else {
            return ControlFlow::Continue(());
        };
        let (start, blocks) = (directory.start, directory.length.blocks_rounded_up());
        // The extents of a file of which more come.
        let mut open = Vec::new();
        for number in 0..blocks.get() {
            self.blocks += 1;
            if self.blocks > BLOCKS {
                return ControlFlow::Break(());
            }
            let lba = start.plus(BlockCount::new(number));
            let Some(block) = disc.block(lba) else {
                self.reading.complete = false;
                return ControlFlow::Continue(());
            };
            let mut at = 0;
            while let Some(record) = block.get(at..).and_then(DirectoryRecord::decode) {
                let place = lba.byte_offset().saturating_add(at as u64);
                // A record of length 0 is the rest of the block; no record is shorter than its fixed part.
                at += record.length;
                self.records += 1;
                if self.records > RECORDS {
                    return ControlFlow::Break(());
                }
                if !record.is_dot() {
                    self.record(index, place, &record, &mut open)?;
                }
                debug_assert!(at <= BLOCK_BYTES as usize);
            }
        }
        ControlFlow::Continue(())
    }

    fn record(
        &mut self,
        parent: usize,
        place: u64,
        record: &DirectoryRecord,
        open: &mut Vec<(Lba, ByteCount)>,
    ) -> ControlFlow<()> {
        if record.directory {
            return self.add_directory(parent, place, record, record.name_in(self.names));
        }
        open.push((record.extent, record.data_length));
        if record.more_extents {
            return ControlFlow::Continue(());
        }
        let extents = std::mem::take(open);
        self.reading.files += 1;
        // Files without content share an address that means nothing.
        if extents.iter().all(|extent| extent.1 == ByteCount::ZERO) {
            return ControlFlow::Continue(());
        }
        let name = record.name_in(self.names);
        self.show(NodeKind::File, parent, &name, place, &extents)
    }

    fn add_directory(
        &mut self,
        parent: usize,
        place: u64,
        record: &DirectoryRecord,
        name: String,
    ) -> ControlFlow<()> {
        // A directory that is met twice is a cycle, or shared: once is enough.
        if !self.visited.insert(record.extent) {
            return ControlFlow::Continue(());
        }
        if self.known.len() >= DIRECTORIES {
            self.reading.complete = false;
            return ControlFlow::Continue(());
        }
        let extent = (record.extent, record.data_length);
        self.show(NodeKind::Directory, parent, &name, place, &[extent])?;
        self.queue.push_back(self.known.len());
        self.known.push(Directory {
            start: record.extent,
            length: record.data_length,
            parent,
            name,
        });
        ControlFlow::Continue(())
    }

    fn show(
        &mut self,
        kind: NodeKind,
        parent: usize,
        name: &str,
        record: u64,
        extents: &[(Lba, ByteCount)],
    ) -> ControlFlow<()> {
        (self.visit)(&Node {
            kind,
            name,
            extents,
            record,
            known: &self.known,
            parent,
        })
    }
}
