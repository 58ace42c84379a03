//! Structures field by field: system area, volume descriptors, catalog.

use super::{Difference, Pair, Side};
use crate::{
    bytes::{le16, le32, printable},
    eltorito::{ENTRY_BYTES, EntryBytes, RawValidation},
    inspect::EntryKind,
    iso9660::{DescriptorKind, SYSTEM_AREA_BLOCKS},
    partition_table::{Mbr, MbrEntry, RawGptHeader},
    units::{BlockCount, ByteCount, Lba, VirtualSector},
};

/// Boot code for a disk up to where isohybrid and GRUB write the address of what it loads, behind which stands the
/// disk's identifier.
const CODE: u64 = 432;

/// A field of a structure: its name, where it begins, how many bytes it has.
type Field = (&'static str, u64, usize);

/// What both descriptors have, and what a BIOS or UEFI reads of the primary one.
const PRIMARY: &[Field] = &[
    ("version", 6, 1),
    ("volume set size", 120, 2),
    ("volume sequence number", 124, 2),
    ("logical block size", 128, 2),
    ("file structure version", 881, 1),
];
const BOOT_RECORD: &[Field] = &[("version", 6, 1), ("boot system identifier", 7, 32)];
const VALIDATION: &[Field] = &[
    ("header id", 0, 1),
    ("platform", 1, 1),
    ("reserved word", 2, 2),
    ("key bytes", 30, 2),
];
const HEADER: &[Field] = &[
    ("header indicator", 0, 1),
    ("platform", 1, 1),
    ("number of entries", 2, 2),
];
const ENTRY: &[Field] = &[
    ("boot indicator", 0, 1),
    ("media type", 1, 1),
    ("load segment", 2, 2),
    ("system type", 4, 1),
    ("unused byte", 5, 1),
    ("sector count", 6, 2),
];
const SECTION: &[Field] = &[("selection criteria", 12, 20)];
const EXTENSION: &[Field] = &[
    ("extension indicator", 0, 1),
    ("flags", 1, 1),
    ("selection criteria", 2, 30),
];

impl Pair<'_, '_, '_> {
    pub(super) fn system_area(&mut self) -> Option<Difference> {
        self.boot_code()
            .or_else(|| self.partition_table())
            .or_else(|| self.gpt())
    }

    fn boot_code(&mut self) -> Option<Difference> {
        let what = |_: u64| "the boot code of the master boot record".to_owned();
        self.bytes((0, 0), ByteCount::new(CODE), None, &[], &what)
    }

    fn partition_table(&mut self) -> Option<Difference> {
        let there = self.good.disc.array(0).map(|sector| Mbr::decode(&sector))?;
        let here = self
            .other
            .disc
            .array(0)
            .map(|sector| Mbr::decode(&sector))?;
        if there.signature != here.signature {
            return self.field(
                "the signature of the master boot record",
                None,
                (MbrEntry::SIGNATURE, MbrEntry::SIGNATURE),
                2,
            );
        }
        if !there.signature || !there.is_plausible() {
            return None;
        }
        for (slot, (good, other)) in there.entries.into_iter().zip(here.entries).enumerate() {
            let at = MbrEntry::at(slot);
            let of = format!("of the MBR's partition in slot {slot}");
            let status = self.field(&format!("the status {of}"), None, (at, at), 1);
            let kind = || self.field(&format!("the type {of}"), None, (at + 4, at + 4), 1);
            if let Some(difference) = status.or_else(kind) {
                return Some(difference);
            }
            let starts = (good.first.byte_offset(), other.first.byte_offset());
            let (there, here) = (self.good.starts(starts.0), self.other.starts(starts.1));
            if good.length.get() > 0 && there != here {
                let what = format!("where the start {of} leads");
                return Some(difference(what, at + 8, None, there, here));
            }
        }
        None
    }

    fn gpt(&mut self) -> Option<Difference> {
        let at = VirtualSector::new(1).byte_offset();
        let said = |side: &mut Side<'_, '_>| {
            let header = side
                .disc
                .array(at)
                .and_then(|sector| RawGptHeader::decode(&sector));
            match header {
                None => "none",
                Some(header) if header.checksum_is_right => "one with a right checksum",
                Some(_) => "one with a wrong checksum",
            }
        };
        let (there, here) = (said(&mut self.good), said(&mut self.other));
        (there != here).then(|| difference("the GPT header".into(), at, None, there, here))
    }

    pub(super) fn descriptors(&mut self) -> Option<Difference> {
        // As long as the disc that boots has them, which is not for ever.
        for number in 0..100 {
            let lba = Lba::new(SYSTEM_AREA_BLOCKS.get()).plus(BlockCount::new(number));
            let at = lba.byte_offset();
            let (there, here) = (self.good.disc.block(lba), self.other.disc.block(lba));
            let kind = there.as_ref().and_then(DescriptorKind::of);
            let other = here.as_ref().and_then(DescriptorKind::of);
            let primary = kind == Some(DescriptorKind::Primary);
            if kind != other {
                let what = format!("the volume descriptor at LBA {}", lba.get());
                return Some(difference(what, at, None, name(kind), name(other)));
            }
            let kind = kind?;
            let (of, fields) = match kind {
                DescriptorKind::Primary => ("the primary volume descriptor's", PRIMARY),
                DescriptorKind::BootRecord => ("the boot record's", BOOT_RECORD),
                DescriptorKind::Terminator => return None,
                _ => continue,
            };
            let different = self
                .fields(of, None, (at, at), fields)
                .or_else(|| primary.then(|| self.volume_size(at)).flatten())
                .or_else(|| (!primary).then(|| self.catalog_pointer(at)).flatten());
            if different.is_some() {
                return different;
            }
        }
        None
    }

    /// The volume's size: the number where both discs are as long, and else how it stands to the disc's length.
    fn volume_size(&mut self, at: u64) -> Option<Difference> {
        let at = at + 80;
        let read = |side: &mut Side<'_, '_>| -> Option<(u32, bool, std::cmp::Ordering)> {
            let field: [u8; 8] = side.disc.array(at)?;
            let little = le32(&field, 0);
            let big = u32::from_be_bytes([field[4], field[5], field[6], field[7]]);
            let disc = side.disc.length().blocks_rounded_up();
            Some((
                little,
                little == big,
                BlockCount::new(little.into()).cmp(&disc),
            ))
        };
        let (there, here) = (read(&mut self.good)?, read(&mut self.other)?);
        let same_length = self.good.disc.length() == self.other.disc.length();
        let differs = there.1 != here.1 || there.2 != here.2 || same_length && there.0 != here.0;
        let said = |(size, ends_agree, to_disc): (u32, bool, std::cmp::Ordering),
                    disc: BlockCount| {
            let ends = if ends_agree {
                ""
            } else {
                ", and another in big-endian,"
            };
            let to_disc = match to_disc {
                std::cmp::Ordering::Less => "on a disc that is longer",
                std::cmp::Ordering::Equal => "on a disc as long",
                std::cmp::Ordering::Greater => "on a disc that is shorter",
            };
            format!("{size} blocks{ends} {to_disc} ({})", disc.get())
        };
        let discs = (self.good.disc.blocks(), self.other.disc.blocks());
        let what = "the primary volume descriptor's volume size".to_owned();
        differs.then(|| difference(what, at, None, &said(there, discs.0), &said(here, discs.1)))
    }

    /// The catalog pointer, where only one of them leads to what begins as a catalog does.
    fn catalog_pointer(&mut self, at: u64) -> Option<Difference> {
        let at = at + 0x47;
        let read = |side: &mut Side<'_, '_>| -> Option<(u32, bool)> {
            let lba = u32::from_le_bytes(side.disc.array(at)?);
            let entry: Option<EntryBytes> = side.disc.array(Lba::new(lba.into()).byte_offset());
            let entry = entry.map(|entry| RawValidation::decode(&entry));
            let leads = entry.is_some_and(|entry| {
                entry.header == RawValidation::HEADER || entry.key == RawValidation::KEY
            });
            Some((lba, leads))
        };
        let (there, here) = (read(&mut self.good)?, read(&mut self.other)?);
        let said = |(lba, leads): (u32, bool)| {
            let where_to = if leads { "a catalog" } else { "no catalog" };
            format!("LBA {lba}, where {where_to} stands")
        };
        let what = "the boot record's catalog pointer".to_owned();
        (there.1 != here.1).then(|| difference(what, at, None, &said(there), &said(here)))
    }

    pub(super) fn catalog(&mut self) -> Option<Difference> {
        let (Some(there), Some(here)) = (
            &self.good.inspection.catalog,
            &self.other.inspection.catalog,
        ) else {
            return None;
        };
        let mut slots: Vec<u16> = there
            .entries
            .iter()
            .chain(&here.entries)
            .map(|entry| entry.slot)
            .collect();
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            let kind = |catalog: &crate::inspect::CatalogReading| {
                let entry = catalog.entries.iter().find(|entry| entry.slot == slot);
                entry.map(|entry| entry.kind)
            };
            let offset = u64::from(slot) * ENTRY_BYTES as u64;
            let at = (
                there.lba.byte_offset() + offset,
                here.lba.byte_offset() + offset,
            );
            let kinds = (kind(there), kind(here));
            let different = self.slot(slot, kinds.0.or(kinds.1)?, at);
            if different.is_some() {
                return different;
            }
        }
        None
    }

    fn slot(&mut self, slot: u16, kind: EntryKind, at: (u64, u64)) -> Option<Difference> {
        let (of, fields) = match kind {
            EntryKind::Validation => ("the validation entry's", VALIDATION),
            EntryKind::Initial => ("the initial entry's", ENTRY),
            EntryKind::Header => ("the section header's", HEADER),
            EntryKind::Section => ("the section entry's", ENTRY),
            EntryKind::Extension => ("the extension's", EXTENSION),
        };
        self.fields(of, Some(slot), at, fields)
            .or_else(|| match kind {
                EntryKind::Validation => self.checksum(at),
                EntryKind::Section => self.fields(of, Some(slot), at, SECTION),
                EntryKind::Initial | EntryKind::Header | EntryKind::Extension => None,
            })
    }

    /// The checksum, where only one of them is right: it depends on the name of who made the disc. Where the same one is on both,
    /// what it does not fit.
    fn checksum(&mut self, at: (u64, u64)) -> Option<Difference> {
        let there: EntryBytes = self.good.disc.array(at.0)?;
        let here: EntryBytes = self.other.disc.array(at.1)?;
        let fits = |entry| RawValidation::decode(entry).word_sum == 0;
        if fits(&there) == fits(&here) {
            return None;
        }
        let (what, first) = match there
            .iter()
            .zip(&here)
            .position(|(there, here)| there != here)
        {
            Some(first) if le16(&there, 0x1C) == le16(&here, 0x1C) => (
                "the validation entry's id string, which its checksum does not fit",
                first / 2 * 2,
            ),
            _ => ("the validation entry's checksum", 0x1C),
        };
        let said = |entry: &EntryBytes| format!("0x{:04X}", le16(entry, first));
        let byte = at.1 + first as u64;
        Some(difference(
            what.to_owned(),
            byte,
            Some(0),
            &said(&there),
            &said(&here),
        ))
    }

    fn fields(
        &mut self,
        of: &str,
        slot: Option<u16>,
        at: (u64, u64),
        fields: &[Field],
    ) -> Option<Difference> {
        fields.iter().find_map(|&(name, offset, length)| {
            let at = (at.0 + offset, at.1 + offset);
            self.field(&format!("{of} {name}"), slot, at, length)
        })
    }

    /// A field that must be the same.
    fn field(
        &mut self,
        what: &str,
        slot: Option<u16>,
        at: (u64, u64),
        length: usize,
    ) -> Option<Difference> {
        let read = |side: &mut Side<'_, '_>, at: u64| {
            let mut bytes = vec![0; length];
            let size = side.disc.read(at, &mut bytes);
            bytes.truncate(size);
            bytes
        };
        let (there, here) = (read(&mut self.good, at.0), read(&mut self.other, at.1));
        (there != here)
            .then(|| difference(what.to_owned(), at.1, slot, &shown(&there), &shown(&here)))
    }
}

