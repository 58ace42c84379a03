//! The whole matrix, and the time that a newcomer waits.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context, ensure};

use super::{
    Row,
    timing::{show, time},
};
use crate::place;

/// The default matrix, as a user runs it.
pub(super) fn matrix(folder: &Path) -> anyhow::Result<Vec<Row>> {
    let out = folder.join("matrix");
    let took = boot_matrix(place::workspace(), &out, &[])?;
    let text =
        std::fs::read_to_string(out.join("results.json")).context("read the matrix's results")?;
    let results: serde_json::Value =
        serde_json::from_str(&text).context("read the matrix's results")?;
    let cells = &results["totals"]["cells"];
    Ok(vec![Row::new(
        format!("the whole default matrix, {cells} cells"),
        show(took),
        "",
    )])
}

/// A clone with an empty target folder, to the result of one cell.
pub(super) fn clone(folder: &Path) -> anyhow::Result<Vec<Row>> {
    let clone = folder.join("clone");
    let root = place::workspace();
    let took = time(|| {
        let status = Command::new("git")
            .args(["clone", "--quiet"])
            .arg(root)
            .arg(&clone)
            .status();
        ensure!(status.context("run git")?.success(), "git clone failed");
        boot_matrix(
            &clone,
            &folder.join("first"),
            &["emulation-modes/*/none/*/seabios/ide"],
        )
    })?;
    Ok(vec![Row::new(
        "clone, build from an empty target folder, first result",
        show(took),
        "",
    )])
}

fn boot_matrix(root: &Path, out: &Path, arguments: &[&str]) -> anyhow::Result<Duration> {
    time(|| {
        let status = Command::new("cargo")
            .args(["xtask", "boot-matrix", "--out"])
            .arg(out)
            .args(arguments)
            .current_dir(root)
            .env_remove("CARGO_TARGET_DIR")
            .stdout(std::process::Stdio::null())
            .status()
            .context("run cargo xtask boot-matrix")?;
        ensure!(status.success(), "boot-matrix ended with {status}");
        Ok(())
    })
}
