//! One disc for each thing that can be wrong, and inputs that are no discs at all.

mod entries;
mod images;
mod programs;

use proptest::prelude::*;

use super::*;
use crate::{
    boot::Boot,
    eltorito::{BootInfoTable, MediaType, Platform},
    finding::FindingId,
    reference::{MasteredDisc, master},
    sparse::SparseBytes,
    units::{BlockCount, ByteCount, Lba, VirtualSector},
};

fn disc(boot: &str) -> MasteredDisc {
    sized(boot, None)
}

fn sized(boot: &str, size: Option<&str>) -> MasteredDisc {
    let boot: Boot = boot.parse().unwrap();
    let size = size.map(|size| size.parse().unwrap());
    master("inspect/-/-/-/reference", None, &boot, size).unwrap()
}

fn read(bytes: &SparseBytes) -> Inspection {
    inspect(&mut Window::new(bytes), &Options::default()).unwrap()
}

fn errors(inspection: &Inspection) -> Vec<FindingId> {
    inspection.errors().map(|finding| finding.id).collect()
}

/// The same errors after a change to the bytes of a disc, as ids.
fn after(boot: &str, change: impl FnOnce(&mut MasteredDisc)) -> Vec<FindingId> {
    let mut disc = disc(boot);
    change(&mut disc);
    errors(&read(&disc.bytes))
}

/// Writes into a slot of the catalog.
fn patch(disc: &mut MasteredDisc, slot: u64, byte: u64, bytes: &[u8]) {
    let at = disc.manifest.catalog.byte_offset() + slot * 32 + byte;
    disc.bytes.write_at(at, bytes);
}

/// Where an image starts.
fn image(disc: &MasteredDisc, slot: u16) -> u64 {
    disc.manifest.image(slot).unwrap().load_rba.byte_offset()
}

/// The directory record of a file: its offset on the disc.
fn record_of(disc: &MasteredDisc, name: &[u8]) -> u64 {
    let head = 64 * 2048;
    let mut bytes = vec![0; head];
    disc.bytes.read_at(0, &mut bytes);
    let name_at = bytes.windows(name.len()).position(|window| window == name);
    name_at.unwrap() as u64 - 33
}

#[test]
fn healthy_discs_are_read_as_they_were_mastered() {
    for boot in [
        "none",
        "floppy-1440k",
        "hard-disk",
        "efi",
        "bios+efi",
        "hard-disk+efi,extensions=2",
    ] {
        let disc = disc(boot);
        let inspection = read(&disc.bytes);
        assert_eq!(errors(&inspection), [], "{boot}: {:?}", inspection.findings);
        let catalog = inspection.catalog.as_ref().unwrap();
        assert_eq!(catalog.lba, disc.manifest.catalog);
        for record in &disc.manifest.images {
            let (_, boot) = inspection
                .entries()
                .find(|(entry, _)| entry.slot == record.slot)
                .unwrap();
            assert_eq!(boot.load_rba, record.load_rba);
            assert_eq!(boot.extent_blocks, Some(record.length.blocks_rounded_up()));
            assert!(boot.path.as_ref().unwrap().starts_with("/BOOT/"));
            assert_eq!(boot.loaders.is_empty(), record.loader.is_none());
            // Without emulation and without a file system an image has no length of its own.
            let own = record.loader.is_some() || boot.media.emulation() != MediaType::NO_EMULATION;
            assert_eq!(boot.own_length, own.then_some(record.length), "{boot:?}");
        }
        let json = serde_json::to_string(&inspection).unwrap();
        assert_eq!(
            serde_json::from_str::<Inspection>(&json).unwrap(),
            inspection
        );
    }
}

#[test]
fn json_has_the_shape_of_inspect_1() {
    let inspection = read(&disc("bios+efi,defect=catalog-checksum").bytes);
    let json = serde_json::to_value(&inspection).unwrap();
    assert_eq!(json["schema"], "inspect/1");
    assert_eq!(json["size_bytes"], inspection.size.get());
    let entries = json["catalog"]["entries"].as_array().unwrap();
    assert_eq!(entries[0]["kind"], "validation");
    assert_eq!(entries[2]["kind"], "header");
    let entry = &entries[3];
    for (key, value) in [
        ("slot", serde_json::json!(3)),
        ("kind", "section".into()),
        ("platform", "efi".into()),
        ("bootable", true.into()),
        ("media", "none".into()),
        ("load_segment", 0.into()),
        ("system_type", 0.into()),
        ("sector_count", 2880.into()),
        ("extent_blocks", 720.into()),
    ] {
        assert_eq!(entry[key], value, "{key}");
    }
    let finding = &json["findings"][0];
    assert_eq!(finding["id"], "catalog-checksum");
    assert_eq!(finding["severity"], "error");
    assert_eq!(
        finding["offset"],
        json["catalog"]["lba"].as_u64().unwrap() * 2048 + 0x1C
    );
    assert!(
        finding["trips"]
            .as_array()
            .unwrap()
            .contains(&"ovmf".into())
    );
}

#[test]
fn what_is_no_disc_is_said_to_be_none() {
    for bytes in [
        vec![0; 1],
        vec![0; 2048],
        vec![7; 40_000],
        vec![0xFF; 100_000],
    ] {
        let inspection = inspect(&mut Window::new(&bytes), &Options::default()).unwrap();
        assert_eq!(errors(&inspection), [FindingId::NotIso]);
    }
}

