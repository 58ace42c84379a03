//! Files that say themselves how long they are: Linux kernels, compressed streams, cpio archives, squashfs. Whether they are whole, as far as a look at
//! their frames shows; only gzip is unpacked, where that is asked for.
//!
//! Sources: Linux `Documentation/arch/x86/boot.rst` (bzImage) and `driver-api/early-userspace/buffer-format.rst` (initrd), the .xz file format 1.2.0, RFC 8878 (zstd),
//! lz4's `lz4_Frame_format.md`, squashfs-tools `squashfs_fs.h`.

use std::io::{self, BufRead as _, BufReader, Read as _};

use flate2::bufread::GzDecoder;

use crate::{
    bytes::{le16, le32, le64},
    inspect::{Window, file::DiscBytes},
};

/// Blocks of a stream that are followed.
const BLOCKS: usize = 100_000;
/// Members of an archive, and archives behind one another, that are followed.
const MEMBERS: usize = 100_000;
/// The most bytes that a stream is unpacked to.
const UNPACKED_BYTES: u64 = 8 << 30;

/// How many bytes a Linux kernel must have at the least; `None` where it is none. Its header counts in sixteen bytes, and the last ones need not be there.
pub(crate) fn kernel_length(disc: &mut Window<'_>, file: &DiscBytes) -> Option<u64> {
    let head = file.bytes(disc, 0, 0x250);
    if head.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    // 0 means 4, and the boot sector is one more.
    let setup = match head.get(0x1F1).copied()? {
        0 => 4,
        sectors => u64::from(sectors),
    };
    let paragraphs = u64::from(le32(&head, 0x1F4));
    Some(((setup + 1) * 512 + paragraphs * 16).saturating_sub(15))
}

/// Where in a Linux kernel its compressed part begins and ends; `None` where it does not say, as before protocol 2.08.
pub(crate) fn kernel_payload(disc: &mut Window<'_>, file: &DiscBytes) -> Option<(u64, u64)> {
    let head = file.bytes(disc, 0, 0x250);
    if head.get(0x202..0x206)? != b"HdrS" || le16(&head, 0x206) < 0x208 {
        return None;
    }
    let setup = match head.get(0x1F1).copied()? {
        0 => 4,
        sectors => u64::from(sectors),
    };
    let start = (setup + 1) * 512 + u64::from(le32(&head, 0x248));
    Some((start, start + u64::from(le32(&head, 0x24C))))
}

/// The kind of a file that a loader starts as a kernel. Texts are predicates, such as `is text`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KernelFile {
    /// One for an x86 processor, or an EFI program, which may be one.
    Kernel,
    Empty,
    /// One for 64-bit Arm.
    Arm,
    /// Compressed as a whole, which GRUB undoes (`grub-core/io/gzio.c`, `xzio.c`, `lzopio.c`).
    Compressed(&'static str),
    /// Another kind of file.
    Other(&'static str),
    /// It cannot be read, or a loader may decompress it.
    Unknown,
}

/// Classifies a file that a loader starts as a kernel. An x86 loader requires the signature of a boot sector (Linux `boot.rst`: `boot_flag`), UEFI requires `MZ`.
pub(crate) fn kernel_file(disc: &mut Window<'_>, file: &DiscBytes) -> KernelFile {
    if file.length.get() == 0 {
        return KernelFile::Empty;
    }
    let head = file.bytes(disc, 0, 0x250);
    if head.is_empty() {
        return KernelFile::Unknown;
    }
    if head.starts_with(ZISOFS) {
        return KernelFile::Other("is compressed by zisofs, which no boot loader unpacks");
    }
    if head.get(0x1FE..0x200) == Some(&[0x55, 0xAA]) {
        return KernelFile::Kernel;
    }
    match head.get(0x38..0x3C) == Some(b"ARM\x64") {
        true => KernelFile::Arm,
        false if head.starts_with(b"MZ") => KernelFile::Kernel,
        false => match kind_of(&head) {
            Some(what) if what.starts_with("is compressed") => KernelFile::Compressed(what),
            what => KernelFile::Other(what.unwrap_or("has no header of one")),
        },
    }
}

/// How a file that zisofs compressed begins (`mkzftree`; Linux `fs/isofs/compress.c`).
const ZISOFS: &[u8] = &[0x37, 0xE4, 0x53, 0x96, 0xC9, 0xDB, 0xD6, 0x07];

/// What is said of a file that begins so.
pub(crate) const ZEROS: &str = "begins with zeros";

/// The kind of a file by its first bytes, as a predicate.
pub(crate) fn kind_of(head: &[u8]) -> Option<&'static str> {
    let text = |head: &[u8]| head.iter().all(|&byte| (9..=126).contains(&byte));
    Some(match head {
        [b'0', b'7', b'0', b'7', b'0', ..] => "is a cpio archive",
        [0x1F, 0x8B, ..] => "is compressed by gzip",
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => "is compressed by xz",
        [0x28, 0xB5, 0x2F, 0xFD, ..] => "is compressed by zstd",
        [0x02, 0x21, 0x4C, 0x18, ..] => "is compressed by lz4",
        [b'B', b'Z', b'h', ..] => "is compressed by bzip2",
        [0x89, b'L', b'Z', b'O', ..] => "is compressed by lzop",
        [0x7F, b'E', b'L', b'F', ..] => "is an ELF file",
        [b'h', b's', b'q', b's', ..] => "is a squashfs",
        head if head.iter().all(|&byte| byte == 0) => ZEROS,
        head if text(head) => "is text",
        _ => return None,
    })
}

