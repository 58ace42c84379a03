//! The programs that stop a machine after its power-on self-test, where a checkpoint of it can be taken.
//!
//! Each says [`READY`] on the debug port and then looks, for ever, at the first byte of the file [`WAKE_FILE`] of QEMU's firmware
//! configuration device (QEMU, `docs/specs/fw_cfg.rst`), which belongs to the host's side of a machine and not to its state: as long as it is [`WAIT`] the
//! program waits. A machine that is restored with [`GO`] there goes on at once, with no message that could be lost.
//!
//! Whatever the firmware has learned of the medium must be learned anew, because it will be another one. The UEFI application takes the drivers off
//! every block device before it waits, and puts them back after. The option ROM need not: what SeaBIOS has read of a CD by then is the
//! volume's name, for its boot menu (`boot.c: boot_add_cd`), and it reads the disc anew when it boots from it (`cdrom.c: cdrom_boot`). It does ask a disk
//! for its length earlier and keeps it (`virtio-blk.c: init_virtio_blk`, `blockcmd.c: scsi_drive_setup`), so that a disc that hangs on the
//! machine as a disk has no such checkpoint.

mod bios;
mod fw_cfg;
mod uefi;

pub use bios::option_rom;
pub use uefi::application;

/// What a program says on port 402h when it has begun to wait.
pub const READY: &str = "boot-matrix: ready for a checkpoint\n";

/// The file that tells a program to wait or to go on.
pub const WAKE_FILE: &str = "opt/boot-matrix/wake";

/// The content of [`WAKE_FILE`] on which a program waits.
pub const WAIT: &str = "w";

/// The content of [`WAKE_FILE`] on which it goes on.
pub const GO: &str = "g";
