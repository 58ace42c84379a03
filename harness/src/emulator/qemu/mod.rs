//! QEMU. Each part has its own file.

mod arguments;
mod bare;
mod boards;
mod devices;
mod found;
mod guest;
mod medium;
mod monitor;
mod overlay;
pub(super) mod packaged;
pub(crate) mod qmp;
mod reads;
mod replay;
mod writable;

use std::{
    ffi::OsString,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use images::{change::Edits, inspect::Source};

use super::{
    installed::{EmulatorError, Installed},
    seam::{Emulator, Guest, Monitor, Wanted},
};
use crate::{
    accelerator::Accelerator,
    arch::Architecture,
    attachment::Attachment,
    machine::spec::{Channels, MachineSpec},
    observation::DiscRead,
};

/// QEMU, as machines need it.
pub(super) struct Qemu;

impl Emulator for Qemu {
    fn locate(&self, wanted: Wanted<'_>) -> Result<Installed, EmulatorError> {
        found::locate(wanted)
    }

    fn guest(&self, architecture: Architecture) -> Guest {
        guest::guest(architecture)
    }

    fn window(&self, installed: &Installed) -> Result<&'static str, String> {
        found::window(installed)
    }

    fn vga_roms(&self) -> Vec<PathBuf> {
        found::vga_roms()
    }

    fn why_cold(&self, attachment: Attachment) -> Option<&'static str> {
        devices::why_cold(attachment)
    }

    fn arguments(&self, spec: &MachineSpec, channels: Channels<'_>) -> Vec<OsString> {
        arguments::arguments(spec, channels)
    }

    fn replay_script(&self, spec: &MachineSpec) -> Vec<u8> {
        replay::script(spec)
    }

    fn bare_arguments(&self, bios: &Path, accelerator: Accelerator) -> Vec<OsString> {
        bare::arguments(bios, accelerator)
    }

    fn prepare(&self, spec: &MachineSpec, folder: &Path) -> io::Result<()> {
        writable::prepare(spec, folder)
    }

    fn overlay(&self, file: &File, disc: &dyn Source, edits: &Edits) -> io::Result<()> {
        overlay::write(file, disc, edits)
    }

    fn monitor(&self) -> Box<dyn Monitor> {
        Box::new(qmp::Qmp::default())
    }

    fn read(&self, line: &str, attachment: Attachment) -> Option<DiscRead> {
        reads::parse(line, attachment)
    }

    fn proves_log(&self, line: &str) -> bool {
        line.contains(reads::CANARY)
    }
}
