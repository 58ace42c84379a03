//! Fixes on discs whose right content is known: the same disc without the fault, or the figures of a specification.

use proptest::prelude::*;

use super::*;
use crate::{
    change::{Changed, Edits},
    inspect::{Inspection, Options, Window, inspect},
    mend::mend,
    reference::{Imapi, MasteredDisc, master},
    sparse::SparseBytes,
};

const ID: &str = "fixes/-/-/-/reference";

fn disc(boot: &str, size: Option<&str>) -> MasteredDisc {
    let size = size.map(|size| size.parse().unwrap());
    master(ID, None, &boot.parse().unwrap(), size).unwrap()
}

fn read(disc: &SparseBytes) -> Inspection {
    inspect(&mut Window::new(disc), &Options::default()).unwrap()
}

/// The disc with one finding fixed, and what was written for that.
fn mended(disc: &SparseBytes, id: FindingId) -> (SparseBytes, Edits) {
    let mended = mend(disc, &Options::default(), |_, finding| finding.id == id).unwrap();
    let mut bytes = disc.clone();
    for (offset, piece) in mended.edits.pieces() {
        bytes.write_at(offset, piece);
    }
    (bytes, mended.edits)
}

fn is_fixable(disc: &SparseBytes, id: FindingId) -> bool {
    let findings = read(disc).findings;
    let finding = findings.iter().find(|finding| finding.id == id);
    finding
        .unwrap_or_else(|| panic!("{id} is not found"))
        .is_fixable()
}

/// Whether two discs have the same bytes, and the first byte that differs.
fn difference(one: &SparseBytes, other: &SparseBytes) -> Option<u64> {
    assert_eq!(one.len(), other.len());
    let blocks = 0..one.len() / 2_048;
    let bytes = |disc: &SparseBytes, block: u64| disc.array_at::<2_048>(block * 2_048);
    let mut differ = blocks.filter(|&block| bytes(one, block) != bytes(other, block));
    let block = differ.next()?;
    let (one, other) = (bytes(one, block), bytes(other, block));
    let at = one.iter().zip(other).position(|(one, other)| *one != other);
    Some(block * 2_048 + at.unwrap_or_default() as u64)
}

#[test]
fn what_was_injected_is_undone_byte_for_byte() {
    for (id, boot) in [
        ("no-boot-record", "none"),
        ("boot-record-id-padding", "none"),
        ("catalog-out-of-range", "bios+efi"),
        ("catalog-header-id", "bios+efi"),
        ("catalog-key", "efi"),
        ("catalog-checksum", "none"),
        ("catalog-platform", "none"),
        ("catalog-platform", "efi"),
        ("catalog-platform", "hard-disk"),
        ("entry-not-bootable", "none"),
        ("entry-not-bootable", "efi"),
        ("entry-media-type", "none"),
        ("entry-media-type", "efi"),
        ("entry-media-type", "hard-disk"),
        ("entry-media-type", "floppy-1200k"),
        ("entry-media-type", "floppy-1440k"),
        ("entry-media-type", "floppy-2880k"),
        ("entry-load-segment", "none"),
        ("count-zero", "none,boot-info=isolinux"),
        ("count-zero", "hard-disk"),
        ("count-zero", "floppy-1440k"),
        ("count-too-large", "floppy-1440k"),
        ("count-too-large", "hard-disk"),
        ("count-unit", "bios+efi"),
        ("count-efi-short", "efi"),
        ("image-out-of-range", "none"),
        ("image-out-of-range", "efi"),
        ("image-out-of-range", "hard-disk"),
        ("image-out-of-range", "floppy-2880k"),
        ("efi-as-floppy", "bios+efi"),
        ("hard-disk-partition-slot", "hard-disk"),
        ("hard-disk-system-type", "hard-disk"),
        ("mbr-signature", "hard-disk"),
        ("volume-size", "none"),
    ] {
        let healthy = disc(boot, None).bytes;
        let wrong = disc(&format!("{boot},defect={id}"), None).bytes;
        assert!(difference(&healthy, &wrong).is_some(), "{id} on {boot}");
        let (bytes, _) = mended(&wrong, id.parse().unwrap());
        assert_eq!(difference(&healthy, &bytes), None, "{id} on {boot}");
    }
}

