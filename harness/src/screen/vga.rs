//! Text mode: the characters stand in display memory.

use super::{cp437, trimmed};

const COLUMNS: usize = 80;
const ROWS: usize = 25;

/// The text of 80×25 cells of VGA text memory (guest-physical B8000h: a code and an attribute each), as
/// Unicode, trailing blanks trimmed; `None` when it holds no text: too short, blank, or not what text looks like.
#[must_use]
pub fn text_from_vga_memory(b8000: &[u8]) -> Option<String> {
    let cells = b8000.as_chunks::<2>().0.get(..COLUMNS * ROWS)?;
    let codes: Vec<u8> = cells.iter().map(|&[code, _]| code).collect();
    // In a pixel mode other things stand here: FFh where nothing answers, or a part of the picture.
    let shown = || codes.iter().filter(|code| !matches!(code, 0 | 0x20));
    let likely = shown()
        .filter(|code| matches!(code, 0x21..=0x7E | 0xB0..=0xDF))
        .count();
    if likely * 2 < shown().count() {
        return None;
    }
    let text = trimmed(
        codes
            .chunks(COLUMNS)
            .map(|row| row.iter().map(|&code| cp437::character(code)).collect()),
    );
    (!text.is_empty()).then_some(text)
}
