//! A folder as one file: a tar archive, compressed by zstd.

use std::{
    fs::{self, File},
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

use tar::{Builder, EntryType, Header};

/// How hard to compress: zstd's own default.
const LEVEL: i32 = 3;

/// Packs the regular files below a folder, under a name of their own, into a file, which appears whole or not at all. Links are left out, and so
/// are files whose names begin with a dot: they are locks.
///
/// # Errors
/// A file cannot be read, or the disk is full.
pub fn pack(folder: &Path, name: &Path, into: &Path) -> io::Result<()> {
    let file = into.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = into.with_file_name(format!(".{file}.unfinished"));
    let packed = write(folder, name, &unfinished).and_then(|()| fs::rename(&unfinished, into));
    if packed.is_err() {
        // Best effort: it never counts as the file.
        drop(fs::remove_file(&unfinished));
    }
    packed
}

fn write(folder: &Path, name: &Path, into: &Path) -> io::Result<()> {
    let encoder = zstd::Encoder::new(BufWriter::new(File::create(into)?), LEVEL)?;
    let mut tar = Builder::new(encoder);
    for path in files(folder)? {
        let within = path.strip_prefix(folder).unwrap_or(&path);
        add(&mut tar, &path, &name.join(within))?;
    }
    let encoder = tar.into_inner()?;
    encoder
        .finish()?
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()
}

/// Adds a file without its owner and time, which say nothing of what is in it.
fn add(tar: &mut Builder<impl io::Write>, path: &Path, name: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(metadata.len());
    header.set_mode(metadata.permissions().mode() & 0o777);
    header.set_mtime(0);
    tar.append_data(&mut header, name, file)
}

/// The regular files below a folder, in order, without those that hold locks.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && !entry.file_name().as_encoded_bytes().starts_with(b".") {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}
