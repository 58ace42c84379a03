//! The differences between guest architectures, as one trait.

use std::ops::Range;

use crate::registers::Registers;

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

    /// Where in the guest's memory a probe that has halted keeps its last line, by QEMU's text of the registers; `None` where there is a debug port for that.
    fn last_line(&self, _text: &str) -> Option<Range<u64>> {
        None
    }
}
