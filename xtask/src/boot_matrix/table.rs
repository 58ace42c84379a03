//! The results, for people.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
    time::Duration,
};

use harness::{observation::Start, outcome::Outcome};
use scenarios::results::{CellResult, Differs, Results, Totals, Verdict};

use super::{comparison, flips};
use crate::columns::aligned;

/// Prints the table of scenarios and firmware, and what is not as it should be.
pub(super) fn print(
    to: &mut impl Write,
    results: &Results,
    out: &Path,
    took: Duration,
) -> io::Result<()> {
    writeln!(to)?;
    for line in rows(results) {
        writeln!(to, "{line}")?;
    }
    print_problems(to, results, out)?;
    print_observed(to, results)?;
    print_contradictions(to, results)?;
    print_unseen(to, results)?;
    if let Some(comparison) = &results.comparison {
        comparison::print(to, comparison)?;
    }
    flips::print(to, results)?;
    print_starts(to, results, out)?;
    print_totals(to, &results.totals, out, took)
}

/// The table's lines: a header, and one for each scenario on each firmware.
pub(super) fn rows(results: &Results) -> Vec<String> {
    let mut groups: BTreeMap<(&str, &str), (Vec<Verdict>, u64)> = BTreeMap::new();
    for cell in &results.cells {
        let group = groups.entry((&cell.scenario, &cell.firmware)).or_default();
        group.0.push(cell.verdict);
        group.1 += cell.duration_ms;
    }
    let mut table = vec![
        [
            "scenario",
            "firmware",
            "cells",
            "as expected",
            "mismatch",
            "skipped",
            "infra",
            "seconds",
        ]
        .map(String::from),
    ];
    for ((scenario, firmware), (verdicts, millis)) in groups {
        let totals = Totals::count(verdicts);
        let count = |number: usize| {
            if number == 0 {
                "·".to_owned()
            } else {
                number.to_string()
            }
        };
        table.push([
            scenario.to_owned(),
            firmware.to_owned(),
            totals.cells.to_string(),
            count(totals.as_expected + totals.observed),
            count(totals.mismatch),
            count(totals.skipped),
            count(totals.infra),
            format!("{}.{}", millis / 1000, millis % 1000 / 100),
        ]);
    }
    aligned(&table, &[2, 3, 4, 5, 6, 7])
}

/// So many problems are told one by one; all are in the results.
const PROBLEMS: usize = 40;
/// So many cells are named for each reason why nothing was seen.
const EXAMPLES: usize = 3;
/// So many lines of each problem.
const LINES: usize = 16;

fn print_problems(to: &mut impl Write, results: &Results, out: &Path) -> io::Result<()> {
    let is_new = |record: &&CellResult| record.differs == [Differs::New];
    let problems = results
        .cells
        .iter()
        .filter(|record| record.verdict == Verdict::Mismatch);
    let (new, problems): (Vec<_>, Vec<_>) = problems.partition(is_new);
    for record in problems.iter().take(PROBLEMS) {
        print_problem(to, record, out)?;
    }
    if problems.len() > PROBLEMS {
        writeln!(
            to,
            "\nand {} more: see the results",
            problems.len() - PROBLEMS
        )?;
    }
    if !new.is_empty() {
        writeln!(
            to,
            "\n{} as declared, but with nothing accepted to compare with; --accept takes what was seen:",
            new.len()
        )?;
        new.iter()
            .take(PROBLEMS)
            .try_for_each(|record| writeln!(to, "  {}", record.id))?;
    }
    if new.len() > PROBLEMS {
        writeln!(to, "  and {} more", new.len() - PROBLEMS)?;
    }
    Ok(())
}

fn print_problem(to: &mut impl Write, record: &CellResult, out: &Path) -> io::Result<()> {
    let differs: Vec<String> = record.differs.iter().map(ToString::to_string).collect();
    writeln!(to, "\n{}: {}", record.id, differs.join(", "))?;
    let lines: Vec<&str> = record
        .reason
        .iter()
        .flat_map(|reason| reason.lines())
        .collect();
    for line in lines.iter().take(LINES) {
        writeln!(to, "  {line}")?;
    }
    if lines.len() > LINES {
        writeln!(to, "  …")?;
    }
    if !record.findings.is_empty() {
        writeln!(to, "  on the disc: {}", record.findings.join(", "))?;
    }
    if let Some(expected) = &record.expected
        && record.differs.contains(&Differs::Outcome)
    {
        writeln!(to, "  expected because: {}", expected.because)?;
    }
    writeln!(to, "  evidence: {}", out.join(&record.evidence).display())
}

