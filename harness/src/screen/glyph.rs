//! A character as pixels.

/// Rows of the tallest font that is known: EDK2's.
pub(super) const TALLEST: usize = 19;
/// Rows of the VGA's text font, and of most that were drawn after it.
pub(super) const VGA_ROWS: usize = 16;

/// A character's pixels: one bit for each, the left one highest, a byte for each row. Rows beyond its height are blank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Glyph {
    rows: [u8; TALLEST],
    height: usize,
}

impl Glyph {
    pub(super) const fn blank(height: usize) -> Self {
        Self {
            rows: [0; TALLEST],
            height,
        }
    }

    pub(super) fn of_vga(rows: &[u8; VGA_ROWS]) -> Self {
        let mut glyph = Self::blank(VGA_ROWS);
        glyph.rows_mut().copy_from_slice(rows);
        glyph
    }

    pub(super) fn rows(&self) -> &[u8] {
        self.rows.get(..self.height).unwrap_or_default()
    }

    pub(super) fn rows_mut(&mut self) -> &mut [u8] {
        self.rows.get_mut(..self.height).unwrap_or_default()
    }

    pub(super) fn is_blank(&self) -> bool {
        self.rows.iter().all(|row| *row == 0)
    }

    /// With the colours exchanged.
    pub(super) fn inverted(&self) -> Self {
        self.map(|row| !row)
    }

    /// Without the cursor, which is whole rows at the foot of the cell.
    pub(super) fn without_cursor(&self) -> Self {
        let mut bare = *self;
        for row in bare.rows_mut().iter_mut().rev().take(4) {
            if *row == 0xFF {
                *row = 0;
            }
        }
        bare
    }

    /// Moved to the right, or to the left by a negative number; `None` where that would cut ink off.
    pub(super) fn moved(&self, columns: i32) -> Option<Self> {
        let by = columns.unsigned_abs();
        let moved = if columns < 0 {
            self.map(|row| row.checked_shl(by).unwrap_or(0))
        } else {
            self.map(|row| row.checked_shr(by).unwrap_or(0))
        };
        (moved.ink() == self.ink()).then_some(moved)
    }

    /// The rows of the first and the last pixel that is set.
    pub(super) fn extent(&self) -> Option<(usize, usize)> {
        let first = self.rows.iter().position(|row| *row != 0)?;
        let last = self.rows.iter().rposition(|row| *row != 0)?;
        Some((first, last))
    }

    fn ink(&self) -> u32 {
        self.rows.iter().map(|row| row.count_ones()).sum()
    }

    fn map(&self, change: impl Fn(u8) -> u8) -> Self {
        let mut changed = *self;
        for row in changed.rows_mut() {
            *row = change(*row);
        }
        changed
    }
}
