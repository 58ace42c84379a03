//! Which character of the VGA's font a glyph of another font is like.
//!
//! Linux, memtest86+ and EDK2 draw their text in fonts that were made after the VGA's: letters are a column narrower or stand
//! a column further to the left, strokes begin a row earlier, and EDK2's are stretched from 16 rows to 19. So the rows
//! of a glyph are laid beside those of each known one, with a row more or less here and there, and what does not fit is
//! counted. A pixel beside its place counts half of one that is missing.
//!
//! A wrong character is worse than a hole: one is only taken when it is near and the next one is not.

use super::glyph::{Glyph, TALLEST, VGA_ROWS};

/// What fits no better than this is no character.
const MOST: u32 = 10;
/// By so much the second must fit worse than the first.
const MARGIN: u32 = 2;
/// What a row costs that is there twice, or is missing, in a glyph that has as many rows as the known ones.
const ROW: u32 = 2;
/// What is out of reach.
const NEVER: u32 = u32::MAX / 2;
/// Rows of the known glyph before and after the one that belongs to a row by its height.
const REACH: usize = 1;

/// A known glyph.
#[derive(Clone, Debug)]
pub(super) struct Template {
    character: char,
    /// Each row as it may be drawn.
    rows: [Variants; VGA_ROWS],
    /// The first and the last row with ink.
    extent: (usize, usize),
    /// For characters that join those beside them, which edges they reach.
    edges: Option<Edges>,
}

/// The ways to draw a row; the first one is there again where there are fewer.
type Variants = [Row; 4];

/// A row of pixels, and the same with each pixel's neighbours.
#[derive(Clone, Copy, Debug)]
struct Row {
    ink: u8,
    near: u8,
}

impl Row {
    const fn of(ink: u8) -> Self {
        Self {
            ink,
            near: ink | ink << 1 | ink >> 1,
        }
    }

    /// The pixels that differ; those that have none beside them count twice.
    const fn cost(self, other: Self) -> u32 {
        (self.ink ^ other.ink).count_ones()
            + (self.ink & !other.near).count_ones()
            + (other.ink & !self.near).count_ones()
    }
}

/// Which edges of its cell a glyph reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edges {
    top: bool,
    bottom: bool,
    left: bool,
    right: bool,
}

impl Edges {
    fn of(glyph: &Glyph) -> Self {
        let rows = glyph.rows();
        let any = rows.iter().fold(0, |any, row| any | row);
        let has_ink = |row: Option<&u8>| row.is_some_and(|row| *row != 0);
        Self {
            top: has_ink(rows.first()),
            bottom: has_ink(rows.last()),
            left: any & 0x80 != 0,
            right: any & 0x01 != 0,
        }
    }
}

impl Template {
    /// A glyph of the VGA's font; `None` for one that nothing can be like.
    pub(super) fn of(character: char, glyph: &Glyph) -> Option<Self> {
        let joins = matches!(character, '\u{2500}'..='\u{259F}');
        if !joins && !character.is_ascii_graphic() {
            return None;
        }
        let wide = !joins && glyph.rows().iter().any(|row| row & 1 != 0);
        let mut rows = [[Row::of(0); 4]; VGA_ROWS];
        for (variants, &row) in rows.iter_mut().zip(glyph.rows()) {
            let ways = match character {
                // Its serifs may be as wide as those of a T.
                'I' => [row, row | row << 1 | row >> 1, row, row],
                // Of eight columns, which other fonts draw in seven or six. Which column is left out depends on the row.
                _ if wide => [
                    row,
                    (row & 0xF0) | (row & 0x07) << 1,
                    (row & 0xC0) >> 1 | (row & 0x18) | (row & 0x03) << 1,
                    row & 0x7E,
                ],
                _ => [row; 4],
            };
            *variants = ways.map(Row::of);
        }
        Some(Self {
            character,
            rows,
            extent: glyph.extent()?,
            edges: joins.then(|| Edges::of(glyph)),
        })
    }

    fn may_be(&self, edges: Edges, extent: (usize, usize)) -> bool {
        let near = |a: usize, b: usize| a.abs_diff(b) <= REACH + 1;
        self.edges.is_none_or(|own| own == edges)
            && near(self.extent.0, extent.0)
            && near(self.extent.1, extent.1)
    }

