//! The differences between emulators, as two traits: [`Emulator`], and [`Monitor`] for one that runs.
//!
//! The parts of the seam:
//!
//! - Location: [`Emulator::locate`] finds the program and returns an [`Installed`]: its path, version, digests and folders.
//! - Arguments: a [`MachineSpec`] describes the machine without the terms of any emulator. [`Emulator::arguments`] is a pure function of it.
//! - Start: [`Machine`](crate::machine::Machine) owns the process, its rights, its clock and its sockets, and is the same for every emulator. The emulator inherits
//!   files and sockets by number (`machine::spec::descriptor`). The guest writes only to files in the machine's folder ([`Emulator::prepare`]).
//! - Control: a [`Monitor`] turns a [`Wish`] into commands and bytes into a [`Report`], and keeps the answers. It owns no socket and never waits.
//! - Reads: the emulator logs each read of the disc to a file in that folder; [`Emulator::read`] parses a line of it.
//!
//! Outside the seam, the code still expects these of QEMU, and another emulator must provide them in the same form: the text of registers (`arch`), the names
//! of keys (`dialogue`), firmware descriptors and ROMs (`firmware`), the file of fw_cfg that wakes a checkpoint (`images::checkpoint`), and some limits
//! (`machine/isolation.rs`). Users see the name QEMU in `--qemu`, `--cpu`, `tools.qemu` of the results, and messages.

use std::{
    ffi::OsString,
    fmt,
    fs::File,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use images::{change::Edits, inspect::Source};
use serde_json::Value;

use super::installed::{EmulatorError, Installed};
use crate::{
    accelerator::Accelerator,
    arch::Architecture,
    attachment::Attachment,
    machine::spec::{Channels, MachineSpec},
    observation::DiscRead,
};

/// An emulator.
pub(crate) trait Emulator: Sync {
    /// Finds the program and reads its version.
    fn locate(&self, wanted: Wanted<'_>) -> Result<Installed, EmulatorError>;

    /// Its program and processors for an architecture.
    fn guest(&self, architecture: Architecture) -> Guest;

    /// The kind of window that it can open.
    ///
    /// # Errors
    /// It can open none. The error names the package to install.
    fn window(&self, installed: &Installed) -> Result<&'static str, String>;

    /// The paths where the ROM of a VGA card may be. The ROM contains the font.
    fn vga_roms(&self) -> Vec<PathBuf>;

    /// The reason why a machine with this attachment cannot start from a checkpoint; `None` if it can.
    fn why_cold(&self, attachment: Attachment) -> Option<&'static str>;

    /// The arguments of a machine. Pure: the same machine with the same channels has the same arguments.
    fn arguments(&self, spec: &MachineSpec, channels: Channels<'_>) -> Vec<OsString>;

    /// A shell script that boots a case again without this project.
    fn replay_script(&self, spec: &MachineSpec) -> Vec<u8>;

    /// The arguments of a machine with a BIOS and nothing to boot. It ends by itself; its debug port is on standard output.
    fn bare_arguments(&self, bios: &Path, accelerator: Accelerator) -> Vec<OsString>;

    /// Creates the files in a machine's folder that the guest may write to.
    fn prepare(&self, spec: &MachineSpec, folder: &Path) -> io::Result<()>;

    /// Writes the changes of a disc to an empty file, as an overlay that a machine reads on top of the disc.
    fn overlay(&self, file: &File, disc: &dyn Source, edits: &Edits) -> io::Result<()>;

    /// A monitor for a machine that has just started.
    fn monitor(&self) -> Box<dyn Monitor>;

    /// The read that a line of the log reports for this attachment.
    fn read(&self, line: &str, attachment: Attachment) -> Option<DiscRead>;

    /// Whether a line of the log shows that reads are logged.
    fn proves_log(&self, line: &str) -> bool;
}

impl fmt::Debug for dyn Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Emulator")
    }
}

/// The program to locate.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted<'a> {
    /// This program, or the one for x86 in `$PATH`. A name without a `/` is looked up in `$PATH`, as a shell does.
    Named(Option<&'a Path>),
    /// The program for an architecture, in the same folder as another program, or in `$PATH`.
    Beside(&'a Path, Architecture),
}

/// An emulator's program and processors for an architecture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guest {
    /// The program.
    pub(crate) program: &'static str,
    /// The Debian package with the program.
    pub(crate) package: &'static str,
    /// The processor of a machine for a probe.
    pub(crate) processor: &'static str,
    /// The processor of a machine for any system.
    pub(crate) strangers_processor: &'static str,
}

/// The protocol of a running machine's monitor: the state of one connection. The caller sends and receives the bytes.
pub(crate) trait Monitor: fmt::Debug {
    /// The commands that fulfil a wish, in order. The answer to the last one is the answer to the wish.
    fn commands(&self, wish: Wish<'_>) -> Vec<Command>;

    /// The bytes that request a command, and the id of its answer.
    fn request(&mut self, command: &str, arguments: &Value) -> (u64, Vec<u8>);

    /// Processes bytes from the monitor, and returns the reports in them.
    fn hear(&mut self, bytes: &[u8]) -> Vec<Report>;

    /// The answer to a request, once it has arrived: a value, or the emulator's error message.
    fn answer(&mut self, id: u64) -> Option<Result<Value, String>>;

    /// The text in an answer; empty if it has none.
    fn words<'a>(&self, answer: &'a Value) -> &'a str;
}

/// A request to a running machine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wish<'a> {
    /// Open the connection. This comes first.
    Attention,
    /// Print the processor's registers.
    Registers,
    /// Write a range of the guest's memory, by physical address, to a file of this name in the machine's folder.
    Memory {
        address: u64,
        bytes: u64,
        file: &'a str,
    },
    /// Write the screen as a PPM image to a file of this name in the machine's folder.
    Screen { file: &'a str },
    /// Press these keys together for this time. The answer comes before they are released.
    Keys {
        names: &'a [&'static str],
        hold: Duration,
    },
    /// Insert the medium.
    Insert(Attachment),
    /// Remove the medium.
    Remove(Attachment),
    /// Save the machine's state, without its memory, to a file, and stop the guest. [`Report::Transferred`] reports the end.
    Save,
    /// Load the state from a file, and continue the guest.
    Load,
    /// Print the error of the last transfer.
    Complaint,
}

/// A command of a monitor.
#[derive(Debug)]
pub(crate) struct Command {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its arguments.
    pub(crate) arguments: Value,
    /// Whether the open file with the machine's state is sent with it.
    pub(crate) takes_file: bool,
}

impl Command {
    /// A command with arguments alone.
    pub(crate) const fn new(name: &'static str, arguments: Value) -> Self {
        Self {
            name,
            arguments,
            takes_file: false,
        }
    }
}

/// An event that a monitor reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// The guest stopped.
    Stopped(Stop),
    /// The transfer of the machine's state ended; whether it succeeded.
    Transferred(bool),
}

/// The reason why a guest stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The machine was reset.
    Reset,
    /// It was switched off.
    Off,
    /// Its system reported a panic.
    Panicked,
    /// An external cause, by the emulator's name for it.
    Outside(String),
}
