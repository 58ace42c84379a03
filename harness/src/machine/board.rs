//! What a firmware and an attachment make of a machine.

use crate::attachment::Wiring;

/// A machine without memory, processor, firmware and disc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    /// QEMU's `-machine`, without what the firmware needs.
    pub machine: &'static str,
    /// What is taken from the processor, as it stands behind its name in `-cpu`.
    pub processor_options: &'static str,
    /// Whether there is system-management mode on it.
    pub has_smm: bool,
    /// The device that is a debug port, on the channel `debug`.
    pub debug_port: Option<&'static str>,
    /// Where a screen's text may be in the guest's memory.
    pub text_memory: &'static [u64],
    /// QEMU's `-boot`: the disc and then nothing.
    pub boot: &'static str,
    /// The same of a machine that goes to a checkpoint or comes from one: it need not count seconds before it boots.
    pub boot_at_once: &'static str,
    /// The device that has the screen.
    pub screen: &'static str,
    /// The device that is a network card, on the network `net` and without a ROM: nothing boots from there.
    pub network_card: &'static str,
    /// How the disc hangs on it.
    pub(crate) wiring: Wiring,
    /// Whether no real time passes where the processor waits for the time, and time counts instructions: a firmware that waits for devices which are not there
    /// waits seconds for each else. Under emulation alone.
    pub idle_time_passes_at_once: bool,
}
