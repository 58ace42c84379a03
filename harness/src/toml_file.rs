//! TOML files that people write: errors are reported with their place.

use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

use crate::spelling::unknown_word;

/// A place in a text file, as editors and compilers write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    file: PathBuf,
    /// 1-based line and column, in characters; none if only the file is known.
    at: Option<(usize, usize)>,
}

impl Location {
    /// The start of a span of bytes in a file's text; only the file if there is no span.
    #[must_use]
    pub fn of(file: impl Into<PathBuf>, text: &str, span: Option<Range<usize>>) -> Self {
        let at = span.and_then(|span| text.get(..span.start)).map(|before| {
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
            (line, column)
        });
        Self {
            file: file.into(),
            at,
        }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The 1-based line; nothing if only the file is known.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.at.map(|(line, _)| line)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some((line, column)) => write!(f, "{}:{line}:{column}", self.file.display()),
            None => write!(f, "{}", self.file.display()),
        }
    }
}

/// An invalid file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {message}")]
pub struct SyntaxError {
    /// Where.
    pub at: Location,
    /// What is wrong.
    pub message: String,
}

/// Parses a file's text. Errors are reported with their place and the nearest known words.
///
/// # Errors
/// It is not TOML, or not valid for `T`.
pub fn read<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, SyntaxError> {
    let at = |error: &toml::de::Error| Location::of(path, text, error.span());
    let deserializer = toml::Deserializer::parse(text).map_err(|error| SyntaxError {
        at: at(&error),
        message: error.message().to_owned(),
    })?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        // toml names its spanned values by an internal key.
        let place = error
            .path()
            .to_string()
            .replace(".$__serde_spanned_private_value", "");
        let error = error.into_inner();
        SyntaxError {
            at: at(&error),
            message: in_words(&place, error.message()),
        }
    })
}

/// serde's message about a place, for people: with the nearest known key for an unknown one, and with the remedy if the
/// message does not have it.
fn in_words(path: &str, message: &str) -> String {
    // The names are the parts between backticks.
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let what = match names[..] {
        [unknown, ref known @ ..] if message.starts_with("unknown field ") => {
            unknown_word("key", unknown, known.iter().copied())
        }
        [unknown, ref known @ ..] if message.starts_with("unknown variant ") => {
            unknown_word("word", unknown, known.iter().copied())
        }
        // Files that are a list of tables of one name: scenarios, dialogues.
        [table @ ("scenario" | "step")] if message.starts_with("missing field ") => {
            format!("it contains no [[{table}]]")
        }
        _ if message == "invalid type: map, expected a sequence" => {
            let table = path.replace(|c: char| "[]0123456789".contains(c), "");
            format!("there may be several: write [[{table}]], in two brackets")
        }
        _ => message.to_owned(),
    };
    // serde has no name for a meaningless key.
    match path.trim_end_matches(".?") {
        "." => what,
        path => format!("{path}: {what}"),
    }
}
