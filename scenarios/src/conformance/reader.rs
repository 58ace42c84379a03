//! Golden discs: what a reader, in any language, must find on a disc.

use std::{collections::BTreeSet, io};

use images::{
    distilled::Distilled,
    eltorito::{MediaType, Platform, RawValidation},
    finding::Severity,
    inspect::{EntryKind, Inspection, Options, Window, inspect},
    map::DiscMap,
    reference::master,
    units::{BLOCK_BYTES, BlockCount, ByteCount, Lba},
};
use serde::Serialize;

use super::{Kit, ReaderItem};

/// A disc as text, and what a reader must find on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoldenDisc {
    /// The name of its files.
    pub id: String,
    /// `ID.disc`.
    pub disc: String,
    /// `ID.json`.
    pub json: String,
}

/// The document `reader/1`.
#[derive(Debug, Serialize)]
struct Expected<'a> {
    schema: &'static str,
    /// What a reader may get wrong.
    reason: &'a str,
    size_bytes: ByteCount,
    volume_id: Option<&'a str>,
    boot_record_lba: Option<Lba>,
    catalog_lba: Option<Lba>,
    validation: Option<Validation>,
    entries: Vec<Entry>,
    findings: Vec<Found>,
}

#[derive(Debug, Serialize)]
struct Validation {
    platform: u8,
    checksum_is_right: bool,
    key_is_right: bool,
}

#[derive(Debug, Serialize)]
struct Entry {
    slot: u16,
    platform: u8,
    bootable: bool,
    media_type: u8,
    emulation: MediaType,
    load_segment: u16,
    system_type: u8,
    /// In units of 512 bytes.
    sector_count_512: u64,
    /// In blocks of 2,048 bytes.
    load_rba_2048: u64,
    is_section: bool,
}

#[derive(Debug, Serialize)]
struct Found {
    id: String,
    severity: Severity,
    lba: Lba,
    offset: u64,
}

/// The golden discs of a kit: the same text every time.
///
/// # Errors
/// One cannot be made, or is not what the kit says of it.
pub fn golden_discs(kit: &Kit) -> io::Result<Vec<GoldenDisc>> {
    kit.reader
        .iter()
        .map(|item| golden_disc(item.get_ref()))
        .collect()
}

fn golden_disc(item: &ReaderItem) -> io::Result<GoldenDisc> {
    let (id, boot) = (&item.id.0.0, &item.boot.0);
    let name = format!("{id}/-/{boot}/-/reference");
    let mastered = master(&name, None, boot, None).map_err(io::Error::other)?;
    let mut window = Window::new(&mastered.bytes);
    let inspection = inspect(&mut window, &Options::default()).map_err(io::Error::other)?;
    let map = DiscMap::read(&mut window, &inspection);
    // Of an image its first block stays: a reader of catalogs needs no more.
    let images = mastered.manifest.images.iter();
    let inside: BTreeSet<Lba> = images
        .flat_map(|image| {
            let blocks = image.length.blocks_rounded_up().get();
            (1..blocks).map(|number| image.load_rba.plus(BlockCount::new(number)))
        })
        .collect();
    let all = mastered.bytes.pieces().flat_map(|(start, piece)| {
        let end = start.saturating_add(piece.len() as u64);
        (start / BLOCK_BYTES..end.div_ceil(BLOCK_BYTES)).map(Lba::new)
    });
    let keep: BTreeSet<Lba> = all.filter(|lba| !inside.contains(lba)).collect();
    let distilled = Distilled::cut(&mastered.bytes, &keep, &map)?;
    let json = expected(item, &inspection, &mut Window::new(distilled.bytes()))?;
    Ok(GoldenDisc {
        id: id.clone(),
        disc: distilled.to_toml(),
        json,
    })
}

/// What is on the disc. What is wrong with it is seen on the whole disc: the text has images that are cut.
fn expected(
    item: &ReaderItem,
    inspection: &Inspection,
    disc: &mut Window<'_>,
) -> io::Result<String> {
    let record = inspection.boot_records.first();
    let validation = record.and_then(|record| disc.array(record.catalog.byte_offset()));
    let number = |platform: Platform| platform.0;
    let found = inspection.findings.iter();
    let found: Vec<Found> = found
        .filter(|finding| item.findings.contains(&finding.id.to_string()))
        .map(|finding| Found {
            id: finding.id.to_string(),
            severity: finding.severity,
            lba: finding.lba,
            offset: finding.offset,
        })
        .collect();
    if let Some(missing) = item
        .findings
        .iter()
        .find(|id| !found.iter().any(|found| found.id == **id))
    {
        let what = format!("{} has no finding {missing}", item.id.0.0);
        return Err(io::Error::other(what));
    }
    let document = Expected {
        schema: "reader/1",
        reason: &item.reason,
        size_bytes: inspection.size,
        volume_id: inspection.volume.as_ref().map(|volume| volume.id.as_str()),
        boot_record_lba: record.map(|record| record.lba),
        catalog_lba: record.map(|record| record.catalog),
        validation: validation.map(|bytes| {
            let read = RawValidation::decode(&bytes);
            Validation {
                platform: number(read.platform),
                checksum_is_right: read.word_sum == 0,
                key_is_right: read.key == RawValidation::KEY,
            }
        }),
        entries: inspection
            .entries()
            .map(|(entry, boot)| Entry {
                slot: entry.slot,
                platform: number(entry.platform),
                bootable: boot.bootable,
                media_type: boot.media.0,
                emulation: boot.media.emulation(),
                load_segment: boot.load_segment,
                system_type: boot.system_type,
                sector_count_512: boot.sector_count.get(),
                load_rba_2048: boot.load_rba.get(),
                is_section: entry.kind == EntryKind::Section,
            })
            .collect(),
        findings: found,
    };
    let mut text = serde_json::to_string_pretty(&document).map_err(io::Error::other)?;
    text.push('\n');
    Ok(text)
}
