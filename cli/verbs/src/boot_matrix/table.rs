//! The results, for people: a table, what is not as it should be, and the totals.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    path::Path,
};

use harness::observation::Start;
use scenarios::{
    compare::With,
    record::{self, CellResult, Verdict},
    results::{Results, Totals},
};

use super::{
    comparison, flips, gate,
    output::{Detail, ERROR, Output, PROBLEMS, in_words, paint_marks, sentence},
    problems,
};
use crate::{
    columns::{self, fitted},
    place,
    terminal::{BAD, CAUTION, FAINT, GOOD, HEAD, Terminal, WIDTH},
};

/// Prints the table of scenarios and firmware, and what is not as it should be.
pub(super) fn print(
    to: &mut Terminal<impl Write>,
    results: &Results,
    output: &Output<'_>,
) -> io::Result<()> {
    // A gate that is red says why, and nothing else.
    let of_edit = results.comparison.as_ref();
    let of_edit = of_edit.filter(|it| it.with == With::Edit);
    let is_red = (gate::is_one(results) && results.totals.mismatch > 0)
        || of_edit.is_some_and(|it| it.changed().next().is_some());
    let output = &Output {
        detail: match output.detail {
            Detail::Normal if is_red => Detail::Quiet,
            detail => detail,
        },
        ..*output
    };
    if output.detail > Detail::Quiet {
        print_table(to, results)?;
    }
    if output.detail == Detail::Verbose {
        print_as_expected(to, results)?;
    }
    if gate::is_one(results) {
        gate::print(to, results, output)?;
    }
    if !gate::is_one(results) || output.detail == Detail::Verbose {
        problems::print(to, results, output)?;
    }
    if output.detail > Detail::Quiet {
        print_observed(to, results)?;
        print_contradictions(to, results)?;
    }
    print_unseen(to, results, output.detail)?;
    if let Some(comparison) = &results.comparison {
        comparison::print(to, results, comparison, output)?;
    }
    if output.detail > Detail::Quiet {
        flips::print(to, results)?;
        print_starts(to, results)?;
    }
    print_flaky(to, results, output.out)?;
    print_totals(to, &results.totals, output)
}

/// What stands behind a number of cells, and what it means. A number alone is of those as expected.
const MARKS: [(char, &str); 3] = [('✗', "mismatch"), ('!', ERROR), ('–', "skipped")];

fn print_table(to: &mut Terminal<impl Write>, results: &Results) -> io::Result<()> {
    for block in blocks(results) {
        writeln!(to)?;
        for (number, line) in block.iter().enumerate() {
            if number == 0 {
                to.paint(HEAD, line)?;
            } else {
                paint_marks(to, line)?;
            }
            writeln!(to)?;
        }
    }
    let totals = &results.totals;
    if totals.mismatch + totals.infra + totals.skipped > 0 {
        writeln!(to)?;
        let legend = MARKS.map(|(mark, what)| format!("{mark} {what}"));
        to.paint(
            FAINT,
            format_args!("a number alone: as expected, {}", legend.join(", ")),
        )?;
        writeln!(to)?;
    }
    Ok(())
}

/// The table's lines.
pub(super) fn rows(results: &Results) -> Vec<String> {
    blocks(results).join(&String::new())
}

/// So many characters of a scenario's name.
const NAME: usize = 32;

/// The table: a line for each scenario and a column for each firmware, in as many blocks as it takes to keep lines short.
fn blocks(results: &Results) -> Vec<Vec<String>> {
    let mut scenarios: BTreeMap<&str, BTreeMap<&str, Vec<Verdict>>> = BTreeMap::new();
    let mut millis: BTreeMap<&str, u64> = BTreeMap::new();
    let mut firmware: BTreeSet<&str> = BTreeSet::new();
    for cell in &results.cells {
        let verdicts = scenarios.entry(&cell.scenario).or_default();
        verdicts
            .entry(&cell.firmware)
            .or_default()
            .push(cell.verdict);
        *millis.entry(&cell.scenario).or_default() += cell.duration_ms;
        firmware.insert(&cell.firmware);
    }
    let column = |head: &str, cell: &dyn Fn(&str) -> String| -> Vec<String> {
        let cells = scenarios.keys().map(|scenario| cell(scenario));
        std::iter::once(head.to_owned()).chain(cells).collect()
    };
    let names = column("scenario", &|scenario| columns::shortened(scenario, NAME));
    let mut all: Vec<Vec<String>> = firmware
        .iter()
        .map(|firmware| {
            let verdicts = |scenario: &str| scenarios.get(scenario).and_then(|it| it.get(firmware));
            column(firmware, &|scenario| {
                verdicts(scenario).map_or_else(|| "·".to_owned(), |all| counted(all))
            })
        })
        .collect();
    all.push(column("seconds", &|scenario| {
        let millis = millis.get(scenario).copied().unwrap_or_default();
        format!("{}.{}", millis / 1000, millis % 1000 / 100)
    }));
    in_blocks(&names, all)
}

