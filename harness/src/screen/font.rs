//! Text drawn in pixels: the cells of a screen against the glyphs of the VGA font.
//!
//! The font is not part of this program: it is taken from the VGA BIOS of the host's QEMU, where it stands as
//! 256 glyphs of 16 rows of 8 pixels.

use std::{collections::HashMap, env, fs, path::PathBuf, sync::LazyLock};

use super::{ScreenText, cp437, ppm::Picture, trimmed};

const GLYPHS: usize = 256;
const ROWS: usize = 16;
/// A cell that shows no known character.
const UNREAD: char = char::REPLACEMENT_CHARACTER;

/// One bit for each pixel, the left one highest, a byte for each row.
type Glyph = [u8; ROWS];

const BLANK: Glyph = [0; ROWS];
const FULL: Glyph = [0xFF; ROWS];

/// The VGA text font: 256 glyphs of 8×16 pixels.
#[derive(Clone, Debug)]
pub struct Font {
    characters: HashMap<Glyph, char>,
}

/// How a screen divides into cells.
#[derive(Clone, Copy, Debug)]
struct Grid {
    /// The first row of pixels.
    top: usize,
    /// 8, or 9 in text mode, where the hardware adds a column between characters.
    cell_width: usize,
}

impl Font {
    /// The font in the ROM of a VGA BIOS; `None` when there is none.
    ///
    /// It is found by the glyphs whose pixels code page 437 prescribes: blanks, blocks and vertical bars.
    #[must_use]
    pub fn from_rom(rom: &[u8]) -> Option<Self> {
        rom.windows(GLYPHS * ROWS)
            .map(|font| font.as_chunks::<ROWS>().0)
            .find(|glyphs| is_code_page_437(glyphs))
            .map(|glyphs| {
                // Several codes show a blank or the same bar: the first of the printable ones stands for all.
                let printable = 0x20..=0x7E_u8;
                let others = (0x80..=0xFF_u8).chain(0x00..=0x1F).chain([0x7F]);
                let mut characters = HashMap::new();
                for code in printable.chain(others) {
                    if let Some(&glyph) = glyphs.get(usize::from(code)) {
                        characters
                            .entry(glyph)
                            .or_insert_with(|| cp437::character(code));
                    }
                }
                Self { characters }
            })
    }

    /// The font of the VGA BIOS beside a QEMU in `$PATH`, by the rule that QEMU finds it (`../share` of
    /// its own folder), or in `/usr/share`.
    #[must_use]
    pub fn of_host() -> Option<&'static Self> {
        static FONT: LazyLock<Option<Font>> = LazyLock::new(|| {
            let path = env::var_os("PATH").unwrap_or_default();
            let shares = env::split_paths(&path)
                .filter_map(|directory| Some(directory.parent()?.join("share")))
                .chain([PathBuf::from("/usr/share")]);
            shares
                .flat_map(|share| ["qemu", "seabios", "vgabios"].map(|name| share.join(name)))
                .filter_map(|directory| fs::read(directory.join("vgabios-stdvga.bin")).ok())
                .find_map(|rom| Font::from_rom(&rom))
        });
        FONT.as_ref()
    }

    /// The text of a screendump (PPM).
    ///
    /// Any two colours may be in a cell. Cells begin at the left edge and, as a program may centre its
    /// 25 lines on a higher screen, at any row.
    #[must_use]
    pub fn read(&self, ppm: &[u8]) -> ScreenText {
        let Ok(picture) = Picture::from_ppm(ppm) else {
            return ScreenText::Graphic;
        };
        let cell_widths: &[usize] = match (picture.width, picture.height) {
            (720, 400) => &[9],
            _ => &[8],
        };
        let grids = cell_widths
            .iter()
            .flat_map(|&cell_width| (0..ROWS).map(move |top| Grid { top, cell_width }));
        let best = grids
            .map(|grid| self.reading(picture, grid))
            .max_by_key(|reading| (reading.letters, usize::MAX - reading.unread));
        match best {
            Some(reading) if reading.is_text() => ScreenText::Text(trimmed(reading.lines)),
            _ => ScreenText::Graphic,
        }
    }

    fn reading(&self, picture: Picture<'_>, grid: Grid) -> Reading {
        let mut reading = Reading::default();
        let tops = (grid.top..picture.height).step_by(ROWS);
        for top in tops.take_while(|top| top + ROWS <= picture.height) {
            let cells = cells(picture, top, grid.cell_width);
            let line = cells.map(|cell| match cell {
                Cell::Plain => ' ',
                Cell::TwoColours(glyph) => self.character(glyph, &mut reading),
                Cell::Colourful => {
                    reading.unread += 1;
                    UNREAD
                }
            });
            let line = line.collect();
            reading.lines.push(line);
        }
        reading
    }

    fn character(&self, glyph: Glyph, reading: &mut Reading) -> char {
        // Which of the two colours is the ink is not known.
        let either = [glyph, glyph.map(|row| !row)];
        if let Some(&character) = either.iter().find_map(|glyph| self.characters.get(glyph)) {
            reading.letters += usize::from(character.is_ascii_alphanumeric());
            return character;
        }
        let near = either
            .iter()
            .find_map(|glyph| self.without_cursor(*glyph).or_else(|| self.redrawn(*glyph)));
        reading.unread += usize::from(near.is_none());
        near.unwrap_or(UNREAD)
    }

    /// The character under the hardware's cursor: whole rows at the foot of the cell.
    fn without_cursor(&self, glyph: Glyph) -> Option<char> {
        let mut bare = glyph;
        for row in bare.iter_mut().skip(ROWS - 4).filter(|row| **row == 0xFF) {
            *row = 0;
        }
        (bare != glyph)
            .then(|| self.characters.get(&bare).copied())
            .flatten()
    }

    /// The character of a glyph from the other kind of VGA font, which leaves the eighth column free: its
    /// `M`, `0` or `w` are those of the ROM with one column less in the middle, its `f` stands one further right.
    fn redrawn(&self, glyph: Glyph) -> Option<char> {
        let any = glyph.iter().fold(0, |any, row| any | row);
        let moved = (any & 0x80 == 0).then(|| glyph.map(|row| row << 1));
        let widened = (any & 0x01 == 0)
            .then(|| glyph.map(|row| (row & 0xF0) | (row & 0x10) >> 1 | (row & 0x0E) >> 1));
        let exactly = [widened, moved]
            .iter()
            .flatten()
            .find_map(|glyph| self.characters.get(glyph).copied());
        exactly.or_else(|| self.nearest(&widened?))
    }

    /// The one character that is a few pixels away, when no other is nearly as near.
    fn nearest(&self, glyph: &Glyph) -> Option<char> {
        let mut distances: Vec<(u32, char)> = self
            .characters
            .iter()
            .filter(|(_, character)| character.is_ascii_graphic())
            .map(|(known, &character)| (distance(known, glyph), character))
            .collect();
        distances.sort_unstable();
        match distances.as_slice() {
            [(first, character), (second, _), ..] if *first <= 4 && *second >= first + 4 => {
                Some(*character)
            }
            _ => None,
        }
    }
}

