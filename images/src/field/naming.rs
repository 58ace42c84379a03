//! Names for the bytes of a disc.

use super::{
    BOOT_INFO_TABLE, BOOT_RECORD, DIRECTORY_RECORD, FAT, FAT_ENTRY, FAT32, GPT_ENTRY, GPT_HEADER,
    Layout, MASTER_BOOT_RECORD, VOLUME, of_slot,
};
use crate::{
    boot::FatType,
    bytes::{printable, text},
    eltorito::{BootInfoTable, ENTRY_BYTES},
    fat::{FatStructure, FatVolume},
    inspect::{Inspection, Window},
    iso9660::{DescriptorKind, DirectoryRecord, Names},
    map::{DiscMap, Extent, Structure, TreeKind},
    units::{BLOCK_BYTES, ByteCount, Lba},
};

/// A field of a disc: which one, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its name, the same for all structures of a kind: `the recording date`.
    pub field: String,
    /// The file, entry or partition that it belongs to, where there are several of the kind.
    pub of: Option<String>,
    /// Its first byte on the disc.
    pub offset: u64,
    /// How many bytes it has.
    pub bytes: ByteCount,
}

impl Named {
    /// The byte behind the last one.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes.get())
    }
}

/// Names every byte of a disc by the field that it belongs to.
#[derive(Debug)]
pub struct FieldNames<'n, 'd> {
    disc: &'n mut Window<'d>,
    inspection: &'n Inspection,
    map: &'n DiscMap,
}

impl<'n, 'd> FieldNames<'n, 'd> {
    /// Of this disc.
    #[must_use]
    pub const fn new(
        disc: &'n mut Window<'d>,
        inspection: &'n Inspection,
        map: &'n DiscMap,
    ) -> Self {
        Self {
            disc,
            inspection,
            map,
        }
    }

    /// The field that a byte belongs to, which holds it: at least that one byte.
    #[must_use]
    pub fn name(&mut self, offset: u64) -> Named {
        let map = self.map;
        let Some((extent, end)) = map.innermost(offset) else {
            let end = map.next_known(offset);
            return named(
                "bytes that belong to nothing that is known",
                None,
                offset,
                end,
            );
        };
        // What is not named further is named as a whole, to the end of what it is the innermost of.
        let whole = |field: &str, of: Option<String>| named(field, of, offset, end);
        self.within(extent, offset)
            .filter(|name| (name.offset..name.end()).contains(&offset))
            .unwrap_or_else(|| match &extent.what {
                Structure::File { path } => whole("the content", Some(path.clone())),
                what @ Structure::BootImage { path, .. } => {
                    let of = path.clone().unwrap_or_else(|| what.to_string());
                    whole("the content", Some(of))
                }
                Structure::Fat {
                    part: FatStructure::File { .. },
                    ..
                } => whole("the content", Some(extent.what.to_string())),
                what => whole(&format!("the {what}"), None),
            })
    }

