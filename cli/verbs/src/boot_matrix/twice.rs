//! Discs that are mastered twice and compared: `--twice`.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    ops::ControlFlow,
    path::Path,
    process::ExitCode,
};

use anyhow::Context;
use harness::master::{Elsewhere, FoundTool};
use scenarios::{
    cell::{Cell, DiscSource, Recipe},
    disc::{editor_key, tool_names},
    files,
    id::DiscId,
    master::Masters,
    twice::{CameTo, Changing, Disc, Follows, Report, Twice},
};

use super::{choice::Choice, folder};
use crate::{
    options::{BootMatrix, RunFormat},
    place::{absolute, cache, shown},
    signals::Signals,
    stop::Stop,
    terminal::{self, BAD, CAUTION, FAINT, GOOD, Terminal},
};

/// The report, in the folder of a run.
const JSON: &str = "twice.json";
/// So many fields are told of a cause.
const FIELDS: usize = 4;

/// Masters the discs of the chosen cells twice.
pub(super) fn run(options: &BootMatrix, choice: &Choice) -> anyhow::Result<ExitCode> {
    let masters = &choice.matrix.masters;
    let recipes = by_tools(&choice.cells, masters);
    if recipes.is_empty() {
        return Err(Stop::usage(
            "no disc of these cells is mastered by a tool: discs that boot-matrix masters itself depend only on the disc's id",
            "--master TOOL, or --set masters",
        )
        .into());
    }
    let (found, missing) = find(&recipes, masters);
    let lacks = |recipe: &Recipe| {
        tool_names(recipe.master.as_str())
            .into_iter()
            .find(|name| missing.contains_key(name))
    };
    let (without, recipes): (Vec<_>, Vec<_>) = recipes
        .into_iter()
        .partition(|recipe| lacks(recipe).is_some());
    for (name, why) in &missing {
        let number = without
            .iter()
            .filter(|recipe| lacks(recipe).as_ref() == Some(name))
            .count();
        remark!("not tried, {number} discs: {name}: {why}");
    }
    let must_be_there =
        |name: &&String| options.require.contains(name) || !options.master.is_empty();
    if let Some(name) = missing.keys().find(must_be_there) {
        return Err(Stop::host(format!("{name}: {}", missing[name]), "cargo xtask doctor").into());
    }
    let out = match &options.out {
        Some(out) => out.clone(),
        None => cache()?.join("twice"),
    };
    let (out, _held) = folder::hold(&absolute(&out))?;
    let discs = out.join("discs");
    files::sweep(&out)?;
    let signals = Signals::catch()?;
    let elsewhere = Elsewhere::find(&out);
    let twice = Twice {
        masters,
        found: &found,
        elsewhere: &elsewhere,
        folder: &discs,
    };
    let quiet = options.quiet || !terminal::is_watched();
    let mut number = 0;
    let report = twice
        .master(&recipes, |recipe, came_to| {
            number += 1;
            if !quiet {
                remark!(
                    "{number} of {}: {} {}",
                    recipes.len(),
                    recipe.id,
                    word(came_to)
                );
            }
            if signals.caught() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })
        .map_err(|error| Stop::unwritable(&error, "another folder with --out"))?;
    if signals.caught() {
        return Err(Stop::host("interrupted", "").into());
    }
    files::write_json(&out.join(JSON), &report)?;
    let said = match options.format {
        RunFormat::Json => say_json(&report),
        RunFormat::Text | RunFormat::Github => say(&mut terminal::stdout(), &report, &found),
    };
    said.context("cannot write the report")?;
    Ok(ExitCode::from(u8::from(!report.is_reproducible())))
}

/// The discs that tools master, each once.
fn by_tools(cells: &[Cell], masters: &Masters) -> Vec<Recipe> {
    let mut seen = BTreeSet::new();
    let recipes = cells.iter().filter_map(|cell| match &cell.disc {
        DiscSource::Mastered(recipe) => Some(recipe),
        DiscSource::Iso { .. } | DiscSource::Live(_) | DiscSource::Edited { .. } => None,
    });
    let is_by_tool = |recipe: &&Recipe| {
        masters.tool(recipe.master.base().as_str()).is_some() || recipe.master.edit().is_some()
    };
    recipes
        .filter(is_by_tool)
        .filter(|recipe| seen.insert(recipe.id.clone()))
        .cloned()
        .collect()
}