/// A count for UEFI above 16 bits: 0 within the volume; after the volume, the same image's fix enlarges the volume.
#[test]
fn a_long_image_for_uefi_ends_with_the_volume() {
    let size = Some("81920s");
    let within = disc("efi", size).bytes;
    let wrapped = disc("efi,defect=count-wrapped", size).bytes;
    let (bytes, _) = mended(&wrapped, FindingId::CountWrapped);
    assert_eq!(difference(&within, &bytes), None);

    let id = FindingId::EfiOpenEndOutsideVolume;
    let behind = disc(&format!("efi,defect={id}"), size);
    let (bytes, _) = mended(&behind.bytes, id);
    let volume = read(&bytes).volume.unwrap().blocks.get();
    assert_eq!(
        volume,
        behind.manifest.images[0].load_rba.get() + 81_920 / 4
    );
    // If a count can express its length, it has one.
    let short = disc("efi,count=0,place=appended", None);
    let (bytes, edits) = mended(&short.bytes, id);
    assert_eq!(edits.pieces().map(|piece| piece.1.len()).sum::<usize>(), 2);
    assert_eq!(
        read(&bytes).entries().next().unwrap().1.sector_count.get(),
        2_880
    );
}

#[test]
fn spread_sectors_stand_in_a_row_again() {
    for boot in ["floppy-1440k", "floppy-2880k", "hard-disk"] {
        let boot = boot.parse().unwrap();
        let spread = Imapi::Spread.master(ID, None, &boot, None).unwrap();
        let healthy = Imapi::Hotfix.master(ID, None, &boot, None).unwrap();
        let (bytes, _) = mended(&spread.bytes, FindingId::ImageOversized4x);
        let (to, from) = (&spread.manifest.images[0], &healthy.manifest.images[0]);
        let length = from.length.bytes().get();
        let image = bytes.slice(to.load_rba.byte_offset(), length);
        let right = healthy.bytes.slice(from.load_rba.byte_offset(), length);
        assert_eq!(difference(&image, &right), None, "{boot}");
        let rest = bytes.slice(to.load_rba.byte_offset() + length, 3 * length);
        assert_eq!(difference(&rest, &SparseBytes::zeroed(3 * length)), None);
        let inspection = read(&bytes);
        assert!(!inspection.found(FindingId::ImageOversized4x), "{boot}");
        let file = inspection.entries().next().unwrap().1.file_bytes;
        assert_eq!(file.unwrap().get(), length, "{boot}");
    }
}

#[test]
fn a_floppy_has_the_media_type_of_its_length() {
    let id = FindingId::FloppySize;
    for (boot, right) in [("floppy-2880k", 3), ("floppy-1200k", 1), ("hard-disk", 4)] {
        let mut disc = disc(boot, None);
        let healthy = disc.bytes.clone();
        let media = disc.manifest.catalog.byte_offset() + 33;
        assert_eq!(disc.bytes.array_at::<1>(media), [right]);
        disc.bytes.write_at(media, &[2]);
        let (bytes, _) = mended(&disc.bytes, id);
        assert_eq!(difference(&healthy, &bytes), None, "{boot}");
    }
    // A cut floppy is still a floppy.
    assert!(!is_fixable(
        &disc("floppy-1440k,defect=floppy-size", None).bytes,
        id
    ));
}

#[test]
fn a_section_moves_before_others_with_all_that_it_has() {
    let id = FindingId::CatalogEfiTooDeep;
    let disc = disc("bios+efi,slot=20,extensions=2", None);
    let catalog = disc.manifest.catalog.byte_offset();
    let slots = |disc: &SparseBytes| -> Vec<[u8; 32]> {
        (0..64)
            .map(|slot| disc.array_at(catalog + slot * 32))
            .collect()
    };
    let before = slots(&disc.bytes);
    let (bytes, _) = mended(&disc.bytes, id);
    let after = slots(&bytes);
    // The header that others follow, the entry with its two extensions, then the BIOS' section, which is the last one.
    assert_eq!(after[2][..4], [0x90, 0xEF, 1, 0]);
    assert_eq!(after[3..6], before[20..23]);
    assert_eq!(after[6][..4], [0x91, 0x00, 16, 0]);
    assert_eq!(after[7..23], before[3..19]);
    assert_eq!(after[23..], before[23..]);
    assert!(!read(&bytes).found(FindingId::CatalogSectionChain));
}

