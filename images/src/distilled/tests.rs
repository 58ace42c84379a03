use proptest::prelude::*;

use super::*;
use crate::{
    boot::Boot,
    inspect::{Options, Window, inspect},
    reference::master,
};

fn map(disc: &dyn Source) -> DiscMap {
    let mut window = Window::new(disc);
    let inspection = inspect(&mut window, &Options::default()).unwrap();
    DiscMap::read(&mut window, &inspection)
}

fn cut(disc: &dyn Source, keep: impl IntoIterator<Item = u64>) -> Distilled {
    let keep = keep.into_iter().map(Lba::new).collect();
    Distilled::cut(disc, &keep, &map(disc)).unwrap()
}

/// What a refused disc keeps: descriptors, catalog, the first blocks of its image.
fn refused() -> (SparseBytes, Distilled) {
    let boot: Boot = "none,defect=catalog-checksum".parse().unwrap();
    let disc = master("distilled/-/-/-/reference", None, &boot, None).unwrap();
    let image = disc.manifest.image(1).unwrap().load_rba.get();
    let catalog = disc.manifest.catalog.get();
    let distilled = cut(&disc.bytes, [16, 17, 18, catalog, image, image + 1]);
    (disc.bytes, distilled)
}

#[test]
fn what_stays_is_listed_by_structure() {
    let (bytes, distilled) = refused();
    assert_eq!(distilled.length().get(), bytes.len());
    let listing: Vec<String> = distilled.listing().iter().map(Kept::to_string).collect();
    // The primary descriptor ends with the version of its structure at byte 881 (ECMA-119 §8.4.31).
    assert_eq!(
        listing[..3],
        [
            "primary volume descriptor: 1 blocks, 882 bytes",
            "boot record: 1 blocks, 72 bytes",
            "volume descriptor set terminator: 1 blocks, 7 bytes"
        ]
    );
    assert!(
        listing
            .iter()
            .any(|line| line.starts_with("catalog: 1 blocks, "))
    );
    assert!(
        listing
            .iter()
            .any(|line| line.starts_with("boot image of slot 1 (/BOOT/BIOS_SLOT_1.IMG): 2 blocks"))
    );
    // Of everything else, nothing stays.
    assert_eq!(distilled.bytes().array_at::<4>(19 * 2048), [0; 4]);
}

#[test]
fn the_text_is_small_and_has_a_row_for_each_slot() {
    let (_, distilled) = refused();
    let text = distilled.to_toml();
    assert!(text.starts_with("schema = \"disc/1\"\nlength = "), "{text}");
    assert!(
        text.contains("what = [\"catalog\"]\ndata = '''\n0000 0100"),
        "{text}"
    );
    assert!(text.contains("\n0020 8800"), "{text}");
    assert!(text.len() < 12_000, "{}", text.len());
    assert_eq!(Distilled::parse(&text).unwrap(), distilled);
}

#[test]
fn the_iso_is_written_as_it_was_and_sparse() {
    use std::os::unix::fs::MetadataExt;
    // 60 GB that end within a block.
    let length = 60_000_000_001;
    let mut disc = SparseBytes::zeroed(length);
    disc.write_at(length - 1, &[9]);
    disc.write_at(5_000_000_000 * 2, &[7; 4096]);
    let last = length / BLOCK_BYTES;
    let distilled = cut(&disc, [10_000_000_000 / BLOCK_BYTES, last, last + 1]);
    assert_eq!(distilled.ranges().last().unwrap().lba, Lba::new(last));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.iso");
    Distilled::parse(&distilled.to_toml())
        .unwrap()
        .write_iso(&path)
        .unwrap();
    let written = std::fs::metadata(&path).unwrap();
    assert_eq!(written.len(), length);
    assert!(written.blocks() * 512 < 1 << 20);
    let file = crate::inspect::DiscFile::open(&path).unwrap();
    let mut end = [0; 4];
    assert_eq!(Source::read_at(&file, length - 1, &mut end).unwrap(), 1);
    assert_eq!(end[0], 9);
    assert_eq!(
        cut(&file, [10_000_000_000 / BLOCK_BYTES, last]).to_toml(),
        distilled.to_toml()
    );
}