type Found = BTreeMap<String, Result<FoundTool, String>>;

/// The tools that are on this host, and why others are not.
fn find(recipes: &[Recipe], masters: &Masters) -> (Found, BTreeMap<String, String>) {
    let (mut found, mut missing) = (Found::new(), BTreeMap::new());
    let names: BTreeSet<String> = recipes
        .iter()
        .flat_map(|recipe| tool_names(recipe.master.as_str()))
        .collect();
    let editors = masters.editors().filter_map(|name| {
        let editor = masters.editor(name)?;
        Some((editor_key(name), &editor.tool))
    });
    let editors: BTreeMap<_, _> = editors.collect();
    for name in names {
        let tool = masters.tool(&name).or_else(|| editors.get(&name).copied());
        match tool.map(harness::master::Tool::find) {
            None => {}
            Some(Ok(tool)) => {
                found.insert(name, Ok(tool));
            }
            Some(Err(why)) => {
                missing.insert(name, why);
            }
        }
    }
    (found, missing)
}

const fn word(came_to: &CameTo) -> &'static str {
    match came_to {
        CameTo::Same { .. } => "is the same",
        CameTo::Differs { .. } => "differs",
        CameTo::Refused { .. } => "is refused",
        CameTo::RefusedOnce { .. } => "is refused once alone",
    }
}

fn say_json(report: &Report) -> io::Result<()> {
    let mut out = terminal::answer();
    serde_json::to_writer_pretty(&mut out, report)?;
    writeln!(out)
}

/// What differs for one reason, on all discs of a tool.
struct Cause<'r> {
    follows: Option<&'r Follows>,
    fields: Vec<Field<'r>>,
    discs: BTreeSet<&'r DiscId>,
    /// The first disc that has it, twice.
    isos: (&'r Path, &'r Path),
}

/// A field that differs, on all discs of a tool.
struct Field<'r> {
    /// Where it was met first.
    changing: &'r Changing,
    /// What it belongs to, wherever it was met.
    of: BTreeSet<&'r str>,
}

fn say(to: &mut Terminal<impl Write>, report: &Report, found: &Found) -> io::Result<()> {
    let tools: BTreeSet<&str> = report.discs.iter().map(|disc| disc.id.master()).collect();
    for tool in tools {
        let discs: Vec<&Disc> = report
            .discs
            .iter()
            .filter(|disc| disc.id.master() == tool)
            .collect();
        say_of_tool(to, tool, &discs, found)?;
    }
    if !report.untried.is_empty() {
        to.paint(
            FAINT,
            format_args!("not changed: {}", report.untried.join(", ")),
        )?;
        writeln!(to)?;
    }
    to.flush()
}

fn say_of_tool(
    to: &mut Terminal<impl Write>,
    tool: &str,
    discs: &[&Disc],
    found: &Found,
) -> io::Result<()> {
    let versions: Vec<String> = tool_names(tool)
        .iter()
        .filter_map(|name| {
            let version = found.get(name)?.as_ref().ok()?.version.clone()?;
            Some(version)
        })
        .collect();
    let of = |is: fn(&CameTo) -> bool| discs.iter().filter(|disc| is(&disc.came_to)).count();
    let refused = of(|it| matches!(it, CameTo::Refused { .. }));
    let same = of(|it| matches!(it, CameTo::Same { .. }));
    let made = discs.len() - refused;
    write!(to, "{tool}")?;
    for version in versions {
        write!(to, " {version}")?;
    }
    write!(to, ": ")?;
    if same == made {
        to.paint(
            GOOD,
            format_args!("all {made} discs are the same when mastered again"),
        )?;
    } else {
        let differ = made - same;
        to.paint(
            BAD,
            format_args!("{differ} of {made} discs differ when mastered again"),
        )?;
    }
    if refused > 0 {
        write!(to, ", {refused} more are refused both times")?;
    }
    writeln!(to)?;
    for disc in discs {
        if let CameTo::RefusedOnce { words, second } = &disc.came_to {
            let when = if *second {
                "only under other circumstances"
            } else {
                "the first time, but not under other circumstances"
            };
            writeln!(to)?;
            to.paint(
                BAD,
                format_args!("✗ {} is refused {when}: {}", disc.id, words.join(": ")),
            )?;
            writeln!(to)?;
        }
    }
    for cause in &causes(discs) {
        say_cause(to, cause)?;
    }
    let longer = discs.iter().find_map(|disc| match &disc.came_to {
        CameTo::Differs { lengths, .. } if lengths.0 != lengths.1 => Some((disc, lengths)),
        _ => None,
    });
    if let Some((disc, lengths)) = longer {
        writeln!(to)?;
        to.paint(
            CAUTION,
            format_args!(
                "{} has {} the first time and {} the second time",
                disc.id, lengths.0, lengths.1
            ),
        )?;
        writeln!(to)?;
    }
    Ok(())
}

