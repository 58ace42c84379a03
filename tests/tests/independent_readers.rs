//! Readers that are not ours agree with every kind of disc that the reference master makes: xorriso and isoinfo on
//! the volume and the catalog, mtools and fsck.fat on the file systems in the boot images.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
    process::Command,
};

use images::{
    boot::Boot,
    medium::Medium,
    reference::{MasteredDisc, master},
    size::Size,
    units::Lba,
};

/// Every kind of disc: medium, boot, size.
const DISCS: &[(&str, &str, &str)] = &[
    ("-", "none", "-"),
    ("-", "none,count=1024,segment=1000", "-"),
    ("cd-80", "none", "quarter+1s"),
    ("bd-50", "none", "full"),
    ("-", "floppy-1200k", "-"),
    ("-", "floppy-1440k", "-"),
    ("-", "floppy-2880k", "-"),
    ("-", "hard-disk", "-"),
    ("cd-74", "hard-disk", "quarter-1s"),
    ("bd-25", "hard-disk", "quarter"),
    ("-", "hard-disk,cylinders=1024", "-"),
    ("-", "efi,fat=12", "-"),
    ("-", "efi,fat=16", "-"),
    ("-", "efi,fat=32", "-"),
    ("-", "efi,count=1", "65535s"),
    ("cd-8cm", "efi", "quarter+1b"),
    ("bd-25", "efi,count=0", "quarter"),
    ("-", "bios+efi", "-"),
    ("-", "floppy-2880k+efi", "-"),
    ("-", "bios+efi,entries=32", "-"),
    ("-", "none,entries=32", "-"),
    ("-", "bios+efi,slot=17", "-"),
    ("cd-8cm", "hard-disk,place=end", "-"),
    ("-", "none,boot-info=isolinux", "-"),
    ("-", "none,hybrid=mbr", "-"),
    ("-", "efi,hybrid=gpt", "-"),
    ("-", "bios+efi,hybrid=mbr", "-"),
    ("-", "bios+efi,hybrid=gpt", "65535s"),
];

fn disc(medium: &str, boot: &str, size: &str) -> (MasteredDisc, Boot, tempfile::TempDir) {
    let medium: Option<Medium> = (medium != "-").then(|| medium.parse().unwrap());
    let size: Option<Size> = (size != "-").then(|| size.parse().unwrap());
    let boot: Boot = boot.parse().unwrap();
    let disc = master("independent-readers/-/-/-/reference", medium, &boot, size).unwrap();
    let folder = tempfile::tempdir().unwrap();
    disc.write_to(folder.path()).unwrap();
    (disc, boot, folder)
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| {
            panic!("cannot run {program}: {error}; `cargo xtask test` installs it")
        });
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}\n{text}{messages}",
        output.status
    );
    text
}

/// What a line of `xorriso -report_el_torito plain` says of an entry.
#[derive(Debug, PartialEq)]
struct Reported {
    platform: String,
    emulation: String,
    segment: String,
    count: String,
    lba: String,
}

