//! The command line of boot-matrix: parses, calls, renders.

// They end the run where nothing can be written.
#![deny(clippy::print_stdout, clippy::print_stderr)]

#[macro_use]
mod terminal;

mod bench;
mod boot_matrix;
mod check;
mod checkpoints;
mod cli;
mod columns;
mod completions;
mod conformance;
mod doctor;
mod examples;
mod firmware;
mod host;
mod image;
mod inspect;
mod iso;
mod listen;
mod merge;
#[cfg(test)]
mod options_tests;
mod pack;
mod parallel;
mod place;
mod report;
mod repro;
mod sarif;
mod setup;
mod signals;
mod steps;
mod stop;
mod supply;
mod tables;
mod test;
mod trust;

use std::{ffi::OsString, io::Write, process::ExitCode};

use clap::{CommandFactory, Parser, error::ErrorKind};

use crate::{
    cli::{Cli, Format, RunFormat, Verb},
    stop::Stop,
};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        // Help and version are no mistakes.
        Err(message) if !message.use_stderr() => {
            return finish(message.print().map_err(Into::into), Format::Text);
        }
        Err(mistake) if wants_json(&arguments) => {
            return finish(Err(wrong_usage(&mistake, &arguments).into()), Format::Json);
        }
        Err(mistake) => mistake.exit(),
    };
    let format = cli.verb.format();
    let annotates =
        matches!(&cli.verb, Verb::BootMatrix(options) if options.format == RunFormat::Github);
    let done = match cli.verb {
        Verb::BootMatrix(options) => boot_matrix::run(&options),
        Verb::Conformance(options) => conformance::run(&options),
        Verb::Image(options) => image::run(&options),
        Verb::Inspect(options) => inspect::run(&options),
        Verb::Repro(options) => repro::run(&options),
        Verb::Merge(options) => merge::run(&options),
        Verb::Report(options) => report::run(&options),
        Verb::Listen(options) => listen::run(&options),
        Verb::Doctor(options) => doctor::run(&options),
        Verb::Cell(options) => boot_matrix::cells::one(&options),
        Verb::Completions(options) => completions::run(&options),
        Verb::Test(options) => test::run(options),
        Verb::Check(options) => check::run(&options),
        Verb::Checkpoints(options) => checkpoints::run(&options),
        Verb::Firmware(options) => firmware::run(&options),
        Verb::Bench(options) => bench::run(&options),
        Verb::Trust(options) => trust::run(&options),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            if annotates {
                boot_matrix::annotate(&Stop::of(&error).to_string());
            }
            finish(Err(error), format)
        }
    }
}

/// Whether the arguments, which cannot be parsed as a whole, ask for JSON.
fn wants_json(arguments: &[OsString]) -> bool {
    arguments.iter().any(|argument| argument == "--format=json")
        || arguments
            .windows(2)
            .any(|pair| pair[0] == "--format" && pair[1] == "json")
}

/// The parser's words for people, of several lines, as one sentence and what to do.
fn wrong_usage(mistake: &clap::Error, arguments: &[OsString]) -> Stop {
    let verbs = Cli::command();
    let mut verbs = verbs.get_subcommands().map(clap::Command::get_name);
    let help = match verbs.find(|&verb| arguments.iter().any(|argument| argument == verb)) {
        Some(verb) => format!("cargo xtask {verb} --help"),
        None => "cargo xtask help".to_owned(),
    };
    if mistake.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Stop::usage("no command is given", help);
    }
    let text = mistake.to_string();
    let mut paragraphs = text.split("\n\n").map(str::trim);
    let mut sentence = String::new();
    for line in paragraphs.next().unwrap_or_default().lines() {
        let line = line.trim();
        let comma = !(sentence.is_empty() || sentence.ends_with(':') || line.starts_with('['));
        sentence += if comma { ", " } else { " " };
        sentence += line;
    }
    // Other tips say how to pass as a value what is none.
    let similar = |paragraph: &str| {
        let tip = paragraph.strip_prefix("tip: ")?;
        tip.contains("similar").then(|| tip.to_owned())
    };
    let remedy = paragraphs.find_map(similar).unwrap_or(help);
    Stop::usage(sentence.trim().trim_start_matches("error: "), remedy)
}

/// Reports an error on the channel that the format asks for, and makes it an exit code.
fn finish(done: anyhow::Result<()>, format: Format) -> ExitCode {
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    let stop = Stop::of(&error);
    let said = match format {
        Format::Json => writeln!(terminal::answer(), "{}", stop.to_json()),
        Format::Text => stop.print(&mut terminal::stderr()),
    };
    // Nobody is listening: the exit code still says it.
    drop(said);
    ExitCode::from(stop.code)
}
