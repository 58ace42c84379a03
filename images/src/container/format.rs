//! Formats that are taken for an ISO.

use serde::{Deserialize, Serialize};

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

impl Format {
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
