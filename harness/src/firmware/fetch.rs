//! Builds of other releases, as packages.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    FirmwareId, FirmwareImage, FirmwareName, descriptor,
    family::Places,
    name::short,
    store::{Draft, Record, Source, Store, StoreError},
};
use crate::packages::{Available, PackageError, Packages};

/// The packages that hold firmware. From 2025.11 on Debian has the plain OVMF in ovmf-generic.
const PACKAGES: [&str; 5] = [
    "seabios",
    "ovmf",
    "ovmf-generic",
    "ovmf-ia32",
    "u-boot-qemu",
];

/// What came of fetching one version of a package.
#[derive(Debug)]
pub struct Fetched {
    /// The package.
    pub package: Available,
    /// The builds of it that are new here.
    pub builds: Vec<Record>,
    /// Why it brought none, or not all; nothing where it did.
    pub trouble: Option<String>,
}

/// Fetches every version of every firmware that the suites have, one package for each upstream version, and keeps those builds that
/// are not kept yet. Each is told as soon as it is there.
///
/// # Errors
/// The store's folder cannot be written, or the package manager does not answer. What one package lacks is told with it.
pub fn fetch(
    store: &Store,
    packages: &Packages,
    mut tell: impl FnMut(&Fetched),
) -> Result<Vec<Fetched>, PackageError> {
    let lock = store.lock().map_err(of_store)?;
    let kept = store.list().map_err(PackageError::host(store.folder()))?;
    let known: Vec<Record> = kept
        .into_iter()
        .filter_map(|kept| Some(kept.build.ok()?.0))
        .collect();
    let mut all = Vec::new();
    for package in one_of_each(packages.available(&PACKAGES)?) {
        let is_here = known.iter().any(|record| is_of(record, &package));
        if is_here {
            continue;
        }
        let mut fetched = Fetched {
            package,
            builds: Vec::new(),
            trouble: None,
        };
        if let Err(error) = one(store, packages, &lock, &mut fetched) {
            fetched.trouble = Some(error.to_string());
        }
        tell(&fetched);
        all.push(fetched);
    }
    Ok(all)
}

fn is_of(record: &Record, package: &Available) -> bool {
    matches!(&record.source, Source::Package { name, version, .. }
        if (name, version) == (&package.package, &package.version))
}

fn of_store(error: StoreError) -> PackageError {
    match error {
        StoreError::Host { path, source } => PackageError::Host { path, source },
        other => PackageError::NoSource(other.to_string()),
    }
}

/// Of each package and upstream version one: a release's own rather than a backport of it.
fn one_of_each(available: Vec<Available>) -> Vec<Available> {
    let mut chosen: Vec<Available> = Vec::new();
    for next in available {
        let same = |other: &&mut Available| {
            (&other.package, other.upstream()) == (&next.package, next.upstream())
        };
        match chosen.iter_mut().find(same) {
            None => chosen.push(next),
            Some(other) if other.version.contains('~') && !next.version.contains('~') => {
                *other = next
            }
            Some(_) => {}
        }
    }
    chosen
}

fn one(
    store: &Store,
    packages: &Packages,
    lock: &fs::File,
    fetched: &mut Fetched,
) -> Result<(), PackageError> {
    let Available {
        package, version, ..
    } = &fetched.package;
    let root = tempfile::Builder::new()
        .prefix(".unpacked-")
        .tempdir_in(store.folder());
    let root = root.map_err(PackageError::host(store.folder()))?;
    packages.unpack(package, version, root.path())?;
    let drafts = drafts(root.path(), &fetched.package).map_err(PackageError::host(root.path()))?;
    if drafts.is_empty() {
        fetched.trouble =
            Some("the package has no firmware that a disc can be booted with".to_owned());
    }
    for draft in drafts {
        match store.keep(draft, lock) {
            Ok(record) => fetched.builds.push(record),
            // Another package has brought it, or somebody has added one of that name.
            Err(StoreError::Taken(name)) => {
                fetched.trouble = Some(format!("there is a {name} already"))
            }
            Err(error) => return Err(of_store(error)),
        }
    }
    Ok(())
}

/// Every firmware in an unpacked package.
fn drafts(root: &Path, package: &Available) -> io::Result<Vec<Draft>> {
    let root = &fs::canonicalize(root)?;
    let folders = [root.join("usr/share/qemu/firmware")];
    let descriptors: Vec<_> = descriptor::read_all(&folders)
        .into_iter()
        .map(|descriptor| descriptor.below(root))
        .collect();
    let places = Places {
        root,
        data: &[root.join("usr/share/seabios")],
        descriptors: &descriptors,
    };
    let mut drafts = Vec::new();
    for &id in FirmwareId::ALL {
        if let Some(found) = id.family().find(&places) {
            let template = found.variables_template;
            drafts.extend(draft(root, id, &found.image, template, package)?);
        }
    }
    Ok(drafts)
}

/// Nothing where the version cannot name a build.
fn draft(
    root: &Path,
    id: FirmwareId,
    image: &FirmwareImage,
    template: Option<PathBuf>,
    package: &Available,
) -> io::Result<Option<Draft>> {
    let bytes = read_below(root, image.code())?;
    let version = id.family().version_in(&bytes);
    let version = version.unwrap_or_else(|| package.version.clone());
    let Ok(name) = FirmwareName::of_build(id, &short(&version)) else {
        return Ok(None);
    };
    let (needs_variables, needs_smm) = match image {
        FirmwareImage::Bios(_) => (false, false),
        FirmwareImage::Flash {
            variables,
            needs_smm,
            ..
        } => (variables.is_some(), *needs_smm),
    };
    Ok(Some(Draft {
        name,
        version,
        source: Source::Package {
            name: package.package.clone(),
            version: package.version.clone(),
            suite: package.suite.clone(),
        },
        image: bytes,
        variables: template.map(|path| read_below(root, &path)).transpose()?,
        needs_variables,
        needs_smm,
        has_own_keys: false,
    }))
}

