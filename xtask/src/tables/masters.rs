//! What differs between the mastering tools.

use std::{collections::BTreeMap, path::Path};

use scenarios::{cell::Cell, id::ABSENT, matrix::Matrix, words::Set};

use super::{
    accepted,
    markdown::{firmware_name, markdown_table},
};

/// The tools, as they stand beside each other; what is not named follows.
pub(super) const ORDER: [&str; 13] = [
    "reference",
    "xorriso",
    "xorriso-mkrescue",
    "xorriso-appended",
    "genisoimage",
    "bsdtar",
    "pycdlib",
    "pycdlib-pypi",
    "grub-mkrescue",
    "makefs",
    "hadris",
    "mkisofs-rs",
    "systemd-repart",
];

/// What stands where a tool has no words for a disc, or nobody asks it.
const NOTHING: &str = "–";

/// What happens with each tool's disc, in the order of the columns.
type Outcomes = Vec<String>;

/// What is asked of every tool, and what happens.
struct Row {
    scenario: String,
    boot: String,
    /// Media and sizes that are one row, as written.
    media: Vec<String>,
    sizes: Vec<String>,
    firmware: String,
    attachments: Vec<String>,
    outcomes: Outcomes,
}

/// The table and the sentence on everything that it leaves out.
pub(super) fn table(_: &Path, matrix: &Matrix) -> Result<String, String> {
    let cells: Vec<Cell> = matrix
        .cells()
        .filter(|cell| cell.set == Set::Masters)
        .collect();
    let tools = tools(&cells);
    let (agreeing, differing): (Vec<Row>, Vec<Row>) = merged(rows(&cells, &tools)?)
        .into_iter()
        .partition(|row| agree(&row.outcomes));
    let mut head = vec!["disc".to_owned(), "size".to_owned(), "firmware".to_owned()];
    head.extend(tools.iter().map(|&tool| tool.to_owned()));
    let rows: Vec<Vec<String>> = differing
        .iter()
        .map(|row| {
            let mut cells = vec![
                format!("`{}`", row.boot),
                row.size(),
                row.machine(&differing),
            ];
            cells.extend(row.outcomes.iter().cloned());
            cells
        })
        .collect();
    let asked = |rows: &[Row]| rows.iter().map(Row::asked).sum::<usize>();
    let summary = summary(&agreeing, asked(&agreeing) + asked(&differing));
    Ok(format!("{}\n{summary}", markdown_table(&head, &rows)))
}

fn tools(cells: &[Cell]) -> Vec<&str> {
    let mut tools: Vec<&str> = cells.iter().map(master).collect();
    let place = |tool: &str| ORDER.iter().position(|&known| known == tool);
    tools.sort_by_key(|&tool| (place(tool).unwrap_or(ORDER.len()), tool));
    tools.dedup();
    tools
}

fn master(cell: &Cell) -> &str {
    cell.id.as_str().split('/').nth(4).unwrap_or_default()
}

/// One row for each thing that is asked, in the order of the scenarios.
fn rows(cells: &[Cell], tools: &[&str]) -> Result<Vec<Row>, String> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut rows: Vec<Row> = Vec::new();
    for cell in cells {
        let disc = cell.id.disc();
        let (medium, boot, size) = (disc.medium(), disc.boot(), disc.size());
        let firmware = cell.id.firmware_family();
        let key = format!(
            "{}/{medium}/{boot}/{size}/{firmware}/{}",
            disc.scenario(),
            cell.id.attachment()
        );
        let place = *places.entry(key).or_insert_with(|| {
            rows.push(Row {
                scenario: disc.scenario().to_owned(),
                boot: boot.to_owned(),
                media: vec![medium.to_owned()],
                sizes: vec![size.to_owned()],
                firmware: firmware_name(firmware).to_owned(),
                attachments: vec![cell.id.attachment().to_owned()],
                outcomes: vec![NOTHING.to_owned(); tools.len()],
            });
            rows.len() - 1
        });
        if let Some(column) = tools.iter().position(|&tool| tool == master(cell)) {
            rows[place].outcomes[column] = accepted::outcome(cell)?;
        }
    }
    Ok(rows)
}

