//! A UDF file system (ECMA-167, OSTA UDF 1.02 to 2.01) as far as its loaders go: UEFI firmware starts `\EFI\BOOT\BOOT*.EFI` from UDF on a CD.
//!
//! Any bytes may stand there: every walk is bounded, and what is not understood is said to be so. Metadata, virtual and sparable partitions are not followed.

use crate::{
    bytes::{le16, le32, le64},
    fat::{Run, is_loader},
    inspect::{Window, file::DiscBytes},
    units::{BLOCK_BYTES, BlockCount, ByteCount, Lba},
};

/// Blocks behind LBA 16 in which the recognition sequence may stand.
const RECOGNITION: u64 = 64;
/// Descriptors of a volume that are read.
const DESCRIPTORS: u32 = 64;
/// Bytes of a directory that are read.
const DIRECTORY_BYTES: u64 = 1 << 20;
/// Pieces of a file that are followed.
const PIECES: usize = 4_096;
/// Loaders that are kept.
const LOADERS: usize = 16;

/// What was read of it.
#[derive(Debug, Default)]
pub(crate) struct Udf {
    /// The loaders in `\EFI\BOOT`, in whatever case.
    pub(crate) loaders: Vec<UdfLoader>,
    /// The files in its root directory.
    pub(crate) root: Vec<String>,
    /// Whether its root directory was read.
    pub(crate) is_read: bool,
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct UdfLoader {
    /// As it is written there: `/efi/boot/bootx64.efi`.
    pub(crate) path: String,
    pub(crate) file: DiscBytes,
}

impl UdfLoader {
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(_, name)| name)
    }

    /// Whether EDK2 finds it: its boot manager asks for `\EFI\BOOT\BOOTX64.EFI`, and its driver compares names with their case (`UdfDxe`, `InternalFindFile`).
    pub(crate) fn is_found(&self) -> bool {
        !self.path.bytes().any(|byte| byte.is_ascii_lowercase())
    }
}

/// Tags of descriptors (ECMA-167 3/7.2.1 and 4/7.2.1).
mod tag {
    pub(super) const ANCHOR: u16 = 2;
    pub(super) const PARTITION: u16 = 5;
    pub(super) const LOGICAL_VOLUME: u16 = 6;
    pub(super) const TERMINATOR: u16 = 8;
    pub(super) const FILE_SET: u16 = 256;
    pub(super) const FILE_IDENTIFIER: u16 = 257;
    pub(super) const FILE_ENTRY: u16 = 261;
    pub(super) const EXTENDED_FILE_ENTRY: u16 = 266;
}

type Block = [u8; BLOCK_BYTES as usize];

/// The block at an address, if it is a descriptor of this kind.
fn descriptor(disc: &mut Window<'_>, lba: u64, kinds: &[u16]) -> Option<Block> {
    let block = disc.block(Lba::new(lba))?;
    kinds.contains(&le16(&block, 0)).then_some(block)
}

/// Whether the recognition sequence behind LBA 16 names UDF (ECMA-167 2/9.1).
fn is_recognised(disc: &mut Window<'_>) -> bool {
    for number in 0..RECOGNITION {
        let lba = Lba::new(16).plus(BlockCount::new(number));
        let name: Option<[u8; 5]> = disc.array(lba.byte_offset().saturating_add(1));
        match name {
            Some([b'N', b'S', b'R', b'0', b'2' | b'3']) => return true,
            Some([b'C', b'D', b'0', b'0', b'1'] | [b'B', b'E', b'A', b'0', b'1']) => {}
            _ => return false,
        }
    }
    false
}

impl Udf {
    /// Reads the one on a disc; `None` where there is none.
    pub(crate) fn read(disc: &mut Window<'_>) -> Option<Self> {
        if !is_recognised(disc) {
            return None;
        }
        let Some(volume) = Volume::read(disc) else {
            return Some(Self::default());
        };
        let Some(root) = volume.list(disc, volume.root) else {
            return Some(Self::default());
        };
        let files = root.iter().filter(|entry| !entry.is_directory);
        Some(Self {
            root: files.map(|entry| entry.name.clone()).collect(),
            loaders: volume.loaders(disc, root),
            is_read: true,
        })
    }
}

/// Where its one partition begins, and where the root directory's entry stands in it.
struct Volume {
    partition: u64,
    root: u64,
}

