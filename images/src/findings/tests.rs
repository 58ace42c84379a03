//! Discs of the reference master with one fault each, as on third-party discs: only the room's finding is reported.

mod fixes;

use std::io::Write;

use super::*;
use crate::{
    finding::Finding,
    inspect::{Inspection, Options, Window, inspect},
    reference::{MasteredDisc, master},
    sparse::SparseBytes,
};

fn disc(boot: &str, size: Option<&str>) -> MasteredDisc {
    let size = size.map(|size| size.parse().unwrap());
    master(
        "strangers/-/-/-/reference",
        None,
        &boot.parse().unwrap(),
        size,
    )
    .unwrap()
}

fn read(disc: &SparseBytes) -> Inspection {
    inspect(&mut Window::new(disc), &Options::default()).unwrap()
}

/// Findings more severe than information.
fn faults(disc: &SparseBytes) -> Vec<(FindingId, Severity)> {
    let findings = read(disc).findings.into_iter();
    let fault = |finding: Finding| {
        let is_one = finding.severity > Severity::Info;
        is_one.then_some((finding.id, finding.severity))
    };
    findings.filter_map(fault).collect()
}

/// Changes the file system of the last image, whose loader is `\EFI\BOOT\BOOTX64.EFI`.
fn in_image(
    disc: &mut MasteredDisc,
    change: impl FnOnce(&fatfs::Dir<'_, crate::sparse::SparseCursor<'_>>),
) {
    let image = disc.manifest.images.last().unwrap();
    let (start, length) = (image.load_rba.byte_offset(), image.length.bytes().get());
    let mut volume = disc.bytes.slice(start, length);
    {
        let library = fatfs::FileSystem::new(volume.cursor(), fatfs::FsOptions::new()).unwrap();
        let root = library.root_dir();
        change(&root.open_dir("EFI/BOOT").unwrap());
    }
    disc.bytes.embed(start, &volume);
}

/// The faults of a hybrid disc with other boot code in its first sector, which has a pointer at 1B0h, after another change.
fn with_boot_code(
    code: &[u8],
    pointer: u64,
    change: impl FnOnce(&mut SparseBytes),
) -> Vec<(FindingId, Severity)> {
    let mut disc = disc("bios+efi,hybrid=mbr", None);
    let mut sector = [0; 440];
    sector[..code.len()].copy_from_slice(code);
    sector[0x1B0..].copy_from_slice(&pointer.to_le_bytes());
    disc.bytes.write_at(0, &sector);
    change(&mut disc.bytes);
    faults(&disc.bytes)
}

#[test]
fn every_room_has_its_texts() {
    for id in FindingId::ALL {
        for text in [id.explanation(), id.consequence(), id.remedy()] {
            assert!(text.ends_with('.'), "{id}: {text:?}");
        }
    }
}

#[test]
fn boot_code_starts_what_is_on_the_disc() {
    let wrong = [(FindingId::MbrWrongCode, Severity::Error)];
    let none: fn(&mut SparseBytes) = |_| {};
    // The marks of syslinux 6.04 (`mbr/isohdpfx.S`, `core/isolinux.asm`) and GRUB 2.06 (`boot.S`, `diskboot.S`).
    let isohdpfx = b"isolinux.bin missing or corrupt.\r\n";
    let isolinux = |disc: &mut SparseBytes| disc.write_at(40 * 512 + 64, b"\xFB\xC0\x78\x70");
    assert_eq!(with_boot_code(isohdpfx, 40, none), wrong);
    assert_eq!(with_boot_code(isohdpfx, 40, isolinux), []);
    let words = b"GRUB \0Geom\0Hard Disk\0Read\0 Error\r\n\0";
    let hybrid = [b"\x66\x8B\x1E\xB0\x7D", words.as_slice()].concat();
    let diskboot = |disc: &mut SparseBytes| {
        disc.write_at(40 * 512, b"loading\0.\0\r\n\0Geom\0Read\0 Error\0");
    };
    assert_eq!(with_boot_code(&hybrid, 40, none), wrong);
    assert_eq!(with_boot_code(&hybrid, 40, diskboot), []);
    // The pointer for disks is at 5Ch.
    let mut disk = [b"\x66\x8B\x1E\x5C\x7C", words.as_slice()].concat();
    disk.resize(0x5C, 0);
    disk.extend(40_u64.to_le_bytes());
    assert_eq!(with_boot_code(&disk, 0, none), wrong);
    assert_eq!(with_boot_code(&disk, 0, diskboot), []);
}

