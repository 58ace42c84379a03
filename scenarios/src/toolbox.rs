//! The tools that cells are booted with.

use std::{collections::BTreeMap, path::Path};

use harness::{
    accelerator::Accelerator,
    arch::Architecture,
    emulator::{EmulatorError, EmulatorId, Installed},
    firmware::{self, Firmware, FirmwareError, FirmwareId, NoMachine},
    master::FoundTool,
    medium_profile::MediumProfile,
    platform::Platform,
    race::{self, Choice},
};
use serde::{Deserialize, Serialize};

use crate::{cell::Cell, disc::editor_key, id::base_and_edit, master::Masters};

/// The tools that cells are booted with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Toolbox {
    /// The emulator.
    pub qemu: Installed,
    /// The installed emulators for other architectures that some cells need.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<Architecture, Installed>,
    /// Every firmware that it can run: the host's own, and the chosen builds.
    pub firmware: Vec<Firmware>,
    /// The accelerator, which runs the guests' instructions.
    pub accelerator: Choice,
    /// By name, an editor's with a `+` before it: the mastering tools that were looked for, or why one is missing.
    pub masters: BTreeMap<String, Result<FoundTool, String>>,
}

/// There is no machine for a cell; the cell is skipped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPlatform {
    /// Its firmware is missing.
    #[error(transparent)]
    Firmware(#[from] FirmwareError),
    /// There is no emulator for its firmware.
    #[error("there is no {}; install the package {} (Debian, Ubuntu)", EmulatorId::Qemu.program(*.0), EmulatorId::Qemu.package(*.0))]
    Emulator(Architecture),
    /// Its firmware does not run on the machine of its attachment.
    #[error(transparent)]
    Machine(#[from] NoMachine),
}

/// The choice of the accelerator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceleratorWish {
    /// This one.
    Given(Accelerator),
    /// Whichever is faster on this host.
    Fastest,
}

impl Toolbox {
    /// Looks for the tools on this host. Measurements are kept in a folder.
    ///
    /// # Errors
    /// There is no usable QEMU. Missing firmware is not an error.
    pub fn find(
        qemu: Option<&Path>,
        wish: AcceleratorWish,
        cache: &Path,
    ) -> Result<Self, EmulatorError> {
        let qemu = EmulatorId::Qemu.locate(qemu)?;
        let firmware = firmware::discover(&qemu);
        let accelerator = match (wish, firmware::select(&firmware, FirmwareId::Seabios)) {
            (AcceleratorWish::Given(accelerator), Ok(seabios)) => {
                race::calibrate(accelerator, &qemu, seabios, cache)
            }
            (AcceleratorWish::Fastest, Ok(seabios)) => race::measure(&qemu, seabios, cache),
            // Nothing to measure with.
            (AcceleratorWish::Given(accelerator), Err(_)) => Choice::asked_for(accelerator),
            (AcceleratorWish::Fastest, Err(_)) => Choice::asked_for(Accelerator::Tcg),
        };
        Ok(Self {
            qemu,
            others: BTreeMap::new(),
            firmware,
            accelerator,
            masters: BTreeMap::new(),
        })
    }

    /// Looks for the other emulators that these cells need.
    pub fn find_emulators(&mut self, cells: &[Cell]) {
        for architecture in cells.iter().map(|cell| cell.firmware.architecture()) {
            if architecture != Architecture::X86
                && !self.others.contains_key(&architecture)
                && let Ok(qemu) = self.qemu.locate_for(architecture)
            {
                self.others.insert(architecture, qemu);
            }
        }
    }

    /// The emulator for an architecture, if it was looked for and exists.
    #[must_use]
    pub fn emulator(&self, architecture: Architecture) -> Option<&Installed> {
        match architecture {
            Architecture::X86 => Some(&self.qemu),
            other => self.others.get(&other),
        }
    }

    /// Looks for the tools that master these cells' discs.
    pub fn find_masters(&mut self, cells: &[Cell], masters: &Masters) {
        for cell in cells {
            let disc = cell.id.disc();
            let (name, edit) = base_and_edit(disc.master());
            if let Some(tool) = masters.tool(name) {
                let found = self.masters.entry(name.to_owned());
                found.or_insert_with(|| tool.find());
            }
            if let Some((edit, editor)) = edit.and_then(|edit| Some((edit, masters.editor(edit)?)))
            {
                let found = self.masters.entry(editor_key(edit));
                found.or_insert_with(|| editor.tool.find());
            }
        }
    }

    /// The machine of a cell, without its disc.
    ///
    /// # Errors
    /// The cell's firmware is missing, or does not run on the machine of its attachment.
    pub fn platform(&self, cell: &Cell) -> Result<Platform, NoPlatform> {
        // A cell with its own keys has the host's firmware until the keys are written into its store.
        let name = match cell.keys() {
            Some(_) => cell.firmware.into(),
            None => cell.firmware_name(),
        };
        let firmware = firmware::select(&self.firmware, name)?.clone();
        firmware.check(cell.attachment)?;
        if let Some(profile) = cell.medium_profile {
            let no_machine = |why| NoMachine {
                name: firmware.name(),
                attachment: cell.attachment,
                why,
            };
            profile.check(cell.attachment).map_err(no_machine)?;
            let board = firmware.board(cell.attachment)?;
            if board.idle_time_passes_at_once && matches!(profile, MediumProfile::Late(_)) {
                return Err(no_machine(
                    "no time passes on its machine while it waits, so that nothing can come late",
                )
                .into());
            }
        }
        let architecture = firmware.id.architecture();
        let qemu = match self.emulator(architecture) {
            Some(qemu) => qemu.clone(),
            // It may not have been looked for.
            None => self
                .qemu
                .locate_for(architecture)
                .map_err(|_| NoPlatform::Emulator(architecture))?,
        };
        let accelerator = match architecture {
            Architecture::X86 => self.accelerator.accelerator,
            // The host is a PC, which cannot virtualise other architectures.
            Architecture::Aarch64 => Accelerator::Tcg,
        };
        Ok(Platform {
            memory_mib: cell.memory_mib,
            medium_profile: cell.medium_profile,
            pace: self.accelerator.pace(),
            ..Platform::new(qemu, firmware, accelerator, cell.attachment)
        })
    }
}
