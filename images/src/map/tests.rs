//! The map of discs that are right, that are damaged, and that are no discs. Other tools' readings of real discs are
//! compared with it in the crate `tests`.

use proptest::prelude::*;

use super::*;
use crate::{
    boot::Boot,
    inspect::{Options, Source, inspect},
    reference::{MasteredDisc, master},
    sparse::SparseBytes,
};

fn disc(boot: &str) -> MasteredDisc {
    let boot: Boot = boot.parse().unwrap();
    master("map/-/-/-/reference", None, &boot, None).unwrap()
}

fn map(disc: &dyn Source) -> DiscMap {
    let mut window = Window::new(disc);
    let inspection = inspect(&mut window, &Options::default()).unwrap();
    DiscMap::read(&mut window, &inspection)
}

/// What some blocks belong to, in words.
fn words(map: &DiscMap, lba: u64, blocks: u64) -> Vec<String> {
    let owned = map.whose(lba * BLOCK_BYTES, BlockCount::new(blocks).bytes());
    owned.iter().map(Owned::to_string).collect()
}

#[test]
fn what_firmware_reads_has_its_name() {
    let disc = disc("bios+efi");
    let map = map(&disc.bytes);
    assert!(map.is_complete());
    assert_eq!(
        words(&map, 16, 3),
        [
            "primary volume descriptor",
            "boot record",
            "volume descriptor set terminator"
        ]
    );
    let catalog = disc.manifest.catalog;
    assert_eq!(words(&map, catalog.get(), 1), ["catalog"]);
    let bios = disc.manifest.image(1).unwrap().load_rba.get();
    assert_eq!(
        words(&map, bios, 1),
        ["boot image of slot 1 (/BOOT/BIOS_SLOT_1.IMG), block 0"]
    );
    let efi = disc.manifest.image(3).unwrap().load_rba;
    let holder = "boot image of slot 3 (/BOOT/EFI_SLOT_3.IMG)";
    assert_eq!(
        words(&map, efi.get(), 1)[0],
        format!("boot sector of the {holder}")
    );
    let loader = format!("\\EFI\\BOOT\\BOOTX64.EFI in the {holder}");
    assert!(
        words(&map, efi.get(), 720)
            .iter()
            .any(|what| what.starts_with(&loader))
    );
    let end = disc.bytes.len() / BLOCK_BYTES;
    assert_eq!(words(&map, end, 5), ["nothing that is known"]);
}

#[test]
fn what_stands_behind_the_volume_is_said_to() {
    let mut disc = disc("none");
    let end = disc.bytes.len() / BLOCK_BYTES;
    disc.bytes.set_len((end + 3) * BLOCK_BYTES);
    let map = map(&disc.bytes);
    assert_eq!(
        words(&map, end + 2, 1),
        ["behind the volume's end, block 2"]
    );
    assert!(!words(&map, end - 1, 1)[0].contains("behind"));
}

#[test]
fn without_content_there_is_what_leads_to_it() {
    let disc = disc("bios+efi");
    let whole = map(&disc.bytes);
    let without = whole.without_content();
    let bios = disc.manifest.image(1).unwrap().load_rba.get();
    for lba in [0, bios] {
        assert_ne!(
            words(&whole, lba, 1),
            ["nothing that is known"],
            "LBA {lba}"
        );
        assert_eq!(
            words(&without, lba, 1),
            ["nothing that is known"],
            "LBA {lba}"
        );
    }
    for lba in [16, 17, 18, disc.manifest.catalog.get()] {
        assert_eq!(words(&without, lba, 1), words(&whole, lba, 1), "LBA {lba}");
    }
}

#[test]
fn entries_that_share_an_image_are_one_and_blocks_of_it_are_counted() {
    let mut disc = disc("none,entries=3");
    let catalog = disc.manifest.catalog.byte_offset();
    // The entry in slot 3 points where the one in slot 1 does.
    let first: [u8; 4] = disc.bytes.array_at(catalog + 32 + 8);
    disc.bytes.write_at(catalog + 3 * 32 + 8, &first);
    let map = map(&disc.bytes);
    let image = disc.manifest.image(1).unwrap().load_rba.get();
    let said = words(&map, image, 2);
    assert!(
        said[0].starts_with("boot image of slots 1 and 3 ("),
        "{said:?}"
    );
}

