//! A machine without its disc.

use std::{path::Path, time::Duration};

use crate::{
    accelerator::{Accelerator, Pace},
    arch::Architecture,
    attachment::Attachment,
    emulator::{EmulatorError, EmulatorId, Installed, seam::Guest},
    firmware::{self, Firmware, FirmwareError, FirmwareId, FirmwareImage, NoMachine},
    layout::BootLayout,
    machine::spec::{HostDisc, MachineSpec, Network, Origin},
    medium_profile::{Medium, MediumProfile},
};

/// A machine without its disc: all that decides what happens before the firmware looks at one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// The emulator.
    pub emulator: Installed,
    /// The firmware.
    pub firmware: Firmware,
    /// What runs the guest's instructions.
    pub accelerator: Accelerator,
    /// How a disc hangs on the machine.
    pub attachment: Attachment,
    /// The medium profile: a fault of the medium itself; `None`: nothing.
    pub medium_profile: Option<MediumProfile>,
    /// The guest's memory; `None`: enough for the firmware and a probe.
    pub memory_mib: Option<u32>,
    /// The guest's processor, by the emulator's name for it; `None`: the architecture's default.
    pub cpu: Option<String>,
    /// What network the guest has.
    pub network: Network,
    /// How slow this host is with it: deadlines are as much longer.
    pub pace: Pace,
}

/// What real systems ask for. Pages that nobody touches cost the host nothing.
const STRANGERS_MEMORY_MIB: u32 = 1024;

/// More processor time than any machine needs that nobody gave a deadline.
pub(crate) const PROCESSOR_TIME: Duration = Duration::from_secs(3600);

/// The host has no such machine. The message ends with what to install.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// There is no usable emulator.
    #[error(transparent)]
    Emulator(#[from] EmulatorError),
    /// The firmware is not there.
    #[error(transparent)]
    Firmware(#[from] FirmwareError),
}

/// A machine that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// A path of the host has no absolute form.
    #[error("path {path} has no absolute form: {source}")]
    Path {
        /// The path.
        path: String,
        /// The host's words.
        source: std::io::Error,
    },
    /// The firmware does not run on the board that the attachment needs.
    #[error(transparent)]
    NoMachine(#[from] NoMachine),
}

impl Platform {
    /// A machine of these parts, with as much memory as a probe needs and the default processor, on a host of normal pace.
    #[must_use]
    pub const fn new(
        emulator: Installed,
        firmware: Firmware,
        accelerator: Accelerator,
        attachment: Attachment,
    ) -> Self {
        Self {
            emulator,
            firmware,
            accelerator,
            attachment,
            medium_profile: None,
            memory_mib: None,
            cpu: None,
            network: Network::None,
            pace: Pace::NORMAL,
        }
    }

    /// A machine of what is installed on this host: the QEMU in `$PATH`, its build of a firmware, and emulation, which runs
    /// anywhere.
    ///
    /// # Errors
    /// QEMU or the firmware is not there.
    pub fn of_host(firmware: FirmwareId, attachment: Attachment) -> Result<Self, HostError> {
        let emulator = EmulatorId::Qemu.locate(None)?;
        let found = firmware::discover(&emulator);
        let firmware = firmware::select(&found, firmware)?.clone();
        let emulator = match firmware.id.architecture() {
            Architecture::X86 => emulator,
            other => emulator.locate_for(other)?,
        };
        Ok(Self::new(emulator, firmware, Accelerator::Tcg, attachment))
    }

    /// The machine with a disc of this layout, its host paths made absolute: the emulator runs in a folder of its own, and uses the processor for so long at most.
    pub(crate) fn machine(
        &self,
        disc: HostDisc,
        layout: &BootLayout,
        origin: Origin,
        processor_time: Duration,
    ) -> Result<MachineSpec, PlatformError> {
        let absolute = |path: &Path| {
            std::path::absolute(path).map_err(|source| PlatformError::Path {
                path: path.display().to_string(),
                source,
            })
        };
        let firmware = match &self.firmware.image {
            FirmwareImage::Bios(rom) => FirmwareImage::Bios(absolute(rom)?),
            FirmwareImage::Flash {
                code,
                variables,
                needs_smm,
            } => FirmwareImage::Flash {
                code: absolute(code)?,
                variables: variables.as_deref().map(absolute).transpose()?,
                needs_smm: *needs_smm,
            },
        };
        let board = self.firmware.board(self.attachment)?;
        // A program named without a slash is looked up in $PATH.
        let program = if self.emulator.path.components().count() > 1 {
            absolute(&self.emulator.path)?
        } else {
            self.emulator.path.clone()
        };
        Ok(MachineSpec {
            emulator: self.emulator.id,
            program,
            accelerator: self.accelerator,
            memory_mib: self.memory(),
            cpu: self
                .cpu
                .clone()
                .unwrap_or_else(|| self.guest().processor.to_owned()),
            network: self.network,
            firmware,
            disc,
            io_uring: self.emulator.io_uring,
            board,
            attachment: self.attachment,
            medium: Medium::of(self.medium_profile, layout),
            origin,
            processor_time,
            pace: self.pace,
        })
    }

    /// The memory that its guest has, in MiB.
    #[must_use]
    pub fn memory(&self) -> u32 {
        self.memory_mib
            .unwrap_or_else(|| self.firmware.id.family().memory_mib())
    }

    /// The same machine for a disc that is not ours: with the memory that installers ask for, and the newest processor that is emulated.
    #[must_use]
    pub fn for_strangers(self) -> Self {
        Self {
            memory_mib: self.memory_mib.or(Some(STRANGERS_MEMORY_MIB)),
            cpu: Some(
                self.cpu
                    .clone()
                    .unwrap_or_else(|| self.guest().strangers_processor.to_owned()),
            ),
            ..self
        }
    }

    /// Why a machine of this kind cannot start from a checkpoint; nothing when it can.
    #[must_use]
    pub fn why_cold(&self) -> Option<&'static str> {
        if self.medium_profile.is_some() {
            return Some("what is the matter with the medium may show before a checkpoint");
        }
        let emulator = self.emulator.id.emulator();
        let of_emulator = emulator.why_cold(self.attachment);
        of_emulator
            .or_else(|| self.attachment.wiring().drive.why_cold())
            .or_else(|| self.firmware.id.family().why_cold(self.attachment))
    }

    /// Whether a single read of the disc may take seconds on a busy host.
    pub(crate) fn reads_slowly(&self) -> bool {
        let by_medium = matches!(
            self.medium_profile,
            Some(MediumProfile::Slow(_) | MediumProfile::BadBlock(_))
        );
        by_medium || self.attachment.wiring().is_slow
    }

    /// What the emulator calls what its guest runs on.
    fn guest(&self) -> Guest {
        let architecture = self.firmware.id.architecture();
        self.emulator.id.emulator().guest(architecture)
    }
}
