//! `cargo xtask trust`: what boot-matrix can be trusted with, tried and counted.
//!
//! Each part tries one thing at length and says what came of it in figures. With `--keep` they become
//! `docs/trust/PART.json`, from which `docs/trust.md` is made. Tests do the same in short.

mod at_length;
mod deny;
mod differential;
mod discs;
mod flakes;
mod fuzz;
mod growth;
mod hosts;
pub(crate) mod kept;
mod kills;
mod mutants;
pub(crate) mod part;
mod runner;
mod shards;
mod shims;
mod suite;
mod supply;

use std::{ffi::OsStr, io::Write, path::Path, process::ExitCode};

use anyhow::Context;
use clap::{Args, Subcommand};

use self::kept::{Figures, Kept};
use crate::repository::workspace;
use cli::{
    options::{self, Format},
    place, remark,
    signals::Signals,
    stop::Stop,
    terminal,
};

/// Test the limits of boot-matrix at length, and report figures.
#[derive(Debug, Args)]
#[command(after_help = crate::examples::TRUST.help())]
pub(crate) struct Trust {
    #[command(subcommand)]
    part: Part,
    /// Keep the figures in docs/trust. cargo xtask check --update-docs then writes them to docs/trust.md.
    #[arg(long, global = true)]
    keep: bool,
    /// The output format.
    #[arg(long, value_name = "FORMAT", default_value = "text", global = true)]
    pub(crate) format: Format,
}

/// What is tried.
#[derive(Debug, Subcommand)]
pub(crate) enum Part {
    /// Boot discs that attack the host.
    #[command(after_help = crate::examples::TRUST_HOSTILE.help())]
    Hostile,
    /// Inject faults between boot-matrix and its environment: QEMU, its monitor, the disk.
    #[command(after_help = crate::examples::TRUST_FAULTS.help())]
    Faults,
    /// Boot many cells on a busy machine, and check that each result is the same as on an idle one.
    Flakes(flakes::Flakes),
    /// Kill the runner at random moments and resume the run, and check that no process is left, and no result is lost or counted twice.
    Kills(kills::Kills),
    /// Measure the cost of matrices of up to 100,000 cells without booting one: listing, finding a cell, merging, making the page.
    Growth(growth::Growth),
    /// Cut the matrix into slices, let one die and run it again, merge them, and check that the result is complete.
    Shards(shards::Shards),
    /// Fuzz every reader of untrusted bytes with millions of inputs, guided by coverage.
    Fuzz(fuzz::Fuzz),
    /// Put mistakes into the code, and check that the tests beside it notice. Needs cargo-mutants.
    Mutants(mutants::Mutants),
    /// Read millions of boot catalogs with boot-matrix and with an independent reader, and compare the results.
    Differential(differential::Differential),
    /// Boot realistic discs, healthy and damaged, and count those whose final state is recognized. Takes half an hour.
    Discs(discs::Discs),
    /// Make a fresh Debian release in a folder, follow the instructions in README.md there, as root and as a user, and count the results. Needs root.
    Hosts(hosts::Hosts),
    /// Run the tests that `cargo xtask test` leaves out because they take long.
    Suite(suite::Suite),
    /// Read and boot the shims that this distribution has released, on machines with Microsoft's keys of 2011, of 2023, and of both.
    Shims(shims::Shims),
    /// Check the dependencies of boot-matrix: licences, sources, versions, unsafe code. Can write a bill of materials.
    Supply(supply::Supply),
}

/// Tests that tell of what they try.
const HOSTILE: &str = "test(/^hostile::/)";
const FAULTS: &str = "test(/^(faults|checkpoints)::/) or binary(=faults)";

