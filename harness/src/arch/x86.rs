//! x86: PCs.

use super::differences::Arch;
use crate::{
    attachment::{Attachment, Controller, Wiring},
    machine::board::Board,
    registers::Registers,
};

/// x86, as machines need it.
pub(super) struct X86;

impl Arch for X86 {
    fn program(&self) -> &'static str {
        "qemu-system-x86_64"
    }

    fn package(&self) -> &'static str {
        "qemu-system-x86"
    }

    // QEMU's own default, without the cache that memory testers measure: under emulation it takes them seconds.
    fn cpu(&self) -> &'static str {
        "qemu64,l3-cache=off"
    }

    // Every instruction that can be emulated, for systems that refuse older processors; without the cache as above.
    fn strangers_cpu(&self) -> &'static str {
        "max,l3-cache=off"
    }

    fn registers(&self, text: &str) -> Option<Registers> {
        Registers::of_x86(text)
    }
}

/// A PC's debug port on the channel `debug`: a second channel that the firmware and the probe write to.
pub(crate) const DEBUG_PORT: &str = "isa-debugcon,iobase=0x402,chardev=debug";
/// Of the colour adapter and of the monochrome one.
const TEXT_MEMORY: &[u64] = &[0xB8000, 0xB0000];

/// A PC as it is sold: an i440FX with its IDE controller, or a Q35 with AHCI and PCI Express.
pub(crate) const fn pc(attachment: Attachment) -> Board {
    let wiring = attachment.wiring();
    let has_own_ide = matches!(wiring.controller, Controller::OwnIde);
    Board {
        // Without graphics SeaBIOS mirrors the screen to COM1 and takes keys from there; a VGA device
        // that is added by itself works all the same.
        machine: if has_own_ide {
            "pc,graphics=off"
        } else {
            "q35,graphics=off"
        },
        processor_options: "",
        has_smm: !has_own_ide,
        debug_port: Some(DEBUG_PORT),
        text_memory: TEXT_MEMORY,
        boot: "strict=on",
        boot_at_once: "strict=on",
        screen: "VGA",
        network_card: "e1000,netdev=net,romfile=",
        wiring,
        idle_time_passes_at_once: false,
    }
}

/// A PC without PCI.
pub(crate) const fn isa_pc() -> Board {
    Board {
        machine: "isapc,graphics=off",
        // With an APIC rombios waits for ever for a tick of the clock (tried: QEMU 7.2).
        processor_options: ",-apic",
        has_smm: false,
        debug_port: Some(DEBUG_PORT),
        text_memory: TEXT_MEMORY,
        // Its firmware asks the machine's CMOS memory for the order, and knows no indexes.
        boot: "strict=on,order=d",
        boot_at_once: "strict=on,order=d",
        screen: "isa-vga",
        network_card: "ne2k_isa,netdev=net",
        wiring: Attachment::Ide.wiring(),
        // It waits three seconds for drives that are not there.
        idle_time_passes_at_once: true,
    }
}

/// A PC without PCI, whose devices are virtio's on memory-mapped addresses.
pub(crate) const fn microvm() -> Board {
    Board {
        // SeaBIOS finds the devices in ACPI's tables alone. Under KVM there would be no clock.
        machine: "microvm,graphics=off,acpi=on,rtc=on",
        processor_options: "",
        has_smm: false,
        debug_port: Some(DEBUG_PORT),
        text_memory: TEXT_MEMORY,
        boot: "strict=on",
        boot_at_once: "strict=on",
        // Without it there would be no screen at all.
        screen: "isa-vga",
        network_card: "virtio-net-device,netdev=net",
        wiring: Wiring {
            devices: &["virtio-blk-device,id=drive,drive=disc,bootindex=1"],
            ..Attachment::VirtioBlk.wiring()
        },
        idle_time_passes_at_once: false,
    }
}
