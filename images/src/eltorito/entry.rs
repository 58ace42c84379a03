use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::BOOT_RECORD_LBA;
use crate::{bytes::padded, units::BlockCount};

/// Bytes in every slot of the catalog.
pub const ENTRY_BYTES: usize = 32;

/// One slot of the catalog as it stands on the disc: any bytes.
pub type EntryBytes = [u8; ENTRY_BYTES];

/// The platform id of a validation entry or section header (El Torito §2.1; EFh: UEFI 13.3.2.1). The
/// specification leaves the other values open. As text `x86`, `powerpc`, `mac`, `efi`, or a number such as `0xFE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Platform(pub u8);

impl Platform {
    /// 80x86.
    pub const X86: Self = Self(0x00);
    /// PowerPC.
    pub const POWER_PC: Self = Self(0x01);
    /// Mac.
    pub const MAC: Self = Self(0x02);
    /// UEFI.
    pub const EFI: Self = Self(0xEF);
}

/// The boot media type of an entry (El Torito §2.2): the emulation in bits 0–3; in section entries flags in
/// bits 5–7. As text `none`, `floppy-1200k`, `floppy-1440k`, `floppy-2880k`, `hard-disk`, or for any other byte a
/// number such as `0x20`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct MediaType(pub u8);

impl MediaType {
    /// No emulation.
    pub const NO_EMULATION: Self = Self(0);
    /// 1.2 MB floppy.
    pub const FLOPPY_1200K: Self = Self(1);
    /// 1.44 MB floppy.
    pub const FLOPPY_1440K: Self = Self(2);
    /// 2.88 MB floppy.
    pub const FLOPPY_2880K: Self = Self(3);
    /// Hard disk, drive 80h.
    pub const HARD_DISK: Self = Self(4);
    /// Section entries, bit 5: a continuation (an extension) follows.
    pub const CONTINUATION: u8 = 1 << 5;
    /// Section entries, bit 6: the image contains an ATAPI driver.
    pub const ATAPI_DRIVER: u8 = 1 << 6;
    /// Section entries, bit 7: the image contains SCSI drivers.
    pub const SCSI_DRIVER: u8 = 1 << 7;

    /// The emulation alone, bits 0–3.
    #[must_use]
    pub const fn emulation(self) -> Self {
        Self(self.0 & 0x0F)
    }
}

/// A byte that has names for some of its values.
trait NamedByte: Sized {
    const NAMES: &'static [(&'static str, u8)];
    const KIND: &'static str;

    fn show(byte: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMES.iter().find(|&&(_, named)| named == byte) {
            Some((name, _)) => f.pad(name),
            None => f.pad(&format!("0x{byte:02X}")),
        }
    }

    fn read(text: &str) -> Result<u8, UnknownCode> {
        let named = Self::NAMES.iter().find(|&&(name, _)| name == text);
        let number = || u8::from_str_radix(text.strip_prefix("0x")?, 16).ok();
        named
            .map(|&(_, byte)| byte)
            .or_else(number)
            .ok_or_else(|| UnknownCode {
                kind: Self::KIND,
                text: text.to_owned(),
            })
    }
}

/// A word that is neither the name nor the number of a code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {kind}")]
pub struct UnknownCode {
    kind: &'static str,
    text: String,
}

impl NamedByte for Platform {
    const KIND: &'static str = "platform";
    const NAMES: &'static [(&'static str, u8)] = &[
        ("x86", Self::X86.0),
        ("powerpc", Self::POWER_PC.0),
        ("mac", Self::MAC.0),
        ("efi", Self::EFI.0),
    ];
}

impl NamedByte for MediaType {
    const KIND: &'static str = "media type";
    const NAMES: &'static [(&'static str, u8)] = &[
        ("none", Self::NO_EMULATION.0),
        ("floppy-1200k", Self::FLOPPY_1200K.0),
        ("floppy-1440k", Self::FLOPPY_1440K.0),
        ("floppy-2880k", Self::FLOPPY_2880K.0),
        ("hard-disk", Self::HARD_DISK.0),
    ];
}

macro_rules! named_byte {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Self::show(self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = UnknownCode;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::read(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = UnknownCode;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> Self {
                code.to_string()
            }
        }
    };
}

named_byte!(Platform);
named_byte!(MediaType);

/// Boot indicator of an entry that boots.
pub const BOOTABLE: u8 = 0x88;
/// Boot indicator of an entry that does not.
pub const NOT_BOOTABLE: u8 = 0x00;

/// The validation entry, slot 0 (El Torito §2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationEntry {
    /// The platform of the initial entry.
    pub platform: Platform,
    /// Who made the disc, at most 24 bytes of ASCII.
    pub id: String,
}

