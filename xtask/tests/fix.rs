//! `repro --fix`: what is found to be the cause is changed in a copy, and nothing else; the copy starts, and the disc stays as it is.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

#[expect(dead_code, reason = "shared with tests that read JSON that way")]
mod common;

use std::{
    fs::{self, File},
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    process::Command,
};

use common::{Said, said, xtask};
use serde_json::Value;
use tempfile::TempDir;

/// A folder with a disc that UEFI firmware refuses, for its checksum alone.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        let disc = bench.text("disc.iso");
        let words = [
            "image",
            "fix/-/efi/-/reference",
            "--defect",
            "catalog-checksum",
        ];
        let made = xtask(&[&words[..], &["--out", &disc]].concat());
        assert_eq!(made.code, 0, "{}", made.stderr);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// The program with a wish for a fixed disc.
    fn words(&self, out: &str) -> Vec<String> {
        let mut words: Vec<String> = ["repro", "--accelerator", "tcg", "--firmware", "ovmf"]
            .map(str::to_owned)
            .to_vec();
        words.extend(["--attach", "ahci"].map(str::to_owned));
        words.push(self.text("disc.iso"));
        words.extend(["--out".to_owned(), self.text("report")]);
        words.extend(["--fix".to_owned(), out.to_owned()]);
        words
    }

    fn fix(&self, out: &str) -> Said {
        let words = self.words(out);
        xtask(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn json(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.path("report").join(name)).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

/// The bytes in which two files of one length differ.
fn differences(one: &Path, other: &Path) -> Vec<u64> {
    let (one, other) = (fs::read(one).unwrap(), fs::read(other).unwrap());
    assert_eq!(one.len(), other.len());
    let pairs = (0..).zip(one.iter().zip(&other));
    pairs
        .filter(|(_, (one, other))| one != other)
        .map(|(at, _)| at)
        .collect()
}

#[test]
fn only_the_cause_is_changed_and_the_copy_starts() {
    let bench = Bench::new();
    let disc = bench.path("disc.iso");
    // No whole number of blocks, nor of sectors.
    let length = fs::metadata(&disc).unwrap().len() + 700;
    File::options()
        .write(true)
        .open(&disc)
        .unwrap()
        .set_len(length)
        .unwrap();
    let before = (
        fs::read(&disc).unwrap(),
        fs::metadata(&disc).unwrap().mtime_nsec(),
    );

    let log = bench.text("strace.log");
    let mut command = Command::new("strace");
    command.args([
        "-f",
        "-e",
        "trace=open,openat,openat2,creat",
        "-o",
        &log,
        env!("CARGO_BIN_EXE_xtask"),
    ]);
    command.args(bench.words(&bench.text("fixed.iso")));
    let said = said(command, &[]);
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
    let opened = fs::read_to_string(&log).unwrap();
    let of_disc: Vec<&str> = opened
        .lines()
        .filter(|line| line.contains("/disc.iso\""))
        .collect();
    assert!(!of_disc.is_empty());
    for line in of_disc {
        assert!(line.contains("O_RDONLY"), "{line}");
    }
    assert!(before.0 == fs::read(&disc).unwrap());
    assert_eq!(before.1, fs::metadata(&disc).unwrap().mtime_nsec());

    let changed = differences(&disc, &bench.path("fixed.iso"));
    let fix = bench.json("fix.json");
    let told = fix["changes"].as_array().unwrap();
    assert_eq!(told.len(), 1, "{fix}");
    assert_eq!(told[0]["id"], "catalog-checksum");
    assert_eq!(told[0]["offset"], changed[0]);
    assert_eq!(told[0]["length"], changed.len());
    assert_eq!(fix["proof"][0]["before"], "no");
    assert_eq!(fix["proof"][0]["after"], "yes");

    let cause = &bench.json("results.json")["cells"][0]["causes"][0];
    assert_eq!(cause["id"], "catalog-checksum");
    assert_eq!(cause["proved"], true);
    assert_eq!(cause["then"], "it boots");
    assert_eq!(cause["changes"][0]["offset"], changed[0]);
    assert!(said.stdout.contains("The cause:"), "{}", said.stdout);
}

#[test]
fn a_name_that_cannot_be_had_is_refused_before_anything_is_booted() {
    let bench = Bench::new();
    fs::write(bench.path("taken.iso"), "mine").unwrap();
    std::os::unix::fs::symlink(bench.path("disc.iso"), bench.path("link.iso")).unwrap();
    let before = fs::read(bench.path("disc.iso")).unwrap();
    for (out, told) in [
        (bench.text("disc.iso"), "is the disc itself"),
        (bench.text("link.iso"), "is the disc itself"),
        (bench.text("taken.iso"), "already exists"),
        (
            bench.text("no/such/folder.iso"),
            "the folder does not exist",
        ),
    ] {
        let said = bench.fix(&out);
        assert_eq!(said.code, 2, "{out}: {}", said.stderr);
        assert!(said.stderr.contains(told), "{told}: {}", said.stderr);
        assert!(!bench.path("report/results.json").exists());
    }
    assert_eq!(fs::read(bench.path("taken.iso")).unwrap(), b"mine");
    assert!(before == fs::read(bench.path("disc.iso")).unwrap());

    let code = bench.text("long.bin");
    fs::write(&code, [0x90; 513]).unwrap();
    let words = ["repro", &bench.text("disc.iso"), "--boot-code", &code];
    let said = xtask(&words);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(said.stderr.contains("513 bytes"), "{}", said.stderr);
}

#[test]
fn a_disc_of_sixty_gigabytes_of_holes_has_a_copy_of_holes() {
    let bench = Bench::new();
    let disc = File::options()
        .write(true)
        .open(bench.path("disc.iso"))
        .unwrap();
    disc.set_len(60 << 30).unwrap();
    disc.write_all_at(b"the end", (60 << 30) - 7).unwrap();
    let said = bench.fix(&bench.text("fixed.iso"));
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
    let fixed = fs::metadata(bench.path("fixed.iso")).unwrap();
    assert_eq!(fixed.len(), 60 << 30);
    assert!(fixed.blocks() * 512 < 16 << 20, "{} blocks", fixed.blocks());
}

#[test]
fn where_nothing_helps_nothing_is_written() {
    let bench = Bench::new();
    let made = xtask(&[
        "image",
        "fix/-/none/-/reference",
        "--out",
        &bench.text("bios.iso"),
    ]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    fs::rename(bench.path("bios.iso"), bench.path("disc.iso")).unwrap();
    let said = bench.fix(&bench.text("fixed.iso"));
    assert_eq!(said.code, 1, "{}{}", said.stdout, said.stderr);
    assert!(
        said.stdout.contains("No file was written"),
        "{}",
        said.stdout
    );
    assert!(!bench.path("fixed.iso").exists());
    assert_eq!(bench.json("fix.json")["disc"], Value::Null);
}