#[test]
fn code_for_the_active_partition_needs_one_with_boot_code() {
    let wrong = [(FindingId::MbrWrongCode, Severity::Error)];
    // Of syslinux 6.04 (`mbr/mbr.S`).
    fn with(change: impl FnOnce(&mut SparseBytes)) -> Vec<(FindingId, Severity)> {
        let words = b"Missing operating system.\r\nMultiple active partitions.\r\n";
        with_boot_code(words, 0, change)
    }
    // The active one is the whole disc.
    assert_eq!(with(|_| {}), wrong);
    let at_2048 = |disc: &mut SparseBytes| disc.write_at(446 + 8, &2_048_u32.to_le_bytes());
    let boot_code = |disc: &mut SparseBytes| disc.write_at(2_048 * 512 + 510, &[0x55, 0xAA]);
    let is_there = |found: &[(FindingId, Severity)]| found.contains(&wrong[0]);
    assert!(is_there(&with(at_2048)));
    assert!(!is_there(&with(|disc| {
        at_2048(disc);
        boot_code(disc);
    })));
    // A second one; and one that is not on the disc.
    assert!(is_there(&with(|disc| {
        at_2048(disc);
        boot_code(disc);
        disc.write_at(446 + 16, &[0x80, 0, 1, 0, 0x83]);
    })));
    assert!(is_there(&with(|disc| disc.write_at(446 + 11, &[0x70]))));
}

const LOADER: &str = "BOOTX64.EFI";

fn program() -> Vec<u8> {
    crate::portable_executable::portable_executable(&[1; 16], 4_096, &[0xC3; 3_000]).unwrap()
}

/// The faults of a disc whose loader has these bytes.
fn with_loader(name: &str, bytes: &[u8]) -> Vec<(FindingId, Severity)> {
    let mut disc = disc("efi", None);
    in_image(&mut disc, |folder| {
        folder.remove(LOADER).unwrap();
        let mut file = folder.create_file(name).unwrap();
        file.write_all(bytes).unwrap();
    });
    faults(&disc.bytes)
}

/// A unified kernel image, with the section names of UAPI.5.
#[test]
fn a_unified_kernel_image_looks_for_this_medium() {
    let with = |command_line: &str| {
        let text = command_line.as_bytes();
        let mut image =
            crate::portable_executable::portable_executable(text, 4_096, &[0xC3; 3_000]).unwrap();
        for (name, other) in [
            (b".data\0\0\0", b".cmdline"),
            (b".text\0\0\0", b".linux\0\0"),
        ] {
            let at = memchr::memmem::find(&image, name).unwrap();
            image[at..at + 8].copy_from_slice(other);
        }
        with_loader(LOADER, &image)
    };
    let label = read(&disc("efi", None).bytes).volume.unwrap().id;
    assert_eq!(with(&format!("root=live:LABEL={label} quiet\0")), []);
    assert_eq!(with("console=ttyS0"), []);
    let wrong = [(FindingId::ConfigWrongMedium, Severity::Error)];
    assert_eq!(with("root=live:LABEL=ANOTHER quiet\0"), wrong);
    assert_eq!(with("archisosearchuuid=1999-01-02-03-04-05-06"), wrong);
}