    /// How badly a glyph fits; something of at least `limit` when it is not less.
    fn distance(&self, glyph: &[Row], limit: u32) -> u32 {
        let height = glyph.len();
        let same_height = height == VGA_ROWS;
        let extra = if same_height { ROW } else { 0 };
        // The cost up to each row of the known glyph, with one before the first.
        let mut costs = [NEVER; VGA_ROWS];
        for (number, row) in glyph.iter().enumerate() {
            let middle = number * VGA_ROWS / height;
            let from = middle.saturating_sub(REACH);
            let to = (middle + REACH).min(VGA_ROWS - 1);
            let mut next = [NEVER; VGA_ROWS];
            let mut least = NEVER;
            for place in from..=to {
                let Some(known) = self.rows.get(place) else {
                    break;
                };
                let before = if number == 0 {
                    // What is passed over at the top is missing as a whole.
                    let passed = self.rows.iter().take(place);
                    passed.map(|row| 2 * least_ink(row)).sum()
                } else {
                    let at = |index: Option<usize>| {
                        index
                            .and_then(|index| costs.get(index))
                            .copied()
                            .unwrap_or(NEVER)
                    };
                    let passed = at(place.checked_sub(2));
                    let over = if passed < limit {
                        let between = self.rows.get(place - 1);
                        passed + ROW + between.map_or(NEVER, |known| cost(*row, known))
                    } else {
                        NEVER
                    };
                    (at(Some(place)) + extra)
                        .min(at(place.checked_sub(1)))
                        .min(over)
                };
                if before < limit {
                    let cost = before + cost(*row, known);
                    least = least.min(cost);
                    if let Some(next) = next.get_mut(place) {
                        *next = cost;
                    }
                }
            }
            if least >= limit {
                return least;
            }
            costs = next;
        }
        costs.into_iter().min().unwrap_or(NEVER)
    }
}

fn cost(row: Row, variants: &Variants) -> u32 {
    let [first, others @ ..] = variants;
    let least = row.cost(*first);
    if least == 0 {
        return 0;
    }
    others.iter().fold(least, |least, other| {
        if other.ink == first.ink {
            least
        } else {
            least.min(row.cost(*other))
        }
    })
}

fn least_ink(variants: &Variants) -> u32 {
    let ink = variants.iter().map(|row| row.ink.count_ones());
    ink.min().unwrap_or(0)
}

/// The one character that a glyph is like.
pub(super) fn nearest(templates: &[Template], glyph: &Glyph) -> Option<char> {
    if let Some(character) = plain_shape(glyph) {
        return Some(character);
    }
    let height = glyph.rows().len();
    let (first, last) = glyph.extent()?;
    let extent = (first * VGA_ROWS / height, last * VGA_ROWS / height);
    let edges = Edges::of(glyph);
    let places: Vec<(u32, [Row; TALLEST])> = [(0, 0), (2, 1), (2, -1), (3, 2), (3, -2)]
        .into_iter()
        .filter_map(|(cost, columns)| {
            let mut rows = [Row::of(0); TALLEST];
            for (row, &ink) in rows.iter_mut().zip(glyph.moved(columns)?.rows()) {
                *row = Row::of(ink);
            }
            Some((cost, rows))
        })
        .collect();
    // The least distance, whose it is, and the least of any other character.
    let (mut best, mut character, mut second) = (NEVER, None, MOST + MARGIN);
    for template in templates {
        if !template.may_be(edges, extent) {
            continue;
        }
        let mut distance = NEVER;
        for (cost, rows) in &places {
            // Nothing that joins its neighbours stands elsewhere.
            if template.edges.is_some() && *cost > 0 {
                break;
            }
            let limit = second.min(distance).saturating_sub(*cost);
            let rows = rows.get(..height).unwrap_or_default();
            distance = distance.min(cost + template.distance(rows, limit));
        }
        if distance < best {
            second = second.min(best);
            (best, character) = (distance, Some(template.character));
        } else {
            second = second.min(distance);
        }
    }
    let alone = second >= best + MARGIN || (best == 0 && second > 0);
    character.filter(|_| best <= MOST && alone)
}

/// Two characters that are told by what they are, since fonts put them elsewhere.
fn plain_shape(glyph: &Glyph) -> Option<char> {
    let rows = glyph.rows();
    let (first, last) = glyph.extent()?;
    let ink = *rows.get(first)?;
    if first == last {
        let low = first * VGA_ROWS / rows.len() >= 11;
        return (low && ink.count_ones() >= 7).then_some('_');
    }
    let unbroken = rows.get(first..=last)?.iter().all(|row| *row == ink);
    let long = (rows.len() * 5 / 8..rows.len()).contains(&(last + 1 - first));
    (unbroken && long && matches!(ink, 0x08 | 0x0C | 0x10 | 0x18 | 0x30)).then_some('|')
}
