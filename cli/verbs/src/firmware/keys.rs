//! Keys of machines with Secure Boot: read from files, and written into the variable store of the host's firmware.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use harness::{
    emulator::EmulatorId,
    firmware::{
        FirmwareId, FirmwareName, Record, Store, discover,
        keys::{MicrosoftKeys, SHIM, shim_below},
        select,
    },
};
use images::signature::{MachineKeys, SignatureList};

use super::stop::stop;
use crate::stop::Stop;

/// No list of keys is longer, and no program whose hash is wanted.
const LONGEST: u64 = 64 << 20;

/// The keys that files name.
///
/// # Errors
/// A file cannot be read, or names no key.
pub(crate) fn read(db: &[PathBuf], dbx: &[PathBuf], setup_mode: bool) -> Result<MachineKeys, Stop> {
    Ok(MachineKeys {
        db: if setup_mode {
            None
        } else {
            Some(lists_of(db)?)
        },
        dbx: lists_of(dbx)?,
    })
}

/// What files name together.
///
/// # Errors
/// As [`list_of`].
pub(crate) fn lists_of(files: &[PathBuf]) -> Result<SignatureList, Stop> {
    let mut list = SignatureList::default();
    for file in files {
        list.extend(list_of(file)?);
    }
    Ok(list)
}

/// What a file names: keys, programs, or hashes of them.
///
/// # Errors
/// It cannot be read, or names nothing.
pub(crate) fn list_of(file: &Path) -> Result<SignatureList, Stop> {
    const WANTED: &str = "a certificate (PEM or DER), an EFI signature list such as dbxupdate_x64.bin, an EFI program or a SHA-256";
    let stop =
        |error: &dyn std::fmt::Display| Stop::usage(format!("{}: {error}", file.display()), WANTED);
    let bytes = bounded(file).map_err(|error| stop(&error))?;
    SignatureList::of_file(&bytes).map_err(|error| stop(&error))
}

fn bounded(file: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Keeps the host's firmware with other keys under a name.
///
/// # Errors
/// There is no such firmware, or one of that name.
pub(crate) fn add(
    store: &Store,
    name: &FirmwareName,
    keys: &MachineKeys,
    files: Vec<PathBuf>,
) -> anyhow::Result<Record> {
    if name.id != FirmwareId::OvmfSecureBoot {
        let what = format!("{} has no Secure Boot", name.id);
        return Err(Stop::usage(what, "--as ovmf-secure-boot@NAME").into());
    }
    let qemu = EmulatorId::Qemu
        .locate(None)
        .map_err(|error| Stop::host(error.what(), error.remedy()))?;
    let found = discover(&qemu);
    let base = select(&found, name.id).map_err(|error| Stop::host(error.what(), error.remedy()))?;
    Ok(store.add_keys(base, keys, files, name).map_err(stop)?)
}

/// Keeps the firmware with the keys of Microsoft's that the name stands for, unless it is kept; nothing where the name stands for none.
///
/// # Errors
/// No shim is installed whose signatures carry these certificates.
pub(crate) fn provide(store: &Store, name: &FirmwareName) -> anyhow::Result<()> {
    let keys = name.build.as_deref().and_then(MicrosoftKeys::named);
    let Some(keys) = keys.filter(|_| name.id == FirmwareId::OvmfSecureBoot) else {
        return Ok(());
    };
    if store.folder().join(name.to_string()).is_dir() {
        return Ok(());
    }
    let remedy = format!("apt-get install {SHIM}, whose shim contains Microsoft's certificates");
    let shim = shim_below(Path::new("/")).ok_or_else(|| {
        Stop::host(
            format!("the keys of {name} are not on this machine"),
            remedy.clone(),
        )
    })?;
    let keys = keys
        .from_shim(&shim)
        .map_err(|error| Stop::host(error, remedy))?;
    add(store, name, &keys, vec![shim])?;
    Ok(())
}
