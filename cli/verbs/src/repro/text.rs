//! For people at a terminal: the disc, a table of what happened, and why.

use std::{
    io::{self, Write},
    path::Path,
};

use harness::{attachment::Attachment, diagnosis::Diagnosis, guest::Starts, outcome::OutcomeKind};
use images::finding::{Finding, Severity};

use super::{
    boots::{Booted, ERROR, Failure, short},
    fix,
    report::{MARKDOWN, Report},
    screen, summary,
};
use crate::{
    boot_matrix::flips,
    columns::aligned,
    inspect::text::{Told, recipe_lines, write_disc},
    terminal::Terminal,
};

/// The paragraphs' width.
const WIDTH: usize = 96;

/// Writes it.
pub(super) fn write(
    to: &mut Terminal<impl Write>,
    report: &Report,
    booted: &[Booted],
    out: &Path,
) -> io::Result<()> {
    for line in summary::lines(booted) {
        writeln!(to, "{}", filled(&line))?;
    }
    writeln!(to)?;
    write_disc(to, &report.disc, &report.inspection)?;
    writeln!(to)?;
    for line in table(booted) {
        writeln!(to, "{line}")?;
    }
    for one in booted {
        if let Some((what, why)) = unseen(one) {
            writeln!(
                to,
                "{}",
                indented(&format!("{}: {what}: ", one.cell.id), &why)
            )?;
        }
    }
    if several_builds(booted) {
        flips::print(to, &report.results)?;
    }
    let mut calls = Vec::new();
    for diagnosis in &report.diagnosis {
        write_diagnosis(to, (report, diagnosis), booted, out, &mut calls)?;
    }
    let others = unexplained(report);
    if !others.is_empty() {
        writeln!(to, "\n{}", found(report))?;
    }
    for finding in others {
        let line = format!("{} ({})", finding.message, finding.id.as_str());
        writeln!(
            to,
            "{}",
            indented(&format!("{}: ", finding.severity.as_str()), &line)
        )?;
    }
    if let Some(compared) = &report.compared {
        writeln!(to, "\n{}", filled(&compared.sentence()))?;
    }
    if let Some(fix) = &report.fix {
        fix::print(to, &fix::lines(fix, booted, &report.diagnosis))?;
    }
    writeln!(to, "\nreport: {}", out.join(MARKDOWN).display())
}

/// What happened, the program's words as it said them, what explains it, and what is not known.
fn write_diagnosis<'r>(
    to: &mut Terminal<impl Write>,
    (report, diagnosis): (&'r Report, &Diagnosis),
    booted: &[Booted],
    out: &Path,
    calls: &mut Vec<Told<'r>>,
) -> io::Result<()> {
    let happened = diagnosis.happened();
    let why = [happened.then, &diagnosis.why()].join(" ");
    if happened.said.is_empty() {
        let whole = [happened.did, why.trim()].join(" ");
        writeln!(to, "\n{}", filled(whole.trim()))?;
    } else {
        writeln!(to, "\n{}", filled(happened.did))?;
        for line in &happened.said {
            writeln!(to, "    {line}")?;
        }
        if !why.trim().is_empty() {
            writeln!(to, "{}", filled(why.trim()))?;
        }
    }
    if let Some(screen) = screen_of(diagnosis, booted, out) {
        writeln!(to, "{}", indented("the screen shows: ", &screen))?;
    }
    for remedy in remedies(diagnosis) {
        writeln!(to, "{}", indented("to fix it: ", remedy))?;
    }
    for line in recipes(report, diagnosis, calls) {
        writeln!(to, "      {line}")?;
    }
    match diagnosis.unknown() {
        Some(unknown) => writeln!(to, "{}", filled(&unknown)),
        None => Ok(()),
    }
}

/// A paragraph.
fn filled(text: &str) -> String {
    textwrap::fill(text, whole_words())
}

/// Lines break between words only: a path or a device's name stays whole.
fn whole_words() -> textwrap::Options<'static> {
    textwrap::Options::new(WIDTH)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
}

/// Why nothing was seen.
fn unseen(booted: &Booted) -> Option<(&'static str, String)> {
    match &booted.seen {
        Ok(_) => None,
        Err(Failure::Skipped(why)) => Some(("skipped", why.clone())),
        Err(Failure::Infra(infra)) => Some((ERROR, infra.to_string())),
    }
}

/// Whether a firmware took part in more than one version.
fn several_builds(booted: &[Booted]) -> bool {
    booted
        .iter()
        .any(|one| one.cell.id.firmware().contains('@'))
}

fn indented(label: &str, text: &str) -> String {
    let options = whole_words()
        .initial_indent("  ")
        .subsequent_indent("      ");
    textwrap::fill(&format!("{label}{text}"), options)
}