/// By what they follow; first what most discs have.
fn causes<'r>(discs: &[&'r Disc]) -> Vec<Cause<'r>> {
    let mut causes: Vec<Cause<'r>> = Vec::new();
    for &disc in discs {
        let CameTo::Differs { fields, isos, .. } = &disc.came_to else {
            continue;
        };
        for changing in fields {
            let follows = changing.follows.as_ref();
            let new = || Cause {
                follows,
                fields: Vec::new(),
                discs: BTreeSet::new(),
                isos: (&isos.0, &isos.1),
            };
            let cause = known(&mut causes, |cause| cause.follows == follows, new);
            cause.discs.insert(&disc.id);
            let name = &changing.differing.field;
            let new = || Field {
                changing,
                of: BTreeSet::new(),
            };
            let is_it = |field: &Field<'_>| field.changing.differing.field == *name;
            let field = known(&mut cause.fields, is_it, new);
            field.of.extend(changing.differing.of.as_deref());
        }
    }
    causes.sort_by_key(|cause| (cause.follows.is_none(), Reverse(cause.discs.len())));
    causes
}

/// The one that is it, which is made where there is none.
fn known<T>(all: &mut Vec<T>, is_it: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> &mut T {
    let index = all.iter().position(is_it).unwrap_or_else(|| {
        all.push(new());
        all.len() - 1
    });
    &mut all[index]
}

fn say_cause(to: &mut Terminal<impl Write>, cause: &Cause<'_>) -> io::Result<()> {
    let number = match cause.discs.len() {
        1 => "1 disc".to_owned(),
        several => format!("{several} discs"),
    };
    let what = match cause.follows {
        None => "changes, but with none of the changes alone".to_owned(),
        Some(Follows::Nothing) => "differs each time, with nothing changed".to_owned(),
        Some(Follows::Circumstances(which)) => {
            let which: Vec<String> = which.iter().map(ToString::to_string).collect();
            format!("follows {}", which.join(", and "))
        }
    };
    writeln!(to)?;
    let first = cause.fields.first().map_or_else(String::new, named);
    let more = match cause.fields.len().saturating_sub(1) {
        0 => what,
        1 => format!("and 1 field more: {what}"),
        more => format!("and {more} fields more: {what}"),
    };
    to.paint(BAD, format_args!("✗ {first} {more} ({number})"))?;
    writeln!(to)?;
    for field in cause.fields.iter().take(FIELDS) {
        let differing = &field.changing.differing;
        writeln!(
            to,
            "  byte {}, {}: {} and {}",
            differing.offset, differing.field, differing.first, differing.second
        )?;
    }
    if cause.fields.len() > FIELDS {
        let more = cause.fields.len() - FIELDS;
        let s = if more == 1 { "" } else { "s" };
        writeln!(to, "  and {more} field{s} more: --format json has them")?;
    }
    match cause.follows {
        Some(Follows::Circumstances(which)) => {
            let remedies: Vec<&str> = which.iter().map(|it| it.remedy()).collect();
            writeln!(to, "  to fix it: {}", remedies.join("; "))?;
        }
        Some(Follows::Nothing) => writeln!(
            to,
            "  to fix it: compute the value from the contents of the disc, not from a random number or the time"
        )?,
        None => {}
    }
    let (first, second) = cause.isos;
    writeln!(
        to,
        "  compare: {} {}",
        shown(first).display(),
        shown(second).display()
    )
}

/// A field, and what it belongs to.
fn named(field: &Field<'_>) -> String {
    let name = &field.changing.differing.field;
    match (field.of.first(), field.of.len()) {
        (None, _) => name.clone(),
        (Some(first), 1) => format!("{name} of {first}"),
        (Some(first), several) => format!("{name} of {several}, {first} the first,"),
    }
}
