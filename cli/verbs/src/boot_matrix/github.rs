//! Answers for GitHub Actions: annotations on standard output, and a summary in Markdown.
//!
//! Workflow commands are lines that begin with `::`. Everything that comes from a guest or a tool is escaped in them, and stands in the
//! summary as code.

use std::{
    collections::BTreeMap,
    env,
    fs::OpenOptions,
    io::{self, Write},
    path::Path,
};

use harness::toml_file::Location;
use scenarios::{
    cell::Cell,
    compare::With,
    gate::Cause,
    program::typed,
    record::{CellResult, Verdict},
    report,
    results::{FirmwareTool, Results},
    run::Run,
};

use super::{comparison, gate, output, table};
use crate::{place::shown, terminal::Terminal};

/// GitHub shows ten annotations of a kind for each step.
const ANNOTATIONS: usize = 10;
/// So many cells are told in the summary, which GitHub bounds at 1 MiB; all are in the results.
const PROBLEMS: usize = 100;
/// So many characters of what is told of each.
const LONGEST: usize = 2000;

/// Prints the annotations, and adds to the summary where there is one.
pub(super) fn print(results: &Results, cells: &[Cell], out: &Path) -> io::Result<()> {
    let workspace = env::var_os("GITHUB_WORKSPACE");
    let workspace = workspace.as_deref().map(Path::new);
    let declared = declared(cells, &results.tools.firmware);
    let mut stdout = crate::terminal::answer();
    for line in annotations(results, &declared, workspace) {
        writeln!(stdout, "{line}")?;
    }
    remark!("{}", output::sentence(&results.totals));
    remark!("results: {}", Results::file(out).display());
    let title = gate::is_one(results).then(|| gate::title(results, out));
    summarize(&summary(
        results,
        title,
        &run_by(out),
        artifacts().as_deref(),
    ))
}

/// Adds to the page of the job, where there is one.
pub(super) fn summarize(text: &str) -> io::Result<()> {
    let Some(file) = env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty()) else {
        return Ok(());
    };
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    file.write_all(text.as_bytes())
}

/// The command of a run, and the folder that evidence is in.
fn run_by(out: &Path) -> String {
    let words = Run::read(&Run::file(out)).map_or_else(|_| Vec::new(), |run| run.words);
    let program = typed("cargo xtask boot-matrix");
    let words = shell_words::join(words);
    format!("{program} {words}\nevidence is in {}", shown(out).display())
}

/// The page of the workflow's run that has its artifacts. An artifact has no address before it is uploaded.
fn artifacts() -> Option<String> {
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let server = variable("GITHUB_SERVER_URL")?;
    let repository = variable("GITHUB_REPOSITORY")?;
    let run = variable("GITHUB_RUN_ID")?;
    Some(format!(
        "{server}/{repository}/actions/runs/{run}#artifacts"
    ))
}

/// Why there are no results.
pub(super) fn stopped(error: &str) -> String {
    command(
        "error",
        &[("title", "boot-matrix".to_owned())],
        &clip(error),
    )
}

/// The same on the page of the job, as code.
pub(super) fn not_run(error: &str) -> String {
    let lines = error.lines().map(|line| format!("    {line}\n"));
    format!("## boot-matrix: not run\n\n{}\n", lines.collect::<String>())
}

/// By cell: where it is declared what must happen to it.
pub(super) type Places<'a> = BTreeMap<&'a str, &'a Location>;

pub(super) fn declared<'a>(cells: &'a [Cell], firmware: &[FirmwareTool]) -> Places<'a> {
    let place = |cell: &'a Cell| {
        let version = firmware
            .iter()
            .find(|firmware| firmware.id == cell.id.firmware())
            .map(|firmware| firmware.version.as_str());
        Some((cell.id.as_str(), cell.declared(version)?))
    };
    cells.iter().filter_map(place).collect()
}

