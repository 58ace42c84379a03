//! The partition tables in the system area, by which a hybrid disc starts as a stick.

use super::{
    Window,
    reading::{GptPartition, MbrPartition, PartitionsReading},
};
use crate::{
    partition_table::{Guid, Mbr, MbrEntry, PartitionType, RawGptEntry, RawGptHeader},
    units::VirtualSector,
};

/// Entries of a GPT that are read at most; it commonly has 128.
const GPT_ENTRIES: u32 = 1_024;
/// Bytes of an entry that are read at most; it commonly has 128.
const GPT_ENTRY_BYTES: u32 = 4_096;
/// Where the primary GPT header stands (UEFI §5.3.1).
pub(crate) const GPT_HEADER: VirtualSector = VirtualSector::new(1);

/// The tables as they stand.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    /// What stands in the first sector, whether or not it is a table.
    pub(crate) mbr: Option<Mbr>,
    pub(crate) gpt: Option<Gpt>,
}

/// A GPT as it stands.
#[derive(Debug)]
pub(crate) struct Gpt {
    pub(crate) header: RawGptHeader,
    /// Its entries and their checksum, where they can be read.
    pub(crate) entries: Option<(Vec<RawGptEntry>, u32)>,
    /// The other header, where there is one.
    pub(crate) backup: Option<RawGptHeader>,
}

impl Tables {
    /// Reads them.
    pub(super) fn read(disc: &mut Window<'_>) -> Self {
        let Some(mbr) = disc.array(0).map(|sector| Mbr::decode(&sector)) else {
            return Self::default();
        };
        Self {
            mbr: Some(mbr),
            gpt: Gpt::read(disc),
        }
    }

    /// What they say.
    pub(super) fn reading(&self) -> PartitionsReading {
        let Some(table) = &self.mbr else {
            return PartitionsReading::default();
        };
        // Anything may stand in the system area. A table has a signature, and no code where its status bytes are.
        let is_table = table.signature && table.is_plausible();
        let slots = (0_u8..).zip(table.entries);
        let partition = |(slot, entry): (u8, MbrEntry)| MbrPartition {
            slot,
            status: entry.status,
            kind: entry.kind.0,
            first: entry.first,
            sectors: entry.length,
        };
        PartitionsReading {
            signature: table.signature,
            mbr: slots
                .filter(|(_, entry)| {
                    is_table && (entry.kind != PartitionType::EMPTY || entry.length.get() != 0)
                })
                .map(partition)
                .collect(),
            gpt: self.gpt.as_ref().map(Gpt::partitions),
        }
    }
}

impl Gpt {
    fn read(disc: &mut Window<'_>) -> Option<Self> {
        let header = RawGptHeader::decode(&disc.array(GPT_HEADER.byte_offset())?)?;
        let entries = read_entries(disc, &header);
        let backup = disc
            .array(header.other.byte_offset())
            .and_then(|sector| RawGptHeader::decode(&sector));
        Some(Self {
            header,
            entries,
            backup,
        })
    }

    fn partitions(&self) -> Vec<GptPartition> {
        let entries = self.entries.iter().flat_map(|(entries, _)| entries);
        let partition = |entry: &RawGptEntry| GptPartition {
            esp: entry.kind == Guid::EFI_SYSTEM,
            name: entry.name.clone(),
            first: entry.first,
            last: entry.last,
        };
        entries.map(partition).collect()
    }
}

/// The entries and their checksum; `None` where they cannot be read, or are more than anybody needs.
pub(crate) fn read_entries(
    disc: &mut Window<'_>,
    header: &RawGptHeader,
) -> Option<(Vec<RawGptEntry>, u32)> {
    if header.entries > GPT_ENTRIES || !(128..=GPT_ENTRY_BYTES).contains(&header.entry_bytes) {
        return None;
    }
    let size = usize::try_from(header.entry_bytes).ok()?;
    let mut entry = vec![0; size];
    let mut entries = Vec::new();
    let mut sum = crc32fast::Hasher::new();
    let start = header.entries_at.byte_offset();
    for number in 0..u64::from(header.entries) {
        let at = start.saturating_add(number * u64::from(header.entry_bytes));
        if disc.read(at, &mut entry) < size {
            return None;
        }
        sum.update(&entry);
        entries.extend(RawGptEntry::decode(&entry));
    }
    Some((entries, sum.finalize()))
}
