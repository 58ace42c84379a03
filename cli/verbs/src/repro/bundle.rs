//! Everything that a repro leaves behind, in one file to send.

use std::path::{Path, PathBuf};

use crate::{pack::pack as pack_folder, stop::Stop};

/// Packs a folder into a file beside it, and says which. Links are left out: the disc, which one of them leads to, is nobody's to send.
///
/// # Errors
/// A file cannot be read, or the disk is full.
pub(super) fn pack(folder: &Path) -> Result<PathBuf, Stop> {
    let name = folder.file_name().unwrap_or_default();
    let mut file = name.to_owned();
    file.push(".tar.zst");
    let bundle = folder.with_file_name(file);
    pack_folder(folder, Path::new(name), &bundle).map_err(|error| {
        let what = format!("cannot write {}: {error}", bundle.display());
        let remedy = "free some space there, or choose another folder with --out";
        Stop::host(what, remedy)
    })?;
    Ok(bundle)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        os::unix::fs::symlink,
    };

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
