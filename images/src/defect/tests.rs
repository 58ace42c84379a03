use std::collections::BTreeSet;

use super::*;
use crate::{
    fat::FatVolume,
    inspect::Window,
    medium::Medium,
    partition_table::Mbr,
    reference::{MasteredDisc, master},
    size::Size,
};

/// Each defect on a disc that can have it, the disc without it, and what stands in the blocks in which the two differ.
const DISCS: &[(&str, &str, &str, &str, &[&str])] = {
    const RECORD: &[&str] = &["boot record"];
    const CATALOG: &[&str] = &["boot catalog"];
    const BIOS: &[&str] = &["boot image, slot 1"];
    const SYSTEM: &[&str] = &["system area"];
    const PRIMARY: &[&str] = &["primary volume descriptor"];
    &[
        ("no-boot-record", "-", "none", "none", RECORD),
        ("boot-record-id-padding", "-", "none", "none", RECORD),
        ("catalog-out-of-range", "-", "none", "none", RECORD),
        ("catalog-header-id", "-", "none", "none", CATALOG),
        ("catalog-key", "-", "none", "none", CATALOG),
        ("catalog-checksum", "-", "none", "none", CATALOG),
        ("catalog-platform", "-", "none", "none", CATALOG),
        ("catalog-efi-only", "-", "efi", "efi", &[]),
        ("catalog-no-efi", "-", "bios+efi", "bios+efi", CATALOG),
        (
            "catalog-section-header-missing",
            "-",
            "bios+efi",
            "bios+efi",
            CATALOG,
        ),
        (
            "catalog-section-chain",
            "-",
            "bios+efi",
            "bios+efi",
            CATALOG,
        ),
        ("catalog-efi-too-deep", "-", "efi", "efi,slot=17", &[]),
        ("entry-not-bootable", "-", "none", "none", CATALOG),
        ("entry-media-type", "-", "none", "none", CATALOG),
        ("entry-load-segment", "-", "none", "none", CATALOG),
        ("count-zero", "-", "none", "none", CATALOG),
        ("count-too-large", "-/-/2048s", "none", "none", CATALOG),
        (
            "count-wrapped",
            "-/-/81920s",
            "efi",
            "efi,count=wrapped",
            &[],
        ),
        ("count-unit", "-", "efi", "efi", CATALOG),
        ("count-efi-short", "-", "efi", "efi", CATALOG),
        ("image-out-of-range", "-", "none", "none", CATALOG),
        (
            "image-exceeds-quarter",
            "cd-8cm/-/quarter+1b",
            "hard-disk",
            "hard-disk",
            &[],
        ),
        ("partition-past-end", "-", "efi", "efi", &[]),
        ("efi-as-floppy", "-", "bios+efi", "bios+efi", CATALOG),
        (
            "hard-disk-partition-slot",
            "-",
            "hard-disk",
            "hard-disk",
            BIOS,
        ),
        (
            "hard-disk-system-type",
            "-",
            "hard-disk",
            "hard-disk",
            CATALOG,
        ),
        (
            "hard-disk-cylinders",
            "-",
            "hard-disk",
            "hard-disk,cylinders=256",
            &[],
        ),
        ("hard-disk-geometry", "-", "hard-disk", "hard-disk", BIOS),
        ("mbr-signature", "-", "hard-disk", "hard-disk", BIOS),
        (
            "boot-info-table",
            "-",
            "none",
            "none,boot-info=isolinux",
            BIOS,
        ),
        ("efi-no-loader", "-", "efi", "efi", BIOS),
        (
            "efi-open-end-outside-volume",
            "-/-/81920s",
            "efi",
            "efi,count=0,place=appended",
            &[],
        ),
        ("volume-size", "-", "none", "none", PRIMARY),
        ("hybrid-mbr", "-", "bios+efi", "bios+efi,hybrid=mbr", SYSTEM),
        ("hybrid-gpt", "-", "bios+efi", "bios+efi,hybrid=gpt", SYSTEM),
        (
            "not-iso",
            "-",
            "bios+efi",
            "bios+efi,hybrid=mbr",
            &[
                "boot record",
                "primary volume descriptor",
                "volume descriptors",
            ],
        ),
        ("count-byte-order", "-", "bios+efi", "bios+efi", CATALOG),
        ("image-not-at-start", "-", "bios+efi", "bios+efi", CATALOG),
        ("efi-wrong-image", "-", "bios+efi", "bios+efi", CATALOG),
        ("efi-foreign-filesystem", "-", "efi", "efi", BIOS),
        ("efi-fat-clusters", "-/-/81920s", "efi", "efi,fat=32", BIOS),
        ("efi-loader-program", "-", "efi", "efi", BIOS),
        ("efi-loader-name", "-", "efi", "efi", BIOS),
        ("efi-architecture", "-", "efi", "efi", BIOS),
        ("load-size-short", "-/-/16s", "none", "none", &[]),
        (
            "loader-emulation",
            "-",
            "none",
            "none,boot-info=isolinux",
            &["boot catalog", "boot image, slot 1"],
        ),
        (
            "hybrid-pointer",
            "-",
            "none",
            "none,boot-info=isolinux,hybrid=mbr",
            SYSTEM,
        ),
        (
            "mbr-no-code",
            "-",
            "bios+efi",
            "bios+efi,hybrid=mbr",
            SYSTEM,
        ),
        (
            "mbr-no-active",
            "-",
            "bios+efi",
            "bios+efi,hybrid=mbr",
            SYSTEM,
        ),
        ("mbr-absent", "-", "bios+efi", "bios+efi", &[]),
        ("media-checksum", "-", "none", "none", PRIMARY),
        // One descriptor more moves everything behind it: these two are compared with each other.
        (
            "boot-record-misplaced",
            "-",
            "none",
            "none,defect=boot-record-duplicate",
            RECORD,
        ),
    ]
};

