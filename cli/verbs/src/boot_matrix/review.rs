//! Looking at what differs from its snapshot, one by one, with `cargo insta review`.

use std::{
    io::{self, IsTerminal},
    process::{Command, Stdio},
};

use anyhow::Context;
use scenarios::{
    cell::Cell,
    record::{CellResult, Differs},
    results::Results,
    terms::Accepted,
};

use super::{again::again, choice::Choice};
use crate::{
    options::{BootMatrix, RunFormat},
    place::{cargo, workspace_for},
    signals::Signals,
    stop::Stop,
};

/// How to go on where nothing can be reviewed.
const WITHOUT: &str = "without --review: -v prints complete differences, and --accept accepts them";

/// Says before a run what would stand in the way after it.
pub(super) fn check(options: &BootMatrix, choice: &Choice) -> Result<(), Stop> {
    if !options.review {
        return Ok(());
    }
    if options.format != RunFormat::Text
        || !io::stdin().is_terminal()
        || !io::stdout().is_terminal()
    {
        let what = "--review needs a terminal, but standard input or output is not a terminal, or the output is for programs";
        return Err(Stop::usage(what, WITHOUT));
    }
    if let Some(outside) = choice.cells.iter().find(|cell| !is_reviewable(cell)) {
        let what = format!(
            "--review uses cargo-insta, which reads only this workspace, but the snapshots are in {}",
            outside.snapshot.display()
        );
        return Err(Stop::usage(what, WITHOUT));
    }
    let asked = insta()
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if asked.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(Stop::host(
        "--review needs cargo-insta, which is not installed",
        format!("cargo install cargo-insta --locked; or {WITHOUT}"),
    ))
}

/// The option with which what is seen in a run can be accepted, where it can.
pub(super) fn option(accepted: &Accepted, cells: &[Cell]) -> Option<&'static str> {
    match accepted {
        Accepted::Snapshots if cells.iter().all(is_reviewable) => Some("--review"),
        Accepted::Snapshots | Accepted::Baseline(_) => Some("--accept"),
        Accepted::Nothing => None,
    }
}

/// Whether a cell is a mismatch that may be accepted: what was seen is what is declared.
pub(super) fn is_acceptable(record: &CellResult) -> bool {
    let may_be = |differs: &Differs| matches!(differs, Differs::Snapshot | Differs::New);
    !record.differs.is_empty() && record.differs.iter().all(may_be)
}

/// Opens the review of what is not as it was accepted, and of nothing else.
pub(super) fn open(
    results: &Results,
    cells: &[Cell],
    out: &std::path::Path,
    signals: &Signals,
) -> anyhow::Result<()> {
    let acceptable = results.cells.iter().filter(|record| is_acceptable(record));
    let ids: Vec<&str> = acceptable.map(|record| &*record.id).collect();
    let workspace = workspace_for("snapshots")?;
    let mut command = insta();
    command
        .current_dir(workspace)
        .args(["review", "--workspace-root"])
        .arg(workspace);
    let mut any = false;
    for cell in cells.iter().filter(|cell| ids.contains(&cell.id.as_str())) {
        if let Ok(below) = cell.snapshot.strip_prefix(workspace)
            && cell.snapshot.with_extension("snap.new").exists()
        {
            command.arg("--snapshot").arg(below);
            any = true;
        }
    }
    if !any {
        remark!("nothing to review");
        return Ok(());
    }
    let status = signals.run(&mut command);
    let status = status.context("cannot run cargo insta")?;
    if !status.success() {
        let what = format!("cargo insta review ended with {status}");
        return Err(Stop::host(what, WITHOUT).into());
    }
    remark!(
        "reviewed; to see the remaining differences: {}",
        again(out, None, None)
    );
    Ok(())
}

/// cargo-insta walks the workspace only.
fn is_reviewable(cell: &Cell) -> bool {
    workspace_for("").is_ok_and(|workspace| cell.snapshot.starts_with(workspace))
}

fn insta() -> Command {
    let mut command = cargo();
    command.arg("insta");
    command
}
