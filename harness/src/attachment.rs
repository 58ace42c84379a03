//! How a disc hangs on the machine. To add an attachment: a variant, its word, and its wiring in `Attachment::wiring`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::outcome::kebab_display;

/// How a disc hangs on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attachment {
    /// An ATAPI drive on the PIIX3 IDE controller of an i440FX machine.
    Ide,
    /// A SATA ATAPI drive on the ICH9 AHCI controller of a Q35 machine.
    Ahci,
    /// A SCSI CD drive.
    Scsi,
    /// A USB CD drive on an xHCI controller.
    UsbCd,
    /// The disc's bytes as a USB stick with 512-byte blocks, on an xHCI controller.
    UsbDisk,
    /// The disc's bytes as a virtio disk with 512-byte blocks.
    VirtioBlk,
    /// A SATA ATAPI drive behind another one without a disc.
    AhciSecond,
    /// A SATA ATAPI drive behind a hard disk without boot code.
    AhciAfterDisk,
    /// A USB CD drive on a UHCI controller (USB 1.1).
    UsbCdUhci,
    /// A USB CD drive on an EHCI controller (USB 2.0), as a management controller (BMC) presents its virtual CD.
    UsbCdEhci,
    /// A USB stick on a UHCI controller (USB 1.1).
    UsbDiskUhci,
    /// A USB stick on an EHCI controller (USB 2.0).
    UsbDiskEhci,
    /// The disc's bytes on an SD card, in an SDHCI reader on PCI.
    SdCard,
    /// The disc's bytes as an NVMe disk with 512-byte blocks.
    Nvme,
}

kebab_display!(Attachment {
    Ide => "ide",
    Ahci => "ahci",
    Scsi => "scsi",
    UsbCd => "usb-cd",
    UsbDisk => "usb-disk",
    VirtioBlk => "virtio-blk",
    AhciSecond => "ahci-second",
    AhciAfterDisk => "ahci-after-disk",
    UsbCdUhci => "usb-cd-uhci",
    UsbCdEhci => "usb-cd-ehci",
    UsbDiskUhci => "usb-disk-uhci",
    UsbDiskEhci => "usb-disk-ehci",
    SdCard => "sd-card",
    Nvme => "nvme",
});

/// What users say, and the attachment that they mean.
pub(crate) const SYNONYMS: [(&str, &str); 3] = [
    ("sata", "ahci"),
    ("atapi", "ide"),
    ("usb-stick", "usb-disk"),
];

/// What a machine and its observers need to know of an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wiring {
    /// What the machine must have of its own.
    pub(crate) controller: Controller,
    /// What the guest takes the disc for, and the emulator's words about its reads.
    pub(crate) drive: Drive,
    /// How the disc comes and goes while the machine runs; `None` where it cannot.
    pub(crate) removal: Option<Removal>,
    /// Whether the controller moves a few packets in a millisecond.
    pub(crate) is_slow: bool,
    /// Whether the machine also has a blank hard disk, as the node `blank`.
    pub(crate) has_blank_disk: bool,
}

/// The controller that a drive is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Controller {
    /// The machine's own IDE controller.
    OwnIde,
    /// The machine's own SATA controller.
    OwnSata,
    /// A device on PCI.
    Pci,
}

/// What the guest takes the disc for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drive {
    /// A CD drive that takes packets over ATA.
    Atapi,
    /// A CD drive that takes SCSI commands, over whatever carries them.
    ScsiCd,
    /// A disk that takes SCSI commands.
    ScsiDisk,
    /// A virtio disk.
    VirtioDisk,
    /// An SD card. The emulator wants one that can be written, and of a length that is a power of two.
    SdCard,
    /// A namespace of an NVMe controller.
    NvmeDisk,
}

impl Drive {
    const fn is_disk(self) -> bool {
        match self {
            Self::Atapi | Self::ScsiCd => false,
            Self::ScsiDisk | Self::VirtioDisk | Self::SdCard | Self::NvmeDisk => true,
        }
    }

    /// Why a machine with it cannot start from a checkpoint on any emulator; nothing when it can.
    pub(crate) const fn why_cold(self) -> Option<&'static str> {
        match self {
            Self::SdCard => Some("a BIOS asks a card for its length in its power-on self-test"),
            Self::Atapi | Self::ScsiCd | Self::ScsiDisk | Self::VirtioDisk | Self::NvmeDisk => None,
        }
    }
}

/// How a disc comes and goes while the machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    /// By the drive's tray.
    Tray,
    /// With the drive, a USB stick.
    Plug,
}

/// A word that names no attachment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no attachment is called {0:?}")]
pub struct UnknownAttachment(pub String);

impl FromStr for Attachment {
    type Err = UnknownAttachment;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|attachment| attachment.as_str() == text)
            .ok_or_else(|| UnknownAttachment(text.to_owned()))
    }
}

impl Attachment {
    /// Those by which a disc is booted that nobody named an attachment for: one of each kind of drive.
    pub const USUAL: &[Self] = &[
        Self::Ide,
        Self::Ahci,
        Self::Scsi,
        Self::UsbCd,
        Self::UsbDisk,
        Self::VirtioBlk,
    ];

    /// Whether the disc hangs there as a disk of 512-byte blocks, and not as a CD.
    #[must_use]
    pub const fn is_disk(self) -> bool {
        self.wiring().drive.is_disk()
    }

    pub(crate) const fn wiring(self) -> Wiring {
        use Controller::{OwnIde, OwnSata, Pci};
        match self {
            Self::Ide => Wiring::of(OwnIde, Drive::Atapi),
            Self::Ahci | Self::AhciSecond => Wiring::of(OwnSata, Drive::Atapi),
            Self::AhciAfterDisk => Wiring {
                has_blank_disk: true,
                ..Wiring::of(OwnSata, Drive::Atapi)
            },
            Self::Scsi | Self::UsbCd | Self::UsbCdEhci => Wiring::of(Pci, Drive::ScsiCd),
            Self::UsbCdUhci => Wiring::of(Pci, Drive::ScsiCd).slow(),
            Self::UsbDisk | Self::UsbDiskEhci => Wiring::of(Pci, Drive::ScsiDisk),
            Self::UsbDiskUhci => Wiring::of(Pci, Drive::ScsiDisk).slow(),
            Self::VirtioBlk => Wiring::of(Pci, Drive::VirtioDisk),
            Self::SdCard => Wiring::of(Pci, Drive::SdCard),
            Self::Nvme => Wiring::of(Pci, Drive::NvmeDisk),
        }
    }
}

impl Wiring {
    const fn slow(self) -> Self {
        Self {
            is_slow: true,
            ..self
        }
    }

    const fn of(controller: Controller, drive: Drive) -> Self {
        Self {
            controller,
            drive,
            removal: match drive {
                Drive::Atapi | Drive::ScsiCd => Some(Removal::Tray),
                Drive::ScsiDisk => Some(Removal::Plug),
                Drive::VirtioDisk | Drive::SdCard | Drive::NvmeDisk => None,
            },
            is_slow: false,
            has_blank_disk: false,
        }
    }
}
