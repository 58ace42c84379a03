//! What the project is built from, in figures, and as a software bill of materials.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Context;
use clap::Args;
use scenarios::{digests, files};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    deny,
    kept::{Figures, Table},
};
use crate::repository::workspace;
use crate::{
    check,
    supply::{self, Metadata, Package, RUST_VERSION},
};
use cli::{place::shown, remark};

/// What is made besides.
#[derive(Debug, Args)]
#[command(after_help = crate::examples::TRUST_SUPPLY.help())]
pub(crate) struct Supply {
    /// Write a software bill of materials (CycloneDX 1.5, JSON).
    #[arg(long, value_name = "FILE")]
    sbom: Option<PathBuf>,
    /// Look for known vulnerabilities of the crates in this clone of RustSec's advisory database. Needs cargo-deny.
    #[arg(long, value_name = "DIR")]
    advisories: Option<PathBuf>,
}

pub(super) fn measure(options: &Supply) -> anyhow::Result<Figures> {
    let began = Instant::now();
    let metadata = Metadata::read()?;
    let mut figures = Figures {
        failures: supply::check()?,
        ..Figures::default()
    };
    figures.add("third-party crates", metadata.foreign().count());
    figures.add("third-party crates from other sources than the registry", 0);
    figures.add("minimum Rust (rust-version)", RUST_VERSION);
    deny::ask(options.advisories.as_deref(), &mut figures)?;
    if let Err((_, what)) = check::reproducible_discs() {
        figures.failures.push(what);
    }
    let discs = fs::read_to_string(workspace().join(digests::FILE))?;
    figures.add(
        "discs of our own masters with the recorded bytes",
        discs.lines().count(),
    );
    figures.tables.push(licences(&metadata));
    figures.tables.push(unsafe_code()?);
    if let Some(file) = &options.sbom {
        files::write_json(file, &bill(&metadata)?)?;
        remark!("written: {}", shown(file).display());
    }
    figures.seconds = began.elapsed().as_secs();
    Ok(figures)
}

fn licences(metadata: &Metadata) -> Table {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for package in metadata.foreign() {
        let licence = package.license.as_deref().unwrap_or("none");
        *counts.entry(licence).or_default() += 1;
    }
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by_key(|&(licence, count)| (std::cmp::Reverse(count), licence));
    let row = |(licence, count): (&str, usize)| vec![licence.to_owned(), count.to_string()];
    Table {
        head: ["licence", "crates"].map(str::to_owned).to_vec(),
        rows: rows.into_iter().map(row).collect(),
    }
}

/// Each use of `unsafe`, which is an error unless it is expected, and why it is.
fn unsafe_code() -> anyhow::Result<Table> {
    let expected = regex::Regex::new(r#"expect\(\s*unsafe_code,\s*reason = "([^"]+)""#)?;
    let mut rows = Vec::new();
    for name in ["harness", "images", "scenarios", "tests", "xtask"] {
        let mut reasons = Vec::new();
        each_source(&workspace().join(name), &mut |file, text| {
            let file = file.strip_prefix(workspace()).unwrap_or(file);
            for found in expected.captures_iter(text) {
                // A text over several lines.
                let reason = found[1].replace('\\', " ");
                let reason: Vec<&str> = reason.split_whitespace().collect();
                reasons.push(vec![format!("`{}`", file.display()), reason.join(" ")]);
            }
        })?;
        if reasons.is_empty() {
            reasons.push(vec![format!("`{name}`"), "none: forbidden".to_owned()]);
        }
        rows.extend(reasons);
    }
    Ok(Table {
        head: ["`unsafe` in", "why"].map(str::to_owned).to_vec(),
        rows,
    })
}

fn each_source(folder: &Path, visit: &mut dyn FnMut(&Path, &str)) -> anyhow::Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("read {}", folder.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            each_source(&path, visit)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            visit(&path, &fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// `Cargo.lock`, which has the checksums.
#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

/// The bill of materials. It has no time and no serial number: the same sources give the same one.
fn bill(metadata: &Metadata) -> anyhow::Result<Value> {
    let lock: Lock = toml::from_str(&fs::read_to_string(workspace().join("Cargo.lock"))?)?;
    let checksum = |package: &Package| {
        let mut locked = lock.package.iter();
        let locked = locked
            .find(|locked| locked.name == package.name && locked.version == package.version)?;
        locked.checksum.as_deref()
    };
    let component = |package: &Package| {
        let kind = match package.source {
            Some(_) => "library",
            None => "application",
        };
        let purl = purl(package);
        let mut component = json!({
            "type": kind, "bom-ref": purl, "purl": purl, "name": package.name, "version": package.version,
        });
        if let Some(licence) = &package.license {
            // Older crates write a slash for "or".
            let expression = licence.replace(" / ", "/").replace('/', " OR ");
            component["licenses"] = json!([{ "expression": expression }]);
        }
        if let Some(sum) = checksum(package) {
            component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
        }
        component
    };
    let by_id: BTreeMap<&str, String> = metadata
        .packages
        .iter()
        .map(|package| (package.id.as_str(), purl(package)))
        .collect();
    let needs = |ids: &[String]| -> Vec<&String> {
        ids.iter().filter_map(|id| by_id.get(id.as_str())).collect()
    };
    let nodes = metadata.resolve.nodes.iter();
    let dependencies: Vec<Value> = nodes
        .map(|node| json!({ "ref": by_id.get(node.id.as_str()), "dependsOn": needs(&node.dependencies) }))
        .collect();
    let components: Vec<Value> = metadata.packages.iter().map(component).collect();
    let main = metadata.packages.iter().find(|it| it.name == "xtask");
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": main.map(component) },
        "components": components,
        "dependencies": dependencies,
    }))
}

/// A crate's package URL.
fn purl(package: &Package) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version)
}