/// Whether a file is Linux for x86. Other programs have the same header (memdisk, iPXE, wimboot), but only Linux' version begins with a digit.
pub(crate) fn is_linux(disc: &mut Window<'_>, file: &DiscBytes) -> bool {
    let head = file.bytes(disc, 0, 0x210);
    if head.get(0x202..0x206) != Some(b"HdrS") {
        return false;
    }
    let version = u64::from(le16(&head, 0x20E)) + 0x200;
    let first = file.bytes(disc, version, 1);
    first.first().is_some_and(u8::is_ascii_digit)
}

/// Whether a file is memdisk of syslinux, which has the same header as Linux (`memdisk/memdisk16.asm`).
pub(crate) fn is_memdisk(disc: &mut Window<'_>, file: &DiscBytes) -> bool {
    const NAME: &[u8] = b"MEMDISK ";
    let head = file.bytes(disc, 0, 32 << 10);
    head.get(0x202..0x206) == Some(b"HdrS") && memchr::memmem::find(&head, NAME).is_some()
}

/// Why Linux cannot use a file as an initial file system, as a predicate; `None` if it may.
///
/// Sources: Linux `lib/decompress.c`, `init/do_mounts_rd.c`, `init/initramfs.c`.
pub(crate) fn not_an_initrd(disc: &mut Window<'_>, file: &DiscBytes) -> Option<&'static str> {
    // A file system: its magic number, and where it stands.
    const MOUNTED: [(usize, &[u8]); 8] = [
        (0, b"hsqs"),
        (0, b"-rom1fs-"),
        (0, &[0x45, 0x3D, 0xCD, 0x28]),
        (0x410, &[0x7F, 0x13]),
        (0x410, &[0x8F, 0x13]),
        (0x410, &[0x68, 0x24]),
        (0x410, &[0x78, 0x24]),
        (0x438, &[0x53, 0xEF]),
    ];
    const UNPACKED: [&[u8]; 10] = [
        ZISOFS,
        b"07070",
        &[0x1F, 0x8B],
        &[0x1F, 0x9E],
        b"BZh",
        &[0x5D, 0],
        b"\xFD7zXZ\0",
        &[0x89, b'L', b'Z', b'O'],
        &[0x02, 0x21, 0x4C, 0x18],
        &[0x28, 0xB5, 0x2F, 0xFD],
    ];
    let start = skip_zeros(disc, file, 0);
    let Some(start) = start else {
        return (file.length.get() > 0 && file.is_whole()).then_some("has nothing but zeros");
    };
    let head = file.bytes(disc, start, 0x440);
    let mounted = file.bytes(disc, 0, 0x440);
    let mut magics = MOUNTED.iter();
    let is_mounted = magics.any(|(at, magic)| {
        let found = mounted.get(*at..at + magic.len());
        found == Some(*magic)
    });
    let is_unpacked = UNPACKED.iter().any(|magic| head.starts_with(magic));
    if is_mounted || is_unpacked || head.is_empty() {
        return None;
    }
    Some(match head.get(0x202..0x206) == Some(b"HdrS") {
        true => "is a kernel",
        false => kind_of(&head).unwrap_or("is in no format that Linux unpacks"),
    })
}

/// How many bytes a squashfs must have; `None` where it is none.
pub(crate) fn squashfs_length(disc: &mut Window<'_>, file: &DiscBytes) -> Option<u64> {
    let head = file.bytes(disc, 0, 96);
    (head.get(..4)? == b"hsqs" && head.len() >= 48).then(|| le64(&head, 40))
}

/// Tells why an initial file system is cut; `None` if it is whole or if that is unknown. The end of a gzip stream is checked only with `unpack`, which decompresses
/// the whole stream.
pub(crate) fn cut_initrd(disc: &mut Window<'_>, file: &DiscBytes, unpack: bool) -> Option<String> {
    let mut at = 0;
    for _ in 0..MEMBERS {
        // Zeros divide what follows one another.
        at = skip_zeros(disc, file, at)?;
        let head = file.bytes(disc, at, 12);
        match Stream::of(&head)? {
            Stream::Cpio => match end_of_cpio(disc, file, at) {
                Ok(end) => at = end,
                Err(cut) => return Some(cut),
            },
            Stream::Xz => return cut_xz(disc, file),
            Stream::Zstd => match end_of_zstd(disc, file, at) {
                Ok(end) => at = end,
                Err(cut) => return cut,
            },
            Stream::Lz4Legacy => return cut_lz4(disc, file, at),
            Stream::Gzip if unpack => return cut_gzip(disc, file, at),
            Stream::Gzip | Stream::Other => return None,
        }
    }
    None
}

/// Unpacks a gzip stream (RFC 1952): it ends with a checksum and the number of its bytes.
fn cut_gzip(disc: &mut Window<'_>, file: &DiscBytes, at: u64) -> Option<String> {
    let packed = FileReader { disc, file, at };
    let stream = GzDecoder::new(BufReader::new(packed)).take(UNPACKED_BYTES);
    let mut stream = BufReader::new(stream);
    loop {
        match stream.fill_buf().map(<[u8]>::len) {
            Ok(0) => return None,
            Ok(size) => stream.consume(size),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Some("its gzip stream has no end".to_owned());
            }
            Err(error) => return Some(format!("its gzip stream is damaged ({error})")),
        }
    }
}

