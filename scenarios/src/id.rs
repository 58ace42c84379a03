//! The names of discs and cells.

use std::{fmt, path::PathBuf, str::FromStr};

use harness::{firmware::FirmwareId, medium_profile::MediumProfile};
use serde::{Deserialize, Serialize};

/// Parts of a [`CellId`].
const CELL_PARTS: usize = 7;
/// Parts of a [`DiscId`].
const DISC_PARTS: usize = 5;
/// The placeholder for a part without a meaning.
pub const ABSENT: &str = "-";
/// The separator of a master and an editor in ids, as in `xorriso+replay`.
pub const EDITED: char = '+';
/// The longest part, in bytes: a file name on every file system that matters may have 255.
const LONGEST_PART: usize = 200;

/// `<scenario>/<medium>/<boot>/<size>/<master>`: the name of one disc.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DiscId(String);

/// `<scenario>/<medium>/<boot>/<size>/<master>/<firmware>/<attachment>`: the name of one disc on one
/// firmware with one attachment. It is the test's name, and as a path the folder of its evidence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CellId(String);

/// A text that is not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The wrong number of parts.
    #[error("{id:?} has {found} parts where an id has {expected}: {shape}")]
    Parts {
        /// The text.
        id: String,
        /// How many parts it has.
        found: usize,
        /// How many it must have.
        expected: usize,
        /// Their names.
        shape: &'static str,
    },
    /// A part that cannot be a file name everywhere.
    #[error(
        "{0:?} cannot be part of an id: use letters, digits and - + . _ , = @, not beginning with a dot, at most {LONGEST_PART}"
    )]
    Part(String),
}

/// The master and the editor that a part of an id names.
#[must_use]
pub fn base_and_edit(master: &str) -> (&str, Option<&str>) {
    match master.rsplit_once(EDITED) {
        Some((base, edit)) => (base, Some(edit)),
        None => (master, None),
    }
}

/// Whether a text can be a part of an id, and a file name.
///
/// # Errors
/// It cannot.
pub fn check_part(part: &str) -> Result<(), IdError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-+._,=@".contains(&byte);
    let sound = !part.is_empty()
        && part.len() <= LONGEST_PART
        && !part.starts_with('.')
        && part.bytes().all(allowed);
    sound
        .then_some(())
        .ok_or_else(|| IdError::Part(part.to_owned()))
}

fn check_parts(id: &str, expected: usize, shape: &'static str) -> Result<(), IdError> {
    let found = id.split('/').count();
    if found != expected {
        return Err(IdError::Parts {
            id: id.to_owned(),
            found,
            expected,
            shape,
        });
    }
    id.split('/').try_for_each(check_part)
}

/// One part; empty when there is none, which the constructors rule out.
fn part(id: &str, index: usize) -> &str {
    id.split('/').nth(index).unwrap_or_default()
}

impl DiscId {
    /// The disc that an editor makes from this one.
    ///
    /// # Errors
    /// The editor's name cannot be part of an id.
    pub fn edited_by(&self, editor: &str) -> Result<Self, IdError> {
        let master = format!("{}{EDITED}{editor}", self.master());
        Self::new([
            self.scenario(),
            self.medium(),
            self.boot(),
            self.size(),
            &master,
        ])
    }

    /// The disc before an edit.
    ///
    /// # Errors
    /// No known one: the rest of an id is an id.
    pub fn before_edit(&self) -> Result<Self, IdError> {
        let (master, _) = base_and_edit(self.master());
        Self::new([
            self.scenario(),
            self.medium(),
            self.boot(),
            self.size(),
            master,
        ])
    }

    /// The disc with these parts.
    ///
    /// # Errors
    /// A part cannot be part of an id.
    pub fn new(parts: [&str; DISC_PARTS]) -> Result<Self, IdError> {
        parts.join("/").parse()
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the scenario.
    #[must_use]
    pub fn scenario(&self) -> &str {
        part(&self.0, 0)
    }

    /// The medium, or `-`.
    #[must_use]
    pub fn medium(&self) -> &str {
        part(&self.0, 1)
    }

    /// The boot part: mode and deviations, or a real medium's name.
    #[must_use]
    pub fn boot(&self) -> &str {
        part(&self.0, 2)
    }

    /// The size, or `-`.
    #[must_use]
    pub fn size(&self) -> &str {
        part(&self.0, 3)
    }

    /// The mastering tool, or `-`.
    #[must_use]
    pub fn master(&self) -> &str {
        part(&self.0, 4)
    }

    /// The disc's folder, relative.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.0.split('/').collect()
    }
}

