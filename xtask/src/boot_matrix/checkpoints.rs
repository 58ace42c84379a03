//! Makes the checkpoints of a run before its cells: each once, and for every later run too.

use std::path::Path;

use harness::{
    checkpoint::{Checkpoints, NoCheckpoint},
    platform::Platform,
};
use scenarios::{cell::Cell, run::Toolbox};

use crate::{parallel, signals::Signals, stop::Stop};

/// Sees to it that every checkpoint that the cells can start from is there and whole. One that cannot be made is told, and its cells start cold;
/// where a proof `needs` it, that is the end.
pub(crate) fn prepare(
    cells: &[Cell],
    toolbox: &Toolbox,
    folder: &Path,
    needs: bool,
    signals: &Signals,
) -> anyhow::Result<()> {
    let checkpoints = Checkpoints::in_folder(folder);
    let mut platforms: Vec<Platform> = Vec::new();
    for cell in cells {
        // Where there is no machine for a cell, that is skipped.
        if let Ok(platform) = toolbox.platform(cell)
            && !platforms.contains(&platform)
        {
            platforms.push(platform);
        }
    }
    let prepared = parallel::each(&platforms, signals, |platform| {
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
