//! `cargo xtask`: the program `boot-matrix`, and what only this repository needs.

// They end the run where nothing can be written.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod check;
mod circles;
mod dist;
mod examples;
#[cfg(test)]
mod options_tests;
mod repository;
mod steps;
mod supply;
mod tables;
mod test;
mod trust;
mod workflows;

use std::process::ExitCode;

use clap::Subcommand;
use cli::{
    options::{BootMatrix, Format},
    place::Home,
    program::{self, Asked, Verbs},
    verb::Verb,
};

/// What `cargo xtask` is called.
const NAME: &str = "cargo xtask";

fn main() -> ExitCode {
    program::run::<Here>(NAME, Home::Checkout(repository::workspace().to_owned()))
}

/// What `cargo xtask` can be asked to do.
#[derive(Debug, Subcommand)]
enum Here {
    /// Master the discs of the matrix, boot each one, and compare the result with the expected one.
    BootMatrix(Box<BootMatrix>),
    #[command(flatten)]
    Shared(Verb),
    #[command(flatten)]
    Own(Own),
}

/// What only this repository needs.
#[derive(Debug, Subcommand)]
enum Own {
    /// Run everything: the default matrix, and all other tests of the workspace.
    Test(test::Test),
    /// Check format, lints, documentation, the schema, the generated tables and the snapshots.
    Check(check::Check),
    /// Measure how long things take, and compare the times in one run.
    Bench(bench::Bench),
    /// Test the limits of boot-matrix at length, and report figures.
    Trust(trust::Trust),
    /// Build static programs for release, one for each target, and pack them.
    Dist(dist::Dist),
}

impl Verbs for Here {
    type Own = Own;

    fn asked(self) -> Asked<Own> {
        match self {
            Self::BootMatrix(options) => Asked::Shared(Verb::BootMatrix(options)),
            Self::Shared(verb) => Asked::Shared(verb),
            Self::Own(own) => Asked::Own(own),
        }
    }
}

impl program::Own for Own {
    fn format(&self) -> Format {
        match self {
            Self::Test(options) => options.format,
            Self::Check(options) => options.format,
            Self::Bench(options) => options.format,
            Self::Trust(options) => options.format,
            Self::Dist(options) => options.format,
        }
    }

    fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Test(options) => test::run(options),
            Self::Check(options) => check::run(&options),
            Self::Bench(options) => bench::run(&options),
            Self::Trust(options) => trust::run(&options),
            Self::Dist(options) => dist::run(&options),
        }
    }
}