impl CellId {
    /// The cell of a disc on a firmware with an attachment.
    ///
    /// # Errors
    /// A part cannot be part of an id.
    pub fn new(disc: &DiscId, firmware: &str, attachment: &str) -> Result<Self, IdError> {
        format!("{disc}/{firmware}/{attachment}").parse()
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The disc: the first five parts.
    #[must_use]
    pub fn disc(&self) -> DiscId {
        let end = self
            .0
            .match_indices('/')
            .nth(DISC_PARTS - 1)
            .map_or(self.0.len(), |(at, _)| at);
        DiscId(self.0[..end].to_owned())
    }

    /// The name of the scenario.
    #[must_use]
    pub fn scenario(&self) -> &str {
        part(&self.0, 0)
    }

    /// The firmware, with `@version` if one was chosen.
    #[must_use]
    pub fn firmware(&self) -> &str {
        part(&self.0, 5)
    }

    /// The firmware, whichever version was chosen.
    #[must_use]
    pub fn firmware_family(&self) -> &str {
        self.firmware().split('@').next().unwrap_or_default()
    }

    /// The version that was chosen; nothing for the host's default.
    #[must_use]
    pub fn firmware_build(&self) -> Option<&str> {
        let (_, build) = self.firmware().split_once('@')?;
        self.keys().is_none().then_some(build)
    }

    /// The machine's set of keys; nothing for the firmware's own. Its name has no dot, and every version has one.
    #[must_use]
    pub fn keys(&self) -> Option<&str> {
        let (family, name) = self.firmware().split_once('@')?;
        (family == FirmwareId::OvmfSecureBoot.as_str() && !name.contains('.')).then_some(name)
    }

    /// The same cell on a chosen build of its firmware; with nothing, on the host's default.
    ///
    /// # Errors
    /// The build cannot be part of an id.
    pub fn on_build(&self, build: Option<&str>) -> Result<Self, IdError> {
        let family = self.firmware_family();
        let firmware = match build {
            None => family.to_owned(),
            Some(build) => format!("{family}@{build}"),
        };
        Self::new(&self.disc(), &firmware, self.attachment())
    }

    /// The attachment, with the medium profile after a `+` if there is one.
    #[must_use]
    pub fn attachment(&self) -> &str {
        part(&self.0, 6)
    }

    /// Only the attachment.
    #[must_use]
    pub fn attachment_kind(&self) -> &str {
        self.attachment().split('+').next().unwrap_or_default()
    }

    /// The medium profile, if the id has one.
    #[must_use]
    pub fn medium_profile(&self) -> Option<MediumProfile> {
        let (_, profile) = self.attachment().split_once('+')?;
        profile.parse().ok()
    }

    /// The cell's folder, relative.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.0.split('/').collect()
    }

    /// The snapshot's file, relative. It never contains a firmware's version, and always a set of keys.
    #[must_use]
    pub fn snapshot_path(&self) -> PathBuf {
        let mut path = self.disc().path();
        path.push(match self.keys() {
            Some(_) => self.firmware(),
            None => self.firmware_family(),
        });
        path.push(format!("{}.snap", self.attachment()));
        path
    }
}

macro_rules! text {
    ($name:ident, $parts:expr, $shape:literal) => {
        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                check_parts(text, $parts, $shape)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                check_parts(&text, $parts, $shape)?;
                Ok(Self(text))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

text!(
    DiscId,
    DISC_PARTS,
    "<scenario>/<medium>/<boot>/<size>/<master>"
);
text!(
    CellId,
    CELL_PARTS,
    "<scenario>/<medium>/<boot>/<size>/<master>/<firmware>/<attachment>"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_parts() {
        let id: CellId =
            "hdd/cd-74/hard-disk,cylinders=255/quarter-1s/reference/ovmf@2025.02/usb-cd"
                .parse()
                .unwrap();
        let disc = id.disc();
        assert_eq!(
            disc.to_string(),
            "hdd/cd-74/hard-disk,cylinders=255/quarter-1s/reference"
        );
        assert_eq!(
            [
                disc.scenario(),
                disc.medium(),
                disc.boot(),
                disc.size(),
                disc.master()
            ],
            [
                "hdd",
                "cd-74",
                "hard-disk,cylinders=255",
                "quarter-1s",
                "reference"
            ]
        );
        assert_eq!([id.firmware(), id.attachment()], ["ovmf@2025.02", "usb-cd"]);
        assert_eq!(
            id.snapshot_path().to_str(),
            Some("hdd/cd-74/hard-disk,cylinders=255/quarter-1s/reference/ovmf/usb-cd.snap")
        );
        assert_eq!(id.firmware_build(), Some("2025.02"));
        assert_eq!(id.keys(), None);
        let keyed: CellId = "sb/-/signed/-/-/ovmf-secure-boot@own/ahci".parse().unwrap();
        assert_eq!((keyed.keys(), keyed.firmware_build()), (Some("own"), None));
        assert_eq!(
            keyed.snapshot_path().to_str(),
            Some("sb/-/signed/-/-/ovmf-secure-boot@own/ahci.snap")
        );
        let default = id.on_build(None).unwrap();
        assert_eq!(
            (default.firmware(), default.firmware_build()),
            ("ovmf", None)
        );
        assert_eq!(default.on_build(Some("2025.02")).as_ref(), Ok(&id));
        assert!(default.on_build(Some("../x")).is_err());
        assert_eq!(CellId::new(&disc, "ovmf@2025.02", "usb-cd"), Ok(id));
    }

    #[test]
    fn what_cannot_be_a_path_is_no_id() {
        for text in [
            "",
            "a/b/c/d/e/f",
            "a/b/c/d/e/f/g/h",
            "a/b/c/d/e/f/",
            "a/../c/d/e/f/g",
            "a/b c/c/d/e/f/g",
            "a/b/c\0/d/e/f/g",
            "a/b/ü/d/e/f/g",
            "a/.hidden/c/d/e/f/g",
            "a\\b/c/d/e/f/g/h",
        ] {
            assert!(text.parse::<CellId>().is_err(), "{text:?}");
        }
        assert!(
            format!("{}/b/c/d/e/f/g", "a".repeat(201))
                .parse::<CellId>()
                .is_err()
        );
    }
}
