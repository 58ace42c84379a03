//! Files that real tools write are recognised, and the command that is named for each brings the ISO back, byte for
//! byte. Tools that a host does not have are left out, but for those that every host has.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

use std::{fs, path::Path, process::Command};

use images::{
    boot::Boot,
    container::{Container, Format, Remedy},
    inspect::DiscFile,
    reference::master,
};

/// A small disc, written to `disc.iso`, and its bytes.
fn disc(folder: &Path) -> Vec<u8> {
    let boot: Boot = "none".parse().unwrap();
    let disc = master("containers/-/-/-/reference", None, &boot, None).unwrap();
    disc.write_to(folder).unwrap();
    fs::read(folder.join("disc.iso")).unwrap()
}

fn shell(folder: &Path, command: &str) {
    let output = Command::new("sh")
        .args(["-ec", command])
        .current_dir(folder)
        .output()
        .unwrap();
    let (said, failed) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{command}: {}\n{said}{failed}",
        output.status
    );
}

fn has(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(tool).exists())
}

fn recognised(file: &Path) -> Container {
    let source = DiscFile::open(file).unwrap();
    Container::recognise(&source, file)
        .unwrap_or_else(|| panic!("{} is not recognised", file.display()))
}

/// How a file is made, what it is, the tools for both ways, and where the ISO comes to be.
struct Case {
    file: &'static str,
    format: Format,
    tools: &'static [&'static str],
    make: &'static str,
    made: &'static str,
}

const fn case(
    file: &'static str,
    format: Format,
    tools: &'static [&'static str],
    make: &'static str,
    made: &'static str,
) -> Case {
    Case {
        file,
        format,
        tools,
        make,
        made,
    }
}

const CASES: &[Case] = &[
    case(
        "it's.iso",
        Format::Gzip,
        &["gzip"],
        "gzip -c disc.iso > \"it's.iso\"",
        "it's-converted.iso",
    ),
    case(
        "a.iso.xz",
        Format::Xz,
        &["xz"],
        "xz -c disc.iso > a.iso.xz",
        "a.iso",
    ),
    case(
        "a.bz2",
        Format::Bzip2,
        &["bzip2"],
        "bzip2 -c disc.iso > a.bz2",
        "a.iso",
    ),
    case(
        "a.zst",
        Format::Zstd,
        &["zstd"],
        "zstd -qc disc.iso > a.zst",
        "a.iso",
    ),
    case(
        "a.lz4",
        Format::Lz4,
        &["lz4"],
        "lz4 -qc disc.iso > a.lz4",
        "a.iso",
    ),
    case(
        "a.zip",
        Format::Zip,
        &["zip", "unzip"],
        "mkdir in; mv disc.iso in; zip -qj a.zip in/disc.iso",
        "disc.iso",
    ),
    case(
        "a.tar",
        Format::Tar,
        &["tar"],
        "tar -cf a.tar disc.iso; rm disc.iso",
        "disc.iso",
    ),
    case(
        "a.7z",
        Format::SevenZip,
        &["7z"],
        "7z a a.7z disc.iso; rm disc.iso",
        "disc.iso",
    ),
    case(
        "a.qcow2",
        Format::Qcow2,
        &["qemu-img"],
        "qemu-img convert -f raw -O qcow2 disc.iso a.qcow2",
        "a.iso",
    ),
    case(
        "a.vmdk",
        Format::Vmdk,
        &["qemu-img"],
        "qemu-img convert -f raw -O vmdk disc.iso a.vmdk",
        "a.iso",
    ),
    case(
        "a.vhd",
        Format::Vhd,
        &["qemu-img"],
        "qemu-img convert -f raw -O vpc disc.iso a.vhd",
        "a.iso",
    ),
    case(
        "b.vhd",
        Format::Vhd,
        &["qemu-img"],
        "qemu-img convert -f raw -O vpc -o subformat=fixed disc.iso b.vhd; printf x | dd of=b.vhd bs=1 seek=32769 conv=notrunc",
        "b.iso",
    ),
    case(
        "a.vhdx",
        Format::Vhdx,
        &["qemu-img"],
        "qemu-img convert -f raw -O vhdx disc.iso a.vhdx",
        "a.iso",
    ),
    case(
        "a.bin",
        Format::Behind,
        &["sh"],
        "{ printf 'HTTP/1.1 200 OK\\r\\n\\r\\n'; cat disc.iso; } > a.bin",
        "a.iso",
    ),
    case(
        "a.img",
        Format::ByteSwapped,
        &["sh"],
        "dd if=disc.iso of=a.img conv=swab",
        "a.iso",
    ),
    case(
        "b.iso.001",
        Format::Part,
        &["split"],
        "split -b 40000 -a 3 --numeric-suffixes=1 disc.iso b.iso.",
        "b.iso",
    ),
    case(
        "b.iso.002",
        Format::Part,
        &["split"],
        "split -b 40000 -a 3 --numeric-suffixes=1 disc.iso b.iso.",
        "b.iso",
    ),
    case(
        "xac",
        Format::Part,
        &["split"],
        "split -b 40000 disc.iso",
        "xac.iso",
    ),
];

