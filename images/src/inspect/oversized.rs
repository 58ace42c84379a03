//! KB912666: a boot image that takes four times its length, because it was counted in 512-byte sectors and written in
//! 2048-byte ones.

use super::{Window, reading::BootReading};
use crate::units::{
    BLOCK_BYTES, BlockCount, ByteCount, Lba, VIRTUAL_SECTOR_BYTES, VirtualSector,
    VirtualSectorCount,
};

/// Places that are looked at in an extent, however long it is.
const SAMPLES: u64 = 1_024;

/// The longest image that is put together again: 8 MiB, which takes 32 MiB on the disc.
const JOINED: VirtualSectorCount = VirtualSectorCount::new(16 * 1_024);

/// What fills the extent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fourfold {
    /// The image, then three times as much filler.
    Tail,
    /// Each virtual sector of the image in a block of its own.
    Spread,
}

/// The blocks that the defect writes for an image: as many as it has virtual sectors.
pub(crate) const fn written(length: VirtualSectorCount) -> BlockCount {
    BlockCount::new(length.get())
}

/// Whether the image's file, or the room to what comes next, is exactly what the defect writes.
pub(crate) fn takes_fourfold(boot: &BootReading, length: VirtualSectorCount) -> bool {
    let written = written(length);
    match boot.file_bytes {
        Some(file) => file == written.bytes(),
        None => boot.extent_blocks == Some(written),
    }
}

/// The finding's words.
pub(crate) fn message(
    slot: u16,
    boot: &BootReading,
    length: VirtualSectorCount,
    how: Fourfold,
) -> String {
    let taken = boot.path.as_ref().map_or_else(
        || "it takes".to_owned(),
        |path| format!("its file {path} has"),
    );
    let how = match how {
        Fourfold::Tail => "the rest is filler",
        Fourfold::Spread => "each sector stands alone in a block",
    };
    format!(
        "slot {slot}: the image has {length} ({}), and {taken} {}, exactly four times as much: {how}",
        length.bytes(),
        written(length).bytes().get()
    )
}

/// How the extent is filled, if it is as the defect does.
pub(crate) fn filling(
    disc: &mut Window<'_>,
    start: Lba,
    length: VirtualSectorCount,
) -> Option<Fourfold> {
    if has_filler_tail(disc, start, length) {
        Some(Fourfold::Tail)
    } else if is_spread(disc, start, length) {
        Some(Fourfold::Spread)
    } else {
        None
    }
}

/// The image whose sectors stand alone in blocks, in a row again, and zeros in what else it took; `None` where it is too long to be kept in
/// memory, or not all of it can be read.
pub(crate) fn joined(
    disc: &mut Window<'_>,
    start: Lba,
    length: VirtualSectorCount,
) -> Option<Vec<u8>> {
    if length > JOINED {
        return None;
    }
    let mut bytes = Vec::new();
    for number in 0..length.get() {
        let lba = start.plus(BlockCount::new(number));
        bytes.extend(disc.array::<{ VIRTUAL_SECTOR_BYTES as usize }>(lba.byte_offset())?);
    }
    bytes.resize(usize::try_from(written(length).bytes().get()).ok()?, 0);
    Some(bytes)
}

type Sector = [u8; VIRTUAL_SECTOR_BYTES as usize];

fn sector(disc: &mut Window<'_>, start: Lba, number: VirtualSector) -> Option<Sector> {
    disc.array(start.byte_offset().saturating_add(number.byte_offset()))
}

/// Numbers from `from` on to before `to`: all, or so many that are evenly spread, both ends among them.
fn samples(from: u64, to: u64) -> impl Iterator<Item = VirtualSector> {
    let span = to.saturating_sub(from);
    let step = span.div_ceil(SAMPLES).max(1);
    let last = span.checked_sub(1);
    (0..span)
        .step_by(usize::try_from(step).unwrap_or(usize::MAX))
        .chain(last)
        .map(move |number| VirtualSector::new(from + number))
}

/// Whether one byte fills the three quarters behind the image, or the image itself repeated.
fn has_filler_tail(disc: &mut Window<'_>, start: Lba, length: VirtualSectorCount) -> bool {
    let end = written(length).virtual_sectors();
    let mut constant = true;
    let mut repeated = true;
    let mut filler = None;
    for number in samples(length.get(), end.get()) {
        let Some(seen) = sector(disc, start, number) else {
            return false;
        };
        let byte = *filler.get_or_insert(seen[0]);
        constant &= seen == [byte; VIRTUAL_SECTOR_BYTES as usize];
        if repeated {
            let original = VirtualSector::new(number.get() % length.get().max(1));
            repeated = sector(disc, start, original) == Some(seen);
        }
        if !(constant || repeated) {
            return false;
        }
    }
    filler.is_some()
}