/// Defects that change where things stand, each with a test of its own below.
const LAID_OUT: &[FindingId] = &[
    FindingId::BootRecordDuplicate,
    FindingId::ImageOversized4x,
    FindingId::FloppySize,
    FindingId::EfiFatLongerThanImage,
    FindingId::MultisessionStale,
];

fn disc(medium: &str, boot: &str) -> MasteredDisc {
    try_disc(medium, boot).unwrap()
}

/// `medium` is a medium, or a medium, `-` and a size.
fn try_disc(medium: &str, boot: &str) -> Result<MasteredDisc, String> {
    let mut words = medium.split('/');
    let part = |word: Option<&str>| word.filter(|&word| word != "-").map(ToOwned::to_owned);
    let medium: Option<Medium> = part(words.next()).map(|word| word.parse().unwrap());
    let size: Option<Size> = part(words.nth(1)).map(|word| word.parse().unwrap());
    // One name for both, which all numbered sectors carry.
    let boot = boot
        .parse()
        .map_err(|error: crate::boot::BootError| error.to_string())?;
    master("defects/-/-/-/reference", medium, &boot, size).map_err(|error| error.to_string())
}

fn with(boot: &str, defect: &str) -> String {
    format!("{boot},defect={defect}")
}

fn word(disc: &MasteredDisc, at: u64) -> u64 {
    u32::from_le_bytes(disc.bytes.array_at(at)).into()
}

#[test]
fn a_defect_changes_only_what_it_says() {
    for &(id, medium, spoilt, healthy, expected) in DISCS {
        let healthy = disc(medium, healthy);
        // A size that the defect brings itself is left out.
        let given = if expected.is_empty() && !medium.starts_with("cd") {
            "-"
        } else {
            medium
        };
        let given = if medium.starts_with("cd") {
            "cd-8cm"
        } else {
            given
        };
        let spoilt = disc(given, &with(spoilt, id));
        assert_eq!(spoilt.bytes.len(), healthy.bytes.len(), "{id}");
        let differing: BTreeSet<&str> = (0..healthy.bytes.len() / 2048)
            .filter(|lba| {
                let block = |disc: &MasteredDisc| disc.bytes.array_at::<2048>(lba * 2048);
                block(&healthy) != block(&spoilt)
            })
            .map(|lba| {
                healthy
                    .manifest
                    .what_is_at(Lba::new(lba))
                    .unwrap_or("nothing")
            })
            .collect();
        assert_eq!(differing, expected.iter().copied().collect(), "{id}");
        assert_eq!(
            spoilt.manifest, healthy.manifest,
            "{id}: what must be found is the same"
        );
    }
}

#[test]
fn every_defect_is_looked_at_here() {
    for defect in Defect::all() {
        assert_eq!(defect.as_str().parse(), Ok(defect));
        let looked_at = DISCS.iter().any(|&(id, ..)| id == defect.as_str());
        assert!(looked_at || LAID_OUT.contains(&defect.id()), "{defect}");
    }
}

