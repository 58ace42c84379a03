//! A GPT put right in place, from that copy of it which is whole.

use std::ops::{Range, RangeInclusive};

use crate::{
    bytes::{le32, le64},
    change::Writes,
    inspect::{GPT_HEADER, Reading, Window},
    iso9660::SYSTEM_AREA_BLOCKS,
    partition_table::{PartitionType, RawGptEntry, RawGptHeader},
    units::{BlockCount, ByteCount, Lba, VirtualSector, VirtualSectorCount},
};

/// A header at least (UEFI §5.3.2), and as much as its sector holds.
const HEADER_BYTES: RangeInclusive<usize> = 92..=512;
/// Bytes of all entries together; they commonly have 16,384.
const ENTRIES_BYTES: usize = 1 << 20;

/// A header and its entries as they stand.
struct Copy {
    at: VirtualSector,
    sector: [u8; 512],
    fields: RawGptHeader,
    entries: Vec<u8>,
}

impl Copy {
    fn read(disc: &mut Window<'_>, at: VirtualSector) -> Option<Self> {
        let sector = disc.array(at.byte_offset())?;
        let fields = RawGptHeader::decode(&sector)?;
        let size = fields.entries.checked_mul(fields.entry_bytes)?;
        let size = usize::try_from(size).ok()?;
        let is_usual = fields.entry_bytes >= 128 && size <= ENTRIES_BYTES;
        let entries = is_usual.then(|| read(disc, fields.entries_at, size))??;
        let copy = Self {
            at,
            sector,
            fields,
            entries,
        };
        HEADER_BYTES.contains(&copy.header_bytes()).then_some(copy)
    }

    fn header_bytes(&self) -> usize {
        usize::try_from(le32(&self.sector, 12)).unwrap_or(usize::MAX)
    }

    fn is_whole(&self) -> bool {
        self.fields.checksum_is_right
            && self.fields.own == self.at
            && self.fields.entries_checksum == crc32fast::hash(&self.entries)
    }

    /// The sectors that it takes.
    fn sectors(&self) -> [Range<u64>; 2] {
        let range = |at: VirtualSector, length: u64| at.get()..at.get().saturating_add(length);
        let entries = range(self.fields.entries_at, self.entries_sectors().get());
        [range(self.at, 1), entries]
    }

    fn entries_sectors(&self) -> VirtualSectorCount {
        ByteCount::new(self.entries.len() as u64).virtual_sectors_rounded_up()
    }

    /// The last sector of the partitions; `None` where one of them is none.
    fn last_of_partitions(&self) -> Option<VirtualSector> {
        let size = usize::try_from(self.fields.entry_bytes).ok()?;
        let entries = self.entries.chunks(size).filter_map(RawGptEntry::decode);
        entries
            .map(|entry| (entry.first <= entry.last).then_some(entry.last))
            .try_fold(VirtualSector::default(), |last, of_one| {
                Some(last.max(of_one?))
            })
    }

    /// The header as it stands elsewhere, with its checksums.
    fn header(
        &self,
        [own, other, entries_at]: [VirtualSector; 3],
        last_usable: VirtualSector,
    ) -> Vec<u8> {
        let mut header = self.sector;
        let mut put = |at: usize, field: &[u8]| {
            for (to, from) in header.iter_mut().skip(at).zip(field) {
                *to = *from;
            }
        };
        put(16, &[0; 4]);
        put(24, &own.get().to_le_bytes());
        put(32, &other.get().to_le_bytes());
        put(48, &last_usable.get().to_le_bytes());
        put(72, &entries_at.get().to_le_bytes());
        put(88, &crc32fast::hash(&self.entries).to_le_bytes());
        let mut header = header.to_vec();
        header.truncate(self.header_bytes());
        let sum = crc32fast::hash(&header).to_le_bytes();
        header.splice(16..20, sum);
        header
    }
}