/// A link in a package may lead anywhere; only what it brings itself is its firmware.
fn read_below(root: &Path, path: &Path) -> io::Result<Vec<u8>> {
    let real = fs::canonicalize(path)?;
    match real.starts_with(root) {
        true => fs::read(real),
        false => Err(io::Error::other(format!(
            "{} leads out of the package",
            path.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn available(package: &str, version: &str) -> Available {
        Available {
            package: package.to_owned(),
            version: version.to_owned(),
            suite: "trixie".to_owned(),
        }
    }

    #[test]
    fn of_each_version_one_package_is_taken() {
        // Of `apt-cache madison`, newest first.
        let versions = [
            ("seabios", "1.17.0-1~bpo13+1"),
            ("seabios", "1.17.0-1"),
            ("seabios", "1.16.3-2"),
            ("seabios", "1.16.3-2~bpo12+1"),
            ("ovmf", "2022.11-6+deb12u2"),
            ("ovmf", "2022.11-6+deb12u1"),
        ];
        let chosen = one_of_each(
            versions
                .map(|(package, version)| available(package, version))
                .into(),
        );
        let chosen: Vec<&str> = chosen.iter().map(|one| &*one.version).collect();
        assert_eq!(chosen, ["1.17.0-1", "1.16.3-2", "2022.11-6+deb12u2"]);
    }

    #[test]
    fn an_unpacked_package_gives_its_firmware_and_nothing_outside_of_it() {
        let root = tempfile::tempdir().unwrap();
        let folder = |path: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(&path).unwrap();
            path
        };
        let (firmware, ovmf) = (folder("usr/share/qemu/firmware"), folder("usr/share/OVMF"));
        let descriptor = |code: &str| {
            serde_json::json!({
                "interface-types": ["uefi"],
                "mapping": {
                    "device": "flash",
                    "executable": { "filename": code, "format": "raw" },
                    "nvram-template": { "filename": "/usr/share/OVMF/VARS.fd", "format": "raw" },
                },
                "targets": [{ "architecture": "x86_64", "machines": ["pc-q35-*"] }],
                "features": ["secure-boot", "enrolled-keys", "requires-smm"],
            })
        };
        let path = firmware.join("40-secure.json");
        fs::write(&path, descriptor("/usr/share/OVMF/CODE.ms.fd").to_string()).unwrap();
        fs::write(ovmf.join("CODE.fd"), "code").unwrap();
        fs::write(ovmf.join("VARS.fd"), "keys").unwrap();
        std::os::unix::fs::symlink("CODE.fd", ovmf.join("CODE.ms.fd")).unwrap();
        let package = available("ovmf", "2025.02-8+deb13u1");
        let made = drafts(root.path(), &package).unwrap();
        assert_eq!(made.len(), 1);
        assert_eq!(made[0].name.to_string(), "ovmf-secure-boot@2025.02");
        assert_eq!(
            (&*made[0].image, made[0].variables.as_deref()),
            (&b"code"[..], Some(&b"keys"[..]))
        );
        assert!(made[0].needs_variables && made[0].needs_smm);

        std::os::unix::fs::symlink("/etc/passwd", ovmf.join("out.fd")).unwrap();
        fs::write(&path, descriptor("/usr/share/OVMF/out.fd").to_string()).unwrap();
        let error = drafts(root.path(), &package).unwrap_err();
        assert!(error.to_string().contains("leads out"), "{error}");
    }

    #[test]
    fn a_package_of_seabios_gives_a_build_for_each_machine_and_not_qboot() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("usr/share/seabios");
        fs::create_dir_all(&folder).unwrap();
        let names = || -> Vec<String> {
            let made = drafts(root.path(), &available("seabios", "1.17.0-1")).unwrap();
            made.iter().map(|draft| draft.name.to_string()).collect()
        };
        fs::write(folder.join("bios-256k.bin"), "\x001.17.0-debian\0").unwrap();
        fs::write(folder.join("bios-microvm.bin"), "qboot").unwrap();
        assert_eq!(names(), ["seabios@1.17.0"]);
        fs::write(folder.join("bios-microvm.bin"), "\x001.17.0-debian\0").unwrap();
        assert_eq!(names(), ["seabios@1.17.0", "seabios-microvm@1.17.0"]);
    }

    #[test]
    fn u_boot_is_kept_as_a_rom_though_it_starts_efi_programs() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("usr/lib/u-boot/qemu_arm64");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("u-boot.bin"), "code").unwrap();
        let package = available("u-boot-qemu", "2025.01-3");
        let [draft] = <[Draft; 1]>::try_from(drafts(root.path(), &package).unwrap()).unwrap();
        let store = Store::in_folder(root.path().join("firmware"));
        let lock = store.lock().unwrap();
        store.keep(draft, &lock).unwrap();
        let (record, firmware) = store.list().unwrap().remove(0).build.unwrap();
        assert_eq!(record.name.to_string(), "u-boot-arm64@2025.01");
        assert!(matches!(firmware.image, FirmwareImage::Bios(_)));
    }
}