impl ValidationEntry {
    /// The entry's bytes; its checksum makes the sixteen little-endian words sum to 0.
    #[must_use]
    pub fn encode(&self) -> EntryBytes {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[0] = 0x01;
        bytes[1] = self.platform.0;
        bytes[0x04..0x1C].copy_from_slice(&padded::<24>(&self.id, 0));
        bytes[0x1E..].copy_from_slice(&[0x55, 0xAA]);
        let sum = word_sum(&bytes);
        bytes[0x1C..0x1E].copy_from_slice(&0_u16.wrapping_sub(sum).to_le_bytes());
        bytes
    }
}

/// A validation entry as it stands on the disc: any bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawValidation {
    /// Byte 0, which should be 01.
    pub header: u8,
    /// The platform of the initial entry.
    pub platform: Platform,
    /// Who made the disc.
    pub id: String,
    /// The sum of the sixteen little-endian words, which should be 0.
    pub word_sum: u16,
    /// The last two bytes, which should be 55 AA.
    pub key: [u8; 2],
}

impl RawValidation {
    /// Byte 0 of a validation entry.
    pub const HEADER: u8 = 0x01;
    /// Its last two bytes.
    pub const KEY: [u8; 2] = [0x55, 0xAA];

    /// The validation entry that these bytes are, whatever they are.
    #[must_use]
    pub fn decode(bytes: &EntryBytes) -> Self {
        Self {
            header: bytes[0],
            platform: Platform(bytes[1]),
            id: text(&bytes[0x04..0x1C]),
            word_sum: word_sum(bytes),
            key: [bytes[0x1E], bytes[0x1F]],
        }
    }
}

/// The text of a field that zeros or spaces pad.
fn text(field: &[u8]) -> String {
    crate::bytes::text(field)
}

/// The sum of an entry's sixteen little-endian words, which is 0 in a right validation entry.
#[must_use]
pub(crate) fn word_sum(entry: &EntryBytes) -> u16 {
    entry.as_chunks::<2>().0.iter().fold(0, |sum: u16, word| {
        sum.wrapping_add(u16::from_le_bytes(*word))
    })
}

/// The initial entry, slot 1 (El Torito §2.2), and the part that section entries share with it (§2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootEntry {
    /// 88h bootable, 00 not; anything else is wrong.
    pub indicator: u8,
    /// The emulation.
    pub media: MediaType,
    /// Where the BIOS loads the image; 0 means 07C0.
    pub load_segment: u16,
    /// The type byte of the image's partition-table entry.
    pub system_type: u8,
    /// How many **512-byte virtual sectors** the BIOS loads.
    pub sector_count: u16,
    /// Where the image starts, in **2048-byte blocks**.
    pub load_rba: u32,
}

impl BootEntry {
    /// The entry that these bytes are, whatever they are.
    #[must_use]
    pub const fn decode(bytes: &EntryBytes) -> Self {
        Self {
            indicator: bytes[0],
            media: MediaType(bytes[1]),
            load_segment: u16::from_le_bytes([bytes[2], bytes[3]]),
            system_type: bytes[4],
            sector_count: u16::from_le_bytes([bytes[6], bytes[7]]),
            load_rba: u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]),
        }
    }

    /// Whether it can be an entry of a disc of so many blocks: its image is on the disc, behind the descriptors.
    pub(crate) const fn is_plausible(&self, disc: BlockCount) -> bool {
        let image = self.load_rba as u64;
        matches!(self.indicator, BOOTABLE | NOT_BOOTABLE)
            && self.media.0 <= MediaType::HARD_DISK.0
            && image > BOOT_RECORD_LBA.get()
            && image < disc.get()
    }

    /// The entry's bytes.
    #[must_use]
    pub fn encode(&self) -> EntryBytes {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[0] = self.indicator;
        bytes[1] = self.media.0;
        bytes[2..4].copy_from_slice(&self.load_segment.to_le_bytes());
        bytes[4] = self.system_type;
        bytes[6..8].copy_from_slice(&self.sector_count.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.load_rba.to_le_bytes());
        bytes
    }
}

/// Whether more section headers follow (El Torito §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderIndicator {
    /// 90h.
    MoreFollow,
    /// 91h.
    Last,
}

/// A section header (El Torito §2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionHeader {
    /// Whether it is the last one.
    pub indicator: HeaderIndicator,
    /// The platform of its entries.
    pub platform: Platform,
    /// How many section entries follow it.
    pub entries: u16,
    /// The section's name, at most 28 bytes of ASCII.
    pub id: String,
}