#[test]
fn entries_behind_a_gap_get_a_header_of_their_own() {
    let disc = disc("bios+efi", None);
    let catalog = disc.manifest.catalog.byte_offset();
    let efi: [u8; 32] = disc.bytes.array_at(catalog + 3 * 32);
    let mut gap = disc.bytes.clone();
    gap.write_at(catalog + 5 * 32, &efi);
    let (bytes, _) = mended(&gap, FindingId::CatalogSectionChain);
    let slot = |slot: u64| bytes.array_at::<32>(catalog + slot * 32);
    assert_eq!(slot(2)[..4], [0x90, 0xEF, 1, 0]);
    assert_eq!(slot(4)[..4], [0x91, 0xEF, 1, 0]);
    assert_eq!((slot(3), slot(5)), (efi, efi));
}

/// Two platforms in a row without headers: each has one.
#[test]
fn each_platform_without_a_header_gets_one() {
    let disc = disc("bios+efi,slot=6", None);
    let catalog = disc.manifest.catalog.byte_offset();
    let mut headless = disc.bytes.clone();
    // Two BIOS entries in slots 3 and 4, the EFI entry in slot 6.
    for (to, from) in [(2, 3), (3, 4), (4, 6)] {
        let entry: [u8; 32] = disc.bytes.array_at(catalog + from * 32);
        headless.write_at(catalog + to * 32, &entry);
    }
    headless.write_at(catalog + 5 * 32, &[0; 64]);
    let (bytes, _) = mended(&headless, FindingId::CatalogSectionHeaderMissing);
    let slots = |disc: &SparseBytes| -> Vec<[u8; 4]> {
        (0..8)
            .map(|slot| disc.array_at(catalog + slot * 32))
            .collect()
    };
    assert_eq!(slots(&bytes), slots(&disc.bytes));
}

#[test]
fn nothing_is_written_over_what_stands_there() {
    // A full catalog has no room for a section, and a block with something in it none for a descriptor.
    let mut full = disc("bios+efi,defect=catalog-no-efi", None);
    let id = FindingId::CatalogNoEfi;
    assert!(is_fixable(&full.bytes, id));
    full.bytes
        .write_at(full.manifest.catalog.byte_offset() + 2_047, &[1]);
    assert!(!is_fixable(&full.bytes, id));

    // A loader mastered as a hard disk has code instead of a partition table.
    let mut loader = disc("none,boot-info=isolinux", None);
    let image = loader.manifest.images[0].load_rba.byte_offset();
    loader
        .bytes
        .write_at(loader.manifest.catalog.byte_offset() + 33, &[4]);
    loader.bytes.write_at(image + 510, &[0, 0]);
    assert!(!is_fixable(&loader.bytes, FindingId::MbrSignature));

    let mut disc = disc("none,defect=no-boot-record", None).bytes;
    let id = FindingId::NoBootRecord;
    assert!(is_fixable(&disc, id));
    // Block 18 is a second terminator, and 19 a path table.
    disc.write_at(18 * 2_048 + 2_000, &[1]);
    assert!(is_fixable(&disc, id));
    disc.write_at(18 * 2_048, &[0]);
    assert!(!is_fixable(&disc, id));
}

#[test]
fn a_second_session_takes_over_the_boot_record() {
    let id = FindingId::MultisessionStale;
    let mut disc = disc(&format!("none,defect={id}"), None).bytes;
    // No block follows the terminator.
    assert!(!is_fixable(&disc, id));
    let end = disc.len();
    disc.set_len(end + 2_048);
    let record: [u8; 2_048] = disc.array_at(17 * 2_048);
    let (bytes, _) = mended(&disc, id);
    assert_eq!(bytes.array_at::<2_048>(end - 2_048), record);
    assert_eq!(bytes.array_at::<6>(end), *b"\xFFCD001");
    assert!(!read(&bytes).found(id));
}

#[test]
fn a_disc_that_is_cut_keeps_its_volume() {
    let id = FindingId::VolumeSize;
    let mut cut = disc("none", None).bytes;
    cut.set_len(cut.len() - 2_048);
    assert!(!is_fixable(&cut, id));
    // Nothing is missing after the known parts.
    let mut padded = disc("none", None).bytes;
    let blocks = u32::try_from(padded.len() / 2_048).unwrap();
    padded.write_at(16 * 2_048 + 80, &crate::bytes::both32(blocks + 150));
    assert!(is_fixable(&padded, id));
}

