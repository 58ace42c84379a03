//! A QEMU of another release, unpacked beside the system's.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{found::locate, guest::guest};
use crate::{
    arch::Architecture,
    emulator::{
        installed::{EmulatorError, Installed},
        seam::Wanted,
    },
    firmware::Store,
    hash::sha256_of,
    packages::{Available, PackageError, Packages},
};

const PACKAGE: &str = guest(Architecture::X86).package;
const PROGRAM: &str = guest(Architecture::X86).program;
/// Under the folder of an unpacked QEMU, what its packages hold.
const ROOT: &str = "root";
/// What begins the name of its folder.
const PREFIX: &str = "qemu@";

/// A QEMU that was unpacked.
#[derive(Clone, Debug)]
pub struct FetchedQemu {
    /// It, as it answers.
    pub qemu: Installed,
    /// The packages that it was made from.
    pub packages: Vec<String>,
    /// Whether it was there before.
    pub was_there: bool,
}

/// Every QEMU that was unpacked into a folder: its program, and what it says it is, or why it cannot be run.
#[must_use]
pub fn fetched_qemu(folder: &Path) -> Vec<(PathBuf, Result<Installed, String>)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut programs: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
        .map(|entry| entry.path().join(PROGRAM))
        .collect();
    programs.sort();
    let asked = programs.into_iter().map(|program| {
        let qemu = located(&program).map_err(|error| error.to_string());
        (program, qemu)
    });
    asked.collect()
}

/// Unpacks the newest QEMU that runs with the host's C library, with the libraries and the SeaBIOS that it needs and the host lacks, below
/// the store's folder. Says of each newer one why not.
///
/// # Errors
/// There is none, or the package manager cannot bring it.
pub fn fetch_qemu(
    store: &Store,
    packages: &Packages,
    mut tell: impl FnMut(&str),
) -> Result<FetchedQemu, PackageError> {
    let lock = store.lock();
    let _lock = lock.map_err(|error| PackageError::NoSource(error.to_string()))?;
    for wanted in packages.available(&[PACKAGE])? {
        let version = &wanted.version;
        let lacking = match packages.lacking(&wanted) {
            Ok(lacking) => lacking,
            Err(error) => {
                tell(&format!("{PACKAGE} {version}: {error}"));
                continue;
            }
        };
        if let Some((library, needed)) = lacking.iter().find(|(name, _)| name == "libc6") {
            tell(&format!(
                "{PACKAGE} {version}: needs {library} {needed}, which is not the host's"
            ));
            continue;
        }
        if lacking.is_empty() {
            tell(&format!("{PACKAGE} {version}: is installed"));
            continue;
        }
        return unpack(store, packages, &wanted, lacking);
    }
    Err(PackageError::NoSource(format!(
        "no suite has a {PACKAGE} that is not installed and that runs here"
    )))
}

fn located(program: &Path) -> Result<Installed, EmulatorError> {
    locate(Wanted::Named(Some(program)))
}

fn unpack(
    store: &Store,
    packages: &Packages,
    wanted: &Available,
    mut lacking: Vec<(String, String)>,
) -> Result<FetchedQemu, PackageError> {
    let name = format!("{PREFIX}{}", wanted.upstream());
    let folder = store.folder().join(&name);
    let named = |lacking: &[(String, String)]| {
        lacking
            .iter()
            .map(|(package, version)| format!("{package} {version}"))
            .collect()
    };
    if let Ok(qemu) = located(&folder.join(PROGRAM)) {
        return Ok(FetchedQemu {
            qemu,
            packages: named(&lacking),
            was_there: true,
        });
    }
    // What is there and does not run is made anew.
    drop(fs::remove_dir_all(&folder));
    let unfinished = store.folder().join(format!(".{name}"));
    let root = unfinished.join(ROOT);
    fs::create_dir_all(&root).map_err(PackageError::host(&root))?;
    // OVMF is none of its parts: machines get that of the system or of the grid.
    lacking.retain(|(package, _)| !package.starts_with("ovmf"));
    for (package, version) in &lacking {
        packages.unpack(package, version, &root)?;
    }
    let wrapper = unfinished.join(PROGRAM);
    let text = script(&root, &named(&lacking)).map_err(PackageError::host(&root))?;
    fs::write(&wrapper, text)
        .and_then(|()| fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)))
        .map_err(PackageError::host(&wrapper))?;
    // It is told now if it does not run here, and not by the first cell.
    located(&wrapper).map_err(|error| PackageError::NoSource(error.to_string()))?;
    fs::rename(&unfinished, &folder).map_err(PackageError::host(&folder))?;
    let qemu = located(&folder.join(PROGRAM));
    Ok(FetchedQemu {
        qemu: qemu.map_err(|error| PackageError::NoSource(error.to_string()))?,
        packages: named(&lacking),
        was_there: false,
    })
}

