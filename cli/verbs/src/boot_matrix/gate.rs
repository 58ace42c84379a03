//! What a run with a baseline came to, for people: each cause in a few lines, the worst first.

use std::{
    env,
    io::{self, Write},
    path::Path,
    process::{Command, Stdio},
};

use harness::master::Tool;
use scenarios::{
    cell::Cell,
    gate::{self, Cause},
    record::{CellResult, Differs, Verdict},
    results::Results,
    run::Run,
    terms::Accepted,
};

use super::{
    again::again,
    output::{Detail, Output},
};
use crate::{
    place::shown,
    terminal::{BAD, CAUTION, FAINT, GOOD, TYPED, Terminal},
};

/// So many causes are told one by one.
const CAUSES: usize = 5;
/// So many cells of a cause are named.
const CELLS: usize = 3;
/// So many notes stand in the line of them.
const NOTES: usize = 4;

/// Whether the cells were held against a baseline.
pub(super) fn is_one(results: &Results) -> bool {
    results.cells.iter().any(|cell| cell.differences.is_some())
}

/// Which tool, against which baseline, at which commit.
pub(super) fn title(results: &Results, out: &Path) -> String {
    let masters = results.tools.masters.iter();
    let tools = masters.map(|master| format!("{} {}", master.id, master.version));
    let tools: Vec<String> = tools.map(|tool| tool.trim_end().to_owned()).collect();
    let mut title = tools.join(", ");
    if let Ok(run) = Run::read(&Run::file(out))
        && let Accepted::Baseline(folder) = &run.accepted
    {
        title += &format!(" against {}", shown(folder).display());
        if let Some(commit) = commit(folder) {
            title += &format!(" at {commit}");
        }
    }
    title
}

/// The commit that is tried, as the job names it, or as the repository of the baseline is at.
fn commit(folder: &Path) -> Option<String> {
    let named = ["GITHUB_SHA", "CI_COMMIT_SHA"];
    let named = named.iter().find_map(|name| env::var(name).ok());
    let commit = match named.filter(|commit| !commit.is_empty()) {
        Some(commit) => commit,
        None => {
            let git = Command::new("git")
                .arg("-C")
                .arg(folder)
                .args(["rev-parse", "HEAD"])
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .output()
                .ok()?;
            String::from_utf8(git.stdout).ok()?.trim().to_owned()
        }
    };
    let short: String = commit.chars().take(10).collect();
    let is_one = !short.is_empty() && short.chars().all(|c| c.is_ascii_hexdigit());
    is_one.then_some(short)
}

/// Red or green, and why, in a few words.
pub(super) fn verdict(results: &Results) -> String {
    let causes = gate::causes(&results.cells).len();
    let totals = &results.totals;
    let s = |number: usize| if number == 1 { "" } else { "s" };
    let mut parts = Vec::new();
    if totals.mismatch > 0 {
        let of = format!(
            "{} of {} cell{}",
            totals.mismatch,
            totals.cells,
            s(totals.cells)
        );
        parts.push(match causes {
            0 => format!("red: {of}"),
            causes => format!("red: {causes} cause{} in {of}", s(causes)),
        });
    }
    if totals.infra > 0 {
        parts.push(format!("{} could not be run", totals.infra));
    }
    if parts.is_empty() {
        parts.push(format!("green: {} cell{}", totals.cells, s(totals.cells)));
    }
    parts.join(", ")
}

/// Prints the causes.
pub(super) fn print(
    to: &mut Terminal<impl Write>,
    results: &Results,
    output: &Output<'_>,
) -> io::Result<()> {
    let causes = gate::causes(&results.cells);
    let is_red = results.totals.mismatch > 0;
    writeln!(to)?;
    let style = if is_red { BAD } else { GOOD };
    write!(to, "{}: ", title(results, output.out))?;
    to.paint(style, verdict(results))?;
    writeln!(to)?;
    print_causes(to, results, &causes, output)?;
    let is_new = |cell: &&CellResult| {
        cell.verdict == Verdict::Mismatch && cell.differs.contains(&Differs::New)
    };
    let new: Vec<&str> = results
        .cells
        .iter()
        .filter(is_new)
        .map(|cell| &*cell.id)
        .collect();
    if let Some(first) = new.first() {
        let more = match new.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        writeln!(to)?;
        to.paint(CAUTION, "not in the baseline yet")?;
        writeln!(to, ": {first}{more}; --accept accepts the results")?;
    }
    print_notes(to, &results.cells)
}

