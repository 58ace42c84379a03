//! Tables for people: columns of equal width.

use std::io::{self, Write};

/// The space between two columns.
const GAP: &str = "  ";
/// No column is made narrower.
const NARROWEST: usize = 8;

/// The lines of a table, two spaces between its columns. Words stand to the left, what is in the columns named `right` to the right.
pub fn aligned<Row: AsRef<[String]>>(rows: &[Row], right: &[usize]) -> Vec<String> {
    let widths = widths(rows);
    let line = |row: &Row| {
        let cells = row.as_ref().iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, &width))| {
            if right.contains(&column) {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            }
        });
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Writes columns as wide as their widest cell; those named stand to the right.
pub(crate) fn table(out: &mut impl Write, rows: &[Vec<String>], right: &[usize]) -> io::Result<()> {
    aligned(rows, right)
        .iter()
        .try_for_each(|line| writeln!(out, "{line}"))
}

/// The same in lines of so many characters at most, unless there are too many columns: of the widest ones the middle is left out.
pub fn fitted<Row: AsRef<[String]>>(rows: &[Row], right: &[usize], longest: usize) -> Vec<String> {
    let mut widths = widths(rows);
    while total(&widths) > longest {
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            _ => break,
        }
    }
    let row = |row: &Row| -> Vec<String> {
        let cells = row.as_ref().iter().zip(&widths);
        cells.map(|(cell, &width)| shortened(cell, width)).collect()
    };
    aligned(&rows.iter().map(row).collect::<Vec<_>>(), right)
}

/// A text of so many characters at most, without its middle where it is longer.
pub fn shortened(text: &str, longest: usize) -> String {
    let length = text.chars().count();
    if length <= longest {
        return text.to_owned();
    }
    let kept = longest.saturating_sub(1);
    let behind = kept / 2;
    let before = text.chars().take(kept - behind);
    before
        .chain(['…'])
        .chain(text.chars().skip(length - behind))
        .collect()
}

/// The width of a line with columns of these widths.
pub fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1)
}

fn widths<Row: AsRef<[String]>>(rows: &[Row]) -> Vec<usize> {
    let columns = rows.iter().map(|row| row.as_ref().len()).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.as_ref().get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    (0..columns).map(width).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_wide_loses_its_middle() {
        let row = |words: [&str; 2]| words.map(ToOwned::to_owned);
        let rows = [row(["a-name-of-many-words", "12"]), row(["b", "3"])];
        assert_eq!(
            fitted(&rows, &[1], 14),
            ["a-nam…ords  12", "b            3"]
        );
        assert_eq!(fitted(&rows, &[1], 24), aligned(&rows, &[1]));
        assert_eq!(shortened("abcdef", 4), "ab…f");
    }
}
