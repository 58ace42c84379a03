//! The boot catalog: its slots, and what ties them together.

use super::{
    Window,
    reading::{BootReading, CatalogReading, EntryKind, EntryReading},
};
use crate::{
    eltorito::{
        BOOTABLE, BootEntry, ENTRY_BYTES, EntryBytes, HeaderIndicator, Platform, RawBootRecord,
        RawValidation, SectionHeader, word_sum,
    },
    finding::{Finding, Place},
    units::{Lba, VirtualSectorCount},
};

/// Slots in a block: all that any firmware reads.
pub(super) const SLOTS_PER_BLOCK: u16 = 64;
/// Slots that are read at most, where headers claim so many.
const SLOTS: u16 = 64 * 32;
/// The first byte of an extension (El Torito §2.5).
const EXTENSION: u8 = 0x44;

/// What ties the slots of a catalog together, or should.
#[derive(Debug)]
pub(crate) struct Slots {
    catalog: Lba,
    /// Slot 0.
    pub(crate) validation: RawValidation,
    /// Every platform that is named, and in which slot.
    pub(crate) platforms: Vec<(u16, Platform)>,
    /// The first entry behind the initial one that has no section header before it.
    pub(crate) headless: Option<u16>,
    /// The first contradiction between the section headers and what follows them: more would follow from it.
    pub(crate) contradiction: Option<Contradiction>,
}

/// A section header that does not agree with what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contradiction {
    /// The last header says that more follow.
    NoneFollows { header: u16 },
    /// A header follows one that says that it is the last.
    BehindTheLast { header: u16, last: u16 },
    /// An entry behind a section that is full.
    NoHeader { slot: u16 },
    /// A header counts other than so many entries as follow.
    Count {
        header: u16,
        claimed: u16,
        entries: u16,
    },
}

impl Slots {
    /// Where a byte of a slot stands.
    pub(crate) const fn place(&self, slot: u16, byte: u64) -> Place {
        place(self.catalog, slot, byte)
    }

    /// Whether the validation entry begins as one.
    pub(crate) fn has_header(&self) -> bool {
        self.validation.header == RawValidation::HEADER
    }

    /// Whether the validation entry ends as one.
    pub(crate) fn has_key(&self) -> bool {
        self.validation.key == RawValidation::KEY
    }

    /// Whether this can be a catalog at all.
    pub(crate) fn is_catalog(&self) -> bool {
        self.has_header() || self.has_key()
    }

    /// Whether this is a catalog, whatever is wrong with its validation entry: that sums up, or an entry follows it that leads somewhere.
    pub(crate) fn stands(&self, disc: &mut Window<'_>) -> bool {
        let initial = disc.array(self.place(1, 0).offset);
        let initial = initial.as_ref().map(BootEntry::decode);
        let sums_up = self.is_catalog() && self.validation.word_sum == 0;
        sums_up || initial.is_some_and(|entry| entry.is_plausible(disc.blocks()))
    }

    /// A finding that is mended by bytes of the validation entry. Where its words summed to 0 before, they still do; a
    /// checksum that was wrong has a finding of its own.
    pub(crate) fn fix(
        &self,
        disc: &mut Window<'_>,
        finding: Finding,
        at: usize,
        bytes: &[u8],
    ) -> Finding {
        let start = self.catalog.byte_offset();
        let Some(mut entry) = disc.array::<ENTRY_BYTES>(start) else {
            return finding;
        };
        for (to, from) in entry.iter_mut().skip(at).zip(bytes) {
            *to = *from;
        }
        if self.validation.word_sum == 0 {
            entry[0x1C..0x1E].fill(0);
            let checksum = 0_u16.wrapping_sub(word_sum(&entry));
            entry[0x1C..0x1E].copy_from_slice(&checksum.to_le_bytes());
        }
        finding.fixed_by(start, &entry)
    }
}

impl CatalogReading {
    /// Where a byte of a slot stands.
    pub(crate) const fn place(&self, slot: u16, byte: u64) -> Place {
        place(self.lba, slot, byte)
    }
}

pub(super) const fn place(catalog: Lba, slot: u16, byte: u64) -> Place {
    Place::within(catalog, slot as u64 * ENTRY_BYTES as u64 + byte)
}

/// Reads the catalog that a boot record points to.
pub(super) fn read(
    disc: &mut Window<'_>,
    record: &RawBootRecord,
) -> Option<(CatalogReading, Slots)> {
    let lba = record.catalog;
    disc.block(lba)?;
    let first: EntryBytes = disc.array(lba.byte_offset())?;
    let mut walk = Walk::new(lba, RawValidation::decode(&first));
    if walk.validation() {
        let mut slot = 1;
        while walk.goes_on(slot) {
            let at = lba.byte_offset() + u64::from(slot) * ENTRY_BYTES as u64;
            let Some(bytes) = disc.array(at) else { break };
            walk.slot(slot, &bytes);
            slot += 1;
        }
        walk.close_section();
        if let Some((header, HeaderIndicator::MoreFollow)) = walk.last_header {
            walk.contradicts(Contradiction::NoneFollows { header });
        }
    }
    let catalog = CatalogReading {
        lba,
        entries: walk.entries,
    };
    Some((catalog, walk.slots))
}

