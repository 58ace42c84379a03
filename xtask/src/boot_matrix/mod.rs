//! The main job: master, boot, judge, report.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::Context;
use scenarios::{
    cell::Cell,
    filter::Filter,
    matrix::{Folder, Matrix},
    selection::Selection,
};
use serde_json::json;

use crate::{
    cli::{BootMatrix, Format},
    stop::Stop,
};

/// Runs the verb.
pub(crate) fn run(options: &BootMatrix) -> anyhow::Result<ExitCode> {
    let matrix = read(options)?;
    let cells = select(options, &matrix)?;
    if options.list {
        return match list(&cells, options.format) {
            // Whoever reads the list has read enough.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(error).context("cannot write the list")
            }
            _ => Ok(ExitCode::SUCCESS),
        };
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder of the workspace, in which everything that is shipped lies.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

fn read(options: &BootMatrix) -> anyhow::Result<Matrix> {
    let folders: Vec<Folder> = match &options.scenarios[..] {
        [] => vec![Folder::shipped(workspace())],
        own => own.iter().map(Folder::own).collect(),
    };
    Ok(Matrix::read(&folders).map_err(|error| Stop::usage(error, ""))?)
}

fn select(options: &BootMatrix, matrix: &Matrix) -> anyhow::Result<Vec<Cell>> {
    let selection = Selection {
        sets: options.set.0.clone(),
        filters: options.filters.iter().map(Filter::new).collect(),
        firmware: options.firmware.clone(),
        attach: options.attach.clone(),
        master: options.master.clone(),
    };
    let cells = selection
        .apply(matrix)
        .map_err(|error| Stop::usage(error, "cargo xtask boot-matrix --list"))?;
    Ok(match options.partition {
        Some(partition) => partition.of(cells),
        None => cells,
    })
}

fn list(cells: &[Cell], format: Format) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match format {
        Format::Text => cells
            .iter()
            .try_for_each(|cell| writeln!(out, "{}", cell.id)),
        Format::Json => writeln!(
            out,
            "{}",
            json!({ "schema": "list/1", "cells": cells.iter().map(|cell| &cell.id).collect::<Vec<_>>() })
        ),
    }
}
