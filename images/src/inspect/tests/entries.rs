//! The catalog's entries and what their images must be.

use super::*;

#[test]
fn section_entries_may_be_counted_with_their_extensions() {
    for (count, expected) in [(1, true), (3, true), (2, false)] {
        let mut disc = disc("bios+efi,extensions=2");
        patch(&mut disc, 2, 2, &[count]);
        let inspection = read(&disc.bytes);
        assert_eq!(
            !inspection.found(FindingId::CatalogSectionChain),
            expected,
            "{count}: {:?}",
            inspection.findings
        );
    }
}

#[test]
fn a_catalog_goes_on_in_the_next_block_where_its_headers_say_so() {
    let inspection = read(&disc("none,entries=63").bytes);
    assert_eq!(inspection.entries().count(), 63);
    assert_eq!(errors(&inspection), []);
}

#[test]
fn media_types_and_segments() {
    let segment = |segment: u16| after("none", |disc| patch(disc, 1, 2, &segment.to_le_bytes()));
    assert_eq!(segment(0x7C00), [FindingId::EntryLoadSegment]);
    assert_eq!(segment(0xB800), [FindingId::EntryLoadSegment]);
    assert_eq!(segment(0x0010), [FindingId::EntryLoadSegment]);
    assert_eq!(segment(0x2000), []);
    let media = |media: u8| after("none", |disc| patch(disc, 1, 1, &[media]));
    assert_eq!(media(0x0F), [FindingId::EntryMediaType]);
    assert_eq!(media(0x80), [FindingId::EntryMediaType]);
    // In a section entry the upper bits have a meaning.
    let found = after("bios+efi", |disc| patch(disc, 3, 1, &[0x20]));
    assert_eq!(found, []);
    let found = after("bios+efi", |disc| patch(disc, 3, 1, &[0x10]));
    assert_eq!(found, [FindingId::EntryMediaType]);
}

#[test]
fn counts_of_efi_images() {
    let count = |count: u16| after("efi", |disc| patch(disc, 1, 6, &count.to_le_bytes()));
    assert_eq!(count(720), [FindingId::CountUnit]);
    assert_eq!(count(4), [FindingId::CountEfiShort]);
    for healthy in [0, 1, 2880, 65_535] {
        assert_eq!(count(healthy), [], "{healthy}");
    }
    let wrapped = sized("efi,count=wrapped", Some("81920s"));
    assert_eq!(errors(&read(&wrapped.bytes)), [FindingId::CountWrapped]);
    // What OVMF computes is past the end of nearly every small disc, and harms nobody.
    let inspection = read(&disc("efi").bytes);
    assert!(inspection.found(FindingId::PartitionPastEnd));
    assert!(inspection.found(FindingId::CatalogEfiOnly));
}

#[test]
fn an_open_end_needs_the_image_within_the_volume() {
    let shrink = |blocks: u64| {
        after("efi,count=0", |disc| {
            let size = (disc.bytes.len() / 2048 - blocks) as u32;
            disc.bytes.write_at(16 * 2048 + 80, &size.to_le_bytes());
        })
    };
    assert_eq!(shrink(0), []);
    assert_eq!(shrink(1), [FindingId::EfiOpenEndOutsideVolume]);
    assert_eq!(shrink(720), [FindingId::EfiOpenEndOutsideVolume]);
}

#[test]
fn an_efi_loader_without_an_entry_is_a_warning() {
    let mut disc = disc("bios+efi");
    // The section is for x86 now, and its image holds nothing.
    patch(&mut disc, 2, 1, &[Platform::X86.0]);
    patch(&mut disc, 3, 6, &4_u16.to_le_bytes());
    let at = image(&disc, 3);
    disc.bytes.write_at(at, &[0; 512]);
    let inspection = read(&disc.bytes);
    assert!(
        inspection.found(FindingId::CatalogNoEfi),
        "{:?}",
        inspection.findings
    );
    assert_eq!(errors(&inspection), []);
}

/// EDK2 starts an image under another platform: the finding is for other firmware, whatever is in the tree.
#[test]
fn an_efi_image_under_another_platform_is_not_missing() {
    let mut disc = disc("bios+efi");
    patch(&mut disc, 2, 1, &[Platform::X86.0]);
    let inspection = read(&disc.bytes);
    let mut findings = inspection.findings.iter();
    let finding = findings
        .find(|it| it.id == FindingId::CatalogNoEfi)
        .unwrap();
    assert!(
        finding
            .message
            .starts_with("slot 3 is an image with an EFI loader")
    );
    assert_eq!(finding.trips, ["firmware"]);
}

#[test]
fn an_efi_image_as_a_floppy_is_a_warning() {
    let mut disc = disc("efi");
    patch(&mut disc, 1, 1, &[2]);
    let inspection = read(&disc.bytes);
    assert!(inspection.found(FindingId::EfiAsFloppy));
    assert_eq!(errors(&inspection), []);
}

#[test]
fn floppies_have_their_size() {
    let found = after("floppy-1440k", |disc| patch(disc, 1, 1, &[1]));
    assert_eq!(found, [FindingId::FloppySize]);
    // Without a file, by the file system, or by what comes next.
    let found = after("floppy-1440k", |disc| {
        let record = record_of(disc, b"BIOS_SLOT_1.IMG");
        disc.bytes.write_at(record + 10, &[0; 4]);
        patch(disc, 1, 1, &[1]);
    });
    assert_eq!(found, [FindingId::FloppySize]);
}

#[test]
fn hard_disks_have_one_partition_in_slot_0() {
    let found = after("hard-disk", |disc| {
        let at = image(disc, 1) + 446;
        let entry: [u8; 16] = disc.bytes.array_at(at);
        disc.bytes.write_at(at + 16, &entry);
    });
    assert_eq!(found, [FindingId::HardDiskPartitionSlot]);
    let found = after("hard-disk", |disc| {
        let at = image(disc, 1) + 446;
        disc.bytes.write_at(at, &[0; 16]);
    });
    assert_eq!(found, [FindingId::HardDiskPartitionSlot]);
    assert!(read(&disc("hard-disk,cylinders=256").bytes).found(FindingId::HardDiskCylinders));
    assert!(!read(&disc("hard-disk,cylinders=255").bytes).found(FindingId::HardDiskCylinders));
}

#[test]
fn an_image_stands_where_no_other_structure_does() {
    // The primary volume descriptor, the boot record, the root directory and the catalog of such a disc.
    for lba in [16_u32, 17, 21, 23] {
        let found = after("none", |disc| patch(disc, 1, 8, &lba.to_le_bytes()));
        assert_eq!(found, [FindingId::ImageOutOfRange], "LBA {lba}");
    }
}
