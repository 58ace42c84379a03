//! A machine on paper: what QEMU is told, and why.

use std::{
    ffi::OsString,
    os::{
        fd::RawFd,
        unix::{ffi::OsStrExt, fs::FileTypeExt},
    },
    path::{Path, PathBuf},
    time::Duration,
};

use images::checkpoint::{GO, WAIT, WAKE_FILE};
use serde_json::json;

use crate::{
    accelerator::{Accelerator, Pace},
    attachment::{Attachment, Removal},
    firmware::FirmwareImage,
    machine::board::Board,
    medium_profile::Medium,
    trace,
};

/// The trace log's name in the machine's folder.
pub(crate) const TRACE_LOG: &str = "trace.log";
/// The name of the private copy of the firmware's variable store in the machine's folder.
pub(crate) const VARIABLES: &str = "variables.fd";
/// The name of the file in the machine's folder that takes what a guest writes to the disc.
pub(crate) const WRITTEN: &str = "written.qcow2";
/// The length of a blank hard disk that stands before the disc.
const BLANK_DISK_BYTES: u64 = 64 << 20;

/// Everything that decides what a machine is. QEMU runs in the machine's folder, so the names in it
/// are relative: no path of the host can break an option or fill in a `%d`.
#[derive(Clone, Debug)]
pub struct MachineSpec {
    /// QEMU.
    pub qemu: PathBuf,
    /// What runs the guest's instructions.
    pub accelerator: Accelerator,
    /// The guest's memory.
    pub memory_mib: u32,
    /// The guest's processor, as QEMU's `-cpu` has it.
    pub cpu: String,
    /// What network it has.
    pub network: Network,
    /// The firmware's files, by absolute path.
    pub firmware: FirmwareImage,
    /// The disc.
    pub disc: HostDisc,
    /// The machine without all that.
    pub board: Board,
    /// How the disc hangs on it.
    pub attachment: Attachment,
    /// The medium, with its fault.
    pub medium: Medium,
    /// Where its life begins.
    pub origin: Origin,
    /// The most processor time that QEMU may use, in all.
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