/// As many columns beside the names as fit into a line, then the others.
fn in_blocks(names: &[String], mut columns: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let width = |column: &[String]| column.iter().map(|cell| cell.chars().count()).max();
    let mut blocks = Vec::new();
    while !columns.is_empty() {
        let mut widths = vec![width(names).unwrap_or_default()];
        let fits = |column: &&Vec<String>| {
            widths.push(width(column).unwrap_or_default());
            columns::total(&widths) <= WIDTH
        };
        let fitting = columns.iter().take_while(fits).count().max(1);
        let block: Vec<Vec<String>> = columns.drain(..fitting).collect();
        let row = |(number, name): (usize, &String)| -> Vec<String> {
            let cells = block.iter().filter_map(|column| column.get(number));
            std::iter::once(name).chain(cells).cloned().collect()
        };
        let rows: Vec<Vec<String>> = names.iter().enumerate().map(row).collect();
        blocks.push(fitted(&rows, &Vec::from_iter(1..=fitting), WIDTH));
    }
    blocks
}

/// `12`, or `11 1✗`.
fn counted(verdicts: &[Verdict]) -> String {
    let totals = Totals::count(verdicts.iter().copied());
    let good = totals.as_expected + totals.observed;
    let good = (good > 0).then(|| good.to_string());
    let [mismatch, infra, skipped] = MARKS.map(|(mark, _)| mark);
    let others = [
        (totals.mismatch, mismatch),
        (totals.infra, infra),
        (totals.skipped, skipped),
    ];
    let others = others.into_iter().filter(|(number, _)| *number > 0);
    let others = others.map(|(number, mark)| format!("{number}{mark}"));
    good.into_iter().chain(others).collect::<Vec<_>>().join(" ")
}

/// So many cells are named for each reason why nothing was seen.
const EXAMPLES: usize = 3;

/// What is as it should be, a line for each cell.
fn print_as_expected(to: &mut Terminal<impl Write>, results: &Results) -> io::Result<()> {
    for record in &results.cells {
        if record.verdict == Verdict::AsExpected && record.outcome.is_some() {
            to.paint(GOOD, "✓")?;
            let seconds = record.duration_ms as f64 / 1000.0;
            writeln!(to, " {}: {} in {seconds:.1} s", record.id, in_words(record))?;
        }
    }
    Ok(())
}

/// What happened where nothing was declared.
fn print_observed(to: &mut Terminal<impl Write>, results: &Results) -> io::Result<()> {
    let of_kind = |record: &&CellResult| record.verdict == Verdict::Observed;
    let observed: Vec<_> = results.cells.iter().filter(of_kind).collect();
    let mut told: BTreeMap<&str, &[String]> = BTreeMap::new();
    for record in observed.iter().take(PROBLEMS) {
        writeln!(to, "\n{}: {}", record.id, in_words(record))?;
        if let Some(starts) = record.starts_in_words() {
            writeln!(to, "  {starts}")?;
        }
        // A disc is the same for all of its cells.
        let disc = (record.boot.as_str(), &record.findings[..]);
        if told.insert(disc.0, disc.1) != Some(disc.1) && !disc.1.is_empty() {
            writeln!(to, "  on the disc: {}", disc.1.join(", "))?;
        }
    }
    if observed.len() > PROBLEMS {
        writeln!(
            to,
            "\nand {} more: see the results",
            observed.len() - PROBLEMS
        )?;
    }
    Ok(())
}

