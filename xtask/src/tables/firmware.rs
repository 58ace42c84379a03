//! What differs between builds of a firmware: what a run on the grid left in docs/firmware.json.

use std::{collections::BTreeSet, path::Path};

use scenarios::{
    files,
    grid::{Flip, Grid, GridRun, SCHEMA},
    matrix::Matrix,
};

use super::markdown::{firmware_name, markdown_table};

/// Below the folder of the workspace.
const DATA: &str = "docs/firmware.json";
/// So much of a digest tells builds apart.
const SHORT: usize = 12;

/// The builds, and for each firmware the cells on which they differ.
pub(super) fn table(folder: &Path, matrix: &Matrix) -> Result<String, String> {
    let grid = read(folder, matrix)?;
    let mut text = builds(&grid);
    for run in &grid.runs {
        for (family, cells) in &run.cells {
            text += &differing(run, family, *cells);
        }
    }
    Ok(text)
}

/// The data; a cell that is no longer there makes it old.
fn read(folder: &Path, matrix: &Matrix) -> Result<Grid, String> {
    const REMEDY: &str = "cargo xtask boot-matrix --firmware-grid --accept";
    let file = folder.join(DATA);
    let grid: Grid = files::read_json(&file).map_err(|error| format!("{error}; {REMEDY}"))?;
    if grid.schema != SCHEMA {
        return Err(format!("{DATA} is of another version: {REMEDY}"));
    }
    let mut flips = grid.runs.iter().flat_map(|run| &run.differing);
    match flips.find(|flip| matrix.cell(&flip.cell).is_none()) {
        Some(flip) => Err(format!(
            "{DATA}: no scenario has the cell {}: {REMEDY}",
            flip.cell
        )),
        None => Ok(grid),
    }
}

fn builds(grid: &Grid) -> String {
    let mut head = vec![
        "build".to_owned(),
        "version".to_owned(),
        "SHA-256".to_owned(),
    ];
    head.extend(grid.runs.iter().map(|run| format!("QEMU {}", run.qemu)));
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    for tool in grid.runs.iter().flat_map(|run| &run.firmware) {
        if !seen.insert((&tool.id, &tool.sha256)) {
            continue;
        }
        let mut row = vec![
            format!("`{}`", tool.id),
            tool.version.clone(),
            format!("`{}`", tool.sha256.get(..SHORT).unwrap_or(&tool.sha256)),
        ];
        row.extend(grid.runs.iter().map(|run| {
            let ran = run.firmware.iter().any(|other| other == tool);
            if ran { "ran" } else { "–" }.to_owned()
        }));
        rows.push(row);
    }
    markdown_table(&head, &rows)
}

fn differing(run: &GridRun, family: &str, cells: usize) -> String {
    let of_family = |flip: &&Flip| flip.cell.firmware_family() == family;
    let flips: Vec<&Flip> = run.differing.iter().filter(of_family).collect();
    let name = firmware_name(family);
    let mut text = format!("\n### {name}, QEMU {}\n\n", run.qemu);
    if flips.is_empty() {
        return text + &format!("All builds do the same on all {cells} cells.\n");
    }
    text += &format!(
        "The same on {} of {cells} cells.\n\n",
        cells.saturating_sub(flips.len())
    );
    let ids: Vec<&str> = run.builds(family).map(|build| &*build.id).collect();
    let version = |id: &str| id.split_once('@').map_or(id, |(_, build)| build).to_owned();
    let mut head = vec!["cell".to_owned()];
    head.extend(ids.iter().map(|id| version(id)));
    let rows: Vec<Vec<String>> = flips.iter().map(|flip| row(flip, &ids)).collect();
    text += &markdown_table(&head, &rows);
    let mut told = BTreeSet::new();
    for flip in flips {
        for (build, seen) in &flip.seen {
            let because = seen.because.as_deref().unwrap_or_default();
            if seen.as_expected && !because.is_empty() && told.insert((build, because)) {
                text += &format!("\n- `{build}`, {}: {because}", seen.outcome);
            }
        }
    }
    text + "\n"
}

/// What is not what must happen there is in bold.
fn row(flip: &Flip, builds: &[&str]) -> Vec<String> {
    let mut row = vec![format!("`{}`", flip.cell)];
    row.extend(builds.iter().map(|build| match flip.seen.get(*build) {
        None => "–".to_owned(),
        Some(seen) if seen.as_expected => seen.outcome.clone(),
        Some(seen) => format!("**{}**", seen.outcome),
    }));
    row
}