#[test]
fn an_oversized_extent_is_four_times_its_image() {
    for (boot, image) in [("floppy-1440k", 0), ("none", 0), ("bios+efi", 1)] {
        let healthy = disc("-", boot);
        let spoilt = disc("-", &with(boot, "image-oversized-4x"));
        let length = healthy.manifest.images[image].length;
        assert_eq!(spoilt.manifest.images[image].length, length);
        assert_eq!(
            spoilt.bytes.len() - healthy.bytes.len(),
            3 * length.bytes().get(),
            "{boot}"
        );
        let start = spoilt.manifest.images[image].load_rba.byte_offset();
        let tail = spoilt
            .bytes
            .slice(start + length.bytes().get(), 3 * length.bytes().get());
        assert_eq!(tail.stored(), 0);
    }
    // A floppy of 1.44 MB fits a medium of five of them, and not one of three.
    let boot = with("floppy-1440k", "image-oversized-4x");
    assert!(try_disc("3600b", &boot).is_ok());
    assert!(
        try_disc("2160b", &boot)
            .unwrap_err()
            .contains("medium full")
    );
}

#[test]
fn a_floppy_of_a_wrong_size_is_two_blocks_too_short() {
    let healthy = disc("-", "floppy-1440k+efi");
    let spoilt = disc("-", &with("floppy-1440k+efi", "floppy-size"));
    assert_eq!(healthy.bytes.len() - spoilt.bytes.len(), 2 * 2048);
    let [floppy, efi] = &spoilt.manifest.images[..] else {
        panic!()
    };
    assert_eq!(efi.load_rba.get() - floppy.load_rba.get(), 720 - 2);
}

#[test]
fn an_image_is_spoilt_by_itself_as_on_a_disc() {
    let spoil = |boot: &str, defect: &str, has_loader| {
        let defect: Defect = defect.parse().unwrap();
        assert!(defect.is_in_image());
        let disc = disc("-", boot);
        let record = disc.manifest.images.first().unwrap();
        let start = record.load_rba.byte_offset();
        let whole = disc.bytes.slice(start, record.length.bytes().get());
        let mut spoilt = whole.clone();
        defect.inject_into_image(&mut spoilt, has_loader);
        (spoilt != whole).then_some(spoilt)
    };
    let table = |image: SparseBytes| Mbr::decode(&image.array_at(0));
    let used = |table: &Mbr| table.used().next().map(|(slot, _)| slot);
    let moved = table(spoil("hard-disk", "hard-disk-partition-slot", false).unwrap());
    assert_eq!((used(&moved), moved.signature), (Some(1), true));
    let unsigned = table(spoil("hard-disk", "mbr-signature", false).unwrap());
    assert_eq!((used(&unsigned), unsigned.signature), (Some(0), false));
    let empty = spoil("efi", "efi-no-loader", true).unwrap();
    assert_eq!(FatVolume::at(&mut Window::new(&empty), 0), None);
    // Those of a drive are none of a file system's, and the other way round.
    for (boot, defect, has_loader) in [
        ("hard-disk", "hard-disk-partition-slot", true),
        ("hard-disk", "mbr-signature", true),
        ("efi", "efi-no-loader", false),
    ] {
        assert_eq!(spoil(boot, defect, has_loader), None, "{defect}");
    }
}

#[test]
fn a_file_system_is_spoilt_by_itself_as_on_a_disc() {
    for (defect, boot, size) in [
        ("efi-no-loader", "efi", "-"),
        ("efi-foreign-filesystem", "efi", "-"),
        ("efi-fat-clusters", "efi,fat=32", "-/-/81920s"),
        ("efi-loader-program", "efi", "-"),
        ("efi-loader-name", "efi", "-"),
        ("efi-architecture", "efi", "-"),
    ] {
        let image = |boot: &str| {
            let disc = disc(size, boot);
            let record = &disc.manifest.images[0];
            let start = record.load_rba.byte_offset();
            disc.bytes.slice(start, record.length.bytes().get())
        };
        let (mut by_itself, on_a_disc) = (image(boot), image(&with(boot, defect)));
        assert!(by_itself != on_a_disc, "{defect}");
        let defect: Defect = defect.parse().unwrap();
        assert!(defect.is_in_image());
        defect.inject_into_image(&mut by_itself, true);
        assert!(by_itself == on_a_disc, "{defect}");
    }
}

#[test]
fn a_cut_file_system_has_half_of_its_image() {
    let healthy = disc("-", "bios+efi");
    let spoilt = disc("-", &with("bios+efi", "efi-fat-longer-than-image"));
    assert_eq!(healthy.bytes.len() - spoilt.bytes.len(), 360 * 2_048);
    let efi = &spoilt.manifest.images[1];
    let count = spoilt.manifest.catalog.byte_offset() + 3 * 32 + 6;
    assert_eq!(u16::from_le_bytes(spoilt.bytes.array_at(count)), 1_440);
    // Total sectors (Microsoft FAT specification §3.1, BPB_TotSec16).
    let claimed = efi.load_rba.byte_offset() + 19;
    assert_eq!(u16::from_le_bytes(spoilt.bytes.array_at(claimed)), 2_880);
}

