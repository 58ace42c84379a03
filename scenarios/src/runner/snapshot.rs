//! The comparison with what was accepted. insta writes and reviews these files; here they are only read.

use std::{fs, io, path::Path};

use similar::TextDiff;

use crate::files::FileError;

/// How what is seen compares with what was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// It is the same.
    Same,
    /// It is something else: with the differing lines.
    Different(String),
    /// Nothing was accepted yet: with all lines.
    New(String),
}

/// Compares a text with the snapshot in a file, as insta does: line ends, and empty lines before and after it, do not count.
///
/// # Errors
/// The file is there and cannot be read, or is no snapshot.
pub fn compare(file: &Path, text: &str) -> Result<Comparison, FileError> {
    let text = normal(text);
    Ok(match accepted(file)? {
        None => Comparison::New(difference("", &text)),
        Some(accepted) if accepted == text => Comparison::Same,
        Some(accepted) => Comparison::Different(difference(&accepted, &text)),
    })
}

/// The text in a snapshot's file: what follows insta's header.
fn accepted(file: &Path) -> Result<Option<String>, FileError> {
    let content = match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        content => content.map_err(FileError::new("read", file))?,
    };
    let content = content.replace("\r\n", "\n");
    let text = content
        .strip_prefix("---\n")
        .and_then(|content| content.split_once("\n---\n"))
        .map(|(_, text)| normal(text));
    text.map(Some).ok_or_else(|| {
        let what = "it does not begin with a header between two lines of ---";
        FileError::new("read", file)(io::Error::other(what))
    })
}

fn normal(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.trim_end().trim_start_matches('\n').to_owned()
}

fn difference(accepted: &str, seen: &str) -> String {
    let diff = TextDiff::from_lines(accepted, seen);
    diff.unified_diff()
        .context_radius(2)
        .missing_newline_hint(false)
        .header("accepted", "seen")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_read_as_insta_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.snap");
        let new = compare(&file, "one\ntwo\n").unwrap();
        assert!(matches!(&new, Comparison::New(lines) if lines.contains("+two")));
        for content in [
            "---\nsource: a.rs\n---\none\ntwo\n",
            "---\nsource: a.rs\nexpression: b\n---\none\ntwo",
            "---\r\nsource: a.rs\r\n---\r\none\r\ntwo\r\n",
        ] {
            fs::write(&file, content).unwrap();
            assert_eq!(compare(&file, "one\ntwo\n").unwrap(), Comparison::Same);
            let Comparison::Different(lines) = compare(&file, "one\n---\nthree\n").unwrap() else {
                panic!("{content:?} is not the same");
            };
            assert!(
                lines.contains("-two") && lines.contains("+three"),
                "{lines}"
            );
        }
        fs::write(&file, "one\ntwo\n").unwrap();
        let error = compare(&file, "one\ntwo\n").unwrap_err().to_string();
        assert!(error.contains("header"), "{error}");
    }
}
