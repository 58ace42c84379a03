//! The sections of a catalog, written again: with headers that were missing, in another order, or with one more.

use super::{
    BiosProgram, CatalogReading, EntryKind, EntryReading, Reading, Window, catalog::SLOTS_PER_BLOCK,
};
use crate::{
    defect::{FIRST_HEADER, LAST_HEADER, MORE_FOLLOW},
    eltorito::{ENTRY_BYTES, EntryBytes, HeaderIndicator, Platform, SectionHeader},
    finding::Finding,
    units::BLOCK_BYTES,
};

/// A section header and its entries, or entries that have none.
struct Section {
    header: Option<EntryBytes>,
    entries: Vec<Entry>,
}

/// A section entry and the extensions that belong to it.
struct Entry {
    slot: u16,
    bytes: EntryBytes,
    extensions: Vec<EntryBytes>,
}

impl Section {
    /// How many slots it takes.
    fn slots(&self) -> usize {
        let entries = self.entries.iter().map(|entry| 1 + entry.extensions.len());
        usize::from(self.header.is_some()) + entries.sum::<usize>()
    }

    /// Its header, with a count that is right: some writers count extensions, and some do not.
    fn header(&self, is_last: bool) -> Option<EntryBytes> {
        let mut header = self.header?;
        let entries = self.entries.len();
        let with_extensions = self.slots() - 1;
        let claimed = usize::from(u16::from_le_bytes([header[2], header[3]]));
        if ![entries, with_extensions].contains(&claimed) {
            let count = u16::try_from(entries).unwrap_or(u16::MAX);
            header[2..4].copy_from_slice(&count.to_le_bytes());
        }
        header[0] = if is_last { LAST_HEADER } else { MORE_FOLLOW };
        Some(header)
    }
}

/// What follows the initial entry; `None` where it reaches past the first block, which is all that firmware reads, or where something else
/// stands between.
fn sections(disc: &mut Window<'_>, catalog: &CatalogReading) -> Option<Vec<Section>> {
    let block = disc.block(catalog.lba)?;
    let (slots, _) = block.as_chunks::<ENTRY_BYTES>();
    let entries = || catalog.entries.iter();
    let is_entry = |slot: usize| entries().any(|entry| usize::from(entry.slot) == slot);
    let mut rest = slots.iter().enumerate().skip(FIRST_HEADER);
    let is_whole = rest.all(|(slot, bytes)| is_entry(slot) || *bytes == [0; ENTRY_BYTES]);
    if !is_whole || entries().any(|entry| entry.slot >= SLOTS_PER_BLOCK) {
        return None;
    }
    let mut sections: Vec<Section> = Vec::new();
    let mut next = 0;
    for entry in entries().filter(|entry| usize::from(entry.slot) >= FIRST_HEADER) {
        let bytes = *slots.get(usize::from(entry.slot))?;
        let header = (entry.kind == EntryKind::Header).then_some(bytes);
        // Behind a gap nobody looks for more entries of a section.
        if header.is_some() || entry.slot != next || sections.is_empty() {
            sections.push(Section {
                header,
                entries: Vec::new(),
            });
        }
        next = entry.slot + 1;
        let section = sections.last_mut()?;
        match entry.kind {
            EntryKind::Header => {}
            EntryKind::Extension => section.entries.last_mut()?.extensions.push(bytes),
            _ => section.entries.push(Entry {
                slot: entry.slot,
                bytes,
                extensions: Vec::new(),
            }),
        }
    }
    Some(sections)
}

/// A finding that is mended by these sections in place of those that are there; as it is where they do not fit.
fn fixed(finding: Finding, catalog: &CatalogReading, sections: &[Section]) -> Finding {
    let last = sections
        .iter()
        .rposition(|section| section.header.is_some());
    let mut slots: Vec<EntryBytes> = Vec::new();
    for (index, section) in sections.iter().enumerate() {
        slots.extend(section.header(Some(index) == last));
        for entry in &section.entries {
            slots.push(entry.bytes);
            slots.extend(&entry.extensions);
        }
    }
    let room = usize::from(SLOTS_PER_BLOCK) - FIRST_HEADER;
    if slots.len() > room {
        return finding;
    }
    slots.resize(room, [0; ENTRY_BYTES]);
    let first = u16::try_from(FIRST_HEADER).unwrap_or_default();
    finding.fixed_by(catalog.place(first, 0).offset, &slots.concat())
}

impl Reading<'_, '_> {
    /// A finding that is mended by headers for entries that have none.
    pub(crate) fn with_headers(&mut self, finding: Finding) -> Finding {
        let Some(catalog) = self.catalog() else {
            return finding;
        };
        let Some(sections) = sections(self.disc, catalog) else {
            return finding;
        };
        let mut complete: Vec<Section> = Vec::new();
        for section in sections {
            if section.header.is_some() {
                complete.push(section);
                continue;
            }
            let mut run = None;
            for entry in section.entries {
                let platform = self.platform_of_slot(catalog, entry.slot);
                if run != Some(platform) {
                    run = Some(platform);
                    complete.push(Section {
                        header: Some(header(platform)),
                        entries: Vec::new(),
                    });
                }
                if let Some(section) = complete.last_mut() {
                    section.entries.push(entry);
                }
            }
        }
        fixed(finding, catalog, &complete)
    }

