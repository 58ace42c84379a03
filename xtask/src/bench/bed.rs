//! What everything is measured with.

use std::{ffi::OsString, path::Path};

use anyhow::Context;
use harness::{
    accelerator::Accelerator,
    arch::Architecture,
    attachment::Attachment,
    checkpoint::Checkpoints,
    firmware::{self, FirmwareId},
    platform::Platform,
};
use scenarios::toolbox::{AcceleratorWish, Toolbox};

use cli::{options::AcceleratorChoice, place, signals::Signals, stop::Stop};

/// What everything is measured with.
pub(super) struct Bed {
    pub(super) toolbox: Toolbox,
    pub(super) checkpoints: Checkpoints,
    pub(super) folder: tempfile::TempDir,
    pub(super) runs: u32,
    pub(super) signals: &'static Signals,
}

impl Bed {
    pub(super) fn new(
        qemu: Option<&Path>,
        accelerator: AcceleratorChoice,
        runs: u32,
    ) -> anyhow::Result<Self> {
        // Before any thread is started.
        let signals = Signals::catch()?;
        let wish = AcceleratorWish::from(accelerator);
        let target = crate::repository::target();
        let toolbox = Toolbox::find(qemu, wish, &target)
            .map_err(|error| Stop::host(error.what(), "cargo xtask doctor"))?;
        let folder = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(target)
            .context("make a folder for the benchmark")?;
        Ok(Self {
            toolbox,
            checkpoints: Checkpoints::in_folder(place::checkpoints()?),
            folder,
            runs,
            signals,
        })
    }

    pub(super) fn accelerator(&self) -> Accelerator {
        self.toolbox.accelerator.accelerator
    }

    pub(super) fn platform(
        &self,
        firmware: FirmwareId,
        attachment: Attachment,
    ) -> Result<Platform, Stop> {
        let firmware = firmware::select(&self.toolbox.firmware, firmware)
            .map_err(|error| Stop::host(error.what(), "cargo xtask doctor"))?;
        let qemu = match firmware.id.architecture() {
            Architecture::X86 => self.toolbox.qemu.clone(),
            other => (self.toolbox.qemu.locate_for(other))
                .map_err(|error| Stop::host(error.to_string(), "cargo xtask doctor"))?,
        };
        Ok(Platform::new(
            qemu,
            firmware.clone(),
            self.accelerator(),
            attachment,
        ))
    }

    /// The options that give another of our commands the same emulator.
    pub(super) fn tooling(&self) -> [OsString; 4] {
        [
            "--qemu".into(),
            self.toolbox.qemu.path.clone().into(),
            "--accelerator".into(),
            self.accelerator().as_str().into(),
        ]
    }

    pub(super) fn unless_interrupted(&self) -> Result<(), Stop> {
        if self.signals.caught() {
            return Err(Stop::host("interrupted", "the same again"));
        }
        Ok(())
    }
}
