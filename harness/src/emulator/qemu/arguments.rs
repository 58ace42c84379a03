//! QEMU's arguments: what it is told, and why.

use std::{ffi::OsString, os::fd::RawFd, path::Path};

use images::checkpoint::{GO, WAIT, WAKE_FILE};
use serde_json::json;

use super::{
    boards::{self, DEBUG_PORT},
    devices::{self, wants_to_write},
    medium, reads,
    writable::{VARIABLES, WRITTEN},
};
use crate::{
    accelerator::Accelerator,
    attachment::Removal,
    firmware::FirmwareImage,
    machine::spec::{Channels, MachineSpec, Network, Origin, TRACE_LOG, descriptor},
};

/// The length of a blank hard disk that stands before the disc.
const BLANK_DISK_BYTES: u64 = 64 << 20;

/// The name of an inherited file, for an option that opens it anew.
fn inherited(descriptor: RawFd) -> String {
    format!("/proc/self/fd/{descriptor}")
}

pub(super) fn arguments(spec: &MachineSpec, channels: Channels<'_>) -> Vec<OsString> {
    let board = boards::words(spec.board.model);
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
    match spec.network {
        // Whatever later defaults say.
        Network::None => argv.option("-nic", "none"),
        Network::Isolated => {
            // A hub of its own, and nobody else at it.
            argv.option("-netdev", "hubport,id=net,hubid=0");
            argv.option("-device", board.network_card);
        }
    }
    // The disc is hostile until proven otherwise: QEMU starts no process, gains no right, touches no limit.
    argv.option(
        "-sandbox",
        match window {
            None => SANDBOX,
            // What draws a window sets priorities and starts helpers, and is killed where it may not (tried: GTK).
            Some(_) => "on,obsolete=deny,elevateprivileges=deny",
        },
    );
    argv.option(
        "-accel",
        match spec.accelerator {
            Accelerator::Tcg => "tcg",
            Accelerator::Kvm => "kvm",
        },
    );
    if spec.board.idle_time_passes_at_once && spec.accelerator == Accelerator::Tcg {
        // 256 ns for each instruction, so that a loop that waits for the time is short, and none for what a halted processor waits.
        argv.option("-icount", "shift=8,sleep=off");
    }
    argv.option("-machine", &machine(spec));
    let processor = format!("{}{}", spec.cpu, board.processor_options);
    argv.option("-cpu", &processor);
    argv.option("-m", &spec.memory_mib.to_string());
    origin(spec, &mut argv);
    firmware(spec, &mut argv);
    argv.option("-boot", boards::boot(spec));
    // A machine that resets or powers off stays, to be looked at.
    argv.option("-action", "reboot=shutdown,shutdown=pause,panic=pause");
    // A screen; some boot code writes nowhere else.
    argv.option("-device", board.screen);
    disc(spec, &mut argv);
    argv.channels(spec.board.has_debug_port);
    // Every read of the disc, in order, and the proof that this QEMU logs at all.
    argv.option("-D", TRACE_LOG);
    argv.option("-trace", reads::event(spec.attachment));
    argv.option("-trace", reads::CANARY);
    argv.words
}

fn machine(spec: &MachineSpec) -> String {
    let mut machine = boards::words(spec.board.model).machine.to_owned();
    if let FirmwareImage::Flash {
        variables,
        needs_smm,
        ..
    } = &spec.firmware
    {
        machine.push_str(",pflash0=code");
        if variables.is_some() {
            machine.push_str(",pflash1=variables");
        }
        if *needs_smm {
            machine.push_str(",smm=on");
        }
    }
    if spec.origin != Origin::PowerOn {
        machine.push_str(",memory-backend=ram");
    }
    machine
}

fn origin(spec: &MachineSpec, argv: &mut Argv<'_>) {
    let wake = match &spec.origin {
        Origin::PowerOn => return,
        Origin::ToCheckpoint(_) => WAIT,
        Origin::Checkpoint(_) => GO,
    };
    // Memory that is a file need not be in the state.
    let memory = json!({
        "qom-type": "memory-backend-file",
        "id": "ram",
        "size": u64::from(spec.memory_mib) << 20,
        "mem-path": inherited(descriptor::MEMORY),
        // Nobody else has it, and so nothing that is written need be copied first.
        "share": true,
    });
    argv.option("-object", &memory.to_string());
    let program = inherited(descriptor::PROGRAM);
    match (
        &spec.firmware,
        boards::words(spec.board.model).option_rom_at,
    ) {
        (FirmwareImage::Flash { .. }, _) => argv.option("-kernel", &program),
        (FirmwareImage::Bios(_), None) => argv.option("-option-rom", &program),
        (FirmwareImage::Bios(_), Some(address)) => argv.option(
            "-device",
            &format!("loader,file={program},addr={address:#x},force-raw=on"),
        ),
    }
    argv.option("-fw_cfg", &format!("name={WAKE_FILE},string={wake}"));
    if wake == GO {
        // The capability that leaves memory out of the state can only be set over QMP, and only before.
        argv.option("-incoming", "defer");
    }
}