/// What a baseline accepts although a scenario declares something else.
pub(super) fn print_contradictions(
    to: &mut Terminal<impl Write>,
    results: &Results,
) -> io::Result<()> {
    let contradicts = |record: &&CellResult| !record.contradicts.is_empty();
    let records: Vec<_> = results.cells.iter().filter(contradicts).collect();
    if records.is_empty() {
        return Ok(());
    }
    writeln!(
        to,
        "\n{} as the baseline records, although the scenarios declare something else:",
        records.len()
    )?;
    for record in records.iter().take(PROBLEMS) {
        writeln!(to, "  {}: {}", record.id, record.contradicts.join("; "))?;
    }
    if records.len() > PROBLEMS {
        writeln!(to, "  and {} more", records.len() - PROBLEMS)?;
    }
    Ok(())
}

/// Cells of which nothing was seen, by reason: there may be many with the same. What is skipped is no failure.
fn print_unseen(
    to: &mut Terminal<impl Write>,
    results: &Results,
    detail: Detail,
) -> io::Result<()> {
    let mut reasons: BTreeMap<(&str, String), Vec<&CellResult>> = BTreeMap::new();
    for record in &results.cells {
        let is_told = match record.verdict {
            Verdict::Infra => true,
            Verdict::Skipped => detail > Detail::Quiet,
            _ => false,
        };
        if is_told {
            let reason = (record.verdict.as_str(), record.reason.join("\n"));
            reasons.entry(reason).or_default().push(record);
        }
    }
    let examples = match detail {
        Detail::Verbose => usize::MAX,
        Detail::Normal | Detail::Quiet => EXAMPLES,
    };
    for ((verdict, reason), records) in reasons {
        writeln!(to)?;
        let style = if verdict == Verdict::Infra.as_str() {
            CAUTION
        } else {
            FAINT
        };
        let what = if verdict == Verdict::Infra.as_str() {
            ERROR
        } else {
            verdict
        };
        to.paint(style, format_args!("{} {what}:", records.len()))?;
        writeln!(to, " {}", reason.replace('\n', "\n  "))?;
        for record in records.iter().take(examples) {
            writeln!(to, "  {}", record.id)?;
        }
        if records.len() > examples {
            writeln!(to, "  and {} more", records.len() - examples)?;
        }
    }
    Ok(())
}

/// From where the machines started.
fn print_starts(to: &mut Terminal<impl Write>, results: &Results) -> io::Result<()> {
    let count = |start| {
        let of_kind = |record: &&CellResult| record.start == Some(start);
        results.cells.iter().filter(of_kind).count()
    };
    let warm = count(Start::Warm);
    let s = if warm == 1 { "" } else { "s" };
    let cold = count(Start::Cold);
    writeln!(
        to,
        "\n{warm} machine{s} from a checkpoint, {cold} from power-on"
    )
}

/// Which cells failed at first, and not when they were tried again. It is told always: what passes in the end is no pass.
fn print_flaky(to: &mut Terminal<impl Write>, results: &Results, out: &Path) -> io::Result<()> {
    for record in &results.cells {
        if record.flaky.is_empty() {
            continue;
        }
        let (why, _) = problems::first_of(&record.flaky);
        writeln!(to)?;
        to.paint(CAUTION, "flaky")?;
        writeln!(
            to,
            "  {}\n  failed at first, but not when it was tried again: {}",
            record.id, why
        )?;
        let first = out.join(&record.evidence).join(record::WARM);
        if first.is_dir() {
            writeln!(
                to,
                "  what was seen then: {}",
                place::shown(&first).display()
            )?;
        }
    }
    Ok(())
}

fn print_totals(
    to: &mut Terminal<impl Write>,
    totals: &Totals,
    output: &Output<'_>,
) -> io::Result<()> {
    let style = match totals.exit_code() {
        0 => GOOD,
        1 => BAD,
        _ => CAUTION,
    };
    writeln!(to)?;
    to.paint(style, sentence(totals))?;
    match output.took {
        Some(took) => writeln!(to, ", in {:.1} s", took.as_secs_f64())?,
        None => writeln!(to)?,
    }
    let file = Results::file(output.out);
    writeln!(to, "results: {}", place::shown(&file).display())
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
