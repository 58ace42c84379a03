//! A machine on paper: what is wanted of an emulator.

use std::{os::unix::fs::FileTypeExt, path::PathBuf, time::Duration};

use crate::{
    accelerator::{Accelerator, Pace},
    attachment::Attachment,
    emulator::EmulatorId,
    firmware::FirmwareImage,
    machine::board::Board,
    medium_profile::Medium,
};

/// The trace log's name in the machine's folder.
pub(crate) const TRACE_LOG: &str = "trace.log";

/// Everything that decides what a machine is. The emulator runs in the machine's folder, so the names in it
/// are relative: no path of the host can break an option or fill in a `%d`.
#[derive(Clone, Debug)]
pub struct MachineSpec {
    /// Which emulator it is for.
    pub emulator: EmulatorId,
    /// The emulator's program.
    pub program: PathBuf,
    /// What runs the guest's instructions.
    pub accelerator: Accelerator,
    /// The guest's memory.
    pub memory_mib: u32,
    /// The guest's processor, by the emulator's name for it.
    pub cpu: String,
    /// What network it has.
    pub network: Network,
    /// The firmware's files, by absolute path.
    pub firmware: FirmwareImage,
    /// The disc.
    pub disc: HostDisc,
    /// Whether the emulator reads the disc through io_uring.
    pub io_uring: bool,
    /// The machine without all that.
    pub board: Board,
    /// How the disc hangs on it.
    pub attachment: Attachment,
    /// The medium, with its fault.
    pub medium: Medium,
    /// Where its life begins.
    pub origin: Origin,
    /// The most processor time that the emulator may use, in all.
    pub processor_time: Duration,
    /// How slow the host is. It decides nothing about the machine, only about how long is waited for it.
    pub pace: Pace,
}

/// What network a guest has. No guest reaches anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Network {
    /// No network card.
    #[default]
    None,
    /// A network card with nothing at the other end of its cable.
    Isolated,
}

/// A disc on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostDisc {
    /// Its absolute path in UTF-8: QEMU's JSON has no other strings.
    pub path: String,
    /// Whether that is a block device, such as a drive, and no regular file: QEMU reads the two by different drivers.
    pub is_device: bool,
    /// Its length in bytes.
    pub length: u64,
    /// The absolute path, in UTF-8 too, of what is read instead of some of its bytes: an overlay over the disc.
    pub overlay: Option<String>,
}

impl HostDisc {
    /// The disc at a path, of so many bytes.
    pub(crate) fn at(path: String, length: u64) -> Self {
        let kind = std::fs::metadata(&path).map(|metadata| metadata.file_type());
        Self {
            is_device: kind.is_ok_and(|kind| kind.is_block_device()),
            path,
            length,
            overlay: None,
        }
    }
}

/// Where a machine's life begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// At power-on.
    PowerOn,
    /// At power-on, to stop where a checkpoint can be taken.
    ToCheckpoint(CheckpointFiles),
    /// At a checkpoint. Its state is loaded over QMP.
    Checkpoint(CheckpointFiles),
}

/// What both sides of a checkpoint share, by absolute paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointFiles {
    /// The program that stops the machine after its power-on self-test ([`images::checkpoint`]).
    pub program: PathBuf,
    /// The guest's memory. Written when the checkpoint is taken; a machine that starts from it has a copy of its own.
    pub memory: PathBuf,
}

/// Where serial line, debug port and QMP of a machine lead, and where its screen is shown. The machine is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels<'a> {
    /// COM1 to standard input and output, the others to what QEMU inherits, like the files that it reads: their numbers are in [`descriptor`].
    Inherited,
    /// COM1 to the terminal, the debug port to a file, no monitor, and files by their paths: for a person who replays a case.
    Terminal,
    /// The same, and the screen in a window of this kind, as QEMU's `-display` has it.
    Window(&'a str),
}

/// What QEMU inherits, by number. A file that is inherited needs no path that QEMU's user may follow.
pub mod descriptor {
    use std::os::fd::RawFd;

    /// The debug port.
    pub const DEBUG: RawFd = 4;
    /// The monitor.
    pub const MONITOR: RawFd = 5;
    /// The disc.
    pub const DISC: RawFd = 6;
    /// The firmware: a BIOS, or the code of one that lies in flash.
    pub const FIRMWARE: RawFd = 7;
    /// The guest's memory, of a machine that goes to a checkpoint or comes from one.
    pub const MEMORY: RawFd = 8;
    /// The program that stops such a machine.
    pub const PROGRAM: RawFd = 9;
    /// The overlay over the disc.
    pub const OVERLAY: RawFd = 10;
}