#[test]
fn a_second_session_has_no_boot_record() {
    let healthy = disc("-", "bios+efi");
    let spoilt = disc("-", &with("bios+efi", "multisession-stale"));
    let end = healthy.bytes.len();
    assert!(
        spoilt.bytes.slice(0, end) == healthy.bytes,
        "the first session is as it was"
    );
    let session = spoilt.manifest.map.last().unwrap();
    assert_eq!(
        (session.what.as_str(), session.start.get() % 32),
        ("second session", 0)
    );
    let primary = session.start.byte_offset() + 16 * 2048;
    assert_eq!(&spoilt.bytes.array_at(primary), b"\x01CD001");
    assert_eq!(word(&spoilt, primary + 80), spoilt.bytes.len() / 2048);
    assert_eq!(&spoilt.bytes.array_at(primary + 2048), b"\xFFCD001");
    assert_eq!(primary + 2 * 2048, spoilt.bytes.len());
}

#[test]
fn a_duplicate_is_a_second_boot_record() {
    let spoilt = disc("-", &with("efi", "boot-record-duplicate"));
    let block = |lba: u64| spoilt.bytes.array_at::<2048>(lba * 2048);
    assert_eq!(block(17), block(18));
    assert_eq!(&block(19)[..6], b"\xFFCD001");
}

#[test]
fn a_disc_that_cannot_have_a_defect_is_refused_with_what_it_lacks() {
    let check = |medium: &str, boot: &str, id: &str, lack: &str| {
        let error = try_disc(medium, &with(boot, id)).unwrap_err();
        assert!(error.contains(lack) && error.contains(id), "{error}");
    };
    check("-", "none", "catalog-efi-only", "a catalog for UEFI alone");
    check(
        "-",
        "bios+efi",
        "catalog-efi-only",
        "a catalog for UEFI alone",
    );
    check("-", "efi", "catalog-no-efi", "a BIOS entry that is left");
    check("-", "none", "catalog-efi-too-deep", "an EFI entry");
    check(
        "-",
        "efi,slot=5",
        "catalog-efi-too-deep",
        "slot 16 or deeper",
    );
    check(
        "-",
        "hard-disk",
        "count-wrapped",
        "whose count is its image's length",
    );
    check(
        "-",
        "efi,count=4",
        "count-wrapped",
        "count=wrapped, or none",
    );
    check(
        "-/-/2880s",
        "efi",
        "count-wrapped",
        "65536 virtual sectors or more",
    );
    check(
        "cd-8cm/-/2880s",
        "none",
        "image-exceeds-quarter",
        "above a quarter",
    );
    check("-/-/2880s", "none", "image-exceeds-quarter", "a medium");
    check(
        "-",
        "efi,count=1",
        "partition-past-end",
        "ends past the disc",
    );
    check("-", "none", "floppy-size", "a floppy");
    check("-/-/3000s", "efi", "efi-as-floppy", "a floppy's length");
    check(
        "-",
        "hard-disk,cylinders=255",
        "hard-disk-cylinders",
        "256 cylinders",
    );
    check("-", "floppy-1440k", "boot-info-table", "no-emulation image");
    check(
        "-",
        "efi,count=4",
        "efi-open-end-outside-volume",
        "count=0 or count=1",
    );
    check("-", "bios+efi,hybrid=gpt", "hybrid-mbr", "hybrid=mbr");
    check("-", "hard-disk+efi", "hybrid-gpt", "no emulated drive");
    check("-", "floppy-1440k", "not-iso", "that a disk can hold");
    check("-", "hard-disk", "count-byte-order", "without emulation");
    check(
        "-",
        "efi,count=0",
        "count-byte-order",
        "whose two bytes differ",
    );
    check("-", "efi", "efi-wrong-image", "an image for the BIOS");
    check("-", "efi,fat=12", "efi-fat-clusters", "FAT32");
    check("-", "none", "efi-loader-program", "an EFI entry");
    check("-", "bios+efi", "load-size-short", "for the BIOS alone");
    check(
        "-/-/12s",
        "none,count=full",
        "load-size-short",
        "loaded in part",
    );
    check("-", "hard-disk", "loader-emulation", "a no-emulation image");
    check(
        "-",
        "bios+efi,hybrid=gpt",
        "mbr-no-active",
        "a master boot record",
    );
    check("-", "efi", "hybrid-pointer", "a no-emulation image");
    check("-", "none,hybrid=mbr", "mbr-absent", "no hybrid=");
}
