//! Which firmware there is: the host's, which is SeaBIOS in QEMU's data directory and OVMF through its descriptors; and other builds, that
//! were fetched or added.

mod aavmf;
pub(crate) mod bios_codes;
mod bios_reads;
mod descriptor;
pub(crate) mod families;
pub(crate) mod family;
mod fetch;
pub mod keys;
pub(crate) mod loaders;
mod name;
mod ovmf;
mod package;
mod recognise;
mod rombios;
pub(crate) mod said;
mod seabios;
mod store;
pub(crate) mod synonyms;
mod u_boot;
mod variable_store;
pub(crate) mod words;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

pub use fetch::{Fetched, fetch};
pub use name::{FirmwareName, NoName};
pub use store::{Kept, Record, Source, Store, StoreError, grid};
pub use variable_store::{NoStore, enrol, keys_in};

use self::{descriptor::Candidate, family::Places};
use crate::{
    arch::Architecture, attachment::Attachment, emulator::Installed, hash::sha256,
    machine::board::Board, outcome::kebab_display,
};

/// How a firmware starts what is on a disc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirmwareKind {
    /// INT 13h and 16-bit real mode.
    Bios,
    /// A FAT file system and PE programs.
    Uefi,
}

kebab_display!(FirmwareKind {
    Bios => "bios",
    Uefi => "uefi",
});

/// A firmware by the name that ids use for the host's default build of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirmwareId {
    /// SeaBIOS, QEMU's own BIOS.
    Seabios,
    /// OVMF for x86-64 without Secure Boot.
    Ovmf,
    /// OVMF for 32-bit x86.
    OvmfIa32,
    /// OVMF for x86-64 with Secure Boot on and Microsoft's keys enrolled.
    OvmfSecureBoot,
    /// Bochs' BIOS, on a PC without PCI.
    Rombios,
    /// EDK2 for 64-bit Arm.
    Aavmf,
    /// U-Boot for 64-bit Arm.
    #[serde(rename = "u-boot-arm64")]
    UBootArm64,
    /// U-Boot for x86-64.
    #[serde(rename = "u-boot-x86-64")]
    UBootX8664,
    /// SeaBIOS for QEMU's machine `microvm`, a PC without PCI.
    SeabiosMicrovm,
}

kebab_display!(FirmwareId {
    Seabios => "seabios",
    Ovmf => "ovmf",
    OvmfIa32 => "ovmf-ia32",
    OvmfSecureBoot => "ovmf-secure-boot",
    Rombios => "rombios",
    Aavmf => "aavmf",
    UBootArm64 => "u-boot-arm64",
    UBootX8664 => "u-boot-x86-64",
    SeabiosMicrovm => "seabios-microvm",
});

impl FirmwareId {
    /// Whether it is a BIOS or UEFI.
    #[must_use]
    pub fn kind(self) -> FirmwareKind {
        self.family().kind()
    }

    /// The project whose firmware it is, as the catalog of findings names it.
    #[must_use]
    pub fn project(self) -> &'static str {
        self.family().project()
    }

    /// Its name, as people write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.family().name()
    }

    /// The Debian package that brings it.
    #[must_use]
    pub fn package(self) -> &'static str {
        self.family().package()
    }

    /// What the guests run that it starts.
    #[must_use]
    pub fn architecture(self) -> Architecture {
        self.family().architecture()
    }

    /// Whether it lets only programs run that are signed by whom it trusts.
    pub(crate) fn checks_signatures(self) -> bool {
        self.family().checks_signatures()
    }

    /// The loader that it looks for on removable media (UEFI §3.5.1.1); `None` of a BIOS.
    #[must_use]
    pub fn loader(self) -> Option<&'static str> {
        self.family().loader()
    }
}

/// A word that names no firmware.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no firmware is called {0:?}")]
pub struct UnknownFirmware(pub String);

impl FromStr for FirmwareId {
    type Err = UnknownFirmware;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|id| id.as_str() == text)
            .ok_or_else(|| UnknownFirmware(text.to_owned()))
    }
}

/// The version of a firmware of which none can be found.
pub const UNKNOWN_VERSION: &str = "unknown";

/// A firmware that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firmware {
    /// Which one.
    pub id: FirmwareId,
    /// Which build of it; nothing for the host's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// SeaBIOS: the version in its ROM. OVMF, whose images say nothing of it: the version of the
    /// package that owns the file. Where neither is to be had, [`UNKNOWN_VERSION`].
    pub version: String,
    /// The SHA-256 of the image (of the code, where it is in flash), in hexadecimal.
    pub sha256: String,
    /// The files.
    pub image: FirmwareImage,
    /// The empty variable store that belongs to the image, also where the image does not need one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variables_template: Option<PathBuf>,
}

