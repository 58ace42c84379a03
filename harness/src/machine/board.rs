//! What a firmware and an attachment make of a machine.

use crate::attachment::Wiring;

/// A machine without memory, processor, firmware and disc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    /// Which machine it is.
    pub model: Model,
    /// Whether there is system-management mode on it.
    pub has_smm: bool,
    /// Whether it has a debug port: a second channel that the firmware and the probe write to.
    pub has_debug_port: bool,
    /// Where a screen's text may be in the guest's memory.
    pub text_memory: &'static [u64],
    /// How the disc hangs on it.
    pub(crate) wiring: Wiring,
    /// Whether no real time passes where the processor waits for the time, and time counts instructions: a firmware that waits for devices which are not there
    /// waits seconds for each else. Under emulation alone.
    pub idle_time_passes_at_once: bool,
}

/// Which machine a board is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// A PC with Intel's 440FX and its IDE controller.
    I440fx,
    /// A PC with Intel's Q35: AHCI and PCI Express.
    Q35,
    /// A PC without PCI.
    IsaPc,
    /// A PC without PCI, whose devices are virtio's on memory-mapped addresses.
    Microvm,
    /// An Arm system in general, with PCI and no drives of its own.
    Virt,
}
