//! Discs that differ from a healthy one in one thing, which is named. Discs of two layouts by real tools are compared
//! in the crate `tests`.

use super::*;
use crate::{
    boot::Boot,
    inspect::{Options, inspect},
    reference::{MasteredDisc, master},
    sparse::SparseBytes,
};

fn disc(boot: &str) -> MasteredDisc {
    let boot: Boot = boot.parse().unwrap();
    master("differ/-/-/-/reference", None, &boot, None).unwrap()
}

fn compare(good: &SparseBytes, other: &SparseBytes) -> Option<Difference> {
    let (mut good, mut other) = (Window::new(good), Window::new(other));
    let read = |disc: &mut Window<'_>| {
        let inspection = inspect(disc, &Options::default()).unwrap();
        let map = DiscMap::read(disc, &inspection);
        (inspection, map)
    };
    let (there, here) = (read(&mut good), read(&mut other));
    let side = |disc, of| {
        let (inspection, map): &(Inspection, DiscMap) = of;
        Side {
            disc,
            inspection,
            map,
        }
    };
    first_difference(side(&mut good, &there), side(&mut other, &here))
}

/// What is said of a disc after a change to it.
fn after(boot: &str, change: impl FnOnce(&mut MasteredDisc)) -> String {
    let good = disc(boot);
    let mut other = disc(boot);
    change(&mut other);
    let difference = compare(&good.bytes, &other.bytes);
    difference.map_or_else(|| "nothing".to_owned(), |difference| difference.to_string())
}

/// After other bytes in a slot of the catalog; `{}` in what is expected is where they stand.
fn slot(boot: &str, slot: u64, byte: u64, bytes: &[u8], expected: &str) {
    let mut at = 0;
    let said = after(boot, |disc| {
        at = disc.manifest.catalog.byte_offset() + slot * 32 + byte;
        disc.bytes.write_at(at, bytes);
    });
    assert_eq!(said, expected.replace("{}", &at.to_string()));
}

#[test]
fn the_same_disc_differs_in_nothing() {
    for boot in [
        "none",
        "bios+efi,hybrid=gpt",
        "floppy-1440k",
        "hard-disk",
        "efi,fat=32",
    ] {
        assert_eq!(after(boot, |_| {}), "nothing");
    }
}

#[test]
fn what_differs_by_nature_is_none() {
    let said = after("bios+efi", |disc| {
        // The volume's name and its date.
        disc.bytes.write_at(16 * 2048 + 40, b"ANOTHER NAME");
        disc.bytes.write_at(16 * 2048 + 813, b"1999123123595900");
        // Who made the disc, its checksum right: two words that sum to zero.
        let catalog = disc.manifest.catalog.byte_offset();
        let word = u16::from_le_bytes(disc.bytes.array_at(catalog + 4));
        let sum = u16::from_le_bytes(disc.bytes.array_at(catalog + 0x1C));
        disc.bytes
            .write_at(catalog + 4, &word.wrapping_add(3).to_le_bytes());
        disc.bytes
            .write_at(catalog + 0x1C, &sum.wrapping_sub(3).to_le_bytes());
        // The EFI file system's serial number.
        let efi = disc.manifest.image(3).unwrap().load_rba.byte_offset();
        disc.bytes.write_at(efi + 0x27, &[1, 2, 3, 4]);
    });
    assert_eq!(said, "nothing");
}

#[test]
fn the_catalog_by_its_fields() {
    let good = disc("none");
    let sum: u16 = u16::from_le_bytes(
        good.bytes
            .array_at(good.manifest.catalog.byte_offset() + 0x1C),
    );
    slot(
        "none",
        0,
        0x1C,
        &[0x34, 0x12],
        &format!(
            "the validation entry's checksum (byte {{}}, slot 0): 0x{sum:04X} there, 0x1234 here"
        ),
    );
    slot(
        "none",
        0,
        4,
        b"ZZ",
        "the validation entry's id string, which its checksum does not fit (byte {}, slot 0): 0x6F62 there, 0x5A5A here",
    );
    slot(
        "none",
        0,
        0,
        &[2],
        "the validation entry's header id (byte {}, slot 0): 0x01 there, 0x02 here",
    );
    slot(
        "none",
        0,
        0x1E,
        &[0xAA, 0x55],
        "the validation entry's key bytes (byte {}, slot 0): 0xAA55 there, 0x55AA here",
    );
    slot(
        "none",
        1,
        0,
        &[0],
        "the initial entry's boot indicator (byte {}, slot 1): 0x88 there, 0x00 here",
    );
    slot(
        "none",
        1,
        6,
        &[0, 8],
        "the initial entry's sector count (byte {}, slot 1): 0x0004 there, 0x0800 here",
    );
    slot(
        "bios+efi",
        2,
        0,
        &[0x90],
        "the section header's header indicator (byte {}, slot 2): 0x91 there, 0x90 here",
    );
    slot(
        "bios+efi",
        3,
        1,
        &[4],
        "the section entry's media type (byte {}, slot 3): 0x00 there, 0x04 here",
    );
}

