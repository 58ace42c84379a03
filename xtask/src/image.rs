//! Masters one disc, by its name.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;
use scenarios::{
    cell::Recipe,
    disc::{self, Exported},
    id::{CellId, DiscId},
};
use serde_json::json;

use crate::{
    cli::{Format, Image},
    stop::Stop,
};

/// Runs the verb.
pub(crate) fn run(options: &Image) -> anyhow::Result<ExitCode> {
    let recipe = Recipe::read(&disc_id(&options.id)?).map_err(|error| {
        Stop::usage(
            format!("{}: {error}", options.id),
            "cargo xtask boot-matrix --list",
        )
    })?;
    match disc::export(&recipe, &options.out)
        .map_err(|error| Stop::host(error, "choose another file with --out"))?
    {
        Exported::Refused(words) => Err(Stop::usage(
            format!("{} cannot be mastered: {words}", recipe.id),
            "another medium, boot or size in the id",
        )
        .into()),
        Exported::Made { bytes } => {
            say(options, &recipe, bytes).context("cannot write")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The disc that the id of a disc or of a cell names.
fn disc_id(text: &str) -> anyhow::Result<DiscId> {
    match (text.parse::<DiscId>(), text.parse::<CellId>()) {
        (Ok(disc), _) => Ok(disc),
        (_, Ok(cell)) => Ok(cell.disc()),
        (Err(error), Err(_)) => {
            Err(Stop::usage(error, "cargo xtask boot-matrix --list shows ids").into())
        }
    }
}

fn say(options: &Image, recipe: &Recipe, bytes: u64) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let file = options.out.display().to_string();
    match options.format {
        Format::Json => writeln!(
            out,
            "{}",
            json!({ "schema": "image/1", "id": recipe.id, "file": file, "size_bytes": bytes })
        ),
        Format::Text => writeln!(out, "{file}: {bytes} bytes, {}", recipe.id),
    }
}
