//! Tools that are not ours agree with the partition tables of hybrid discs: sgdisk, sfdisk and xorriso; and xorriso
//! with the sessions of a disc of two.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

use std::{path::PathBuf, process::Command};

use images::reference::{MasteredDisc, master};

fn disc(boot: &str) -> (MasteredDisc, PathBuf, tempfile::TempDir) {
    let boot = boot.parse().unwrap();
    let disc = master("independent-partitions/-/-/-/reference", None, &boot, None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    disc.write_to(folder.path()).unwrap();
    let iso = folder.path().join("disc.iso");
    (disc, iso, folder)
}

/// What a program says, good or bad.
fn said(program: &str, arguments: &[&str], iso: &PathBuf) -> (bool, String) {
    // Debian keeps disk tools where not every user looks.
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let output = Command::new("env")
        .arg(format!("PATH={path}"))
        .arg(program)
        .args(arguments)
        .arg(iso)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(
        output.status.code() != Some(127),
        "there is no {program}; `cargo xtask test` installs it"
    );
    (output.status.success(), text)
}

/// The first sector and the length of the EFI system partition, in sectors of 512 bytes.
fn esp(disc: &MasteredDisc) -> (u64, u64) {
    let image = disc.manifest.images.last().unwrap();
    (image.load_rba.get() * 4, image.length.get())
}

#[test]
fn sgdisk_finds_no_problem_in_a_guid_partition_table() {
    for boot in [
        "efi,hybrid=gpt",
        "bios+efi,hybrid=gpt",
        "bios+efi,place=appended,hybrid=gpt",
    ] {
        let (disc, iso, _folder) = disc(boot);
        let (_, verified) = said("sgdisk", &["-v"], &iso);
        assert!(
            verified.contains("No problems found."),
            "{boot}: {verified}"
        );
        let (_, partition) = said("sgdisk", &["-i", "1"], &iso);
        let (first, length) = esp(&disc);
        for expected in [
            "C12A7328-F81F-11D2-BA4B-00A0C93EC93B (EFI system partition)".to_owned(),
            format!("First sector: {first} "),
            format!("Partition size: {length} sectors"),
        ] {
            assert!(
                partition.contains(&expected),
                "{boot}: {expected:?} is not in {partition}"
            );
        }
    }
}

#[test]
fn sgdisk_finds_the_defect_of_a_guid_partition_table() {
    let (_, iso, _folder) = disc("bios+efi,defect=hybrid-gpt");
    let (_, verified) = said("sgdisk", &["-v"], &iso);
    assert!(!verified.contains("No problems found."), "{verified}");
}

#[test]
fn sfdisk_reads_the_master_boot_record() {
    for (boot, whole) in [
        ("bios+efi,hybrid=mbr", Some("type=0")),
        ("efi,hybrid=mbr", Some("type=0")),
        ("bios+efi,defect=hybrid-mbr", Some("type=17")),
        ("none,hybrid=mbr", Some("type=17")),
        ("bios+efi,defect=not-iso", Some("type=0")),
    ] {
        let (disc, iso, _folder) = disc(boot);
        let (_, dump) = said("sfdisk", &["--dump"], &iso);
        let lines: Vec<String> = dump
            .lines()
            .filter(|line| line.contains("start="))
            .map(|line| line.split_whitespace().collect())
            .collect();
        let sectors = disc.manifest.size.get() / 512;
        let whole = whole.map(|kind| format!("start=0,size={sectors},{kind},bootable"));
        let (first, length) = esp(&disc);
        let esp =
            (!boot.starts_with("none")).then(|| format!("start={first},size={length},type=ef"));
        let expected: Vec<String> = [whole, esp].into_iter().flatten().collect();
        assert_eq!(lines.len(), expected.len(), "{boot}: {dump}");
        for (line, expected) in lines.iter().zip(expected) {
            assert!(
                line.ends_with(&expected),
                "{boot}: {expected} is not {line}"
            );
        }
    }
}

/// xorriso takes the second session's descriptors for the disc's when it is told where that begins.
#[test]
fn xorriso_finds_no_boot_record_in_a_stale_second_session() {
    let (disc, iso, _folder) = disc("bios+efi,defect=multisession-stale");
    let session = disc.manifest.map.last().unwrap().start.get().to_string();
    let report = |load: &[&str]| {
        let output = Command::new("xorriso")
            .args(load)
            .args(["-indev", &format!("stdio:{}", iso.display())])
            .args(["-report_el_torito", "plain", "-find", "/", "--"])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let first = report(&[]);
    assert!(first.contains("El Torito boot img :   2  UEFI"), "{first}");
    let second = report(&["-load", "sbsector", &session]);
    assert!(!second.contains("El Torito boot img"), "{second}");
    assert!(second.contains("'/README.TXT'"), "the same tree: {second}");
}