#[test]
fn every_byte_belongs_to_the_innermost() {
    let disc = disc("bios+efi,hybrid=gpt");
    let map = map(&disc.bytes);
    assert_eq!(
        words(&map, 0, 1),
        [
            "boot code of the master boot record",
            "partition table of the master boot record",
            "GPT header",
            "GPT entries, block 0"
        ]
    );
    let backup = disc.bytes.len() - 512;
    assert_eq!(
        map.whose(backup, ByteCount::new(512))[0].to_string(),
        "backup GPT header"
    );
    // By trying every extent for a sample of bytes.
    for offset in (0..disc.bytes.len()).step_by(1_021) {
        let around = map.extents().iter().filter(|extent| {
            (extent.offset..extent.end()).contains(&offset) && !holds_the_volume(extent)
        });
        let layer = around.map(|extent| extent.what.layer()).max();
        let owned = map.whose(offset, ByteCount::new(1));
        assert_eq!(owned.len(), 1);
        let found = owned[0].what.as_ref().map(Structure::layer);
        assert_eq!(found, layer, "byte {offset}");
    }
}

#[test]
fn a_pointer_into_the_descriptors_does_not_hide_them() {
    let mut disc = disc("none");
    let catalog = disc.manifest.catalog.byte_offset();
    disc.bytes.write_at(catalog + 32 + 8, &[16, 0, 0, 0]);
    assert_eq!(
        words(&map(&disc.bytes), 16, 1),
        ["primary volume descriptor"]
    );
}

#[test]
fn extents_are_data() {
    let map = map(&disc("bios+efi").bytes);
    let json = serde_json::to_value(map.extents()).unwrap();
    let kinds: Vec<&str> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|extent| extent["what"]["kind"].as_str().unwrap())
        .collect();
    for kind in [
        "system-area",
        "volume-descriptor",
        "catalog",
        "boot-image",
        "fat",
        "directory",
    ] {
        assert!(kinds.contains(&kind), "{kind}");
    }
    assert_eq!(
        serde_json::from_value::<Vec<Extent>>(json).unwrap(),
        map.extents()
    );
}

#[test]
fn a_disc_of_endless_directories_is_read_to_an_end() {
    // Records of directories, each at another block, each of 4 GiB, in a disc of 1 TiB that is nothing else.
    struct Endless(Vec<u8>);
    impl Source for Endless {
        fn length(&self) -> ByteCount {
            ByteCount::new(1 << 40)
        }
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
            let start = usize::try_from(offset % (1 << 20)).unwrap();
            for (index, byte) in buffer.iter_mut().enumerate() {
                let head = usize::try_from(offset)
                    .unwrap_or(usize::MAX)
                    .saturating_add(index);
                *byte = match self.0.get(head) {
                    Some(&byte) => byte,
                    None => self.0[32 * 1024 + 156..32 * 1024 + 190][(start + index) % 2048 % 34],
                };
            }
            Ok(buffer.len())
        }
    }
    let disc = disc("none");
    let mut head = vec![0; 64 * 2048];
    disc.bytes.read_at(0, &mut head);
    let root = 16 * 2048 + 156;
    head[root + 2..root + 6].copy_from_slice(&[0, 1, 0, 0]);
    head[root + 10..root + 14].copy_from_slice(&[0xFF; 4]);
    head[root + 33] = b'A';
    let map = map(&Endless(head));
    assert!(map.extents().len() <= 400_000);
}

#[test]
fn what_is_no_disc_has_a_map_of_nothing() {
    for bytes in [vec![0; 1], vec![0xFF; 100_000], vec![0; 2048 * 17]] {
        let map = map(&bytes);
        assert_eq!(map.extents(), []);
        let all = map.whose(0, ByteCount::new(u64::MAX));
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].to_string(), "nothing that is known");
    }
}

/// A healthy disc, some of whose first bytes are others.
fn damaged(boot: &str, changes: &[(u64, u8)]) -> SparseBytes {
    let mut bytes = disc(boot).bytes;
    for &(at, byte) in changes {
        bytes.write_at(at % (96 * 1024), &[byte]);
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_disc_has_a_map(
        boot in prop::sample::select(vec!["none", "bios+efi,hybrid=gpt", "efi"]),
        changes in prop::collection::vec((any::<u64>(), any::<u8>()), 0..40),
        queries in prop::collection::vec((0_u64..4_000_000, 0_u64..100_000), 8),
    ) {
        let bytes = damaged(boot, &changes);
        let map = map(&bytes);
        for extent in map.extents() {
            prop_assert!(extent.end() <= bytes.len());
        }
        for pair in map.segments.windows(2) {
            prop_assert!(pair[0].start < pair[0].end && pair[0].end <= pair[1].start);
        }
        for (offset, length) in queries {
            let owned = map.whose(offset, ByteCount::new(length));
            prop_assert_eq!(owned.is_empty(), length == 0);
        }
    }
}