/// Prints causes one by one.
pub(super) fn print_causes(
    to: &mut Terminal<impl Write>,
    results: &Results,
    causes: &[Cause],
    output: &Output<'_>,
) -> io::Result<()> {
    let most = match output.detail {
        Detail::Verbose => usize::MAX,
        Detail::Normal | Detail::Quiet => CAUSES,
    };
    for cause in causes.iter().take(most) {
        print_cause(to, results, cause, output)?;
    }
    if causes.len() > most {
        writeln!(
            to,
            "\nand {} causes more: -v, or see the results",
            causes.len() - most
        )?;
    }
    Ok(())
}

fn print_cause(
    to: &mut Terminal<impl Write>,
    results: &Results,
    cause: &Cause,
    output: &Output<'_>,
) -> io::Result<()> {
    writeln!(to)?;
    to.paint(BAD, format_args!("✗ {}", cause.sentence))?;
    writeln!(to, "\n  {}", cause.consequence)?;
    if !cause.remedy.is_empty() {
        writeln!(to, "  to fix it: {}", cause.remedy)?;
    }
    writeln!(to, "  cells: {}", cells(cause, output.detail))?;
    let is_failure = |id: &&String| {
        let mut cells = results.cells.iter();
        cells.any(|cell| cell.id == **id && cell.is_failure())
    };
    // What differs from an earlier run alone is as it should be by itself.
    if let Some(first) = cause.cells.first().filter(is_failure) {
        write!(to, "  next: ")?;
        to.paint(TYPED, again(output.out, Some(first), None))?;
        writeln!(to)?;
    }
    Ok(())
}

/// What came of a cause, and what to do, in lines.
pub(super) fn told(cause: &Cause) -> String {
    let mut lines = vec![cause.consequence.clone()];
    if !cause.remedy.is_empty() {
        lines.push(format!("to fix it: {}", cause.remedy));
    }
    lines.push(format!("cells: {}", cells(cause, Detail::Normal)));
    lines.join("\n")
}

fn cells(cause: &Cause, detail: Detail) -> String {
    let most = match detail {
        Detail::Verbose => usize::MAX,
        Detail::Normal | Detail::Quiet => CELLS,
    };
    let named: Vec<&str> = cause.cells.iter().take(most).map(String::as_str).collect();
    match cause.cells.len().saturating_sub(most) {
        0 => named.join(" "),
        more => format!("{} and {more} more", named.join(" ")),
    }
}

/// What a tool's description has words for, and none of its cells asks for.
pub(super) fn untried(tool: &Tool, cells: &[Cell]) -> Vec<String> {
    let boots: Vec<String> = cells
        .iter()
        .map(|cell| cell.id.disc())
        .filter(|disc| disc.master() == tool.name)
        .map(|disc| format!("{},", disc.boot()))
        .collect();
    let none_has = |what: &str| !boots.iter().any(|boot| boot.contains(what));
    let deviations = tool.deviations.keys().map(|it| it.key());
    let deviations = deviations.filter(|key| none_has(&format!(",{key}=")));
    let mut untried: Vec<String> = deviations.map(ToOwned::to_owned).collect();
    for command in &tool.commands {
        let hybrid = command.hybrid.as_ref().map(|it| format!("hybrid={it}"));
        if let Some(hybrid) = hybrid {
            if none_has(&format!(",{hybrid},")) && !untried.contains(&hybrid) {
                untried.push(hybrid);
            }
            continue;
        }
        let has_mode = |mode: &String| {
            boots
                .iter()
                .any(|boot| boot.starts_with(&format!("{mode},")))
        };
        if let Some(mode) = command
            .modes
            .first()
            .filter(|_| !command.modes.iter().any(has_mode))
        {
            untried.push(mode.clone());
        }
    }
    untried
}

/// What differs and is no failure, in a line.
fn print_notes(to: &mut Terminal<impl Write>, cells: &[CellResult]) -> io::Result<()> {
    if let Some(line) = notes(cells) {
        to.paint(FAINT, format_args!("noted: {line}"))?;
        writeln!(to)?;
    }
    Ok(())
}

/// What differs and is no failure; nothing where nothing does.
pub(super) fn notes(cells: &[CellResult]) -> Option<String> {
    let line = in_a_line(&gate::notes(cells))?;
    Some(format!("{line} (--strict counts them)"))
}

/// Notes, the first of them in a line; nothing where there are none.
pub(super) fn in_a_line(notes: &[(String, usize)]) -> Option<String> {
    let shown: Vec<&str> = notes.iter().take(NOTES).map(|(what, _)| &**what).collect();
    let more = match notes.len().saturating_sub(NOTES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!notes.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
}
