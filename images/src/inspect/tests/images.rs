//! What is in and around the images: tables, sessions, partitions, originals.

use super::*;
use crate::finding::Severity;

#[test]
fn isolinux_needs_its_boot_info_table() {
    let with_table = |change: fn(&mut [u8; 64])| {
        after("none", |disc| {
            let record = disc.manifest.image(1).unwrap().clone();
            let start = record.load_rba.byte_offset();
            disc.bytes.write_at(start + 0x800, b"ISOLINUX 6.04");
            let length = record.length.bytes().get();
            let mut bytes = vec![0; usize::try_from(length).unwrap()];
            disc.bytes.read_at(start, &mut bytes);
            let mut head = *bytes.first_chunk::<64>().unwrap();
            head[8..12].copy_from_slice(&16_u32.to_le_bytes());
            head[12..16].copy_from_slice(&record.load_rba.to_u32().unwrap().to_le_bytes());
            head[16..20].copy_from_slice(&u32::try_from(length).unwrap().to_le_bytes());
            head[20..24].copy_from_slice(&BootInfoTable::sum(&bytes[64..]).to_le_bytes());
            change(&mut head);
            disc.bytes.write_at(start, &head);
        })
    };
    assert_eq!(with_table(|_| ()), []);
    assert_eq!(
        with_table(|head| head[8..64].fill(0)),
        [FindingId::BootInfoTable]
    );
    assert_eq!(with_table(|head| head[12] ^= 1), [FindingId::BootInfoTable]);
    assert_eq!(with_table(|head| head[20] ^= 1), [FindingId::BootInfoTable]);
    // A checksum that was cut to 16 bits.
    assert_eq!(
        with_table(|head| head[22..24].fill(0)),
        [FindingId::BootInfoTable]
    );
}

#[test]
fn a_table_in_any_other_boot_image_is_held_against_it_too() {
    let with_table = |change: fn(&mut Vec<u8>)| {
        let mut disc = disc("none");
        let record = disc.manifest.image(1).unwrap().clone();
        let start = record.load_rba.byte_offset();
        let length = record.length.bytes();
        let mut image = vec![0; usize::try_from(length.get()).unwrap()];
        disc.bytes.read_at(start, &mut image);
        let table = BootInfoTable {
            volume: Lba::new(16),
            image: record.load_rba,
            length,
            checksum: BootInfoTable::sum(&image[64..]),
        };
        image[8..24].copy_from_slice(&table.encode());
        // A jump over the table.
        image[..2].copy_from_slice(&[0xEB, 0x3E]);
        change(&mut image);
        disc.bytes.write_at(start, &image);
        let mut findings = read(&disc.bytes).findings.into_iter();
        let found = findings.find(|finding| finding.id == FindingId::BootInfoTable);
        found.map(|finding| (finding.severity, finding.message))
    };
    let told = |change| {
        let (severity, message) = with_table(change).unwrap();
        assert_eq!(severity, Severity::Warning, "{message}");
        message
    };
    assert_eq!(with_table(|_| ()), None);
    let changed = told(|image| image[1000] ^= 1);
    assert!(changed.contains("the checksum "), "{changed}");
    let over_code = told(|image| image[..2].copy_from_slice(&[0x31, 0xC0]));
    assert!(over_code.contains("lies over"), "{over_code}");
    let moved = told(|image| image[12] ^= 1);
    assert!(moved.contains("instead of"), "{moved}");
    // Neither its address nor its length: whatever these bytes are, they are no table.
    assert_eq!(with_table(|image| image[12..20].fill(0xAA)), None);
    assert_eq!(with_table(|image| image[8] = 17), None);
}

