//! AAVMF: EDK2 for QEMU's 64-bit Arm machine. Its words are those of OVMF.

use std::time::Duration;

use super::{
    FirmwareId, FirmwareKind,
    descriptor::Candidate,
    family::{Channel, Family, Places},
    ovmf::{Ovmf, understand},
    words::Said,
};
use crate::{
    arch::{Architecture, virt},
    attachment::Attachment,
    layout::BootLayout,
    machine::board::Board,
    observation::DiscRead,
};

/// AAVMF, as machines and watchers know it.
pub(crate) struct Aavmf;

impl Family for Aavmf {
    fn kind(&self) -> FirmwareKind {
        FirmwareKind::Uefi
    }

    fn name(&self) -> &'static str {
        "AAVMF"
    }

    // Its driver for El Torito is the same.
    fn project(&self) -> &'static str {
        Ovmf::X64.project()
    }

    fn package(&self) -> &'static str {
        "qemu-efi-aarch64"
    }

    fn architecture(&self) -> Architecture {
        Architecture::Aarch64
    }

    fn loader(&self) -> Option<&'static str> {
        Some("BOOTAA64.EFI")
    }

    fn find(&self, places: &Places<'_>) -> Option<Candidate> {
        places.described(FirmwareId::Aavmf)
    }

    fn board(&self, attachment: Attachment) -> Result<Board, &'static str> {
        virt(attachment)
    }

    fn why_cold(&self, _attachment: Attachment) -> Option<&'static str> {
        Some(
            "the program that stops a machine for a checkpoint is for x86, and says so on a port that Arm does not have",
        )
    }

    fn understand(&self, line: &str) -> Option<(Said, String)> {
        understand(line)
    }

    fn channel(&self) -> Channel {
        Channel::Serial
    }

    fn first_look(&self) -> Duration {
        Duration::from_millis(250)
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn memory_mib(&self) -> u32 {
        256
    }

    fn works_with_interrupts_off(&self) -> bool {
        true
    }

    fn mirrors_its_screen(&self) -> bool {
        false
    }

    fn may_enter_silently(&self) -> bool {
        false
    }

    fn start_of_output(&self, text: &str) -> Option<usize> {
        Ovmf::X64.start_of_output(text)
    }

    fn own_reads(
        &self,
        _reads: &[DiscRead],
        _layout: &BootLayout,
        _as_disk: bool,
        at_entry: usize,
    ) -> usize {
        at_entry
    }
}
