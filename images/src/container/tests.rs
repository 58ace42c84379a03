//! Files by their documented layouts. What real tools write, and that each command makes an ISO of it, is tried in the
//! crate `tests`.

use proptest::prelude::*;

use super::*;
use crate::{boot::Boot, reference::master, sparse::SparseBytes};

fn recognise(bytes: &Vec<u8>, name: &str) -> Option<(Format, String)> {
    let container = Container::recognise(bytes, Path::new(name))?;
    Some((container.format, container.remedy().to_string()))
}

#[test]
fn a_container_has_a_name_and_a_sentence() {
    let file = ending(b"NERO\0\x01\0\0", 90_000);
    let container = Container::recognise(&file, Path::new("a.nrg")).unwrap();
    assert_eq!(container.name(), "NRG");
    assert_eq!(
        container.to_string(),
        "this is an image of Nero Burning ROM"
    );
}

fn is(bytes: &Vec<u8>, format: Format, remedy: &str) {
    let extension = "/nowhere/a disc.x";
    assert_eq!(
        recognise(bytes, extension),
        Some((format, remedy.to_owned()))
    );
}

/// Some bytes, then zeros to a length.
fn beginning(bytes: &[u8], length: usize) -> Vec<u8> {
    let mut file = bytes.to_vec();
    file.resize(length, 0);
    file
}

/// Zeros, and bytes at the end.
fn ending(bytes: &[u8], length: usize) -> Vec<u8> {
    let mut file = vec![0; length - bytes.len()];
    file.extend_from_slice(bytes);
    file
}

fn iso() -> SparseBytes {
    let boot: Boot = "none".parse().unwrap();
    master("container/-/-/-/reference", None, &boot, None)
        .unwrap()
        .bytes
}

#[test]
fn an_iso_is_one_whatever_else_it_is() {
    assert_eq!(Container::recognise(&iso(), Path::new("a.iso")), None);
    for magic in [
        &b"PK\x03\x04"[..],
        &[0x1F, 0x8B, 8],
        b"<html>",
        b"QFI\xFB",
        b"CISO",
        b"\xEB\x58\x90MSDOS5.0",
    ] {
        let mut iso = iso();
        iso.write_at(0, magic);
        iso.write_at(510, &[0x55, 0xAA]);
        let end = iso.len() - 512;
        iso.write_at(end, b"koly");
        assert_eq!(Container::recognise(&iso, Path::new("a.iso")), None);
    }
    let boot: Boot = "bios+efi,hybrid=gpt".parse().unwrap();
    let hybrid = master("container/-/-/-/reference", None, &boot, None).unwrap();
    assert_eq!(
        Container::recognise(&hybrid.bytes, Path::new("a.iso")),
        None
    );
}

#[test]
fn images_of_burning_programs() {
    // ECMA-130 §14: sync, address, mode.
    let raw = |mode: u8, length: usize| {
        let mut sector = vec![0; length];
        sector[1..11].fill(0xFF);
        sector[12..16].copy_from_slice(&[0, 2, 0, mode]);
        sector.repeat(20)
    };
    is(
        &raw(1, 2_352),
        Format::RawMode1,
        "iat '/nowhere/a disc.x' '/nowhere/a disc.iso'",
    );
    is(
        &raw(2, 2_352),
        Format::RawMode2,
        "iat '/nowhere/a disc.x' '/nowhere/a disc.iso'",
    );
    is(
        &raw(1, 2_448),
        Format::Raw2448,
        "iat '/nowhere/a disc.x' '/nowhere/a disc.iso'",
    );
    let mut xa = vec![0; 2_336 * 20];
    xa[16 * 2_336 + 8..][..6].copy_from_slice(b"\x01CD001");
    is(
        &xa,
        Format::Raw2336,
        "iat '/nowhere/a disc.x' '/nowhere/a disc.iso'",
    );
    // libmirage, `image-nrg`: the offset of the chunks follows in 64 or 32 bits, big-endian.
    let nero = "nrg2iso '/nowhere/a disc.x' '/nowhere/a disc.iso'";
    is(
        &ending(b"NER5\0\0\0\0\0\x01\0\0", 90_000),
        Format::Nero,
        nero,
    );
    is(&ending(b"NERO\0\x01\0\0", 90_000), Format::Nero, nero);
    is(
        &beginning(b"MEDIA DESCRIPTOR\x01\x03", 500),
        Format::Alcohol,
        "mdf2iso '/nowhere/a disc.mdf' '/nowhere/a disc.iso'",
    );
    let cdi = ending(&[6, 0, 0, 0x80, 0x90, 1, 0, 0], 90_000);
    is(
        &cdi,
        Format::DiscJuggler,
        "iat '/nowhere/a disc.x' '/nowhere/a disc.iso'",
    );
    // No descriptor starts behind the end, or is no longer than what says where it starts.
    for place in [[0, 0, 0, 0xFF], [8, 0, 0, 0]] {
        let mut cdi = cdi.clone();
        cdi[90_000 - 4..].copy_from_slice(&place);
        assert_eq!(recognise(&cdi, "a"), None);
    }
    let ccd = b"[CloneCD]\r\nVersion=3\r\n".to_vec();
    is(
        &ccd,
        Format::CloneCd,
        "ccd2iso '/nowhere/a disc.img' '/nowhere/a disc.iso'",
    );
}

