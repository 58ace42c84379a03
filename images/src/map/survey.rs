//! Where everything stands: the walk over a disc that the map is made from.

use std::{collections::HashSet, ops::ControlFlow};

use super::{
    extent::Extent,
    structure::{ByteOrder, GptCopy, PartitionScheme, Structure, TreeKind},
};
use crate::{
    eltorito::ENTRY_BYTES,
    fat::FatVolume,
    inspect::{
        BootReading, CatalogReading, DescriptorSet, Inspection, Node, NodeKind, PartitionsReading,
        RECORDS, Window, read_gpt_entries, walk_tree,
    },
    iso9660::{RawPrimaryVolume, SYSTEM_AREA_BLOCKS},
    partition_table::{Mbr, MbrEntry, PartitionType, RawGptHeader, SECTOR_BYTES},
    units::{BlockCount, ByteCount, Lba, VirtualSector, VirtualSectorCount},
};

/// Extents that are noted at most.
const EXTENTS: usize = RECORDS;
/// Bytes of paths that are noted at most.
const TEXT: usize = 64 << 20;
/// Trees that are walked at most: a disc has few sessions, each with two or three.
const TREES: usize = 16;

/// What is noted as the disc is walked.
pub(super) struct Survey {
    length: ByteCount,
    extents: Vec<Extent>,
    text: usize,
    complete: bool,
    /// Files that have been noted, by their extents: a further name of the same bytes is none of its own.
    files: HashSet<Vec<(Lba, ByteCount)>>,
    /// Where the catalog and the boot images start: a file there is nothing else.
    boot: HashSet<Lba>,
    /// Roots of trees that have been walked.
    roots: HashSet<Lba>,
}

impl Survey {
    /// All extents of a disc, and whether they are all.
    pub(super) fn of(disc: &mut Window<'_>, inspection: &Inspection) -> (Vec<Extent>, bool) {
        let images = inspection.entries().map(|(_, boot)| boot.load_rba);
        let catalog = inspection.catalog.iter().map(|catalog| catalog.lba);
        let mut survey = Self {
            length: disc.length(),
            extents: Vec::new(),
            text: 0,
            complete: true,
            files: HashSet::new(),
            boot: images.chain(catalog).collect(),
            roots: HashSet::new(),
        };
        survey.system_area(disc, inspection);
        // What firmware reads comes first: where there is no room for everything, it has some.
        if let Some(catalog) = &inspection.catalog {
            survey.catalog(catalog);
        }
        let mut holders = survey.images(inspection);
        holders.extend(survey.partitions(&inspection.partitions));
        survey.file_systems(disc, holders);
        let sessions = inspection.sessions.iter().map(|session| session.start);
        survey.volume(disc, None);
        for start in sessions.filter(|start| *start != Lba::default()) {
            survey.volume(disc, Some(start));
        }
        survey.behind_volume(inspection);
        (survey.extents, survey.complete)
    }

    /// Notes a structure of one extent.
    fn note(&mut self, offset: u64, bytes: ByteCount, what: Structure) -> ControlFlow<()> {
        self.note_all(&[(offset, bytes)], &what)
    }

    /// Notes a structure's extents, as far as they are on the disc.
    fn note_all(&mut self, runs: &[(u64, ByteCount)], what: &Structure) -> ControlFlow<()> {
        let sum = |sum: u64, run: &(u64, ByteCount)| sum.saturating_add(run.1.get());
        let whole = ByteCount::new(runs.iter().fold(0, sum));
        let mut before = 0_u64;
        for &(offset, bytes) in runs {
            let on_disc = self.length.get().saturating_sub(offset).min(bytes.get());
            if on_disc > 0 {
                self.text = self.text.saturating_add(what.text());
                if self.extents.len() >= EXTENTS || self.text > TEXT {
                    self.complete = false;
                    return ControlFlow::Break(());
                }
                self.extents.push(Extent {
                    offset,
                    bytes: ByteCount::new(on_disc),
                    before: ByteCount::new(before),
                    whole,
                    what: what.clone(),
                });
            }
            before = before.saturating_add(bytes.get());
        }
        ControlFlow::Continue(())
    }

    fn note_blocks(&mut self, start: Lba, bytes: ByteCount, what: Structure) -> ControlFlow<()> {
        self.note(start.byte_offset(), in_blocks(bytes), what)
    }