/// Puts the last image, which ends the disc, into an extent of four times its length.
fn fourfold(disc: &mut MasteredDisc, name: &[u8], spread: bool, filler: u8) {
    let record = disc.manifest.images.last().unwrap().clone();
    let (start, length) = (record.load_rba.byte_offset(), record.length);
    let image = disc.bytes.slice(start, length.bytes().get());
    disc.bytes.set_len(start);
    disc.bytes.set_len(start + length.bytes().get() * 4);
    let fill = vec![filler; 512];
    for number in 0..length.get() * 4 {
        disc.bytes.write_at(start + number * 512, &fill);
    }
    let step = if spread { 2048 } else { 512 };
    for number in 0..length.get() {
        let sector: [u8; 512] = image.array_at(number * 512);
        disc.bytes.write_at(start + number * step, &sector);
    }
    let blocks = u32::try_from(disc.bytes.len() / 2048).unwrap();
    disc.bytes.write_at(16 * 2048 + 80, &blocks.to_le_bytes());
    let file = record_of(disc, name);
    let bytes = u32::try_from(length.bytes().get() * 4).unwrap();
    disc.bytes.write_at(file + 10, &bytes.to_le_bytes());
}

#[test]
fn four_times_an_image_is_kb912666() {
    for boot in ["floppy-1440k", "hard-disk"] {
        let original = disc(boot);
        let image = original.bytes.slice(
            image(&original, 1),
            original.manifest.image(1).unwrap().length.bytes().get(),
        );
        for (spread, filler) in [(false, 0), (false, 0xF6), (true, 0xF6)] {
            let mut disc = original.clone();
            fourfold(&mut disc, b"BIOS_SLOT_1.IMG", spread, filler);
            let options = Options {
                medium: None,
                boot_image: Some(&image),
                ..Options::default()
            };
            let inspection = inspect(&mut Window::new(&disc.bytes), &options).unwrap();
            assert_eq!(
                errors(&inspection),
                [FindingId::ImageOversized4x],
                "{boot} {spread} {filler}"
            );
            let said = &inspection.findings[0].message;
            let how = if spread {
                "alone in a block"
            } else {
                "is filler"
            };
            let figures = [image.len(), 4 * image.len()].map(|bytes| bytes.to_string());
            for words in ["slot 1", &figures[0], &figures[1], how] {
                assert!(said.contains(words), "{words}: {said}");
            }
            let expected = if spread {
                ComparisonResult::FourfoldSpread
            } else {
                ComparisonResult::FourfoldTail
            };
            assert_eq!(inspection.boot_image.unwrap().result, expected, "{boot}");
        }
        // The image itself, four times over.
        let mut disc = original.clone();
        fourfold(&mut disc, b"BIOS_SLOT_1.IMG", false, 0);
        let start = super::image(&disc, 1);
        for copy in 1..4 {
            disc.bytes.embed(start + copy * image.len(), &image);
        }
        assert_eq!(
            errors(&read(&disc.bytes)),
            [FindingId::ImageOversized4x],
            "{boot}"
        );
        // The same length, with content that means something: nothing but the original tells.
        let mut disc = original.clone();
        fourfold(&mut disc, b"BIOS_SLOT_1.IMG", false, 0);
        let at = disc.bytes.len() - 512;
        disc.bytes.write_at(at, b"data");
        assert!(!read(&disc.bytes).found(FindingId::ImageOversized4x));
        let options = Options {
            medium: None,
            boot_image: Some(&image),
            ..Options::default()
        };
        let inspection = inspect(&mut Window::new(&disc.bytes), &options).unwrap();
        assert_eq!(
            inspection.boot_image.unwrap().result,
            ComparisonResult::FourfoldTail,
            "{boot}"
        );
    }
}

/// Without a file the room to what comes next tells, and only if it is exactly that.
#[test]
fn four_times_an_image_without_a_file_is_told_by_what_comes_next() {
    for (more, expected) in [(0, true), (1, false)] {
        let mut disc = disc("floppy-1440k");
        let length = disc.manifest.image(1).unwrap().length.bytes().get();
        let image = disc.bytes.slice(image(&disc, 1), length);
        fourfold(&mut disc, b"BIOS_SLOT_1.IMG", false, 0xF6);
        let record = record_of(&disc, b"BIOS_SLOT_1.IMG");
        disc.bytes.write_at(record + 10, &[0; 4]);
        let blocks = disc.bytes.len() / 2048 + more;
        disc.bytes.set_len(blocks * 2048);
        let size = u32::try_from(blocks).unwrap();
        disc.bytes.write_at(16 * 2048 + 80, &size.to_le_bytes());
        let options = Options {
            medium: None,
            boot_image: Some(&image),
            ..Options::default()
        };
        let inspection = inspect(&mut Window::new(&disc.bytes), &options).unwrap();
        assert_eq!(
            inspection.found(FindingId::ImageOversized4x),
            expected,
            "{more}: {:?}",
            inspection.findings
        );
        let result = if expected {
            ComparisonResult::FourfoldTail
        } else {
            ComparisonResult::Equal
        };
        assert_eq!(inspection.boot_image.unwrap().result, result, "{more}");
    }
}

