//! Makes the checkpoints of a run before its cells: each once, and for every later run too.

use std::path::Path;

use harness::{
    checkpoint::{Checkpoints, NoCheckpoint},
    platform::Platform,
};
use scenarios::{cell::Cell, toolbox::Toolbox};

use crate::{parallel, signals::Signals, stop::Stop};

/// The machines of cells. A firmware that is not there makes its cells skipped.
pub(crate) fn machines_of(cells: &[Cell], toolbox: &Toolbox) -> impl Iterator<Item = Platform> {
    cells.iter().filter_map(|cell| toolbox.platform(cell).ok())
}

/// Makes sure that every checkpoint that these machines can start from is there and whole. One that cannot be made is reported, and its cells
/// start cold; where a proof `needs` it, that is the end.
pub(crate) fn prepare(
    platforms: impl IntoIterator<Item = Platform>,
    folder: &Path,
    needs: bool,
    signals: &Signals,
) -> anyhow::Result<()> {
    let checkpoints = Checkpoints::in_folder(folder);
    let mut different: Vec<Platform> = Vec::new();
    for platform in platforms {
        if !different.contains(&platform) {
            different.push(platform);
        }
    }
    let prepared = parallel::each(&different, signals, |platform| {
        match checkpoints.prepare(platform) {
            Ok(_) | Err(NoCheckpoint::Never(_)) => Ok(()),
            Err(error) => {
                let (firmware, attachment) = (&platform.firmware, platform.attachment);
                let what = format!("{firmware} by {attachment} has no checkpoint: {error}");
                if needs {
                    return Err(what);
                }
                remark!("note: {what}; its cells start cold");
                Ok(())
            }
        }
    });
    match prepared {
        Ok(()) if signals.caught() => {
            Err(Stop::host("interrupted while the checkpoints were made", "").into())
        }
        Ok(()) => Ok(()),
        Err(what) => Err(Stop::host(what, "cargo xtask boot-matrix, without --prove-warm").into()),
    }
}