    /// For whom an entry without a header is.
    fn platform_of_slot(&mut self, catalog: &CatalogReading, slot: u16) -> Platform {
        let mut entries = catalog.entries.iter();
        let entry = entries.find(|entry| entry.slot == slot);
        let Some((entry, boot)) = entry.and_then(|it| Some((it, it.boot.as_ref()?))) else {
            return Platform::X86;
        };
        if !boot.loaders.is_empty() {
            Platform::EFI
        } else if self.bios_program(boot) != BiosProgram::Unknown {
            Platform::X86
        } else {
            entry.platform
        }
    }

    /// A finding that is mended by headers which agree with what follows them: in their places, or, where an entry belongs to none, with one
    /// more.
    pub(crate) fn with_chain(&mut self, finding: Finding, has_orphan: bool) -> Finding {
        if has_orphan {
            return self.with_headers(finding);
        }
        let Some(catalog) = self.catalog() else {
            return finding;
        };
        let entries = catalog.entries.as_slice();
        let is_header = |entry: &EntryReading| entry.kind == EntryKind::Header;
        let last = entries.iter().rposition(is_header);
        let mut finding = finding;
        for (index, entry) in entries.iter().enumerate() {
            if !is_header(entry) {
                continue;
            }
            let place = catalog.place(entry.slot, 0).offset;
            let Some(bytes) = self.disc.array(place) else {
                continue;
            };
            let followers = entries.iter().skip(index + 1);
            let mut section = Section {
                header: Some(bytes),
                entries: Vec::new(),
            };
            for (follower, slot) in followers.zip(entry.slot + 1..) {
                let extension = follower.kind == EntryKind::Extension;
                if is_header(follower) || follower.slot != slot {
                    break;
                }
                match section.entries.last_mut() {
                    Some(entry) if extension => entry.extensions.push([0; ENTRY_BYTES]),
                    _ => section.entries.push(Entry {
                        slot,
                        bytes: [0; ENTRY_BYTES],
                        extensions: Vec::new(),
                    }),
                }
            }
            if let Some(header) = section.header(Some(index) == last) {
                finding = finding.fixed_by(place, &header);
            }
        }
        finding
    }

    /// A finding that is mended by the section of an entry before all others, and by that entry as the first one of its section.
    pub(crate) fn with_first(&mut self, finding: Finding, slot: u16) -> Finding {
        let Some(catalog) = self.catalog() else {
            return finding;
        };
        let Some(mut sections) = sections(self.disc, catalog) else {
            return finding;
        };
        let at = sections.iter().position(|section| {
            let mut entries = section.entries.iter();
            entries.any(|entry| entry.slot == slot)
        });
        let Some(at) = at else {
            return finding;
        };
        let mut section = sections.remove(at);
        section.entries.sort_by_key(|entry| entry.slot != slot);
        sections.insert(0, section);
        fixed(finding, catalog, &sections)
    }

    /// A finding that is mended by one more section with an entry, in slots that are free behind all others.
    pub(crate) fn with_section(
        &mut self,
        mut finding: Finding,
        platform: Platform,
        entry: &EntryBytes,
    ) -> Finding {
        let Some(catalog) = self.catalog() else {
            return finding;
        };
        let last = catalog.entries.iter().map(|entry| entry.slot).max();
        let next = last.map_or(1, |last| last.saturating_add(1));
        if next < 2 || next + 1 >= SLOTS_PER_BLOCK {
            return finding;
        }
        let place = catalog.place(next, 0).offset;
        // Whatever stands behind the last entry.
        let Some(block) = self.disc.block(catalog.lba) else {
            return finding;
        };
        let rest = block.get(usize::from(next) * ENTRY_BYTES..BLOCK_BYTES as usize);
        if !rest.is_some_and(|rest| rest.iter().all(|&byte| byte == 0)) {
            return finding;
        }
        let mut entries = catalog.entries.iter();
        let header_before = entries.rfind(|entry| entry.kind == EntryKind::Header);
        if let Some(header) = header_before {
            let indicator = catalog.place(header.slot, 0).offset;
            finding = finding.fixed_by(indicator, &[MORE_FOLLOW]);
        }
        finding.fixed_by(place, &[header(platform), *entry].concat())
    }
}

/// The header of a section with one entry.
fn header(platform: Platform) -> EntryBytes {
    SectionHeader {
        indicator: HeaderIndicator::Last,
        platform,
        entries: 1,
        id: String::new(),
    }
    .encode()
}