/// The bytes of a file from a place on.
pub(crate) struct FileReader<'f, 'd, 's> {
    pub(crate) disc: &'f mut Window<'s>,
    pub(crate) file: &'d DiscBytes,
    pub(crate) at: u64,
}

impl io::Read for FileReader<'_, '_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.file.read(self.disc, self.at, buffer);
        self.at = self.at.saturating_add(size as u64);
        Ok(size)
    }
}

/// How part of an initial file system is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Cpio,
    Xz,
    Zstd,
    Lz4Legacy,
    Gzip,
    /// One whose end is not seen without unpacking it, or nothing known.
    Other,
}

impl Stream {
    /// `None` where there is nothing.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        head.first()?;
        Some(match head {
            [b'0', b'7', b'0', b'7', b'0', b'1' | b'2', ..] => Self::Cpio,
            [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Self::Zstd,
            [0x02, 0x21, 0x4C, 0x18, ..] => Self::Lz4Legacy,
            [0x1F, 0x8B, ..] => Self::Gzip,
            _ => Self::Other,
        })
    }
}

/// The next byte that is not zero, a word's beginning; `None` at the end.
pub(crate) fn skip_zeros(disc: &mut Window<'_>, file: &DiscBytes, mut at: u64) -> Option<u64> {
    loop {
        let bytes = file.bytes(disc, at, 4_096);
        if bytes.is_empty() {
            return None;
        }
        if let Some(first) = bytes.iter().position(|&byte| byte != 0) {
            return Some(at + first as u64);
        }
        at += bytes.len() as u64;
    }
}

