//! The glyphs by which text that is drawn in pixels is read.
//!
//! No font is part of this program: the VGA's text font is taken from the VGA BIOS of the host's QEMU, where it stands as
//! 256 glyphs of 16 rows of 8 pixels, and GRUB's from the host's GRUB, where there is one.

use std::{
    collections::HashMap,
    fs,
    sync::{LazyLock, Mutex, PoisonError},
};

use super::{
    cp437,
    glyph::{Glyph, VGA_ROWS},
    grub,
    nearest::{Template, nearest},
};
use crate::emulator;

const GLYPHS: usize = 256;
/// The font of GRUB's graphical terminal.
const GRUB_FONT: &str = "/usr/share/grub/unicode.pf2";
/// So many glyphs that are like others are kept, and what they are like: many more than there are on screens of text.
const MOST_KEPT: usize = 4096;

/// Glyphs of 8 × 16 pixels and their characters: the VGA's text font, and those of GRUB's where it has one.
#[derive(Debug)]
pub struct Font {
    characters: HashMap<Glyph, char>,
    templates: Vec<Template>,
    /// What glyphs of other fonts were found to be like.
    known: Mutex<HashMap<Glyph, Option<char>>>,
}

/// How a glyph was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// It is the character to the pixel.
    Exact(char),
    /// It is like the character and like no other.
    Near(char),
    /// It is like none, or like several.
    None,
}

impl Font {
    /// The font in the ROM of a VGA BIOS; `None` when there is none.
    ///
    /// It is found by the glyphs whose pixels code page 437 prescribes: blanks, blocks and vertical bars.
    #[must_use]
    pub fn from_rom(rom: &[u8]) -> Option<Self> {
        let glyphs = rom
            .windows(GLYPHS * VGA_ROWS)
            .map(|font| font.as_chunks::<VGA_ROWS>().0)
            .find(|glyphs| is_code_page_437(glyphs))?;
        // Several codes show a blank or the same bar: the first of the printable ones stands for all.
        let printable = 0x20..=0x7E_u8;
        let others = (0x80..=0xFF_u8).chain(0x00..=0x1F).chain([0x7F]);
        let mut characters = HashMap::new();
        let mut templates = Vec::new();
        for code in printable.chain(others) {
            if let Some(rows) = glyphs.get(usize::from(code)) {
                let glyph = Glyph::of_vga(rows);
                let character = cp437::character(code);
                characters.entry(glyph).or_insert(character);
                templates.extend(Template::of(character, &glyph));
            }
        }
        Some(Self {
            characters,
            templates,
            known: Mutex::default(),
        })
    }

    /// With the glyphs of a GRUB font (`PFF2`) as well. What is no such font adds nothing.
    #[must_use]
    pub fn with_grub_font(mut self, font: &[u8]) -> Self {
        // What is whole rows at the foot of a cell is on a console its cursor.
        let glyphs = grub::glyphs(font).into_iter();
        for (character, glyph) in glyphs.filter(|(_, glyph)| !glyph.without_cursor().is_blank()) {
            self.characters.entry(glyph).or_insert(character);
        }
        self
    }

    /// The font of the VGA BIOS of the host's emulator, with that of the host's GRUB.
    #[must_use]
    pub fn of_host() -> Option<&'static Self> {
        static FONT: LazyLock<Option<Font>> = LazyLock::new(|| {
            let font = emulator::vga_roms()
                .filter_map(|rom| fs::read(rom).ok())
                .find_map(|rom| Font::from_rom(&rom))?;
            Some(match fs::read(GRUB_FONT) {
                Ok(grub) => font.with_grub_font(&grub),
                Err(_) => font,
            })
        });
        FONT.as_ref()
    }

    /// The character that is this glyph to the pixel, whichever of its two colours is the ink.
    pub(super) fn exact(&self, glyph: &Glyph) -> Option<char> {
        let character = self.characters.get(glyph);
        character
            .or_else(|| self.characters.get(&glyph.inverted()))
            .copied()
    }

    /// The character of a glyph.
    pub(super) fn character(&self, glyph: &Glyph) -> Match {
        if let Some(character) = self.exact(glyph) {
            return Match::Exact(character);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(glyph) {
            return found.map_or(Match::None, Match::Near);
        }
        let bare = glyph.without_cursor();
        let found = if bare.is_blank() {
            Some(' ')
        } else {
            let without_cursor = || {
                let bare = (bare != *glyph).then_some(bare)?;
                self.exact(&bare).or_else(|| self.like(&bare))
            };
            self.like(glyph).or_else(without_cursor)
        };
        if known.len() < MOST_KEPT {
            known.insert(*glyph, found);
        }
        found.map_or(Match::None, Match::Near)
    }

    fn like(&self, glyph: &Glyph) -> Option<char> {
        nearest(&self.templates, glyph)
    }
}

fn is_code_page_437(glyphs: &[[u8; VGA_ROWS]]) -> bool {
    const BLANK: [u8; VGA_ROWS] = [0; VGA_ROWS];
    const FULL: [u8; VGA_ROWS] = [0xFF; VGA_ROWS];
    type Rows = [u8; VGA_ROWS];
    let is = |code: usize, expected: &dyn Fn(&Rows) -> bool| glyphs.get(code).is_some_and(expected);
    let bars = |glyph: &Rows| *glyph != BLANK && glyph.iter().all(|row| *row == glyph[0]);
    is(0x00, &|glyph| *glyph == BLANK)
        && is(0x20, &|glyph| *glyph == BLANK)
        && is(0xFF, &|glyph| *glyph == BLANK)
        && is(0xDB, &|glyph| *glyph == FULL)
        && is(0xDD, &|glyph| *glyph == [0xF0; VGA_ROWS])
        && is(0xDE, &|glyph| *glyph == [0x0F; VGA_ROWS])
        && is(0xB3, &|glyph| bars(glyph) && *glyph != FULL)
        && is(0xBA, &|glyph| bars(glyph) && *glyph != FULL)
        && is(b'A'.into(), &|glyph| *glyph != BLANK)
}