    /// The length in bytes of a layer over it that takes what a guest writes: a power of two, as the emulated cards have it.
    pub(crate) const fn written_length(&self) -> u64 {
        self.length.next_power_of_two()
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
    /// To sockets that QEMU inherits, like the files that it reads: their numbers are in [`descriptor`].
    Inherited,
    /// COM1 to the terminal, port 0x402 to a file, no monitor, and files by their paths: for a person who replays a case.
    Terminal,
    /// The same, and the screen in a window of this kind, as QEMU's `-display` has it.
    Window(&'a str),
}

/// What QEMU inherits, by number. A file that is inherited needs no path that QEMU's user may follow.
pub mod descriptor {
    use std::os::fd::RawFd;

    /// COM1.
    pub const SERIAL: RawFd = 3;
    /// Port 0x402.
    pub const DEBUG: RawFd = 4;
    /// The monitor.
    pub const QMP: RawFd = 5;
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

/// The name of an inherited file, for an option that opens it anew.
fn inherited(descriptor: RawFd) -> String {
    format!("/proc/self/fd/{descriptor}")
}

impl MachineSpec {
    /// QEMU's arguments. Pure: the same machine with the same channels has the same arguments.
    #[must_use]
    pub fn argv(&self, channels: Channels<'_>) -> Vec<OsString> {
        let window = match channels {
            Channels::Window(kind) => Some(kind),
            Channels::Inherited | Channels::Terminal => None,
        };
        let mut argv = Argv {
            words: Vec::new(),
            channels,
        };
        // Only what is named here: a default network card would boot from the network after the disc.
        argv.flag("-nodefaults");
        // No configuration of this host's may change the machine.
        argv.flag("-no-user-config");
        // Without a window the screen is still there to be dumped.
        argv.option("-display", window.unwrap_or("none"));
        match self.network {
            // Whatever later defaults say.
            Network::None => argv.option("-nic", "none"),
            Network::Isolated => {
                // A hub of its own, and nobody else at it.
                argv.option("-netdev", "hubport,id=net,hubid=0");
                argv.option("-device", self.board.network_card);
            }
        }
        // The disc is hostile until proven otherwise: QEMU starts no process, gains no right, touches no limit.
        argv.option(
            "-sandbox",
            match window {
                None => "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
                // What draws a window sets priorities and starts helpers, and is killed where it may not (tried: GTK).
                Some(_) => "on,obsolete=deny,elevateprivileges=deny",
            },
        );
        argv.option(
            "-accel",
            match self.accelerator {
                Accelerator::Tcg => "tcg",
                Accelerator::Kvm => "kvm",
            },
        );
        if self.board.idle_time_passes_at_once && self.accelerator == Accelerator::Tcg {
            // 256 ns for each instruction, so that a loop that waits for the time is short, and none for what a halted processor waits.
            argv.option("-icount", "shift=8,sleep=off");
        }
        argv.option("-machine", &self.machine());
        let processor = format!("{}{}", self.cpu, self.board.processor_options);
        argv.option("-cpu", &processor);
        argv.option("-m", &self.memory_mib.to_string());
        self.origin(&mut argv);
        self.firmware(&mut argv);
        // Boot the disc and then nothing: SeaBIOS is told to stop there (`HALT`), else it tries a floppy.
        argv.option(
            "-boot",
            match self.origin {
                Origin::PowerOn => self.board.boot,
                Origin::ToCheckpoint(_) | Origin::Checkpoint(_) => self.board.boot_at_once,
            },
        );
        // A machine that resets or powers off stays, to be looked at.
        argv.option("-action", "reboot=shutdown,shutdown=pause,panic=pause");
        // A screen; some boot code writes nowhere else.
        argv.option("-device", self.board.screen);
        self.disc(&mut argv);
        argv.channels(self.board.debug_port);
        // Every read of the disc, in order, and the proof that this QEMU logs at all.
        argv.option("-D", TRACE_LOG);
        argv.option("-trace", trace::event(self.attachment));
        argv.option("-trace", trace::CANARY);
        argv.words
    }

    /// The whole command, for a message: as a person would type it.
    #[must_use]
    pub fn command(&self) -> String {
        let words = std::iter::once(self.qemu.clone().into_os_string())
            .chain(self.argv(Channels::Terminal));
        let quoted: Vec<String> = words
            .map(|word| String::from_utf8_lossy(&quote(word.as_bytes())).into_owned())
            .collect();
        quoted.join(" ")
    }

    /// A shell script that boots the case again, without this project.
    #[must_use]
    pub fn replay_script(&self) -> Vec<u8> {
        let mut replay = Self {
            origin: Origin::PowerOn,
            ..self.clone()
        };
        let moves = self.medium.moves_it().then(|| replay.medium.profile.take());
        let mut script = Vec::new();
        script.extend_from_slice(
            b"#!/bin/sh\n\
            # Boots this case again. The serial line is the terminal (Ctrl-C ends it); the debug port and the\n\
            # disc's reads are in replay/debug.txt and replay/trace.log.\n\
            set -eu\n\
            mkdir -p \"$(dirname \"$0\")/replay\"\n\
            cd \"$(dirname \"$0\")/replay\"\n",
        );
        if let Some(profile) = moves.flatten() {
            let line = format!(
                "# In the case itself {}: QEMU's monitor did that, and here the medium stays in the drive.\n",
                profile.told()
            );
            script.extend_from_slice(line.as_bytes());
        }
        if let FirmwareImage::Flash {
            variables: Some(template),
            ..
        } = &self.firmware
        {
            script.extend_from_slice(b"cat ");
            script.extend(quote(template.as_os_str().as_bytes()));
            script.extend_from_slice(b" > variables.fd\n");
        }
        if self.board.wiring.drive.wants_to_write() {
            let line = format!(
                "qemu-img create -q -f qcow2 {WRITTEN} {}\n",
                self.disc.written_length()
            );
            script.extend_from_slice(line.as_bytes());
        }
        script.extend_from_slice(b"exec ");
        script.extend(quote(self.qemu.as_os_str().as_bytes()));
        for word in replay.argv(Channels::Terminal) {
            let option = word.as_bytes().starts_with(b"-");
            script.extend_from_slice(if option { b" \\\n    " } else { b" " });
            script.extend(quote(word.as_bytes()));
        }
        script.push(b'\n');
        script
    }

    fn machine(&self) -> String {
        let mut machine = self.board.machine.to_owned();
        if let FirmwareImage::Flash {
            variables,
            needs_smm,
            ..
        } = &self.firmware
        {
            machine.push_str(",pflash0=code");
            if variables.is_some() {
                machine.push_str(",pflash1=variables");
            }
            if *needs_smm {
                machine.push_str(",smm=on");
            }
        }
        if self.origin != Origin::PowerOn {
            machine.push_str(",memory-backend=ram");
        }
        machine
    }

    fn origin(&self, argv: &mut Argv<'_>) {
        let wake = match &self.origin {
            Origin::PowerOn => return,
            Origin::ToCheckpoint(_) => WAIT,
            Origin::Checkpoint(_) => GO,
        };
        // Memory that is a file need not be in the state.
        let memory = json!({
            "qom-type": "memory-backend-file",
            "id": "ram",
            "size": u64::from(self.memory_mib) << 20,
            "mem-path": inherited(descriptor::MEMORY),
            // Nobody else has it, and so nothing that is written need be copied first.
            "share": true,
        });
        argv.option("-object", &memory.to_string());
        match self.firmware {
            FirmwareImage::Bios(_) => argv.option("-option-rom", &inherited(descriptor::PROGRAM)),
            FirmwareImage::Flash { .. } => argv.option("-kernel", &inherited(descriptor::PROGRAM)),
        }
        argv.option("-fw_cfg", &format!("name={WAKE_FILE},string={wake}"));
        if wake == GO {
            // The capability that leaves memory out of the state can only be set over QMP, and only before.
            argv.option("-incoming", "defer");
        }
    }

    fn firmware(&self, argv: &mut Argv<'_>) {
        match &self.firmware {
            FirmwareImage::Bios(rom) => match argv.channels {
                Channels::Inherited => argv.option("-bios", &inherited(descriptor::FIRMWARE)),
                Channels::Terminal | Channels::Window(_) => argv.path("-bios", rom),
            },
            FirmwareImage::Flash {
                code,
                variables,
                needs_smm,
            } => {
                // Code alone is enough: the variables then live in RAM, which is faster and leaves nothing behind.
                argv.open(
                    "code",
                    "file",
                    &code.to_string_lossy(),
                    descriptor::FIRMWARE,
                );
                if variables.is_some() {
                    // Enrolled keys. A private copy: nothing is written back to the template.
                    argv.node("variables", "file", VARIABLES, false);
                }
                if *needs_smm {
                    // Firmware that guards its variables trusts flash only when none but SMM can write it.
                    argv.option("-global", "driver=cfi.pflash01,property=secure,value=on");
                }
            }
        }
    }

    /// The disc's bytes, whatever lies over them, and the drive.
    fn disc(&self, argv: &mut Argv<'_>) {
        let wiring = self.board.wiring;
        // Each layer names the one below it; the last one is the disc.
        let mut layers = vec![Layer::File];
        layers.extend(self.disc.overlay.as_deref().map(Layer::Changes));
        layers.extend(wiring.drive.wants_to_write().then_some(Layer::Written));
        layers.extend(self.medium.filter("", "", true).map(|_| Layer::Medium));
        let last = layers.len() - 1;
        let read_only = !wiring.drive.wants_to_write();
        let mut below = "";
        for (number, layer) in layers.into_iter().enumerate() {
            let name = if number == last { "disc" } else { layer.name() };
            match layer {
                Layer::File => {
                    // Raw and read-only, never probed: an ISO that begins like a qcow2 image would open another file of
                    // the host. As JSON, since in an option a comma in the name ends it.
                    let driver = if self.disc.is_device {
                        "host_device"
                    } else {
                        "file"
                    };
                    argv.open(name, driver, &self.disc.path, descriptor::DISC);
                }
                Layer::Changes(overlay) => {
                    let file = argv.file(overlay, descriptor::OVERLAY);
                    argv.over(name, below, &file, true);
                }
                Layer::Written => argv.over(name, below, WRITTEN, false),
                Layer::Medium => {
                    if let Some(pace) = self.medium.pace() {
                        argv.option("-object", &pace.to_string());
                    }
                    if let Some(node) = self.medium.filter(name, below, read_only) {
                        argv.option("-blockdev", &node.to_string());
                    }
                }
            }
            below = name;
        }
        if wiring.has_blank_disk {
            let blank = json!({ "node-name": "blank", "driver": "null-co", "size": BLANK_DISK_BYTES, "read-zeroes": true });
            argv.option("-blockdev", &blank.to_string());
        }
        for device in wiring.devices {
            if !self.medium.is_absent_at_first() {
                argv.option("-device", device);
            } else if wiring.removal == Some(Removal::Tray) {
                argv.option("-device", &device.replace(",drive=disc", ""));
            } else if !device.contains("drive=disc") {
                argv.option("-device", device);
            }
        }
    }
}

/// What the guest reads as the disc, from the bottom.
enum Layer<'a> {
    /// The file, or the host's drive.
    File,
    /// Bytes that are changed.
    Changes(&'a str),
    /// What the guest writes, over a disc that stays as it is.
    Written,
    /// A medium that is slow or bad.
    Medium,
}

impl Layer<'_> {
    const fn name(&self) -> &'static str {
        match self {
            Self::File => "original",
            Self::Changes(_) => "changed",
            Self::Written => "written",
            Self::Medium => "medium",
        }
    }
}

struct Argv<'a> {
    words: Vec<OsString>,
    channels: Channels<'a>,
}