fn distance(a: &Glyph, b: &Glyph) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

fn is_code_page_437(glyphs: &[Glyph]) -> bool {
    let is =
        |code: usize, expected: &dyn Fn(&Glyph) -> bool| glyphs.get(code).is_some_and(expected);
    let bars = |glyph: &Glyph| *glyph != BLANK && glyph.iter().all(|row| *row == glyph[0]);
    is(0x00, &|glyph| *glyph == BLANK)
        && is(0x20, &|glyph| *glyph == BLANK)
        && is(0xFF, &|glyph| *glyph == BLANK)
        && is(0xDB, &|glyph| *glyph == FULL)
        && is(0xDD, &|glyph| *glyph == [0xF0; ROWS])
        && is(0xDE, &|glyph| *glyph == [0x0F; ROWS])
        && is(0xB3, &|glyph| bars(glyph) && *glyph != FULL)
        && is(0xBA, &|glyph| bars(glyph) && *glyph != FULL)
        && is(b'A'.into(), &|glyph| *glyph != BLANK)
}

#[derive(Debug, Default)]
struct Reading {
    lines: Vec<String>,
    /// Cells that are a letter or digit to the pixel. The edge of an area of colour gives blocks and bars
    /// on any grid; letters only on the right one.
    letters: usize,
    /// Cells that are nothing known.
    unread: usize,
}

impl Reading {
    /// A picture has a few cells that happen to be a glyph; a text has few that do not.
    fn is_text(&self) -> bool {
        let blank = || self.lines.iter().all(|line| line.trim().is_empty());
        (self.letters > 2 && self.letters > self.unread) || blank()
    }
}

enum Cell {
    /// One colour.
    Plain,
    /// Two colours: set bits are unlike the first pixel.
    TwoColours(Glyph),
    /// More than two.
    Colourful,
}

fn cells(picture: Picture<'_>, top: usize, width: usize) -> impl Iterator<Item = Cell> {
    let rows: [&[[u8; 3]]; ROWS] = std::array::from_fn(|row| picture.row(top + row));
    (0..picture.width / width).map(move |column| cell(&rows, column * width))
}

fn cell(rows: &[&[[u8; 3]]; ROWS], left: usize) -> Cell {
    let mut colours: [Option<[u8; 3]>; 2] = [None; 2];
    let mut glyph = BLANK;
    for (bits, row) in glyph.iter_mut().zip(rows) {
        for pixel in row.get(left..left + 8).unwrap_or_default() {
            let [first, second] = &mut colours;
            let unlike = pixel != first.get_or_insert(*pixel);
            if unlike && pixel != second.get_or_insert(*pixel) {
                return Cell::Colourful;
            }
            *bits = *bits << 1 | u8::from(unlike);
        }
    }
    match colours {
        [_, None] => Cell::Plain,
        [_, Some(_)] => Cell::TwoColours(glyph),
    }
}
