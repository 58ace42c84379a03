//! What is written to mend a finding, byte for byte, and what is left alone. What real tools make of the same discs is compared in the crate `tests`.

use super::*;
use crate::{
    mend::mend,
    partition_table::{MbrEntry, PartitionType},
    units::{VirtualSector, VirtualSectorCount},
};

/// A disc in which one finding is mended: the places that changed and what stands there then. The finding must be gone.
fn mended(disc: &SparseBytes, id: FindingId, code: Option<&[u8]>) -> Vec<(u64, Vec<u8>)> {
    let options = Options {
        boot_code: code,
        ..Options::default()
    };
    let before = inspect(&mut Window::new(disc), &options).unwrap();
    assert!(before.found(id), "{:?}", before.findings);
    let mended = mend(disc, &options, |_, finding| finding.id == id).unwrap();
    let is_left = mended.inspection.found(id);
    assert_eq!(is_left, mended.fixed.is_empty(), "{:?}", mended.fixed);
    let pieces = mended.edits.pieces();
    pieces
        .map(|(offset, bytes)| (offset, bytes.to_vec()))
        .collect()
}

fn isolinux() -> (MasteredDisc, u64) {
    let disc = disc("none,boot-info=isolinux", None);
    let image = disc.manifest.images[0].load_rba.byte_offset();
    (disc, image)
}

#[test]
fn only_what_is_wrong_in_a_boot_info_table_is_written() {
    let (healthy, image) = isolinux();
    let table: [u8; 16] = healthy.bytes.array_at(image + 8);
    for (at, damage) in [(8, 4), (12, 4), (16, 4), (20, 4)] {
        let (mut disc, _) = isolinux();
        let at = image + at;
        disc.bytes.write_at(at, &vec![0x11; damage]);
        let from = usize::try_from(at - image - 8).unwrap();
        let written = mended(&disc.bytes, FindingId::BootInfoTable, None);
        assert_eq!(written, [(at, table[from..from + damage].to_vec())]);
    }
    // Code that was changed: the table is made right for it, and it is told that this may be damage.
    let (mut disc, _) = isolinux();
    disc.bytes.write_at(image + 64, b"changed!");
    let findings = read(&disc.bytes).findings;
    let damaged = |finding: &Finding| finding.message.contains("if the image itself is damaged");
    assert!(findings.iter().any(damaged), "{findings:?}");
    let written = mended(&disc.bytes, FindingId::BootInfoTable, None);
    assert!(matches!(&written[..], [(at, sum)] if *at == image + 20 && sum.len() == 4));
}

/// isolinux loads as many bytes as the table names. A file that was made longer, to be a floppy, is too long for its memory.
#[test]
fn a_table_may_name_the_loader_in_a_longer_file() {
    let (mut disc, image) = isolinux();
    let shorter = 256_u32;
    let words = (64..shorter).step_by(4);
    let sum = words.fold(0_u32, |sum, at| {
        sum.wrapping_add(u32::from_le_bytes(
            disc.bytes.array_at(image + u64::from(at)),
        ))
    });
    disc.bytes.write_at(image + 16, &shorter.to_le_bytes());
    assert!(read(&disc.bytes).found(FindingId::BootInfoTable));
    disc.bytes.write_at(image + 20, &sum.to_le_bytes());
    assert!(!read(&disc.bytes).found(FindingId::BootInfoTable));
}

#[test]
fn a_catalog_entry_is_made_right_for_its_loader() {
    let (mut disc, image) = isolinux();
    let entry = disc.manifest.catalog.byte_offset() + 32;
    disc.bytes.write_at(image + 502, b"ISOLINUX 6.04");
    disc.bytes.write_at(entry + 6, &[1]);
    let written = mended(&disc.bytes, FindingId::LoadSizeShort, None);
    assert_eq!(written, [(entry + 6, vec![4])]);
    disc.bytes.write_at(entry + 1, &[4]);
    let written = mended(&disc.bytes, FindingId::LoaderEmulation, None);
    assert_eq!(written, [(entry + 1, vec![0]), (entry + 6, vec![4])]);
}

/// What begins as isohdpfx does, as far as it is recognised.
fn code() -> Vec<u8> {
    let mut code = vec![0x33; 432];
    code[200..231].copy_from_slice(b"isolinux.bin missing or corrupt");
    code
}

#[test]
fn a_first_sector_of_zeros_gets_code_a_partition_and_a_signature() {
    let (mut disc, image) = isolinux();
    let sectors = u32::try_from(disc.bytes.len() / 512).unwrap();
    let id = FindingId::MbrAbsent;
    assert_eq!(mended(&disc.bytes, id, None), []);
    let mut expected = code();
    expected.extend((image / 512).to_le_bytes());
    expected.truncate(440);
    let sector = |disc: &SparseBytes, id| {
        let mut disc = disc.clone();
        for (offset, bytes) in mended(&disc, id, Some(&code())) {
            disc.write_at(offset, &bytes);
        }
        disc.array_at::<512>(0)
    };
    let first = sector(&disc.bytes, id);
    assert_eq!(first[..440], expected);
    // isohybrid's: active, from the first sector on, type 17h.
    assert_eq!(first[446..454], [0x80, 0, 1, 0, 0x17, 0xFE, 0xFF, 0xFF]);
    assert_eq!(first[454..458], [0; 4]);
    assert_eq!(first[458..462], sectors.to_le_bytes());
    assert_eq!(first[510..], [0x55, 0xAA]);

    // A table is kept, and its first partition made active.
    let (whole, kind) = (VirtualSectorCount::new(100), PartitionType(0x83));
    let entry = MbrEntry::linear(kind, VirtualSector::new(0), whole).encode();
    disc.bytes.write_at(MbrEntry::at(1), &entry);
    disc.bytes.write_at(510, &[0x55, 0xAA]);
    let first = sector(&disc.bytes, FindingId::MbrNoCode);
    assert_eq!(first[..440], expected);
    assert_eq!(first[446..462], [0; 16]);
    assert_eq!((first[462], &first[463..478]), (0x80, &entry[1..]));

    // Code of a loader that is not on the disc is of no use there.
    let mut other = disc.bytes.clone();
    other.write_at(image + 502, b"another!");
    let written = mended(&other, FindingId::MbrNoCode, Some(&code()));
    assert_eq!(written, []);
}

