//! An image that passes for isolinux: its name, and a boot-info table, by which it finds itself on the disc.

use super::BootImage;
use crate::{boot::BootInfo, eltorito::BootInfoTable, sparse::SparseBytes, units::Lba};

/// Where code begins in an image that has a table.
pub(super) const CODE: u16 = BootInfoTable::END as u16;
/// Where the loader's name stands: behind stage 1, before the signature.
const NAME: u64 = 502;

/// Makes an image begin as that loader does: a jump over the table, and its name where programs look for it.
pub(super) fn disguise(bytes: &mut SparseBytes, loader: BootInfo) {
    // JMP SHORT to CODE.
    bytes.write_at(0, &[0xEB, (BootInfoTable::END - 2) as u8]);
    let name: &[u8] = match loader {
        BootInfo::Isolinux => b"ISOLINUX",
    };
    bytes.write_at(NAME, name);
}

/// Writes the table of an image that stands at `image`, on a disc whose primary volume descriptor stands at `volume`:
/// both addresses, the image's length in bytes, and the sum of its 32-bit words from byte 64 on.
pub(crate) fn write_boot_info(image: &mut BootImage, volume: Lba, at: Lba) {
    let checksum = image
        .bytes
        .pieces()
        .flat_map(|(start, piece)| (start..).step_by(4).zip(piece.as_chunks::<4>().0))
        .filter(|&(at, _)| at >= BootInfoTable::END)
        .fold(0_u32, |sum, (_, word)| {
            sum.wrapping_add(u32::from_le_bytes(*word))
        });
    let table = BootInfoTable {
        volume,
        image: at,
        length: image.length().bytes(),
        checksum,
    };
    image.bytes.write_at(BootInfoTable::START, &table.encode());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        boot_image::{Identity, no_emulation},
        probe::DiscHash,
        units::VirtualSectorCount,
    };

    fn isolinux() -> BootImage {
        let identity = Identity {
            disc: DiscHash::of_id("a/-/none,boot-info=isolinux/-/reference"),
            slot: 1,
        };
        let length = VirtualSectorCount::new(64);
        no_emulation(identity, length, Some(BootInfo::Isolinux)).unwrap()
    }

    #[test]
    fn code_name_and_table_do_not_overlap() {
        let image = isolinux();
        assert_eq!(image.bytes.array_at(0), [0xEB, 0x3E]);
        assert_eq!(image.bytes.array_at::<62>(2), [0; 62], "room for the table");
        assert_eq!(&image.bytes.array_at(NAME), b"ISOLINUX");
        // Code ends before: there are zeros between.
        assert_eq!(image.bytes.array_at(NAME - 2), [0; 2]);
    }

    #[test]
    fn the_checksum_is_that_of_every_word_behind_the_table() {
        let mut image = isolinux();
        write_boot_info(&mut image, Lba::new(16), Lba::new(33));
        let word = |at| u32::from_le_bytes(image.bytes.array_at(at));
        assert_eq!([word(8), word(12), word(16)], [16, 33, 64 * 512]);
        let sum = (64..64 * 512)
            .step_by(4)
            .fold(0_u32, |sum, at| sum.wrapping_add(word(at)));
        assert_eq!(word(20), sum);
        assert_ne!(sum, 0);
    }
}