impl Volume {
    fn read(disc: &mut Window<'_>) -> Option<Self> {
        let end = disc.blocks().get();
        let anchors = [Some(256), end.checked_sub(1), end.checked_sub(257)];
        let anchor = anchors
            .into_iter()
            .flatten()
            .find_map(|lba| descriptor(disc, lba, &[tag::ANCHOR]))?;
        let blocks = (le32(&anchor, 16) / 2_048).min(DESCRIPTORS);
        let first = u64::from(le32(&anchor, 20));
        let mut partitions: Vec<(u16, u64)> = Vec::new();
        let mut logical = None;
        for number in 0..u64::from(blocks) {
            let Some(block) = disc.block(Lba::new(first + number)) else {
                break;
            };
            match le16(&block, 0) {
                tag::PARTITION => {
                    partitions.push((le16(&block, 22), le32(&block, 188).into()));
                }
                tag::LOGICAL_VOLUME => logical = Some(block),
                tag::TERMINATOR => break,
                _ => {}
            }
        }
        let logical = logical?;
        // One map, of the plain kind (ECMA-167 3/10.7.2).
        let is_plain = le32(&logical, 268) == 1 && logical.get(440..442) == Some(&[1, 6]);
        if !is_plain || le32(&logical, 212) != 2_048 {
            return None;
        }
        let number = le16(&logical, 444);
        let (_, partition) = *partitions.iter().find(|(it, _)| *it == number)?;
        let file_set = partition + u64::from(le32(&logical, 252));
        let file_set = descriptor(disc, file_set, &[tag::FILE_SET])?;
        Some(Self {
            partition,
            root: le32(&file_set, 404).into(),
        })
    }

    /// The loaders in `\EFI\BOOT`, by the names in the root directory.
    fn loaders(&self, disc: &mut Window<'_>, mut names: Vec<Name>) -> Vec<UdfLoader> {
        let mut path = String::new();
        for folder in ["EFI", "BOOT"] {
            let mut folders = names.iter().filter(|entry| entry.is_directory);
            let exact = folders.clone().find(|entry| entry.name == folder);
            let found =
                exact.or_else(|| folders.find(|entry| entry.name.eq_ignore_ascii_case(folder)));
            let Some(found) = found else {
                return Vec::new();
            };
            path = format!("{path}/{}", found.name);
            names = self.list(disc, found.entry).unwrap_or_default();
        }
        let files = names
            .into_iter()
            .filter(|entry| !entry.is_directory && is_loader(&entry.name))
            .take(LOADERS);
        let loader = |entry: Name| {
            Some(UdfLoader {
                path: format!("{path}/{}", entry.name),
                file: self.file(disc, entry.entry)?,
            })
        };
        files.filter_map(loader).collect()
    }

    /// A file's bytes, or a directory's, by its entry (ECMA-167 4/14.9 and 4/14.17).
    fn file(&self, disc: &mut Window<'_>, entry: u64) -> Option<DiscBytes> {
        let lba = self.partition.checked_add(entry)?;
        let block = descriptor(disc, lba, &[tag::FILE_ENTRY, tag::EXTENDED_FILE_ENTRY])?;
        let (attributes, start) = match le16(&block, 0) {
            tag::FILE_ENTRY => (168, 176),
            _ => (208, 216),
        };
        let length = ByteCount::new(le64(&block, 56));
        let size = |at| usize::try_from(le32(&block, at)).ok();
        let from = size(attributes)?.checked_add(start)?;
        let to = size(attributes + 4)?.checked_add(from)?;
        let descriptors = block.get(from..to)?;
        let at = Lba::new(lba).byte_offset();
        let width = match le16(&block, 34) & 7 {
            0 => 8,
            1 => 16,
            // The bytes themselves stand here.
            3 => {
                let run = (at + from as u64, ByteCount::new((to - from) as u64));
                return Some(DiscBytes::new([run], length));
            }
            _ => return None,
        };
        let piece = |bytes: &[u8]| -> Run {
            let bytes_here = le32(bytes, 0) & 0x3FFF_FFFF;
            let lba = Lba::new(self.partition.saturating_add(le32(bytes, 4).into()));
            (lba.byte_offset(), ByteCount::new(bytes_here.into()))
        };
        let pieces = descriptors.chunks_exact(width).take(PIECES).map(piece);
        Some(DiscBytes::new(
            pieces.filter(|run| run.1 > ByteCount::ZERO),
            length,
        ))
    }