/// The end of an archive behind its trailer.
pub(crate) fn end_of_cpio(
    disc: &mut Window<'_>,
    file: &DiscBytes,
    start: u64,
) -> Result<u64, String> {
    let cut = || {
        format!(
            "its cpio archive from byte {start} on has no trailer within its {}",
            file.length
        )
    };
    let mut at = start;
    for _ in 0..MEMBERS {
        let head = file.bytes(disc, at, 110);
        if head.len() < 110 || !matches!(Stream::of(&head), Some(Stream::Cpio)) {
            return Err(cut());
        }
        let number = |from: usize| {
            let digits = head.get(from..from + 8).unwrap_or_default();
            let digits = std::str::from_utf8(digits).unwrap_or_default();
            u64::from_str_radix(digits, 16).unwrap_or_default()
        };
        let (size, name_length) = (number(54), number(94));
        let name = file.bytes(disc, at + 110, 11);
        let body = (at + 110 + name_length).next_multiple_of(4);
        at = (body + size).next_multiple_of(4);
        if name == b"TRAILER!!!\0" {
            return Ok(at);
        }
        if at > file.length.get() {
            return Err(cut());
        }
    }
    Ok(file.length.get())
}

/// An xz stream ends with `YZ`, and zeros may follow.
fn cut_xz(disc: &mut Window<'_>, file: &DiscBytes) -> Option<String> {
    let from = file.length.get().saturating_sub(4_096);
    let end = file.bytes(disc, from, 4_096);
    let last = end.iter().rposition(|&byte| byte != 0);
    let end = last.map_or(&[][..], |last| end.get(..=last).unwrap_or_default());
    (!end.ends_with(b"YZ")).then(|| "its xz stream has no footer at its end".to_owned())
}

/// The end of a zstd frame; an error without a sentence where it is not understood.
fn end_of_zstd(disc: &mut Window<'_>, file: &DiscBytes, start: u64) -> Result<u64, Option<String>> {
    let head = file.bytes(disc, start, 6);
    let traits = *head.get(4).ok_or(None)?;
    let is_one_segment = traits & 0x20 != 0;
    let dictionary = [0, 1, 2, 4][usize::from(traits & 3)];
    let content = match traits >> 6 {
        0 => u64::from(is_one_segment),
        1 => 2,
        2 => 4,
        _ => 8,
    };
    let mut at = start + 5 + u64::from(!is_one_segment) + dictionary + content;
    for _ in 0..BLOCKS {
        let head = file.bytes(disc, at, 3);
        if head.len() < 3 {
            break;
        }
        let block = u32::from(head[0]) | u32::from(head[1]) << 8 | u32::from(head[2]) << 16;
        let size = match (block >> 1) & 3 {
            // One byte, so many times.
            1 => 1,
            3 => return Err(None),
            _ => u64::from(block >> 3),
        };
        at += 3 + size;
        if block & 1 == 1 {
            let end = at + if traits & 4 == 0 { 0 } else { 4 };
            if end <= file.length.get() {
                return Ok(end);
            }
            break;
        }
    }
    Err(Some(format!(
        "its zstd frame from byte {start} on ends behind its {}",
        file.length
    )))
}

