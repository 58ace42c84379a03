use serde::{Deserialize, Serialize};

use super::changed;
use crate::{
    fat::FatVolume,
    inspect::{Source, Window},
    inspect::{is_wiped, iso_elsewhere},
    partition_table::{Mbr, RawGptHeader},
    units::{ByteCount, Lba},
};

/// A format that is taken for an ISO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is described in `words`")]
pub enum Format {
    RawMode1,
    RawMode2,
    Raw2336,
    Raw2448,
    Cue,
    Nero,
    Alcohol,
    CloneCd,
    DiscJuggler,
    Gzip,
    Xz,
    Bzip2,
    Zstd,
    Lz4,
    Zip,
    SevenZip,
    Rar,
    Tar,
    Dmg,
    Qcow2,
    Vmdk,
    Vhd,
    Vhdx,
    Vdi,
    Wim,
    Squashfs,
    Cso,
    Daa,
    Isz,
    Jigdo,
    ByteSwapped,
    Zeros,
    TextTransfer,
    Behind,
    Beheaded,
    Part,
    UdfOnly,
    GptDisk,
    MbrDisk,
    CutDisk,
    Kernel,
    FatImage,
    Elf,
    Torrent,
    Html,
    Xml,
    Text,
}

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

    /// Its name, and what it is in one sentence.
    pub(super) const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::RawMode1 => (
                "raw sectors of 2,352 bytes, mode 1",
                "this is a raw copy of a CD: sectors of 2,352 bytes, of which 2,048 are data",
            ),
            Self::RawMode2 => (
                "raw sectors of 2,352 bytes, mode 2",
                "this is a raw copy of a CD-ROM XA: sectors of 2,352 bytes, of which 2,048 are data",
            ),
            Self::Raw2336 => (
                "sectors of 2,336 bytes",
                "this is a copy of a CD-ROM XA whose sectors have 2,336 bytes, of which 2,048 are data",
            ),
            Self::Raw2448 => (
                "raw sectors of 2,448 bytes",
                "this is a raw copy of a CD with its subchannels: sectors of 2,448 bytes, of which 2,048 are data",
            ),
            Self::Cue => (
                "CUE sheet",
                "this is the text that describes the tracks of a CD; the sectors are in the .bin file",
            ),
            Self::Nero => ("NRG", "this is an image of Nero Burning ROM"),
            Self::Alcohol => (
                "MDS",
                "this describes an image of Alcohol 120%; the sectors are in the .mdf file",
            ),
            Self::CloneCd => (
                "CCD",
                "this is the text that describes an image of CloneCD; the sectors are in the .img file",
            ),
            Self::DiscJuggler => ("CDI", "this is an image of DiscJuggler"),
            Self::Gzip => ("gzip", "this is a file that gzip compressed"),
            Self::Xz => ("xz", "this is a file that xz compressed"),
            Self::Bzip2 => ("bzip2", "this is a file that bzip2 compressed"),
            Self::Zstd => ("zstd", "this is a file that zstd compressed"),
            Self::Lz4 => ("lz4", "this is a file that lz4 compressed"),
            Self::Zip => ("zip", "this is a zip archive"),
            Self::SevenZip => ("7z", "this is a 7-Zip archive"),
            Self::Rar => ("rar", "this is a RAR archive"),
            Self::Tar => ("tar", "this is a tar archive"),
            Self::Dmg => ("DMG", "this is a disk image of macOS (UDIF)"),
            Self::Qcow2 => ("qcow2", "this is a virtual disk of QEMU"),
            Self::Vmdk => ("VMDK", "this is a virtual disk of VMware"),
            Self::Vhd => ("VHD", "this is a virtual disk of Virtual PC or Hyper-V"),
            Self::Vhdx => ("VHDX", "this is a virtual disk of Hyper-V"),
            Self::Vdi => ("VDI", "this is a virtual disk of VirtualBox"),
            Self::Wim => (
                "WIM",
                "this is an image of Windows' files, as a Windows disc has it in /sources, and not the disc",
            ),
            Self::Squashfs => (
                "SquashFS",
                "this is a compressed file system, as a live disc has it, and not the disc",
            ),
            Self::Cso => ("CISO", "this is an ISO that was compressed block by block"),
            Self::Daa => ("DAA", "this is an image of PowerISO"),
            Self::Isz => ("ISZ", "this is an ISO that was compressed by UltraISO"),
            Self::Jigdo => (
                "jigdo",
                "this is one of the two files from which jigdo puts a disc together, and not the disc",
            ),
            Self::ByteSwapped => (
                "bytes exchanged in pairs",
                "this is an ISO of which every two bytes are exchanged",
            ),
            Self::Zeros => (
                "zeros",
                "this begins with nothing but zeros: room was reserved and never written",
            ),
            Self::TextTransfer => (
                "damaged by a transfer as text",
                "this was an ISO, and a transfer as text (FTP's ASCII mode, a conversion of line ends or of characters) changed its bytes",
            ),
            Self::Behind => (
                "ISO after other bytes",
                "this is an ISO with other bytes before it, so nothing is at the right position",
            ),
            Self::Beheaded => (
                "ISO without its beginning",
                "this is an ISO whose first bytes are missing, so nothing is at the right position",
            ),
            Self::Part => (
                "part of a split file",
                "this is one part of a file that was split, and not the whole disc",
            ),
            Self::UdfOnly => (
                "UDF without ISO 9660",
                "this disc has only UDF, but El Torito needs the descriptors of ISO 9660: no BIOS boots it; from a CD, UEFI firmware can start a loader in it",
            ),
            Self::GptDisk => (
                "disk image with a GPT",
                "this is the image of a disk with a GUID partition table, for a disk or a stick, not for a CD",
            ),
            Self::MbrDisk => (
                "disk image with an MBR",
                "this is the image of a disk with a master boot record, for a disk or a stick, not for a CD",
            ),
            Self::CutDisk => (
                "truncated image of a disk",
                "this begins as a disk with a master boot record, but a partition ends after the end of the file: the file is truncated, or its partition table is wrong",
            ),
            Self::Kernel => (
                "Linux kernel",
                "this is a Linux kernel for x86, which a boot loader starts",
            ),
            Self::FatImage => (
                "FAT image",
                "this is the image of a FAT file system, for a floppy, a disk or a stick, not for a CD",
            ),
            Self::Elf => ("ELF", "this is a program or a kernel, not a disc"),
            Self::Torrent => (
                "torrent",
                "this names a download for a BitTorrent client, and is not the disc",
            ),
            Self::Html => (
                "HTML",
                "the download is a web page, such as a login or an error page that was saved under the disc's name",
            ),
            Self::Xml => (
                "XML",
                "the download is an XML text, such as a server's error message or a list of mirrors",
            ),
            Self::Text => (
                "text",
                "this is a text, such as a list of checksums or a server's error message",
            ),
        }
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
