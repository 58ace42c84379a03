//! The programs that a BIOS starts from a disc, by short markers in them: in a boot image, and in the first sector of a stick.

use super::Window;
use crate::{
    bytes::le64,
    units::{ByteCount, VirtualSectorCount},
};

/// How many bytes of an image are searched for the name of its loader.
const SEARCHED: usize = 32 * 1024;

/// A program in a boot image without emulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BiosProgram {
    /// isolinux, of this major version where it says one.
    Isolinux(Option<u8>),
    /// GRUB's image for El Torito: `cdboot.img` and a core image behind it.
    Grub,
    /// Microsoft's `etfsboot.com`.
    Etfsboot,
    Unknown,
}

impl BiosProgram {
    /// The program that starts at a byte of the disc.
    pub(crate) fn read(disc: &mut Window<'_>, start: u64) -> Self {
        Self::read_within(disc, start, SEARCHED)
    }

    /// The program in a boot image that is a file of this length, if that is known. The next file on the disc may be another loader.
    pub(crate) fn of_image(disc: &mut Window<'_>, start: u64, file: Option<ByteCount>) -> Self {
        let most = file.and_then(|length| usize::try_from(length.get()).ok());
        Self::read_within(disc, start, most.unwrap_or(SEARCHED).min(SEARCHED))
    }

    fn read_within(disc: &mut Window<'_>, start: u64, most: usize) -> Self {
        let mut head = vec![0; most];
        let size = disc.read(start, &mut head);
        head.truncate(size);
        Self::of(&head)
    }

    /// Whether a known program begins at a byte of the disc, and not somewhere before it.
    pub(crate) fn begins_at(disc: &mut Window<'_>, start: u64) -> bool {
        match Self::read(disc, start) {
            // It begins with CLI and a far jump to segment 0 (`core/isolinux.asm`).
            Self::Isolinux(_) => {
                matches!(disc.array(start), Some([0xFA, 0xEA, _, 0x7C, 0x00, 0x00]))
            }
            Self::Grub | Self::Etfsboot => true,
            Self::Unknown => false,
        }
    }

    fn of(head: &[u8]) -> Self {
        // `grub-core/boot/i386/pc/cdboot.S`.
        let first = head.get(..2_048).unwrap_or(head);
        if has(first, b"no boot info\0") && has(first, b"cdrom read fails\0") {
            return Self::Grub;
        }
        if has(head, b"CDBOOT: ") && has(head, b"BOOTMGR") {
            return Self::Etfsboot;
        }
        let name = b"isolinux";
        let mut places = memchr::memchr2_iter(b'i', b'I', head).filter(|&at| {
            let word = head.get(at..at + name.len());
            word.is_some_and(|word| word.eq_ignore_ascii_case(name))
        });
        if places.clone().next().is_none() {
            return Self::Unknown;
        }
        // `ISOLINUX 6.04 20191223`.
        let version = places.find_map(|at| {
            let digit = *head.get(at + name.len() + 1)?;
            let is_version = head.get(at + name.len()) == Some(&b' ')
                && digit.is_ascii_digit()
                && head.get(at + name.len() + 2) == Some(&b'.');
            is_version.then(|| digit - b'0')
        });
        Self::Isolinux(version)
    }

    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Isolinux(_) => "isolinux",
            Self::Grub => "GRUB's El Torito image",
            Self::Etfsboot => "etfsboot.com",
            Self::Unknown => "a program that is not known",
        }
    }

    pub(crate) const fn is_isolinux(self) -> bool {
        matches!(self, Self::Isolinux(_))
    }

    /// How many virtual sectors must be loaded before it reads for itself.
    pub(crate) const fn needs(self) -> Option<VirtualSectorCount> {
        match self {
            Self::Isolinux(_) | Self::Grub => Some(VirtualSectorCount::new(4)),
            Self::Etfsboot => Some(VirtualSectorCount::new(8)),
            Self::Unknown => None,
        }
    }
}

