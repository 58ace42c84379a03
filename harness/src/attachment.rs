//! How a disc hangs on the machine.

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
    /// The disc's bytes as a USB stick with 512-byte blocks.
    UsbDisk,
    /// The disc's bytes as a virtio disk with 512-byte blocks.
    VirtioBlk,
}

kebab_display!(Attachment {
    Ide => "ide",
    Ahci => "ahci",
    Scsi => "scsi",
    UsbCd => "usb-cd",
    UsbDisk => "usb-disk",
    VirtioBlk => "virtio-blk",
});

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
    /// Whether the disc hangs there as a disk of 512-byte blocks, and not as a CD.
    #[must_use]
    pub const fn is_disk(self) -> bool {
        matches!(self, Self::UsbDisk | Self::VirtioBlk)
    }
}
