//! Snapshots are written by insta, in the tests of this repository: they are given what a run saw.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;
use scenarios::{
    cell::Cell,
    record,
    run::{self, Run},
    runner::snapshot::{self, Comparison},
};

use crate::{
    place::{cargo, workspace_for},
    signals::Signals,
    stop::Stop,
};

/// What becomes of a snapshot that is not what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Update {
    /// What was seen takes its place.
    Accept,
    /// What was seen is left beside it, to be reviewed.
    Review,
}

const SNAPSHOTS: &str = "accepted snapshots";

/// Says before a run what would stand in the way after it.
pub(super) fn check() -> Result<(), Stop> {
    workspace_for(SNAPSHOTS).map(drop)
}

/// Gives insta what a run saw of these cells.
pub(super) fn update(
    run: &Run,
    cells: &[Cell],
    update: Update,
    signals: &Signals,
) -> anyhow::Result<()> {
    let seen = |cell: &&Cell| record::snapshot_file(&run.out, &cell.id).exists();
    let seen: Vec<&Cell> = cells.iter().filter(seen).collect();
    if seen.is_empty() {
        return Ok(());
    }
    let said = run.out.join("insta.txt");
    let file = std::fs::File::create(&said).context("cannot keep what insta says")?;
    let workspace = workspace_for(SNAPSHOTS)?;
    let mut command = asserting(run, update, workspace);
    command.stdout(file.try_clone()?).stderr(file);
    let status = signals.run(&mut command).context("cannot run cargo test")?;
    // It fails where a cell does; whether it wrote what it was to write is another question.
    if update == Update::Review || signals.caught() {
        return Ok(());
    }
    for cell in seen {
        let text = std::fs::read_to_string(record::snapshot_file(&run.out, &cell.id))?;
        if snapshot::compare(&cell.snapshot, &text)? != Comparison::Same {
            let what = format!(
                "{} was not written; cargo test ended with {status}",
                cell.snapshot.display()
            );
            return Err(Stop::host(what, said.display().to_string()).into());
        }
    }
    Ok(())
}

/// The tests of a run's cells, with nothing booted.
fn asserting(run: &Run, update: Update, workspace: &Path) -> Command {
    let mut command = cargo();
    command
        .current_dir(workspace)
        // All of it, and not one package: what is built is the same for every other test then.
        .args(["test", "--workspace", "--test", "matrix"])
        .env(run::VARIABLE, Run::file(&run.out))
        .env(
            "INSTA_UPDATE",
            match update {
                Update::Accept => "always",
                Update::Review => "new",
            },
        )
        .env("INSTA_OUTPUT", "none")
        .env("INSTA_WORKSPACE_ROOT", workspace)
        // Neither may turn a difference into a pass, whatever the environment says.
        .env_remove("INSTA_FORCE_PASS")
        .env_remove("INSTA_FORCE_UPDATE")
        .stdin(Stdio::null());
    command
}
