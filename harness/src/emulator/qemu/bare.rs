//! A QEMU with a BIOS and nothing else.

use super::boards::DEBUG_PORT;
use crate::accelerator::Accelerator;

/// A machine in which a BIOS finds nothing to boot, with its debug port on standard output. SeaBIOS retries after 0 seconds, which resets the machine, which
/// ends QEMU: a whole start that ends by itself.
pub(crate) fn arguments(bios: &str, accelerator: Accelerator) -> [&str; 19] {
    [
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-machine",
        "pc",
        "-accel",
        accelerator.as_str(),
        "-m",
        "32",
        "-bios",
        bios,
        "-boot",
        "reboot-timeout=0",
        "-no-reboot",
        "-chardev",
        "stdio,id=debug,signal=off",
        "-device",
        DEBUG_PORT,
    ]
}