#[test]
fn a_loader_must_be_a_program_for_its_machine() {
    let wrong = [(FindingId::EfiLoaderProgram, Severity::Error)];
    assert_eq!(with_loader(LOADER, &program()), []);
    assert_eq!(with_loader(LOADER, b""), wrong);
    assert_eq!(with_loader(LOADER, &[0x5A; 9_000]), wrong);
    let whole = program();
    assert_eq!(with_loader(LOADER, &whole[..whole.len() - 512]), wrong);
    assert_eq!(with_loader("BOOTAA64.EFI", &whole), wrong);
}

#[test]
fn a_loader_must_have_the_name_of_its_machine() {
    let wrong = [(FindingId::EfiLoaderName, Severity::Error)];
    assert_eq!(with_loader("BOOTX86.EFI", &program()), wrong);
    assert_eq!(with_loader("ELILO.EFI", &program()), wrong);
}

#[test]
fn an_entry_that_names_another_image_is_told_where_the_right_one_is() {
    let mut disc = disc("bios+efi", None);
    let entry = disc.manifest.catalog.byte_offset() + 3 * 32;
    let bios = disc.manifest.images[0].load_rba.to_u32().unwrap();
    disc.bytes.write_at(entry + 8, &bios.to_le_bytes());
    let findings = read(&disc.bytes).findings;
    let wrong = findings.iter().find(|it| it.id == FindingId::EfiWrongImage);
    let message = &wrong.unwrap_or_else(|| panic!("{findings:?}")).message;
    assert!(
        message.contains("/BOOT/") && message.contains(LOADER),
        "{message}"
    );
    assert!(!findings.iter().any(|it| it.id == FindingId::EfiNoLoader));
}

#[test]
fn another_file_system_in_an_efi_entry_is_named() {
    for (at, bytes, what) in [
        (1_024, &b"H+\0\x04"[..], "HFS+"),
        (3, b"EXFAT   ", "exFAT"),
        (1_080, b"\x53\xEF", "ext2"),
        (0, b"", "zeros"),
    ] {
        let mut disc = disc("efi", None);
        let start = disc.manifest.images[0].load_rba.byte_offset();
        disc.bytes.write_at(start, &[0; 8_192]);
        disc.bytes.write_at(start + at, bytes);
        let wrong = [(FindingId::EfiForeignFilesystem, Severity::Error)];
        assert_eq!(faults(&disc.bytes), wrong, "{what}");
        assert!(read(&disc.bytes).findings[0].message.contains(what));
    }
}

#[test]
fn fat32_needs_enough_clusters() {
    let mut disc = disc("efi,fat=32", Some("81920s"));
    assert_eq!(faults(&disc.bytes), []);
    let start = disc.manifest.images[0].load_rba.byte_offset();
    // Sixteen sectors to a cluster, and so a sixteenth of the clusters.
    disc.bytes.write_at(start + 0x0D, &[16]);
    let found = faults(&disc.bytes);
    assert_eq!(found, [(FindingId::EfiFatClusters, Severity::Error)]);
}

#[test]
fn an_address_inside_a_file_is_off() {
    for (boot, slot) in [("efi", 1), ("bios+efi", 1), ("bios+efi", 3)] {
        let mut disc = disc(boot, None);
        let entry = disc.manifest.catalog.byte_offset() + slot * 32 + 8;
        let right = u32::from_le_bytes(disc.bytes.array_at(entry));
        disc.bytes.write_at(entry, &(right + 1).to_le_bytes());
        let found = faults(&disc.bytes);
        let wrong = (FindingId::ImageNotAtStart, Severity::Error);
        assert!(found.contains(&wrong), "{boot}: {found:?}");
        assert!(!found.iter().any(|(id, _)| *id == FindingId::EfiNoLoader));
    }
}

