//! The report for people who were not there: everything in one Markdown file, with links to the evidence.

use std::{fmt::Write, fs, path::Path};

use harness::{diagnosis::Diagnosis, guest::SaidBy};

use super::{
    boots::{Booted, ERROR, Failure, short},
    fix,
    report::Report,
    summary,
    text::{found, members, recipes, remedies, screen_of, table, unexplained},
};
use crate::inspect::text::write_disc;

/// So much of a long text stands in the report; the whole is in the evidence.
const LINES: usize = 60;

/// Writes it. Writing to a String cannot fail.
pub(super) fn report(report: &Report, booted: &[Booted], out: &Path) -> String {
    let mut text = String::new();
    let name = report.disc.file_name().unwrap_or_default();
    let _ = writeln!(text, "# {}\n", name.to_string_lossy());
    for line in summary::lines(booted) {
        let _ = writeln!(text, "- {line}");
    }
    let _ = writeln!(text, "\n## Why\n");
    let mut calls = Vec::new();
    for diagnosis in &report.diagnosis {
        explained(&mut text, diagnosis, booted, out);
        let recipes = recipes(report, diagnosis, &mut calls);
        if !recipes.is_empty() {
            fenced(&mut text, &recipes.join("\n"));
        }
        unknown(&mut text, diagnosis);
    }
    let others = unexplained(report);
    if !others.is_empty() {
        let _ = writeln!(text, "{}\n", found(report));
        for finding in others {
            let (severity, id) = (finding.severity.as_str(), finding.id.as_str());
            let _ = writeln!(text, "- {severity} `{id}`: {}", finding.message);
        }
        text.push('\n');
    }
    if let Some(compared) = &report.compared {
        let _ = writeln!(text, "{}\n", compared.sentence());
    }
    if let Some(fix) = &report.fix {
        let _ = writeln!(text, "## The fix\n");
        fenced(
            &mut text,
            &fix::lines(fix, booted, &report.diagnosis).join("\n"),
        );
    }
    let _ = writeln!(text, "## What happened\n");
    fenced(&mut text, &table(booted).join("\n"));
    let _ = writeln!(text, "## What is on the disc\n");
    let mut disc = Vec::new();
    // Nor can writing to a Vec.
    let _ = write_disc(&mut disc, &report.disc, &report.inspection);
    fenced(&mut text, &String::from_utf8_lossy(&disc));
    for diagnosis in &report.diagnosis {
        alike(&mut text, diagnosis, booted, out);
    }
    for one in booted {
        unseen(&mut text, one);
    }
    tools(&mut text, report);
    text
}

/// What happened, the program's words as it said them, what explains it, and what is not known.
fn explained(text: &mut String, diagnosis: &Diagnosis, booted: &[Booted], out: &Path) {
    let happened = diagnosis.happened();
    let why = [happened.then, &diagnosis.why()].join(" ");
    if happened.said.is_empty() {
        let whole = [happened.did, why.trim()].join(" ");
        let _ = writeln!(text, "{}\n", whole.trim());
    } else {
        let _ = writeln!(text, "{}\n", happened.did);
        fenced(text, &happened.said.join("\n"));
        if !why.trim().is_empty() {
            let _ = writeln!(text, "{}\n", why.trim());
        }
    }
    if let Some(screen) = screen_of(diagnosis, booted, out) {
        let _ = writeln!(text, "The screen shows:\n");
        fenced(text, &screen.replace(" / ", "\n"));
    }
    for remedy in remedies(diagnosis) {
        let _ = writeln!(text, "- To fix it: {remedy}\n");
    }
}

fn unknown(text: &mut String, diagnosis: &Diagnosis) {
    if let Some(unknown) = diagnosis.unknown() {
        let _ = writeln!(text, "{unknown}\n");
    }
}

