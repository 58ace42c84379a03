//! How a file's format is known.

use super::{changed, format::Format};
use crate::{
    fat::FatVolume,
    inspect::{Source, Window, is_wiped, iso_elsewhere},
    partition_table::{Mbr, RawGptHeader},
    units::{ByteCount, Lba},
};

/// What formats begin with: where, and which bytes.
const BEGINNINGS: &[(u64, &[u8], Format)] = &[
    (0, b"MEDIA DESCRIPTOR", Format::Alcohol),
    (0, &[0x1F, 0x8B, 0x08], Format::Gzip),
    (0, &[0xFD, b'7', b'z', b'X', b'Z', 0], Format::Xz),
    // A whole beginning: three letters alone are found anywhere.
    (4, &[0x31, 0x41, 0x59, 0x26, 0x53, 0x59], Format::Bzip2),
    (0, &[0x28, 0xB5, 0x2F, 0xFD], Format::Zstd),
    (0, &[0x04, 0x22, 0x4D, 0x18], Format::Lz4),
    (0, b"PK\x03\x04", Format::Zip),
    (0, b"PK\x05\x06", Format::Zip),
    (0, b"7z\xBC\xAF\x27\x1C", Format::SevenZip),
    (0, b"Rar!\x1A\x07", Format::Rar),
    (0, b"QFI\xFB", Format::Qcow2),
    (0, b"KDMV", Format::Vmdk),
    (0, b"# Disk DescriptorFile", Format::Vmdk),
    (0, b"conectix", Format::Vhd),
    (0, b"vhdxfile", Format::Vhdx),
    // After 64 bytes of text.
    (64, &[0x7F, 0x10, 0xDA, 0xBE], Format::Vdi),
    // Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header".
    (0x202, b"HdrS", Format::Kernel),
    (0, b"MSWIM\0\0\0", Format::Wim),
    (0, b"hsqs", Format::Squashfs),
    (0, b"CISO", Format::Cso),
    (0, b"ZISO", Format::Cso),
    (0, b"DAA\0", Format::Daa),
    (0, b"IsZ!", Format::Isz),
    (0, b"JigsawDownload template", Format::Jigdo),
    // The first descriptor with the two bytes of each word exchanged.
    (
        32_768,
        &[b'C', 1, b'0', b'D', b'1', b'0'],
        Format::ByteSwapped,
    ),
    (0, b"\x7FELF", Format::Elf),
    (0, b"d8:announce", Format::Torrent),
    (257, b"ustar", Format::Tar),
];

/// What formats end with: how many bytes before the end, and which bytes.
const ENDS: &[(u64, &[u8], Format)] = &[
    (12, b"NER5", Format::Nero),
    (8, b"NERO", Format::Nero),
    (512, b"koly", Format::Dmg),
    (512, b"conectix", Format::Vhd),
    // Old writers left the last byte out.
    (511, b"conectix", Format::Vhd),
    // Versions 2, 3 and 3.5 (libmirage, `image-cdi`).
    (8, &[0x04, 0, 0, 0x80], Format::DiscJuggler),
    (8, &[0x05, 0, 0, 0x80], Format::DiscJuggler),
    (8, &[0x06, 0, 0, 0x80], Format::DiscJuggler),
];

/// The twelve bytes with which a raw sector begins (ECMA-130 §14.1).
const SYNC: [u8; 12] = [
    0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0,
];

/// Where the mode stands in a raw sector, behind the address (ECMA-130 §14.2).
const MODE: u64 = 15;

/// The sector that holds the first volume descriptor, whatever a sector's length.
const DESCRIPTOR: u64 = 16;

/// Bytes of a text that are looked at.
const TEXT: usize = 4_096;

impl Format {
    /// What a file is; `None` for an ISO, and for what is not known.
    pub(super) fn of(source: &dyn Source) -> Option<Self> {
        let mut file = Window::new(source);
        // An ISO is one, whatever else stands in its system area or behind its end.
        if is_iso(&mut file) {
            return changed::with_descriptor(&mut file);
        }
        let packed = raw(&mut file)
            .or_else(|| beginning(&mut file))
            .or_else(|| end(&mut file))
            .or_else(|| udf(&mut file));
        // An ISO in a partition, or behind something else, or without its signature, is one that inspection has a finding for.
        if packed.is_none() && (is_wiped(&mut file) || iso_elsewhere(&mut file).is_some()) {
            return None;
        }
        packed
            .or_else(|| changed::without_descriptor(&mut file))
            .or_else(|| disk(&mut file))
            .or_else(|| text(&mut file))
    }
}

/// Whether it has a descriptor where an ISO has its first.
pub(super) fn is_iso(file: &mut Window<'_>) -> bool {
    has(file, Lba::new(DESCRIPTOR).byte_offset() + 1, b"CD001")
}

