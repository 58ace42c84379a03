//! The ids of emulators, and the properties of an installed one.

use std::{fmt, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::outcome::kebab_display;

/// The name of an emulator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmulatorId {
    /// QEMU.
    #[default]
    Qemu,
}

kebab_display!(EmulatorId { Qemu => "qemu" });

/// An installed emulator of a supported version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// Its name.
    #[serde(default)]
    pub id: EmulatorId,
    /// The program, as an absolute path.
    pub path: PathBuf,
    /// The version that it reports.
    pub version: Version,
    /// The SHA-256 of the program, in hexadecimal.
    pub sha256: String,
    /// The SHA-256 of the ROMs that it adds to machines, without the firmware, in hexadecimal.
    pub roms_sha256: String,
    /// Whether it writes the reads of a disc to its log.
    pub log_trace: bool,
    /// Whether it reads files through io_uring on this host. Otherwise each read goes through a thread of its own, and with a firmware that polls its drive
    /// (EDK2 with AHCI) each costs up to a millisecond.
    #[serde(default)]
    pub io_uring: bool,
    /// The folders that it searches for ROMs, in order.
    pub data_directories: Vec<PathBuf>,
}

/// The reason why no emulator can be used, and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {remedy}")]
pub struct EmulatorError {
    pub(super) what: String,
    pub(super) remedy: String,
}

impl EmulatorError {
    /// The problem without the remedy.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The remedy.
    #[must_use]
    pub fn remedy(&self) -> &str {
        &self.remedy
    }
}

/// A release of an emulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number; 90 and above in a release candidate.
    pub micro: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.micro)
    }
}

/// A text that is not three numbers separated by dots.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a version such as 7.2.22")]
pub struct NoVersion(String);

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let no_version = || NoVersion(text.to_owned());
        let mut numbers = text.split('.').map(|number| number.parse::<u32>().ok());
        let mut next = || numbers.next().flatten().ok_or_else(no_version);
        let version = Self {
            major: next()?,
            minor: next()?,
            micro: next()?,
        };
        match numbers.next() {
            None => Ok(version),
            Some(_) => Err(no_version()),
        }
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl TryFrom<String> for Version {
    type Error = NoVersion;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