#[test]
fn free_space_behind_the_last_image_is_not_part_of_it() {
    let found = after("hard-disk", |disc| {
        let record = record_of(disc, b"BIOS_SLOT_1.IMG");
        disc.bytes.write_at(record + 10, &[0; 4]);
        disc.bytes.set_len(disc.bytes.len() * 5);
    });
    assert_eq!(found, []);
}

#[test]
fn an_original_is_compared_byte_by_byte() {
    let original = disc("none");
    let length = original.manifest.image(1).unwrap().length.bytes().get();
    let image = original.bytes.slice(image(&original, 1), length);
    let compare = |change: &dyn Fn(&mut SparseBytes)| {
        let mut image = image.clone();
        change(&mut image);
        let options = Options {
            medium: None,
            boot_image: Some(&image),
            ..Options::default()
        };
        let inspection = inspect(&mut Window::new(&original.bytes), &options).unwrap();
        assert!(!inspection.has_errors());
        inspection.boot_image.unwrap().result
    };
    assert_eq!(compare(&|_| ()), ComparisonResult::Equal);
    assert_eq!(
        compare(&|image| image.write_at(20, b"table")),
        ComparisonResult::EqualButBootInfoTable
    );
    assert_eq!(
        compare(&|image| image.write_at(1500, &[0xA5, 0x5A, 0xA5])),
        ComparisonResult::Differs {
            sector: VirtualSector::new(2),
            byte: 1500
        }
    );
}

#[test]
fn what_the_file_has_behind_the_original_is_zeros_or_told() {
    let mut disc = disc("none");
    let length = disc.manifest.image(1).unwrap().length.bytes().get();
    let (start, before) = (image(&disc, 1), length - 512);
    let shorter = disc.bytes.slice(start, before);
    let compare = |disc: &MasteredDisc| {
        let options = Options {
            medium: None,
            boot_image: Some(&shorter),
            ..Options::default()
        };
        let inspection = inspect(&mut Window::new(&disc.bytes), &options).unwrap();
        inspection.boot_image.unwrap().result
    };
    disc.bytes.write_at(start + before, &[0; 512]);
    assert_eq!(compare(&disc), ComparisonResult::EqualButPadded);
    disc.bytes.write_at(start + before + 100, b"something else");
    assert_eq!(
        compare(&disc),
        ComparisonResult::Differs {
            sector: VirtualSector::new(before / 512),
            byte: before + 100
        }
    );
}

#[test]
fn a_quarter_of_the_medium_is_told() {
    let disc = disc("floppy-1440k");
    let check = |blocks, expected| {
        let options = Options {
            medium: Some(BlockCount::new(blocks)),
            boot_image: None,
            ..Options::default()
        };
        let inspection = inspect(&mut Window::new(&disc.bytes), &options).unwrap();
        assert_eq!(
            inspection.found(FindingId::ImageExceedsQuarter),
            expected,
            "{blocks}"
        );
        assert_eq!(errors(&inspection), []);
    };
    check(2_880, false);
    check(2_879, true);
    let options = Options {
        medium: Some(BlockCount::new(100)),
        boot_image: None,
        ..Options::default()
    };
    let inspection = inspect(&mut Window::new(&disc.bytes), &options).unwrap();
    assert_eq!(errors(&inspection), [FindingId::ImageOutOfRange]);
}