    fn system_area(&mut self, disc: &mut Window<'_>, inspection: &Inspection) -> Option<()> {
        if inspection.volume.is_some() {
            let _ = self.note(0, SYSTEM_AREA_BLOCKS.bytes(), Structure::SystemArea);
        }
        let table = Mbr::decode(&disc.array(0)?);
        if table.signature && table.is_plausible() {
            let entries = SECTOR_BYTES.get() - MbrEntry::TABLE;
            let _ = self.note(0, ByteCount::new(MbrEntry::TABLE), Structure::BootCode);
            let _ = self.note(
                MbrEntry::TABLE,
                ByteCount::new(entries),
                Structure::PartitionTable,
            );
        }
        let primary = self.gpt(disc, VirtualSector::new(1), GptCopy::Primary)?;
        self.gpt(disc, primary.other, GptCopy::Backup)?;
        Some(())
    }

    fn gpt(
        &mut self,
        disc: &mut Window<'_>,
        at: VirtualSector,
        copy: GptCopy,
    ) -> Option<RawGptHeader> {
        let header = RawGptHeader::decode(&disc.array(at.byte_offset())?)?;
        let _ = self.note(
            at.byte_offset(),
            SECTOR_BYTES,
            Structure::GptHeader { copy },
        );
        // As many as are read.
        read_gpt_entries(disc, &header)?;
        let entries = u64::from(header.entries) * u64::from(header.entry_bytes);
        let _ = self.note(
            header.entries_at.byte_offset(),
            ByteCount::new(entries),
            Structure::GptEntries { copy },
        );
        Some(header)
    }

    fn catalog(&mut self, catalog: &CatalogReading) {
        let slots = catalog.entries.iter().map(|entry| entry.slot).max();
        let bytes = (u64::from(slots.unwrap_or_default()) + 1) * ENTRY_BYTES as u64;
        let _ = self.note_blocks(catalog.lba, ByteCount::new(bytes), Structure::Catalog);
    }

    /// Notes the boot images, and says where each is that has a file system.
    fn images(&mut self, inspection: &Inspection) -> Vec<(u64, Structure)> {
        let mut file_systems = Vec::new();
        let mut seen = HashSet::new();
        for (_, boot) in inspection.entries() {
            if !seen.insert(boot.load_rba) {
                continue;
            }
            let same = inspection
                .entries()
                .filter(|(_, other)| other.load_rba == boot.load_rba);
            let what = Structure::BootImage {
                slots: same.map(|(entry, _)| entry.slot).collect(),
                path: boot.path.clone(),
            };
            if boot.fat.is_some() {
                file_systems.push((boot.load_rba.byte_offset(), what.clone()));
            }
            let _ = self.note_blocks(boot.load_rba, image_length(boot), what);
        }
        file_systems
    }

    /// Notes the partitions, and says where there may be a file system that firmware reads.
    fn partitions(&mut self, partitions: &PartitionsReading) -> Vec<(u64, Structure)> {
        let mut file_systems = Vec::new();
        let mbr = partitions
            .mbr
            .iter()
            .filter(|partition| partition.kind != PartitionType::GPT_PROTECTIVE.0)
            .map(|partition| {
                let what = Structure::Partition {
                    table: PartitionScheme::Mbr,
                    number: u32::from(partition.slot) + 1,
                    name: String::new(),
                };
                let is_esp = partition.kind == PartitionType::EFI_SYSTEM.0;
                (partition.first, partition.sectors, is_esp, what)
            });
        let gpt = partitions.gpt.iter().flatten().zip(1..);
        let gpt = gpt.map(|(partition, number)| {
            let what = Structure::Partition {
                table: PartitionScheme::Gpt,
                number,
                name: partition.name.clone(),
            };
            let end = partition.last.get().saturating_add(1);
            let sectors = VirtualSectorCount::new(end.saturating_sub(partition.first.get()));
            (partition.first, sectors, partition.esp, what)
        });
        for (first, sectors, is_esp, what) in mbr.chain(gpt) {
            let offset = first.byte_offset();
            if is_esp {
                file_systems.push((offset, what.clone()));
            }
            let _ = self.note(offset, sectors.bytes(), what);
        }
        file_systems
    }

    /// Notes what is in file systems, each once: a partition of the table is often a boot image, too.
    fn file_systems(&mut self, disc: &mut Window<'_>, holders: Vec<(u64, Structure)>) {
        let mut seen = HashSet::new();
        for (offset, holder) in holders {
            let Some(volume) = FatVolume::at(disc, offset).filter(|_| seen.insert(offset)) else {
                continue;
            };
            let complete = volume.walk(disc, &mut |part, runs| {
                let holder = Box::new(holder.clone());
                self.note_all(runs, &Structure::Fat { part, holder })
            });
            self.complete &= complete;
        }
    }

