//! What is needed on this machine, and what is missing.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;
use scenarios::matrix::Matrix;
use serde_json::json;

use crate::{
    cli::{Doctor, Format},
    place::workspace,
    setup::{
        self,
        need::{self, Need, Source},
    },
    stop::{HOST, Stop},
};

/// Runs the verb.
pub(crate) fn run(options: &Doctor) -> anyhow::Result<ExitCode> {
    let matrix = Matrix::shipped(workspace()).map_err(|error| Stop::scenarios(&error))?;
    let cells: Vec<_> = matrix.cells().collect();
    let toolbox = setup::find(&options.tooling);
    let mut needs = need::for_cells(&cells, &toolbox);
    needs.extend(need::for_masters(&cells, &matrix.masters, &[], &toolbox));
    needs.extend(need::for_tests());
    let mut facts = Vec::new();
    if let Ok(toolbox) = &toolbox {
        let accelerator = &toolbox.accelerator;
        facts.push(format!(
            "accelerator: {} ({})",
            accelerator.accelerator, accelerator.why
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
    print(&needs, &facts, options.format).context("cannot write")?;
    let missing = needs.iter().any(|need| need.found.is_err());
    Ok(if missing {
        ExitCode::from(HOST)
    } else {
        ExitCode::SUCCESS
    })
}

fn print(needs: &[Need], facts: &[String], format: Format) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match format {
        Format::Json => {
            let needs: Vec<_> = needs
                .iter()
                .map(|need| match &need.found {
                    Ok(found) => json!({ "name": need.name, "found": found }),
                    Err(missing) => json!({ "name": need.name, "found": null, "missing": missing, "remedy": remedy(need) }),
                })
                .collect();
            writeln!(
                out,
                "{}",
                json!({ "schema": "doctor/1", "needs": needs, "facts": facts })
            )
        }
        Format::Text => {
            for need in needs {
                match &need.found {
                    Ok(found) => writeln!(out, "✓ {}: {found}", need.name)?,
                    Err(missing) => {
                        writeln!(out, "✗ {}: {missing}\n    {}", need.name, remedy(need))?
                    }
                }
            }
            facts.iter().try_for_each(|fact| writeln!(out, "  {fact}"))
        }
    }
}

fn remedy(need: &Need) -> String {
    setup::command_for(need).unwrap_or_else(|| match &need.source {
        Source::Nowhere(remedy) => remedy.clone(),
        Source::Package(name) | Source::OptionalPackage(name) => {
            format!(
                "install what Debian calls {name}; no package of this system is known to bring it"
            )
        }
        Source::Crate(name) => format!("cargo install {name} --locked"),
    })
}