/// Boots that went the same way, with the evidence of the first one, and where that of all of them is.
fn alike(text: &mut String, diagnosis: &Diagnosis, booted: &[Booted], out: &Path) {
    let names: Vec<&str> = diagnosis
        .attachments
        .iter()
        .map(|attachment| attachment.as_str())
        .collect();
    let _ = writeln!(text, "## {} by {}\n", diagnosis.firmware, names.join(", "));
    let Some(first) = members(diagnosis, booted).next() else {
        return;
    };
    if let Ok(observation) = &first.seen {
        let (what, outcome) = (short(observation), &observation.outcome);
        let guest = observation.guest.as_ref();
        let stage = guest.map_or_else(String::new, |guest| format!(", {}", guest.stage));
        let _ = writeln!(text, "| | |\n|---|---|");
        let _ = writeln!(text, "| result | {what} |");
        let _ = writeln!(text, "| starts | {} |", observation.starts);
        let _ = writeln!(text, "| stage | {}{stage} |", outcome.stage);
        if let Some(program) = guest.and_then(|guest| guest.program.as_deref()) {
            let _ = writeln!(text, "| program | {} |", in_a_cell(program));
        }
        if let Some(by) = guest.and_then(|guest| guest.by) {
            let _ = writeln!(text, "| its message appeared on | {} |", place(by));
        }
        if !outcome.detail.is_empty() {
            let _ = writeln!(text, "| decided by | {} |", in_a_cell(&outcome.detail));
        }
        text.push('\n');
    }
    let evidence = &first.result.evidence;
    for (title, file) in [
        ("The screen", "screen.txt"),
        (
            "The serial line, as a terminal shows it",
            "serial-screen.txt",
        ),
        ("What was read", "reads.txt"),
    ] {
        let content = fs::read(out.join(evidence).join(file)).unwrap_or_default();
        let content = String::from_utf8_lossy(&content);
        if !content.trim().is_empty() {
            let by = first.cell.attachment;
            let _ = writeln!(text, "{title}, by {by} ([{file}]({evidence}/{file})):\n");
            fenced(text, &shortened(&content));
        }
    }
    if out.join(evidence).join("screenshot.png").exists() {
        let _ = writeln!(text, "![screen]({evidence}/screenshot.png)\n");
    }
    let _ = writeln!(text, "To boot it again without boot-matrix:\n");
    for one in members(diagnosis, booted) {
        let (by, evidence) = (one.cell.attachment, &one.result.evidence);
        let _ = writeln!(text, "- by {by}: [replay.sh]({evidence}/replay.sh)");
    }
    text.push('\n');
}

/// A text that ends no cell of a table.
fn in_a_cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " / ")
}

const fn place(by: SaidBy) -> &'static str {
    match by {
        SaidBy::Serial => "the serial line",
        SaidBy::Screen => "the screen",
    }
}

/// What was not seen, and why.
fn unseen(text: &mut String, booted: &Booted) {
    let why = match &booted.seen {
        Ok(_) => return,
        Err(Failure::Skipped(why)) => format!("Skipped: {why}"),
        Err(Failure::Infra(infra)) => format!("{}: {infra}", ERROR.replacen('e', "E", 1)),
    };
    let (firmware, by) = (booted.cell.id.firmware(), booted.cell.attachment);
    let _ = writeln!(text, "## {firmware} by {by}\n\n{why}\n");
}

/// The beginning and the end of a text.
fn shortened(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= LINES {
        return text.to_owned();
    }
    let (head, tail) = (&lines[..LINES / 2], &lines[lines.len() - LINES / 2..]);
    let left_out = lines.len() - LINES / 2 * 2;
    format!(
        "{}\n… {left_out} lines …\n{}",
        head.join("\n"),
        tail.join("\n")
    )
}

/// A block of text as it is: no fence that it may hold ends it.
fn fenced(text: &mut String, content: &str) {
    let mut longest = 0;
    let mut run = 0;
    for c in content.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(3.max(longest + 1));
    let _ = writeln!(text, "{fence}text\n{}\n{fence}\n", content.trim_end());
}

fn tools(text: &mut String, report: &Report) {
    let tools = &report.results.tools;
    let _ = writeln!(text, "## With what\n");
    if let Some(qemu) = &tools.qemu {
        let _ = writeln!(
            text,
            "- QEMU {} ({}), {}",
            qemu.version,
            qemu.path.display(),
            report.results.accelerator
        );
    }
    for firmware in &tools.firmware {
        let (id, version, sha256) = (&firmware.id, &firmware.version, &firmware.sha256);
        let _ = writeln!(text, "- {id} {version}, SHA-256 {sha256}");
    }
    let _ = writeln!(text, "- boot-matrix {}", env!("CARGO_PKG_VERSION"));
}