    /// Notes the descriptors of a session, and the trees that they lead to.
    fn volume(&mut self, disc: &mut Window<'_>, session: Option<Lba>) {
        let set = DescriptorSet::read(disc, session.unwrap_or_default());
        for &(lba, descriptor) in &set.all {
            let what = Structure::VolumeDescriptor {
                descriptor,
                session,
            };
            let _ = self.note(lba.byte_offset(), BlockCount::new(1).bytes(), what);
        }
        let primary = set.primary.iter().map(|(_, primary)| primary);
        let primary = primary.map(|volume| (TreeKind::Primary, volume));
        let supplementary = set.supplementary.iter();
        let supplementary = supplementary.map(|volume| (TreeKind::Supplementary, volume));
        for (tree, volume) in primary.chain(supplementary) {
            self.tree(disc, tree, volume);
        }
    }

    fn tree(&mut self, disc: &mut Window<'_>, tree: TreeKind, volume: &RawPrimaryVolume) {
        let Some(root) = &volume.root else { return };
        if !self.roots.insert(root.extent) {
            return;
        }
        if self.roots.len() > TREES {
            self.complete = false;
            return;
        }
        for (order, start) in [
            (ByteOrder::LittleEndian, volume.path_table_l),
            (ByteOrder::BigEndian, volume.path_table_m),
        ] {
            let what = Structure::PathTable { order, tree };
            let _ = self.note_blocks(start, volume.path_table, what);
        }
        let reading = walk_tree(disc, root, volume.names, &mut |node| self.node(node, tree));
        self.complete &= reading.complete;
    }

    fn node(&mut self, node: &Node<'_>, tree: TreeKind) -> ControlFlow<()> {
        let what = match node.kind {
            NodeKind::Directory => Structure::Directory {
                path: node.path(),
                tree,
            },
            NodeKind::File => {
                let is_known = self.boot.contains(&node.start());
                if is_known || !self.files.insert(node.extents.to_vec()) {
                    return ControlFlow::Continue(());
                }
                Structure::File { path: node.path() }
            }
        };
        let runs: Vec<_> = node
            .extents
            .iter()
            .map(|&(start, bytes)| (start.byte_offset(), in_blocks(bytes)))
            .collect();
        self.note_all(&runs, &what)
    }

    fn behind_volume(&mut self, inspection: &Inspection) {
        let Some(volume) = &inspection.volume else {
            return;
        };
        // Further sessions stand behind the first one's volume.
        let sessions = inspection.sessions.iter();
        let ends = sessions.map(|session| session.start.plus(session.blocks).byte_offset());
        let end = ends.fold(volume.blocks.bytes().get(), u64::max);
        let behind = ByteCount::new(self.length.get().saturating_sub(end));
        let _ = self.note(end, behind, Structure::BehindVolume);
    }
}

/// As many whole blocks as hold these bytes.
const fn in_blocks(bytes: ByteCount) -> ByteCount {
    bytes.blocks_rounded_up().bytes()
}

/// How much of the disc is the image: its file; or what it says itself, if there is so much room; or what the BIOS
/// loads.
fn image_length(boot: &BootReading) -> ByteCount {
    let room = boot.extent_blocks.map(BlockCount::bytes);
    let own = boot.own_length.map(VirtualSectorCount::bytes);
    let own = own.filter(|_| boot.path.is_none());
    let loaded = || boot.sector_count.bytes();
    match (room, own) {
        (Some(room), Some(own)) => room.min(own),
        (known, None) | (None, known) => known.unwrap_or_else(loaded),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_bounded_by_number_and_by_text() {
        let noted = |extents: usize, text: usize| {
            let extent = Extent {
                offset: 0,
                bytes: ByteCount::new(1),
                before: ByteCount::ZERO,
                whole: ByteCount::new(1),
                what: Structure::Catalog,
            };
            let mut survey = Survey {
                length: ByteCount::new(2_048),
                extents: vec![extent; extents],
                text,
                complete: true,
                files: HashSet::new(),
                boot: HashSet::new(),
                roots: HashSet::new(),
            };
            let path = "/A".to_owned();
            let broken = survey.note(0, ByteCount::new(9), Structure::File { path });
            assert_eq!(survey.complete, broken.is_continue());
            survey.extents.len() - extents
        };
        assert_eq!(noted(EXTENTS - 1, TEXT - 2), 1);
        assert_eq!(noted(EXTENTS, 0), 0);
        assert_eq!(noted(0, TEXT - 1), 0);
    }
}
