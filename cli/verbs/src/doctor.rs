//! What is needed on this machine, and what is missing.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use anstyle::Style;
use anyhow::Context;
use harness::machine;
use scenarios::matrix::Matrix;
use serde_json::{Value, json};

use crate::{
    options::{Doctor, Format},
    place,
    setup::{
        self,
        need::{self, Need, Source},
    },
    stop::{HOST, Stop},
    terminal::{self, BAD, CAUTION, FAINT, GOOD, TYPED, Terminal},
};

/// Runs the verb.
pub fn run(options: &Doctor) -> anyhow::Result<ExitCode> {
    let matrix = Matrix::shipped(place::shipped()?).map_err(|error| Stop::scenarios(&error))?;
    let cells: Vec<_> = matrix.cells().collect();
    let toolbox = setup::find(&options.tooling);
    let mut needs = need::for_cells(&cells, &toolbox);
    needs.extend(need::for_masters(&cells, &matrix.masters, &[], &toolbox));
    if !place::is_installed() {
        needs.extend(need::for_tests(&toolbox));
    }
    // What only those fetch who ask for its discs.
    let (fetched, needs): (Vec<Need>, Vec<Need>) = needs
        .into_iter()
        .partition(|need| matches!(need.source, Source::Command(_)));
    let besides = [need::besides(), fetched].concat();
    let mut facts = Vec::new();
    if let Ok(toolbox) = &toolbox {
        let accelerator = &toolbox.accelerator;
        facts.push(format!(
            "accelerator: {} ({})",
            accelerator.accelerator, accelerator.why
        ));
        facts.push(format!(
            "isolation: {}",
            machine::isolation_here(&toolbox.qemu.path, accelerator.accelerator)
        ));
        facts.push(format!(
            "disc-read trace: {}",
            if toolbox.qemu.log_trace {
                "QEMU's own"
            } else {
                "not in this QEMU"
            }
        ));
    }
    print(&needs, &besides, &facts, options.format).context("cannot write")?;
    let missing = needs.iter().any(|need| need.found.is_err());
    Ok(if missing {
        ExitCode::from(HOST)
    } else {
        ExitCode::SUCCESS
    })
}

fn print(needs: &[Need], besides: &[Need], facts: &[String], format: Format) -> io::Result<()> {
    if format == Format::Json {
        let needs: Vec<_> = needs.iter().map(document).collect();
        let besides: Vec<_> = besides.iter().map(document).collect();
        let doctor =
            json!({ "schema": "doctor/1", "needs": needs, "optional": besides, "facts": facts });
        return writeln!(terminal::answer(), "{doctor}");
    }
    let mut to = terminal::stdout();
    let mut told = BTreeSet::new();
    for need in needs {
        // What comes with boot-matrix is told only when it is gone.
        let is_shipped =
            place::shipped().is_ok_and(|folder| Path::new(&need.name).starts_with(folder));
        let is_told = !told.insert((&need.name, need.found.is_ok()));
        if is_told || need.found.is_ok() && is_shipped {
            continue;
        }
        print_need(&mut to, need, ("✗", BAD))?;
    }
    for need in besides {
        print_need(&mut to, need, ("–", CAUTION))?;
    }
    if let Some(command) = setup::command_for_all(needs) {
        write!(to, "to install what is missing: ")?;
        to.paint(TYPED, command)?;
        writeln!(to)?;
    }
    for fact in facts {
        to.paint(FAINT, format_args!("  {fact}"))?;
        writeln!(to)?;
    }
    Ok(())
}

fn document(need: &Need) -> Value {
    match &need.found {
        Ok(found) => json!({ "name": need.name, "found": found }),
        Err(missing) => {
            json!({ "name": need.name, "found": null, "missing": missing, "remedy": remedy(need) })
        }
    }
}

/// A line: what was found; or what is missing, and the command that brings it.
fn print_need(
    to: &mut Terminal<impl Write>,
    need: &Need,
    (mark, style): (&str, Style),
) -> io::Result<()> {
    match &need.found {
        Ok(found) => {
            to.paint(GOOD, "✓")?;
            let found = Some(found).filter(|found| *found != need::FOUND);
            let found = found.map_or_else(String::new, |found| format!(": {found}"));
            writeln!(to, " {}{found}", need.name)
        }
        Err(missing) => {
            to.paint(style, mark)?;
            write!(to, " {}: {missing}: ", need.name)?;
            to.paint(TYPED, remedy(need))?;
            writeln!(to)
        }
    }
}

fn remedy(need: &Need) -> String {
    setup::command_for(need).unwrap_or_else(|| match &need.source {
        Source::Nowhere(remedy) => remedy.clone(),
        Source::Package(name) | Source::OptionalPackage(name) => {
            format!(
                "install the equivalent of Debian's package {name}; no package of this system is known to contain it"
            )
        }
        Source::Crate(name) => format!("cargo install {name} --locked"),
        Source::Command(tool) => tool.install_command().unwrap_or_default(),
    })
}