/// What to write so that both copies are whole, and the backup stands where the disc ends. `None` where that place is not free.
pub(super) fn repair(reading: &mut Reading<'_, '_>) -> Option<Writes> {
    let damaged = reading.tables.gpt.as_ref()?.header;
    let last = reading.disc.length().virtual_sectors_exact()?.last()?;
    let primary = Copy::read(reading.disc, GPT_HEADER);
    let backups = [last, damaged.other].map(|at| Copy::read(reading.disc, at));
    let owned: Vec<Range<u64>> = backups.iter().flatten().flat_map(Copy::sectors).collect();
    let mut copies: Vec<Copy> = primary
        .into_iter()
        .chain(backups.into_iter().flatten())
        .collect();
    // Where none is whole, what stands in the primary one counts.
    let is_primary = |copy: &Copy| copy.at == GPT_HEADER;
    let whole = copies.iter().position(Copy::is_whole);
    let good = whole.or_else(|| copies.iter().position(is_primary))?;
    let good = copies.swap_remove(good);

    let length = good.entries_sectors().get();
    let behind = VirtualSector::new(GPT_HEADER.get() + 1);
    let entries_at = if damaged.checksum_is_right || is_primary(&good) {
        damaged.entries_at
    } else {
        // The header is damaged: the entries are where they can be found.
        let mut places = [damaged.entries_at, behind].into_iter();
        places.find(|&at| {
            let found = read(reading.disc, at, good.entries.len());
            found.as_ref() == Some(&good.entries)
        })?
    };
    let place = VirtualSector::new(last.get().checked_sub(length)?);
    let is_in_place = entries_at >= behind
        && entries_at.get().checked_add(length)? <= le64(&good.sector, 40)
        && good.last_of_partitions()? < place;
    if !is_in_place || !is_free(reading, place, &good.entries, &owned) {
        return None;
    }
    let last_usable = VirtualSector::new(place.get().checked_sub(1)?);
    let last_usable = good.fields.last_usable.min(last_usable);
    let primary = good.header([GPT_HEADER, last, entries_at], last_usable);
    let backup = good.header([last, GPT_HEADER, place], last_usable);
    let written = [
        (GPT_HEADER, primary),
        (entries_at, good.entries.clone()),
        (place, good.entries),
        (last, backup),
    ];
    Some(written.map(|(at, bytes)| (at.byte_offset(), bytes)).into())
}

/// Whether nothing has the sectors from there to the disc's end: they are zeros, a backup's or the entries already, and no partition, file or boot image
/// reaches into them.
fn is_free(
    reading: &mut Reading<'_, '_>,
    place: VirtualSector,
    entries: &[u8],
    owned: &[Range<u64>],
) -> bool {
    let volume = SYSTEM_AREA_BLOCKS.virtual_sectors().get();
    let partitions = reading.inspection.partitions.mbr.iter();
    let partitions = partitions.filter_map(|it| {
        let first = it.first.get();
        let end = first.saturating_add(it.sectors.get());
        // One that has the volume in it describes the disc.
        let is_one = it.kind != PartitionType::EMPTY.0
            && it.kind != PartitionType::GPT_PROTECTIVE.0
            && !(first..end).contains(&volume);
        is_one.then_some(end)
    });
    let end = |start: Lba, length: VirtualSectorCount| {
        let before = BlockCount::new(start.get()).virtual_sectors();
        before.plus(length).get()
    };
    let files = reading.tree.iter().flat_map(|tree| &tree.extents);
    let files = files.map(|&(start, length)| end(start, length.virtual_sectors()));
    let images = reading.entries().map(|(_, boot)| {
        let file = boot.file_bytes.map(ByteCount::virtual_sectors_rounded_up);
        let length = file.or(boot.own_length).unwrap_or_default();
        end(boot.load_rba, length)
    });
    let mut ends = partitions.chain(files).chain(images);
    if ends.any(|end| end > place.get()) {
        return false;
    }
    let mut sectors = place.get()..reading.disc.virtual_sectors().get();
    let mut entries = entries.chunks(512);
    sectors.all(|number| {
        // The header's has none.
        let entries = entries.next();
        let at = VirtualSector::new(number).byte_offset();
        let is_owned = owned.iter().any(|range| range.contains(&number));
        let is_as_written = |sector: [u8; 512]| {
            sector == [0; 512] || entries.is_some_and(|entries| sector.starts_with(entries))
        };
        is_owned || reading.disc.array(at).is_some_and(is_as_written)
    })
}

/// So many bytes from a sector on; `None` where there are fewer.
fn read(disc: &mut Window<'_>, at: VirtualSector, size: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; size];
    (disc.read(at.byte_offset(), &mut bytes) == size).then_some(bytes)
}
