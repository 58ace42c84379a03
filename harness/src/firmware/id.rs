//! The names of firmware in ids, without builds.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{arch::Architecture, outcome::kebab_display};

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