impl Firmware {
    /// What it is called in ids.
    #[must_use]
    pub fn name(&self) -> FirmwareName {
        FirmwareName {
            id: self.id,
            build: self.build.clone(),
        }
    }

    /// Whether there is a machine on which it can boot a disc that hangs there so.
    ///
    /// # Errors
    /// The machine of the attachment cannot run it.
    pub fn check(&self, attachment: Attachment) -> Result<(), NoMachine> {
        self.board(attachment).map(|_| ())
    }

    /// The machine on which it boots a disc that hangs there so.
    ///
    /// # Errors
    /// There is none.
    pub fn board(&self, attachment: Attachment) -> Result<Board, NoMachine> {
        let no_machine = |why| NoMachine {
            name: self.name(),
            attachment,
            why,
        };
        let board = self.id.family().board(attachment).map_err(no_machine)?;
        if self.image.needs_smm() && !board.has_smm {
            return Err(no_machine("it needs system management mode"));
        }
        Ok(board)
    }
}

/// A firmware that the machine of an attachment cannot run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}; {}", self.what(), Self::REMEDY)]
pub struct NoMachine {
    /// Which firmware.
    pub name: FirmwareName,
    /// Which attachment.
    pub attachment: Attachment,
    /// What the machine of the attachment has not, or cannot have.
    pub why: &'static str,
}

impl NoMachine {
    /// What to do about it.
    pub const REMEDY: &str = "use another attachment";

    /// What is wrong, without the remedy.
    #[must_use]
    pub fn what(&self) -> String {
        let Self {
            name,
            attachment,
            why,
        } = self;
        format!("the firmware {name} has no machine with the attachment {attachment}: {why}")
    }
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().fmt(f)
    }
}

/// The files of a firmware and how a machine takes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirmwareImage {
    /// One ROM, for `-bios`.
    Bios(PathBuf),
    /// Raw flash images.
    Flash {
        /// The code, read-only.
        code: PathBuf,
        /// The template of the variable store, of which each machine needs a copy; `None` where the
        /// firmware does without one and keeps its variables in RAM, which boots faster.
        variables: Option<PathBuf>,
        /// Whether the firmware runs only with system-management mode (`-machine q35,smm=on`).
        needs_smm: bool,
    },
}

impl FirmwareImage {
    /// The ROM or the code.
    #[must_use]
    pub fn code(&self) -> &Path {
        match self {
            Self::Bios(path) | Self::Flash { code: path, .. } => path,
        }
    }

    /// The template of the variable store that it needs in flash.
    #[must_use]
    pub fn variables(&self) -> Option<&Path> {
        match self {
            Self::Flash { variables, .. } => variables.as_deref(),
            Self::Bios(_) => None,
        }
    }

    /// Whether it runs only with system-management mode.
    #[must_use]
    pub const fn needs_smm(&self) -> bool {
        matches!(
            self,
            Self::Flash {
                needs_smm: true,
                ..
            }
        )
    }
}

/// A firmware that was asked for and is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}; {}", self.what(), self.remedy())]
pub struct FirmwareError {
    /// Which one.
    pub name: FirmwareName,
}

impl FirmwareError {
    /// What is wrong, without the remedy.
    #[must_use]
    pub fn what(&self) -> String {
        let place = match self.name {
            FirmwareName { build: Some(_), .. } => {
                return format!("there is no firmware {} on this machine", self.name);
            }
            FirmwareName { id, .. } => id.family().missing(),
        };
        format!("the firmware {} is not installed: {place}", self.name)
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self.name.build {
            None => format!(
                "install the package {} (Debian, Ubuntu)",
                self.name.id.package()
            ),
            Some(_) => {
                "`firmware list` lists the builds; `firmware fetch` and `firmware add` add others"
                    .to_owned()
            }
        }
    }
}

