//! The command line of boot-matrix: parses, calls, renders.

mod bench;
mod boot_matrix;
mod check;
mod checkpoints;
mod cli;
mod doctor;
mod image;
mod parallel;
mod place;
mod setup;
mod signals;
mod steps;
mod stop;
mod test;

use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;

use crate::{
    cli::{Cli, Format, Verb},
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
            return finish(
                Err(Stop::usage(mistake.to_string().trim_end(), "cargo xtask help").into()),
                Format::Json,
            );
        }
        Err(mistake) => mistake.exit(),
    };
    let format = cli.verb.format();
    let done = match cli.verb {
        Verb::BootMatrix(options) => boot_matrix::run(&options),
        Verb::Image(options) => image::run(&options),
        Verb::Doctor(options) => doctor::run(&options),
        Verb::Test(options) => test::run(options),
        Verb::Check(options) => check::run(&options),
        Verb::Checkpoints(options) => checkpoints::run(&options),
        Verb::Bench(options) => bench::run(&options),
    };
    match done {
        Ok(code) => code,
        Err(error) => finish(Err(error), format),
    }
}

/// Whether the arguments, which cannot be parsed as a whole, ask for JSON.
fn wants_json(arguments: &[OsString]) -> bool {
    arguments.iter().any(|argument| argument == "--format=json")
        || arguments
            .windows(2)
            .any(|pair| pair[0] == "--format" && pair[1] == "json")
}

/// Reports an error on the channel that the format asks for, and makes it an exit code.
fn finish(done: anyhow::Result<()>, format: Format) -> ExitCode {
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    let stop = Stop::of(&error);
    let said = match format {
        Format::Json => writeln!(io::stdout(), "{}", stop.to_json()),
        Format::Text => writeln!(io::stderr(), "{stop}"),
    };
    // Nobody is listening: the exit code still says it.
    drop(said);
    ExitCode::from(stop.code)
}