/// A cell that fails the run.
struct Annotation {
    id: String,
    properties: Vec<(&'static str, String)>,
    message: String,
}

/// A line for each cell that is not as it should be, and for each reason why cells were skipped.
fn annotations(results: &Results, declared: &Places<'_>, workspace: Option<&Path>) -> Vec<String> {
    let mut errors: Vec<Annotation> = Vec::new();
    let place_of = |id: &str| {
        let place = declared.get(id);
        let place = place
            .and_then(|place| Some((place.file().strip_prefix(workspace?).ok()?, place.line())));
        let mut properties = Vec::new();
        if let Some((file, line)) = place {
            properties.push(("file", file.display().to_string()));
            properties.extend(line.map(|line| ("line", line.to_string())));
        }
        properties
    };
    // A gate has an annotation for each cause.
    for cause in causes(results) {
        let first = cause.cells.first().map_or("", String::as_str);
        let mut properties = place_of(first);
        properties.push(("title", clip(&cause.sentence)));
        errors.push(Annotation {
            id: first.to_owned(),
            properties,
            message: clip(&gate::told(&cause)),
        });
    }
    for (record, what) in problems(results) {
        let mut properties = place_of(&record.id);
        properties.push(("title", format!("{}: {what}", record.id)));
        errors.push(Annotation {
            id: record.id.clone(),
            properties,
            message: message(record),
        });
    }
    if let Some(comparison) = &results.comparison {
        // Of what changed since an earlier run the causes are told.
        let cells = comparison.cells.iter();
        let is_tool = comparison.with == With::Tool;
        let differ = cells.filter(|cell| cell.counts() && is_tool);
        for cell in differ {
            let title = format!("{}: boots differently from {}", cell.id, comparison.against);
            let sentences = cell.differences.all().map(ToString::to_string);
            let sentences = sentences.collect::<Vec<_>>().join("\n");
            errors.push(Annotation {
                id: cell.id.clone(),
                properties: vec![("title", title)],
                message: clip(&sentences),
            });
        }
    }
    let more = errors.len().saturating_sub(ANNOTATIONS);
    // The last one that is shown says that there are more.
    let shown = if more > 0 {
        ANNOTATIONS - 1
    } else {
        ANNOTATIONS
    };
    let mut lines: Vec<String> = errors
        .iter()
        .take(shown)
        .map(|error| command("error", &error.properties, &error.message))
        .collect();
    if more > 0 {
        let rest: Vec<&str> = errors
            .iter()
            .skip(shown)
            .map(|error| error.id.as_str())
            .collect();
        let title = format!("and {} more", rest.len());
        lines.push(command(
            "error",
            &[("title", title)],
            &clip(&rest.join("\n")),
        ));
    }
    for record in flaky(results).take(ANNOTATIONS) {
        let title = format!("{}: flaky", record.id);
        lines.push(command(
            "warning",
            &[("title", title)],
            &clip(&record.flaky.join("\n")),
        ));
    }
    for (reason, number) in skipped(results).into_iter().take(ANNOTATIONS) {
        let title = format!("{number} skipped");
        lines.push(command("warning", &[("title", title)], &reason));
    }
    lines
}

/// What is not as it was, by cause.
fn causes(results: &Results) -> Vec<Cause> {
    scenarios::gate::all_causes(&results.cells, results.comparison.as_ref())
}

/// The same for the summary, before anything else.
fn told(results: &Results) -> String {
    let causes = causes(results);
    let told = causes.iter().take(PROBLEMS).map(|cause| {
        let text = format!("{}\n{}", cause.sentence, gate::told(cause));
        fenced(&clip(&text))
    });
    let notes = gate::notes(&results.cells);
    let notes = notes.map(|notes| fenced(&format!("noted: {notes}")));
    told.chain(notes).collect()
}

/// The cells that fail the run, each with why in a word or two; but for those of which the cause is told.
pub(super) fn problems(results: &Results) -> impl Iterator<Item = (&CellResult, String)> {
    let told = scenarios::gate::with_cause(&results.cells, results.comparison.as_ref());
    results
        .cells
        .iter()
        .filter_map(move |record| match record.verdict {
            _ if told.contains(&*record.id) => None,
            Verdict::Mismatch => {
                let differs: Vec<&str> = record
                    .differs
                    .iter()
                    .map(|differs| differs.as_str())
                    .collect();
                Some((record, differs.join(", ")))
            }
            Verdict::Infra => Some((record, output::ERROR.to_owned())),
            Verdict::AsExpected | Verdict::Skipped | Verdict::Observed => None,
        })
}

/// The cells that failed at first, and not when they were tried again.
fn flaky(results: &Results) -> impl Iterator<Item = &CellResult> {
    results
        .cells
        .iter()
        .filter(|record| !record.flaky.is_empty())
}

fn message(record: &CellResult) -> String {
    let mut lines = record.reason.clone();
    if let Some(starts) = record.starts_in_words() {
        lines.push(format!("{}; {starts}", output::in_words(record)));
    }
    if !record.findings.is_empty() {
        lines.push(format!("on the disc: {}", record.findings.join(", ")));
    }
    lines.push(format!("evidence: {}", record.evidence));
    lines.push(format!("in the report: {}#{}", report::FILE, record.id));
    clip(&lines.join("\n"))
}

fn clip(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

fn skipped(results: &Results) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for record in results
        .cells
        .iter()
        .filter(|record| record.verdict == Verdict::Skipped)
    {
        *reasons.entry(clip(&record.reason.join("\n"))).or_default() += 1;
    }
    reasons
}

/// A workflow command, as GitHub's toolkit escapes it.
fn command(name: &str, properties: &[(&str, String)], message: &str) -> String {
    let data = |text: &str| {
        text.replace('%', "%25")
            .replace('\r', "%0D")
            .replace('\n', "%0A")
    };
    let property = |(name, value): &(&str, String)| {
        let value = data(value).replace(':', "%3A").replace(',', "%2C");
        format!("{name}={value}")
    };
    let properties: Vec<String> = properties.iter().map(property).collect();
    format!("::{name} {}::{}", properties.join(","), data(message))
}

/// The summary, in Markdown.
fn summary(
    results: &Results,
    title: Option<String>,
    run_by: &str,
    artifacts: Option<&str>,
) -> String {
    let page = artifacts.map_or_else(String::new, |artifacts| {
        format!("[{}]({artifacts}), among what this run left, shows each cell's screen, disc and bytes.\n\n", report::FILE)
    });
    let mut text = format!(
        "## boot-matrix{}\n\n{}{}\n\n{}{page}{}",
        title.map_or_else(String::new, |title| {
            format!(": {title}, {}", gate::verdict(results))
        }),
        told(results),
        output::sentence(&results.totals),
        fenced(run_by),
        fenced(&table::rows(results).join("\n"))
    );
    let problems: Vec<_> = problems(results).collect();
    if !problems.is_empty() {
        text += "### Not as expected\n\n";
    }
    for (record, what) in problems.iter().take(PROBLEMS) {
        text += &format!("`{}`: {what}\n\n{}", record.id, fenced(&message(record)));
    }
    if problems.len() > PROBLEMS {
        text += &format!(
            "and {} more: see the results\n\n",
            problems.len() - PROBLEMS
        );
    }
    for record in flaky(results).take(PROBLEMS) {
        text += &format!(
            "`{}` is flaky: it failed at first, but not when it was tried again\n\n{}",
            record.id,
            fenced(&clip(&record.flaky.join("\n")))
        );
    }
    let mut contradictions = Terminal::in_memory(false);
    // Writing to memory cannot fail.
    drop(table::print_contradictions(&mut contradictions, results));
    let contradictions = contradictions.into_text();
    if !contradictions.is_empty() {
        text += &fenced(contradictions.trim());
    }
    for (reason, number) in skipped(results) {
        text += &format!("{number} skipped\n\n{}", fenced(&reason));
    }
    if let Some(compared) = &results.comparison {
        let mut table = Terminal::in_memory(false);
        if compared.changed().next().is_none() {
            drop(comparison::print_cells(&mut table, compared));
        }
        let counted = comparison::sentence(compared);
        let all = format!(
            "{}\nagainst {}: {counted}",
            table.into_text(),
            compared.against
        );
        text += &format!("### Compared\n\n{}", fenced(all.trim()));
    }
    text
}

/// A block of code that its content cannot end.
fn fenced(content: &str) -> String {
    let longest = content.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{content}\n{fence}\n\n")
}

#[cfg(test)]
#[path = "github_tests.rs"]
mod tests;
