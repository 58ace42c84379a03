//! The differences between guest architectures: emulator, processor, registers. Each architecture has its own file.

mod x86;

use std::fmt;

pub(crate) use self::x86::{isa_pc, pc};
use crate::{outcome::kebab_display, registers::Registers};

/// What instructions a guest runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Architecture {
    /// x86, of 16 to 64 bits.
    X86,
}

kebab_display!(Architecture {
    X86 => "x86",
});

/// An architecture, as machines need it.
pub(crate) trait Arch: Sync {
    /// QEMU's program for it.
    fn program(&self) -> &'static str;

    /// The Debian package that brings the program.
    fn package(&self) -> &'static str;

    /// The processor of a machine for a probe, as QEMU's `-cpu` has it.
    fn cpu(&self) -> &'static str;

    /// The processor of a machine for any system.
    fn strangers_cpu(&self) -> &'static str;

    /// What a processor's registers say, in QEMU's text; `None` where it is another processor's.
    fn registers(&self, text: &str) -> Option<Registers>;
}

impl Architecture {
    pub(crate) const fn arch(self) -> &'static dyn Arch {
        match self {
            Self::X86 => &x86::X86,
        }
    }

    /// QEMU's program for it.
    #[must_use]
    pub fn program(self) -> &'static str {
        self.arch().program()
    }

    /// The Debian package that brings the program.
    #[must_use]
    pub fn package(self) -> &'static str {
        self.arch().package()
    }
}
