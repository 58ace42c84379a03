//! x86: PCs.

use super::differences::Arch;
use crate::{
    attachment::{Attachment, Controller},
    machine::board::{Board, Model},
    registers::Registers,
};

/// x86, as machines need it.
pub(super) struct X86;

impl Arch for X86 {
    fn registers(&self, text: &str) -> Option<Registers> {
        Registers::of_x86(text)
    }
}

/// Of the colour adapter and of the monochrome one.
const TEXT_MEMORY: &[u64] = &[0xB8000, 0xB0000];

/// A PC as it is sold: an i440FX with its IDE controller, or a Q35 with AHCI and PCI Express.
pub(crate) const fn pc(attachment: Attachment) -> Board {
    let wiring = attachment.wiring();
    let has_own_ide = matches!(wiring.controller, Controller::OwnIde);
    Board {
        model: if has_own_ide {
            Model::I440fx
        } else {
            Model::Q35
        },
        has_smm: !has_own_ide,
        has_debug_port: true,
        text_memory: TEXT_MEMORY,
        wiring,
        idle_time_passes_at_once: false,
    }
}

/// A PC without PCI.
pub(crate) const fn isa_pc() -> Board {
    Board {
        model: Model::IsaPc,
        has_smm: false,
        has_debug_port: true,
        text_memory: TEXT_MEMORY,
        wiring: Attachment::Ide.wiring(),
        // It waits three seconds for drives that are not there.
        idle_time_passes_at_once: true,
    }
}

/// A PC without PCI, whose devices are virtio's on memory-mapped addresses.
pub(crate) const fn microvm() -> Board {
    Board {
        model: Model::Microvm,
        has_smm: false,
        has_debug_port: true,
        text_memory: TEXT_MEMORY,
        wiring: Attachment::VirtioBlk.wiring(),
        idle_time_passes_at_once: false,
    }
}
