//! The list of emulators, and the calls that go to the emulator of a machine. No file of an emulator uses this one.

use std::{
    ffi::OsString,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use super::{
    installed::{EmulatorError, EmulatorId, Installed},
    qemu::Qemu,
    seam::{Emulator, Wanted},
    shell::quote,
};
use crate::{
    arch::Architecture,
    machine::spec::{Channels, MachineSpec},
};

impl EmulatorId {
    /// Its implementation.
    pub(crate) const fn emulator(self) -> &'static dyn Emulator {
        match self {
            Self::Qemu => &Qemu,
        }
    }

    /// Finds it at `explicit`, or in `$PATH`, and reads its version.
    ///
    /// An `explicit` name without a `/` is looked up in `$PATH`, as a shell does.
    ///
    /// # Errors
    /// No usable program is there.
    pub fn locate(self, explicit: Option<&Path>) -> Result<Installed, EmulatorError> {
        self.emulator().locate(Wanted::Named(explicit))
    }

    /// Its program for an architecture.
    #[must_use]
    pub fn program(self, architecture: Architecture) -> &'static str {
        self.emulator().guest(architecture).program
    }

    /// The Debian package with the program.
    #[must_use]
    pub fn package(self, architecture: Architecture) -> &'static str {
        self.emulator().guest(architecture).package
    }
}

impl Installed {
    /// The program for another architecture, in the same folder as this one, or in `$PATH`.
    ///
    /// # Errors
    /// No usable program is there.
    pub fn locate_for(&self, architecture: Architecture) -> Result<Self, EmulatorError> {
        let wanted = Wanted::Beside(&self.path, architecture);
        self.id.emulator().locate(wanted)
    }

    /// The kind of window that it can open.
    ///
    /// # Errors
    /// It can open none. The error names the package to install.
    pub(crate) fn window(&self) -> Result<&'static str, String> {
        self.id.emulator().window(self)
    }
}

impl MachineSpec {
    /// The emulator's arguments. Pure: the same machine with the same channels has the same arguments.
    #[must_use]
    pub fn argv(&self, channels: Channels<'_>) -> Vec<OsString> {
        self.emulator.emulator().arguments(self, channels)
    }

    /// The whole command as a person would type it, for messages.
    #[must_use]
    pub fn command(&self) -> String {
        let words = std::iter::once(self.program.clone().into_os_string())
            .chain(self.argv(Channels::Terminal));
        let quoted: Vec<String> = words
            .map(|word| String::from_utf8_lossy(&quote(word.as_bytes())).into_owned())
            .collect();
        quoted.join(" ")
    }

    /// A shell script that boots the case again, without this project.
    #[must_use]
    pub fn replay_script(&self) -> Vec<u8> {
        self.emulator.emulator().replay_script(self)
    }
}

/// The paths where each emulator may have the ROM of a VGA card.
pub(crate) fn vga_roms() -> impl Iterator<Item = PathBuf> {
    let roms = |id: &EmulatorId| id.emulator().vga_roms();
    EmulatorId::ALL.iter().flat_map(roms)
}