#[test]
fn two_boot_images_are_one_too_many() {
    let id = FindingId::ImageOutOfRange;
    let mut disc = disc("none,entries=3", None);
    let entry = disc.manifest.catalog.byte_offset() + 32;
    let past_end = u32::try_from(disc.bytes.len() / 2_048).unwrap() + 5;
    disc.bytes.write_at(entry + 8, &past_end.to_le_bytes());
    // The others have their own entries.
    assert!(is_fixable(&disc.bytes, id));
    disc.bytes.write_at(entry + 2 * 32, &[0; 32]);
    assert!(!is_fixable(&disc.bytes, id));
}

#[test]
fn a_geometry_that_fits_is_written_where_it_stands() {
    let id = FindingId::HardDiskCylinders;
    let disc = disc(&format!("hard-disk,defect={id}"), None);
    let (bytes, edits) = mended(&disc.bytes, id);
    let image = disc.manifest.images[0].load_rba.byte_offset();
    // 256 cylinders of 16 heads are 128 of 32: the last one is head 31, sector 63, cylinder 127.
    assert_eq!(bytes.array_at::<3>(image + 446 + 5), [31, 63, 127]);
    assert_eq!(bytes.array_at::<3>(image + 446 + 1), [1, 1, 0]);
    // The boot sector of its file system: sectors to a track, heads.
    let boot_sector = image + 63 * 512;
    assert_eq!(bytes.array_at::<4>(boot_sector + 24), [63, 0, 32, 0]);
    let written = edits.pieces().map(|piece| piece.1.len()).sum::<usize>();
    assert!(written <= 8, "{edits:?}");
}

#[test]
fn a_count_that_is_too_large_for_uefi_is_the_images() {
    let id = FindingId::PartitionPastEnd;
    let mut disc = disc("efi", None);
    let entry = disc.manifest.catalog.byte_offset() + 32;
    let healthy = disc.bytes.clone();
    // In blocks, it extends past the end anyway: a lower count would be too small for another firmware.
    assert!(!is_fixable(&healthy, id));
    let length = disc.bytes.len();
    disc.bytes.set_len(length + 4 * 2_880 * 512);
    disc.bytes.write_at(entry + 6, &60_000_u16.to_le_bytes());
    let (bytes, _) = mended(&disc.bytes, id);
    assert_eq!(bytes.array_at::<2>(entry + 6), 2_880_u16.to_le_bytes());
}

/// Blocks of a disc that a fix of a disc without emulation may touch: descriptors, directories, the catalog.
fn may_change(disc: &MasteredDisc) -> std::ops::Range<u64> {
    16 * 2_048..disc.manifest.catalog.byte_offset() + 2_048
}

proptest! {
    /// Whatever the descriptors and the catalog contain: all writes are on the disc, and none is in a file.
    #[test]
    fn no_fix_writes_into_a_file(
        changes in prop::collection::vec((0_u16..8_192, any::<u8>()), 1..12),
        likely in prop::collection::vec((0_u16..192, prop::sample::select(vec![0_u8, 1, 2, 4, 5, 0x44, 0x55, 0x88, 0x90, 0x91, 0xAA, 0xEF, 0xFE])), 0..8),
    ) {
        let disc = disc("bios+efi", None);
        let mut bytes = disc.bytes.clone();
        for (at, byte) in changes {
            bytes.write_at(16 * 2_048 + u64::from(at), &[byte]);
        }
        for (at, byte) in likely {
            bytes.write_at(disc.manifest.catalog.byte_offset() + u64::from(at), &[byte]);
        }
        let mended = mend(&bytes, &Options::default(), |_, _| true).unwrap();
        let may_change = may_change(&disc);
        for (offset, piece) in mended.edits.pieces() {
            let end = offset + piece.len() as u64;
            prop_assert!(may_change.start <= offset && end <= may_change.end, "{:?}", mended.fixed);
        }
        let changed = Changed::new(&bytes, &mended.edits);
        let again = inspect(&mut Window::new(&changed), &Options::default()).unwrap();
        prop_assert_eq!(again, mended.inspection);
    }
}
