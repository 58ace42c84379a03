//! The packages that live discs are made from: downloaded once, unpacked, never installed.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::packages::{PackageError, Packages};

/// The release that all packages come from, whatever this host runs: the same parts make the same discs. In this one a kernel's
/// modules are not compressed.
const SUITE: &str = "bookworm";

/// What begins the name of a package with a kernel, and of one that only depends on the newest such.
const KERNEL: &str = "linux-image-";

/// A folder of unpacked packages. Several processes may share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stock {
    folder: PathBuf,
}

impl Stock {
    /// The packages in a folder, which need not be there yet.
    #[must_use]
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The folder in which a package was unpacked.
    ///
    /// # Errors
    /// It is not there: why, and what brings it.
    pub fn package(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.unpacked(name);
        if folder.is_dir() {
            return Ok(folder);
        }
        Err(match fs::read_to_string(self.trouble(name)) {
            Ok(why) => format!("package {name} could not be fetched: {}", why.trim()),
            Err(_) => format!("package {name} was not fetched"),
        })
    }

    /// Downloads and unpacks those of some packages that are not there yet. `tell` gets a line for each, and for what cannot be had.
    ///
    /// # Errors
    /// The host has no package manager or no source of the release, or the folder cannot be written. Why is kept, so that
    /// [`Stock::package`] can say it.
    pub fn fetch<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
        mut tell: impl FnMut(&str),
    ) -> Result<(), PackageError> {
        let missing: BTreeSet<&str> = names
            .into_iter()
            .filter(|name| !self.unpacked(name).is_dir())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        fs::create_dir_all(&self.folder).map_err(PackageError::host(&self.folder))?;
        let lock = self.folder.join(".lock");
        let lock = fs::File::create(&lock)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(PackageError::host(lock))?;
        let packages = Packages::of_suites(self.folder.join("apt"), &[SUITE]);
        let updated = packages.update().map(drop);
        for name in missing {
            // Another process may have brought it while this one waited for the lock.
            if self.unpacked(name).is_dir() {
                continue;
            }
            let fetched = match &updated {
                Ok(()) => self.fetch_one(&packages, name),
                Err(error) => Err(PackageError::NoSource(error.to_string())),
            };
            match fetched {
                Ok(version) => tell(&format!("{name} {version}")),
                Err(error) => {
                    let trouble = self.trouble(name);
                    fs::write(&trouble, format!("{error}\n"))
                        .map_err(PackageError::host(trouble))?;
                    tell(&format!("note: no package {name}: {error}"));
                }
            }
        }
        drop(lock);
        updated
    }

    /// Unpacks a package; its version. With a package that only depends on the newest kernel, that kernel's.
    fn fetch_one(&self, packages: &Packages, name: &str) -> Result<String, PackageError> {
        let unfinished = self.folder.join(format!(".{name}"));
        // What was left by a process that was killed.
        drop(fs::remove_dir_all(&unfinished));
        fs::create_dir_all(&unfinished).map_err(PackageError::host(&unfinished))?;
        let mut real = name.to_owned();
        if name.starts_with(KERNEL) {
            let depends = packages.depends(name)?;
            let newest = depends.into_iter().find(|name| name.starts_with(KERNEL));
            real = newest.unwrap_or(real);
        }
        let available = packages.available(&[&real])?;
        let newest = available.first().ok_or_else(|| {
            PackageError::NoSource(format!("{SUITE} has no package {real} for this host"))
        })?;
        packages.unpack(&real, &newest.version, &unfinished)?;
        let folder = self.unpacked(name);
        fs::rename(&unfinished, &folder).map_err(PackageError::host(folder))?;
        Ok(newest.version.clone())
    }

    fn unpacked(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The file that says why a package is not there.
    fn trouble(&self, name: &str) -> PathBuf {
        self.folder.join(format!(".{name}.txt"))
    }

    /// Where the packages are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let stock = Stock::in_folder(folder.path());
        let why = stock.package("grub-pc-bin").unwrap_err();
        assert_eq!(why, "package grub-pc-bin was not fetched");
        fs::write(stock.trouble("grub-pc-bin"), "no network\n").unwrap();
        let why = stock.package("grub-pc-bin").unwrap_err();
        assert_eq!(why, "package grub-pc-bin could not be fetched: no network");
        fs::create_dir(folder.path().join("grub-pc-bin")).unwrap();
        assert!(stock.package("grub-pc-bin").is_ok());
    }
}
