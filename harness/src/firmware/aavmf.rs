//! AAVMF: EDK2 for QEMU's 64-bit Arm machine. Its words are those of OVMF.

use std::time::Duration;

use super::{
    FirmwareId,
    descriptor::Candidate,
    family::{Family, Places},
    ovmf::{Ovmf, understand},
    said::Said,
};
use crate::{
    arch::{Architecture, virt},
    attachment::Attachment,
    machine::board::Board,
};

/// AAVMF, as machines and watchers know it.
pub(crate) struct Aavmf;

impl Family for Aavmf {
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
        None
    }

    fn understand(&self, line: &str) -> Option<(Said, String)> {
        understand(line)
    }

    fn chooses(&self, line: &str) -> bool {
        Ovmf::X64.chooses(line)
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn start_of_output(&self, text: &str) -> Option<usize> {
        Ovmf::X64.start_of_output(text)
    }
}
