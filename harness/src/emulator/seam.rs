//! The differences between emulators, as two traits: [`Emulator`], and [`Monitor`] for one that runs.
//!
//! The seam:
//!
//! - Found: [`Emulator::locate`] turns a program into an [`Installed`]: its path, version, digests and folders.
//! - Told: a [`MachineSpec`] says which machine is wanted, in nobody's words. [`Emulator::arguments`] is a pure function of it.
//! - Started: [`Machine`](crate::machine::Machine) owns the process, its rights, its clock and its sockets, and is the same for every emulator. Files and sockets
//!   are inherited by number (`machine::spec::descriptor`). The guest writes only to files in the machine's folder ([`Emulator::prepare`]).
//! - Spoken to: a [`Monitor`] turns a [`Wish`] into commands and bytes into a [`Report`], and keeps the answers. It holds no socket and waits for nothing.
//! - Heard: the emulator logs each read of the disc to a file in that folder; [`Emulator::read`] understands a line of it.
//!
//! What is QEMU's on this side of the seam, and another emulator must provide in the same form: the text of registers (`arch`), the names of keys
//! (`dialogue`), firmware descriptors and ROMs (`firmware`), the file of fw_cfg that wakes a checkpoint (`images::checkpoint`), and a few limits
//! (`machine/isolation.rs`). What users see says QEMU: `--qemu`, `--cpu`, `tools.qemu` in the results, messages.

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
    /// Finds its program, and asks it who it is.
    fn locate(&self, wanted: Wanted<'_>) -> Result<Installed, EmulatorError>;

    /// What it calls an architecture.
    fn guest(&self, architecture: Architecture) -> Guest;

    /// The kind of window that it can open.
    ///
    /// # Errors
    /// None: what to install.
    fn window(&self, installed: &Installed) -> Result<&'static str, String>;

    /// Where the ROM of a VGA card may be, in which its font stands.
    fn vga_roms(&self) -> Vec<PathBuf>;

    /// Why a machine with this attachment cannot start from a checkpoint; nothing when it can.
    fn why_cold(&self, attachment: Attachment) -> Option<&'static str>;

    /// The arguments of a machine. Pure: the same machine with the same channels has the same arguments.
    fn arguments(&self, spec: &MachineSpec, channels: Channels<'_>) -> Vec<OsString>;

    /// A shell script that boots a case again, without this project.
    fn replay_script(&self, spec: &MachineSpec) -> Vec<u8>;

    /// The arguments of a machine in which a BIOS finds nothing to boot and that then ends by itself, with its debug port on standard output.
    fn bare_arguments(&self, bios: &Path, accelerator: Accelerator) -> Vec<OsString>;

    /// Makes the files in a machine's folder that its guest may write to.
    fn prepare(&self, spec: &MachineSpec, folder: &Path) -> io::Result<()>;

    /// Writes what is changed of a disc into an empty file, which a machine reads over the disc.
    fn overlay(&self, file: &File, disc: &dyn Source, edits: &Edits) -> io::Result<()>;

    /// The monitor of a machine that was just started.
    fn monitor(&self) -> Box<dyn Monitor>;

    /// What a line of its log says of a read by this attachment.
    fn read(&self, line: &str, attachment: Attachment) -> Option<DiscRead>;

    /// Whether a line of its log shows that reads would be in it.
    fn proves_log(&self, line: &str) -> bool;
}

impl fmt::Debug for dyn Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Emulator")
    }
}

/// Which program is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted<'a> {
    /// This one, or that for x86 in `$PATH`. A name without a `/` is looked up there, as a shell does.
    Named(Option<&'a Path>),
    /// The one for an architecture that comes with another one: beside it, or in `$PATH`.
    Beside(&'a Path, Architecture),
}

/// What an emulator calls an architecture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guest {
    /// Its program for it.
    pub(crate) program: &'static str,
    /// The Debian package that brings the program.
    pub(crate) package: &'static str,
    /// The processor of a machine for a probe.
    pub(crate) processor: &'static str,
    /// The processor of a machine for any system.
    pub(crate) strangers_processor: &'static str,
}

/// How a running machine's monitor is spoken to: the state of one connection. The bytes come and go elsewhere.
pub(crate) trait Monitor: fmt::Debug {
    /// The commands that fulfil a wish, in order. The last one's answer is the wish's.
    fn commands(&self, wish: Wish<'_>) -> Vec<Command>;

    /// The bytes that ask for a command, and the id under which its answer will come.
    fn request(&mut self, command: &str, arguments: &Value) -> (u64, Vec<u8>);

    /// Takes bytes; gives what they report.
    fn hear(&mut self, bytes: &[u8]) -> Vec<Report>;

    /// The answer to a request, once it came: a value, or the emulator's words of refusal.
    fn answer(&mut self, id: u64) -> Option<Result<Value, String>>;

    /// The words in an answer, where it is words that were wished for; empty where there are none.
    fn words<'a>(&self, answer: &'a Value) -> &'a str;
}

/// What is wished of a running machine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wish<'a> {
    /// That it listens. It comes first.
    Attention,
    /// The processor's registers, in words.
    Registers,
    /// A piece of the guest's memory, by physical address, in a file of this name in the machine's folder.
    Memory {
        address: u64,
        bytes: u64,
        file: &'a str,
    },
    /// The screen as a PPM image, in a file of this name in the machine's folder.
    Screen { file: &'a str },
    /// These keys pressed together, each down and up for so long. The answer comes before they are up.
    Keys {
        names: &'a [&'static str],
        hold: Duration,
    },
    /// That the medium comes.
    Insert(Attachment),
    /// That the medium goes.
    Remove(Attachment),
    /// That the machine's state, without its memory, goes to a file, and the guest stops. [`Report::Transferred`] says when it has.
    Save,
    /// The same from a file, and the guest goes on.
    Load,
    /// What went wrong with that, in words.
    Complaint,
}

/// A command of a monitor.
#[derive(Debug)]
pub(crate) struct Command {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its arguments.
    pub(crate) arguments: Value,
    /// Whether the file with the machine's state goes along with it.
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

/// What a monitor reports without being asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// The guest stands still.
    Stopped(Stop),
    /// The machine's state is written or read; or not.
    Transferred(bool),
}

/// Why a guest stands still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The machine was reset.
    Reset,
    /// It switched itself off.
    Off,
    /// Its system says that it cannot go on.
    Panicked,
    /// Somebody outside wants so; in the emulator's word.
    Outside(String),
}