#[test]
fn descriptors_by_their_fields() {
    let said =
        |at: u64, bytes: &'static [u8]| after("none", move |disc| disc.bytes.write_at(at, bytes));
    let blocks = disc("none").bytes.len() / 2048;
    assert_eq!(
        said(16 * 2048 + 80, &[1, 0, 0, 0, 0, 0, 0, 1]),
        format!(
            "the primary volume descriptor's volume size (byte 32848): {blocks} blocks on a disc as long ({blocks}) there, 1 blocks on a disc that is longer ({blocks}) here"
        )
    );
    assert_eq!(
        said(17 * 2048 + 7, b"el"),
        "the boot record's boot system identifier (byte 34823): \"EL TORITO SPECIFICATION\" there, \"el TORITO SPECIFICATION\" here"
    );
    assert_eq!(
        said(17 * 2048 + 0x47, &[0, 0, 1, 0]),
        format!(
            "the boot record's catalog pointer (byte 34887): LBA {}, where a catalog stands there, LBA 65536, where no catalog stands here",
            disc("none").manifest.catalog.get()
        )
    );
    assert_eq!(
        said(17 * 2048, &[2]),
        "the volume descriptor at LBA 17 (byte 34816): a boot record there, a supplementary one here"
    );
    assert_eq!(
        said(17 * 2048 + 1, b"XX"),
        "the volume descriptor at LBA 17 (byte 34816): a boot record there, none here"
    );
}

#[test]
fn the_system_area_comes_first() {
    let said = |at: u64, bytes: &'static [u8]| {
        after("bios+efi,hybrid=gpt", move |disc| {
            disc.bytes.write_at(at, bytes);
            disc.bytes.write_at(17 * 2048 + 7, b"el");
        })
    };
    let first: [u8; 1] = disc("bios+efi,hybrid=gpt").bytes.array_at(5);
    assert_eq!(
        said(5, &[0xCC]),
        format!(
            "the boot code of the master boot record (byte 5): 0x{:02X} there, 0xCC here",
            first[0]
        )
    );
    assert_eq!(
        said(510, &[0]),
        "the signature of the master boot record (byte 510): 0xAA55 there, 0xAA00 here"
    );
    assert_eq!(
        said(512 + 24, &[9]),
        "the GPT header (byte 512): one with a right checksum there, one with a wrong checksum here"
    );
}

#[test]
fn a_partition_by_what_stands_at_its_start() {
    let boot = "bios+efi,hybrid=mbr";
    let sectors = disc(boot).bytes.len() / 512;
    let said = |start: u64| {
        after(boot, |disc| {
            let start = u32::try_from(start).unwrap().to_le_bytes();
            disc.bytes.write_at(446 + 8, &start);
        })
    };
    for (start, here) in [
        (sectors - 1, "into a boot image or a file system"),
        (sectors, "past the end of the disc"),
        (sectors + 1, "past the end of the disc"),
        (64, "into the descriptors"),
    ] {
        assert_eq!(
            said(start),
            format!(
                "where the start of the MBR's partition in slot 0 leads (byte 454): into the system area there, {here} here"
            )
        );
    }
    assert_eq!(said(1), "nothing", "that is the system area, too");
}

#[test]
fn images_by_virtual_sector() {
    let mut at = 0;
    let mut good = 0;
    let said = after("floppy-1440k", |disc| {
        at = disc.manifest.image(1).unwrap().load_rba.byte_offset() + 3 * 512 + 7;
        good = disc.bytes.array_at::<1>(at)[0];
        disc.bytes.write_at(at, &[good ^ 0xFF]);
    });
    assert_eq!(
        said,
        format!(
            "byte 7 of virtual sector 3 of the boot image of slot 1 (byte {at}, slot 1): 0x{good:02X} there, 0x{:02X} here",
            good ^ 0xFF
        )
    );
    let cut = after("floppy-1440k", |disc| {
        at = disc.manifest.image(1).unwrap().load_rba.byte_offset() + 100 * 2048;
        disc.bytes.set_len(at);
    });
    // The volume claims more than there is: that is read before the image.
    assert!(
        cut.starts_with("the primary volume descriptor's volume size (byte 32848): "),
        "{cut}"
    );
    let moved = after("none", |disc| {
        let at = disc.manifest.catalog.byte_offset() + 32 + 8;
        disc.bytes.write_at(at, &[0, 0, 1, 0]);
    });
    assert!(
        moved.starts_with("where the boot image of slot 1 starts (byte "),
        "{moved}"
    );
    assert!(
        moved.ends_with("LBA 65536, past the end of the disc here"),
        "{moved}"
    );
}

#[test]
fn efi_images_by_their_files() {
    let loader = |disc: &MasteredDisc| {
        let mut window = Window::new(&disc.bytes);
        let inspection = inspect(&mut window, &Options::default()).unwrap();
        let map = DiscMap::read(&mut window, &inspection);
        let mut extents = map.extents().iter();
        extents
            .find(|extent| {
                extent
                    .what
                    .to_string()
                    .starts_with("\\EFI\\BOOT\\BOOTX64.EFI")
            })
            .unwrap()
            .offset
    };
    let said = after("efi", |disc| {
        let at = loader(disc);
        disc.bytes.write_at(at, b"X");
    });
    let at = loader(&disc("efi"));
    assert_eq!(
        said,
        format!(
            "byte 0 of \\EFI\\BOOT\\BOOTX64.EFI in the boot image of slot 1 (byte {at}, slot 1): 0x4D there, 0x58 here"
        )
    );
}