fn firmware(spec: &MachineSpec, argv: &mut Argv<'_>) {
    match &spec.firmware {
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
                None,
            );
            if variables.is_some() {
                // Enrolled keys. A private copy: nothing is written back to the template.
                argv.node("variables", "file", VARIABLES, false, None);
            }
            if *needs_smm {
                // Firmware that guards its variables trusts flash only when none but SMM can write it.
                argv.option("-global", "driver=cfi.pflash01,property=secure,value=on");
            }
        }
    }
}

/// What QEMU forbids itself.
pub(super) const SANDBOX: &str =
    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

/// The disc's bytes, whatever lies over them, and the drive.
fn disc(spec: &MachineSpec, argv: &mut Argv<'_>) {
    let wiring = spec.board.wiring;
    let channels = argv.channels;
    // Each layer names the one below it; the last one is the disc.
    let mut layers = vec![Layer::File];
    layers.extend(spec.disc.overlay.as_deref().map(Layer::Changes));
    layers.extend(wants_to_write(wiring.drive).then_some(Layer::Written));
    layers.extend(medium::filter(&spec.medium, "", "", true).map(|_| Layer::Medium));
    let last = layers.len() - 1;
    let read_only = !wants_to_write(wiring.drive);
    let mut below = "";
    for (number, layer) in layers.into_iter().enumerate() {
        let name = if number == last { "disc" } else { layer.name() };
        match layer {
            Layer::File => {
                // Raw and read-only, never probed: an ISO that begins like a qcow2 image would open another file of
                // the host. As JSON, since in an option a comma in the name ends it.
                let driver = if spec.disc.is_device {
                    "host_device"
                } else {
                    "file"
                };
                // A script that is kept must run where there is no io_uring too.
                let by_ring = spec.io_uring && matches!(channels, Channels::Inherited);
                let aio = (by_ring && !spec.disc.is_device).then_some("io_uring");
                argv.open(name, driver, &spec.disc.path, descriptor::DISC, aio);
            }
            Layer::Changes(overlay) => {
                let file = argv.file(overlay, descriptor::OVERLAY);
                argv.over(name, below, &file, true);
            }
            Layer::Written => argv.over(name, below, WRITTEN, false),
            Layer::Medium => {
                if let Some(pace) = medium::pace(&spec.medium) {
                    argv.option("-object", &pace.to_string());
                }
                if let Some(node) = medium::filter(&spec.medium, name, below, read_only) {
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
    for device in devices::of(spec) {
        if !spec.medium.is_absent_at_first() {
            argv.option("-device", device);
        } else if wiring.removal == Some(Removal::Tray) {
            argv.option("-device", &device.replace(",drive=disc", ""));
        } else if !device.contains("drive=disc") {
            argv.option("-device", device);
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

    /// A raw file as a block device, read by one of QEMU's drivers, and by a mechanism if it is not the usual one (threads).
    fn node(&mut self, name: &str, driver: &str, file: &str, read_only: bool, aio: Option<&str>) {
        let mut node = json!({
            "node-name": name,
            "driver": "raw",
            "read-only": read_only,
            "file": { "driver": driver, "read-only": read_only, "filename": file },
        });
        if let Some(aio) = aio {
            node["file"]["aio"] = aio.into();
        }
        self.option("-blockdev", &node.to_string());
    }

    /// A file as a block device that can only be read, inherited or by its path.
    fn open(&mut self, node: &str, driver: &str, path: &str, descriptor: RawFd, aio: Option<&str>) {
        let file = self.file(path, descriptor);
        self.node(node, driver, &file, true, aio);
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

    fn channels(&mut self, has_debug_port: bool) {
        let append = match self.channels {
            Channels::Inherited => {
                let monitor = descriptor::MONITOR;
                self.option("-chardev", &format!("socket,id=qmp,fd={monitor}"));
                self.option("-mon", "chardev=qmp,mode=control");
                // A pipe cannot be truncated.
                ",append=on"
            }
            Channels::Terminal | Channels::Window(_) => "",
        };
        let debug = self.file("debug.txt", descriptor::DEBUG);
        self.option("-chardev", &format!("file,id=debug,path={debug}{append}"));
        self.option("-chardev", "stdio,id=serial");
        // COM1, where boot code speaks.
        self.option("-serial", "chardev:serial");
        if has_debug_port {
            self.option("-device", DEBUG_PORT);
        }
    }
}

#[cfg(test)]
mod tests;
