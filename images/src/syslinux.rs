//! isolinux from version 4 on, and the modules of syslinux: where one looks for the others, and whether they fit together.
//!
//! Sources: syslinux 6.04, `core/fs/iso9660/iso9660.c` (`search_directories`), `core/lzo/prepcore.c` (the program is packed), `com32/lib/sys/module/` (how modules
//! are linked); Linux `Documentation/staging/lzo.rst` (LZO1X); the System V ABI, chapter 5 (dynamic sections).

use std::collections::BTreeSet;

use crate::bytes::{le16, le32};

/// Bytes of a boot image in which the packed program begins.
const STARTS: std::ops::Range<usize> = 0x400..0x2000;
/// A program is shorter than this.
const UNPACKED: usize = 256 << 10;
/// Bytes that are unpacked at most, from all starts together.
const WORK: usize = 32 << 20;
/// The first two of the directories, as they stand in every such program: the linker leaves out `/isolinux`, which is the end of the first.
const DIRECTORIES: &[u8] = b"/boot/isolinux\0";
/// Entries of a dynamic section, and symbols, that are read at most.
const DYNAMIC: usize = 64;
const SYMBOLS: usize = 4_096;

/// isolinux' own program, unpacked.
pub(crate) struct Core(Vec<u8>);

impl Core {
    /// Unpacks the program in a boot image; `None` where it is none, or packed in another way.
    pub(crate) fn unpack(image: &[u8]) -> Option<Self> {
        // Where the packed bytes begin is not written in them. From a wrong byte nearly every attempt ends at once.
        let mut left = WORK;
        for start in STARTS {
            let mut unpacked = Vec::new();
            let whole = unpack(image.get(start..)?, &mut unpacked);
            left = left.checked_sub(unpacked.len())?;
            if whole.is_some() && memchr::memmem::find(&unpacked, DIRECTORIES).is_some() {
                return Some(Self(unpacked));
            }
        }
        None
    }

    /// Whether it has this text, with a zero behind.
    fn has(&self, text: &str) -> bool {
        let wanted = [text.as_bytes(), b"\0"].concat();
        memchr::memmem::find(&self.0, &wanted).is_some()
    }

    /// Whether it looks for its files in this directory: distributions add their own.
    pub(crate) fn looks_in(&self, directory: &str) -> bool {
        self.has(if directory.is_empty() { "/" } else { directory })
    }
}

/// Unpacks LZO1X up to its end mark; `None` where it is none.
fn unpack(packed: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut bytes = packed.iter().map(|&byte| usize::from(byte));
    let mut next = || bytes.next();
    // What the last instruction left: whether literals came before, and how many.
    let mut state = 0;
    let mut instruction = next()?;
    if instruction > 17 {
        let count = instruction - 17;
        literals(&mut next, out, count)?;
        state = count.min(4);
        instruction = next()?;
    }
    loop {
        let (distance, length, trailing) = match instruction {
            0..16 if state == 0 => {
                let count = 3 + long(&mut next, instruction, 15)?;
                literals(&mut next, out, count)?;
                state = 4;
                instruction = next()?;
                continue;
            }
            0..16 => {
                let (base, length) = if state == 4 { (0x801, 3) } else { (1, 2) };
                let distance = base + (next()? << 2) + (instruction >> 2);
                (distance, length, instruction)
            }
            16..32 => {
                let length = 2 + long(&mut next, instruction & 7, 7)?;
                let word = next()? | next()? << 8;
                let distance = ((instruction & 8) << 11) + (word >> 2);
                if distance == 0 {
                    return Some(());
                }
                (distance + 0x4000, length, word)
            }
            32..64 => {
                let length = 2 + long(&mut next, instruction & 31, 31)?;
                let word = next()? | next()? << 8;
                (1 + (word >> 2), length, word)
            }
            _ => {
                let distance = 1 + (next()? << 3) + (instruction >> 2 & 7);
                (distance, 1 + (instruction >> 5), instruction)
            }
        };
        for _ in 0..length {
            let at = out.len().checked_sub(distance)?;
            out.push(*out.get(at)?);
        }
        state = trailing & 3;
        literals(&mut next, out, state)?;
        if out.len() > UNPACKED {
            return None;
        }
        instruction = next()?;
    }
}

/// A length: of 0 bits more than `base`, and a byte of 0 is 255 more.
fn long(next: &mut impl FnMut() -> Option<usize>, short: usize, base: usize) -> Option<usize> {
    if short != 0 {
        return Some(short);
    }
    let mut length = base;
    while length < UNPACKED {
        match next()? {
            0 => length += 255,
            byte => return Some(length + byte),
        }
    }
    None
}

fn literals(
    next: &mut impl FnMut() -> Option<usize>,
    out: &mut Vec<u8>,
    count: usize,
) -> Option<()> {
    for _ in 0..count {
        out.push(u8::try_from(next()?).ok()?);
    }
    Some(())
}

/// For whom a module is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ModuleKind {
    /// syslinux 4 and older.
    Com32,
    /// syslinux 5 and later.
    Elf,
    /// The same, for UEFI of 64 bits.
    Elf64,
}

impl ModuleKind {
    /// `None` where it is something else.
    pub(crate) fn of(module: &[u8]) -> Option<Self> {
        match module {
            // MOV EAX with the magic number, of which the second word is INT 21h.
            [0xB8, 0xFE | 0xFF, 0x4C, 0xCD, 0x21, ..] => Some(Self::Com32),
            [0x7F, b'E', b'L', b'F', 1, ..] => Some(Self::Elf),
            [0x7F, b'E', b'L', b'F', 2, ..] => Some(Self::Elf64),
            _ => None,
        }
    }

