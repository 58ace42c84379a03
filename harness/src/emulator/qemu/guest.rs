//! QEMU's programs and processors for each architecture.

use crate::{arch::Architecture, emulator::seam::Guest};

pub(super) const fn guest(architecture: Architecture) -> Guest {
    match architecture {
        Architecture::X86 => Guest {
            program: "qemu-system-x86_64",
            package: "qemu-system-x86",
            // QEMU's own default, without the cache that memory testers measure: under emulation it takes them seconds.
            processor: "qemu64,l3-cache=off",
            // Every instruction that can be emulated, for systems that refuse older processors; without the cache as above.
            strangers_processor: "max,l3-cache=off",
        },
        Architecture::Aarch64 => Guest {
            program: "qemu-system-aarch64",
            package: "qemu-system-arm",
            processor: "cortex-a57",
            strangers_processor: "max",
        },
    }
}