/// Whether every tool that has words for a disc makes one that does the same.
fn agree(outcomes: &Outcomes) -> bool {
    let mut said = outcomes.iter().filter(|outcome| *outcome != NOTHING);
    let first = said.next();
    said.all(|outcome| Some(outcome) == first)
}

/// The rows with those in one that follow each other and differ in size alone, then in the medium alone, then in the
/// attachment alone.
fn merged(rows: Vec<Row>) -> Vec<Row> {
    let rows = merged_by(rows, |row| &mut row.sizes);
    let rows = merged_by(rows, |row| &mut row.media);
    merged_by(rows, |row| &mut row.attachments)
}

fn merged_by(rows: Vec<Row>, axis: fn(&mut Row) -> &mut Vec<String>) -> Vec<Row> {
    let mut merged: Vec<Row> = Vec::new();
    for mut row in rows {
        let words = std::mem::take(axis(&mut row));
        let neighbour = merged.iter_mut().rev().find_map(|other| {
            let others = std::mem::take(axis(other));
            let same = row.asks_the_same(other);
            *axis(other) = others;
            same.then_some(other)
        });
        match neighbour {
            Some(other) if other.outcomes == row.outcomes => axis(other).extend(words),
            _ => {
                *axis(&mut row) = words;
                merged.push(row);
            }
        }
    }
    merged
}

impl Row {
    fn asks_the_same(&self, other: &Self) -> bool {
        self.scenario == other.scenario
            && self.boot == other.boot
            && self.media == other.media
            && self.sizes == other.sizes
            && self.firmware == other.firmware
            && self.attachments == other.attachments
    }

    /// How many things it asks.
    fn asked(&self) -> usize {
        self.media.len() * self.sizes.len() * self.attachments.len()
    }

    /// `65535s … 65540s`, or `quarter±1s of cd-80`.
    fn size(&self) -> String {
        let sizes = match &self.sizes[..] {
            [size] if size == ABSENT => "the mode's own".to_owned(),
            [size] => format!("`{size}`"),
            [below, middle, above]
                if *below == format!("{middle}-1s") && *above == format!("{middle}+1s") =>
            {
                format!("`{middle}±1s`")
            }
            [first, .., last] => format!("`{first}` … `{last}`"),
            [] => String::new(),
        };
        match &self.media[..] {
            [medium] if medium == ABSENT => sizes,
            media => format!("{sizes} of {}", media.join(", ")),
        }
    }

    /// The firmware, and the attachment where another row differs by that.
    fn machine(&self, rows: &[Self]) -> String {
        let ambiguous = rows.iter().any(|other| {
            self.boot == other.boot
                && self.media == other.media
                && self.sizes == other.sizes
                && self.firmware == other.firmware
                && self.attachments != other.attachments
        });
        if ambiguous {
            format!("{}, {}", self.firmware, self.attachments.join(", "))
        } else {
            self.firmware.clone()
        }
    }
}

/// What the rows do that are not in the table.
fn summary(agreeing: &[Row], asked: usize) -> String {
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for row in agreeing {
        let outcome = row.outcomes.iter().find(|outcome| *outcome != NOTHING);
        *outcomes
            .entry(outcome.map_or(NOTHING, |outcome| outcome))
            .or_default() += row.asked();
    }
    let mut outcomes: Vec<_> = outcomes.into_iter().collect();
    outcomes.sort_by_key(|&(outcome, count)| (std::cmp::Reverse(count), outcome));
    let outcomes: Vec<String> = outcomes
        .into_iter()
        .map(|(outcome, count)| format!("{outcome} {count}×"))
        .collect();
    format!(
        "Of {asked} combinations of disc, firmware and attachment, all tools whose description covers the disc agree on {}: {}.",
        agreeing.iter().map(Row::asked).sum::<usize>(),
        outcomes.join(", ")
    )
}