/// Whether these bytes stand there.
fn has(file: &mut Window<'_>, offset: u64, expected: &[u8]) -> bool {
    let mut bytes = vec![0; expected.len()];
    file.read(offset, &mut bytes) == expected.len() && bytes == expected
}

/// Sectors that are longer than their data.
fn raw(file: &mut Window<'_>) -> Option<Format> {
    let begins_with_sync = has(file, 0, &SYNC);
    let descriptor = |file: &mut Window<'_>, sector: u64, header: u64| {
        has(file, DESCRIPTOR * sector + header + 1, b"CD001")
    };
    if begins_with_sync && has(file, 2_448, &SYNC) {
        return Some(Format::Raw2448);
    }
    // A file of one sector has no second one; what has many shows a second sync.
    let one = file.length() == ByteCount::new(2_352);
    if begins_with_sync && (one || has(file, 2_352, &SYNC)) {
        let [mode] = file.array(MODE)?;
        return match mode {
            1 => Some(Format::RawMode1),
            2 => Some(Format::RawMode2),
            _ => None,
        };
    }
    descriptor(file, 2_336, 8).then_some(Format::Raw2336)
}

fn beginning(file: &mut Window<'_>) -> Option<Format> {
    let mut known = BEGINNINGS.iter();
    let found = known.find(|&&(offset, bytes, _)| has(file, offset, bytes))?;
    Some(found.2)
}

fn end(file: &mut Window<'_>) -> Option<Format> {
    let length = file.length().get();
    let mut known = ENDS.iter();
    let found = known.find(|&&(before, bytes, format)| {
        let Some(offset) = length.checked_sub(before) else {
            return false;
        };
        // Four bytes that any data may end with: only with the place of a descriptor before them.
        let plausible = format != Format::DiscJuggler || descriptor_before(file, length);
        plausible && has(file, offset, bytes)
    })?;
    Some(found.2)
}

/// Whether the last four bytes are a DiscJuggler's: where its descriptor starts, or how long that is.
fn descriptor_before(file: &mut Window<'_>, length: u64) -> bool {
    let at = length.saturating_sub(4);
    let number = file.array(at).map(u32::from_le_bytes);
    number.is_some_and(|number| number > 8 && u64::from(number) < length)
}

/// UDF's volume recognition sequence (ECMA-167 2/9.1.2), which may stand behind one of ISO 9660, and here does not.
fn udf(file: &mut Window<'_>) -> Option<Format> {
    let at = |number| Lba::new(DESCRIPTOR + number).byte_offset() + 1;
    let is_one = has(file, at(0), b"BEA01")
        && (1..4).any(|number| has(file, at(number), b"NSR02") || has(file, at(number), b"NSR03"));
    is_one.then_some(Format::UdfOnly)
}

fn disk(file: &mut Window<'_>) -> Option<Format> {
    let gpt = file.array(512);
    if gpt
        .and_then(|sector| RawGptHeader::decode(&sector))
        .is_some()
    {
        return Some(Format::GptDisk);
    }
    if FatVolume::at(file, 0).is_some() {
        return Some(Format::FatImage);
    }
    let table = Mbr::decode(&file.array(0)?);
    let is_one = table.signature && table.is_plausible() && table.used().next().is_some();
    let end = table.used().map(|(_, entry)| entry.end()).max();
    let is_cut = end.is_some_and(|end| end.bytes() > file.length());
    is_one.then_some(if is_cut {
        Format::CutDisk
    } else {
        Format::MbrDisk
    })
}

fn text(file: &mut Window<'_>) -> Option<Format> {
    let mut bytes = vec![0; TEXT];
    let size = file.read(0, &mut bytes);
    bytes.truncate(size);
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // The end may cut a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let is_text = |it: char| !it.is_control() || matches!(it, '\t' | '\n' | '\r');
    if text.trim().is_empty() || !text.chars().all(is_text) {
        return None;
    }
    let lower = text.trim_start().to_ascii_lowercase();
    Some(
        if lower.starts_with('<') && (lower.contains("<html") || lower.contains("<!doctype html")) {
            Format::Html
        } else if lower.starts_with('<') {
            Format::Xml
        } else if lower.starts_with("# jigsawdownload") || lower.starts_with("[jigdo]") {
            Format::Jigdo
        } else if lower.contains("[clonecd]") {
            Format::CloneCd
        } else if is_cue_sheet(text) {
            Format::Cue
        } else {
            Format::Text
        },
    )
}

fn is_cue_sheet(text: &str) -> bool {
    let has = |word: &str| {
        text.lines().any(|line| {
            let first = line.split_whitespace().next();
            first.is_some_and(|first| first.eq_ignore_ascii_case(word))
        })
    };
    has("FILE") && has("TRACK")
}
