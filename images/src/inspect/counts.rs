//! Sector counts: what each firmware makes of them, and how they come to be wrong.

use super::reading::BootReading;
use crate::{
    eltorito::MediaType,
    units::{BlockCount, ByteCount, VirtualSectorCount},
};

/// The most that SeaBIOS was seen to load without overwriting itself.
pub(crate) const LOADABLE: VirtualSectorCount = VirtualSectorCount::new(1_800);
/// The first count that a 16-bit field cannot hold.
const WRAP: u64 = 65_536;

/// How the count of an EFI entry is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WrongCount {
    /// It is a length modulo 65,536.
    Wrapped { length: VirtualSectorCount },
    /// It is a length in blocks.
    Unit { length: VirtualSectorCount },
    /// It covers a small part of the file system.
    Short { file_system: VirtualSectorCount },
}

impl WrongCount {
    pub(crate) fn of_efi(boot: &BootReading) -> Option<Self> {
        let count = boot.sector_count;
        let file_system = boot.own_length.filter(|length| *length > count)?;
        if !is_counted(boot) {
            return None;
        }
        let lengths = [
            Some(file_system),
            boot.file_bytes.map(ByteCount::virtual_sectors_rounded_up),
        ];
        let lengths = || lengths.into_iter().flatten();
        if let Some(length) = lengths().find(|&length| is_wrapped(length, count)) {
            return Some(Self::Wrapped { length });
        }
        let in_blocks = |length: &VirtualSectorCount| {
            let blocks = [length.whole_blocks(), length.blocks_rounded_up()];
            blocks.iter().any(|blocks| blocks.get() == count.get())
        };
        if let Some(length) = lengths().find(in_blocks) {
            return Some(Self::Unit { length });
        }
        // Taken in blocks, as OVMF does, it is still too short.
        (BlockCount::new(count.get()).virtual_sectors() < file_system)
            .then_some(Self::Short { file_system })
    }
}

/// Whether a count is a length modulo 65,536: as it is, or in whole blocks, as mkisofs counts.
fn is_wrapped(length: VirtualSectorCount, count: VirtualSectorCount) -> bool {
    let in_blocks = length.blocks_rounded_up().virtual_sectors();
    let wraps =
        |length: VirtualSectorCount| length.get() >= WRAP && length.get() % WRAP == count.get();
    wraps(length) || wraps(in_blocks)
}

/// The length of a BIOS image of which the count is that length modulo 65,536.
pub(crate) fn wrapped_on_a_bios(boot: &BootReading) -> Option<VirtualSectorCount> {
    let length = boot
        .file_bytes
        .map(ByteCount::virtual_sectors_rounded_up)
        .or(boot.own_length);
    length.filter(|&length| is_wrapped(length, boot.sector_count))
}

/// Whether an EFI entry's count says where its image ends.
pub(crate) fn is_counted(boot: &BootReading) -> bool {
    has_no_emulation(boot) && boot.sector_count.get() >= 2
}

/// Whether an EFI entry's image reaches to the end of the volume: count 0 or 1 (EDK2 `ElTorito.c`).
pub(crate) fn is_open_ended(boot: &BootReading) -> bool {
    has_no_emulation(boot) && boot.sector_count.get() < 2
}

fn has_no_emulation(boot: &BootReading) -> bool {
    boot.media.emulation() == MediaType::NO_EMULATION && boot.extent_blocks.is_some()
}

/// The length of an image in blocks, by the file that it is or by what it says itself.
pub(crate) fn blocks_of(boot: &BootReading) -> Option<BlockCount> {
    let own = boot.own_length.map(VirtualSectorCount::blocks_rounded_up);
    own.or(boot.file_bytes.map(ByteCount::blocks_rounded_up))
}
