//! GRUB's fonts (`PFF2`, GRUB's manual: "GRUB Font File Format"): sections of a name, a length and that many bytes, all
//! numbers with the high byte first.

use super::glyph::{Glyph, VGA_ROWS};

/// An entry of the index: a code point, a byte of flags, and where in the file the glyph stands.
const INDEX_ENTRY: usize = 9;
/// Before a glyph's pixels: its width and height, where it stands in its cell, and how far the next one is.
const HEADER: usize = 10;

/// The glyphs of a font of 16 rows that fill one cell of 8 columns at most; of the characters that text consists of.
pub(super) fn glyphs(font: &[u8]) -> Vec<(char, Glyph)> {
    let whole = |index: &[u8], ascent: i32| {
        let entries = index.as_chunks::<INDEX_ENTRY>().0.iter();
        entries
            .filter_map(|entry| {
                let (&code, rest) = entry.split_first_chunk()?;
                let character = char::from_u32(u32::from_be_bytes(code))?;
                is_text(character).then_some(())?;
                let [_, offset @ ..] = rest else { return None };
                let offset = u32::from_be_bytes(offset.try_into().ok()?);
                let stored = font.get(usize::try_from(offset).ok()?..)?;
                Some((character, glyph(stored, ascent)?))
            })
            .collect()
    };
    let found = index_and_ascent(font);
    found.map_or_else(Vec::new, |(index, ascent)| whole(index, ascent))
}

/// Latin letters, arrows, boxes and blocks: what else a font has, no boot program says.
const fn is_text(character: char) -> bool {
    matches!(character, '!'..='~' | '\u{A1}'..='\u{17F}' | '\u{2190}'..='\u{25FF}')
}

/// The sections that say where the glyphs are and how high the line is on which they stand.
fn index_and_ascent(font: &[u8]) -> Option<(&[u8], i32)> {
    let (mut index, mut ascent) = (None, None);
    let mut rest = font;
    while let Some((name, after)) = rest.split_first_chunk::<4>() {
        // The glyphs themselves, to the end of the file.
        if name == b"DATA" {
            break;
        }
        let (length, after) = after.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (section, after) = after.split_at_checked(length)?;
        match name {
            b"CHIX" => index = Some(section),
            b"ASCE" => ascent = Some(number(section)?),
            _ => {}
        }
        rest = after;
    }
    Some((index?, ascent?))
}

/// Pixels are bits, row after row, without a gap between rows.
fn glyph(stored: &[u8], ascent: i32) -> Option<Glyph> {
    let (header, pixels) = stored.split_first_chunk::<HEADER>()?;
    let [width, height, left, bottom, _] = *header.as_chunks::<2>().0 else {
        return None;
    };
    let [width, height] = [width, height].map(|side| usize::from(u16::from_be_bytes(side)));
    let [left, bottom] = [left, bottom].map(|offset| i32::from(i16::from_be_bytes(offset)));
    if width > 8 || height > VGA_ROWS {
        return None;
    }
    let top = ascent - bottom - i32::try_from(height).ok()?;
    let mut glyph = Glyph::blank(VGA_ROWS);
    for row in 0..height {
        let y = usize::try_from(top + i32::try_from(row).ok()?).ok()?;
        for column in 0..width {
            let bit = row * width + column;
            if pixels.get(bit / 8)? >> (7 - bit % 8) & 1 != 0 {
                let x = u32::try_from(left + i32::try_from(column).ok()?).ok()?;
                *glyph.rows_mut().get_mut(y)? |= 0x80_u8.checked_shr(x)?;
            }
        }
    }
    Some(glyph)
}

fn number(section: &[u8]) -> Option<i32> {
    Some(i32::from(u16::from_be_bytes(section.try_into().ok()?)))
}
