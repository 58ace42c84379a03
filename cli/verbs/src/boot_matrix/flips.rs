//! The cells that do not do the same on every build of their firmware, for people.

use std::io::{self, Write};

use scenarios::{
    grid::{Flip, GridRun},
    results::Results,
};

use super::output::paint_marks;
use crate::terminal::{Terminal, WIDTH};

/// Prints the cells on which builds differ, by firmware, with what is seen on which; nothing of a run on one build alone.
pub(crate) fn print(to: &mut Terminal<impl Write>, results: &Results) -> io::Result<()> {
    let run = GridRun::of(results);
    for (family, cells) in &run.cells {
        let builds: Vec<&str> = run.builds(family).map(|build| &*build.id).collect();
        let flips: Vec<&Flip> = run
            .differing
            .iter()
            .filter(|flip| flip.cell.firmware_family() == family)
            .collect();
        let versions: Vec<&str> = builds.iter().map(|build| version(build)).collect();
        let same = cells - flips.len();
        let sentence = format!(
            "{family} {}: the same on {same} of {cells} cells",
            versions.join(", ")
        );
        writeln!(to, "\n{}", textwrap::fill(&sentence, WIDTH))?;
        for flip in flips {
            writeln!(to, "  {}", flip.cell)?;
            let indent = textwrap::Options::new(WIDTH)
                .initial_indent("    ")
                .subsequent_indent("    ");
            for line in textwrap::wrap(&by_outcome(flip, &builds), indent) {
                paint_marks(to, &line)?;
                writeln!(to)?;
            }
        }
    }
    Ok(())
}

/// What is seen of a cell, with the builds that it is seen on. What is not as expected has an exclamation mark.
fn by_outcome(flip: &Flip, builds: &[&str]) -> String {
    let mut seen: Vec<(String, Vec<&str>)> = Vec::new();
    for build in builds {
        let Some(on_build) = flip.seen.get(*build) else {
            continue;
        };
        let mark = if on_build.as_expected { "" } else { "!" };
        let outcome = format!("{}{mark}", on_build.outcome);
        match seen.iter_mut().find(|(other, _)| *other == outcome) {
            Some((_, versions)) => versions.push(version(build)),
            None => seen.push((outcome, vec![version(build)])),
        }
    }
    let on =
        |(outcome, versions): &(String, Vec<&str>)| format!("{outcome} on {}", versions.join(", "));
    seen.iter().map(on).collect::<Vec<_>>().join("; ")
}

/// What stands behind the @ of a build's name.
fn version(build: &str) -> &str {
    build.split_once('@').map_or(build, |(_, version)| version)
}
