//! The volume descriptor sets: of the disc, and of each session on it.

use super::{
    Window,
    reading::{BootRecordReading, Session, Volume},
};
use crate::{
    bytes::both32,
    defect::SPACE_SIZE,
    eltorito::{BOOT_RECORD_LBA, RawBootRecord, boot_record},
    finding::{Finding, Place},
    iso9660::{DescriptorKind, RawPrimaryVolume, SYSTEM_AREA_BLOCKS},
    units::{BLOCK_BYTES, BlockCount, Lba},
};

/// More descriptors than any disc has, fewer than a hostile one could claim.
const DESCRIPTORS: u64 = 100;
/// Sessions that are looked for: a CD has at most 99 tracks.
const SESSIONS: usize = 99;
/// On media that can be overwritten, sessions begin at multiples of 32 blocks, and the first one's descriptors are
/// kept from block 32 on while those at LBA 16 are replaced (libburnia, "emulated TOC").
const SESSION_ALIGNMENT: u64 = 32;
/// The gaps between a session's end and the next one's start on a CD: lead-out and lead-in after the first session,
/// after a further one, each without and with the pre-gap that is counted to neither (ECMA-394).
const GAPS: [u64; 6] = [0, 150, 6_900, 7_050, 11_400, 11_550];

/// A descriptor set.
#[derive(Debug, Default)]
pub(crate) struct DescriptorSet {
    /// Every descriptor and where it stands, the terminator included.
    pub(crate) all: Vec<(Lba, DescriptorKind)>,
    /// The primary descriptor and where it stands.
    pub(crate) primary: Option<(Lba, RawPrimaryVolume)>,
    /// The supplementary ones, which have trees of their own.
    pub(crate) supplementary: Vec<RawPrimaryVolume>,
    /// The boot records and where they stand.
    pub(crate) boot_records: Vec<(Lba, RawBootRecord)>,
}

impl DescriptorSet {
    /// The set of a session that starts there.
    pub(crate) fn read(disc: &mut Window<'_>, start: Lba) -> Self {
        let mut set = Self::default();
        let first = start.plus(SYSTEM_AREA_BLOCKS);
        for number in 0..DESCRIPTORS {
            let lba = first.plus(BlockCount::new(number));
            let Some(block) = disc.block(lba) else { break };
            let Some(kind) = DescriptorKind::of(&block) else {
                break;
            };
            set.all.push((lba, kind));
            match kind {
                DescriptorKind::Terminator => break,
                DescriptorKind::Supplementary => {
                    set.supplementary
                        .extend(RawPrimaryVolume::decode_supplementary(&block));
                }
                DescriptorKind::Primary if set.primary.is_none() => {
                    set.primary = RawPrimaryVolume::decode(&block).map(|primary| (lba, primary));
                }
                _ => {}
            }
            if let Some(record) = RawBootRecord::decode(&block) {
                set.boot_records.push((lba, record));
            }
        }
        set
    }

    /// The boot record that counts: the one at LBA 17, or else the first.
    pub(crate) fn boot_record(&self) -> Option<(Lba, &RawBootRecord)> {
        let at_17 = |(lba, _): &&(Lba, _)| *lba == BOOT_RECORD_LBA;
        let records = &self.boot_records;
        let chosen = records.iter().find(at_17).or_else(|| records.first())?;
        Some((chosen.0, &chosen.1))
    }

    /// A finding that is mended by a volume that ends there: every primary and supplementary descriptor says so, both ways round.
    pub(crate) fn sized(&self, finding: Finding, end: Lba) -> Finding {
        let Some(blocks) = end.to_u32() else {
            return finding;
        };
        let has_size = |kind| {
            matches!(
                kind,
                DescriptorKind::Primary | DescriptorKind::Supplementary
            )
        };
        let volumes = self.all.iter().filter(|(_, kind)| has_size(*kind));
        volumes.fold(finding, |finding, (lba, _)| {
            let place = Place::within(*lba, SPACE_SIZE);
            finding.fixed_by(place.offset, &both32(blocks))
        })
    }

    /// A finding that is mended by a boot record behind the first descriptor: the others move up by a block, into one that is free or into a
    /// second terminator. Behind the first descriptor nothing may begin that `room` blocks do not reach.
    pub(crate) fn with_boot_record(
        &self,
        disc: &mut Window<'_>,
        finding: Finding,
        catalog: Lba,
        room: Option<BlockCount>,
    ) -> Finding {
        let (Some(&(first, DescriptorKind::Primary)), Some(&(last, DescriptorKind::Terminator))) =
            (self.all.first(), self.all.last())
        else {
            return finding;
        };
        let one = BlockCount::new(1);
        let behind = last.plus(one);
        let is_free = room.is_none_or(|room| behind < first.plus(room));
        let takes = |block: [u8; BLOCK_BYTES as usize]| {
            let is_terminator = DescriptorKind::of(&block) == Some(DescriptorKind::Terminator);
            is_terminator || block == [0; BLOCK_BYTES as usize]
        };
        let Some(catalog) = catalog.to_u32() else {
            return finding;
        };
        if !is_free || !disc.block(behind).is_some_and(takes) {
            return finding;
        }
        let others = self.all.iter().skip(1);
        let moved = others.fold(finding, |finding, &(lba, _)| match disc.block(lba) {
            Some(block) => finding.fixed_by(lba.plus(one).byte_offset(), &block),
            None => finding,
        });
        moved.fixed_by(first.plus(one).byte_offset(), &boot_record(catalog))
    }

