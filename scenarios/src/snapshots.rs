//! The snapshots of a folder of scenarios.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    files::FileError,
    matrix::{Folder, Matrix},
};

/// The snapshots that belong to no cell of the matrix, in any set.
///
/// # Errors
/// The folder of the snapshots cannot be read. A missing folder is not an error.
pub fn unreferenced(matrix: &Matrix, folder: &Folder) -> Result<Vec<PathBuf>, FileError> {
    let referenced: BTreeSet<PathBuf> = matrix.cells().map(|cell| cell.snapshot).collect();
    let mut snapshots = Vec::new();
    collect(&folder.snapshots, &mut snapshots)?;
    snapshots.sort();
    snapshots.retain(|snapshot| !referenced.contains(snapshot));
    Ok(snapshots)
}

fn collect(folder: &Path, snapshots: &mut Vec<PathBuf>) -> Result<(), FileError> {
    let unreadable = || FileError::new("read", folder);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(unreadable())?,
    };
    for entry in entries {
        let entry = entry.map_err(unreadable())?;
        let path = entry.path();
        if entry.file_type().map_err(unreadable())?.is_dir() {
            collect(&path, snapshots)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "snap")
        {
            snapshots.push(path);
        }
    }
    Ok(())
}