/// The boots that a diagnosis explains.
pub(super) fn members<'b>(
    diagnosis: &'b Diagnosis,
    booted: &'b [Booted],
) -> impl Iterator<Item = &'b Booted> {
    booted.iter().filter(|one| {
        one.seen.is_ok()
            && one.cell.id.firmware() == diagnosis.firmware
            && diagnosis.attachments.contains(&one.cell.attachment)
    })
}

/// What the screen showed last in the first of the boots that a diagnosis explains, where nothing else says what the program came to.
pub(super) fn screen_of(diagnosis: &Diagnosis, booted: &[Booted], out: &Path) -> Option<String> {
    members(diagnosis, booted).find_map(|one| showed(one, out))
}

fn showed(booted: &Booted, out: &Path) -> Option<String> {
    let seen = booted.seen.as_ref().ok()?;
    let said = seen
        .guest
        .as_ref()
        .is_some_and(|guest| !guest.said.is_empty() || !guest.last.is_empty());
    // Afterwards it is the firmware's; and what came instead of an expected text stands in the outcome.
    let gave_back = seen.outcome.gave_back || seen.outcome.detail.contains(" did not come");
    let has_control = matches!(
        seen.outcome.kind,
        OutcomeKind::Booted | OutcomeKind::HandedOver
    );
    let folder = out.join(&booted.result.evidence);
    (has_control && !said && !gave_back).then(|| screen::shown(&folder))?
}

/// What would fix it, each once.
pub(super) fn remedies(diagnosis: &Diagnosis) -> Vec<&str> {
    let mut remedies: Vec<&str> = Vec::new();
    for cause in &diagnosis.causes {
        let remedy = cause.remedy.as_str();
        if !remedy.is_empty() && !remedies.contains(&remedy) {
            remedies.push(remedy);
        }
    }
    remedies
}

/// How the disc is mastered without the findings that explain a boot.
pub(super) fn recipes<'r>(
    report: &'r Report,
    diagnosis: &Diagnosis,
    calls: &mut Vec<Told<'r>>,
) -> Vec<String> {
    let is_cause = |finding: &&Finding| {
        let mut causes = diagnosis.causes.iter();
        causes.any(|cause| cause.id == Some(finding.id))
    };
    let findings = report.inspection.findings.iter().filter(is_cause);
    findings
        .flat_map(|finding| recipe_lines(finding, calls))
        .collect()
}

/// What stands above findings that explain nothing.
pub(super) fn found(report: &Report) -> &'static str {
    if report.diagnosis.is_empty() {
        "Found on the disc:"
    } else {
        "Also found, but not known to be a cause:"
    }
}

/// Errors and warnings that explain none of what happened.
pub(super) fn unexplained(report: &Report) -> Vec<&Finding> {
    let explains = |finding: &Finding| {
        let mut causes = report.diagnosis.iter().flat_map(|one| &one.causes);
        causes.any(|cause| cause.id == Some(finding.id))
    };
    let findings = report.inspection.findings.iter();
    findings
        .filter(|finding| finding.severity > Severity::Info && !explains(finding))
        .collect()
}

/// Firmware as rows, attachments as columns.
pub(super) fn table(booted: &[Booted]) -> Vec<String> {
    let mut rows: Vec<&str> = Vec::new();
    let mut columns: Vec<Attachment> = Vec::new();
    for one in booted {
        let firmware = one.cell.id.firmware();
        if !rows.contains(&firmware) {
            rows.push(firmware);
        }
        if !columns.contains(&one.cell.attachment) {
            columns.push(one.cell.attachment);
        }
    }
    let mut table = vec![vec!["firmware".to_owned()]];
    table[0].extend(columns.iter().map(ToString::to_string));
    for firmware in rows {
        let mut row = vec![firmware.to_owned()];
        row.extend(columns.iter().map(|column| {
            let mut boots = booted.iter();
            let one = boots
                .find(|one| one.cell.id.firmware() == firmware && one.cell.attachment == *column);
            one.map_or_else(String::new, what_happened)
        }));
        table.push(row);
    }
    aligned(&table, &[])
}

fn what_happened(booted: &Booted) -> String {
    match &booted.seen {
        Ok(observation) if observation.outcome.kind == OutcomeKind::HandedOver => {
            let starts = match observation.starts {
                Starts::Yes => ", starts",
                Starts::No => "",
                Starts::Unknown => ", unknown",
            };
            format!("{}{starts}", short(observation))
        }
        Ok(observation) => short(observation),
        Err(Failure::Skipped(_)) => "skipped".to_owned(),
        Err(Failure::Infra(_)) => "error".to_owned(),
    }
}