impl Side<'_, '_> {
    /// What a partition's first sector belongs to.
    fn starts(&self, offset: u64) -> &'static str {
        use crate::map::Structure;
        let owned = self.map.whose(offset, crate::partition_table::SECTOR_BYTES);
        match owned.first().and_then(|owned| owned.what.as_ref()) {
            Some(Structure::BootImage { .. } | Structure::Fat { .. }) => {
                "into a boot image or a file system"
            }
            Some(Structure::Catalog) => "into the catalog",
            Some(Structure::Directory { .. } | Structure::File { .. }) => "into the tree",
            Some(Structure::VolumeDescriptor { .. } | Structure::PathTable { .. }) => {
                "into the descriptors"
            }
            Some(Structure::Partition { .. } | Structure::BehindVolume) => {
                "past the volume or to unknown data"
            }
            Some(_) => "into the system area",
            None if offset >= self.disc.length().get() => "past the end of the disc",
            None => "past the volume or to unknown data",
        }
    }
}

pub(super) fn difference(
    what: String,
    offset: u64,
    slot: Option<u16>,
    there: &str,
    here: &str,
) -> Difference {
    Difference {
        what,
        offset,
        slot,
        there: there.to_owned(),
        here: here.to_owned(),
    }
}

const fn name(kind: Option<DescriptorKind>) -> &'static str {
    match kind {
        None => "none",
        Some(DescriptorKind::BootRecord) => "a boot record",
        Some(DescriptorKind::Primary) => "the primary one",
        Some(DescriptorKind::Supplementary) => "a supplementary one",
        Some(DescriptorKind::Partition) => "a partition's",
        Some(DescriptorKind::Terminator) => "the terminator",
        Some(DescriptorKind::Reserved(_)) => "one of a reserved type",
    }
}

/// A field's bytes: short ones as a number, little-endian; long ones as text, or else as they are.
fn shown(bytes: &[u8]) -> String {
    let hexadecimal = |bytes: &mut dyn Iterator<Item = &u8>| -> String {
        bytes.map(|byte| format!("{byte:02X}")).collect()
    };
    let text = bytes
        .iter()
        .rposition(|&byte| byte != 0)
        .and_then(|last| bytes.get(..=last));
    match text {
        _ if bytes.is_empty() => "nothing".to_owned(),
        _ if bytes.len() <= 4 => format!("0x{}", hexadecimal(&mut bytes.iter().rev())),
        None => "zeros".to_owned(),
        Some(text) if text.iter().all(|byte| (b' '..=b'~').contains(byte)) => {
            format!("{:?}", printable(text))
        }
        Some(text) => hexadecimal(&mut text.iter()),
    }
}