#[test]
fn a_cue_sheet_names_its_sectors() {
    let sheet = |file: &str| {
        format!("REM by hand\n{file}\r\n  TRACK 01 MODE1/2352\n    INDEX 01 00:00:00\n")
            .into_bytes()
    };
    for (file, bin) in [
        ("FILE \"the disc.bin\" BINARY", "'/x/the disc.bin'"),
        ("FILE disc.bin BINARY", "/x/disc.bin"),
        ("file \"C:\\images\\disc.bin\" BINARY", "/x/disc.bin"),
    ] {
        let said = recognise(&sheet(file), "/x/a.cue");
        assert_eq!(
            said,
            Some((Format::Cue, format!("bchunk {bin} /x/a.cue /x/a"))),
            "{file}"
        );
    }
}

#[test]
fn what_stands_beside_decides_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("a.img");
    let mut raw = vec![0; 2_352];
    raw[1..11].fill(0xFF);
    raw[15] = 1;
    let remedy = || {
        Container::recognise(&raw, &name)
            .unwrap()
            .remedy()
            .to_string()
    };
    assert!(remedy().starts_with("iat "));
    for (extension, command) in [("ccd", "ccd2iso "), ("mds", "mdf2iso "), ("cue", "bchunk ")] {
        std::fs::write(folder.path().join("a").with_extension(extension), "").unwrap();
        assert!(remedy().starts_with(command), "{}", remedy());
    }
    // What is there is not written over.
    std::fs::write(folder.path().join("a.iso"), "").unwrap();
    std::fs::remove_file(folder.path().join("a.cue")).unwrap();
    assert!(remedy().ends_with("/a-converted.iso"), "{}", remedy());
}

#[test]
fn files_that_are_nearly_a_disc() {
    let advice = |bytes: &Vec<u8>| recognise(bytes, "a.iso").unwrap();
    for magic in [&b"CISO"[..], b"ZISO"] {
        assert!(
            advice(&beginning(magic, 4_000))
                .1
                .ends_with("maxcso --decompress a.iso -o a-converted.iso")
        );
    }
    is(
        &beginning(b"DAA\0", 4_000),
        Format::Daa,
        "daa2iso '/nowhere/a disc.x' '/nowhere/a disc.iso'",
    );
    let mut dmg = ending(&beginning(b"koly", 512), 9_000);
    is(
        &dmg,
        Format::Dmg,
        "dmg2img '/nowhere/a disc.x' '/nowhere/a disc.iso'",
    );
    dmg.push(0);
    assert_eq!(recognise(&dmg, "a"), None);
    let mut udf = vec![0; 64 * 2048];
    for (block, id) in [(16, b"BEA01"), (17, b"NSR03"), (18, b"TEA01")] {
        udf[block * 2048 + 1..][..5].copy_from_slice(id);
    }
    assert_eq!(advice(&udf).0, Format::UdfOnly);
    let mut gpt = vec![0; 90_000];
    gpt[512..520].copy_from_slice(b"EFI PART");
    assert_eq!(advice(&gpt).0, Format::GptDisk);
    let mut mbr = vec![0; 90_000];
    mbr[446..462].copy_from_slice(&[0x80, 0, 1, 0, 0x0C, 0, 0, 0, 1, 0, 0, 0, 100, 0, 0, 0]);
    mbr[510..512].copy_from_slice(&[0x55, 0xAA]);
    assert_eq!(
        advice(&mbr),
        (
            Format::MbrDisk,
            "write it to a stick: dd if=a.iso of=/dev/sdX bs=4M conv=fsync".to_owned()
        )
    );
    mbr[458] = 200;
    assert_eq!(advice(&mbr).0, Format::CutDisk);
    let mut vdi = vec![0; 4_000];
    vdi[64..68].copy_from_slice(&0xBEDA_107F_u32.to_le_bytes());
    assert_eq!(advice(&vdi).0, Format::Vdi);
    let mut kernel = vec![0; 4_000];
    kernel[0x202..0x206].copy_from_slice(b"HdrS");
    assert_eq!(advice(&kernel).0, Format::Kernel);
    assert_eq!(advice(&beginning(b"MSWIM\0\0\0", 4_000)).0, Format::Wim);
    assert_eq!(
        advice(&beginning(b"d8:announce35:", 4_000)).0,
        Format::Torrent
    );
    assert_eq!(advice(&beginning(b"\x7FELF\x02", 4_000)).0, Format::Elf);
}

