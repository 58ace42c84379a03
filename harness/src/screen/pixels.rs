//! Text drawn in pixels: the cells of a screen against glyphs.
//!
//! Where the cells are is found from where nothing is drawn: between lines of text, and between its columns, there is
//! background. A few cells of each line then say which of the likely grids is the right one, and only then all are read.
//! What was read is kept: of the next picture of the same size only the lines that have changed are read.

use std::cmp::Reverse;

use super::{
    font::{Font, Match},
    glyph::{Glyph, TALLEST, VGA_ROWS},
    ppm::{Colour, Picture},
    text::{ScreenText, trimmed},
};

/// A cell that shows no known character.
const UNREAD: char = char::REPLACEMENT_CHARACTER;
/// Columns of pixels of a glyph.
const GLYPH_WIDTH: usize = 8;
/// Cells of each line by which a grid is tried.
const TRIED_OF_A_LINE: usize = 8;
/// Grids of each height that are tried.
const TRIED_TOPS: [(usize, usize); 2] = [(VGA_ROWS, 6), (TALLEST, 3)];
const TRIED_LEFTS: usize = 2;
/// So many cells that are nothing known, and more than the letters, are no text: what follows is not looked at.
const MOST_UNREAD: usize = 200;
/// Pixels by which the background is found.
const SAMPLES: usize = 1000;

/// How a screen divides into cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Grid {
    /// The first row and column of pixels.
    top: usize,
    left: usize,
    /// 8, or 9 in text mode, where the hardware adds a column between characters.
    width: usize,
    /// 16, or EDK2's 19.
    height: usize,
}

/// A reader of pictures that keeps the last one, and reads of the next only what has changed.
#[derive(Debug, Default)]
pub struct Eyes {
    last: Option<Last>,
}

#[derive(Debug)]
struct Last {
    ppm: Vec<u8>,
    text: ScreenText,
    sheet: Option<Sheet>,
}

/// A picture that was read.
#[derive(Debug)]
struct Sheet {
    grid: Grid,
    lines: Vec<Line>,
    columns: usize,
}

/// What stands in a line of cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Line {
    text: String,
    /// Cells that are a letter or digit. The edge of an area of colour gives blocks and bars on any grid; letters only on
    /// the right one.
    letters: usize,
    /// Cells that are nothing known.
    unread: usize,
}

impl Line {
    /// Its text. What is hardly any letters is a part of a picture, as a firmware's logo that a loader's text has left standing: nothing.
    fn shown(&self) -> String {
        if self.unread > self.letters {
            String::new()
        } else {
            self.text.clone()
        }
    }
}

impl Eyes {
    /// The text of a screendump (PPM), in the fonts of the host; [`ScreenText::Graphic`] also where it has none or `ppm` is
    /// not a picture.
    pub fn read(&mut self, ppm: Vec<u8>) -> ScreenText {
        match Font::of_host() {
            Some(font) => self.read_with(font, ppm),
            None => ScreenText::Graphic,
        }
    }

    /// Columns of the text that was read last; 0 where there was none.
    #[must_use]
    pub fn columns(&self) -> u16 {
        let sheet = self.last.as_ref().and_then(|last| last.sheet.as_ref());
        sheet.map_or(0, |sheet| u16::try_from(sheet.columns).unwrap_or(u16::MAX))
    }

    pub(super) fn read_with(&mut self, font: &Font, ppm: Vec<u8>) -> ScreenText {
        let before = self.last.take();
        if let Some(last) = before.as_ref().filter(|last| last.ppm == ppm) {
            let text = last.text.clone();
            self.last = before;
            return text;
        }
        let sheet = Picture::from_ppm(&ppm).map(|picture| read(font, &picture, before.as_ref()));
        let sheet = sheet.ok().flatten();
        let text = match &sheet {
            Some(sheet) => ScreenText::Text(trimmed(sheet.lines.iter().map(Line::shown))),
            None => ScreenText::Graphic,
        };
        self.last = Some(Last {
            ppm,
            text: text.clone(),
            sheet,
        });
        text
    }
}

