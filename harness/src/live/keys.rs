//! The lists of keys of machines, in files beside the disc that is made for them.

use std::{fs, io, path::Path};

use images::signature::{MachineKeys, SignatureList};

/// The folder with the lists.
pub const KEYS: &str = "keys";

/// Writes the lists of a machine into the folder of a disc.
pub(super) fn write_keys(keys: &MachineKeys, disc: &Path, name: &str) -> io::Result<()> {
    let folder = disc.join(KEYS).join(name);
    fs::create_dir_all(&folder)?;
    if let Some(db) = &keys.db {
        fs::write(folder.join("db.esl"), db.encode())?;
    }
    fs::write(folder.join("dbx.esl"), keys.dbx.encode())
}

/// The keys of a machine that stand beside a disc.
///
/// # Errors
/// The disc was made for no such machine, or the files cannot be read.
pub fn read_keys(disc: &Path, name: &str) -> io::Result<MachineKeys> {
    let folder = disc.join(KEYS).join(name);
    let list = |file: &str| {
        let path = folder.join(file);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes?,
        };
        let list = match bytes.is_empty() {
            true => SignatureList::default(),
            false => SignatureList::decode(&bytes)
                .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?,
        };
        Ok::<_, io::Error>(Some(list))
    };
    let dbx = list("dbx.esl")?.ok_or_else(|| {
        io::Error::other(format!(
            "the disc was made for no machine with the keys {name}"
        ))
    })?;
    Ok(MachineKeys {
        db: list("db.esl")?,
        dbx,
    })
}
