//! Why a command could not do what it was asked, and the exit code for it.

use std::{
    fmt,
    io::{self, Write},
};

use scenarios::{files::FileError, program::typed, read_error::ReadError};
use serde_json::json;

use crate::terminal::{BAD, TYPED, Terminal};

/// What was looked for was found.
const FOUND: u8 = 1;
/// Wrong usage, or input that cannot be read.
const USAGE: u8 = 2;
/// Something that is needed is missing, or the host failed.
pub const HOST: u8 = 3;

/// A command that ends without results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    pub code: u8,
    message: String,
    remedy: String,
}

impl Stop {
    /// Wrong usage, or input that cannot be read.
    pub fn usage(message: impl fmt::Display, remedy: impl fmt::Display) -> Self {
        Self {
            code: USAGE,
            message: typed(&message.to_string()),
            remedy: typed(&remedy.to_string()),
        }
    }

    /// Something was tried, and went wrong.
    pub fn found(message: impl fmt::Display, remedy: impl fmt::Display) -> Self {
        Self {
            code: FOUND,
            message: typed(&message.to_string()),
            remedy: typed(&remedy.to_string()),
        }
    }

    /// Something that is needed is missing, or the host failed.
    pub fn host(message: impl fmt::Display, remedy: impl fmt::Display) -> Self {
        Self {
            code: HOST,
            message: typed(&message.to_string()),
            remedy: typed(&remedy.to_string()),
        }
    }

    /// A file that cannot be written, and what else could be: `another file with --out`.
    pub fn unwritable(error: &FileError, elsewhere: &str) -> Self {
        Self::host(error, remedy_of(error, elsewhere))
    }

    /// Scenarios that cannot be read.
    pub fn scenarios(error: &ReadError) -> Self {
        let remedy = match error {
            ReadError::Io { .. } | ReadError::NoFiles(_) => {
                "--scenarios and a folder with scenario files (*.toml), or one such file"
            }
            ReadError::Master { .. } => "--master and a file that describes a tool (NAME.toml)",
            ReadError::Syntax(_) | ReadError::Scenario(_) => {
                "scenarios/README.md and docs/mastering.md, which have the formats"
            }
        };
        Self::usage(error, remedy)
    }

    /// The stop that an error carries; for any other error, a failure of the host.
    pub fn of(error: &anyhow::Error) -> Self {
        if let Some(stop) = error.downcast_ref::<Self>() {
            return stop.clone();
        }
        let remedy = match error.downcast_ref::<FileError>() {
            Some(error) => remedy_of(error, "another folder with --out"),
            None => "cargo xtask doctor, which lists what is missing on this machine".to_owned(),
        };
        Self::host(format!("{error:#}"), remedy)
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What can be done; empty where nothing is known.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }

    /// For people.
    pub fn print(&self, to: &mut Terminal<impl Write>) -> io::Result<()> {
        to.paint(BAD, "error:")?;
        writeln!(to, " {}", self.message.trim_start_matches("error: "))?;
        if !self.remedy.is_empty() {
            write!(to, "  try: ")?;
            to.paint(TYPED, &self.remedy)?;
            writeln!(to)?;
        }
        Ok(())
    }

    /// The `error/1` document.
    pub fn to_json(&self) -> String {
        json!({ "schema": "error/1", "message": self.message, "remedy": self.remedy }).to_string()
    }
}

/// Room, where that would have helped; another place in any case.
fn remedy_of(error: &FileError, elsewhere: &str) -> String {
    match error.is_for_want_of_room() {
        true => format!("free some space there, or choose {elsewhere}"),
        false => elsewhere.to_owned(),
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Terminal::in_memory(false);
        // Writing to memory cannot fail.
        drop(self.print(&mut text));
        f.write_str(text.into_text().trim_end())
    }
}

impl std::error::Error for Stop {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_once_and_with_a_remedy() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let words = full.to_string();
        let stop = Stop::of(&FileError::new("write", "results.json")(full).into());
        assert_eq!(stop.message, format!("cannot write results.json: {words}"));
        assert!(stop.remedy.contains("free some space"), "{stop}");
    }

    #[test]
    fn where_nobody_may_write_room_does_not_help() {
        let forbidden = io::Error::from(io::ErrorKind::PermissionDenied);
        let error = FileError::new("write", "results.json")(forbidden);
        assert_eq!(Stop::of(&error.into()).remedy, "another folder with --out");
    }
}
