//! The version of a firmware by the host's package manager, where none stands in its image.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::ask::ask;

const DEADLINE: Duration = Duration::from_secs(10);

/// The versions of the packages that own firmware's files. A file is not in it where there is no package manager that knows it, or where the package
/// is QEMU's own, whose version says nothing of the firmware's.
pub(super) fn versions<'p>(files: impl Iterator<Item = &'p Path>) -> BTreeMap<PathBuf, String> {
    let mut asked = BTreeMap::new();
    for file in files {
        let real = fs::canonicalize(file).ok();
        if let Some(real) = real.and_then(|path| path.into_os_string().into_string().ok()) {
            asked.insert(real, file.to_owned());
        }
    }
    if asked.is_empty() {
        return BTreeMap::new();
    }
    let names: Vec<&str> = asked.keys().map(String::as_str).collect();
    let mut known = debian(&names).unwrap_or_default();
    // A host of RPM packages may have dpkg too.
    if known.is_empty() {
        known = rpm(&names);
    }
    known
        .into_iter()
        .filter(|(_, package)| is_of_firmware(&package.name))
        .filter_map(|(file, package)| Some((asked.get(&file)?.clone(), package.version)))
        .collect()
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Package {
    name: String,
    version: String,
}

impl Package {
    /// A name and a version with a blank between.
    fn of_line(line: &str) -> Option<Self> {
        let (name, version) = line.trim().split_once(' ')?;
        Some(Self {
            name: name.to_owned(),
            version: version.to_owned(),
        })
    }
}

/// The package of each file that dpkg knows.
fn debian(files: &[&str]) -> Option<Vec<(String, Package)>> {
    let said = answer("dpkg-query", &[&["--search"], files].concat())?;
    let owners = owners(&said);
    if owners.is_empty() {
        return None;
    }
    let format = "--showformat=${Package} ${Version}\n";
    let names: Vec<&str> = owners.iter().map(|(_, name)| name.as_str()).collect();
    let said = answer("dpkg-query", &[&["--show", format], &names[..]].concat())?;
    let packages: Vec<Package> = said.lines().filter_map(Package::of_line).collect();
    let of = |name: &str| packages.iter().find(|package| package.name == name);
    let known = owners
        .iter()
        .filter_map(|(file, name)| Some((file.clone(), of(name)?.clone())));
    Some(known.collect())
}

/// The files and the first of the packages that own them, as `dpkg-query --search` says them: `ovmf: /usr/share/OVMF/OVMF_CODE.fd`. What it
/// says of diversions begins otherwise.
fn owners(said: &str) -> Vec<(String, String)> {
    let lines = said.lines().filter_map(|line| line.split_once(": "));
    let plain = lines.filter(|(packages, _)| !packages.starts_with("diversion "));
    let first = |packages: &str| {
        let name = packages.split([',', ':']).next().unwrap_or_default();
        name.to_owned()
    };
    plain
        .map(|(packages, file)| (file.to_owned(), first(packages)))
        .collect()
}

fn rpm(files: &[&str]) -> Vec<(String, Package)> {
    let format = "--queryformat=%{NAME} %{VERSION}-%{RELEASE}\n";
    let of = |file: &str| {
        let said = answer("rpm", &["--query", format, "--file", file])?;
        Package::of_line(said.lines().next()?)
    };
    let known = files
        .iter()
        .filter_map(|&file| Some((file.to_owned(), of(file)?)));
    known.collect()
}

/// What a package manager says; of files that it does not know it says that elsewhere, and of the others what was asked for.
fn answer(program: &str, args: &[&str]) -> Option<String> {
    let answer = ask(Path::new(program), args, Path::new("/"), b"", DEADLINE).ok()?;
    String::from_utf8(answer.stdout).ok()
}

/// Whether a package has the version of the firmware that it brings: `ovmf`, `edk2-ovmf`, `qemu-ovmf-x86_64`. QEMU's packages bring
/// builds of their own (`qemu-common`, `qemu-system-x86-firmware`) under QEMU's version.
fn is_of_firmware(package: &str) -> bool {
    ["ovmf", "edk2", "bochsbios", "qemu-efi", "u-boot"]
        .iter()
        .any(|word| package.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owners_of_files_are_read() {
        let said = "diversion by glx-diversions from: /usr/lib/a\n\
            ovmf: /usr/share/OVMF/OVMF_CODE_4M.fd\n\
            libc6:amd64, libc6:i386: /usr/share/doc/a: b\n";
        let owners = owners(said);
        let pairs: Vec<(&str, &str)> = owners.iter().map(|(a, b)| (&a[..], &b[..])).collect();
        assert_eq!(
            pairs,
            [
                ("/usr/share/OVMF/OVMF_CODE_4M.fd", "ovmf"),
                ("/usr/share/doc/a: b", "libc6"),
            ]
        );
    }

    #[test]
    fn qemus_version_is_not_the_firmwares() {
        for package in [
            "ovmf",
            "ovmf-ia32",
            "edk2-ovmf",
            "qemu-ovmf-x86_64",
            "bochsbios",
            "qemu-efi-aarch64",
            "u-boot-qemu",
        ] {
            assert!(is_of_firmware(package), "{package}");
        }
        for package in [
            "qemu-common",
            "qemu-system-x86-firmware",
            "qemu-system-data",
        ] {
            assert!(!is_of_firmware(package), "{package}");
        }
    }
}
