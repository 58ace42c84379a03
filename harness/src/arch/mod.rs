//! The differences between guest architectures: boards, registers, where a probe is confirmed. Each architecture has its own file.

mod aarch64;
mod x86;

use std::{fmt, ops::Range};

use serde::{Deserialize, Serialize};

pub(crate) use self::{
    aarch64::virt,
    x86::{isa_pc, microvm, pc},
};
use crate::{outcome::kebab_display, registers::Registers};

/// What instructions a guest runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// x86, of 16 to 64 bits.
    X86,
    /// 64-bit Arm.
    Aarch64,
}

kebab_display!(Architecture {
    X86 => "x86",
    Aarch64 => "aarch64",
});

/// An architecture, as machines need it.
pub(crate) trait Arch: Sync {
    /// What a processor's registers say, in the text that QEMU prints; `None` where it is another processor's.
    fn registers(&self, text: &str) -> Option<Registers>;

    /// Where in the guest's memory a probe that has halted keeps its last line, by the same text; `None` where there is a debug port for that.
    fn last_line(&self, _text: &str) -> Option<Range<u64>> {
        None
    }
}

impl Architecture {
    pub(crate) const fn arch(self) -> &'static dyn Arch {
        match self {
            Self::X86 => &x86::X86,
            Self::Aarch64 => &aarch64::Aarch64,
        }
    }
}