    /// A field of a structure whose fields are known.
    fn within(&mut self, extent: &Extent, offset: u64) -> Option<Named> {
        let start = extent.offset;
        let at = |layout, says: &str, of: Option<&str>| field_at(layout, start, offset, says, of);
        match &extent.what {
            Structure::BootCode | Structure::PartitionTable => field_at(
                MASTER_BOOT_RECORD,
                0,
                offset,
                "of the master boot record",
                None,
            ),
            Structure::GptHeader { copy } => {
                at(GPT_HEADER, &format!("of the {copy}GPT header"), None)
            }
            Structure::GptEntries { copy } => {
                let bytes = layout_bytes(GPT_ENTRY);
                let number = offset.saturating_sub(start) / bytes;
                let entry = start.saturating_add(number.saturating_mul(bytes));
                let of = format!("entry {}", number.saturating_add(1));
                field_at(
                    GPT_ENTRY,
                    entry,
                    offset,
                    &format!("in the {copy}GPT"),
                    Some(&of),
                )
            }
            Structure::VolumeDescriptor { descriptor, .. } => match descriptor {
                DescriptorKind::BootRecord => at(BOOT_RECORD, "of the boot record", None),
                DescriptorKind::Primary => at(VOLUME, "of the volume", None),
                DescriptorKind::Supplementary => at(VOLUME, "of the supplementary volume", None),
                _ => None,
            },
            Structure::Directory { path, tree } => self.directory(extent, (path, *tree), offset),
            Structure::Catalog => self.catalog(start, offset),
            what @ Structure::BootImage { path, .. } => {
                let of = path.clone().unwrap_or_else(|| what.to_string());
                self.boot_info(start, offset, &of)
            }
            Structure::Fat { part, holder } => match part {
                FatStructure::BootSector => self.fat(start, offset, holder),
                FatStructure::Directory { path } => {
                    self.fat_directory(extent, offset, path, holder)
                }
                FatStructure::Table | FatStructure::File { .. } => None,
            },
            _ => None,
        }
    }

    /// The record of a directory that holds a byte, and in it the field. No record crosses a block (ECMA-119 §6.8.1.1).
    fn directory(
        &mut self,
        extent: &Extent,
        (path, tree): (&str, TreeKind),
        offset: u64,
    ) -> Option<Named> {
        let block = offset.saturating_sub(extent.offset) / BLOCK_BYTES;
        let mut start = extent
            .offset
            .saturating_add(block.saturating_mul(BLOCK_BYTES));
        let bytes: [u8; BLOCK_BYTES as usize] = self.disc.array(start)?;
        let mut rest = &bytes[..];
        let names = match tree {
            TreeKind::Primary => Names::Plain,
            TreeKind::Supplementary => Names::Joliet,
        };
        while let Some(record) = DirectoryRecord::decode(rest) {
            let end = start.saturating_add(u64::try_from(record.length).unwrap_or(u64::MAX));
            if offset >= end {
                start = end;
                rest = rest.get(record.length..)?;
                continue;
            }
            let folder = path.trim_end_matches('/');
            let of = match record.identifier[..] {
                [0] => format!("{folder}/."),
                [1] => format!("{folder}/.."),
                _ => format!("{folder}/{}", record.name_in(names)),
            };
            let known = field_at(DIRECTORY_RECORD, start, offset, "", Some(&of));
            let length = record.identifier.len();
            return known.or_else(|| system_use(rest, start, length, offset, end, &of));
        }
        None
    }

    fn catalog(&mut self, start: u64, offset: u64) -> Option<Named> {
        let slot_bytes = u64::try_from(ENTRY_BYTES).ok()?;
        let slot = offset.saturating_sub(start) / slot_bytes;
        let catalog = self.inspection.catalog.as_ref()?;
        let entry = catalog
            .entries
            .iter()
            .find(|entry| u64::from(entry.slot) == slot)?;
        let (kind, layout) = of_slot(entry.kind);
        let start = start.saturating_add(slot.saturating_mul(slot_bytes));
        let of = format!("slot {slot}");
        field_at(layout, start, offset, &format!("of the {kind}"), Some(&of))
    }

    /// A field of the boot-info table, where there is one that knows its own address.
    fn boot_info(&mut self, image: u64, offset: u64, of: &str) -> Option<Named> {
        let table = BootInfoTable::decode(&self.disc.array(image)?);
        if table.image != Lba::new(image / BLOCK_BYTES) {
            return None;
        }
        let start = image.saturating_add(BootInfoTable::START);
        field_at(
            BOOT_INFO_TABLE,
            start,
            offset,
            "in the boot-info table",
            Some(of),
        )
    }