    /// The volume's size in blocks.
    pub(super) fn volume_blocks(&self) -> Option<BlockCount> {
        self.primary.as_ref().map(|(_, primary)| primary.space_size)
    }

    /// The volume, for the report.
    pub(super) fn volume(&self) -> Option<Volume> {
        let (lba, primary) = self.primary.as_ref()?;
        Some(Volume {
            lba: *lba,
            id: primary.volume_id.clone(),
            preparer: primary.preparer_id.clone(),
            application: primary.application_id.clone(),
            mastered_by: Vec::new(),
            blocks: primary.space_size,
            root: primary.root.as_ref().map(|root| root.extent),
            supplementary: !self.supplementary.is_empty(),
        })
    }

    /// The boot records, for the report.
    pub(super) fn records(&self) -> Vec<BootRecordReading> {
        let reading = |&(lba, ref record): &(Lba, RawBootRecord)| BootRecordReading {
            lba,
            catalog: record.catalog,
        };
        self.boot_records.iter().map(reading).collect()
    }
}

/// The descriptors of a disc.
#[derive(Debug)]
pub(crate) struct Descriptors {
    /// The set at LBA 16, which firmware reads.
    pub(crate) main: DescriptorSet,
    /// All sessions, by their starts; empty when there is only one.
    pub(crate) sessions: Vec<Session>,
}

impl Descriptors {
    /// Reads them.
    pub(super) fn read(disc: &mut Window<'_>) -> Self {
        let main = DescriptorSet::read(disc, Lba::new(0));
        let sessions = sessions(disc, &main);
        Self { main, sessions }
    }
}

/// The sessions, where there is more than one. A session's descriptors stand 16 blocks behind its start, and it
/// starts where the one before it ends, at the next multiple of 32, or behind a gap.
fn sessions(disc: &mut Window<'_>, main: &DescriptorSet) -> Vec<Session> {
    let root_of = |set: &DescriptorSet| {
        let (_, primary) = set.primary.as_ref()?;
        Some(primary.root.as_ref()?.extent)
    };
    let first_root = root_of(main);
    let session = |start: Lba, set: &DescriptorSet| {
        let blocks = set.volume_blocks()?;
        let root = root_of(set)?;
        // A session's root directory is new, so it stands within; or it is the first session's, and the volume is
        // counted from the disc's start. That of an ISO which is a file within another ISO counts from its own start.
        let keeps_tree = Some(root) == first_root && blocks.get() > start.get();
        (root >= start || keeps_tree).then(|| Session {
            start,
            blocks,
            catalog: set.boot_record().map(|(_, record)| record.catalog),
        })
    };
    let Some(first) = session(Lba::new(0), main) else {
        return Vec::new();
    };
    let mut sessions = vec![first];
    let kept = Lba::new(SESSION_ALIGNMENT);
    let set = DescriptorSet::read(disc, kept);
    sessions.extend(session(kept, &set));
    let mut looked_behind = 0;
    while let Some(known) = sessions.get(looked_behind) {
        looked_behind += 1;
        for start in starts_behind(known) {
            if sessions.len() >= SESSIONS {
                break;
            }
            if sessions.iter().any(|known| known.start == start) {
                continue;
            }
            let set = DescriptorSet::read(disc, start);
            sessions.extend(session(start, &set));
        }
    }
    sessions.sort_by_key(|session| session.start);
    if sessions.len() == 1 {
        sessions.clear();
    }
    sessions
}

/// Where the next session can start: volume sizes count from the session's start or from the disc's.
fn starts_behind(session: &Session) -> Vec<Lba> {
    let mut starts = Vec::new();
    for end in [
        session.start.plus(session.blocks),
        Lba::new(session.blocks.get()),
    ] {
        let aligned = end.get().checked_next_multiple_of(SESSION_ALIGNMENT);
        let behind_gaps = GAPS.iter().map(|&gap| end.plus(BlockCount::new(gap)));
        starts.extend(aligned.map(Lba::new).into_iter().chain(behind_gaps));
    }
    starts.retain(|&start| start > session.start);
    starts.sort_unstable();
    starts.dedup();
    starts
}
