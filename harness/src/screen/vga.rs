//! Text mode: the characters stand in display memory, and the VGA's registers say where.

use super::{cp437, trimmed};

/// The CRT controller's registers that say what of the text memory is shown.
pub(super) mod crtc {
    /// Columns, less one.
    pub(in crate::screen) const COLUMNS: u8 = 0x01;
    /// High bits of other registers.
    pub(in crate::screen) const OVERFLOW: u8 = 0x07;
    /// Scan lines of a character, less one, in its low five bits.
    pub(in crate::screen) const CHARACTER_HEIGHT: u8 = 0x09;
    /// The first cell that is shown, its high byte first.
    pub(in crate::screen) const START: [u8; 2] = [0x0C, 0x0D];
    /// The last scan line that is shown, its low eight bits.
    pub(in crate::screen) const LAST_LINE: u8 = 0x12;
    /// Cells from one line to the next, halved.
    pub(in crate::screen) const PITCH: u8 = 0x13;
    /// All of these.
    pub(in crate::screen) const USED: [u8; 7] = [
        COLUMNS,
        OVERFLOW,
        CHARACTER_HEIGHT,
        START[0],
        START[1],
        LAST_LINE,
        PITCH,
    ];
}

/// Text memory is a window of this many bytes: it wraps around there.
pub(super) const WINDOW: usize = 32 << 10;
const CELLS: usize = WINDOW / 2;

/// Where the text that is shown begins in text memory, and how it is divided into lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextMode {
    /// The guest-physical address of the memory.
    pub base: u64,
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
    /// What the registers of a VGA say, given the graphics controller's mode (05h) and miscellaneous (06h) registers and a
    /// way to read those of the CRT controller.
    ///
    /// `None` in graphics modes, which QEMU sets for VBE modes too (`hw/display/vga.c`), and while the memory is arranged
    /// otherwise, as when a program loads a font.
    #[must_use]
    pub fn from_registers(
        mode: u8,
        miscellaneous: u8,
        register: impl Fn(u8) -> u8,
    ) -> Option<Self> {
        let base = match (miscellaneous >> 2) & 3 {
            2 => 0xB0000,
            3 => 0xB8000,
            _ => return None,
        };
        let graphics = miscellaneous & 1 != 0;
        let odd_even = mode & 0x10 != 0;
        if graphics || !odd_even {
            return None;
        }
        let get = |index| u16::from(register(index));
        let [high, low] = crtc::START;
        let overflow = get(crtc::OVERFLOW);
        let last_line = get(crtc::LAST_LINE) | (overflow & 0x02) << 7 | (overflow & 0x40) << 3;
        let height = (get(crtc::CHARACTER_HEIGHT) & 0x1F) + 1;
        Some(Self {
            base,
            start: get(high) << 8 | get(low),
            pitch: get(crtc::PITCH) * 2,
            columns: get(crtc::COLUMNS) + 1,
            rows: (last_line + 1) / height,
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
