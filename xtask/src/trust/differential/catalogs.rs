//! Boot catalogs with mistakes in them: the same ones every time.

use images::eltorito::{
    BOOTABLE, BootEntry, Catalog, ENTRY_BYTES, Extension, MediaType, Platform, Section,
    SectionEntry, SelectionCriteria, ValidationEntry,
};

/// A block, which holds 64 slots.
pub(super) type Block = [u8; 2048];

/// Bytes that mean something somewhere in a catalog.
const WORDS: [u8; 16] = [
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x10, 0x20, 0x44, 0x55, 0x7C, 0x88, 0x90, 0x91, 0xAA, 0xEF,
];

/// Numbers that look like chance, and are the same every time: xorshift64* (Vigna, 2014).
pub(super) struct Chance(u64);

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        // Zero would stay zero.
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// A number below a bound.
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap_or_default() % bound.max(1)
    }

    fn byte(&mut self) -> u8 {
        match self.below(4) {
            0 => self.below(256).to_le_bytes()[0],
            _ => WORDS[self.below(WORDS.len())],
        }
    }
}

/// The right catalogs that the others are made from.
pub(super) fn right() -> Vec<Vec<[u8; ENTRY_BYTES]>> {
    let entry = |media, load_rba| BootEntry {
        indicator: BOOTABLE,
        media,
        load_segment: 0,
        system_type: 0,
        sector_count: 4,
        load_rba,
    };
    let plain = |load_rba| SectionEntry::plain(entry(MediaType::NO_EMULATION, load_rba));
    let mut selected = plain(60);
    selected.criteria = SelectionCriteria {
        kind: 1,
        data: [7; 19],
    };
    selected.extensions = vec![Extension { data: [1; 30] }, Extension { data: [2; 30] }];
    let section = |platform, entries| Section {
        platform,
        id: "section".to_owned(),
        entries,
    };
    let sections = [
        vec![],
        vec![section(Platform::EFI, vec![plain(50)])],
        vec![section(
            Platform::X86,
            vec![plain(50), plain(51), plain(52)],
        )],
        vec![
            section(Platform::X86, vec![plain(50)]),
            section(Platform::MAC, vec![plain(51)]),
            section(Platform::EFI, vec![plain(52), plain(53)]),
        ],
        vec![section(Platform::X86, vec![selected, plain(61)])],
    ];
    let medias = [
        MediaType::NO_EMULATION,
        MediaType::FLOPPY_1440K,
        MediaType::HARD_DISK,
    ];
    let mut catalogs = Vec::new();
    for sections in sections {
        for media in medias {
            let catalog = Catalog {
                validation: ValidationEntry {
                    platform: Platform::X86,
                    id: "maker".to_owned(),
                },
                initial: entry(media, 40),
                sections: sections.clone(),
            };
            catalogs.push(catalog.slots());
        }
    }
    catalogs
}

/// One of the right catalogs with up to six mistakes. Three times out of four its checksum is right all the same, or hardly
/// any would be read further than that.
pub(super) fn mutated(right: &[Vec<[u8; ENTRY_BYTES]>], chance: &mut Chance) -> Block {
    let mut block = [0; 2048];
    let slots = &right[chance.below(right.len())];
    let used = slots.len() + 3;
    for (to, from) in block.as_chunks_mut::<ENTRY_BYTES>().0.iter_mut().zip(slots) {
        *to = *from;
    }
    for _ in 0..chance.below(7) {
        let slot = &mut block.as_chunks_mut::<ENTRY_BYTES>().0;
        let (here, there) = (chance.below(used), chance.below(used));
        match chance.below(8) {
            0 => slot.swap(here, there),
            1 => slot[here] = slot[there],
            2 => slot[here] = [0; ENTRY_BYTES],
            // What a slot is.
            3 | 4 => slot[here][0] = chance.byte(),
            // Media type, count of a header, and what else its first bytes are.
            5 | 6 => slot[here][chance.below(12)] = chance.byte(),
            _ => slot[here][chance.below(ENTRY_BYTES)] = chance.byte(),
        }
    }
    if chance.below(4) > 0 {
        block[0x1C..0x1E].fill(0);
        let words = block[..ENTRY_BYTES].as_chunks::<2>().0.iter();
        let sum = words.fold(0_u16, |sum, word| {
            sum.wrapping_add(u16::from_le_bytes(*word))
        });
        block[0x1C..0x1E].copy_from_slice(&sum.wrapping_neg().to_le_bytes());
    }
    block
}