#[test]
fn a_partition_is_made_active() {
    let mut disc = disc("bios+efi,hybrid=mbr", None).bytes;
    disc.write_at(446, &[0]);
    let written = mended(&disc, FindingId::MbrNoActive, None);
    assert_eq!(written, [(446, vec![0x80])]);
    // xorriso --mbr-force-bootable, beside the partition that protects a GPT.
    let disc = super::disc("bios+efi,hybrid=gpt", None).bytes;
    let written = mended(&disc, FindingId::MbrNoActive, None);
    let entry = [0x80, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    assert_eq!(written, [(462, entry.to_vec())]);
}

#[test]
fn a_master_boot_record_gets_its_signature_and_other_bytes_do_not() {
    let mut disc = disc("hard-disk", None);
    let image = disc.manifest.images[0].load_rba.byte_offset();
    disc.bytes.write_at(image + 510, &[0, 0]);
    let id = FindingId::MbrSignature;
    assert_eq!(
        mended(&disc.bytes, id, None),
        [(image + 510, vec![0x55, 0xAA])]
    );
    disc.bytes.write_at(image + 446, &[0x33]);
    assert_eq!(mended(&disc.bytes, id, None), []);
}

#[test]
fn partitions_that_overlap_are_parted_and_no_efi_system_partition_is_lost() {
    let id = FindingId::HybridMbr;
    let healthy = disc("bios+efi,hybrid=mbr", None).bytes;
    let with = |at: u64, bytes: &[u8]| {
        let mut disc = healthy.clone();
        disc.write_at(at, bytes);
        mended(&disc, id, None)
    };
    // The entry of the whole disc is of type 00 where there is another one.
    assert_eq!(with(450, &[0x17]), [(450, vec![0])]);
    assert_eq!(with(450, &[0xEF]), [(450, vec![0])]);
    let esp = &healthy.array_at::<16>(462);
    // What ends behind the disc ends with it.
    let sectors = u32::try_from(healthy.len() / 512).unwrap();
    let first = u32::from_le_bytes(healthy.array_at(470));
    let mut length = esp[12..].to_vec();
    length[2] = 0x40;
    let cut = with(474, &length);
    let right = (sectors - first).to_le_bytes();
    let mut after = healthy.clone();
    after.write_at(474, &length);
    for (offset, bytes) in cut {
        after.write_at(offset, &bytes);
    }
    assert_eq!(after.array_at::<4>(474), right);
    // Two entries of the same file system: it cannot be told which one goes.
    assert_eq!(with(478, esp), []);
    // Beside it, and of another type, is no reason to take either away.
    let mut other = *esp;
    (other[4], other[8]) = (0x83, other[8].wrapping_add(1));
    assert_eq!(with(478, &other), []);
}

#[test]
fn a_gpt_is_made_right_from_the_copy_that_is_whole() {
    let id = FindingId::HybridGpt;
    let healthy = disc("bios+efi,hybrid=gpt", None).bytes;
    let last = healthy.len() - 512;
    let zeros = |at: u64, length: usize| (at, vec![0; length]);
    for damage in [
        vec![(512 + 56, b"another disk".to_vec())],
        vec![(1024 + 3, vec![0x11; 40])],
        vec![(512 + 24, vec![7])],
        vec![zeros(last, 512)],
        vec![zeros(last - 32 * 512, 33 * 512)],
        vec![(last - 32 * 512 + 9, vec![0x77; 30])],
        vec![(512 + 16, vec![0x11; 4]), zeros(last, 512)],
    ] {
        let mut disc = healthy.clone();
        for (at, bytes) in &damage {
            disc.write_at(*at, bytes);
        }
        for (offset, bytes) in mended(&disc, id, None) {
            disc.write_at(offset, &bytes);
        }
        let (mut is, mut was) = (vec![0; 64 << 10], vec![0; 64 << 10]);
        for start in [0, healthy.len() - (64 << 10)] {
            disc.read_at(start, &mut is);
            healthy.read_at(start, &mut was);
            assert!(is == was, "{damage:?}");
        }
    }
    // A file where the backup would stand, or no disc there any more.
    let mut longer = healthy.clone();
    longer.set_len(healthy.len() + (1 << 20));
    assert!(!mended(&longer, id, None).is_empty());
    longer.write_at(longer.len() - 512, b"data");
    assert_eq!(mended(&longer, id, None), []);
    // A partition where it stood, of which nothing but zeros is there yet.
    let mut partition = healthy.clone();
    partition.write_at(last - 32 * 512, &[0; 33 * 512]);
    let (first, length) = (
        VirtualSector::new(last / 512 - 9),
        VirtualSectorCount::new(9),
    );
    let entry = MbrEntry::linear(PartitionType(0x83), first, length);
    partition.write_at(MbrEntry::at(1), &entry.encode());
    assert_eq!(mended(&partition, id, None), []);
    let mut cut = healthy.clone();
    cut.set_len(healthy.len() - 20 * 2_048);
    assert_eq!(mended(&cut, id, None), []);
}