    /// What a directory holds (ECMA-167 4/14.4).
    fn list(&self, disc: &mut Window<'_>, entry: u64) -> Option<Vec<Name>> {
        let file = self.file(disc, entry)?;
        let most = usize::try_from(file.length.get().min(DIRECTORY_BYTES)).unwrap_or_default();
        let bytes = file.bytes(disc, 0, most);
        let mut names = Vec::new();
        let mut at = 0;
        while let Some(head) = bytes.get(at..).filter(|rest| rest.len() >= 38) {
            if le16(head, 0) != tag::FILE_IDENTIFIER {
                break;
            }
            let (traits, name_bytes) = (head[18], usize::from(head[19]));
            let start = 38 + usize::from(le16(head, 36));
            let name = head.get(start..start + name_bytes).unwrap_or_default();
            // Deleted entries, and the one of the directory above.
            if traits & 0x0C == 0 {
                names.push(Name {
                    name: decoded(name),
                    is_directory: traits & 2 != 0,
                    entry: le32(head, 24).into(),
                });
            }
            at += (start + name_bytes).next_multiple_of(4);
        }
        Some(names)
    }
}

struct Name {
    name: String,
    is_directory: bool,
    entry: u64,
}

/// OSTA compressed Unicode: eight or sixteen bits a character.
fn decoded(name: &[u8]) -> String {
    match name.split_first() {
        Some((8, rest)) => rest.iter().map(|&byte| char::from(byte)).collect(),
        Some((16, rest)) => {
            let units = rest.as_chunks::<2>().0.iter();
            let units: Vec<u16> = units.map(|&pair| u16::from_be_bytes(pair)).collect();
            String::from_utf16_lossy(&units)
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_read_in_both_widths() {
        assert_eq!(decoded(b"\x08EFI"), "EFI");
        assert_eq!(decoded(b"\x10\0E\0F\0I"), "EFI");
        assert_eq!(decoded(b""), "");
    }

    /// As OVMF 2022.11 boots them from a CD: the second and the third are not found.
    #[test]
    fn a_loader_is_found_by_its_case() {
        let is_found = |path: &str| {
            let file = DiscBytes::new([], ByteCount::ZERO);
            let path = path.to_owned();
            UdfLoader { path, file }.is_found()
        };
        assert!(is_found("/EFI/BOOT/BOOTX64.EFI"));
        assert!(!is_found("/efi/boot/bootx64.efi"));
        assert!(!is_found("/EFI/BOOT/BOOTx64.EFI"));
    }

    proptest! {
        /// Structures that lead one to the next, with anything in them.
        #[test]
        fn any_bytes_are_survived(noise in prop::collection::vec((0_usize..300 * 2_048, any::<u8>()), 0..400)) {
            let mut disc = vec![0; 300 * 2_048];
            disc[16 * 2_048 + 1..][..5].copy_from_slice(b"BEA01");
            disc[17 * 2_048 + 1..][..5].copy_from_slice(b"NSR02");
            let mut word = |at: usize, bytes: &[u8]| disc[at..at + bytes.len()].copy_from_slice(bytes);
            word(256 * 2_048, &[2, 0]);
            word(256 * 2_048 + 16, &[0, 0x80, 0, 0, 32]);
            word(32 * 2_048, &[5, 0]);
            word(32 * 2_048 + 188, &[40]);
            word(33 * 2_048, &[6, 0]);
            word(33 * 2_048 + 212, &[0, 8]);
            word(33 * 2_048 + 268, &[1]);
            word(33 * 2_048 + 440, &[1, 6]);
            word(34 * 2_048, &[8, 0]);
            word(40 * 2_048, &[0, 1]);
            word(40 * 2_048 + 404, &[1]);
            word(41 * 2_048, &[5, 1]);
            word(41 * 2_048 + 172, &[8]);
            word(41 * 2_048 + 56, &[0, 8]);
            word(41 * 2_048 + 176, &[0, 8, 0, 0, 2]);
            word(42 * 2_048, &[1, 1]);
            for (at, byte) in noise {
                disc[at] = byte;
            }
            let _ = Udf::read(&mut Window::new(&disc));
        }
    }
}
