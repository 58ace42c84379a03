//! The kernel modules in an initial file system, and the version of Linux that they must be for.
//!
//! Sources: Linux `Documentation/arch/x86/boot.rst` (kernel_version), `driver-api/early-userspace/buffer-format.rst`; modprobe(8): modules are in
//! `/lib/modules/VERSION`, and only those of the running version are loaded.

use std::{
    collections::BTreeSet,
    io::{self, BufRead, BufReader, Read, Take},
};

use cpio::newc;
use flate2::bufread::GzDecoder;
use lz4_flex::frame::FrameDecoder as Lz4Decoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder as ZstdDecoder;

use crate::{
    bytes::le16,
    inspect::{Window, file::DiscBytes},
    packed::{FileReader, Stream, end_of_cpio, skip_zeros},
};

/// The most bytes that an initial file system is unpacked to, all of its archives together. What is behind them is unknown.
const UNPACKED_BYTES: u64 = 1 << 29;
/// Archives behind one another that are followed.
const ARCHIVES: usize = 64;

/// The version of a Linux kernel for x86, as its modules' folder is called; `None` if the file is no such kernel.
pub(crate) fn kernel_version(disc: &mut Window<'_>, file: &DiscBytes) -> Option<String> {
    let head = file.bytes(disc, 0, 0x250);
    if head.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    let text = match le16(&head, 0x20E) {
        0 => return None,
        // It counts from the end of the boot sector.
        at => file.bytes(disc, 0x200 + u64::from(at), 256),
    };
    let text = text.split(|&byte| byte == 0).next()?;
    let version = std::str::from_utf8(text).ok()?.split_whitespace().next()?;
    // memdisk has the same header and its name there.
    version
        .starts_with(|first: char| first.is_ascii_digit())
        .then(|| version.to_owned())
}

/// The versions of Linux for which an initial file system has modules; `None` if part of it cannot be unpacked. Reading ends at the first module for `wanted`.
pub(crate) fn module_versions(
    disc: &mut Window<'_>,
    file: &DiscBytes,
    wanted: &str,
) -> Option<BTreeSet<String>> {
    let mut versions = BTreeSet::new();
    let mut at = 0;
    let mut left = UNPACKED_BYTES;
    // Archives, each packed or not, follow one another.
    for _ in 0..ARCHIVES {
        let Some(start) = skip_zeros(disc, file, at) else {
            return Some(versions);
        };
        let stream = Stream::of(&file.bytes(disc, start, 12))?;
        let mut packed = BufReader::new(FileReader {
            disc,
            file,
            at: start,
        });
        let mut archive = unpack(stream, &mut packed, left)?;
        collect(&mut archive, wanted, &mut versions).ok()?;
        if versions.contains(wanted) {
            return Some(versions);
        }
        left = archive.get_ref().limit();
        if left == 0 {
            return None;
        }
        drop(archive);
        at = match stream {
            // What follows its trailer was read too.
            Stream::Cpio => end_of_cpio(disc, file, start).ok()?,
            _ => packed.get_ref().at - packed.buffer().len() as u64,
        };
    }
    None
}

/// Why Linux cannot unpack an initial file system in a format that it knows, as a predicate; `None` if it may.
///
/// Sources: Linux `lib/xz/xz_dec_stream.c` (without `XZ_DEC_ANY_CHECK`), `init/initramfs.c`.
pub(crate) fn not_unpacked(disc: &mut Window<'_>, file: &DiscBytes) -> Option<&'static str> {
    let start = skip_zeros(disc, file, 0)?;
    let head = file.bytes(disc, start, 12);
    let stream = Stream::of(&head)?;
    // The kind of its checksum, in the flags behind six bytes: none, or CRC32 (.xz file format, §2.1.1.2).
    if stream == Stream::Xz && head.get(7).is_some_and(|&check| check > 1) {
        return Some(
            "is an xz stream with a checksum that Linux does not know: xz makes the right one with --check=crc32",
        );
    }
    let mut packed = BufReader::new(FileReader {
        disc,
        file,
        at: start,
    });
    let mut content = [0; 512];
    let mut unpacked = unpack(stream, &mut packed, content.len() as u64)?;
    unpacked.read_exact(&mut content).ok()?;
    (content.get(257..262) == Some(b"ustar"))
        .then_some("is a tar archive, and Linux wants a cpio archive")
}

/// The content of a stream, up to a bound; `None` if it is in a format that is not unpacked here.
fn unpack<'p>(
    stream: Stream,
    packed: &'p mut impl BufRead,
    most: u64,
) -> Option<BufReader<Take<Box<dyn Read + 'p>>>> {
    let unpacked: Box<dyn Read + 'p> = match stream {
        Stream::Cpio => Box::new(packed),
        Stream::Gzip => Box::new(GzDecoder::new(packed)),
        Stream::Xz => Box::new(XzReader::new(packed, false)),
        Stream::Zstd => Box::new(ZstdDecoder::new(packed).ok()?),
        Stream::Lz4Legacy => Box::new(Lz4Decoder::new(packed)),
        Stream::Other => return None,
    };
    Some(BufReader::new(unpacked.take(most)))
}

