//! Files that appear completely or not at all.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;

/// A file or folder that could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {cause}", path.display())]
pub struct FileError {
    action: &'static str,
    path: PathBuf,
    /// Not the error's source: it would be printed twice with the sources.
    cause: io::Error,
}

impl FileError {
    /// Adds the action and the path to an I/O error.
    pub fn new(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Self {
            action,
            path,
            cause,
        }
    }

    /// Whether more room would have helped.
    #[must_use]
    pub fn is_for_want_of_room(&self) -> bool {
        let kinds = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        kinds.contains(&self.cause.kind())
    }
}

/// Whether a file is a distilled disc: a few sectors as text, from which the whole disc is rebuilt.
#[must_use]
pub fn is_distilled(file: &Path) -> bool {
    file.extension()
        .is_some_and(|extension| extension == "disc")
}

/// The temporary name of a file until it is complete. No part of an id begins with a dot.
#[must_use]
pub fn unfinished(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}", std::process::id()))
}

/// Removes unfinished files of killed processes below a folder. No other process may work there.
///
/// # Errors
/// A folder cannot be read, or an entry of it cannot be removed.
pub fn sweep(folder: &Path) -> Result<(), FileError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(FileError::new("read", folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(FileError::new("read", folder))?;
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_unfinished(&entry.file_name().to_string_lossy()) {
            if is_folder {
                sweep(&path)?;
            }
            continue;
        }
        let removed = if is_folder {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.map_err(FileError::new("remove", path))?;
    }
    Ok(())
}

/// Whether it is a temporary name of an unfinished file.
#[must_use]
pub fn is_unfinished(name: &str) -> bool {
    let process = name
        .strip_prefix('.')
        .and_then(|name| name.rsplit_once('.'));
    process.is_some_and(|(_, process)| process.parse::<u32>().is_ok())
}

/// Writes a file completely or not at all, and the folders above it.
///
/// # Errors
/// The disk is full, or the folder cannot be written.
pub fn write(path: &Path, content: &[u8]) -> Result<(), FileError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(FileError::new("create", folder))?;
    }
    let unfinished = unfinished(path);
    let written = fs::File::create(&unfinished).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_data()?;
        fs::rename(&unfinished, path)
    });
    written.map_err(|cause| {
        // Best effort: it never counts as the file.
        drop(fs::remove_file(&unfinished));
        FileError::new("write", path)(cause)
    })
}

/// Writes a value as JSON for people and programs.
///
/// # Errors
/// As [`write()`].
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), FileError> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|error| FileError::new("write", path)(error.into()))?;
    text.push(b'\n');
    write(path, &text)
}

/// Writes a value as JSON into a cell's evidence, and the folders above it. It does not wait until the file is on the
/// disk: an interrupted run is run again.
///
/// # Errors
/// As [`write()`].
pub fn write_evidence(path: &Path, value: &impl Serialize) -> Result<(), FileError> {
    let unwritable = || FileError::new("write", path);
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| unwritable()(error.into()))?;
    text.push(b'\n');
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(FileError::new("create", folder))?;
    }
    fs::write(path, text).map_err(unwritable())
}

/// Removes a file, if it exists.
///
/// # Errors
/// It exists but cannot be removed.
pub fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::new("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Checks that a document has the wanted schema, before it is read.
///
/// # Errors
/// It has another one, or none.
pub fn expect_schema(document: &serde_json::Value, wanted: &str) -> io::Result<()> {
    let found = document.get("schema").and_then(serde_json::Value::as_str);
    if found == Some(wanted) {
        return Ok(());
    }
    let found = found.map_or("it names no schema".to_owned(), |found| {
        format!("its schema is {found:?}")
    });
    Err(io::Error::other(format!(
        "{found} where {wanted:?} is wanted"
    )))
}

/// Reads a value from JSON.
///
/// # Errors
/// There is no such file, or it is invalid.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, FileError> {
    let text = fs::read(path).map_err(FileError::new("read", path))?;
    serde_json::from_slice(&text).map_err(|error| FileError::new("read", path)(error.into()))
}
