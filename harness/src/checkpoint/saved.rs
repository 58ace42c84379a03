//! One checkpoint: the files in its folder, the machine that it is taken from, and why there is none.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use images::{
    boot::Loader,
    checkpoint::{application, option_rom},
    probe::AssembleError,
};

use crate::{
    firmware::FirmwareId,
    layout::BootLayout,
    machine::{
        CommandError,
        spec::{CheckpointFiles, HostDisc, MachineSpec, Origin},
    },
    platform::{PROCESSOR_TIME, Platform, PlatformError},
};

pub(super) const RECORD: &str = "checkpoint.json";

pub(super) const MEMORY: &str = "memory";

pub(super) const STATE: &str = "state";

pub(super) const PROGRAM: &str = "program";

pub(super) const SERIAL: &str = "serial.raw";

pub(super) const DEBUG: &str = "debug.txt";

/// A checkpoint that can be started from.
#[derive(Debug)]
pub struct Checkpoint {
    pub(super) folder: PathBuf,
}

/// Why there is no checkpoint. A machine can always start cold.
#[derive(Debug, thiserror::Error)]
pub enum NoCheckpoint {
    /// Machines of this kind have none.
    #[error("{0}")]
    Never(String),
    /// This one could not be made the last time; another run tries again.
    #[error("{0}")]
    NotNow(String),
    /// The host failed.
    #[error("the checkpoint cannot be made in {}: {source}", folder.display())]
    Host {
        /// Where.
        folder: PathBuf,
        /// The host's words.
        source: io::Error,
    },
    /// QEMU failed.
    #[error("the checkpoint cannot be made: {0}")]
    Qemu(#[from] CommandError),
    /// The machine cannot be.
    #[error(transparent)]
    Platform(#[from] PlatformError),
}

impl Checkpoint {
    /// What the machine's two sides of it share.
    pub(crate) fn origin(&self) -> Origin {
        Origin::Checkpoint(files(&self.folder))
    }

    /// The state without the memory.
    pub(crate) fn state(&self) -> io::Result<fs::File> {
        fs::File::open(self.folder.join(STATE))
    }

    /// What the machine had said on COM1 and on the debug port.
    pub(crate) fn said(&self) -> io::Result<(Vec<u8>, Vec<u8>)> {
        Ok((
            fs::read(self.folder.join(SERIAL))?,
            fs::read(self.folder.join(DEBUG))?,
        ))
    }
}

fn files(folder: &Path) -> CheckpointFiles {
    let name = |name: &str| folder.join(name);
    CheckpointFiles {
        program: name(PROGRAM),
        memory: name(MEMORY),
    }
}

/// The machine from which a platform's checkpoint is taken.
pub(super) fn source(
    platform: &Platform,
    folder: &Path,
    disc: &str,
) -> Result<MachineSpec, PlatformError> {
    platform.machine(
        HostDisc::at(disc.to_owned(), 0),
        &BootLayout::default(),
        Origin::ToCheckpoint(files(folder)),
        PROCESSOR_TIME,
    )
}

/// The program that stops a machine.
pub(super) fn program(firmware: FirmwareId) -> Result<Vec<u8>, AssembleError> {
    match firmware.loader().and_then(Loader::of_file) {
        None => option_rom(),
        Some(loader) => application(loader),
    }
}
