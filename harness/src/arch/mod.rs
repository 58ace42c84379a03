//! The differences between guest architectures: boards, registers, where a probe is confirmed. Each architecture has its own file.

mod aarch64;
mod differences;
mod x86;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use self::{
    aarch64::virt,
    differences::Arch,
    x86::{isa_pc, microvm, pc},
};
use crate::outcome::kebab_display;

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

impl Architecture {
    pub(crate) const fn arch(self) -> &'static dyn Arch {
        match self {
            Self::X86 => &x86::X86,
            Self::Aarch64 => &aarch64::Aarch64,
        }
    }
}