    fn fat(&mut self, start: u64, offset: u64, holder: &Structure) -> Option<Named> {
        let volume = FatVolume::at(self.disc, start)?;
        let layout = match volume.parameters.fat {
            FatType::Fat32 => FAT32,
            FatType::Fat12 | FatType::Fat16 => FAT,
        };
        let of = holder.to_string();
        field_at(layout, start, offset, "in a FAT boot sector", Some(&of))
    }

    fn fat_directory(
        &mut self,
        extent: &Extent,
        offset: u64,
        path: &str,
        holder: &Structure,
    ) -> Option<Named> {
        const ATTRIBUTES: usize = 11;
        const LONG_NAME: u8 = 0x0F;
        let bytes = layout_bytes(FAT_ENTRY);
        let number = offset.saturating_sub(extent.offset) / bytes;
        let start = extent.offset.saturating_add(number.saturating_mul(bytes));
        let entry: [u8; 32] = self.disc.array(start)?;
        let folder = path.trim_end_matches('\\');
        if entry[ATTRIBUTES] == LONG_NAME {
            let of = format!("{folder}\\ in the {holder}");
            let end = start.saturating_add(bytes);
            return Some(named(
                "the long name in a FAT directory",
                Some(of),
                start,
                end,
            ));
        }
        let name = match (text(&entry[..8]), text(&entry[8..ATTRIBUTES])) {
            (name, extension) if extension.is_empty() => name,
            (name, extension) => format!("{name}.{extension}"),
        };
        let of = format!("{folder}\\{name} in the {holder}");
        field_at(FAT_ENTRY, start, offset, "in a FAT directory", Some(&of))
    }
}

/// What stands behind the fields of a directory record: the identifier, and what system use entries there are (SUSP, Rock Ridge).
fn system_use(
    record: &[u8],
    start: u64,
    identifier: usize,
    offset: u64,
    end: u64,
    of: &str,
) -> Option<Named> {
    let fixed = usize::try_from(layout_bytes(DIRECTORY_RECORD)).ok()?;
    let mut at = (fixed.saturating_add(identifier)).next_multiple_of(2);
    let place = |at: usize| start.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
    if offset < place(at) {
        let from = place(fixed);
        return Some(named(
            "the identifier",
            Some(of.to_owned()),
            from,
            place(at),
        ));
    }
    while let Some(&[first, second, length, _]) = record.get(at..)?.first_chunk::<4>() {
        let next = at.saturating_add(usize::from(length).max(4));
        if offset < place(next).min(end) {
            let field = match &[first, second] {
                b"TF" => "the Rock Ridge dates".to_owned(),
                b"PX" => "the Rock Ridge mode and owner".to_owned(),
                b"NM" => "the Rock Ridge name".to_owned(),
                b"SL" => "the Rock Ridge symbolic link".to_owned(),
                other => format!("the system use entry {}", printable(other)),
            };
            return Some(named(
                &field,
                Some(of.to_owned()),
                place(at),
                place(next).min(end),
            ));
        }
        at = next;
    }
    None
}

fn layout_bytes(layout: Layout) -> u64 {
    let sum = layout.iter().map(|(bytes, _)| *bytes).sum::<usize>();
    u64::try_from(sum).unwrap_or(u64::MAX)
}

/// The field of a structure that holds a byte of the disc; nothing where the structure ends before it.
fn field_at(
    layout: Layout,
    start: u64,
    offset: u64,
    says: &str,
    of: Option<&str>,
) -> Option<Named> {
    let mut at = start;
    for &(bytes, name) in layout {
        let end = at.saturating_add(u64::try_from(bytes).ok()?);
        if (at..end).contains(&offset) {
            let field = format!("the {name} {says}");
            return Some(named(field.trim_end(), of.map(ToOwned::to_owned), at, end));
        }
        at = end;
    }
    None
}

fn named(field: &str, of: Option<String>, offset: u64, end: u64) -> Named {
    Named {
        field: field.to_owned(),
        of,
        offset,
        bytes: ByteCount::new(end.saturating_sub(offset).max(1)),
    }
}