/// Blocks with their lengths before them, until the file ends (`lz4 -l`, as the kernel takes it).
fn cut_lz4(disc: &mut Window<'_>, file: &DiscBytes, start: u64) -> Option<String> {
    let mut at = start + 4;
    for _ in 0..BLOCKS {
        let head = file.bytes(disc, at, 4);
        if head.len() < 4 {
            break;
        }
        let size = u64::from(le32(&head, 0));
        // Zeros may follow, and another stream.
        if size == 0 || le16(&head, 0) == 0x2102 {
            return None;
        }
        at = at + 4 + size;
        if at == file.length.get() {
            return None;
        }
        if at > file.length.get() {
            return Some(format!(
                "its lz4 block ends at byte {at}, behind its {}",
                file.length
            ));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;
    use crate::units::ByteCount;

    fn file(length: usize) -> DiscBytes {
        let length = ByteCount::new(length as u64);
        DiscBytes::new([(0, length)], length)
    }

    fn cut(bytes: &[u8]) -> Option<String> {
        let disc = bytes.to_vec();
        cut_initrd(&mut Window::new(&disc), &file(disc.len()), true)
    }

    #[test]
    fn a_kernel_says_how_long_it_is() {
        let mut kernel = vec![0; 4_096];
        kernel[0x1F1] = 3;
        kernel[0x1F4..0x1F8].copy_from_slice(&1_000_u32.to_le_bytes());
        kernel[0x202..0x206].copy_from_slice(b"HdrS");
        let length = |disc: &Vec<u8>| kernel_length(&mut Window::new(disc), &file(disc.len()));
        assert_eq!(length(&kernel), Some(4 * 512 + 16_000 - 15));
        let payload = |disc: &Vec<u8>| kernel_payload(&mut Window::new(disc), &file(disc.len()));
        assert_eq!(payload(&kernel), None);
        kernel[0x206..0x208].copy_from_slice(&0x20F_u16.to_le_bytes());
        kernel[0x248..0x24A].copy_from_slice(&0x2BE_u16.to_le_bytes());
        kernel[0x24C..0x24E].copy_from_slice(&500_u16.to_le_bytes());
        assert_eq!(
            payload(&kernel),
            Some((4 * 512 + 0x2BE, 4 * 512 + 0x2BE + 500))
        );
        kernel[0x202] = 0;
        assert_eq!(length(&kernel), None);
        let mut squashfs = vec![0; 96];
        squashfs[..4].copy_from_slice(b"hsqs");
        squashfs[40..42].copy_from_slice(&[1, 2]);
        let file = file(96);
        let length = squashfs_length(&mut Window::new(&squashfs), &file);
        assert_eq!(length, Some(0x201));
    }

    #[test]
    fn archives_end_with_a_trailer_and_streams_with_their_last_block() {
        let member = |name: &str, size: usize| {
            let mut bytes = b"070701".to_vec();
            for field in 0..13 {
                let value = match field {
                    6 => size,
                    11 => name.len() + 1,
                    _ => 0,
                };
                bytes.extend(format!("{value:08X}").into_bytes());
            }
            bytes.extend(name.bytes());
            bytes.push(0);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes.resize((bytes.len() + size).next_multiple_of(4), 7);
            bytes
        };
        let early = [member("early", 10), member("TRAILER!!!", 0)].concat();
        assert_eq!(cut(&early), None);
        assert!(cut(&early[..130]).unwrap().contains("no trailer"));
        assert!(cut(&member("early", 10)).is_some());
        // One behind the other, with zeros between them.
        let zstd = [&[0x28, 0xB5, 0x2F, 0xFD, 0, 0, 0x21, 0, 0, 1, 2, 3, 4][..]].concat();
        let both = [early.clone(), vec![0; 512], zstd.clone()].concat();
        assert_eq!(cut(&both), None);
        assert!(cut(&both[..both.len() - 1]).unwrap().contains("zstd"));
        let xz = b"\xFD7zXZ\0 anything YZ\0\0\0\0";
        assert_eq!(cut(xz), None);
        assert!(cut(&xz[..12]).unwrap().contains("xz"));
        let lz4 = [0x02, 0x21, 0x4C, 0x18, 3, 0, 0, 0, 9, 9, 9];
        assert_eq!(cut(&lz4), None);
        assert!(cut(&lz4[..10]).unwrap().contains("lz4"));
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&early).unwrap();
        let gzip = gzip.finish().unwrap();
        let behind = [early.clone(), gzip.clone()].concat();
        assert_eq!(cut(&behind), None);
        assert!(cut(&behind[..behind.len() - 9]).unwrap().contains("no end"));
        let mut damaged = gzip.clone();
        damaged[20] ^= 0xFF;
        assert!(cut(&damaged).unwrap().contains("gzip"));
        assert_eq!(cut(b""), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(kind in 0..5_usize, bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let magic: &[u8] = [&b"070701"[..], b"\xFD7zXZ\0", b"\x28\xB5\x2F\xFD", b"\x02\x21\x4C\x18", b""][kind];
            let disc = [magic, &bytes].concat();
            let file = file(disc.len());
            let mut window = Window::new(&disc);
            let _ = (cut_initrd(&mut window, &file, true), kernel_length(&mut window, &file), squashfs_length(&mut window, &file));
        }
    }
}