impl Part {
    const fn name(&self) -> &'static str {
        match self {
            Self::Hostile => part::HOSTILE,
            Self::Faults => part::FAULTS,
            Self::Flakes(_) => part::FLAKES,
            Self::Kills(_) => part::KILLS,
            Self::Growth(_) => part::GROWTH,
            Self::Shards(_) => part::SHARDS,
            Self::Fuzz(_) => part::FUZZ,
            Self::Mutants(_) => part::MUTANTS,
            Self::Differential(_) => part::DIFFERENTIAL,
            Self::Discs(_) => part::DISCS,
            Self::Hosts(_) => part::HOSTS,
            Self::Suite(_) => part::SUITE,
            Self::Shims(_) => part::SHIMS,
            Self::Supply(_) => part::SUPPLY,
        }
    }

    fn measure(&self, signals: &'static Signals) -> anyhow::Result<Figures> {
        match self {
            Self::Hostile => at_length::measure(HOSTILE, signals),
            Self::Faults => at_length::measure(FAULTS, signals),
            Self::Flakes(options) => flakes::measure(options, signals),
            Self::Kills(options) => kills::measure(options, signals),
            Self::Growth(options) => growth::measure(options, signals),
            Self::Shards(options) => shards::measure(options, signals),
            Self::Fuzz(options) => fuzz::measure(options, signals),
            Self::Mutants(options) => mutants::measure(options, signals),
            Self::Differential(options) => differential::measure(options, signals),
            Self::Discs(options) => discs::measure(options, signals),
            Self::Hosts(options) => hosts::measure(options, signals),
            Self::Suite(options) => suite::measure(options, signals),
            Self::Shims(options) => shims::measure(options, signals),
            Self::Supply(options) => supply::measure(options),
        }
    }
}

pub(crate) fn run(options: &Trust) -> anyhow::Result<ExitCode> {
    // Before any thread is started.
    let signals = Signals::catch()?;
    let figures = options.part.measure(signals)?;
    let failed = figures.failures.clone();
    let command = command(&options::typed(), figures.chosen_by);
    let kept = Kept::new(command, figures);
    let mut out = terminal::answer();
    match options.format {
        Format::Json => serde_json::to_writer_pretty(&mut out, &kept)?,
        Format::Text => write!(terminal::stdout(), "{}", kept.to_text())?,
    }
    writeln!(out).context("cannot write the figures")?;
    if let Some((first, others)) = failed.split_first() {
        others
            .iter()
            .for_each(|other| remark!("went wrong: {other}"));
        let what = format!(
            "{} of what was tried went wrong, and nothing is kept; the first: {first}",
            failed.len()
        );
        return Err(Stop::found(what, "look into it; only what went right is kept").into());
    }
    if options.keep {
        let file = kept.keep(workspace(), options.part.name())?;
        remark!(
            "kept: {}; cargo xtask check --update-docs writes the tables in docs",
            place::shown(&file).display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The command for all the figures, as it can be typed elsewhere: without how they were gathered, and with names for
/// paths.
fn command(words: &[String], chosen_by: Option<&str>) -> String {
    let mut command = vec!["cargo xtask".to_owned()];
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if Some(word.as_str()) == chosen_by {
            words.next();
            continue;
        }
        let chooses = chosen_by.is_some_and(|option| word.starts_with(&format!("{option}=")));
        if chooses || ["--again", "--keep", "--resume"].contains(&word.as_str()) {
            continue;
        }
        let path = Path::new(word);
        let name = path.file_name().filter(|_| path.is_absolute());
        let shown = name.map_or(word.into(), OsStr::to_string_lossy);
        command.push(shell_words::quote(&shown).into_owned());
    }
    command.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_that_for_all_the_figures() {
        let check = |words: &str, chosen_by, expect: &str| {
            let words = shell_words::split(words).unwrap();
            assert_eq!(command(&words, chosen_by), format!("cargo xtask {expect}"));
        };
        check(
            "trust flakes --cells 9 --keep --resume --again",
            None,
            "trust flakes --cells 9",
        );
        let some = "trust fuzz --target text --keep --target=qmp --grow";
        check(some, Some("--target"), "trust fuzz --grow");
        check(some, None, "trust fuzz --target text '--target=qmp' --grow");
        check(
            "trust supply --advisories /somewhere/db",
            None,
            "trust supply --advisories db",
        );
    }
}