/// Whether one byte fills the last three quarters of every block, and something else stands before it.
fn is_spread(disc: &mut Window<'_>, start: Lba, length: VirtualSectorCount) -> bool {
    let mut filler = None;
    let mut anything = false;
    for block in samples(0, length.get()) {
        let lba = start.plus(BlockCount::new(block.get()));
        let Some(block) = disc.block(lba) else {
            return false;
        };
        let (image, rest) = block.split_at(VIRTUAL_SECTOR_BYTES as usize);
        let byte = *filler.get_or_insert(rest.first().copied().unwrap_or_default());
        anything |= image.iter().any(|&other| other != byte);
        if rest.iter().any(|&other| other != byte) {
            return false;
        }
    }
    anything
}

/// The bytes that the defect writes for an original of any length.
pub(crate) fn written_for(original: ByteCount) -> ByteCount {
    let sectors = original.virtual_sectors_rounded_up();
    ByteCount::new(sectors.get().saturating_mul(BLOCK_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sparse::SparseBytes;

    const IMAGE: VirtualSectorCount = VirtualSectorCount::new(4);

    /// An image of four virtual sectors, each of its own byte, written as four blocks from block 1 on.
    fn disc(write: impl Fn(u64, u8, &mut SparseBytes)) -> SparseBytes {
        let mut disc = SparseBytes::zeroed(5 * BLOCK_BYTES);
        for (number, byte) in (0..4).zip(1..) {
            write(number, byte, &mut disc);
        }
        disc
    }

    fn found(disc: &SparseBytes) -> Option<Fourfold> {
        filling(&mut Window::new(disc), Lba::new(1), IMAGE)
    }

    fn in_a_row(number: u64, byte: u8, disc: &mut SparseBytes) {
        disc.write_at(BLOCK_BYTES + number * VIRTUAL_SECTOR_BYTES, &[byte; 512]);
    }

    #[test]
    fn three_quarters_of_one_byte_are_a_tail() {
        assert_eq!(found(&disc(in_a_row)), Some(Fourfold::Tail));
        for at in [BLOCK_BYTES * 2, BLOCK_BYTES * 5 - 1] {
            let mut other = disc(in_a_row);
            other.write_at(at, b"x");
            assert_eq!(found(&other), None, "{at}");
        }
        let mut short = disc(in_a_row);
        short.set_len(5 * BLOCK_BYTES - 1);
        assert_eq!(found(&short), None);
    }

    #[test]
    fn the_image_again_and_again_is_a_tail() {
        let repeated = |number, byte, disc: &mut SparseBytes| {
            for copy in 0..4 {
                in_a_row(number + copy * IMAGE.get(), byte, disc);
            }
        };
        assert_eq!(found(&disc(repeated)), Some(Fourfold::Tail));
        let mut other = disc(repeated);
        other.write_at(BLOCK_BYTES * 5 - 1, b"x");
        assert_eq!(found(&other), None);
    }

    #[test]
    fn each_sector_in_a_block_of_its_own_is_spread() {
        let spread = |number: u64, byte: u8, disc: &mut SparseBytes| {
            disc.write_at((1 + number) * BLOCK_BYTES, &[0xF6; BLOCK_BYTES as usize]);
            disc.write_at((1 + number) * BLOCK_BYTES, &[byte; 512]);
        };
        assert_eq!(found(&disc(spread)), Some(Fourfold::Spread));
        for at in [512, BLOCK_BYTES - 1, BLOCK_BYTES * 4 - 1] {
            let mut other = disc(spread);
            other.write_at(BLOCK_BYTES + at, b"x");
            assert_eq!(found(&other), None, "{at}");
        }
        // The block before the image and what its sectors hold are nothing to it.
        let mut other = disc(spread);
        other.write_at(0, b"x");
        other.write_at(BLOCK_BYTES + 511, b"x");
        assert_eq!(found(&other), Some(Fourfold::Spread));
    }

    #[test]
    fn what_is_looked_at_has_both_ends_and_an_upper_limit() {
        let numbers = |from, to| -> Vec<u64> {
            samples(from, to)
                .map(|sector| sector.byte_offset() / VIRTUAL_SECTOR_BYTES)
                .collect()
        };
        assert!(numbers(7, 7).is_empty());
        assert!(numbers(8, 7).is_empty());
        assert_eq!(numbers(7, 9), [7, 8, 8]);
        for length in [SAMPLES, SAMPLES + 1, 5_000, 12_219_392] {
            let chosen = numbers(10, 10 + length);
            assert!((513..=1_025).contains(&chosen.len()), "{length}");
            assert_eq!((chosen[0], chosen[chosen.len() - 1]), (10, 9 + length));
            let step = chosen[1] - 10;
            assert!(step.saturating_sub(1) <= length / SAMPLES, "{length}");
        }
        assert_eq!(numbers(0, SAMPLES)[..3], [0, 1, 2]);
    }

    #[test]
    fn every_virtual_sector_becomes_a_block() {
        assert_eq!(written(IMAGE).bytes().get(), 4 * IMAGE.bytes().get());
        assert_eq!(written_for(ByteCount::new(1)).get(), 2_048);
        assert_eq!(written_for(ByteCount::new(513)).get(), 4_096);
        assert_eq!(written_for(ByteCount::new(1_474_560)).get(), 5_898_240);
    }
}
