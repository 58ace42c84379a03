//! Text mode: the characters stand in display memory, and the picture says where in it the screen begins.

use super::{cp437, text::trimmed};

/// Text memory is a window of this many bytes: it wraps around there.
pub(super) const WINDOW: usize = 32 << 10;
const CELLS: usize = WINDOW / 2;
/// Lines of a text screen. Those of the few modes that have more, of smaller characters, are not read.
const ROWS: u16 = 25;
/// So many characters are compared at least, where there are so many.
const MARKS: usize = 200;

/// Where the text that is shown begins in text memory, and how it is divided into lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextMode {
    /// The first cell that is shown. A cell is a code and an attribute.
    pub start: u16,
    /// Cells from one line to the next.
    pub pitch: u16,
    /// Cells that are shown of a line.
    pub columns: u16,
    /// Lines that are shown.
    pub rows: u16,
}

impl TextMode {
    /// The text mode whose picture shows this text, in lines of so many columns; `None` where what is in memory is not what is shown, as in graphics
    /// modes.
    #[must_use]
    pub fn shown(window: &[u8], text: &str, columns: u16) -> Option<Self> {
        let width = usize::from(columns).max(1);
        let characters = text.lines().enumerate().flat_map(|(row, line)| {
            let cells = line.chars().enumerate();
            cells.map(move |(column, character)| (row * width + column, character))
        });
        let known = |&(_, character): &(usize, char)| {
            character != ' ' && character != char::REPLACEMENT_CHARACTER
        };
        let all: Vec<(usize, char)> = characters.filter(known).collect();
        // A few hundred places all over the screen tell one beginning from another.
        let marks: Vec<(usize, char)> =
            all.iter().copied().step_by(all.len() / MARKS + 1).collect();
        let cells = window.as_chunks::<2>().0;
        let like = |start: usize| {
            let same = |&&(at, character): &&(usize, char)| {
                let cell = cells.get((start + at) % CELLS);
                cell.is_some_and(|&[code, _]| cp437::character(code) == character)
            };
            marks.iter().filter(same).count()
        };
        let starts = (0..CELLS).step_by(width);
        let (start, same) = starts
            .map(|start| (start, like(start)))
            .max_by_key(|&(start, same)| (same, CELLS - start))?;
        // Some characters look the same, and one may stand under the cursor.
        (same > 0 && same * 10 >= marks.len() * 9).then(|| Self {
            start: u16::try_from(start).unwrap_or_default(),
            pitch: columns,
            columns,
            rows: ROWS,
        })
    }

    /// The cells that are shown, line by line, out of the whole window of text memory. What is missing there is blank.
    pub fn lines<'a>(&self, window: &'a [u8]) -> impl Iterator<Item = Vec<[u8; 2]>> + use<'a> {
        let Self {
            start,
            pitch,
            columns,
            rows,
            ..
        } = *self;
        let cells = window.as_chunks::<2>().0;
        (0..usize::from(rows)).map(move |row| {
            let first = usize::from(start) + row * usize::from(pitch);
            (first..first + usize::from(columns))
                .map(|cell| cells.get(cell % CELLS).copied().unwrap_or([b' ', 0]))
                .collect()
        })
    }

    /// The text that is shown, as Unicode, without trailing blanks.
    #[must_use]
    pub fn text(&self, window: &[u8]) -> String {
        let line = |cells: Vec<[u8; 2]>| {
            let codes = cells.iter().map(|&[code, _]| cp437::character(code));
            codes.collect::<String>()
        };
        trimmed(self.lines(window).map(line))
    }
}