#[test]
fn texts() {
    let format = |text: &str| recognise(&text.as_bytes().to_vec(), "a.iso").map(|found| found.0);
    assert_eq!(
        format("\u{FEFF}\n<!DOCTYPE html>\n<title>Sign in</title>"),
        Some(Format::Html)
    );
    assert_eq!(
        format("<?xml version=\"1.0\"?>\n<html xmlns=\"x\">"),
        Some(Format::Html)
    );
    assert_eq!(
        format("<?xml version=\"1.0\"?><Error><Code>AccessDenied"),
        Some(Format::Xml)
    );
    assert_eq!(format(&"é".repeat(5_000)), Some(Format::Text));
    assert_eq!(format("404"), Some(Format::Text));
    assert_eq!(format(" \n "), None);
    assert_eq!(
        format("# JigsawDownload\n\n[Jigdo]\nVersion=1.1\n"),
        Some(Format::Jigdo)
    );
    assert_eq!(recognise(&vec![0xFF; 4_096], "a"), None);
    let page = Container::recognise(&b"<html>".to_vec(), Path::new("-a.iso")).unwrap();
    assert!(page.to_string().starts_with("the download is a web page"));
    assert_eq!(
        page.remedy().to_string(),
        "look at it (head -c 500 ./-a.iso), and download the disc again"
    );
}

#[test]
fn names_are_words_of_the_shell() {
    let gzip = beginning(&[0x1F, 0x8B, 8], 100);
    for (name, remedy) in [
        ("a.iso", "gzip -dc < a.iso > a-converted.iso"),
        ("a.iso.gz", "gzip -dc < a.iso.gz > a.iso"),
        ("a.gz", "gzip -dc < a.gz > a.iso"),
        (
            "it's $(a).gz",
            "gzip -dc < 'it'\\''s $(a).gz' > 'it'\\''s $(a).iso'",
        ),
        ("-rf", "gzip -dc < ./-rf > ./-rf.iso"),
    ] {
        assert_eq!(recognise(&gzip, name).unwrap().1, remedy);
    }
}

proptest! {
    #[test]
    fn any_file_is_looked_at(start in prop::collection::vec(any::<u8>(), 0..600), length in 0_usize..100_000, end in prop::collection::vec(any::<u8>(), 0..16), name in ".*") {
        let mut file = beginning(&start, length.max(start.len()));
        file.extend(end);
        if let Some(container) = Container::recognise(&file, Path::new(&name)) {
            prop_assert!(!container.remedy().to_string().is_empty());
        }
    }
}

#[test]
fn what_is_left_of_an_iso_is_named() {
    let mut iso = vec![0_u8; 400_000];
    for (lba, kind) in [(16, 1), (17, 255)] {
        iso[lba * 2_048] = kind;
        iso[lba * 2_048 + 1..][..7].copy_from_slice(b"CD001\x01\0");
        iso[lba * 2_048 + 40..][..30].fill(b'\n');
    }
    let of = |bytes: &Vec<u8>| Format::of(bytes);
    assert_eq!(of(&iso), None);
    let swapped: Vec<u8> = iso.chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
    assert_eq!(of(&swapped), Some(Format::ByteSwapped));
    for length in [1, 4_096, 400_000] {
        assert_eq!(of(&vec![0; length]), Some(Format::Zeros));
    }
    assert_eq!(of(&b"IsZ!".repeat(20_000)), Some(Format::Isz));
    let template = b"JigsawDownload template 1.0 \r\n".repeat(2_000);
    assert_eq!(of(&template), Some(Format::Jigdo));
    // Some line ends before the descriptors became longer ones.
    let mut text = iso.clone();
    text[100..137].fill(b'\n');
    let text: Vec<u8> = text
        .iter()
        .flat_map(|&byte| {
            if byte == b'\n' {
                vec![b'\r', b'\n']
            } else {
                vec![byte]
            }
        })
        .collect();
    assert_eq!(of(&text), Some(Format::TextTransfer));
}