/// Every firmware that this QEMU can boot a disc with, in the order of [`FirmwareId`]; at most one of each.
#[must_use]
pub fn discover(qemu: &Installed) -> Vec<Firmware> {
    let data = &qemu.data_directories;
    let descriptors = descriptor::read_all(&descriptor::search_path(data));
    let places = Places {
        root: Path::new("/"),
        data,
        descriptors: &descriptors,
    };
    let mut found: Vec<Firmware> = FirmwareId::ALL
        .iter()
        .filter_map(|&id| {
            let Candidate {
                image,
                variables_template,
                ..
            } = id.family().find(&places)?;
            let bytes = fs::read(image.code()).ok()?;
            Some(Firmware {
                id,
                build: None,
                version: id.family().version_in(&bytes).unwrap_or_default(),
                sha256: sha256(&bytes),
                image,
                variables_template,
            })
        })
        .collect();
    let unknown = |firmware: &&mut Firmware| firmware.version.is_empty();
    let files = found.iter_mut().filter(unknown);
    let owned = package::versions(files.map(|firmware| firmware.image.code()));
    for firmware in found.iter_mut().filter(unknown) {
        let version = owned.get(firmware.image.code()).cloned();
        firmware.version = version.unwrap_or_else(|| UNKNOWN_VERSION.to_owned());
    }
    found
}

/// The firmware of that name among some; by its id alone, the host's default.
pub fn select(
    found: &[Firmware],
    name: impl Into<FirmwareName>,
) -> Result<&Firmware, FirmwareError> {
    let name = name.into();
    found
        .iter()
        .find(|firmware| firmware.id == name.id && firmware.build == name.build)
        .ok_or(FirmwareError { name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::EmulatorId;

    #[test]
    fn the_installed_firmware_is_found() {
        let qemu = EmulatorId::Qemu.locate(None).unwrap();
        let found = discover(&qemu);
        let seabios = select(&found, FirmwareId::Seabios).unwrap();
        // SeaBIOS says its version on the debug port first of all: the independent opinion.
        let words = crate::race::seabios_words(&qemu, seabios);
        let line = format!("SeaBIOS (version {})", seabios.version);
        assert!(words.starts_with(&line), "{line}: {words}");

        let ovmf = select(&found, FirmwareId::Ovmf).unwrap();
        assert!(matches!(
            &ovmf.image,
            FirmwareImage::Flash {
                variables: None,
                needs_smm: false,
                ..
            }
        ));
        assert!(
            ovmf.variables_template
                .as_ref()
                .is_some_and(|template| template.is_file())
        );
        let secure = select(&found, FirmwareId::OvmfSecureBoot).unwrap();
        assert!(matches!(
            &secure.image,
            FirmwareImage::Flash {
                variables: Some(_),
                needs_smm: true,
                ..
            }
        ));
        assert_ne!(secure.sha256, ovmf.sha256);
        for &attachment in Attachment::ALL {
            assert_eq!(ovmf.check(attachment), Ok(()));
            let is_ide = attachment == Attachment::Ide;
            assert_eq!(secure.check(attachment).is_err(), is_ide, "{attachment}");
        }
        assert!(found.is_sorted_by_key(|firmware| firmware.id));

        let json = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Firmware>>(&json).unwrap(), found);
    }

    #[test]
    fn a_firmware_that_is_not_there_is_named_with_its_package() {
        let message = select(&[], FirmwareId::OvmfIa32).unwrap_err().to_string();
        assert_eq!(
            message,
            "the firmware ovmf-ia32 is not installed: no descriptor (qemu/firmware/*.json in /etc, /usr/share or QEMU's \
             data directories) leads to its files; \
             install the package ovmf-ia32 (Debian, Ubuntu)"
        );
    }

    #[test]
    fn a_build_is_not_the_default() {
        let found = discover(&EmulatorId::Qemu.locate(None).unwrap());
        let mut both = found.clone();
        both.insert(
            0,
            Firmware {
                build: Some("1.99".to_owned()),
                ..found[0].clone()
            },
        );
        assert_eq!(select(&both, FirmwareId::Seabios).unwrap(), &found[0]);
        let named: FirmwareName = "seabios@1.99".parse().unwrap();
        assert_eq!(
            select(&both, named.clone()).unwrap().to_string(),
            "seabios@1.99"
        );
        let message = select(&found, named).unwrap_err().to_string();
        assert!(
            message.contains("no firmware seabios@1.99 on this machine; `firmware list`"),
            "{message}"
        );
    }

    #[test]
    fn ids_are_words() {
        for &id in FirmwareId::ALL {
            assert_eq!(id.as_str().parse(), Ok(id));
            assert_eq!(serde_json::to_value(id).unwrap(), id.as_str());
        }
        assert!("bochs".parse::<FirmwareId>().is_err());
    }
}