#[test]
fn each_command_brings_the_iso_back() {
    for case in CASES {
        if let Some(tool) = case.tools.iter().find(|tool| !has(tool)) {
            let everywhere = ["gzip", "tar", "xz", "sh", "split"];
            assert!(!everywhere.contains(tool), "{tool} is missing");
            eprintln!("{}: left out, there is no {tool}", case.file);
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut iso = disc(folder.path());
        shell(folder.path(), case.make);
        let container = recognised(&folder.path().join(case.file));
        assert_eq!(container.format, case.format, "{}", case.file);
        if case.file == "b.vhd" {
            // A fixed VHD is an ISO with a footer, and stays one; here its descriptor was damaged.
            iso[32_769] = b'x';
        }
        convert(&container, folder.path(), case.made, &iso);
    }
}

/// Runs the command, and compares what comes of it.
fn convert(container: &Container, folder: &Path, made: &str, iso: &[u8]) {
    let Remedy::Command(command) = container.remedy() else {
        panic!("{}: {}", container.name(), container.remedy());
    };
    shell(folder, &command);
    let made = fs::read(folder.join(made)).unwrap();
    assert!(made.len() >= iso.len(), "{command}: {} bytes", made.len());
    // Virtual disks are rounded up.
    let (same, rest) = made.split_at(iso.len());
    assert!(
        same == iso && rest.iter().all(|&byte| byte == 0),
        "{command}: other bytes"
    );
}

/// The sectors of an ISO as a CD has them (ECMA-130 §14), without their error correction.
fn raw(iso: &[u8], mode: u8, header: usize, length: usize) -> Vec<u8> {
    let bcd = |number: usize| u8::try_from(number / 10 * 16 + number % 10).unwrap();
    let mut file = Vec::new();
    for (number, block) in iso.chunks(2048).enumerate() {
        let mut sector = vec![0; length];
        if length >= 2_352 {
            let frame = number + 150;
            sector[1..11].fill(0xFF);
            sector[12..16].copy_from_slice(&[
                bcd(frame / 4_500),
                bcd(frame / 75 % 60),
                bcd(frame % 75),
                mode,
            ]);
        }
        sector[header..header + 2_048].copy_from_slice(block);
        file.extend(sector);
    }
    file
}

/// A file of raw sectors, what stands beside it, which of them is looked at, and where the ISO comes to be.
struct Raw {
    format: Format,
    tool: &'static str,
    sectors: (u8, usize, usize),
    beside: Option<(&'static str, &'static str)>,
    looked_at: &'static str,
    made: &'static str,
}

const CUE: &str = "FILE \"a.bin\" BINARY\n  TRACK 01 MODE1/2352\n    INDEX 01 00:00:00\n";
const RAW: &[Raw] = &[
    Raw {
        format: Format::RawMode1,
        tool: "iat",
        sectors: (1, 16, 2_352),
        beside: None,
        looked_at: "a.bin",
        made: "a.iso",
    },
    Raw {
        format: Format::RawMode2,
        tool: "iat",
        sectors: (2, 24, 2_352),
        beside: None,
        looked_at: "a.bin",
        made: "a.iso",
    },
    Raw {
        format: Format::Raw2336,
        tool: "iat",
        sectors: (2, 8, 2_336),
        beside: None,
        looked_at: "a.bin",
        made: "a.iso",
    },
    Raw {
        format: Format::Raw2448,
        tool: "iat",
        sectors: (1, 16, 2_448),
        beside: None,
        looked_at: "a.bin",
        made: "a.iso",
    },
    Raw {
        format: Format::RawMode1,
        tool: "bchunk",
        sectors: (1, 16, 2_352),
        beside: Some(("a.cue", CUE)),
        looked_at: "a.bin",
        made: "a01.iso",
    },
    Raw {
        format: Format::Cue,
        tool: "bchunk",
        sectors: (1, 16, 2_352),
        beside: Some(("a.cue", CUE)),
        looked_at: "a.cue",
        made: "a01.iso",
    },
    Raw {
        format: Format::CloneCd,
        tool: "ccd2iso",
        sectors: (1, 16, 2_352),
        beside: Some(("a.ccd", "[CloneCD]\nVersion=3\n")),
        looked_at: "a.ccd",
        made: "a.iso",
    },
    Raw {
        format: Format::Alcohol,
        tool: "mdf2iso",
        sectors: (1, 16, 2_352),
        beside: Some(("a.mds", "MEDIA DESCRIPTOR\x01\x03")),
        looked_at: "a.mds",
        made: "a.iso",
    },
];

#[test]
fn raw_sectors_become_the_iso() {
    for case in RAW {
        if !has(case.tool) {
            eprintln!("{:?}: left out, there is no {}", case.format, case.tool);
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let iso = disc(folder.path());
        let at = |name: &str| folder.path().join(name);
        let (mode, header, length) = case.sectors;
        let sectors = match case.format {
            Format::CloneCd => "a.img",
            Format::Alcohol => "a.mdf",
            _ => "a.bin",
        };
        fs::write(at(sectors), raw(&iso, mode, header, length)).unwrap();
        if let Some((name, text)) = case.beside {
            fs::write(at(name), text).unwrap();
        }
        let container = recognised(&at(case.looked_at));
        assert_eq!(container.format, case.format);
        convert(&container, folder.path(), case.made, &iso);
    }
}

#[test]
fn nero_begins_with_150_sectors_of_nothing() {
    if !has("nrg2iso") {
        eprintln!("left out, there is no nrg2iso");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let iso = disc(folder.path());
    let mut nrg = vec![0; 150 * 2_048];
    nrg.extend_from_slice(&iso);
    let chunks = u64::try_from(nrg.len()).unwrap();
    nrg.extend_from_slice(b"END!\0\0\0\0NER5");
    nrg.extend_from_slice(&chunks.to_be_bytes());
    let path = folder.path().join("a.nrg");
    fs::write(&path, nrg).unwrap();
    let container = recognised(&path);
    assert_eq!(container.format, Format::Nero);
    let Remedy::Command(command) = container.remedy() else {
        panic!()
    };
    shell(folder.path(), &command);
    let made = fs::read(folder.path().join("a.iso")).unwrap();
    assert!(made.starts_with(&iso), "{command}");
}

#[test]
fn what_is_no_disc_is_named() {
    let folder = tempfile::tempdir().unwrap();
    disc(folder.path());
    let made = |tool: &str, command: &str, file: &str, format: Format| {
        if !has(tool) {
            eprintln!("{file}: left out, there is no {tool}");
            return;
        }
        shell(folder.path(), command);
        assert_eq!(recognised(&folder.path().join(file)).format, format);
    };
    made(
        "mksquashfs",
        "mkdir t; cp disc.iso t; mksquashfs t a.squashfs -quiet -no-progress",
        "a.squashfs",
        Format::Squashfs,
    );
    made("wimcapture", "wimcapture t a.wim", "a.wim", Format::Wim);
    made(
        "mkfs.fat",
        "truncate -s 2M a.img; /usr/sbin/mkfs.fat a.img",
        "a.img",
        Format::FatImage,
    );
    made("sh", "cp /bin/sh a.elf", "a.elf", Format::Elf);
}

/// Every way in which a text is changed for another system, on a disc that is a stick too and on one whose first 32 KiB are empty.
#[test]
fn what_was_transferred_as_text_is_named() {
    for boot in ["bios+efi", "bios+efi,hybrid=mbr"] {
        let folder = tempfile::tempdir().unwrap();
        let disc = master(
            "containers/-/-/-/reference",
            None,
            &boot.parse().unwrap(),
            Some("5760s".parse().unwrap()),
        );
        disc.unwrap().write_to(folder.path()).unwrap();
        for (tool, command) in [
            ("sed", "LC_ALL=C sed 's/$/\\r/'"),
            ("sed", "LC_ALL=C sed 's/\\r$//'"),
            ("tr", "tr -d '\\r'"),
            ("tr", "LC_ALL=C tr '\\200-\\377' '\\000-\\177'"),
            ("iconv", "iconv -f latin1 -t utf-8"),
            ("iconv", "iconv -f latin1 -t utf-16"),
            ("iconv", "iconv -f latin1 -t utf-16be"),
        ] {
            if !has(tool) {
                eprintln!("{command}: left out, there is no {tool}");
                continue;
            }
            shell(
                folder.path(),
                &format!("exec < disc.iso > changed.iso; {command}"),
            );
            let changed = folder.path().join("changed.iso");
            let source = DiscFile::open(&changed).unwrap();
            let format = Container::recognise(&source, &changed).map(|it| it.format);
            assert_eq!(format, Some(Format::TextTransfer), "{boot}: {command}");
        }
    }
}

/// Tools give the root's own record more than its name, and so does xorriso.
#[test]
fn an_iso_of_a_tool_is_found_behind_other_bytes() {
    if !has("xorriso") {
        eprintln!("left out, there is no xorriso");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    shell(
        folder.path(),
        "mkdir t; cp /bin/sh t; xorriso -as mkisofs -quiet -o a.iso t",
    );
    let iso = fs::read(folder.path().join("a.iso")).unwrap();
    fs::write(&path, [b"x", &*iso].concat()).unwrap();
    assert_eq!(recognised(&path).format, Format::Behind);
    for missing in [1, 2_048, 32_768] {
        fs::write(&path, &iso[missing..]).unwrap();
        assert_eq!(recognised(&path).format, Format::Beheaded, "{missing}");
    }
}

#[test]
fn what_jigdo_reads_is_named() {
    if !has("xorriso") {
        eprintln!("left out, there is no xorriso");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    disc(folder.path());
    shell(
        folder.path(),
        "mkdir t; cp disc.iso t; xorriso -as mkisofs -quiet -o a.iso -jigdo-jigdo a.jigdo -jigdo-template a.template -jigdo-min-file-size 1024 -md5-list /dev/null t",
    );
    for file in ["a.template", "a.jigdo"] {
        assert_eq!(recognised(&folder.path().join(file)).format, Format::Jigdo);
    }
}
