//! cargo-deny, where it is installed: a second opinion on licences and sources, and the only one on advisories.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Context;
use toml::{Table, Value};

use super::kept::Figures;
use crate::repository::workspace;
use cli::{
    place::{absolute, cargo},
    stop::Stop,
};

/// As cargo-deny calls the folder of a database that comes from [`DATABASE`].
const FOLDER: &str = "advisory-db-3157b0e258782691";
const DATABASE: &str = "https://github.com/RustSec/advisory-db";

/// Asks for all that needs no network; for known vulnerabilities and crates without a maintainer where there is a clone of RustSec's database.
pub(super) fn ask(advisories: Option<&Path>, figures: &mut Figures) -> anyhow::Result<()> {
    let Some(version) = version() else {
        if advisories.is_some() {
            let remedy = "cargo install cargo-deny --locked";
            return Err(Stop::host("cargo-deny is not installed", remedy).into());
        }
        figures.add("cargo-deny", "not asked: it is not installed");
        return Ok(());
    };
    figures.programs = version;
    let config = workspace().join("deny.toml");
    let said = check(&config, &["licenses", "bans", "sources"])?;
    tell("cargo-deny on licences, bans and sources", said, figures);
    let Some(database) = advisories else {
        return Ok(());
    };
    let date = date(database)?;
    let folder = tempfile::tempdir().context("make a folder")?;
    symlink(absolute(database), folder.path().join(FOLDER))?;
    let config = folder.path().join("deny.toml");
    fs::write(&config, with_database(folder.path())?)?;
    let said = check(&config, &["advisories"])?;
    tell(&format!("RustSec's advisories of {date}"), said, figures);
    Ok(())
}

fn version() -> Option<String> {
    let asked = cargo()
        .args(["deny", "--version"])
        .stderr(Stdio::null())
        .output();
    let answer = asked.ok().filter(|answer| answer.status.success())?;
    Some(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
}

/// What is wrong, if anything is.
fn check(config: &Path, what: &[&str]) -> anyhow::Result<Result<(), String>> {
    let checked = cargo()
        .current_dir(workspace())
        .args(["deny", "--locked", "--offline", "--config"])
        .arg(config)
        .arg("check")
        .args(what)
        .stdout(Stdio::null())
        .output()
        .context("cannot start cargo")?;
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    Ok(checked.status.success().then_some(()).ok_or(said))
}

fn tell(what: &str, said: Result<(), String>, figures: &mut Figures) {
    match said {
        Ok(()) => figures.add(what, "nothing found"),
        Err(said) => figures.failures.push(format!("{what}: {said}")),
    }
}

/// The day of the newest advisory in a clone of the database.
fn date(database: &Path) -> anyhow::Result<String> {
    let asked = Command::new("git")
        .arg("-C")
        .arg(database)
        .args(["log", "-1", "--format=%cs"])
        .output()
        .context("cannot start git")?;
    if !asked.status.success() || !database.join("crates").is_dir() {
        let what = format!("{} is no clone of RustSec's database", database.display());
        return Err(Stop::usage(what, format!("git clone {DATABASE}")).into());
    }
    Ok(String::from_utf8_lossy(&asked.stdout).trim().to_owned())
}

/// What is kept in deny.toml, with the database from a folder. What is yanked only the registry knows.
fn with_database(folder: &Path) -> anyhow::Result<String> {
    let mut config: Table = toml::from_str(&fs::read_to_string(workspace().join("deny.toml"))?)?;
    let folder = folder.to_str().context("a folder without a name")?;
    let urls = Value::Array(vec![DATABASE.into()]);
    let advisories = Table::from_iter([
        ("db-path".to_owned(), folder.into()),
        ("db-urls".to_owned(), urls),
        ("yanked".to_owned(), "allow".into()),
    ]);
    config.insert("advisories".to_owned(), advisories.into());
    Ok(toml::to_string(&config)?)
}
