//! QEMU's devices: the drives that attach the node `disc` to the machine.

use crate::{
    attachment::{Attachment, Drive},
    machine::{board::Model, spec::MachineSpec},
};

/// The devices of a machine's drive, in order. The disc's drive is called `drive`.
pub(super) const fn of(spec: &MachineSpec) -> &'static [&'static str] {
    match spec.board.model {
        Model::Microvm => &["virtio-blk-device,id=drive,drive=disc,bootindex=1"],
        Model::I440fx | Model::Q35 | Model::IsaPc | Model::Virt => of_attachment(spec.attachment),
    }
}

/// The devices on boards with PCI or with a controller of their own.
const fn of_attachment(attachment: Attachment) -> &'static [&'static str] {
    // `bootindex` sends SeaBIOS there at once. 0 would be `-kernel`'s.
    match attachment {
        Attachment::Ide | Attachment::Ahci => &["ide-cd,id=drive,drive=disc,bootindex=1"],
        Attachment::AhciSecond => &[
            "ide-cd,bus=ide.0,bootindex=1",
            "ide-cd,id=drive,bus=ide.1,drive=disc,bootindex=2",
        ],
        Attachment::AhciAfterDisk => &[
            "ide-hd,bus=ide.0,drive=blank,bootindex=1",
            "ide-cd,id=drive,bus=ide.1,drive=disc,bootindex=2",
        ],
        Attachment::Scsi => &[
            "virtio-scsi-pci,id=scsi",
            "scsi-cd,id=drive,bus=scsi.0,drive=disc,bootindex=1",
        ],
        Attachment::UsbCd => &["qemu-xhci,id=usb", BOT, USB_CD],
        Attachment::UsbCdUhci => &["piix3-usb-uhci,id=usb", BOT, USB_CD],
        Attachment::UsbCdEhci => &["usb-ehci,id=usb", BOT, USB_CD],
        Attachment::UsbDisk => &["qemu-xhci,id=usb", USB_DISK],
        Attachment::UsbDiskUhci => &["piix3-usb-uhci,id=usb", USB_DISK],
        Attachment::UsbDiskEhci => &["usb-ehci,id=usb", USB_DISK],
        Attachment::VirtioBlk => &["virtio-blk-pci,id=drive,drive=disc,bootindex=1"],
        // A card has no boot index; it is the only drive.
        Attachment::SdCard => &["sdhci-pci", "sd-card,id=drive,drive=disc"],
        // The namespace is a device of its own: QEMU names the controller's bus like the controller, and its property
        // `drive` leaves no room for a bus of that name. A controller must have a serial number.
        Attachment::Nvme => &[
            "nvme,id=nvme,serial=disc",
            "nvme-ns,id=drive,bus=nvme,drive=disc,bootindex=1",
        ],
    }
}

// usb-storage knows only disks; a CD needs the transport and the drive apart.
const BOT: &str = "usb-bot,bus=usb.0,id=bot";
const USB_CD: &str = "scsi-cd,id=drive,bus=bot.0,drive=disc,bootindex=1";
const USB_DISK: &str = "usb-storage,id=drive,bus=usb.0,drive=disc,bootindex=1";

/// Whether a drive can be written to. Then an empty layer on top of the disc takes the writes. QEMU refuses a read-only SD card, and a stick with write protection
/// is rare: Limine 8.2 hangs with one under OVMF.
pub(super) const fn wants_to_write(drive: Drive) -> bool {
    matches!(drive, Drive::SdCard | Drive::ScsiDisk)
}

/// The reason why a machine with such a drive cannot start from a checkpoint; `None` if it can.
pub(super) fn why_cold(attachment: Attachment) -> Option<&'static str> {
    let wiring = attachment.wiring();
    if wiring.is_slow {
        return Some("in a machine that was restored, a transfer over UHCI times out now and then");
    }
    (wiring.drive == Drive::NvmeDisk).then_some("QEMU cannot save the state of an NVMe controller")
}
