use crate::bytes::padded;

/// Bytes in every slot of the catalog.
pub const ENTRY_BYTES: usize = 32;

/// One slot of the catalog as it stands on the disc: any bytes.
pub type EntryBytes = [u8; ENTRY_BYTES];

/// The platform id of a validation entry or section header (El Torito §2.1; EFh: UEFI 13.3.2.1). The
/// specification leaves the other values open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
/// bits 5–7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
}

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
