//! Everything that a repro leaves behind, in one file to send.

use std::{
    fs::{self, File},
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

use tar::{Builder, EntryType, Header};

use crate::stop::Stop;

/// How hard to compress: zstd's own default.
const LEVEL: i32 = 3;

/// Packs a folder into a file beside it, and says which. Links are left out: the disc, which one of them leads to, is nobody's to send.
///
/// # Errors
/// A file cannot be read, or the disk is full.
pub(super) fn pack(folder: &Path) -> Result<PathBuf, Stop> {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".tar.zst");
    let bundle = folder.with_file_name(&name);
    let unfinished = folder.with_file_name(format!(".{}.unfinished", name.to_string_lossy()));
    write(folder, &unfinished)
        .and_then(|()| fs::rename(&unfinished, &bundle))
        .map_err(|error| {
            // Best effort: it is not taken for a bundle in any case.
            drop(fs::remove_file(&unfinished));
            let what = format!("cannot write {}: {error}", bundle.display());
            Stop::host(
                what,
                "free some space there, or choose another folder with --out",
            )
        })?;
    Ok(bundle)
}

fn write(folder: &Path, bundle: &Path) -> io::Result<()> {
    let name = folder.file_name().unwrap_or_default();
    let encoder = zstd::Encoder::new(BufWriter::new(File::create(bundle)?), LEVEL)?;
    let mut tar = Builder::new(encoder);
    for path in files(folder)? {
        let within = path.strip_prefix(folder).unwrap_or(&path);
        add(&mut tar, &path, &Path::new(name).join(within))?;
    }
    let encoder = tar.into_inner()?;
    encoder
        .finish()?
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()
}

/// Adds a file without its owner and time, which say nothing about the disc.
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_bundle_holds_every_file_and_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("disc");
        fs::create_dir_all(name.join("cells/a")).unwrap();
        fs::write(name.join("report.md"), "# disc\n").unwrap();
        fs::write(name.join("cells/a/serial.raw"), [0, 255]).unwrap();
        fs::write(name.join(".lock"), "").unwrap();
        symlink("/etc/hostname", name.join("disc.iso")).unwrap();
        let bundle = pack(&name).unwrap();
        assert_eq!(bundle, folder.path().join("disc.tar.zst"));
        let bytes = zstd::decode_all(File::open(&bundle).unwrap()).unwrap();
        let mut tar = tar::Archive::new(bytes.as_slice());
        let names: Vec<PathBuf> = tar
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().into_owned())
            .collect();
        assert_eq!(
            names,
            ["disc/cells/a/serial.raw", "disc/report.md"].map(PathBuf::from)
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
