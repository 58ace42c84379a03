//! The comparison with what was accepted.

use std::{
    fs, io,
    panic::{self, AssertUnwindSafe},
    path::Path,
};

use scenarios::files::FileError;
use similar::TextDiff;

/// How insta's panics begin.
const ASSERTION: &str = "snapshot assertion";

/// How what is seen compares with what was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// It is the same, or was accepted just now.
    Same,
    /// It is something else: with the differing lines.
    Different(String),
    /// Nothing was accepted yet: with all lines.
    New(String),
    /// It cannot be said, for this reason.
    Failed(String),
}

/// Compares a text with the snapshot in a file. insta leaves the new text beside the file or in its place, as
/// `INSTA_UPDATE` says.
#[must_use]
pub fn compare(file: &Path, text: &str) -> Comparison {
    let (Some(folder), Some(name)) = (
        file.parent(),
        file.file_stem().and_then(|name| name.to_str()),
    ) else {
        return Comparison::Failed(format!("{} cannot be a snapshot", file.display()));
    };
    let accepted = accepted(file);
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // The verdict must be recorded before the test fails, so insta's panic is not yet the test's.
    let asserted = panic::catch_unwind(AssertUnwindSafe(|| {
        settings.bind(|| insta::assert_snapshot!(name, text));
    }));
    let Err(panic) = asserted else {
        return Comparison::Same;
    };
    let message = panic.downcast_ref::<String>().map_or("", String::as_str);
    match accepted {
        _ if !message.starts_with(ASSERTION) => {
            Comparison::Failed(format!("cannot compare with {}: {message}", file.display()))
        }
        Some(accepted) => Comparison::Different(difference(&accepted, text)),
        None => Comparison::New(difference("", text)),
    }
}

/// Removes what insta left beside a snapshot when something else was seen: it is not what is seen now. insta does so
/// only for a snapshot that it finds the same.
///
/// # Errors
/// The folder cannot be written.
pub fn forget_pending(file: &Path) -> Result<(), FileError> {
    let pending = file.with_extension("snap.new");
    match fs::remove_file(&pending) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::new("remove", pending)(error))
        }
        _ => Ok(()),
    }
}

/// Lets the test say itself what differs, instead of insta's panic and its backtrace.
pub fn silence_insta() {
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let message = panic.payload().downcast_ref::<String>();
        if !message.is_some_and(|message| message.starts_with(ASSERTION)) {
            others(panic);
        }
    }));
}

/// The text in a snapshot's file: what follows insta's header.
fn accepted(file: &Path) -> Option<String> {
    let content = fs::read_to_string(file).ok()?;
    content.splitn(3, "---\n").nth(2).map(ToOwned::to_owned)
}

fn difference(accepted: &str, seen: &str) -> String {
    let diff = TextDiff::from_lines(accepted.trim_end(), seen.trim_end());
    diff.unified_diff()
        .context_radius(2)
        .missing_newline_hint(false)
        .header("accepted", "seen")
        .to_string()
}
