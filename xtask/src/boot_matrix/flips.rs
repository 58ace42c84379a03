//! The cells that do not do the same on every build of their firmware, for people.

use std::io::{self, Write};

use scenarios::{
    grid::{Flip, GridRun},
    results::Results,
};

use crate::columns::aligned;

/// Prints the cells on which builds differ, by firmware, with a column for each build; nothing of a run on one build alone.
pub(crate) fn print(to: &mut impl Write, results: &Results) -> io::Result<()> {
    let run = GridRun::of(results);
    for (family, cells) in &run.cells {
        let builds: Vec<&str> = run.builds(family).map(|build| &*build.id).collect();
        let flips: Vec<&Flip> = run
            .differing
            .iter()
            .filter(|flip| flip.cell.firmware_family() == family)
            .collect();
        let versions: Vec<&str> = builds
            .iter()
            .map(|id| id.split_once('@').map_or(*id, |(_, build)| build))
            .collect();
        writeln!(
            to,
            "\n{family} {}: the same on {} of {cells} cells",
            versions.join(", "),
            cells - flips.len()
        )?;
        for row in rows(&flips, &builds, &versions) {
            writeln!(to, "  {row}")?;
        }
    }
    Ok(())
}

/// A header, and a line for each cell; an outcome that is not as expected has an exclamation mark.
fn rows(flips: &[&Flip], builds: &[&str], versions: &[&str]) -> Vec<String> {
    if flips.is_empty() {
        return Vec::new();
    }
    let head = versions
        .iter()
        .chain(&["cell"])
        .map(|&word| word.to_owned());
    let mut table: Vec<Vec<String>> = vec![head.collect()];
    for flip in flips {
        let seen = |build: &&str| match flip.seen.get(*build) {
            None => "·".to_owned(),
            Some(seen) if seen.as_expected => seen.outcome.clone(),
            Some(seen) => format!("{}!", seen.outcome),
        };
        let mut row: Vec<String> = builds.iter().map(seen).collect();
        row.push(flip.cell.to_string());
        table.push(row);
    }
    aligned(&table, &[])
}