#[test]
fn a_count_with_its_bytes_swapped_is_recognised() {
    for (boot, slot) in [("efi", 1), ("bios+efi", 3)] {
        let mut disc = disc(boot, None);
        let entry = disc.manifest.catalog.byte_offset() + slot * 32 + 6;
        let right: [u8; 2] = disc.bytes.array_at(entry);
        disc.bytes.write_at(entry, &[right[1], right[0]]);
        let found = faults(&disc.bytes);
        assert_eq!(
            found,
            [(FindingId::CountByteOrder, Severity::Error)],
            "{boot}"
        );
    }
}

#[test]
fn an_open_end_behind_the_volume_boots_and_at_its_end_does_not() {
    let mut disc = disc("efi,count=0,place=appended", Some("81920s"));
    let at_the_end = [(FindingId::EfiOpenEndOutsideVolume, Severity::Error)];
    assert_eq!(faults(&disc.bytes), at_the_end);
    let size = 16 * 2_048 + 80;
    let blocks = u32::from_le_bytes(disc.bytes.array_at(size));
    disc.bytes.write_at(size, &(blocks - 1).to_le_bytes());
    let behind = [(FindingId::EfiOpenEndOutsideVolume, Severity::Warning)];
    assert_eq!(faults(&disc.bytes), behind);
}

#[test]
fn an_iso_in_a_partition_is_no_disc() {
    let iso = disc("efi", None).bytes;
    for (table, start) in [(true, 2_048_u32), (false, 63)] {
        let offset = u64::from(start) * 512;
        let mut stick = SparseBytes::zeroed(offset + iso.len());
        stick.embed(offset, &iso);
        if table {
            stick.write_at(446 + 4, &[0x0C]);
            stick.write_at(446 + 8, &start.to_le_bytes());
            let sectors = u32::try_from(iso.len() / 512).unwrap();
            stick.write_at(446 + 12, &sectors.to_le_bytes());
            stick.write_at(510, &[0x55, 0xAA]);
        }
        let wrong = [(FindingId::IsoInPartition, Severity::Error)];
        assert_eq!(faults(&stick), wrong, "{table}");
    }
}

/// A stick with a file system, in which an ISO is a file: it begins in a partition, and not with it.
#[test]
fn an_iso_in_a_file_of_a_stick_is_no_fault() {
    let iso = disc("efi", None).bytes;
    let offset = 2_593 * 512;
    let mut stick = SparseBytes::zeroed(offset + iso.len());
    stick.embed(offset, &iso);
    let is_told = |stick: &SparseBytes| {
        let faults = faults(stick);
        faults
            .iter()
            .any(|(id, _)| *id == FindingId::IsoInPartition)
    };
    assert!(is_told(&stick));
    stick.write_at(446 + 4, &[0x0C]);
    stick.write_at(446 + 8, &2_048_u32.to_le_bytes());
    stick.write_at(446 + 12, &60_000_u32.to_le_bytes());
    stick.write_at(510, &[0x55, 0xAA]);
    assert!(!is_told(&stick));
}

#[test]
fn a_table_without_code_or_an_active_partition_is_no_stick_for_every_bios() {
    let mut disc = disc("bios+efi,hybrid=mbr", None);
    assert_eq!(faults(&disc.bytes), []);
    disc.bytes.write_at(446, &[0]);
    let status = [0, 1, 2, 3].map(|slot| disc.bytes.array_at::<1>(446 + slot * 16)[0]);
    let found = faults(&disc.bytes);
    if status == [0; 4] {
        assert_eq!(found, [(FindingId::MbrNoActive, Severity::Warning)]);
    }
    disc.bytes.write_at(0, &[0; 440]);
    assert_eq!(
        faults(&disc.bytes),
        [(FindingId::MbrNoCode, Severity::Warning)]
    );
}

#[test]
fn what_is_found_more_exactly_is_found_once() {
    for id in FindingId::ALL {
        for replaced in id.room().replaces {
            assert_ne!(id, replaced);
            assert!(
                !replaced.room().replaces.contains(id),
                "{id} and {replaced} replace each other"
            );
        }
    }
}
