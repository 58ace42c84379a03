//! 64-bit Arm: QEMU's machine `virt`.

use super::differences::Arch;
use crate::{
    attachment::{Attachment, Controller},
    machine::board::{Board, Model},
    registers::Registers,
};

/// 64-bit Arm, as machines need it.
pub(super) struct Aarch64;

impl Arch for Aarch64 {
    fn registers(&self, text: &str) -> Option<Registers> {
        Registers::of_aarch64(text)
    }

    fn last_line(&self, text: &str) -> Option<std::ops::Range<u64>> {
        let [start, end] = ["X00=", "X01="].map(|name| crate::registers::hex_after(text, name));
        Some(start?..end?)
    }
}

/// QEMU's machine for Arm systems in general. It has PCI, and no drives of its own.
pub(crate) const fn virt(attachment: Attachment) -> Result<Board, &'static str> {
    let wiring = attachment.wiring();
    if !matches!(wiring.controller, Controller::Pci) {
        return Err("QEMU's machine for 64-bit Arm has no IDE or SATA drives of its own");
    }
    Ok(Board {
        model: Model::Virt,
        has_smm: false,
        has_debug_port: false,
        text_memory: &[],
        wiring,
        idle_time_passes_at_once: false,
    })
}
