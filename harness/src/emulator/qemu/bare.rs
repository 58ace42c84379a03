//! A QEMU with a BIOS and nothing else.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

use super::boards::DEBUG_PORT;
use crate::accelerator::Accelerator;

/// A machine in which a BIOS finds nothing to boot, with its debug port on standard output. SeaBIOS retries after 0 seconds, which resets the machine, which
/// ends QEMU: a whole start that ends by itself.
pub(super) fn arguments(bios: &Path, accelerator: Accelerator) -> Vec<OsString> {
    let bios = bios.as_os_str();
    let words: [&OsStr; 19] = [
        "-nodefaults".as_ref(),
        "-no-user-config".as_ref(),
        "-display".as_ref(),
        "none".as_ref(),
        "-machine".as_ref(),
        "pc".as_ref(),
        "-accel".as_ref(),
        accelerator.as_str().as_ref(),
        "-m".as_ref(),
        "32".as_ref(),
        "-bios".as_ref(),
        bios,
        "-boot".as_ref(),
        "reboot-timeout=0".as_ref(),
        "-no-reboot".as_ref(),
        "-chardev".as_ref(),
        "stdio,id=debug,signal=off".as_ref(),
        "-device".as_ref(),
        DEBUG_PORT.as_ref(),
    ];
    words.map(OsStr::to_owned).to_vec()
}
