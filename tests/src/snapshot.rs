//! insta's side of snapshots: it asserts, writes and reviews what the runner only reads.

use std::{
    fs, io,
    panic::{self, AssertUnwindSafe},
    path::Path,
};

use anyhow::{Context, bail};

/// How insta's panics begin.
const ASSERTION: &str = "snapshot assertion";

/// Whether a text is what was accepted, as insta sees it. insta leaves the text beside the file or in its place, as `INSTA_UPDATE` says.
///
/// # Errors
/// It cannot be said, or the folder cannot be written.
pub fn is_accepted(file: &Path, text: &str) -> anyhow::Result<bool> {
    let (Some(folder), Some(name)) = (
        file.parent(),
        file.file_stem().and_then(|name| name.to_str()),
    ) else {
        bail!("{} cannot be a snapshot", file.display());
    };
    forget_pending(file)?;
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // What the runner said is told first, so that insta's panic is not yet the test's.
    let asserted = panic::catch_unwind(AssertUnwindSafe(|| {
        settings.bind(|| insta::assert_snapshot!(name, text));
    }));
    let Err(panic) = asserted else {
        return Ok(true);
    };
    let message = panic.downcast_ref::<String>().map_or("", String::as_str);
    if message.starts_with(ASSERTION) {
        return Ok(false);
    }
    bail!("cannot compare with {}: {message}", file.display());
}

/// Removes what insta left beside a snapshot when something else was seen: it is not what is seen now. insta does so only for a snapshot
/// that it finds the same.
fn forget_pending(file: &Path) -> anyhow::Result<()> {
    let pending = file.with_extension("snap.new");
    match fs::remove_file(&pending) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", pending.display()))
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
