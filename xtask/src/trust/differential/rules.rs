//! Why pycdlib and `images::inspect` may say different things of a catalog. What no rule explains is a failure.

use images::{
    eltorito::{BootEntry, ENTRY_BYTES, SectionHeader},
    finding::FindingId,
    inspect::{BootReading, EntryKind, EntryReading, Inspection},
    units::Lba,
};
use serde::Deserialize;

use super::catalogs::Block;

/// What pycdlib says of a catalog.
#[derive(Debug, Deserialize)]
pub(super) struct Theirs {
    /// What each slot is, and its fields as they stand on the disc.
    slots: Vec<Slot>,
    error: Option<String>,
    /// Whether it came to a slot that it takes for the catalog's end.
    ended: bool,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged)]
enum Slot {
    Boot(String, u8, u8, u16, u8, u16, u32),
    Header(String, u8, u8, u16),
    Validation(String, u8),
    Extension((String,)),
}

/// How two readers stand to each other. Sections are those of the El Torito specification, version 1.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    BothAccept,
    BothRefuse,
    Flags,
    UnusedByte,
    UnknownSlot,
    LoneExtension,
    CountedExtensions,
    EndsAtZero,
    NoEnd,
    LastHeader,
    SectionPlatform,
    EntryAlone,
    NotBootable,
}

impl Rule {
    pub(super) const ALL: [Self; 13] = [
        Self::BothAccept,
        Self::BothRefuse,
        Self::Flags,
        Self::UnusedByte,
        Self::UnknownSlot,
        Self::LoneExtension,
        Self::CountedExtensions,
        Self::EndsAtZero,
        Self::NoEnd,
        Self::LastHeader,
        Self::SectionPlatform,
        Self::EntryAlone,
        Self::NotBootable,
    ];

    /// Who says what, and why that is as it should be.
    pub(super) const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::BothAccept => ("both accept it, and read every slot alike", ""),
            Self::BothRefuse => (
                "pycdlib refuses it, and boot-matrix reports a finding for the same reason",
                "",
            ),
            Self::Flags => (
                "pycdlib refuses a section entry with flags in its media type",
                "§2.4 has flags there: bit 5 continuation, bit 6 ATAPI driver, bit 7 SCSI drivers",
            ),
            Self::UnusedByte => (
                "pycdlib refuses an entry whose byte 5 is not 0",
                "§2.2: unused, must be 0; no known firmware reads it",
            ),
            Self::UnknownSlot => (
                "pycdlib refuses a slot that begins with none of 00, 44, 88, 90, 91",
                "§2 has no such slot; firmware skips it, and so does boot-matrix",
            ),
            Self::LoneExtension => (
                "pycdlib fails (IndexError) at an extension without a section entry before it",
                "§2.5: an extension continues a section entry; firmware skips it",
            ),
            Self::CountedExtensions => (
                "pycdlib refuses a section whose header counts extensions as entries",
                "§2.3 counts section entries; some tools count extensions too, and both boot",
            ),
            Self::EndsAtZero => (
                "pycdlib stops at the first slot that begins with 00, although more follow",
                "§2.4: 00 can also be a non-bootable entry; OVMF reads every slot of the block",
            ),
            Self::NoEnd => (
                "the block is full, and pycdlib requires a slot of zeros at the end",
                "§2 requires no such slot: headers count the entries",
            ),
            Self::LastHeader => (
                "the last header says that more follow, which pycdlib ignores",
                "§2.3: 91 is the final header; a comment in pycdlib names a disc with this error",
            ),
            Self::SectionPlatform => (
                "a section's platform is unknown, which pycdlib ignores",
                "§2.3 has the platforms of §2.1",
            ),
            Self::EntryAlone => (
                "a section entry that no header counts, which pycdlib accepts",
                "§2.4: a section entry follows its header; a comment in pycdlib names a disc with this error",
            ),
            Self::NotBootable => (
                "the initial entry does not boot, which pycdlib accepts",
                "§2.2: 00 is not bootable; the catalog is valid, but no BIOS starts the disc",
            ),
        }
    }
}

/// Compares what two readers say of a catalog.
///
/// # Errors
/// What no rule explains.
pub(super) fn compare(
    block: &Block,
    catalog: Lba,
    ours: &Inspection,
    theirs: &Theirs,
) -> Result<Rule, String> {
    let slots = block.as_chunks::<ENTRY_BYTES>().0;
    let reading = ours.catalog.as_ref().ok_or("there is no reading")?;
    for (number, slot) in (0_u16..).zip(&theirs.slots) {
        let entry = reading.entries.iter().find(|entry| entry.slot == number);
        same(entry, slot, &slots[usize::from(number)])
            .map_err(|what| format!("slot {number}: {what}"))?;
    }
    // Where pycdlib stopped.
    let end = theirs.slots.len();
    let finding = |ids: &[FindingId]| {
        let mut findings = ours.findings.iter();
        findings.any(|finding| ids.contains(&finding.id))
    };
    let Some(error) = &theirs.error else {
        return accepted(slots, end, catalog, ours, theirs);
    };
    let at = slots.get(end).ok_or("it stopped behind the block")?;
    let says = |part: &str| error.contains(part);
    let rule = if says("header ID") && finding(&[FindingId::CatalogHeaderId])
        || says("platform ID") && finding(&[FindingId::CatalogPlatform])
        || says("keybyte") && finding(&[FindingId::CatalogKey])
        || says("checksum") && finding(&[FindingId::CatalogChecksum])
        || says("boot indicator") && finding(&[FindingId::EntryNotBootable])
    {
        Rule::BothRefuse
    } else if says("boot media type") {
        // Section entries have flags in bits 5 to 7; bit 4 and the types 5 to 15 mean nothing anywhere.
        if end > 1 && at[1] & 0x1F <= 4 {
            Rule::Flags
        } else if finding(&[FindingId::EntryMediaType]) {
            Rule::BothRefuse
        } else {
            return Err(format!("{error}, and there is no finding"));
        }
    } else if says("unused field") && at[5] != 0 {
        Rule::UnusedByte
    } else if says("Invalid El Torito Boot Catalog entry")
        && !matches!(at[0], 0x00 | 0x44 | 0x88 | 0x90 | 0x91)
    {
        Rule::UnknownSlot
    } else if says("IndexError") && at[0] == 0x44 {
        Rule::LoneExtension
    } else if says("section header specified") {
        if finding(&[FindingId::CatalogSectionChain]) {
            Rule::BothRefuse
        } else if slots[..end].iter().any(|slot| slot[0] == 0x44) {
            Rule::CountedExtensions
        } else if *at != [0; ENTRY_BYTES] {
            Rule::EndsAtZero
        } else {
            return Err(format!("{error}, and there is no finding"));
        }
    } else if says("Intermediate") && finding(&[FindingId::CatalogSectionChain]) {
        Rule::BothRefuse
    } else {
        return Err(format!("{error}, and there is no finding"));
    };
    Ok(rule)
}

