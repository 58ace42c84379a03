//! The files of a firmware.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

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