#[test]
fn a_session_without_a_boot_record_hides_the_one_before() {
    let add_session = |with_record: bool| {
        let mut disc = disc("none");
        let blocks = disc.bytes.len() / 2048;
        let start = blocks.next_multiple_of(32);
        disc.bytes.set_len((start + 40) * 2048);
        let mut primary: [u8; 2048] = disc.bytes.array_at(16 * 2048);
        primary[80..84].copy_from_slice(&40_u32.to_le_bytes());
        primary[158..162].copy_from_slice(&u32::try_from(start + 20).unwrap().to_le_bytes());
        disc.bytes.write_at((start + 16) * 2048, &primary);
        let record: [u8; 2048] = disc.bytes.array_at(17 * 2048);
        let terminator: [u8; 2048] = disc.bytes.array_at(18 * 2048);
        disc.bytes.write_at(
            (start + 17) * 2048,
            if with_record { &record } else { &terminator },
        );
        disc.bytes.write_at((start + 18) * 2048, &terminator);
        let inspection = read(&disc.bytes);
        assert_eq!(inspection.sessions.len(), 2);
        errors(&inspection)
    };
    assert_eq!(add_session(false), [FindingId::MultisessionStale]);
    assert_eq!(add_session(true), []);
}

/// Writes an MBR with these slots of status, type, first sector, sectors.
fn with_mbr(disc: &mut MasteredDisc, slots: &[(u8, u32, u32)]) {
    for (index, &(kind, first, sectors)) in (0_u64..).zip(slots) {
        let mut entry = [0; 16];
        entry[4] = kind;
        entry[8..12].copy_from_slice(&first.to_le_bytes());
        entry[12..].copy_from_slice(&sectors.to_le_bytes());
        disc.bytes.write_at(446 + 16 * index, &entry);
    }
    disc.bytes.write_at(510, &[0x55, 0xAA]);
}

/// How bad a disc's master boot record is, and in which words.
fn hybrid_mbr(disc: &MasteredDisc) -> Option<(Severity, String)> {
    let inspection = read(&disc.bytes);
    let mut findings = inspection.findings.into_iter();
    let found = findings.find(|finding| finding.id == FindingId::HybridMbr)?;
    Some((found.severity, found.message))
}

#[test]
fn a_hybrid_mbr_is_checked_as_uefi_does() {
    let check = |slots: &[(u8, u32, u32)], expected: Option<&str>| {
        let mut disc = disc("bios+efi");
        with_mbr(&mut disc, slots);
        let found = hybrid_mbr(&disc);
        assert_eq!(found.is_some(), expected.is_some(), "{slots:?}: {found:?}");
        if let (Some((severity, message)), Some(words)) = (found, expected) {
            assert_eq!(severity, Severity::Warning, "{message}");
            assert!(message.contains(words), "{message}");
        }
    };
    check(&[(0x00, 0, 3_000), (0xEF, 100, 2_880)], None);
    check(&[(0x17, 0, 3_000), (0xEF, 200, 2_800)], Some("overlaps"));
    check(&[(0x17, 0, 3_000_000)], Some("but the disc has"));
    check(&[(0xCD, 1, 2_900)], None);
}

#[test]
fn a_hybrid_mbr_is_an_error_where_it_alone_leads_to_a_loader() {
    let check = |boot: &str, change: fn(&mut MasteredDisc), expected: Severity, words: &str| {
        let mut disc = disc(&format!("{boot},hybrid=mbr"));
        change(&mut disc);
        // As `isohybrid --uefi` writes it: the whole disc, of type 17h, over the EFI system partition.
        disc.bytes.write_at(446 + 4, &[0x17]);
        let (severity, message) = hybrid_mbr(&disc).unwrap();
        assert_eq!(severity, expected, "{boot}: {message}");
        assert!(message.contains(words), "{message}");
    };
    let without_catalog = |disc: &mut MasteredDisc| disc.bytes.write_at(17 * 2048, &[0xFF]);
    let without_entry = |disc: &mut MasteredDisc| patch(disc, 3, 0, &[0]);
    let checksum = |disc: &mut MasteredDisc| patch(disc, 0, 0x1C, &[1, 2]);
    let only = "nothing else on the disc leads to its EFI loader";
    check(
        "bios+efi",
        |_| {},
        Severity::Warning,
        "firmware reads the catalog first",
    );
    check("bios+efi", without_catalog, Severity::Error, only);
    // OVMF 2022.11 starts no stick whose catalog has an entry for a BIOS alone, even with a right table.
    let hidden = "then reads no partition table";
    check("bios+efi", without_entry, Severity::Warning, hidden);
    check("bios+efi", checksum, Severity::Error, only);
    // A BIOS starts the first sector, whatever the table says.
    let past_the_end = |disc: &mut MasteredDisc| disc.bytes.write_at(446 + 12, &[0xFF; 3]);
    check(
        "none",
        past_the_end,
        Severity::Warning,
        "does not matter for UEFI",
    );
}

