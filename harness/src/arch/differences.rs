//! The differences between guest architectures, as one trait.

use std::ops::Range;

use crate::registers::Registers;

/// An architecture, as machines need it.
pub(crate) trait Arch: Sync {
    /// What a processor's registers say, in the text that QEMU prints; `None` where it is another processor's.
    fn registers(&self, text: &str) -> Option<Registers>;

    /// Where in the guest's memory a probe that has halted keeps its last line, by the same text; `None` where there is a debug port for that.
    fn last_line(&self, _text: &str) -> Option<Range<u64>> {
        None
    }
}
