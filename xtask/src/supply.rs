//! What the project is built from: every crate's licence, source, least compiler and version, held against `deny.toml`,
//! which cargo-deny reads too. Nothing is fetched.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::repository::workspace;
use cli::place::cargo;

/// The one registry. Cargo names it by this address, wherever it fetches from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";
/// What is run and released.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// What `cargo metadata` says, as far as it is looked at.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) resolve: Resolve,
}

/// A crate.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    /// Nothing for one of the workspace.
    pub(crate) source: Option<String>,
    rust_version: Option<String>,
}

/// Which crate needs which.
#[derive(Debug, Deserialize)]
pub(crate) struct Resolve {
    pub(crate) nodes: Vec<Node>,
}

/// A crate, and what it needs.
#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) dependencies: Vec<String>,
}

/// The part of `deny.toml` that is looked at here.
#[derive(Debug, Deserialize)]
struct Policy {
    licenses: Licences,
    bans: Bans,
}

#[derive(Debug, Deserialize)]
struct Licences {
    allow: Vec<String>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

#[derive(Debug, Deserialize)]
struct Exception {
    allow: Vec<String>,
    #[serde(rename = "crate")]
    name: String,
}

#[derive(Debug, Deserialize)]
struct Bans {
    skip: Vec<Skipped>,
}

/// A version that may be there besides another one.
#[derive(Debug, Deserialize)]
struct Skipped {
    #[serde(rename = "crate")]
    spec: String,
    reason: String,
}

impl Metadata {
    /// Asks cargo, with `Cargo.lock` as it is.
    pub(crate) fn read() -> anyhow::Result<Self> {
        let answer = cargo()
            .current_dir(workspace())
            .args(["metadata", "--format-version=1", "--locked"])
            .args(["--filter-platform", PLATFORM])
            .output()
            .context("cannot start cargo")?;
        let said = String::from_utf8_lossy(&answer.stderr);
        ensure!(answer.status.success(), "cargo metadata: {}", said.trim());
        serde_json::from_slice(&answer.stdout).context("cargo metadata answers otherwise")
    }

