//! Where in a file something stands.

use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

/// A place in a text file, as editors and compilers write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    file: PathBuf,
    /// 1-based line and column, in characters; none when only the file is known.
    at: Option<(usize, usize)>,
}

impl Location {
    /// The start of a span of bytes in a file's text.
    pub(crate) fn of(file: impl Into<PathBuf>, text: &str, span: Option<Range<usize>>) -> Self {
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

    /// The line, counted from 1; nothing when only the file is known.
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
