//! What a build of a firmware is called.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::id::{FirmwareId, UnknownFirmware};

/// The longest version in a name, in bytes: it becomes part of a file's name.
const LONGEST: usize = 60;

/// `seabios` for the host's default build, `seabios@1.17.0` for one that is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FirmwareName {
    /// Which firmware.
    pub id: FirmwareId,
    /// Which build of it; nothing for the host's default.
    pub build: Option<String>,
}

/// A text that names no build of a firmware.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoName {
    /// There is no such firmware.
    #[error(transparent)]
    Firmware(#[from] UnknownFirmware),
    /// What stands behind the @ cannot be part of a file's name.
    #[error(
        "{0:?} cannot name a build: use letters, digits and - + . _, beginning with a letter or digit, at most {LONGEST}"
    )]
    Build(String),
}

impl FirmwareName {
    /// The name of a build.
    ///
    /// # Errors
    /// The build's name cannot be part of a file's name.
    pub fn of_build(id: FirmwareId, build: &str) -> Result<Self, NoName> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-+._".contains(&byte);
        let begins_well = build.starts_with(|first: char| first.is_ascii_alphanumeric());
        if !begins_well || build.len() > LONGEST || !build.bytes().all(allowed) {
            return Err(NoName::Build(build.to_owned()));
        }
        Ok(Self {
            id,
            build: Some(build.to_owned()),
        })
    }
}

impl FirmwareName {
    /// Whether what is named is a set of keys for Secure Boot: its name has no dot, and every version has one.
    #[must_use]
    pub fn is_set_of_keys(&self) -> bool {
        let build = self.build.as_deref();
        self.id == FirmwareId::OvmfSecureBoot && build.is_some_and(|name| !name.contains('.'))
    }

    /// What orders builds: the firmware, the numbers in the build's name, then that name; the host's default first.
    #[must_use]
    pub fn order(&self) -> (FirmwareId, Vec<u64>, String) {
        let build = self.build.clone().unwrap_or_default();
        let numbers = build.split(|c: char| !c.is_ascii_digit());
        let numbers = numbers.filter_map(|number| number.parse().ok()).collect();
        (self.id, numbers, build)
    }
}

impl From<FirmwareId> for FirmwareName {
    fn from(id: FirmwareId) -> Self {
        Self { id, build: None }
    }
}

impl fmt::Display for FirmwareName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.build {
            None => f.pad(self.id.as_str()),
            Some(build) => f.pad(&format!("{}@{build}", self.id)),
        }
    }
}

impl FromStr for FirmwareName {
    type Err = NoName;

    fn from_str(text: &str) -> Result<Self, NoName> {
        match text.split_once('@') {
            None => Ok(text.parse::<FirmwareId>()?.into()),
            Some((id, build)) => Self::of_build(id.parse()?, build),
        }
    }
}

impl From<FirmwareName> for String {
    fn from(name: FirmwareName) -> Self {
        name.to_string()
    }
}

impl TryFrom<String> for FirmwareName {
    type Error = NoName;

    fn try_from(text: String) -> Result<Self, NoName> {
        text.parse()
    }
}

/// A version as builds are named by it: `1.16.2` of `1.16.2-debian-1.16.2-1` and of `rel-1.16.2-0-gea1b7a073390`, `2022.11` of
/// `2022.11-6+deb12u2`. What has no number is its own name.
pub(super) fn short(version: &str) -> String {
    let Some(numbered) = version
        .find(|c: char| c.is_ascii_digit())
        .and_then(|at| version.get(at..))
    else {
        return version.to_owned();
    };
    let end = numbered.find(|c: char| !(c.is_ascii_digit() || c == '.'));
    let short = end.and_then(|end| numbered.get(..end)).unwrap_or(numbered);
    short.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_an_id_and_perhaps_a_build() {
        for text in ["seabios", "ovmf@2025.02", "ovmf-ia32@my-build_1+x"] {
            let name: FirmwareName = text.parse().unwrap();
            assert_eq!(name.to_string(), text);
            assert_eq!(serde_json::to_value(&name).unwrap(), text);
        }
        for text in [
            "",
            "bochs",
            "bochs@1",
            "ovmf@",
            "ovmf@../x",
            "ovmf@.x",
            "ovmf@a/b",
            "ovmf@a@b",
            "ovmf@ü",
        ] {
            assert!(text.parse::<FirmwareName>().is_err(), "{text}");
        }
    }

    #[test]
    fn builds_are_named_by_their_versions_and_ordered_by_number() {
        for (version, name) in [
            ("1.16.2-debian-1.16.2-1", "1.16.2"),
            ("rel-1.16.2-0-gea1b7a073390-prebuilt.qemu.org", "1.16.2"),
            ("2022.11-6+deb12u2", "2022.11"),
            ("2025.02", "2025.02"),
            ("unknown", "unknown"),
        ] {
            assert_eq!(short(version), name);
        }
        let order = |name: &str| name.parse::<FirmwareName>().unwrap().order();
        for (one, other) in [
            ("seabios@1.9.3", "seabios@1.16.2"),
            ("seabios@1.16.2", "seabios@1.16.2-own"),
            ("seabios", "seabios@1.16.2"),
            ("seabios@1.17.0", "ovmf@2020.11"),
            ("ovmf@2020.11", "ovmf@2022.11"),
        ] {
            assert!(order(one) < order(other));
        }
    }
}
