//! The boot catalog: its slots, and whether they belong together.

use super::{
    Findings, Window,
    reading::{BootReading, CatalogReading, EntryKind, EntryReading},
};
use crate::{
    eltorito::{
        BOOTABLE, BootEntry, ENTRY_BYTES, EntryBytes, HeaderIndicator, Platform, RawBootRecord,
        RawValidation, SectionHeader,
    },
    finding::{FindingId, Place},
    units::{Lba, VirtualSectorCount},
};

/// Slots in a block: all that any firmware reads.
const SLOTS_PER_BLOCK: u16 = 64;
/// Slots that are read at most, where headers claim so many.
const SLOTS: u16 = 64 * 32;
/// The first byte of an extension (El Torito §2.5).
const EXTENSION: u8 = 0x44;

/// Where a byte of a slot stands.
pub(super) fn place(catalog: Lba, slot: u16, byte: u64) -> Place {
    Place::within(catalog, u64::from(slot) * ENTRY_BYTES as u64 + byte)
}

/// Reads the catalog that a boot record points to, and checks what ties its slots together.
pub(super) fn read(
    disc: &mut Window<'_>,
    (record_lba, record): (Lba, &RawBootRecord),
    findings: &mut Findings,
) -> Option<CatalogReading> {
    let lba = record.catalog;
    if disc.block(lba).is_none() {
        findings.report(
            FindingId::CatalogOutOfRange,
            Place::within(record_lba, 0x47),
            format!(
                "the catalog should stand at LBA {}, and the disc has {}",
                lba.get(),
                disc.blocks()
            ),
        );
        return None;
    }
    let mut walk = Walk::new(lba);
    let first: EntryBytes = disc.array(lba.byte_offset())?;
    if walk.validation(&first, findings) {
        let mut slot = 1;
        while walk.goes_on(slot) {
            let at = lba.byte_offset() + u64::from(slot) * ENTRY_BYTES as u64;
            let Some(bytes) = disc.array(at) else { break };
            walk.slot(slot, &bytes, findings);
            slot += 1;
        }
        walk.close_section(findings);
        if let Some((slot, HeaderIndicator::MoreFollow)) = walk.last_header {
            walk.chain(
                slot,
                format!(
                    "the last section header, in slot {slot}, is 90, which says that more follow"
                ),
                findings,
            );
        }
    }
    Some(CatalogReading {
        lba,
        entries: walk.entries,
    })
}

/// A walk along the slots.
struct Walk {
    catalog: Lba,
    entries: Vec<EntryReading>,
    /// The platform for entries to come.
    platform: Platform,
    /// The section that is being read.
    section: Option<Section>,
    last_header: Option<(u16, HeaderIndicator)>,
    /// Whether the headers' first contradiction was reported: more would follow from it.
    chain_reported: bool,
    missing_reported: bool,
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
    const fn new(catalog: Lba) -> Self {
        Self {
            catalog,
            entries: Vec::new(),
            platform: Platform::X86,
            section: None,
            last_header: None,
            chain_reported: false,
            missing_reported: false,
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
    fn validation(&mut self, bytes: &EntryBytes, findings: &mut Findings) -> bool {
        let entry = RawValidation::decode(bytes);
        let header_is_right = entry.header == RawValidation::HEADER;
        let key_is_right = entry.key == RawValidation::KEY;
        let at = |byte| place(self.catalog, 0, byte);
        if !header_is_right {
            findings.report(
                FindingId::CatalogHeaderId,
                at(0),
                format!(
                    "the validation entry begins with {:02X}, not 01",
                    entry.header
                ),
            );
        }
        if !key_is_right {
            findings.report(
                FindingId::CatalogKey,
                at(0x1E),
                format!(
                    "the validation entry ends with {:02X} {:02X}, not 55 AA",
                    entry.key[0], entry.key[1]
                ),
            );
        }
        let is_one = header_is_right || key_is_right;
        if is_one && entry.word_sum != 0 {
            findings.report(
                FindingId::CatalogChecksum,
                at(0x1C),
                format!(
                    "the validation entry's words sum to {:04X}, not to 0",
                    entry.word_sum
                ),
            );
        }
        if is_one {
            self.check_platform(0, entry.platform, findings);
        }
        self.platform = entry.platform;
        self.entries.push(EntryReading {
            slot: 0,
            kind: EntryKind::Validation,
            platform: entry.platform,
            boot: None,
        });
        is_one
    }

    fn slot(&mut self, slot: u16, bytes: &EntryBytes, findings: &mut Findings) {
        if slot == 1 {
            self.push_boot(slot, EntryKind::Initial, bytes);
            return;
        }
        if let Some(header) = SectionHeader::decode(bytes) {
            self.header(slot, &header, findings);
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
            BOOTABLE => self.boot_entry(slot, bytes, findings),
            // An entry that does not boot is one all the same, where a header announces it.
            0 if in_section && *bytes != [0; ENTRY_BYTES] => {
                self.boot_entry(slot, bytes, findings);
            }
            _ => self.close_section(findings),
        }
    }

    fn header(&mut self, slot: u16, header: &SectionHeader, findings: &mut Findings) {
        self.close_section(findings);
        if let Some((last, HeaderIndicator::Last)) = self.last_header {
            self.chain(
                slot,
                format!("a section header in slot {slot} follows the one in slot {last}, which is 91, the last"),
                findings,
            );
        }
        self.check_platform(slot, header.platform, findings);
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

    fn boot_entry(&mut self, slot: u16, bytes: &EntryBytes, findings: &mut Findings) {
        match &mut self.section {
            Some(section) => section.entries += 1,
            None if self.last_header.is_some() => self.chain(
                slot,
                format!("the entry in slot {slot} belongs to no section header"),
                findings,
            ),
            None if !self.missing_reported => {
                self.missing_reported = true;
                findings.report(
                    FindingId::CatalogSectionHeaderMissing,
                    place(self.catalog, slot, 0),
                    format!("slot {slot} has an entry, and no section header comes before it"),
                );
            }
            None => {}
        }
        self.push_boot(slot, EntryKind::Section, bytes);
    }

    /// Ends the section that is being read.
    fn close_section(&mut self, findings: &mut Findings) {
        let Some(section) = self.section.take() else {
            return;
        };
        if !section.is_complete() {
            self.chain(
                section.header,
                format!(
                    "the section header in slot {} counts {} entries, and {} follow",
                    section.header, section.claimed, section.entries
                ),
                findings,
            );
        }
    }

    fn chain(&mut self, slot: u16, message: String, findings: &mut Findings) {
        if !self.chain_reported {
            self.chain_reported = true;
            let at = place(self.catalog, slot, 0);
            findings.report(FindingId::CatalogSectionChain, at, message);
        }
    }

    fn check_platform(&self, slot: u16, platform: Platform, findings: &mut Findings) {
        let known = [
            Platform::X86,
            Platform::POWER_PC,
            Platform::MAC,
            Platform::EFI,
        ];
        if !known.contains(&platform) {
            findings.report(
                FindingId::CatalogPlatform,
                place(self.catalog, slot, 1),
                format!("the platform in slot {slot} is {:02X}", platform.0),
            );
        }
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
