//! Format, lints, documentation, the schema and the snapshots: everything that can be checked without booting.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::Context;
use scenarios::{
    file, files,
    matrix::{Folder, Matrix},
    snapshots,
};

use crate::{
    cli::Check,
    place::{cargo, workspace},
    steps::{self, Step},
};

/// Runs the verb.
pub(crate) fn run(options: &Check) -> anyhow::Result<ExitCode> {
    if options.update_schema {
        files::write(&schema_file(), file::json_schema().as_bytes())?;
    }
    let steps = [
        Step::command("format", &mut in_workspace(&["fmt", "--all", "--check"])),
        Step::command(
            "clippy",
            &mut in_workspace(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--quiet",
                "--",
                "-D",
                "warnings",
            ]),
        ),
        Step::command(
            "documentation",
            in_workspace(&[
                "doc",
                "--workspace",
                "--no-deps",
                "--document-private-items",
                "--quiet",
            ])
            .env("RUSTDOCFLAGS", "-D warnings"),
        ),
        Step::run("schema", schema),
        Step::run("unreferenced snapshots", unreferenced_snapshots),
    ];
    Ok(ExitCode::from(
        steps::summary("check/1", &steps, options.format).context("cannot write")?,
    ))
}

fn in_workspace(arguments: &[&str]) -> std::process::Command {
    let mut command = cargo();
    command.current_dir(workspace()).args(arguments);
    command
}

fn schema_file() -> PathBuf {
    workspace().join("schemas").join("scenario.schema.json")
}

fn schema() -> Result<(), (u8, String)> {
    let file = schema_file();
    match fs::read_to_string(&file) {
        Ok(kept) if kept == file::json_schema() => Ok(()),
        Ok(_) => Err((
            1,
            format!(
                "{} is not what the code reads: cargo xtask check --update-schema",
                file.display()
            ),
        )),
        Err(error) => Err((
            1,
            format!(
                "{}: {error}: cargo xtask check --update-schema",
                file.display()
            ),
        )),
    }
}

fn unreferenced_snapshots() -> Result<(), (u8, String)> {
    let folder = Folder::shipped(workspace());
    let matrix =
        Matrix::read(std::slice::from_ref(&folder)).map_err(|error| (2, error.to_string()))?;
    let unreferenced =
        snapshots::unreferenced(&matrix, &folder).map_err(|error| (3, error.to_string()))?;
    if unreferenced.is_empty() {
        return Ok(());
    }
    let files: Vec<String> = unreferenced
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    Err((
        1,
        format!(
            "no cell has these snapshots; remove them:\n{}",
            files.join("\n")
        ),
    ))
}
