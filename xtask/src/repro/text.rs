//! For people at a terminal: the disc, a table of what happened, and why.

use std::{
    io::{self, Write},
    path::Path,
};

use harness::{attachment::Attachment, diagnosis::Diagnosis, outcome::OutcomeKind};
use images::finding::{Finding, Severity};

use super::{
    MARKDOWN, Report,
    boots::{Booted, Failure, short},
    screen, summary,
};
use crate::{boot_matrix::flips, columns::aligned, inspect::text::write_disc, terminal::Terminal};

/// The paragraphs' width.
const WIDTH: usize = 96;

/// Writes it.
pub(super) fn write(
    to: &mut Terminal<impl Write>,
    report: &Report,
    booted: &[Booted],
    out: &Path,
) -> io::Result<()> {
    let options = whole_words();
    writeln!(to, "{}\n", textwrap::fill(&summary::line(booted), options))?;
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
                indented(&format!("{}: {what}, ", one.cell.id), &why)
            )?;
        }
    }
    if several_builds(booted) {
        flips::print(to, &report.results)?;
    }
    for diagnosis in &report.diagnosis {
        writeln!(
            to,
            "\n{}",
            textwrap::fill(&diagnosis.to_string(), whole_words())
        )?;
        let screen = members(diagnosis, booted).find_map(|one| showed(one, out));
        if let Some(screen) = screen {
            writeln!(to, "{}", indented("the screen shows: ", &screen))?;
        }
        for remedy in remedies(diagnosis) {
            writeln!(to, "{}", indented("to mend it: ", remedy))?;
        }
    }
    let others = unexplained(report);
    if !others.is_empty() {
        writeln!(to, "\nAlso found, and not the cause of any of this:")?;
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
        writeln!(
            to,
            "\n{}",
            textwrap::fill(&compared.sentence(), whole_words())
        )?;
    }
    writeln!(to, "\nreport: {}", out.join(MARKDOWN).display())
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
        Err(Failure::Infra(infra)) => Some(("infra", infra.to_string())),
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

/// What the screen showed last, of a boot image that had control.
fn showed(booted: &Booted, out: &Path) -> Option<String> {
    let kind = booted.seen.as_ref().ok()?.outcome.kind;
    let had_control = matches!(kind, OutcomeKind::Booted | OutcomeKind::HandedOver);
    let folder = out.join(&booted.result.evidence);
    had_control.then(|| screen::shown(&folder))?
}

/// What would mend it, each once.
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

/// Errors and warnings that explain none of what happened.
pub(super) fn unexplained(report: &Report) -> Vec<&Finding> {
    let explains = |finding: &Finding| {
        let mut causes = report.diagnosis.iter().flat_map(|one| &one.causes);
        causes.any(|cause| cause.finding == Some(finding.id))
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
        Ok(observation) => short(observation),
        Err(Failure::Skipped(_)) => "skipped".to_owned(),
        Err(Failure::Infra(_)) => "infra".to_owned(),
    }
}
