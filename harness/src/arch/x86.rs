//! x86: PCs.

use super::Arch;
use crate::{attachment::Attachment, machine::board::Board, registers::Registers};

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

/// A PC as it is sold: an i440FX with its IDE controller, or a Q35 with AHCI and PCI Express.
pub(crate) const fn pc(attachment: Attachment) -> Board {
    Board {
        // Without graphics SeaBIOS mirrors the screen to COM1 and takes keys from there; a VGA device
        // that is added by itself works all the same.
        machine: match attachment {
            Attachment::Ide => "pc,graphics=off",
            _ => "q35,graphics=off",
        },
        processor_options: "",
        has_smm: !matches!(attachment, Attachment::Ide),
        has_debug_port: true,
        boot: "strict=on",
        boot_at_once: "strict=on",
        screen: "VGA",
        network_card: "e1000,netdev=net,romfile=",
        disc: super::pci_devices(attachment),
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
        has_debug_port: true,
        // Its firmware asks the machine's CMOS memory for the order, and knows no indexes.
        boot: "strict=on,order=d",
        boot_at_once: "strict=on,order=d",
        screen: "isa-vga",
        network_card: "ne2k_isa,netdev=net",
        disc: &["ide-cd,drive=disc,bootindex=1"],
        // It waits three seconds for drives that are not there.
        idle_time_passes_at_once: true,
    }
}
