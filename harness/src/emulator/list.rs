//! The list of emulators, and what is asked of whichever one a machine is for. Nothing that an emulator is made of knows it.

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
    /// How it is found, told what machine is wanted, and spoken to.
    pub(crate) const fn emulator(self) -> &'static dyn Emulator {
        match self {
            Self::Qemu => &Qemu,
        }
    }

    /// Finds it at `explicit`, or in `$PATH`, and asks it who it is.
    ///
    /// An `explicit` name without a `/` is looked up in `$PATH`, as a shell does.
    ///
    /// # Errors
    /// There is none that can be used.
    pub fn locate(self, explicit: Option<&Path>) -> Result<Installed, EmulatorError> {
        self.emulator().locate(Wanted::Named(explicit))
    }

    /// Its program for an architecture.
    #[must_use]
    pub fn program(self, architecture: Architecture) -> &'static str {
        self.emulator().guest(architecture).program
    }

    /// The Debian package that brings the program.
    #[must_use]
    pub fn package(self, architecture: Architecture) -> &'static str {
        self.emulator().guest(architecture).package
    }
}

impl Installed {
    /// The one for another architecture that comes with this one: beside it, or in `$PATH`.
    ///
    /// # Errors
    /// There is none that can be used.
    pub fn locate_for(&self, architecture: Architecture) -> Result<Self, EmulatorError> {
        let wanted = Wanted::Beside(&self.path, architecture);
        self.id.emulator().locate(wanted)
    }

    /// The kind of window that it can open.
    ///
    /// # Errors
    /// None: what to install.
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

    /// The whole command, for a message: as a person would type it.
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

/// Where the ROM of a VGA card may be on this host, by each emulator.
pub(crate) fn vga_roms() -> impl Iterator<Item = PathBuf> {
    let roms = |id: &EmulatorId| id.emulator().vga_roms();
    EmulatorId::ALL.iter().flat_map(roms)
}
