//! A comparison of two tools or two runs, for people.

use std::io::{self, Write};

use scenarios::{
    compare::{ComparedCell, Comparison},
    difference::Difference,
    gate,
    results::Results,
};

use super::{
    gate::{in_a_line, print_causes},
    output::{Detail, Output},
};
use crate::{
    columns::fitted,
    terminal::{BAD, CAUTION, FAINT, HEAD, Terminal, WIDTH},
};

/// So many cells of each kind are told one by one; all are in the results.
const CELLS: usize = 40;
/// How far the lines below a cell stand to the right.
const INDENT: usize = 2;

/// Prints what changed since an earlier run, by cause, or what differs between two tools, and then how many cells do.
pub(super) fn print(
    to: &mut Terminal<impl Write>,
    results: &Results,
    comparison: &Comparison,
    output: &Output<'_>,
) -> io::Result<()> {
    let causes = gate::causes_against(&results.cells, comparison);
    print_causes(to, results, &causes, output)?;
    if causes.is_empty() || output.detail == Detail::Verbose {
        print_cells(to, comparison)?;
    }
    if let Some(notes) = in_a_line(&gate::notes_against(comparison)) {
        to.paint(FAINT, format_args!("\nnoted: {notes}"))?;
        writeln!(to)?;
    }
    writeln!(to)?;
    to.paint(HEAD, format_args!("against {}:", comparison.against))?;
    writeln!(to, " {}", sentence(comparison))
}

/// Prints the cells one by one, those that boot differently first.
pub(super) fn print_cells(
    to: &mut Terminal<impl Write>,
    comparison: &Comparison,
) -> io::Result<()> {
    let boots_differently = |cell: &&ComparedCell| cell.counts();
    let cells = comparison.cells.iter();
    let cells = cells.filter(|cell| !cell.differences.is_empty());
    let (boot, structure): (Vec<_>, Vec<_>) = cells.partition(boots_differently);
    let sections = [
        (boot, BAD, "boots differently"),
        (
            structure,
            CAUTION,
            "boots the same, from a disc of another structure",
        ),
    ];
    for (cells, style, what) in sections {
        for cell in cells.iter().take(CELLS) {
            writeln!(to)?;
            to.paint(style, &cell.id)?;
            writeln!(to, ": {what}")?;
            let rows = rows(cell, &comparison.against);
            rows.iter()
                .try_for_each(|row| writeln!(to, "{:INDENT$}{row}", ""))?;
        }
        if cells.len() > CELLS {
            writeln!(to, "\nand {} more: see the results", cells.len() - CELLS)?;
        }
    }
    for (ids, where_to) in [
        (&comparison.only_here, "here"),
        (&comparison.only_there, "there"),
    ] {
        if !ids.is_empty() {
            writeln!(to, "\nseen only {where_to}:")?;
            ids.iter()
                .take(CELLS)
                .try_for_each(|id| writeln!(to, "  {id}"))?;
        }
        if ids.len() > CELLS {
            writeln!(to, "  and {} more", ids.len() - CELLS)?;
        }
    }
    Ok(())
}

/// `12 the same, 3 boot differently`.
pub(super) fn sentence(comparison: &Comparison) -> String {
    let totals = &comparison.totals;
    let started = totals.same + totals.differ + totals.only_here;
    if totals.not_started > 0 && started == 0 {
        return "nothing to compare: the disc does not start before the edit, with any firmware or attachment"
            .to_owned();
    }
    let parts = [
        (totals.same, "the same"),
        (
            totals.structure_only,
            "boot the same from a disc of another structure",
        ),
        (totals.differ, "boot differently"),
        (totals.not_started, "did not start before the edit"),
        (totals.only_here, "seen only here"),
        (totals.only_there, "seen only there"),
        (
            totals.without_evidence,
            "compared only by outcome and findings, because there is no folder cells next to the earlier results.json; this is not a pass",
        ),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    if parts.is_empty() {
        "nothing to compare".to_owned()
    } else {
        parts.join(", ")
    }
}

/// A header, and a row for each difference: what, here, there.
fn rows(cell: &ComparedCell, against: &str) -> Vec<String> {
    let part = |id: &str| id.split('/').nth(4).unwrap_or_default().to_owned();
    let (here, there) = (part(&cell.id), part(&cell.other));
    let header = if here == there {
        ["".to_owned(), "now".to_owned(), against.to_owned()]
    } else {
        ["".to_owned(), here, there]
    };
    let all = cell.differences.all();
    let row = |difference: &Difference| {
        [&difference.what, &difference.is, &difference.was].map(ToOwned::to_owned)
    };
    let table: Vec<[String; 3]> = std::iter::once(header).chain(all.map(row)).collect();
    fitted(&table, &[], WIDTH - INDENT)
}