#[test]
fn an_iso_that_does_not_begin_with_the_file_is_told_from_a_text() {
    let iso = iso();
    let mut bytes = vec![0; usize::try_from(iso.len()).unwrap()];
    iso.read_at(0, &mut bytes);
    for prefix in [1, 100, 300, 5_001] {
        let file = [vec![b'x'; prefix], bytes.clone()].concat();
        let command = format!("tail -c +{} a.img > a.iso", prefix + 1);
        assert_eq!(recognise(&file, "a.img"), Some((Format::Behind, command)));
    }
    // Whole sectors are what a partition begins with, and a finding.
    let file = [vec![0; 1_024], bytes.clone()].concat();
    assert_eq!(recognise(&file, "a.img"), None);
    for missing in [512, 2_048, 4_096, 32_768] {
        let format = recognise(&bytes[missing..].to_vec(), "a.img").map(|found| found.0);
        assert_eq!(format, Some(Format::Beheaded), "{missing}");
    }
}

#[test]
fn an_iso_that_is_cut_is_no_text() {
    let boot: Boot = "bios+efi,hybrid=mbr".parse().unwrap();
    let disc = master("container/-/-/-/reference", None, &boot, None).unwrap();
    for length in [900_001, 1_000_000, disc.bytes.len() - 1] {
        let cut = disc.bytes.slice(0, length);
        assert_eq!(Container::recognise(&cut, Path::new("a.iso")), None);
    }
}

#[test]
fn parts_of_a_split_file_are_known_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let said = |name: &str, bytes: &Vec<u8>| {
        std::fs::write(at(name), bytes).unwrap();
        let container = Container::recognise(bytes, &at(name))?;
        let remedy = container.remedy().to_string();
        let folder = format!("{}/", folder.path().display());
        Some((container.format, remedy.replace(&folder, "")))
    };
    let unknown = vec![0x11; 9_000];
    let part = |remedy: &str| Some((Format::Part, remedy.to_owned()));
    assert_eq!(said("a.iso.002", &unknown), part("cat a.iso.??? > a.iso"));
    assert_eq!(said("a.7z.003", &unknown), part("cat a.7z.??? > a.7z"));
    // Two letters or digits are a part where the first one is there.
    for (first, later, remedy) in [
        ("b.iso.aa", "b.iso.ac", "cat b.iso.?? > b.iso"),
        ("b.iso.00", "b.iso.01", "cat b.iso.?? > b.iso"),
        ("c.part1", "c.part2", "cat c.part? > c.iso"),
        ("xaa", "xab", "cat x?? > xab.iso"),
    ] {
        assert_eq!(said(later, &unknown), None, "{later}");
        std::fs::write(at(first), "").unwrap();
        assert_eq!(said(later, &unknown), part(remedy));
    }
    // A first part says how much there should be.
    let iso = iso();
    let mut bytes = vec![0; 50_000];
    iso.read_at(0, &mut bytes);
    assert_eq!(said("d.001", &bytes), None);
    std::fs::write(at("d.002"), "").unwrap();
    assert_eq!(said("d.001", &bytes), part("cat d.??? > d.iso"));
    bytes.resize(usize::try_from(iso.len()).unwrap(), 0);
    assert_eq!(said("d.001", &bytes), None);
    // A version is none.
    assert_eq!(said("debian-12.5", &unknown), None);
    assert_eq!(said("debian-12.50", &unknown), None);
}

#[test]
fn sectors_that_are_not_there_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text, sectors) in [
        ("a.mds", "MEDIA DESCRIPTOR\x01\x03", "a.mdf"),
        ("a.ccd", "[CloneCD]\r\nVersion=3\r\n", "a.img"),
        (
            "a.cue",
            "FILE \"b.bin\" BINARY\n  TRACK 01 MODE1/2352\n",
            "b.bin",
        ),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let container = Container::recognise(&text.as_bytes().to_vec(), &path).unwrap();
        let Remedy::Advice(advice) = container.remedy() else {
            panic!("{}", container.remedy())
        };
        assert!(advice.contains(sectors), "{advice}");
        std::fs::write(folder.path().join(sectors), "").unwrap();
        assert!(matches!(container.remedy(), Remedy::Command(_)));
    }
}