impl SectionHeader {
    /// The header that these bytes are; `None` when they begin with neither 90 nor 91.
    #[must_use]
    pub fn decode(bytes: &EntryBytes) -> Option<Self> {
        let indicator = match bytes[0] {
            0x90 => HeaderIndicator::MoreFollow,
            0x91 => HeaderIndicator::Last,
            _ => return None,
        };
        Some(Self {
            indicator,
            platform: Platform(bytes[1]),
            entries: u16::from_le_bytes([bytes[2], bytes[3]]),
            id: text(&bytes[4..]),
        })
    }

    /// The header's bytes.
    #[must_use]
    pub fn encode(&self) -> EntryBytes {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[0] = match self.indicator {
            HeaderIndicator::MoreFollow => 0x90,
            HeaderIndicator::Last => 0x91,
        };
        bytes[1] = self.platform.0;
        bytes[2..4].copy_from_slice(&self.entries.to_le_bytes());
        bytes[4..].copy_from_slice(&padded::<28>(&self.id, 0));
        bytes
    }
}

/// By what a BIOS may choose a section entry (El Torito §2.4): type 0 none, 1 language and version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelectionCriteria {
    /// 0 none, 1 language and version information, the rest reserved.
    pub kind: u8,
    /// Vendor-unique data.
    pub data: [u8; 19],
}

impl SelectionCriteria {
    /// Writes the criteria into a section entry.
    pub(crate) fn encode_into(self, entry: &mut EntryBytes) {
        entry[0x0C] = self.kind;
        entry[0x0D..].copy_from_slice(&self.data);
    }
}

/// A section entry extension (El Torito §2.5): more selection criteria.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Vendor-unique data.
    pub data: [u8; 30],
}

impl Extension {
    /// The extension's bytes.
    #[must_use]
    pub fn encode(&self, more_follow: bool) -> EntryBytes {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[0] = 0x44;
        bytes[1] = if more_follow { 1 << 5 } else { 0 };
        bytes[2..].copy_from_slice(&self.data);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_written_and_read_as_text() {
        for byte in 0..=255 {
            let (platform, media) = (Platform(byte), MediaType(byte));
            assert_eq!(platform.to_string().parse(), Ok(platform));
            assert_eq!(media.to_string().parse(), Ok(media));
        }
        assert_eq!(Platform::EFI.to_string(), "efi");
        assert_eq!(Platform(0xFE).to_string(), "0xFE");
        assert_eq!(MediaType(0x24).to_string(), "0x24");
        assert!("uefi".parse::<Platform>().is_err());
        let told = "CD".parse::<MediaType>().unwrap_err().to_string();
        assert_eq!(told, "\"CD\" is no media type");
        assert_eq!(String::from(Platform::POWER_PC), "powerpc");
        assert_eq!(
            MediaType::try_from("floppy-2880k".to_owned()),
            Ok(MediaType(3))
        );
    }

    #[test]
    fn emulation_is_the_low_half_of_the_media_type() {
        for media in [MediaType(0xE4), MediaType(MediaType::CONTINUATION | 4)] {
            assert_eq!(media.emulation(), MediaType::HARD_DISK);
        }
        assert_eq!(MediaType(0x0F).emulation(), MediaType(0x0F));
        // El Torito §2.4, figure 5.
        let flags = [
            MediaType::CONTINUATION,
            MediaType::ATAPI_DRIVER,
            MediaType::SCSI_DRIVER,
        ];
        assert_eq!(flags, [0x20, 0x40, 0x80]);
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let entry = BootEntry {
            indicator: BOOTABLE,
            media: MediaType::HARD_DISK,
            load_segment: 0x1234,
            system_type: 6,
            sector_count: 0x5678,
            load_rba: 0x9ABC_DEF0,
        };
        assert_eq!(BootEntry::decode(&entry.encode()), entry);
        let header = SectionHeader {
            indicator: HeaderIndicator::Last,
            platform: Platform::EFI,
            entries: 513,
            id: "section".to_owned(),
        };
        assert_eq!(
            SectionHeader::decode(&header.encode()),
            Some(header.clone())
        );
        let more = SectionHeader {
            indicator: HeaderIndicator::MoreFollow,
            ..header
        };
        assert_eq!(more.encode()[0], 0x90);
        assert_eq!(SectionHeader::decode(&more.encode()), Some(more));
        assert_eq!(SectionHeader::decode(&[0x88; ENTRY_BYTES]), None);
        let validation = ValidationEntry {
            platform: Platform::MAC,
            id: "maker".to_owned(),
        };
        let raw = RawValidation::decode(&validation.encode());
        assert_eq!(
            (
                raw.header,
                raw.platform,
                raw.id.as_str(),
                raw.word_sum,
                raw.key
            ),
            (1, Platform::MAC, "maker", 0, [0x55, 0xAA])
        );
    }
}