impl Argv<'_> {
    fn flag(&mut self, flag: &str) {
        self.words.push(flag.into());
    }

    fn option(&mut self, flag: &str, value: &str) {
        self.words.extend([flag.into(), value.into()]);
    }

    fn path(&mut self, flag: &str, value: &Path) {
        self.words.extend([flag.into(), value.into()]);
    }

    /// A raw file as a block device, read by one of QEMU's drivers.
    fn node(&mut self, name: &str, driver: &str, file: &str, read_only: bool) {
        let node = json!({
            "node-name": name,
            "driver": "raw",
            "read-only": read_only,
            "file": { "driver": driver, "read-only": read_only, "filename": file },
        });
        self.option("-blockdev", &node.to_string());
    }

    /// A file as a block device that can only be read, inherited or by its path.
    fn open(&mut self, node: &str, driver: &str, path: &str, descriptor: RawFd) {
        let file = self.file(path, descriptor);
        self.node(node, driver, &file, true);
    }

    /// A layer over another node, in a file.
    fn over(&mut self, node: &str, below: &str, file: &str, read_only: bool) {
        let node = json!({
            "node-name": node,
            "driver": "qcow2",
            "read-only": read_only,
            "file": { "driver": "file", "read-only": read_only, "filename": file },
            // A node and not a name: nothing that a file says is opened.
            "backing": below,
        });
        self.option("-blockdev", &node.to_string());
    }

    /// What QEMU opens a file by.
    fn file(&mut self, path: &str, descriptor: RawFd) -> String {
        match self.channels {
            Channels::Inherited => {
                // A set of one descriptor, with the same number.
                self.option("-add-fd", &format!("fd={descriptor},set={descriptor}"));
                format!("/dev/fdset/{descriptor}")
            }
            Channels::Terminal | Channels::Window(_) => path.to_owned(),
        }
    }

    fn channels(&mut self, debug_port: Option<&str>) {
        match self.channels {
            Channels::Inherited => {
                for (id, fd) in [
                    ("serial", descriptor::SERIAL),
                    ("debug", descriptor::DEBUG),
                    ("qmp", descriptor::QMP),
                ] {
                    self.option("-chardev", &format!("socket,id={id},fd={fd}"));
                }
                self.option("-mon", "chardev=qmp,mode=control");
            }
            Channels::Terminal | Channels::Window(_) => {
                self.option("-chardev", "stdio,id=serial");
                self.option("-chardev", "file,id=debug,path=debug.txt");
            }
        }
        // COM1, where boot code speaks.
        self.option("-serial", "chardev:serial");
        if let Some(port) = debug_port {
            self.option("-device", port);
        }
    }
}

/// Quotes a word for a POSIX shell. Any bytes may stand in it.
fn quote(word: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./=,:@%+".contains(byte);
    if !word.is_empty() && word.iter().all(plain) {
        return word.to_vec();
    }
    let mut quoted = vec![b'\''];
    for &byte in word {
        match byte {
            b'\'' => quoted.extend_from_slice(b"'\\''"),
            _ => quoted.push(byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

#[cfg(test)]
mod tests;