    /// The crates of others.
    pub(crate) fn foreign(&self) -> impl Iterator<Item = &Package> {
        let packages = self.packages.iter();
        packages.filter(|package| package.source.is_some())
    }
}

impl Package {
    fn spec(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

/// The compiler that the workspace says it needs.
pub(crate) const RUST_VERSION: &str = env!("CARGO_PKG_RUST_VERSION");

/// All that is not as `deny.toml` wants it, a line each.
pub(crate) fn check() -> anyhow::Result<Vec<String>> {
    let metadata = Metadata::read()?;
    let file = workspace().join("deny.toml");
    let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    let policy: Policy = toml::from_str(&text).context("deny.toml is otherwise")?;
    Ok(wrong(&metadata, &policy))
}

fn wrong(metadata: &Metadata, policy: &Policy) -> Vec<String> {
    let mut wrong = Vec::new();
    for package in metadata.foreign() {
        let spec = package.spec();
        if package.source.as_deref() != Some(REGISTRY) {
            wrong.push(format!(
                "{spec} is not from crates.io: {:?}",
                package.source
            ));
        }
        if let Err(why) = licence(package, &policy.licenses) {
            wrong.push(format!("{spec}: {why}"));
        }
        let needed = package.rust_version.as_deref().unwrap_or("1.0");
        if numbers(needed) > numbers(RUST_VERSION) {
            wrong.push(format!(
                "{spec} needs Rust {needed}, and rust-version says {RUST_VERSION}"
            ));
        }
    }
    wrong.extend(duplicates(metadata, &policy.bans));
    wrong
}

fn licence(package: &Package, policy: &Licences) -> Result<(), String> {
    let text = package.license.as_deref().ok_or("it names no licence")?;
    let expression = spdx::Expression::parse_mode(text, spdx::ParseMode::LAX)
        .map_err(|error| format!("its licence is no SPDX expression: {}", error.reason))?;
    let exceptions = policy.exceptions.iter();
    let exceptions = exceptions.filter(|exception| exception.name == package.name);
    let allowed: BTreeSet<&str> = exceptions
        .flat_map(|exception| &exception.allow)
        .chain(&policy.allow)
        .map(String::as_str)
        .collect();
    let is_allowed = |required: &spdx::LicenseReq| {
        let licence = required.license.id();
        licence.is_some_and(|licence| allowed.contains(licence.name))
    };
    if expression.evaluate(is_allowed) {
        Ok(())
    } else {
        Err(format!("deny.toml does not allow {text}"))
    }
}

/// Crates of which there are several versions, but for those that are listed; and those that are listed in vain.
fn duplicates(metadata: &Metadata, policy: &Bans) -> Vec<String> {
    let mut versions: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for package in metadata.foreign() {
        versions
            .entry(&package.name)
            .or_default()
            .push(package.spec());
    }
    let listed: BTreeSet<&str> = policy.skip.iter().map(|skip| skip.spec.as_str()).collect();
    let mut wrong = Vec::new();
    for specs in versions.values() {
        let unlisted = || specs.iter().filter(|spec| !listed.contains(spec.as_str()));
        if unlisted().count() > 1 {
            let all: Vec<&str> = unlisted().map(String::as_str).collect();
            wrong.push(format!(
                "{}: name all but one in deny.toml's skip, with the reason",
                all.join(" and ")
            ));
        }
    }
    for skip in &policy.skip {
        let name = skip.spec.split('@').next().unwrap_or_default();
        let specs = versions.get(name).map_or(&[][..], Vec::as_slice);
        if specs.len() < 2 || !specs.contains(&skip.spec) {
            wrong.push(format!(
                "deny.toml skips {}, which is no second version any more",
                skip.spec
            ));
        }
        if skip.reason.is_empty() {
            wrong.push(format!("deny.toml skips {} without a reason", skip.spec));
        }
    }
    wrong
}

fn numbers(version: &str) -> Vec<u64> {
    let parts = version.split('.');
    parts.map(|part| part.parse().unwrap_or(u64::MAX)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(spec: &str, license: Option<&str>) -> Package {
        let (name, version) = spec.split_once('@').unwrap();
        Package {
            id: spec.into(),
            name: name.into(),
            version: version.into(),
            license: license.map(str::to_owned),
            source: Some(REGISTRY.into()),
            rust_version: None,
        }
    }

    fn wrong_with(packages: Vec<Package>) -> Vec<String> {
        let policy: Policy = toml::from_str(
            "[licenses]\nallow = ['MIT']\nexceptions = [{ crate = 'odd', allow = ['MPL-2.0'] }]\n\
             [bans]\nskip = [{ crate = 'twice@1.0.0', reason = 'old' }]",
        )
        .unwrap();
        let resolve = Resolve { nodes: Vec::new() };
        wrong(&Metadata { packages, resolve }, &policy)
    }

    #[test]
    fn each_mistake_is_told() {
        let twice =
            || ["twice@1.0.0", "twice@2.0.0"].map(|spec| package(spec, Some("MIT/Apache-2.0")));
        let odd = package("odd@1.0.0", Some("MPL-2.0"));
        let right = twice().into_iter().chain([odd]).collect();
        assert_eq!(wrong_with(right), [""; 0]);
        for (change, expected) in [
            (
                package("a@1.0.0", Some("GPL-3.0-only")),
                "does not allow GPL-3.0-only",
            ),
            (
                package("a@1.0.0", Some("MIT AND MPL-2.0")),
                "does not allow MIT AND MPL-2.0",
            ),
            (package("a@1.0.0", None), "names no licence"),
            (
                package("twice@3.0.0", Some("MIT")),
                "twice@2.0.0 and twice@3.0.0",
            ),
            (
                Package {
                    source: Some("git+https://example.org/a".into()),
                    ..package("a@1.0.0", Some("MIT"))
                },
                "not from crates.io",
            ),
            (
                Package {
                    rust_version: Some("1.200".into()),
                    ..package("a@1.0.0", Some("MIT"))
                },
                "needs Rust 1.200",
            ),
        ] {
            let all = wrong_with(twice().into_iter().chain([change]).collect());
            assert!(
                matches!(&all[..], [one] if one.contains(expected)),
                "{all:?}"
            );
        }
        assert!(wrong_with(Vec::new())[0].contains("no second version any more"));
    }
}