impl Font {
    /// The text of a screendump (PPM).
    ///
    /// Any two colours may be in a cell, and the cells may begin anywhere: a program may centre its lines on a larger screen.
    #[must_use]
    pub fn read(&self, ppm: &[u8]) -> ScreenText {
        Eyes::default().read_with(self, ppm.to_vec())
    }
}

/// The lines of a picture; `None` when it is no text.
fn read(font: &Font, picture: &Picture<'_>, before: Option<&Last>) -> Option<Sheet> {
    let screen = Inked::of(picture);
    let again = before.and_then(|last| {
        let sheet = last.sheet.as_ref()?;
        let old = Picture::from_ppm(&last.ppm).ok()?;
        let same_size = (old.width, old.height) == (picture.width, picture.height);
        let reading = same_size.then(|| screen.lines(font, sheet.grid, Some((&old, sheet))))?;
        reading.filter(|sheet| is_text(&sheet.lines))
    });
    again.or_else(|| {
        let sheet = screen.lines(font, screen.grid(font), None)?;
        is_text(&sheet.lines).then_some(sheet)
    })
}

/// A picture has a few cells that happen to be a glyph; a text has few that do not.
fn is_text(lines: &[Line]) -> bool {
    let letters: usize = lines.iter().map(|line| line.letters).sum();
    let unread: usize = lines.iter().map(|line| line.unread).sum();
    let blank = || lines.iter().all(|line| line.text.trim().is_empty());
    (letters > 2 && letters > unread) || blank()
}

/// A picture, and where something is drawn on its background.
struct Inked<'a> {
    picture: &'a Picture<'a>,
    background: Colour,
    /// For each row of pixels, how many groups of eight are not background alone.
    rows: Vec<usize>,
}

impl<'a> Inked<'a> {
    fn of(picture: &'a Picture<'a>) -> Self {
        let background = background(picture);
        let whole = vec![background; picture.width];
        let group = [background; GLYPH_WIDTH];
        let inked = |row: &[Colour]| {
            if row.as_flattened() == whole.as_flattened() {
                return 0;
            }
            let groups = row.as_flattened().chunks(group.as_flattened().len());
            groups
                .filter(|pixels| !group.as_flattened().starts_with(pixels))
                .count()
        };
        let rows = (0..picture.height).map(|y| inked(picture.row(y))).collect();
        Self {
            picture,
            background,
            rows,
        }
    }

    /// The grid on which most is text.
    fn grid(&self, font: &Font) -> Grid {
        let (width, height) = (self.picture.width, self.picture.height);
        let cell_width = match (width, height) {
            (720, 400) => 9,
            _ => GLYPH_WIDTH,
        };
        let plain = Grid {
            top: 0,
            left: 0,
            width: cell_width,
            height: VGA_ROWS,
        };
        let lefts = self.lefts(cell_width);
        let mut best = (0, plain);
        for (height, most) in TRIED_TOPS {
            for top in self.tops(height, most) {
                for &left in &lefts {
                    let grid = Grid {
                        top,
                        left,
                        width: cell_width,
                        height,
                    };
                    let (letters, tried) = self.tried(font, grid);
                    if letters > best.0 {
                        best = (letters, grid);
                    }
                    // Hardly more than the exact letters of another font.
                    if letters > 2 && letters * 5 >= tried * 3 {
                        return grid;
                    }
                }
            }
        }
        best.1
    }

