//! 64-bit Arm: QEMU's machine `virt`.

use super::differences::Arch;
use crate::{
    attachment::{Attachment, Controller},
    machine::board::Board,
    registers::Registers,
};

/// 64-bit Arm, as machines need it.
pub(super) struct Aarch64;

impl Arch for Aarch64 {
    fn program(&self) -> &'static str {
        "qemu-system-aarch64"
    }

    fn package(&self) -> &'static str {
        "qemu-system-arm"
    }

    fn cpu(&self) -> &'static str {
        "cortex-a57"
    }

    fn strangers_cpu(&self) -> &'static str {
        "max"
    }

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
        machine: "virt",
        processor_options: "",
        has_smm: false,
        debug_port: None,
        text_memory: &[],
        boot: "strict=on",
        // AAVMF counts five seconds, or as many as QEMU says where it wants a menu (`QemuBootOrderLib.c: GetFrontPageTimeoutFromQemu`).
        boot_at_once: "strict=on,menu=on,splash-time=0",
        screen: "ramfb",
        network_card: "virtio-net-pci,netdev=net,romfile=",
        wiring,
        idle_time_passes_at_once: false,
    })
}
