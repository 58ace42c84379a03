//! Which builds there are.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::Context;
use harness::{
    checkpoint::Checkpoints,
    emulator::{EmulatorId, Installed, fetched_qemu},
    firmware::{Firmware, Store, discover},
};
use serde_json::json;

use crate::{options::Format, place};

/// So much of a digest tells builds apart.
const SHORT: usize = 12;

/// One build.
struct Row {
    firmware: Firmware,
    source: String,
    /// The versions of QEMU whose checkpoints show that it has come up in them.
    started_by: BTreeSet<String>,
}

/// Everything that there is.
struct List {
    qemu: Vec<(PathBuf, Result<Installed, String>)>,
    rows: Vec<Row>,
    /// What is wrong with those that are damaged.
    damaged: Vec<String>,
}

/// Prints every build, and every QEMU that there is to run it.
pub(super) fn print(store: &Store, format: Format) -> anyhow::Result<()> {
    let list = look(store).with_context(|| format!("cannot read {}", store.folder().display()))?;
    let mut out = crate::terminal::answer();
    match format {
        Format::Json => writeln!(out, "{}", document(&list, store)),
        Format::Text => text(&mut out, &list, store),
    }
    .context("cannot write")
}

fn look(store: &Store) -> anyhow::Result<List> {
    let mut rows = Vec::new();
    let mut damaged = Vec::new();
    let mut qemu = Vec::new();
    let host = EmulatorId::Qemu.locate(None);
    let own = host.as_ref().map(discover).unwrap_or_default();
    rows.extend(own.into_iter().map(|firmware| Row {
        source: format!("the host's: {}", firmware.image.code().display()),
        started_by: BTreeSet::new(),
        firmware,
    }));
    if let Ok(host) = host {
        qemu.push((host.path.clone(), Ok(host)));
    }
    qemu.extend(fetched_qemu(store.folder()));
    for kept in store.list()? {
        match kept.build {
            Ok((record, firmware)) => rows.push(Row {
                firmware,
                source: record.source.to_string(),
                started_by: BTreeSet::new(),
            }),
            Err(what) => damaged.push(what),
        }
    }
    let checkpoints = Checkpoints::in_folder(place::checkpoints()?).list()?;
    for row in &mut rows {
        let of_row = checkpoints
            .iter()
            .map(|kept| &kept.record)
            .filter(|record| {
                record.refusal.is_none()
                    && record.firmware == row.firmware.id.as_str()
                    && record.firmware_version == row.firmware.version
            });
        row.started_by = of_row.map(|record| record.qemu.clone()).collect();
    }
    Ok(List {
        qemu,
        rows,
        damaged,
    })
}

fn text(out: &mut impl Write, list: &List, store: &Store) -> io::Result<()> {
    for row in &list.rows {
        let firmware = &row.firmware;
        let started: Vec<&str> = row.started_by.iter().map(String::as_str).collect();
        let started = match &started[..] {
            [] => "no QEMU yet".to_owned(),
            versions => format!("QEMU {}", versions.join(", ")),
        };
        writeln!(
            out,
            "{:<24}  {:<24}  {}  started by {started:<20}  {}",
            firmware.name(),
            firmware.version,
            firmware.sha256.get(..SHORT).unwrap_or_default(),
            row.source
        )?;
    }
    for (path, qemu) in &list.qemu {
        match qemu {
            Ok(qemu) => writeln!(out, "QEMU {}  --qemu {}", qemu.version, path.display())?,
            Err(why) => writeln!(out, "QEMU ✗ {why}")?,
        }
    }
    list.damaged
        .iter()
        .try_for_each(|what| writeln!(out, "✗ {what}"))?;
    if !list.rows.iter().any(|row| row.firmware.build.is_some()) {
        writeln!(
            out,
            "there are no builds other than the host's in {}: cargo xtask firmware fetch",
            store.folder().display()
        )?;
    }
    Ok(())
}

fn document(list: &List, store: &Store) -> serde_json::Value {
    let row = |row: &Row| {
        json!({
            "id": row.firmware.name(),
            "family": row.firmware.id.project(),
            "version": row.firmware.version,
            "sha256": row.firmware.sha256,
            "image": row.firmware.image.code(),
            "source": row.source,
            "started_by": row.started_by,
        })
    };
    let qemu = |(path, qemu): &(PathBuf, Result<Installed, String>)| {
        let (version, trouble) = match qemu {
            Ok(qemu) => (Some(qemu.version), None),
            Err(why) => (None, Some(why)),
        };
        json!({ "path": path, "version": version, "trouble": trouble })
    };
    json!({
        "schema": "firmware-list/1",
        "folder": store.folder(),
        "firmware": list.rows.iter().map(row).collect::<Vec<_>>(),
        "damaged": list.damaged,
        "qemu": list.qemu.iter().map(qemu).collect::<Vec<_>>(),
    })
}
