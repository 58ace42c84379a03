//! QEMU's names for boards and their devices.

use crate::machine::{
    board::Model,
    spec::{MachineSpec, Origin},
};

/// A PC's debug port, on the channel `debug`.
pub(super) const DEBUG_PORT: &str = "isa-debugcon,iobase=0x402,chardev=debug";

/// QEMU's names for a board and its devices.
pub(super) struct Words {
    /// The value of `-machine`, without the options that the firmware needs.
    pub(super) machine: &'static str,
    /// The options after the processor's name in `-cpu`.
    pub(super) processor_options: &'static str,
    /// The device with the screen.
    pub(super) screen: &'static str,
    /// Where an option ROM has to lie, if the firmware does not ask QEMU for it.
    pub(super) option_rom_at: Option<u32>,
    /// The network card, on the network `net`. It has no ROM, so nothing boots from it.
    pub(super) network_card: &'static str,
}

pub(super) const fn words(model: Model) -> Words {
    // Without graphics SeaBIOS mirrors the screen to COM1 and takes keys from there; a VGA device
    // that is added by itself works all the same.
    const I440FX: Words = Words {
        machine: "pc,graphics=off",
        processor_options: "",
        screen: "VGA",
        option_rom_at: None,
        network_card: "e1000,netdev=net,romfile=",
    };
    match model {
        Model::I440fx => I440FX,
        Model::Q35 => Words {
            machine: "q35,graphics=off",
            ..I440FX
        },
        Model::IsaPc => Words {
            machine: "isapc,graphics=off",
            // With an APIC rombios waits for ever for a tick of the clock (tried: QEMU 7.2).
            processor_options: ",-apic",
            screen: "isa-vga",
            // Behind the ROM of the screen. rombios looks from C8000 to E0000.
            option_rom_at: Some(0xD_0000),
            network_card: "ne2k_isa,netdev=net",
        },
        Model::Microvm => Words {
            // SeaBIOS finds the devices in ACPI's tables alone. Under KVM there would be no clock.
            machine: "microvm,graphics=off,acpi=on,rtc=on",
            processor_options: "",
            // Without it there would be no screen at all.
            screen: "isa-vga",
            option_rom_at: None,
            network_card: "virtio-net-device,netdev=net",
        },
        Model::Virt => Words {
            machine: "virt",
            processor_options: "",
            screen: "ramfb",
            option_rom_at: None,
            network_card: "virtio-net-pci,netdev=net,romfile=",
        },
    }
}

/// `-boot`: the disc and then nothing. SeaBIOS is told to stop there (`HALT`), else it tries a floppy.
pub(super) fn boot(spec: &MachineSpec) -> &'static str {
    match (spec.board.model, &spec.origin) {
        // Its firmware asks the machine's CMOS memory for the order, and knows no indexes.
        (Model::IsaPc, _) => "strict=on,order=d",
        // AAVMF counts five seconds, or as many as QEMU says where it wants a menu (`QemuBootOrderLib.c: GetFrontPageTimeoutFromQemu`). A machine that goes to
        // a checkpoint or comes from one need not count.
        (Model::Virt, Origin::ToCheckpoint(_) | Origin::Checkpoint(_)) => {
            "strict=on,menu=on,splash-time=0"
        }
        _ => "strict=on",
    }
}