/// What pycdlib accepts: then there is no finding, or one that it passes over.
fn accepted(
    slots: &[[u8; ENTRY_BYTES]],
    end: usize,
    catalog: Lba,
    ours: &Inspection,
    theirs: &Theirs,
) -> Result<Rule, String> {
    let headers = || slots[..end].iter().filter_map(SectionHeader::decode);
    let known = [0x00, 0x01, 0x02, 0xEF];
    let mut rule = if theirs.ended {
        Rule::BothAccept
    } else {
        Rule::NoEnd
    };
    let more = slots.iter().skip(end).any(|slot| *slot != [0; ENTRY_BYTES]);
    for finding in &ours.findings {
        let slot = finding.offset.saturating_sub(catalog.byte_offset()) / ENTRY_BYTES as u64;
        let explained = match finding.id {
            FindingId::CatalogHeaderId | FindingId::CatalogKey | FindingId::CatalogChecksum => None,
            FindingId::CatalogSectionHeaderMissing => Some(Rule::EntryAlone),
            FindingId::EntryNotBootable if slot == 1 => Some(Rule::NotBootable),
            FindingId::CatalogPlatform
                if headers().any(|header| !known.contains(&header.platform.0)) =>
            {
                Some(Rule::SectionPlatform)
            }
            FindingId::CatalogSectionChain => {
                let alone = |slot: &Slot| matches!(slot, Slot::Boot(kind, ..) if kind == "alone");
                let last = slots[..end]
                    .iter()
                    .rfind(|slot| matches!(slot[0], 0x90 | 0x91));
                if theirs.slots.iter().any(alone) {
                    Some(Rule::EntryAlone)
                } else if last.is_some_and(|slot| slot[0] == 0x90) {
                    Some(Rule::LastHeader)
                } else {
                    more.then_some(Rule::EndsAtZero)
                }
            }
            FindingId::EntryMediaType
            | FindingId::EntryNotBootable
            | FindingId::CatalogPlatform
                if more =>
            {
                Some(Rule::EndsAtZero)
            }
            FindingId::EntryMediaType | FindingId::CatalogPlatform => None,
            // Not of the catalog alone: counts, segments, what an entry leads to.
            _ => continue,
        };
        rule = explained.ok_or_else(|| {
            format!(
                "pycdlib accepts it, and there is {}: {}",
                finding.id, finding.message
            )
        })?;
    }
    if rule == Rule::BothAccept && more {
        rule = Rule::EndsAtZero;
    }
    Ok(rule)
}

/// Whether a slot is read alike.
fn same(ours: Option<&EntryReading>, theirs: &Slot, raw: &[u8; ENTRY_BYTES]) -> Result<(), String> {
    let Some(ours) = ours else {
        return Err(format!("not read, and pycdlib has {theirs:?}"));
    };
    let kind = match theirs {
        Slot::Boot(kind, ..)
        | Slot::Header(kind, ..)
        | Slot::Validation(kind, _)
        | Slot::Extension((kind,)) => kind.as_str(),
    };
    let alike = match (ours.kind, &ours.boot, theirs) {
        (EntryKind::Validation, None, Slot::Validation(_, platform)) => {
            ours.platform.0 == *platform
        }
        (EntryKind::Header, None, &Slot::Header(_, indicator, platform, count)) => {
            let header = SectionHeader::decode(raw);
            ours.platform.0 == platform
                && raw[0] == indicator
                && header.is_some_and(|header| header.entries == count)
        }
        (EntryKind::Extension, None, Slot::Extension(_)) => true,
        (EntryKind::Initial, Some(boot), theirs) => kind == "initial" && fields(boot, theirs),
        (EntryKind::Section, Some(boot), theirs) => {
            matches!(kind, "section" | "alone") && fields(boot, theirs)
        }
        _ => false,
    };
    if alike {
        Ok(())
    } else {
        let raw = BootEntry::decode(raw);
        Err(format!("{ours:?}, and pycdlib has {theirs:?}: {raw:?}"))
    }
}

fn fields(ours: &BootReading, theirs: &Slot) -> bool {
    let &Slot::Boot(_, indicator, media, segment, system_type, count, load_rba) = theirs else {
        return false;
    };
    ours.bootable == (indicator == 0x88)
        && ours.media.0 == media
        && ours.load_segment == segment
        && ours.system_type == system_type
        && ours.sector_count.get() == u64::from(count)
        && ours.load_rba.get() == u64::from(load_rba)
}
