//! What cells are booted with.

use std::{collections::BTreeMap, path::Path};

use harness::{
    accelerator::{self, Accelerator, Choice},
    firmware::{self, Firmware, FirmwareError, FirmwareId, NoMachine},
    master::FoundTool,
    platform::Platform,
    qemu::{Qemu, QemuError},
};
use serde::{Deserialize, Serialize};

use crate::{cell::Cell, disc::editor_key, master::Masters, words::base_and_edit};

/// What cells are booted with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Toolbox {
    /// The emulator.
    pub qemu: Qemu,
    /// Every firmware that it can run: the host's own, and the builds that were chosen.
    pub firmware: Vec<Firmware>,
    /// What runs the guests' instructions.
    pub accelerator: Choice,
    /// By name, an editor's with a `+` before it: the mastering tools that were looked for, or why one is not there.
    pub masters: BTreeMap<String, Result<FoundTool, String>>,
}

/// There is no machine for a cell, which is skipped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPlatform {
    /// Its firmware is not there.
    #[error(transparent)]
    Firmware(#[from] FirmwareError),
    /// Its firmware does not run on the machine of its attachment.
    #[error(transparent)]
    Machine(#[from] NoMachine),
}

/// Who runs the guests' instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceleratorWish {
    /// This one.
    Given(Accelerator),
    /// Whichever is faster on this host.
    Fastest,
}

impl Toolbox {
    /// Looks for the tools on this host. What is measured is kept in a folder.
    ///
    /// # Errors
    /// There is no usable QEMU. A firmware that is not there is none.
    pub fn find(
        qemu: Option<&Path>,
        wish: AcceleratorWish,
        cache: &Path,
    ) -> Result<Self, QemuError> {
        let qemu = Qemu::locate(qemu)?;
        let firmware = firmware::discover(&qemu);
        let accelerator = match (wish, firmware::select(&firmware, FirmwareId::Seabios)) {
            (AcceleratorWish::Given(accelerator), Ok(seabios)) => {
                accelerator::calibrate(accelerator, &qemu, seabios, cache)
            }
            (AcceleratorWish::Fastest, Ok(seabios)) => accelerator::measure(&qemu, seabios, cache),
            // Nothing to measure with.
            (AcceleratorWish::Given(accelerator), Err(_)) => Choice::asked_for(accelerator),
            (AcceleratorWish::Fastest, Err(_)) => Choice::asked_for(Accelerator::Tcg),
        };
        Ok(Self {
            qemu,
            firmware,
            accelerator,
            masters: BTreeMap::new(),
        })
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
    /// The cell's firmware is not there, or does not run on the machine of its attachment.
    pub fn platform(&self, cell: &Cell) -> Result<Platform, NoPlatform> {
        // Whose keys stand beside the disc, has the host's firmware until these are written into its store.
        let name = match cell.keys() {
            Some(_) => cell.firmware.into(),
            None => cell.firmware_name(),
        };
        let firmware = firmware::select(&self.firmware, name)?.clone();
        firmware.check(cell.attachment)?;
        let Choice { accelerator, .. } = self.accelerator;
        Ok(Platform {
            memory_mib: cell.memory_mib,
            pace: self.accelerator.pace(),
            ..Platform::new(self.qemu.clone(), firmware, accelerator, cell.attachment)
        })
    }
}