#[test]
fn the_digest_is_of_the_contents_alone() {
    let (bytes, distilled) = refused();
    let more = cut(&distilled.bytes, 0..bytes.len() / BLOCK_BYTES);
    assert_eq!(more.digest(), distilled.digest());
    // By another program: sha256 over the length, and address and bytes of the one block.
    let mut disc = SparseBytes::zeroed(3 * BLOCK_BYTES);
    disc.write_at(2048, b"abc");
    // python3 -c "import hashlib,struct; print(hashlib.sha256(struct.pack('<QQ',6144,1)+b'abc'+bytes(2045)).hexdigest())"
    let expected = "ee98166a361f11b88d0e366f0bef54104212d89f7e3f0c20058c2b4f28193563";
    assert_eq!(cut(&disc, [1]).digest(), expected);
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let (_, distilled) = refused();
    let text = distilled.to_toml();
    let line = |needle: &str| text.lines().position(|line| line.contains(needle)).unwrap() + 1;
    let row = line("0000 0100");
    let catalog = row - 4;
    let lba = distilled.ranges()[3].lba.get();
    for (from, to, at, problem) in [
        ("disc/1", "disc/2", 1, "the schema is \"disc/2\""),
        ("length = ", "length = -", 2, "invalid value"),
        ("length = ", "breadth = ", 2, "unknown field `breadth`"),
        (
            "0020 8800",
            "0020 88zz",
            row + 1,
            "data: the row \"0020 88zz",
        ),
        ("0020 8800", "0020 8", row + 1, "data: the row \"0020 8"),
        ("0020 8800", "0021 8800", row + 1, "is out of order"),
        ("0020 8800", "0000 8800", row + 1, "is out of order"),
        ("0020 8800", "0800 8800", row + 1, "ends behind the range"),
        ("0020 8800", "0020 8801", 3, "something was changed or cut"),
        (
            &format!("lba = {lba}\n"),
            "lba = 17\n",
            catalog,
            "lba: 17 stands before",
        ),
        (
            &format!("lba = {lba}\nblocks = 1\n"),
            "lba = 5\nblocks = 0\n",
            catalog + 1,
            "blocks: a range has one",
        ),
        (
            &format!("lba = {lba}\nblocks = 1\n"),
            "lba = 9223372036854775807\nblocks = 9223372036854775807\n",
            catalog + 1,
            "and the disc has",
        ),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let error = Distilled::parse(&changed).unwrap_err();
        assert_eq!(error.line, at, "{to}: {error}");
        assert!(error.problem.contains(problem), "{to}: {error}");
    }
    assert!(Distilled::parse("").is_err());
}

/// A scratch in the middle of a disc.
struct Scratched;

impl Source for Scratched {
    fn length(&self) -> ByteCount {
        ByteCount::new(1 << 30)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if offset >= 1 << 20 {
            return Err(io::Error::other("a scratch"));
        }
        buffer.fill(1);
        Ok(buffer.len())
    }
}

#[test]
fn what_cannot_be_read_is_not_kept_as_zeros() {
    let keep = BTreeSet::from([Lba::new(600)]);
    let error = Distilled::cut(&Scratched, &keep, &map(&Scratched)).unwrap_err();
    assert_eq!(error.to_string(), "a scratch");
}

#[test]
fn too_much_is_refused() {
    struct Ones;
    impl Source for Ones {
        fn length(&self) -> ByteCount {
            ByteCount::new(1 << 40)
        }
        fn read_at(&self, _: u64, buffer: &mut [u8]) -> io::Result<usize> {
            buffer.fill(1);
            Ok(buffer.len())
        }
    }
    let keep = (0..=BLOCKS_MAX.get()).map(Lba::new).collect();
    let error = Distilled::cut(&Ones, &keep, &map(&Ones)).unwrap_err();
    assert_eq!(error.to_string(), "more than 32768 blocks would be kept");
}

proptest! {
    #[test]
    fn any_disc_comes_back(
        writes in prop::collection::vec((0_u64..60_000, prop::collection::vec(any::<u8>(), 1..3_000)), 0..6),
        length in 1_u64..60_000,
        keep in prop::collection::vec(0_u64..40, 0..20),
        names in prop::collection::vec(".*", 3),
    ) {
        let mut disc = SparseBytes::zeroed(length);
        for (offset, bytes) in writes {
            disc.write_at(offset, &bytes);
        }
        let mut distilled = cut(&disc, keep.clone());
        for (range, name) in distilled.ranges.iter_mut().zip(names) {
            range.what.push(name);
        }
        let text = distilled.to_toml();
        let read = Distilled::parse(&text).unwrap();
        prop_assert_eq!(&read, &distilled);
        prop_assert_eq!(read.to_toml(), text);
        for lba in 0..40_u64 {
            let (mut expected, mut found) = ([0; 2048], [0; 2048]);
            if keep.contains(&lba) {
                disc.read_at(lba * 2048, &mut expected);
            }
            read.bytes().read_at(lba * 2048, &mut found);
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn any_text_is_read_to_an_end(text in ".*") {
        let _ = Distilled::parse(&text);
    }

    #[test]
    fn any_change_is_noticed_or_changes_nothing_on_the_disc(at in any::<prop::sample::Index>(), byte in 0x0A_u8..0x7F) {
        let (_, distilled) = refused();
        let mut text = distilled.to_toml().into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(read) = Distilled::parse(&String::from_utf8(text).unwrap()) {
            prop_assert_eq!(read.bytes(), distilled.bytes());
        }
    }
}
