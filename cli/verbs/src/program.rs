//! The command line from its words to its exit code, for the installed program and for `cargo xtask`.

use std::{convert::Infallible, ffi::OsString, io::Write, process::ExitCode};

use clap::{Arg, Command, Parser, Subcommand, builder::StyledStr, error::ErrorKind};

use scenarios::program::typed;

use crate::{
    boot_matrix,
    options::{BootMatrix, Format, RunFormat},
    place::{self, Home},
    stop::Stop,
    terminal,
    verb::Verb,
};

/// What a program can be asked to do.
pub trait Verbs: Subcommand {
    /// What only this program can.
    type Own: Own;

    /// What was asked.
    fn asked(self) -> Asked<Self::Own>;
}

/// A verb, and whose it is.
#[derive(Debug)]
pub enum Asked<O> {
    /// One that every program has.
    Shared(Verb),
    /// One of this program alone.
    Own(O),
}

/// A verb of one program alone.
pub trait Own {
    /// How it is asked to answer.
    fn format(&self) -> Format;

    /// Runs it.
    ///
    /// # Errors
    /// It could not do what it was asked.
    fn run(self) -> anyhow::Result<ExitCode>;
}

impl Own for Infallible {
    fn format(&self) -> Format {
        match *self {}
    }

    fn run(self) -> anyhow::Result<ExitCode> {
        match self {}
    }
}

/// What the installed program can be asked to do.
#[derive(Debug, Subcommand)]
pub enum Installed {
    /// Master the discs of the matrix, boot each one, and compare the result with the expected one.
    Run(Box<BootMatrix>),
    #[command(flatten)]
    Shared(Verb),
}

impl Verbs for Installed {
    type Own = Infallible;

    fn asked(self) -> Asked<Infallible> {
        Asked::Shared(match self {
            Self::Run(options) => Verb::BootMatrix(options),
            Self::Shared(verb) => verb,
        })
    }
}

/// Checks whether bootable discs (El Torito ISOs) start: boots them in QEMU on real firmware, and compares the result with the expected one.
#[derive(Debug, Parser)]
#[command(max_term_width = 100, after_help = crate::examples::ALL.help(), styles = terminal::HELP, version)]
struct Typed<V: Verbs> {
    #[command(subcommand)]
    verb: V,
}

/// All that can be typed, for a program of this name.
#[must_use]
pub fn command<V: Verbs>(name: &'static str) -> Command {
    let command = <Typed<V> as clap::CommandFactory>::command();
    let command = command.name(name).bin_name(name);
    match place::is_installed() {
        false => command,
        true => for_the_installed(command),
    }
}

/// The help of the installed program: with its commands and its places.
fn for_the_installed(command: Command) -> Command {
    let own = |text: &StyledStr| {
        let text = typed(&text.ansi().to_string());
        text.replace("default: target/", "default: ~/.cache/boot-matrix/")
    };
    let about = command.get_about().map(own);
    let long = command.get_long_about().map(own);
    let command = command.mut_args(|argument| {
        let help = argument.get_help().map(own);
        let long = argument.get_long_help().map(own);
        let argument = help.into_iter().fold(argument, Arg::help);
        long.into_iter().fold(argument, Arg::long_help)
    });
    let command = about.into_iter().fold(command, Command::about);
    let command = long.into_iter().fold(command, Command::long_about);
    command.mut_subcommands(for_the_installed)
}

/// Runs what was typed, to the exit code.
#[must_use]
pub fn run<V: Verbs>(name: &'static str, home: Home) -> ExitCode {
    place::set(home);
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let all = || command::<V>(name);
    let parsed = all()
        .try_get_matches_from(&arguments)
        .and_then(|matches| <Typed<V> as clap::FromArgMatches>::from_arg_matches(&matches));
    let verb = match parsed {
        Ok(parsed) => parsed.verb,
        // Help and version are no mistakes.
        Err(message) if !message.use_stderr() => {
            let printed = terminal::or_enough(message.print(), ());
            return finish(printed.map_err(Into::into), Format::Text);
        }
        Err(mistake) if wants_json(&arguments) => {
            let stop = wrong_usage(&mistake, &arguments, &all());
            return finish(Err(stop.into()), Format::Json);
        }
        Err(mistake) => mistake.exit(),
    };
    let verb = match verb.asked() {
        Asked::Shared(verb) => verb,
        Asked::Own(own) => {
            let format = own.format();
            return own.run().unwrap_or_else(|error| finish(Err(error), format));
        }
    };
    let format = verb.format();
    let annotates =
        matches!(&verb, Verb::BootMatrix(options) if options.format == RunFormat::Github);
    match verb.run(&all()) {
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
fn wrong_usage(mistake: &clap::Error, arguments: &[OsString], all: &Command) -> Stop {
    let mut verbs = all.get_subcommands().map(Command::get_name);
    let help = match verbs.find(|&verb| arguments.iter().any(|argument| argument == verb)) {
        Some(verb) => format!("{} {verb} --help", all.get_name()),
        None => format!("{} help", all.get_name()),
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
