//! Builds of firmware besides the system's: what there is, and how others come here.

pub(crate) mod keys;
mod list;
mod stop;

use std::{io::Write, path::Path, process::ExitCode};

use anyhow::Context;
use harness::{
    emulator::{EmulatorId, FetchedQemu, fetch_qemu},
    firmware::{Fetched, FirmwareName, Record, Store, fetch, grid},
    packages::{PackageError, Packages},
};
use serde_json::json;

use self::stop::stop;
use crate::{
    options::{Firmware, FirmwareVerb, Format},
    place,
    stop::Stop,
};

/// Runs the verb.
pub(crate) fn run(options: &Firmware) -> anyhow::Result<ExitCode> {
    let store = Store::in_folder(place::firmware()?);
    let format = options.format;
    match &options.verb {
        FirmwareVerb::List => list::print(&store, format),
        FirmwareVerb::Fetch { qemu } => fetch_all(&store, *qemu, format),
        FirmwareVerb::Add {
            file: Some(file),
            variables,
            name,
            ..
        } => add(&store, file, variables.as_deref(), name.as_ref(), format),
        FirmwareVerb::Add {
            db,
            dbx,
            setup_mode,
            name,
            ..
        } => {
            let name = name.as_ref().filter(|name| name.build.is_some());
            let name = name.ok_or_else(no_build)?;
            let keys = keys::read(db, dbx, *setup_mode)?;
            let files = db.iter().chain(dbx).cloned().collect();
            let record = keys::add(&store, name, &keys, files)?;
            say_added(&record, format)
        }
        FirmwareVerb::Remove { name } => {
            store.remove(name).map_err(stop)?;
            let said = format!("{name} removed from {}", store.folder().display());
            let document = json!({ "schema": "firmware-removed/1", "id": name });
            say(&said, &document, format)
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

fn add(
    store: &Store,
    file: &Path,
    variables: Option<&Path>,
    name: Option<&FirmwareName>,
    format: Format,
) -> anyhow::Result<()> {
    if name.is_some_and(|name| name.build.is_none()) {
        return Err(no_build().into());
    }
    // Without QEMU nothing is known of the host's own.
    let known = EmulatorId::Qemu
        .locate(None)
        .map_or_else(|_| Vec::new(), |qemu| grid(store.folder(), &qemu));
    let record = store.add(file, variables, name, &known).map_err(stop)?;
    say_added(&record, format)
}

fn no_build() -> Stop {
    Stop::usage(
        "--as names no build",
        "an id with a version, as in --as ovmf@2025.02",
    )
}

fn say_added(record: &Record, format: Format) -> anyhow::Result<()> {
    let said = format!(
        "{}: version {}, to be run with --firmware {0} or --firmware-grid",
        record.name, record.version
    );
    let document =
        json!({ "schema": "firmware-added/1", "id": record.name, "version": record.version });
    say(&said, &document, format)
}

fn fetch_all(store: &Store, qemu: bool, format: Format) -> anyhow::Result<()> {
    let packages = Packages::in_folder(store.folder().join("apt"));
    remark!("asking this host's package manager what other releases have");
    let silent = packages.update().map_err(no_packages)?;
    for suite in &silent {
        remark!("note: {suite}");
    }
    let fetched = fetch(store, &packages, |fetched| remark!("{}", in_words(fetched)));
    let fetched = fetched.map_err(no_packages)?;
    let mut passed_over = Vec::new();
    let unpacked = match qemu {
        false => None,
        true => Some(
            fetch_qemu(store, &packages, |why| {
                remark!("not {why}");
                passed_over.push(why.to_owned());
            })
            .map_err(no_packages)?,
        ),
    };
    if format == Format::Json {
        let document = document(&fetched, &silent, unpacked.as_ref(), &passed_over);
        return say("", &document, format);
    }
    if let Some(FetchedQemu {
        qemu,
        packages,
        was_there,
    }) = &unpacked
    {
        remark!(
            "QEMU {}{}: {}",
            qemu.version,
            if *was_there { ", as before" } else { "" },
            packages.join(", ")
        );
    }
    list::print(store, format)
}

fn in_words(fetched: &Fetched) -> String {
    let package = &fetched.package;
    let mut words = format!(
        "{} {} of {}:",
        package.package, package.version, package.suite
    );
    for record in &fetched.builds {
        words += &format!(" {}", record.name);
    }
    if let Some(trouble) = &fetched.trouble {
        words += &format!(" {trouble}");
    }
    words
}

fn document(
    fetched: &[Fetched],
    silent: &[String],
    qemu: Option<&FetchedQemu>,
    passed_over: &[String],
) -> serde_json::Value {
    let row = |fetched: &Fetched| {
        let builds: Vec<&FirmwareName> = fetched.builds.iter().map(|record| &record.name).collect();
        json!({
            "package": fetched.package.package,
            "version": fetched.package.version,
            "suite": fetched.package.suite,
            "builds": builds,
            "trouble": fetched.trouble,
        })
    };
    let qemu = qemu.map(|unpacked| {
        json!({
            "version": unpacked.qemu.version,
            "path": unpacked.qemu.path,
            "packages": unpacked.packages,
            "passed_over": passed_over,
        })
    });
    json!({
        "schema": "firmware-fetched/1",
        "fetched": fetched.iter().map(row).collect::<Vec<_>>(),
        "silent": silent,
        "qemu": qemu,
    })
}

fn say(text: &str, document: &serde_json::Value, format: Format) -> anyhow::Result<()> {
    let mut out = crate::terminal::answer();
    match format {
        Format::Json => writeln!(out, "{document}"),
        Format::Text => writeln!(out, "{text}"),
    }
    .context("cannot write")
}

fn no_packages(error: PackageError) -> Stop {
    Stop::host(
        error,
        "cargo xtask firmware add FILE, with a firmware file from another source; only the grid needs other builds",
    )
}