/// A walk along the slots.
struct Walk {
    slots: Slots,
    entries: Vec<EntryReading>,
    /// The platform for entries to come.
    platform: Platform,
    /// The section that is being read.
    section: Option<Section>,
    last_header: Option<(u16, HeaderIndicator)>,
}

struct Section {
    header: u16,
    claimed: u16,
    entries: u16,
    extensions: u16,
}

impl Section {
    /// Whether it has what its header claims. Some writers count extensions, and some do not.
    const fn is_complete(&self) -> bool {
        self.entries == self.claimed || self.entries + self.extensions == self.claimed
    }
}

impl Walk {
    const fn new(catalog: Lba, validation: RawValidation) -> Self {
        Self {
            slots: Slots {
                catalog,
                validation,
                platforms: Vec::new(),
                headless: None,
                contradiction: None,
            },
            entries: Vec::new(),
            platform: Platform::X86,
            section: None,
            last_header: None,
        }
    }

    /// Whether to look at a slot: all of the first block, and more where headers say so.
    fn goes_on(&self, slot: u16) -> bool {
        let entry_expected = self
            .section
            .as_ref()
            .is_some_and(|section| section.entries < section.claimed && !section.is_complete());
        let header_expected = matches!(self.last_header, Some((_, HeaderIndicator::MoreFollow)))
            && self
                .entries
                .last()
                .is_some_and(|last| last.slot + 1 == slot);
        slot < SLOTS_PER_BLOCK || slot < SLOTS && (entry_expected || header_expected)
    }

    /// Slot 0; says whether what follows can be a catalog at all.
    fn validation(&mut self) -> bool {
        let platform = self.slots.validation.platform;
        let is_one = self.slots.is_catalog();
        if is_one {
            self.slots.platforms.push((0, platform));
        }
        self.platform = platform;
        self.entries.push(EntryReading {
            slot: 0,
            kind: EntryKind::Validation,
            platform,
            boot: None,
        });
        is_one
    }

    fn slot(&mut self, slot: u16, bytes: &EntryBytes) {
        if slot == 1 {
            self.push_boot(slot, EntryKind::Initial, bytes);
            return;
        }
        if let Some(header) = SectionHeader::decode(bytes) {
            self.header(slot, &header);
            return;
        }
        let in_section = self.section.is_some();
        match bytes[0] {
            EXTENSION => {
                if let Some(section) = &mut self.section {
                    section.extensions += 1;
                }
                self.push(slot, EntryKind::Extension, None);
            }
            BOOTABLE => self.boot_entry(slot, bytes),
            // An entry that does not boot is one all the same, where a header announces it.
            0 if in_section && *bytes != [0; ENTRY_BYTES] => {
                self.boot_entry(slot, bytes);
            }
            _ => self.close_section(),
        }
    }

    fn header(&mut self, slot: u16, header: &SectionHeader) {
        self.close_section();
        if let Some((last, HeaderIndicator::Last)) = self.last_header {
            self.contradicts(Contradiction::BehindTheLast { header: slot, last });
        }
        self.slots.platforms.push((slot, header.platform));
        self.last_header = Some((slot, header.indicator));
        self.platform = header.platform;
        self.section = Some(Section {
            header: slot,
            claimed: header.entries,
            entries: 0,
            extensions: 0,
        });
        self.push(slot, EntryKind::Header, None);
    }

    fn boot_entry(&mut self, slot: u16, bytes: &EntryBytes) {
        match &mut self.section {
            Some(section) => section.entries += 1,
            None if self.last_header.is_some() => {
                self.contradicts(Contradiction::NoHeader { slot });
            }
            None if self.slots.headless.is_none() => self.slots.headless = Some(slot),
            None => {}
        }
        self.push_boot(slot, EntryKind::Section, bytes);
    }

    /// Ends the section that is being read.
    fn close_section(&mut self) {
        let Some(section) = self.section.take() else {
            return;
        };
        if !section.is_complete() {
            self.contradicts(Contradiction::Count {
                header: section.header,
                claimed: section.claimed,
                entries: section.entries,
            });
        }
    }

    fn contradicts(&mut self, contradiction: Contradiction) {
        self.slots.contradiction.get_or_insert(contradiction);
    }

    fn push(&mut self, slot: u16, kind: EntryKind, boot: Option<BootReading>) {
        self.entries.push(EntryReading {
            slot,
            kind,
            platform: self.platform,
            boot,
        });
    }

    fn push_boot(&mut self, slot: u16, kind: EntryKind, bytes: &EntryBytes) {
        let entry = BootEntry::decode(bytes);
        let boot = BootReading {
            bootable: entry.indicator == BOOTABLE,
            media: entry.media,
            load_segment: entry.load_segment,
            system_type: entry.system_type,
            sector_count: VirtualSectorCount::new(entry.sector_count.into()),
            load_rba: Lba::new(entry.load_rba.into()),
            extent_blocks: None,
            path: None,
            file_bytes: None,
            own_length: None,
            fat: None,
            loaders: Vec::new(),
        };
        self.push(slot, kind, Some(boot));
    }
}
