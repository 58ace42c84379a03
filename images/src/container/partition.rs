//! An ISO that was written into a partition of a disk instead of onto the whole of it.

use crate::{
    inspect::Window,
    partition_table::{Mbr, PartitionType, RawGptEntry, RawGptHeader},
    units::{Lba, VirtualSector, VirtualSectorCount},
};

/// So many entries of a GUID partition table are looked at: as many as partitioning tools make.
const MOST_ENTRIES: u32 = 128;
/// Bytes of an entry (UEFI §5.3.3).
const ENTRY: u32 = 128;
/// The sector that holds an ISO's first volume descriptor.
const DESCRIPTOR: Lba = Lba::new(16);

/// A partition that holds an ISO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IsoPartition {
    /// Its number, from 1 on.
    pub(super) number: usize,
    pub(super) first: VirtualSector,
    pub(super) length: VirtualSectorCount,
}

impl IsoPartition {
    /// The first partition with an ISO in it: of the GUID partition table where there is one, else of the master boot record.
    pub(super) fn find(disk: &mut Window<'_>) -> Option<Self> {
        let partitions = gpt(disk).or_else(|| mbr(disk))?;
        partitions.into_iter().find(|partition| {
            let descriptor = partition.first.byte_offset();
            let identifier = descriptor.saturating_add(DESCRIPTOR.byte_offset() + 1);
            let mut bytes = [0; 5];
            disk.read(identifier, &mut bytes) == bytes.len() && bytes == *b"CD001"
        })
    }
}

fn gpt(disk: &mut Window<'_>) -> Option<Vec<IsoPartition>> {
    let header = RawGptHeader::decode(&disk.array(512)?)?;
    let start = header.entries_at.byte_offset();
    let step = u64::from(header.entry_bytes.max(ENTRY));
    let count = header.entries.min(MOST_ENTRIES);
    let numbered = (1..).zip((0..u64::from(count)).map(|at| start.saturating_add(at * step)));
    let partitions = numbered.filter_map(|(number, at)| {
        let entry = RawGptEntry::decode(&disk.array::<128>(at)?)?;
        Some(IsoPartition {
            number,
            first: entry.first,
            length: VirtualSectorCount::new(entry.end().get().saturating_sub(entry.first.get())),
        })
    });
    Some(partitions.collect())
}

fn mbr(disk: &mut Window<'_>) -> Option<Vec<IsoPartition>> {
    let table = Mbr::decode(&disk.array(0)?);
    let partitions = table.used().map(|(slot, entry)| IsoPartition {
        number: slot + 1,
        first: entry.first,
        length: entry.length,
    });
    let is_one = table.signature && table.is_plausible() && !is_protective(&table);
    is_one.then(|| partitions.collect())
}

/// A table whose only partition stands for a GUID partition table, which is not there.
fn is_protective(table: &Mbr) -> bool {
    table
        .used()
        .all(|(_, entry)| entry.kind == PartitionType::GPT_PROTECTIVE)
}