/// What happened where nothing was declared.
fn print_observed(to: &mut impl Write, results: &Results) -> io::Result<()> {
    let of_kind = |record: &&CellResult| record.verdict == Verdict::Observed;
    let observed: Vec<_> = results.cells.iter().filter(of_kind).collect();
    let mut told: BTreeMap<&str, &[String]> = BTreeMap::new();
    for record in observed.iter().take(PROBLEMS) {
        let what = record.outcome.as_ref().map(in_words).unwrap_or_default();
        writeln!(to, "\n{}: {what}", record.id)?;
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

/// `refused 0009 at catalog-read (Could not read from CDROM)`.
fn in_words(outcome: &Outcome) -> String {
    let code = outcome.code.iter().map(|code| format!(" {code}"));
    let detail = Some(&outcome.detail).filter(|detail| !detail.is_empty());
    let detail = detail
        .map(|detail| format!(" ({detail})"))
        .unwrap_or_default();
    format!(
        "{}{} at {}{detail}",
        outcome.kind,
        code.collect::<String>(),
        outcome.stage
    )
}

/// What a baseline accepts although a scenario declares something else.
fn print_contradictions(to: &mut impl Write, results: &Results) -> io::Result<()> {
    let contradicts = |record: &&CellResult| !record.contradicts.is_empty();
    let records: Vec<_> = results.cells.iter().filter(contradicts).collect();
    if records.is_empty() {
        return Ok(());
    }
    writeln!(
        to,
        "\n{} as the baseline says, which is not what the scenarios declare:",
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

/// Cells of which nothing was seen, by reason: there may be many with the same.
fn print_unseen(to: &mut impl Write, results: &Results) -> io::Result<()> {
    let mut reasons: BTreeMap<(&str, String), Vec<&CellResult>> = BTreeMap::new();
    for record in results
        .cells
        .iter()
        .filter(|record| matches!(record.verdict, Verdict::Skipped | Verdict::Infra))
    {
        reasons
            .entry((record.verdict.as_str(), record.reason.join("\n")))
            .or_default()
            .push(record);
    }
    for ((verdict, reason), records) in reasons {
        let reason = reason.replace('\n', "\n  ");
        writeln!(to, "\n{} {verdict}: {reason}", records.len())?;
        for record in records.iter().take(EXAMPLES) {
            writeln!(to, "  {}", record.id)?;
        }
        if records.len() > EXAMPLES {
            writeln!(to, "  and {} more", records.len() - EXAMPLES)?;
        }
    }
    Ok(())
}

/// From where the machines started, and which showed something else from a checkpoint.
fn print_starts(to: &mut impl Write, results: &Results, out: &Path) -> io::Result<()> {
    let count = |start| {
        let of_kind = |record: &&CellResult| record.start == Some(start);
        results.cells.iter().filter(of_kind).count()
    };
    writeln!(
        to,
        "\n{} machines from a checkpoint, {} from power-on",
        count(Start::Warm),
        count(Start::Cold)
    )?;
    let differ = results
        .cells
        .iter()
        .filter(|record| !record.warm_differs.is_empty() && record.verdict != Verdict::Mismatch);
    for record in differ {
        writeln!(
            to,
            "  {} was not the same from a checkpoint, and counts from power-on: {}\n    evidence: {}",
            record.id,
            record.warm_differs.join("; "),
            out.join(&record.evidence).join("warm").display()
        )?;
    }
    Ok(())
}

fn print_totals(
    to: &mut impl Write,
    totals: &Totals,
    out: &Path,
    took: Duration,
) -> io::Result<()> {
    writeln!(to, "\n{}, in {:.1} s", sentence(totals), took.as_secs_f64())?;
    writeln!(to, "results: {}", Results::file(out).display())
}

/// `12 cells: 11 as expected, 1 mismatch`.
pub(super) fn sentence(totals: &Totals) -> String {
    let parts = [
        (totals.as_expected, "as expected"),
        (totals.observed, "observed"),
        (totals.mismatch, "mismatch"),
        (totals.skipped, "skipped"),
        (totals.infra, "infra"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let cells = if totals.cells == 1 { "cell" } else { "cells" };
    format!("{} {cells}: {}", totals.cells, parts.join(", "))
}
