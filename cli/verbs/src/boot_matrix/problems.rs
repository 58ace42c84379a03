//! What is not as it should be: why, where to look, and what to type next.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use scenarios::{
    record::{CellResult, Differs, Verdict},
    results::Results,
};

use super::{
    again::again,
    output::{Detail, Output, PROBLEMS},
    review,
};
use crate::{
    place::shown,
    terminal::{BAD, CAUTION, FAINT, TYPED, Terminal},
};

/// Prints each cell that is a mismatch, unless an earlier run tells the cause; those of which nothing was accepted yet as a list.
pub(super) fn print(
    to: &mut Terminal<impl Write>,
    results: &Results,
    output: &Output<'_>,
) -> io::Result<()> {
    let told = match &results.comparison {
        Some(comparison) if output.detail < Detail::Verbose => {
            comparison.changed().map(|it| &*it.id).collect()
        }
        _ => BTreeSet::new(),
    };
    let problems = results
        .cells
        .iter()
        .filter(|record| record.verdict == Verdict::Mismatch && !told.contains(&*record.id));
    let is_new = |record: &&CellResult| record.differs == [Differs::New];
    let (new, problems): (Vec<_>, Vec<_>) = problems.partition(is_new);
    let most = match output.detail {
        Detail::Verbose => usize::MAX,
        Detail::Normal | Detail::Quiet => PROBLEMS,
    };
    for record in problems.iter().take(most) {
        print_problem(to, record, output)?;
    }
    if problems.len() > most {
        let more = problems.len() - most;
        writeln!(to, "\nand {more} more: -v, or see the results")?;
    }
    print_new(to, &new, most, output)
}

fn print_problem(
    to: &mut Terminal<impl Write>,
    record: &CellResult,
    output: &Output<'_>,
) -> io::Result<()> {
    let differs: Vec<String> = record.differs.iter().map(ToString::to_string).collect();
    writeln!(to)?;
    to.paint(BAD, format_args!("✗ {}", record.id))?;
    writeln!(to, ": {}", differs.join(", "))?;
    if output.detail == Detail::Verbose {
        print_whole(to, record)?;
    } else {
        let (line, more) = headline(record);
        write!(to, "  {line}")?;
        if more > 0 {
            to.paint(FAINT, format_args!(" ({more} more with -v)"))?;
        }
        writeln!(to)?;
    }
    let evidence = output.out.join(&record.evidence);
    writeln!(to, "  evidence: {}", shown(&evidence).display())?;
    write!(to, "  next: ")?;
    to.paint(TYPED, again(output.out, Some(&record.id), None))?;
    writeln!(to)?;
    if let Some(accept) = output.accept.filter(|_| review::is_acceptable(record)) {
        writeln!(to, "  if this is intended: the same command with {accept}")?;
    }
    Ok(())
}

/// Everything that is known of why.
fn print_whole(to: &mut Terminal<impl Write>, record: &CellResult) -> io::Result<()> {
    for line in record.reason.iter().flat_map(|reason| reason.lines()) {
        writeln!(to, "  {line}")?;
    }
    if !record.findings.is_empty() {
        writeln!(to, "  on the disc: {}", record.findings.join(", "))?;
    }
    if let Some(expected) = &record.expected
        && record.differs.contains(&Differs::Outcome)
    {
        writeln!(to, "  expected because: {}", expected.because)?;
    }
    Ok(())
}

fn print_new(
    to: &mut Terminal<impl Write>,
    new: &[&CellResult],
    most: usize,
    output: &Output<'_>,
) -> io::Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let number = new.len();
    writeln!(to)?;
    to.paint(CAUTION, format_args!("{number} new:"))?;
    writeln!(
        to,
        " as declared, but no result was accepted yet to compare with"
    )?;
    for record in new.iter().take(most) {
        writeln!(to, "  {}", record.id)?;
    }
    if number > most {
        writeln!(to, "  and {} more", number - most)?;
    }
    write!(to, "  next: ")?;
    to.paint(TYPED, again(output.out, None, output.accept))?;
    writeln!(to)
}

/// The first reason in a line, and how many lines more there are.
pub(super) fn headline(record: &CellResult) -> (String, usize) {
    if record.differs == [Differs::New] {
        return ("nothing was accepted yet to compare with".to_owned(), 0);
    }
    first_of(&record.reason)
}

/// The first of several reasons in a line, and how many lines more they are.
pub(super) fn first_of(reasons: &[String]) -> (String, usize) {
    let lines = reasons.iter().flat_map(|reason| reason.lines());
    let lines = lines.filter(|line| !line.trim().is_empty()).count();
    let first = reasons.first().map_or("", String::as_str);
    match changed(first) {
        Some((line, told)) => (line, lines.saturating_sub(DIFF_HEAD + told)),
        None => {
            let line = first.lines().next().unwrap_or("no reason is known");
            (line.trim().to_owned(), lines.saturating_sub(1))
        }
    }
}

/// The lines of a diff before its first line: what is compared, and where.
const DIFF_HEAD: usize = 3;

/// The first lines that a diff takes away and adds, in words, and how many these are; nothing for what is no diff.
fn changed(reason: &str) -> Option<(String, usize)> {
    let lines = reason.strip_prefix("--- accepted\n+++ seen\n")?;
    let first = |sign| lines.lines().find_map(|line| line.strip_prefix(sign));
    match (first('-'), first('+')) {
        (Some(was), Some(is)) => Some((
            format!(
                "{:?} was accepted, but {:?} was seen",
                was.trim(),
                is.trim()
            ),
            2,
        )),
        (Some(was), None) => Some((
            format!("{:?} was accepted, but was not seen", was.trim()),
            1,
        )),
        (None, Some(is)) => Some((format!("{:?} was seen, but was not accepted", is.trim()), 1)),
        (None, None) => None,
    }
}
