//! The differences between firmware families: files, boards, words, channels, deadlines, reads. Each family has its own file, and its line in
//! [`FirmwareId::family`].

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    FirmwareId, FirmwareKind,
    bios_reads::reads_before_jump,
    descriptor::{Candidate, Descriptor},
    said::Said,
};
use crate::{
    arch::Architecture, attachment::Attachment, layout::BootLayout, machine::board::Board,
    observation::DiscRead,
};

/// The channel on which a firmware says what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// COM1, where the boot image may speak too.
    Serial,
    /// Port 0x402.
    Debug,
}

/// Where a firmware's files may be.
pub(crate) struct Places<'a> {
    /// The root of the file system that they are installed in.
    pub(crate) root: &'a Path,
    /// The folders of QEMU's own ROMs.
    pub(crate) data: &'a [PathBuf],
    /// QEMU's firmware descriptors, in their order.
    pub(crate) descriptors: &'a [Descriptor],
}

impl Places<'_> {
    /// A ROM that is always at the same place, below the root.
    pub(crate) fn rom(&self, path: &str) -> Option<Candidate> {
        Candidate::rom(&self.root.join(path))
    }

    /// What the best descriptor has.
    pub(crate) fn described(&self, id: FirmwareId) -> Option<Candidate> {
        let offers = |descriptor: &Descriptor| descriptor.candidate(id);
        let candidates = self.descriptors.iter().filter_map(offers);
        candidates.min_by_key(|candidate| candidate.rank)
    }
}

/// A firmware family.
pub(crate) trait Family: Sync {
    /// Whether it is a BIOS or UEFI. UEFI looks for a loader.
    fn kind(&self) -> FirmwareKind {
        match self.loader() {
            Some(_) => FirmwareKind::Uefi,
            None => FirmwareKind::Bios,
        }
    }

    /// Whether its image is one ROM, for `-bios`, and no flash.
    fn is_rom(&self) -> bool {
        self.kind() == FirmwareKind::Bios
    }

    /// Its name, as people write it.
    fn name(&self) -> &'static str;

    /// The project whose firmware it is, as the catalog of findings names it.
    fn project(&self) -> &'static str;

    /// The Debian package that brings it.
    fn package(&self) -> &'static str;

    /// What the guests run that it starts.
    fn architecture(&self) -> Architecture {
        Architecture::X86
    }

    /// The loader that it looks for on removable media (UEFI §3.5.1.1); `None` of a BIOS.
    fn loader(&self) -> Option<&'static str> {
        None
    }

    /// Its files, where they are installed.
    fn find(&self, places: &Places<'_>) -> Option<Candidate>;

    /// Where [`Family::find`] looked, for a message: "no …".
    fn missing(&self) -> &'static str {
        "no descriptor (qemu/firmware/*.json in /etc, /usr/share or QEMU's data directories) leads to its files"
    }

    /// The version that stands in an image of it, where one does.
    fn version_in(&self, _image: &[u8]) -> Option<String> {
        None
    }

    /// The machine that it runs on where a disc hangs there so.
    ///
    /// # Errors
    /// There is none: why.
    fn board(&self, attachment: Attachment) -> Result<Board, &'static str>;

    /// Why a machine of this kind cannot start from a checkpoint; nothing when it can.
    fn why_cold(&self, attachment: Attachment) -> Option<&'static str>;

    /// What a line says about booting, and its canonical form, which may be several lines; `None` where it says nothing about that.
    fn understand(&self, line: &str) -> Option<(Said, String)>;

    /// Where it says so. A BIOS writes everything to the debug port, without other programs' output in between; release builds of UEFI firmware write nothing there.
    fn channel(&self) -> Channel {
        match self.kind() {
            FirmwareKind::Bios => Channel::Debug,
            FirmwareKind::Uefi => Channel::Serial,
        }
    }

    /// What it ends its text with, and no line, where it has nothing left to boot and waits for commands.
    fn prompt(&self) -> Option<&'static str> {
        None
    }

    /// The time before a machine is first examined. A BIOS boots in tens of milliseconds; UEFI firmware alone takes seconds.
    fn first_look(&self) -> Duration {
        Duration::from_millis(match self.kind() {
            FirmwareKind::Bios => 50,
            FirmwareKind::Uefi => 250,
        })
    }

    /// How long a probe may take from the machine's start: many times what it takes.
    fn patience(&self) -> Duration {
        Duration::from_secs(match self.kind() {
            FirmwareKind::Bios => 10,
            FirmwareKind::Uefi => 40,
        })
    }

    /// The memory in MiB that it needs and a probe can be loaded into. More only costs time where the firmware touches it.
    fn memory_mib(&self) -> u32 {
        match self.kind() {
            FirmwareKind::Bios => 64,
            FirmwareKind::Uefi => 256,
        }
    }

    /// Whether it may be busy with interrupts off for seconds before it hands over.
    fn works_with_interrupts_off(&self) -> bool {
        self.kind() == FirmwareKind::Uefi
    }

    /// Whether it writes the text of its screen on the serial line too. Lines that stand on both are then the firmware's, and the rest the boot image's.
    fn mirrors_its_screen(&self) -> bool {
        false
    }

    /// Whether it may hand over without a word on its channel, because the build has no such channel.
    fn may_enter_silently(&self) -> bool {
        false
    }

    /// Whether it lets only programs run that are signed by whom it trusts.
    fn checks_signatures(&self) -> bool {
        false
    }

    /// Whether a line on the serial line is of the part that chooses what to boot, and not of a program.
    fn chooses(&self, _line: &str) -> bool {
        false
    }

    /// Where a program cannot get past an exception, if what the firmware said last on its channel shows that; for people.
    fn caught(&self, _said: &str) -> Option<String> {
        None
    }

    /// Where, in the cleaned serial text, the boot image's own output begins. Only for a machine that entered one.
    fn start_of_output(&self, text: &str) -> Option<usize>;

    /// How many of the reads were its own, before it handed over; `at_entry` had come when that was heard.
    fn own_reads(
        &self,
        reads: &[DiscRead],
        layout: &BootLayout,
        as_disk: bool,
        at_entry: usize,
    ) -> usize {
        match self.kind() {
            FirmwareKind::Bios => reads_before_jump(reads, layout, as_disk),
            FirmwareKind::Uefi => at_entry,
        }
    }
}

impl fmt::Debug for dyn Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