/// `MOV EAX, [7C0Ch]`: where a boot-info table has the image's address (mkisofs(8), `-boot-info-table`).
const READS_TABLE: &[u8] = &[0x66, 0xA1, 0x0C, 0x7C];

/// Whether the code that begins an image takes its own address from a boot-info table, as GRUB 0.97's and Limine's does.
pub(crate) fn reads_table(disc: &mut Window<'_>, start: u64) -> bool {
    let mut head = vec![0; 2_048];
    let size = disc.read(start, &mut head);
    head.truncate(size);
    has(&head, READS_TABLE)
}

/// What boot sectors of floppies and of hard disks say, of DOS, Windows, FreeDOS, syslinux and mkfs.fat: each reads on from the drive that it was started from.
const OF_DRIVES: [&[u8]; 12] = [
    b"SYSLINUX",
    b"Boot error\r\n",
    b"MSDOS5.0",
    b"FRDOS",
    b"FreeDOS",
    b"IO      SYS",
    b"NTLDR",
    b"KERNEL  SYS",
    b"This is not a bootable disk",
    b"Missing operating system",
    b"Invalid partition table",
    b"Non-System disk",
];

/// Whether a boot sector is known to read the rest from its own drive, in sectors of 512 bytes.
pub(crate) fn reads_own_drive(sector: &[u8; 512]) -> bool {
    let code = SectorCode::of(sector);
    matches!(code, SectorCode::GrubDisk(_) | SectorCode::ActivePartition)
        || has(sector, GRUB_WORDS)
        || OF_DRIVES.iter().any(|words| has(sector, words))
}

fn has(bytes: &[u8], marker: &[u8]) -> bool {
    memchr::memmem::find(bytes, marker).is_some()
}

/// Bytes of the first sector that can be code: the partition table is behind them.
pub(crate) const CODE: usize = 440;
/// Where hybrid boot code has the address of its boot image.
pub(crate) const POINTER: usize = 0x1B0;

/// What a BIOS starts from a stick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SectorCode {
    /// Every byte of the sector is zero.
    Empty,
    /// A table, and zeros where code would be, or no more than Apple's driver descriptor.
    None,
    /// isolinux' `isohdpfx.bin`, which points to its boot image in sectors of 512 bytes.
    Isohdpfx(u64),
    /// GRUB's `boot_hybrid.img`, which points to the second block of its boot image.
    GrubHybrid(u64),
    /// GRUB's `boot.img`, of which `grub-install` writes where its core image is: on a disk, most often sector 1.
    GrubDisk(u64),
    /// syslinux' `mbr.bin`, which starts the first sector of the active partition.
    ActivePartition,
    /// Something else.
    Other,
}

/// `movl kernel_sector, %ebx` of GRUB (`grub-core/boot/i386/pc/boot.S`), with the pointer of a hybrid disc and with that of a disk.
const LOAD_HYBRID_POINTER: &[u8] = &[0x66, 0x8B, 0x1E, 0xB0, 0x7D];
const LOAD_DISK_POINTER: &[u8] = &[0x66, 0x8B, 0x1E, 0x5C, 0x7C];
/// GRUB 0.97 has the same words, and another instruction.
const GRUB_WORDS: &[u8] = b"GRUB \0Geom\0Hard Disk\0Read\0";

/// Whether a sector begins a core image of GRUB for a disk (`grub-core/boot/i386/pc/diskboot.S`): it pushes DX and SI.
pub(crate) fn begins_core_for_disk(sector: &[u8; 512]) -> bool {
    sector.starts_with(&[0x52, 0x56]) && has(sector, b"Geom\0Read\0 Error\0")
}

/// Whether a sector has Apple's driver descriptor (Inside Macintosh: Devices, "Block0"), and zeros after its fields. Code can begin with the same two letters:
/// they are harmless instructions.
fn is_apple_descriptor_alone(code: &[u8]) -> bool {
    const FIELDS: usize = 18;
    code.starts_with(b"ER") && code.iter().skip(FIELDS).all(|&byte| byte == 0)
}