/// Reads one archive after the other, until something else follows or a module for `wanted` was found.
fn collect(
    mut archives: &mut impl BufRead,
    wanted: &str,
    versions: &mut BTreeSet<String>,
) -> io::Result<()> {
    loop {
        let next = archives.fill_buf()?;
        match next.iter().position(|&byte| byte != 0) {
            None if next.is_empty() => return Ok(()),
            None => {
                let zeros = next.len();
                archives.consume(zeros);
                continue;
            }
            Some(zeros) => archives.consume(zeros),
        }
        if !archives.fill_buf()?.starts_with(b"0707") {
            return Ok(());
        }
        loop {
            let member = newc::Reader::new(archives)?;
            let is_last = member.entry().is_trailer();
            let version = version_of_module(member.entry().name());
            if version == Some(wanted) {
                versions.insert(wanted.to_owned());
                return Ok(());
            }
            versions.extend(version.map(ToOwned::to_owned));
            archives = member.finish()?;
            if is_last {
                break;
            }
        }
    }
}

/// The version of Linux that a file is a module for: `lib/modules/VERSION/`, in any folder.
fn version_of_module(path: &str) -> Option<&str> {
    let (_, below) = path.split_once("lib/modules/")?;
    let (version, name) = below.split_once('/')?;
    let is_module = [".ko", ".ko.gz", ".ko.xz", ".ko.zst"]
        .iter()
        .any(|end| name.ends_with(end));
    is_module.then_some(version)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;
    use crate::{
        cpio::{Archive, Entry},
        units::ByteCount,
    };

    fn file(length: usize) -> DiscBytes {
        let length = ByteCount::new(length as u64);
        DiscBytes::new([(0, length)], length)
    }

    fn versions(bytes: &[u8]) -> Option<Vec<String>> {
        let disc = bytes.to_vec();
        let found = module_versions(&mut Window::new(&disc), &file(disc.len()), "6.1.0-10");
        found.map(|it| it.into_iter().collect())
    }

    fn archive(names: &[&str]) -> Vec<u8> {
        let mut archive = Archive::default();
        for name in names {
            archive.add(name, Entry::File(b"content"));
        }
        archive.finish()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn modules_are_found_in_archives_behind_one_another() {
        let early = archive(&["kernel/x86/microcode/AuthenticAMD.bin"]);
        let old = archive(&[
            "init",
            "usr/lib/modules/6.1.0-9/kernel/fs/isofs.ko.xz",
            "usr/lib/modules/6.1.0-9/modules.dep",
            "usr/lib/modules/6.1.0-10/modules.dep",
        ]);
        let new = archive(&["lib/modules/6.1.0-10/sr_mod.ko"]);
        assert_eq!(versions(&early), Some(vec![]));
        let old_alone = Some(vec!["6.1.0-9".to_owned()]);
        assert_eq!(versions(&[&early[..], &[0; 512], &old].concat()), old_alone);
        let packed = [early.clone(), gzip(&old)].concat();
        assert_eq!(versions(&packed), old_alone);
        let both = Some(vec!["6.1.0-10".to_owned(), "6.1.0-9".to_owned()]);
        assert_eq!(versions(&[packed.clone(), gzip(&new)].concat()), both);
        assert_eq!(versions(&gzip(&[old, new].concat())), both);
        // It is cut, or in a format that is not unpacked here.
        assert_eq!(versions(&packed[..packed.len() - 20]), None);
        assert_eq!(versions(&[&early[..], b"BZh91AY"].concat()), None);
        // No end is in sight.
        assert_eq!(versions(&gzip(&early).repeat(ARCHIVES - 1)), Some(vec![]));
        assert_eq!(versions(&gzip(&early).repeat(ARCHIVES)), None);
    }

    #[test]
    fn what_linux_does_not_unpack_is_told() {
        let why = |bytes: &[u8]| {
            let disc = bytes.to_vec();
            not_unpacked(&mut Window::new(&disc), &file(disc.len()))
        };
        let right = archive(&["init", "bin/sh"]);
        let mut tar = vec![0; 1_024];
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(why(&gzip(&[right, tar.clone()].concat())), None);
        assert!(why(&gzip(&tar)).is_some_and(|why| why.contains("tar")));
        assert!(why(b"\xFD7zXZ\0\0\x04rest").is_some_and(|why| why.contains("crc32")));
        assert_eq!(why(b"\xFD7zXZ\0\0\x01rest"), None);
    }

    #[test]
    fn a_kernel_says_its_version() {
        let mut kernel = vec![0; 4_096];
        let version = |disc: &Vec<u8>| kernel_version(&mut Window::new(disc), &file(disc.len()));
        kernel[0x202..0x206].copy_from_slice(b"HdrS");
        assert_eq!(version(&kernel), None);
        kernel[0x20E..0x210].copy_from_slice(&0x300_u16.to_le_bytes());
        kernel[0x500..0x514].copy_from_slice(b"6.1.0-10 (a@b) #1 SM");
        assert_eq!(version(&kernel).as_deref(), Some("6.1.0-10"));
        kernel[0x500..0x508].copy_from_slice(b"MEMDISK ");
        assert_eq!(version(&kernel), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(kind in 0..6_usize, bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let magic: &[u8] = [&b"070701"[..], b"\x1F\x8B\x08", b"\xFD7zXZ\0", b"\x28\xB5\x2F\xFD", b"\x02\x21\x4C\x18", b""][kind];
            versions(&[magic, &bytes].concat());
        }
    }
}