/// Runs the program with the libraries, modules and ROMs that lie beside it. Where these do not have something, the host's are
/// used: QEMU's own folders come after those of `-L`.
fn script(root: &Path, packages: &[String]) -> std::io::Result<String> {
    // What is known of a QEMU is the digest of this script: so it has the program's.
    let digest = sha256_of(&root.join("usr/bin").join(PROGRAM))?;
    let mut libraries = Vec::new();
    let mut modules = String::new();
    for folder in ["usr/lib", "lib"] {
        for entry in fs::read_dir(root.join(folder))
            .into_iter()
            .flatten()
            .flatten()
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.contains("-linux-") {
                continue;
            }
            libraries.push(format!("$here/{ROOT}/{folder}/{name}"));
            if entry.path().join("qemu").is_dir() {
                modules = format!("export QEMU_MODULE_DIR=\"$here/{ROOT}/{folder}/{name}/qemu\"\n");
            }
        }
    }
    let roms: String = ["qemu", "seabios"]
        .iter()
        .filter(|name| root.join("usr/share").join(name).is_dir())
        .map(|name| format!(" -L \"$here/{ROOT}/usr/share/{name}\""))
        .collect();
    Ok(format!(
        "#!/bin/sh\n\
         # {}\n\
         # SHA-256 of the program: {digest}\n\
         here=${{0%/*}}\n\
         export LD_LIBRARY_PATH=\"{}\"\n\
         {modules}\
         exec \"$here/{ROOT}/usr/bin/{PROGRAM}\"{roms} \"$@\"\n",
        packages.join(", "),
        libraries.join(":"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_run_with_what_lies_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join(ROOT);
        for name in ["usr/bin", "usr/lib/x86_64-linux-gnu/qemu", "usr/share/qemu"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        let program = root.join("usr/bin").join(PROGRAM);
        fs::write(
            &program,
            "#!/bin/sh\necho \"$LD_LIBRARY_PATH $QEMU_MODULE_DIR $*\"\n",
        )
        .unwrap();
        let wrapper = folder.path().join(PROGRAM);
        fs::write(&wrapper, script(&root, &["qemu 1".into()]).unwrap()).unwrap();
        for file in [&program, &wrapper] {
            fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let said = std::process::Command::new(&wrapper)
            .arg("a b")
            .output()
            .unwrap();
        let root = root.display();
        assert_eq!(
            String::from_utf8_lossy(&said.stdout),
            format!(
                "{root}/usr/lib/x86_64-linux-gnu {root}/usr/lib/x86_64-linux-gnu/qemu -L {root}/usr/share/qemu a b\n"
            )
        );
        // What answers no question of ours is listed with the reason.
        let kept = folder.path().join("qemu@1.0");
        fs::create_dir(&kept).unwrap();
        fs::rename(wrapper, kept.join(PROGRAM)).unwrap();
        let found = fetched_qemu(folder.path());
        assert!(found.len() == 1 && found[0].1.is_err(), "{found:?}");
    }
}