impl SectorCode {
    pub(crate) fn of(sector: &[u8; 512]) -> Self {
        let code = sector.get(..CODE).unwrap_or(sector);
        let pointer = le64(sector, POINTER);
        if sector.iter().all(|&byte| byte == 0) {
            Self::Empty
        } else if code.iter().all(|&byte| byte == 0) || is_apple_descriptor_alone(code) {
            Self::None
        } else if has(code, b"isolinux.bin missing or corrupt") {
            Self::Isohdpfx(pointer)
        } else if has(code, LOAD_HYBRID_POINTER) && has(code, GRUB_WORDS) {
            Self::GrubHybrid(pointer)
        } else if has(code, LOAD_DISK_POINTER) && has(code, GRUB_WORDS) {
            Self::GrubDisk(le64(sector, 0x5C))
        } else if has(code, b"Missing operating system.\r\n")
            && has(code, b"Multiple active partitions.\r\n")
        {
            // `mbr/mbr.S`. What Windows writes has no such words for several.
            Self::ActivePartition
        } else {
            Self::Other
        }
    }

    /// Whether there is code.
    pub(crate) const fn is_code(self) -> bool {
        !matches!(self, Self::Empty | Self::None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loaders_are_known_by_their_words() {
        let check = |words: &[u8], program| assert_eq!(BiosProgram::of(words), program);
        check(
            b"...\r\nISOLINUX 6.04 2019...",
            BiosProgram::Isolinux(Some(6)),
        );
        check(
            b"isolinux: Loading spec packet",
            BiosProgram::Isolinux(None),
        );
        check(b"no boot info\0cdrom read fails\0", BiosProgram::Grub);
        check(b"CDBOOT: Cannot boot ... BOOTMGR", BiosProgram::Etfsboot);
        check(b"no boot info", BiosProgram::Unknown);
        check(b"", BiosProgram::Unknown);
    }

    #[test]
    fn a_first_sector_is_known_by_its_words() {
        let sector = |words: &[u8], pointer: u64| {
            let mut sector = [0; 512];
            sector[16..16 + words.len()].copy_from_slice(words);
            sector[POINTER..POINTER + 8].copy_from_slice(&pointer.to_le_bytes());
            sector
        };
        assert_eq!(SectorCode::of(&[0; 512]), SectorCode::Empty);
        let mut table = [0; 512];
        table[510..].copy_from_slice(&[0x55, 0xAA]);
        assert_eq!(SectorCode::of(&table), SectorCode::None);
        // As xorriso writes it.
        table[..10].copy_from_slice(b"ER\x08\0\0\0\xEB\x02\xFF\xFF");
        assert_eq!(SectorCode::of(&table), SectorCode::None);
        table[40] = 0xFA;
        assert_eq!(SectorCode::of(&table), SectorCode::Other);
        let code = SectorCode::of(&sector(b"isolinux.bin missing or corrupt", 7));
        assert_eq!(code, SectorCode::Isohdpfx(7));
        let grub =
            |load: &[u8]| sector(&[load, b"GRUB \0Geom\0Hard Disk\0Read\0 Error"].concat(), 9);
        assert_eq!(
            SectorCode::of(&grub(LOAD_HYBRID_POINTER)),
            SectorCode::GrubHybrid(9)
        );
        let mut disk = grub(LOAD_DISK_POINTER);
        disk[0x5C] = 1;
        assert_eq!(SectorCode::of(&disk), SectorCode::GrubDisk(1));
        // As of GRUB 0.97.
        assert_eq!(SectorCode::of(&grub(b"")), SectorCode::Other);
        let words = b"Missing operating system.\r\n Multiple active partitions.\r\n";
        assert_eq!(
            SectorCode::of(&sector(words, 0)),
            SectorCode::ActivePartition
        );
        assert_eq!(SectorCode::of(&sector(b"other", 9)), SectorCode::Other);
    }
}