    /// Whether the file of a module ends before one of the segments that are loaded from it.
    pub(crate) fn is_cut(module: &[u8]) -> bool {
        if Self::of(module) != Some(Self::Elf) {
            return false;
        }
        let headers = le32(module, 28) as usize;
        (0..usize::from(le16(module, 44))).any(|number| {
            let segment = module.get(headers.saturating_add(32 * number)..);
            let Some(segment) = segment.and_then(|it| it.first_chunk::<32>()) else {
                return true;
            };
            let end = u64::from(le32(segment, 4)) + u64::from(le32(segment, 16));
            le32(segment, 0) == 1 && end > module.len() as u64
        })
    }
}

/// The names that a module has for others, and those that it cannot do without.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    has: BTreeSet<Vec<u8>>,
    needs: BTreeSet<Vec<u8>>,
}

impl Symbols {
    pub(crate) fn of(module: &[u8]) -> Option<Self> {
        if ModuleKind::of(module) != Some(ModuleKind::Elf) {
            return None;
        }
        let headers = le32(module, 28) as usize;
        let segments = (0..usize::from(le16(module, 44)))
            .filter_map(|number| module.get(headers + 32 * number..)?.first_chunk::<32>());
        let field = |segment: &[u8; 32], at| le32(segment, at) as usize;
        // Where an address of the program stands in the file.
        let at = |address: usize| {
            let mut loaded = segments.clone().filter(|segment| le32(*segment, 0) == 1);
            loaded.find_map(|segment| {
                let within = address.checked_sub(field(segment, 8))?;
                (within < field(segment, 16)).then(|| field(segment, 4) + within)
            })
        };
        let dynamic = segments.clone().find(|segment| le32(*segment, 0) == 2)?;
        let dynamic = module.get(field(dynamic, 4)..)?;
        let entry = |tag: u32| {
            let entries = dynamic.as_chunks::<8>().0.iter().take(DYNAMIC);
            let mut entries = entries.take_while(|entry| le32(*entry, 0) != 0);
            entries
                .find(|entry| le32(*entry, 0) == tag)
                .and_then(|entry| at(le32(entry, 4) as usize))
        };
        // DT_STRTAB and DT_SYMTAB: the names stand right behind the symbols.
        let (names, symbols) = (entry(5)?, entry(6)?);
        let names_of = module.get(names..)?;
        let mut this = Self::default();
        let table = module.get(symbols..names)?.as_chunks::<16>().0;
        for symbol in table.iter().skip(1).take(SYMBOLS) {
            let name = names_of.get(le32(symbol, 0) as usize..)?;
            let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
            let is_defined = le16(symbol, 14) != 0;
            // What is only weakly needed may be missing.
            let is_global = symbol[12] >> 4 == 1;
            if is_defined {
                this.has.insert(name.to_vec());
            } else if is_global {
                this.needs.insert(name.to_vec());
            }
        }
        Some(this)
    }

    /// A name that it needs, and none of the others has, nor isolinux itself.
    pub(crate) fn missing(&self, others: &[&Self], core: &Core) -> Option<String> {
        let mut needs = self.needs.iter();
        let missing = needs.find(|name| {
            let is_text = std::str::from_utf8(name).is_ok_and(|name| core.has(name));
            !is_text && !others.iter().any(|other| other.has.contains(*name))
        });
        missing.map(|name| crate::bytes::printable(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(packed: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        unpack(packed, &mut out).map(|()| out)
    }

    /// Written by hand from the format's text.
    #[test]
    fn lzo_is_unpacked() {
        assert_eq!(unpacked(&[0x11, 0, 0]), Some(Vec::new()));
        assert_eq!(
            unpacked(&[17 + 4, b'a', b'b', b'c', b'd', 0x11, 0, 0]),
            Some(b"abcd".to_vec())
        );
        // Four literals, and a match of eight bytes at a distance of four.
        assert_eq!(
            unpacked(&[
                17 + 4,
                b'a',
                b'b',
                b'c',
                b'd',
                32 + 6,
                3 << 2,
                0,
                0x11,
                0,
                0
            ]),
            Some(b"abcdabcdabcd".to_vec())
        );
        // A distance that leads to before the first byte.
        assert_eq!(
            unpacked(&[17 + 4, b'a', b'b', b'c', b'd', 32 + 6, 4 << 2, 0]),
            None
        );
        assert_eq!(unpacked(&[]), None);
    }

    #[test]
    fn zeros_and_noise_are_no_program() {
        assert!(Core::unpack(&vec![0; 40_000]).is_none());
        assert!(Core::unpack(&vec![0xFF; 40_000]).is_none());
        let noise: Vec<u8> = (0..40_000_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        assert!(Core::unpack(&noise).is_none());
    }

    #[test]
    fn a_module_says_for_whom_it_is() {
        let kind = |module: &[u8]| ModuleKind::of(module);
        assert_eq!(kind(b"\xB8\xFF\x4C\xCD\x21\0"), Some(ModuleKind::Com32));
        assert_eq!(kind(b"\x7FELF\x01\0"), Some(ModuleKind::Elf));
        assert_eq!(kind(b"\x7FELF\x02\0"), Some(ModuleKind::Elf64));
        assert_eq!(kind(b"#!"), None);
        assert!(Symbols::of(b"\x7FELF\x01\0").is_none());
    }
}