#[test]
fn xorriso_reads_the_catalog() {
    for &(medium, boot, size) in DISCS {
        let (disc, parsed, folder) = disc(medium, boot, size);
        let iso = folder.path().join("disc.iso");
        let report = output(
            "xorriso",
            &[
                "-indev",
                &format!("stdio:{}", iso.display()),
                "-report_el_torito",
                "plain",
            ],
        );
        let first = |prefix: &str| {
            let line = report.lines().find_map(|line| line.strip_prefix(prefix));
            line.map(|line| {
                line.split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
        };
        let catalog = first("El Torito catalog  :").expect(&report);
        assert_eq!(
            catalog[0],
            disc.manifest.catalog.get().to_string(),
            "{boot}"
        );
        assert_eq!(
            first("El Torito cat path :").expect(&report),
            ["/BOOT/BOOT.CAT"]
        );
        let entries: Vec<Reported> = report
            .lines()
            .filter_map(|line| line.strip_prefix("El Torito boot img :"))
            .map(|line| {
                let [_, platform, _, emulation, segment, _, count, lba] =
                    line.split_whitespace().collect::<Vec<_>>()[..]
                else {
                    panic!("{line}")
                };
                let [platform, emulation, segment, count, lba] =
                    [platform, emulation, segment, count, lba].map(str::to_owned);
                Reported {
                    platform,
                    emulation,
                    segment,
                    count,
                    lba,
                }
            })
            .collect();
        let under_test = disc.manifest.images.last().unwrap();
        let last = entries.last().unwrap();
        assert_eq!(
            last.lba,
            under_test.load_rba.get().to_string(),
            "{boot}: {report}"
        );
        let efi = parsed.mode.efi();
        assert_eq!(last.platform, if efi { "UEFI" } else { "BIOS" }, "{boot}");
        let emulation = match boot {
            _ if efi => "none",
            _ if boot.starts_with("floppy-1200k") => "fd1.2",
            _ if boot.starts_with("floppy-1440k") => "fd1.4",
            _ if boot.starts_with("floppy-2880k") => "fd2.8",
            _ if boot.starts_with("hard-disk") => "hd",
            _ => "none",
        };
        assert_eq!(last.emulation, emulation, "{boot}: {report}");
        let count = match boot {
            "none,count=1024,segment=1000" => 1024,
            _ if boot.starts_with("floppy") && !efi || boot.starts_with("hard-disk") => 1,
            _ if boot.contains("count=1") => 1,
            _ if boot.contains("count=0") => 0,
            _ if efi => under_test.length.to_u16().unwrap_or(0),
            _ => 4,
        };
        assert_eq!(last.count, count.to_string(), "{boot}: {report}");
        if boot.contains("segment=1000") {
            assert_eq!(last.segment, "0x1000");
        }
        if boot.contains("entries=32") {
            assert_eq!(entries.len(), 32);
        }
        if let Some(size) = first("El Torito hdsiz/512:") {
            assert_eq!(
                size[1],
                under_test.length.get().to_string(),
                "{boot}: the partition's end is the image's"
            );
        }
    }
}

#[test]
fn isoinfo_reads_the_volume() {
    for &(medium, boot, size) in DISCS {
        let (disc, _, folder) = disc(medium, boot, size);
        let iso = folder.path().join("disc.iso");
        let iso = iso.to_str().unwrap();
        let volume = output("isoinfo", &["-d", "-i", iso]);
        let blocks = disc.manifest.size.get() / 2048;
        for expected in [
            "Volume id: BOOT_MATRIX".to_owned(),
            "Logical block size is: 2048".to_owned(),
            format!("Volume size is: {blocks}"),
            format!("boot catalog is in sector {}", disc.manifest.catalog.get()),
            "Key 55 AA".to_owned(),
            "Bootid 88 (bootable)".to_owned(),
        ] {
            assert!(
                volume.contains(&expected),
                "{boot}: {expected:?} is not in {volume}"
            );
        }
        let files = output("isoinfo", &["-f", "-i", iso]);
        for image in &disc.manifest.images {
            let path = format!("_SLOT_{}.IMG;1", image.slot);
            assert!(
                files
                    .lines()
                    .any(|line| line.starts_with("/BOOT/") && line.ends_with(&path)),
                "{boot}: {files}"
            );
        }
    }
}

/// The content that a path of the tree has, read by isoinfo, is what stands at the image's address.
#[test]
fn isoinfo_extracts_the_boot_image() {
    for boot in ["none", "floppy-1440k", "bios+efi,entries=3"] {
        let (disc, _, folder) = disc("-", boot, "-");
        let iso = folder.path().join("disc.iso");
        for image in &disc.manifest.images {
            let kind = if image.loader.is_some() {
                "EFI"
            } else {
                "BIOS"
            };
            let path = format!("/BOOT/{kind}_SLOT_{}.IMG;1", image.slot);
            let extracted = Command::new("isoinfo")
                .args(["-x", &path, "-i"])
                .arg(&iso)
                .output()
                .unwrap()
                .stdout;
            let expected = read(&iso, image.load_rba, image.length.bytes().get());
            assert!(
                extracted == expected,
                "{boot}: {path} is not what the entry points to"
            );
        }
    }
}

#[test]
fn mtools_and_fsck_read_the_file_systems() {
    for &(medium, boot, size) in DISCS {
        let (disc, _, folder) = disc(medium, boot, size);
        let iso = folder.path().join("disc.iso");
        for image in &disc.manifest.images {
            let start = image.load_rba.byte_offset();
            let sector = read(&iso, image.load_rba, 512);
            // A hard disk's file system begins where its MBR's first entry says.
            let (offset, expected) = if boot.starts_with("hard-disk") && image.loader.is_none() {
                let first = u32::from_le_bytes(sector[454..458].try_into().unwrap());
                (start + u64::from(first) * 512, "README   TXT")
            } else if image.loader.is_some() {
                (start, "BOOTX64  EFI")
            } else if boot.starts_with("floppy") {
                (start, "PROBE    BIN")
            } else {
                continue;
            };
            let folder_of = if image.loader.is_some() {
                "::/EFI/BOOT"
            } else {
                "::/"
            };
            let listing = output(
                "mdir",
                &["-i", &format!("{}@@{offset}", iso.display()), folder_of],
            );
            assert!(
                listing.contains(expected),
                "{boot}, slot {}: {listing}",
                image.slot
            );
            let length = image.length.bytes().get() - (offset - start);
            if length <= 100_000_000 {
                fsck(
                    folder.path(),
                    &read(&iso, Lba::new(offset / 2048), length + offset % 2048)
                        [usize::try_from(offset % 2048).unwrap()..],
                    boot,
                );
            }
        }
    }
}

fn fsck(folder: &Path, file_system: &[u8], boot: &str) {
    let path = folder.join("fat.img");
    File::create(&path).unwrap().write_all(file_system).unwrap();
    let text = output("/sbin/fsck.fat", &["-n", "-v", path.to_str().unwrap()]);
    assert!(
        !text.contains("differ") && !text.contains("orphan"),
        "{boot}: {text}"
    );
}

fn read(iso: &Path, from: Lba, length: u64) -> Vec<u8> {
    let mut file = File::open(iso).unwrap();
    file.seek(SeekFrom::Start(from.byte_offset())).unwrap();
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).unwrap();
    bytes
}

/// The two readers and the checks above do find a mistake: one entry's address off by one.
#[test]
fn a_wrong_address_is_noticed() {
    let (disc, _, folder) = disc("-", "floppy-1440k", "-");
    let iso = folder.path().join("disc.iso");
    let image = &disc.manifest.images[0];
    let off_by_one = read(
        &iso,
        image.load_rba.plus(images::units::BlockCount::new(1)),
        image.length.bytes().get(),
    );
    let extracted = Command::new("isoinfo")
        .args(["-x", "/BOOT/BIOS_SLOT_1.IMG;1", "-i"])
        .arg(&iso)
        .output()
        .unwrap()
        .stdout;
    assert!(extracted != off_by_one);
    let listing = Command::new("mdir")
        .args([
            "-i",
            &format!("{}@@{}", iso.display(), image.load_rba.byte_offset() + 2048),
            "::/",
        ])
        .output()
        .unwrap();
    assert!(!listing.status.success());
}

/// The disc is the same on every day, in every process.
#[test]
fn a_disc_is_the_same_every_time() {
    let once = disc("-", "hard-disk+efi", "-").0;
    let again = disc("-", "hard-disk+efi", "-").0;
    assert!(once.bytes == again.bytes && once.manifest == again.manifest);
}
