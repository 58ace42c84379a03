//! Sets of keys that a machine with Secure Boot has, by name: `ovmf-secure-boot@2011`.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use images::{
    inspect::certificates_of,
    signature::{Authority, MachineKeys, SignatureList, Year},
};

use super::{Firmware, FirmwareImage, variable_store::enrol};

/// The package whose shim carries Microsoft's certificates in its signatures.
pub const SHIM: &str = "shim-signed";
/// Where that package puts shim.
const SHIM_FILE: &str = "usr/lib/shim/shimx64.efi.signed";

/// A set of Microsoft's certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MicrosoftKeys {
    /// Those of one year.
    Of(Year),
    /// Those of 2011 and of 2023.
    Both,
}

impl MicrosoftKeys {
    /// All of them, by their names.
    pub const ALL: [(&str, Self); 3] = [
        ("2011", Self::Of(Year::Y2011)),
        ("2023", Self::Of(Year::Y2023)),
        ("both", Self::Both),
    ];

    /// The set of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, keys)| *keys)
    }

    /// The keys, from the signatures of a shim that Microsoft signed; those for other systems than Windows.
    ///
    /// # Errors
    /// In a sentence: the shim has no signature of such a year.
    pub fn from_shim(self, shim: &Path) -> io::Result<MachineKeys> {
        let program = fs::read(shim)
            .map_err(|error| io::Error::other(format!("{}: {error}", shim.display())))?;
        let mut db = SignatureList::default();
        let mut years = BTreeSet::new();
        for certificate in certificates_of(&program) {
            let Some(year) = Authority::of(&certificate).map(Authority::year) else {
                continue;
            };
            let is_wanted = match self {
                Self::Of(wanted) => wanted == year,
                Self::Both => true,
            };
            if is_wanted && years.insert(year) {
                db.certificates.push(certificate);
            }
        }
        let wanted = match self {
            Self::Of(_) => 1,
            Self::Both => 2,
        };
        if years.len() < wanted {
            let what = format!(
                "{} has no signature with Microsoft's certificate of that year",
                shim.display()
            );
            return Err(io::Error::other(what));
        }
        Ok(MachineKeys {
            db: Some(db),
            dbx: SignatureList::default(),
        })
    }
}

/// The shim of the package, below a folder into which it was unpacked, or of the system (`/`).
#[must_use]
pub fn shim_below(root: &Path) -> Option<PathBuf> {
    let file = root.join(SHIM_FILE);
    file.is_file().then_some(file)
}

impl Firmware {
    /// Its variable store with these keys.
    ///
    /// # Errors
    /// In a sentence: it has no such store, the store cannot be read, or the keys do not fit.
    pub(super) fn enrolled(&self, keys: &MachineKeys) -> Result<Vec<u8>, String> {
        let template = self
            .image
            .variables()
            .ok_or_else(|| format!("{self} has no variable store in flash for the keys"))?;
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", template.display());
        let store = fs::read(template).map_err(|error| named(&error))?;
        enrol(&store, keys).map_err(|error| named(&error))
    }

    /// The same firmware with other keys, under a name. Its variable store is written to a file.
    ///
    /// # Errors
    /// It has no variable store with room for them, or the file cannot be written.
    pub fn with_keys(&self, keys: &MachineKeys, name: &str, file: &Path) -> io::Result<Self> {
        let store = self.enrolled(keys).map_err(io::Error::other)?;
        fs::write(file, store)
            .map_err(|error| io::Error::other(format!("{}: {error}", file.display())))?;
        let mut firmware = self.clone();
        firmware.build = Some(name.to_owned());
        if let FirmwareImage::Flash { variables, .. } = &mut firmware.image {
            *variables = Some(file.to_owned());
        }
        firmware.variables_template = Some(file.to_owned());
        Ok(firmware)
    }
}