    /// Where lines of cells may begin, the likeliest first: a font leaves its first rows and its last one blank.
    fn tops(&self, height: usize, most: usize) -> Vec<usize> {
        let mut folded = vec![0; height];
        for (y, ink) in self.rows.iter().enumerate() {
            if let Some(sum) = folded.get_mut(y % height) {
                *sum += ink;
            }
        }
        let ink = |row: usize| folded.get(row % height).copied().unwrap_or(0);
        let mut tops: Vec<usize> = (0..height.min(self.picture.height)).collect();
        tops.sort_by_key(|&top| {
            let blank = match height {
                VGA_ROWS => ink(top) + ink(top + 1) + ink(top + height - 1),
                _ => ink(top) + ink(top + 1) + ink(top + 2) + ink(top + height - 1),
            };
            // Of several such, programs of full screens begin at the first row, and EDK2 centres its lines.
            let usual = match height {
                VGA_ROWS => top == 0,
                _ => self.edk2_tops().contains(&top),
            };
            (blank, Reverse(usual), Reverse(ink(top + height / 2)))
        });
        tops.truncate(most);
        if height == VGA_ROWS && !tops.contains(&0) {
            tops.push(0);
        }
        tops
    }

    /// Where EDK2's console begins, modulo its height, with each number of lines that it has
    /// (`GraphicsConsoleDxe/GraphicsConsole.c`).
    fn edk2_tops(&self) -> [usize; 4] {
        let height = self.picture.height;
        [25, 31, 50, height / TALLEST]
            .map(|lines| height.saturating_sub(lines * TALLEST) / 2 % TALLEST)
    }

    /// Where columns of cells may begin: most glyphs leave their last column of pixels blank.
    fn lefts(&self, width: usize) -> Vec<usize> {
        // A few rows are enough.
        let step = self.rows.iter().filter(|ink| **ink > 0).count() / 64 + 1;
        let inked = (0..).zip(&self.rows).filter(|(_, ink)| **ink > 0);
        let mut folded = vec![0; width];
        for (y, _) in inked.step_by(step) {
            let row = self.picture.row(y);
            for (number, pixels) in row.chunks(width).enumerate() {
                if number == 0 && pixels.len() < width {
                    break;
                }
                for (sum, pixel) in folded.iter_mut().zip(pixels) {
                    *sum += usize::from(*pixel != self.background);
                }
            }
        }
        let ink = |column: usize| folded.get(column % width).copied().unwrap_or(0);
        let mut lefts: Vec<usize> = (0..width).collect();
        lefts.sort_by_key(|&left| (ink(left + width - 1), left));
        lefts.truncate(TRIED_LEFTS);
        if !lefts.contains(&0) {
            lefts.push(0);
        }
        lefts
    }

    /// How many letters there are among some cells of each line, and how many cells that is.
    fn tried(&self, font: &Font, grid: Grid) -> (usize, usize) {
        let (mut letters, mut tried) = (0, 0);
        for top in self.tops_of(grid) {
            let Some(band) = self.band(grid, top) else {
                continue;
            };
            let glyphs = self.cells(grid, &band).filter(|cell| *cell != Cell::Plain);
            for cell in glyphs.take(TRIED_OF_A_LINE) {
                tried += 1;
                let Cell::TwoColours(glyph) = cell else {
                    continue;
                };
                // Fonts of 16 rows have most glyphs in common, and that is found out fast. Of 19 rows there is none.
                let found = match grid.height {
                    VGA_ROWS => font.exact(&glyph),
                    _ => match font.character(&glyph) {
                        Match::Exact(character) | Match::Near(character) => Some(character),
                        Match::None => None,
                    },
                };
                letters += usize::from(found.is_some_and(|it| it.is_ascii_alphanumeric()));
            }
            if tried - letters > MOST_UNREAD {
                break;
            }
        }
        (letters, tried)
    }