#[test]
fn a_gpt_needs_a_protective_mbr_and_a_backup() {
    let mut disc = disc("bios+efi");
    disc.bytes.write_at(512, b"EFI PART");
    let inspection = read(&disc.bytes);
    assert!(inspection.found(FindingId::HybridGpt));
    assert_eq!(errors(&inspection), []);
    let wrong = wrong_gpt(&inspection);
    for what in ["type EE", "checksum", "backup"] {
        assert!(wrong.contains(what), "{wrong}");
    }
}

#[test]
fn a_disc_of_50_gb_is_read_in_a_moment() {
    let mut disc = disc("bios+efi");
    disc.bytes.set_len(50_000_000_000);
    disc.bytes
        .write_at(16 * 2048 + 80, &24_414_062_u32.to_le_bytes());
    let inspection = read(&disc.bytes);
    assert_eq!(inspection.size, ByteCount::new(50_000_000_000));
    assert_eq!(errors(&inspection), []);
}

/// What is wrong with a disc's GPT, and its partitions: whether each is an EFI system partition, and its first sector.
fn gpt(change: impl FnOnce(&mut MasteredDisc)) -> (String, Vec<(bool, u64)>) {
    let mut disc = disc("bios+efi,hybrid=gpt");
    change(&mut disc);
    let inspection = read(&disc.bytes);
    let partitions = inspection.partitions.gpt.iter().flatten();
    let partitions = partitions.map(|it| (it.esp, it.first.get()));
    let partitions = partitions.collect();
    (wrong_gpt(&inspection), partitions)
}

/// What is wrong with a GPT, and with the master boot record before it.
fn wrong_gpt(inspection: &Inspection) -> String {
    let findings = inspection.findings.iter();
    let wrong = findings.filter(|finding| finding.id == FindingId::HybridGpt);
    let messages: Vec<&str> = wrong.map(|finding| finding.message.as_str()).collect();
    messages.join("\n")
}

#[test]
fn a_gpt_is_checked_with_its_entries_and_its_backup() {
    let (wrong, partitions) = gpt(|_| ());
    let esp = image(&disc("bios+efi,hybrid=gpt"), 3) / 512;
    assert_eq!((&*wrong, &*partitions), ("", &[(true, esp)][..]));
    let check = |at: u64, bytes: &[u8], why: &str| {
        let (wrong, partitions) = gpt(|disc| disc.bytes.write_at(at, bytes));
        assert!(wrong.contains(why), "{wrong}");
        partitions
    };
    // UEFI §5.3: the header in sector 1, entries of 128 bytes from sector 2 on.
    check(512 + 56, b"another disk", "the header's checksum is wrong");
    check(450, &[0x83], "has no partition of type EE");
    let mut second = [0; 128];
    second[..16].fill(7);
    (second[32], second[40]) = (100, 101);
    let both = check(1024 + 128, &second, "the entries' checksum is wrong");
    assert_eq!(both, [(true, esp), (false, 100)]);
    let (wrong, _) = gpt(|disc| disc.bytes.set_len(disc.bytes.len() - 2048));
    assert!(wrong.contains("there is no backup at sector"), "{wrong}");
    let (wrong, _) = gpt(|disc| disc.bytes.set_len(disc.bytes.len() + 2048));
    assert!(wrong.contains("the disc's last sector is"), "{wrong}");
}

#[test]
fn the_first_primary_descriptor_counts() {
    let mut disc = disc("none");
    let before = read(&disc.bytes);
    let mut second = disc.bytes.slice(16 * 2048, 2048);
    second.write_at(40, b"ANOTHER");
    disc.bytes.embed(18 * 2048, &second);
    let inspection = read(&disc.bytes);
    assert_eq!(inspection.volume, before.volume);
    assert_eq!(inspection.volume.unwrap().lba, Lba::new(16));
}
