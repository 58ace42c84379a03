//! The differences between firmware families: words, channels, deadlines, reads. Each family has its own file.

use std::time::Duration;

use super::{FirmwareKind, ovmf::Ovmf, seabios::Seabios, words::Said};
use crate::{layout::BootLayout, observation::DiscRead};

/// The channel on which a firmware says what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// COM1, where the boot image may speak too.
    Serial,
    /// Port 0x402.
    Debug,
}

/// A firmware family, as a watcher knows it.
pub(crate) trait Family: Sync {
    /// What a line says about booting, and its canonical form; `None` where it says nothing about that.
    fn understand(&self, line: &str) -> Option<(Said, String)>;

    /// Where it says so.
    fn channel(&self) -> Channel;

    /// The time before a machine is first examined.
    fn first_look(&self) -> Duration;

    /// How long a probe may take from the machine's start: many times what it takes.
    fn patience(&self) -> Duration;

    /// The memory in MiB that it needs and a probe can be loaded into. More only costs time where the firmware touches it.
    fn memory_mib(&self) -> u32;

    /// Whether it may be busy with interrupts off for seconds before it hands over.
    fn works_with_interrupts_off(&self) -> bool;

    /// Whether it writes the text of its screen on the serial line too. Lines that stand on both are then the firmware's, and the rest the boot image's.
    fn mirrors_its_screen(&self) -> bool;

    /// Whether it may hand over without a word on its channel, because the build has no such channel.
    fn may_enter_silently(&self) -> bool;

    /// Where a program cannot get past an exception, if what the firmware said last on its channel shows that; for people.
    fn caught(&self, said: &str) -> Option<String>;

    /// Where, in the cleaned serial text, the boot image's own output begins. Only for a machine that entered one.
    fn start_of_output(&self, text: &str) -> Option<usize>;

    /// How many of the reads were its own, before it handed over; `at_entry` had come when that was heard.
    fn own_reads(
        &self,
        reads: &[DiscRead],
        layout: &BootLayout,
        as_disk: bool,
        at_entry: usize,
    ) -> usize;
}

impl FirmwareKind {
    /// How boots of such firmware are watched.
    pub(crate) const fn family(self) -> &'static dyn Family {
        match self {
            Self::Bios => &Seabios,
            Self::Uefi => &Ovmf,
        }
    }
}
