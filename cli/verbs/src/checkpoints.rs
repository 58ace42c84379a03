//! What is known of the saved machines, and how to be rid of them.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;
use harness::checkpoint::{Checkpoints as Store, Kept};
use serde_json::json;

use crate::{
    options::{CheckpointVerb, Checkpoints, Format},
    place,
};

/// Runs the verb.
pub fn run(options: &Checkpoints) -> anyhow::Result<ExitCode> {
    let store = Store::in_folder(place::checkpoints()?);
    let folder = store.folder().display().to_string();
    match options.verb {
        CheckpointVerb::List => {
            let kept = store
                .list()
                .with_context(|| format!("cannot read {folder}"))?;
            print(&kept, &folder, options.format).context("cannot write")?;
        }
        CheckpointVerb::Clear => {
            let count = store
                .clear()
                .with_context(|| format!("cannot remove {folder}"))?;
            let mut out = crate::terminal::answer();
            match options.format {
                Format::Json => writeln!(
                    out,
                    "{}",
                    json!({ "schema": "checkpoints-cleared/1", "folder": folder, "removed": count })
                ),
                Format::Text => writeln!(out, "{count} removed from {folder}"),
            }
            .context("cannot write")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(kept: &[Kept], folder: &str, format: Format) -> io::Result<()> {
    let mut out = crate::terminal::answer();
    let refusal = |kept: &Kept| kept.record.refusal.map(|refusal| refusal.to_string());
    if format == Format::Json {
        let rows: Vec<_> = kept
            .iter()
            .map(|kept| {
                json!({
                    "folder": kept.folder,
                    "firmware": kept.record.firmware,
                    "firmware_version": kept.record.firmware_version,
                    "attachment": kept.record.attachment,
                    "qemu": kept.record.qemu,
                    "made_in_ms": kept.record.made_in_ms,
                    "allocated_bytes": kept.allocated,
                    "refusal": refusal(kept),
                })
            })
            .collect();
        return writeln!(
            out,
            "{}",
            json!({ "schema": "checkpoints/1", "folder": folder, "checkpoints": rows })
        );
    }
    for kept in kept {
        let record = &kept.record;
        write!(
            out,
            "{:<16}  {:<10}  {:>6.1} MiB  made in {:.1} s  QEMU {}",
            record.firmware,
            record.attachment,
            kept.allocated as f64 / f64::from(1 << 20),
            record.made_in_ms as f64 / 1000.0,
            record.qemu,
        )?;
        match refusal(kept) {
            Some(refusal) => writeln!(out, "  none: {refusal}")?,
            None => writeln!(out)?,
        }
    }
    let bytes: u64 = kept.iter().map(|kept| kept.allocated).sum();
    writeln!(out, "{} in {folder}, {} MiB", kept.len(), bytes >> 20)
}
