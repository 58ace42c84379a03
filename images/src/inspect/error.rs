//! A disc that cannot be inspected.

use std::{io, path::PathBuf};

/// A disc that cannot be inspected at all.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// It cannot be opened.
    #[error("cannot read {}: {error}", path.display())]
    Open {
        /// Its path.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is nothing that has bytes at offsets.
    #[error("{} is {kind}, and a disc is a regular file or a block device with bytes in it", path.display())]
    NoDisc {
        /// Its path.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// The medium cannot be read where it begins.
    #[error("the medium cannot be read at byte {offset}, where the volume begins")]
    Unreadable {
        /// Where.
        offset: u64,
    },
}
