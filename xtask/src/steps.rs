//! Several things done one after the other, all of them, whatever fails.

use std::{
    io::{self, Write},
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;

use cli::{options::Format, remark, signals::Signals, stop::HOST};

/// How one step ended.
pub(crate) struct Step {
    name: &'static str,
    /// The exit code that it stands for: 0 when it went well.
    pub(crate) code: u8,
    /// What is wrong, in words; empty when a program has said it already.
    words: String,
    took: Duration,
}

impl Step {
    /// Does something, and says that it begins.
    pub(crate) fn run(name: &'static str, step: impl FnOnce() -> Result<(), (u8, String)>) -> Self {
        remark!("── {name}");
        let began = Instant::now();
        let (code, words) = step().err().unwrap_or_default();
        Self {
            name,
            code,
            words,
            took: began.elapsed(),
        }
    }

    /// Runs a program to its end. Standard output is for the summary alone.
    pub(crate) fn command(name: &'static str, command: &mut Command) -> Self {
        Self::run(name, || ended(quiet(command).status()))
    }

    /// The same, with signals passed on to the program.
    pub(crate) fn command_under(
        signals: &Signals,
        name: &'static str,
        command: &mut Command,
    ) -> Self {
        Self::run(name, || {
            if signals.caught() {
                return Err((HOST, "interrupted".to_owned()));
            }
            ended(signals.run(quiet(command)))
        })
    }
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(io::stderr())
}

fn ended(status: io::Result<ExitStatus>) -> Result<(), (u8, String)> {
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err((1, status.to_string())),
        Err(error) => Err((HOST, error.to_string())),
    }
}

/// Prints how every step ended, and answers with the gravest exit code.
pub(crate) fn summary(schema: &str, steps: &[Step], format: Format) -> io::Result<u8> {
    let mut out = cli::terminal::answer();
    match format {
        Format::Json => {
            let steps: Vec<_> = steps
                .iter()
                .map(|step| json!({ "name": step.name, "passed": step.code == 0, "words": step.words, "duration_ms": step.took.as_millis() }))
                .collect();
            writeln!(out, "{}", json!({ "schema": schema, "steps": steps }))?;
        }
        Format::Text => {
            writeln!(out)?;
            for step in steps {
                let mark = if step.code == 0 { '✓' } else { '✗' };
                writeln!(
                    out,
                    "{mark} {:<24} {:>7.1} s",
                    step.name,
                    step.took.as_secs_f64()
                )?;
                step.words
                    .lines()
                    .try_for_each(|line| writeln!(out, "    {line}"))?;
            }
        }
    }
    Ok(steps.iter().map(|step| step.code).max().unwrap_or(0))
}