#[test]
fn what_has_no_bytes_at_offsets_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.iso");
    std::fs::write(&empty, "").unwrap();
    for (path, kind) in [
        (folder.path(), "a directory"),
        (&empty, "empty"),
        (std::path::Path::new("/dev/null"), "a character device"),
    ] {
        let error = DiscFile::open(path).unwrap_err().to_string();
        assert!(error.contains(kind), "{error}");
    }
    let absent = DiscFile::open(&folder.path().join("absent.iso")).unwrap_err();
    assert!(absent.to_string().contains("absent.iso"), "{absent}");
}

#[test]
fn truncated_discs_say_what_is_missing() {
    let mut disc = disc("efi");
    let image_end = disc.bytes.len();
    disc.bytes.set_len(image_end - 4096);
    let found = errors(&read(&disc.bytes));
    assert!(found.contains(&FindingId::ImageOutOfRange) && found.contains(&FindingId::VolumeSize));
    let catalog = disc.manifest.catalog;
    disc.bytes.set_len(catalog.byte_offset() + 40);
    let found = errors(&read(&disc.bytes));
    assert!(found.contains(&FindingId::CatalogOutOfRange), "{found:?}");
    disc.bytes.set_len(17 * 2048 + 100);
    let found = errors(&read(&disc.bytes));
    assert!(found.contains(&FindingId::NoBootRecord), "{found:?}");
}

#[test]
fn addresses_at_the_end_of_32_bits_are_no_trouble() {
    let found = after("bios+efi", |disc| {
        disc.bytes.write_at(17 * 2048 + 0x47, &[0xFF; 4]);
    });
    assert_eq!(found, [FindingId::CatalogOutOfRange]);
    let found = after("bios+efi", |disc| patch(disc, 3, 8, &[0xFF; 4]));
    assert_eq!(found, [FindingId::ImageOutOfRange]);
}

#[test]
fn a_directory_that_holds_itself_is_walked_once() {
    let mut disc = disc("none");
    let root: [u8; 4] = disc.bytes.array_at(16 * 2048 + 158);
    let boot_folder = record_of(&disc, b"BOOT");
    disc.bytes.write_at(boot_folder + 2, &root);
    let inspection = read(&disc.bytes);
    assert!(inspection.tree.unwrap().directories < 6);
    // A directory of 4 GiB that overlaps everything.
    disc.bytes.write_at(16 * 2048 + 166, &[0xFF; 4]);
    assert!(!read(&disc.bytes).tree.unwrap().complete);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_change_to_the_structures_is_survived(
        boot in prop::sample::select(vec!["none", "hard-disk", "bios+efi,extensions=1", "floppy-1440k+efi"]),
        changes in prop::collection::vec((0_u64..60 * 2048, any::<u8>()), 1..60),
        length in prop::option::of(0_u64..200_000),
    ) {
        let mut disc = disc(boot);
        for (at, byte) in changes {
            // Descriptors, directories, the catalog and the images' beginnings.
            disc.bytes.write_at(at, &[byte]);
        }
        if let Some(length) = length {
            disc.bytes.set_len(length.max(1));
        }
        let options = Options { medium: Some(BlockCount::new(1000)), boot_image: Some(&disc.bytes), ..Options::default() };
        if let Ok(inspection) = inspect(&mut Window::new(&disc.bytes), &options) {
            let json = serde_json::to_string(&inspection).unwrap();
            // What has to be written is told and not kept.
            let again: Inspection = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(serde_json::to_string(&again).unwrap(), json);
        }
    }

    #[test]
    fn any_catalog_is_survived(slots in prop::collection::vec(prop::sample::select(vec![0_u8, 0x44, 0x88, 0x90, 0x91, 0xFF]), 64), noise in prop::collection::vec(any::<u8>(), 2048)) {
        let mut disc = disc("bios+efi");
        let at = disc.manifest.catalog.byte_offset();
        disc.bytes.write_at(at + 32, &noise[32..]);
        for (slot, first) in (1_u64..).zip(slots) {
            disc.bytes.write_at(at + slot * 32, &[first]);
        }
        let inspection = read(&disc.bytes);
        prop_assert!(inspection.catalog.is_some());
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 1..80_000)) {
        let mut bytes = bytes;
        if let Some(descriptor) = bytes.get_mut(32_768..32_775) {
            descriptor.copy_from_slice(b"\x01CD001\x01");
        }
        drop(inspect(&mut Window::new(&bytes), &Options::default()));
    }
}

/// wipefs zeroes the signature that it finds at byte 32769 (util-linux, libblkid's iso9660 magic), and nothing else.
#[test]
fn a_wiped_signature_is_named_and_its_bytes_are_known() {
    let disc =
        crate::reference::master("wiped/-/-/-/reference", None, &"efi".parse().unwrap(), None);
    let mut bytes = disc.unwrap().bytes;
    bytes.write_at(32_769, &[0; 5]);
    let read = inspect(&mut Window::new(&bytes), &Options::default()).unwrap();
    let found: Vec<_> = read
        .findings
        .iter()
        .filter(|it| it.id == FindingId::NotIso)
        .collect();
    assert_eq!(
        (found.len(), found[0].offset),
        (1, 32_769),
        "{:?}",
        read.findings
    );
    assert!(found[0].message.contains("wipefs"), "{:?}", found[0]);
    assert!(!read.found(FindingId::IsoInPartition));
}