    /// All lines; those that look as before are taken from there.
    fn lines(
        &self,
        font: &Font,
        grid: Grid,
        before: Option<(&Picture<'_>, &Sheet)>,
    ) -> Option<Sheet> {
        let mut lines = Vec::new();
        let (mut letters, mut unread) = (0, 0);
        for (number, top) in self.tops_of(grid).enumerate() {
            let same = |(old, sheet): (&Picture<'_>, &Sheet)| {
                let rows = top..top + grid.height;
                let same = old.rows(rows.clone()) == self.picture.rows(rows);
                same.then(|| sheet.lines.get(number).cloned()).flatten()
            };
            let line = before
                .and_then(same)
                .or_else(|| Some(self.line(font, grid, &self.band(grid, top)?)))
                .unwrap_or_default();
            letters += line.letters;
            unread += line.unread;
            if unread > letters + MOST_UNREAD {
                return None;
            }
            lines.push(line);
        }
        Some(Sheet {
            grid,
            lines,
            columns: (self.picture.width - grid.left) / grid.width,
        })
    }

    fn line(&self, font: &Font, grid: Grid, band: &Band<'_>) -> Line {
        let mut line = Line::default();
        for cell in self.cells(grid, band) {
            let character = match cell {
                Cell::Plain => ' ',
                Cell::TwoColours(glyph) => match font.character(&glyph) {
                    Match::Exact(character) | Match::Near(character) => {
                        line.letters += usize::from(character.is_ascii_alphanumeric());
                        character
                    }
                    Match::None => UNREAD,
                },
                Cell::Colourful => UNREAD,
            };
            line.unread += usize::from(character == UNREAD);
            line.text.push(character);
            // No text: whoever asks has seen enough of it.
            if line.unread > line.letters + MOST_UNREAD {
                break;
            }
        }
        line
    }

    fn tops_of(&self, grid: Grid) -> impl Iterator<Item = usize> + use<> {
        let height = self.picture.height;
        let tops = (grid.top..height).step_by(grid.height);
        tops.take_while(move |top| top + grid.height <= height)
    }

    /// The rows of pixels of a line of cells; `None` when all is background.
    fn band(&self, grid: Grid, top: usize) -> Option<Band<'a>> {
        let inked = self.rows.get(top..top + grid.height)?;
        if inked.iter().all(|ink| *ink == 0) {
            return None;
        }
        Some(
            (top..top + grid.height)
                .map(|y| self.picture.row(y))
                .collect(),
        )
    }

    fn cells(&self, grid: Grid, band: &Band<'a>) -> impl Iterator<Item = Cell> {
        let blank = [self.background; GLYPH_WIDTH];
        (0..(self.picture.width - grid.left) / grid.width).map(move |column| {
            let left = grid.left + column * grid.width;
            cell(band, left, &blank)
        })
    }
}

/// The colour of most pixels, by some of them.
fn background(picture: &Picture<'_>) -> Colour {
    let step = picture.pixels().len() / SAMPLES + 1;
    // Not the same column again and again.
    let step = step + usize::from(picture.width.is_multiple_of(step));
    let mut samples: Vec<Colour> = picture.pixels().iter().step_by(step).copied().collect();
    samples.sort_unstable();
    let most = samples.chunk_by(|a, b| a == b).max_by_key(|run| run.len());
    most.and_then(|run| run.first())
        .copied()
        .unwrap_or_default()
}

type Band<'a> = Vec<&'a [Colour]>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    /// One colour.
    Plain,
    /// Two colours: set bits are unlike the first pixel.
    TwoColours(Glyph),
    /// More than two.
    Colourful,
}

fn cell(band: &[&[Colour]], left: usize, blank: &[Colour; GLYPH_WIDTH]) -> Cell {
    let blank = blank.as_flattened();
    let is_blank = |row: &&[Colour]| {
        let pixels = row.get(left..left + GLYPH_WIDTH);
        pixels.is_some_and(|pixels| pixels.as_flattened() == blank)
    };
    // Nearly all cells are this, and it costs least to see.
    if band.iter().all(is_blank) {
        return Cell::Plain;
    }
    let mut glyph = Glyph::blank(band.len());
    let mut first = None;
    let mut second = None;
    for (bits, row) in glyph.rows_mut().iter_mut().zip(band) {
        for &pixel in row.get(left..left + GLYPH_WIDTH).unwrap_or_default() {
            let unlike = pixel != *first.get_or_insert(pixel);
            if unlike && pixel != *second.get_or_insert(pixel) {
                return Cell::Colourful;
            }
            *bits = *bits << 1 | u8::from(unlike);
        }
    }
    match second {
        None => Cell::Plain,
        Some(_) => Cell::TwoColours(glyph),
    }
}
