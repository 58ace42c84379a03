//! `inspect` as a user meets it: what it prints, in each format, and its exit codes.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

#[path = "common/sarif.rs"]
mod sarif;
#[path = "common/schema.rs"]
mod schema;

use std::{
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use images::{
    finding::FindingId,
    inspect::Inspection,
    reference::{MasteredDisc, master},
};
use serde_json::Value;
use tempfile::TempDir;

use self::schema::violations;

struct Said {
    code: i32,
    stdout: String,
    stderr: String,
}

fn xtask(arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("inspect")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said {
        code: output.status.code().unwrap(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

fn written(boot: &str) -> (TempDir, PathBuf, MasteredDisc) {
    let disc = master(
        "inspect/-/-/-/reference",
        None,
        &boot.parse().unwrap(),
        None,
    )
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    disc.write_to(folder.path()).unwrap();
    let iso = folder.path().join("disc.iso");
    (folder, iso, disc)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_healthy_disc_is_a_table_and_exit_0() {
    let (_folder, iso, disc) = written("bios+efi");
    let said = xtask(&[text(&iso)]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    let efi = disc.manifest.image(3).unwrap().load_rba.get();
    let row = said.stdout.lines().find(|line| line.contains("section"));
    let cells: Vec<_> = row.unwrap().split_whitespace().collect();
    let expected = [
        "3",
        "section",
        "efi",
        "yes",
        "none",
        "0000",
        "2880",
        &efi.to_string(),
        "720",
    ];
    assert_eq!(cells[..9], expected);
    assert!(
        said.stdout.ends_with("0 errors, 0 warnings, 4 notes\n"),
        "{}",
        said.stdout
    );
}

#[test]
fn an_error_is_told_with_its_place_and_its_remedy_and_exit_1() {
    let (_folder, iso, disc) = written("efi,defect=catalog-checksum");
    let said = xtask(&[text(&iso)]);
    assert_eq!(said.code, 1);
    let catalog = disc.manifest.catalog;
    let head = format!(
        "error: catalog-checksum (LBA {}, byte {})",
        catalog.get(),
        catalog.byte_offset() + 0x1C
    );
    for part in [&head, "[ovmf, u-boot]", "to fix it: "] {
        assert!(said.stdout.contains(part), "{part}: {}", said.stdout);
    }
}

#[test]
fn json_is_inspect_1_and_nothing_else() {
    let (_folder, iso, _) = written("none,defect=count-zero");
    let said = xtask(&[text(&iso), "--format", "json"]);
    assert_eq!((said.code, said.stderr.as_str()), (1, ""));
    let inspection: Inspection = serde_json::from_str(&said.stdout).unwrap();
    assert!(inspection.found(FindingId::CountZero));
}

#[test]
fn what_is_no_disc_is_exit_2() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let empty = folder.path().join("empty");
    fs::write(&empty, "").unwrap();
    let page = folder.path().join("page.iso");
    fs::write(&page, "not the file that was asked for\n").unwrap();
    for (path, what) in [
        (pipe, "is a pipe"),
        (empty, "is empty"),
        (folder.path().to_owned(), "is a directory"),
        (folder.path().join("absent"), "cannot read"),
        (page, "is not an ISO: this is a text"),
    ] {
        let said = xtask(&[text(&path)]);
        assert_eq!((said.code, said.stdout.as_str()), (2, ""));
        assert!(said.stderr.contains(what), "{}", said.stderr);
        let said = xtask(&[text(&path), "--format", "json"]);
        let error: Value = serde_json::from_str(&said.stdout).unwrap();
        assert_eq!((said.code, &error["schema"]), (2, &"error/1".into()));
        assert!(error["message"].as_str().unwrap().contains(what), "{error}");
    }
    // What is a file and no disc can be read, and nothing boots it.
    let noise = folder.path().join("noise");
    fs::write(&noise, vec![0xA5; 100_000]).unwrap();
    assert_eq!(xtask(&[text(&noise)]).code, 1);
}

#[test]
fn an_original_and_a_medium_are_compared() {
    let (folder, iso, disc) = written("none");
    let record = disc.manifest.image(1).unwrap();
    let mut bytes = vec![0; usize::try_from(record.length.bytes().get()).unwrap()];
    let file = fs::File::open(&iso).unwrap();
    file.read_exact_at(&mut bytes, record.load_rba.byte_offset())
        .unwrap();
    let original = folder.path().join("boot.img");
    fs::write(&original, &bytes).unwrap();
    let same = xtask(&[text(&iso), "--boot-image", text(&original)]);
    assert_eq!(same.code, 0);
    assert!(
        same.stdout.contains("as it was mastered"),
        "{}",
        same.stdout
    );
    bytes[1024] ^= 1;
    fs::write(&original, &bytes).unwrap();
    let other = xtask(&[text(&iso), "--boot-image", text(&original)]);
    assert_eq!(other.code, 1);
    assert!(
        other.stdout.contains("sector 2, from byte"),
        "{}",
        other.stdout
    );
    let tight = xtask(&[text(&iso), "--medium", "20b"]);
    assert!(tight.code == 1 && tight.stdout.contains("image-out-of-range"));
    assert_eq!(xtask(&[text(&iso), "--medium", "cd80"]).code, 2);
}

#[test]
fn sarif_keeps_to_its_schema() {
    let schema = sarif::schema();
    let (_folder, iso, disc) = written("hard-disk,defect=mbr-signature");
    let said = xtask(&[text(&iso), "--format", "sarif"]);
    assert_eq!(said.code, 0);
    let document: Value = serde_json::from_str(&said.stdout).unwrap();
    let violations = |document: &Value| violations(&schema, &[("log".into(), document.clone())]);
    assert_eq!(violations(&document), "");
    let run = &document["runs"][0];
    assert_eq!(
        run["tool"]["driver"]["rules"].as_array().unwrap().len(),
        FindingId::ALL.len()
    );
    let result = &run["results"][0];
    let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], result["ruleId"]);
    assert_eq!(
        (&result["ruleId"], &result["level"]),
        (&"mbr-signature".into(), &"warning".into())
    );
    let region = &result["locations"][0]["physicalLocation"]["region"];
    let image = disc.manifest.image(1).unwrap().load_rba.byte_offset();
    assert_eq!(region["byteOffset"], image + 510);
    // The schema and what reads it here do find a mistake.
    for (pointer, value) in [
        ("/version", Value::from("2.2.0")),
        ("/runs/0/results/0/level", "info".into()),
        (
            "/runs/0/results/0/message",
            serde_json::json!({ "txt": "" }),
        ),
        (
            "/runs/0/results/0/locations/0/physicalLocation/region/byteOffset",
            "7".into(),
        ),
        ("/runs/0/tool", serde_json::json!({})),
    ] {
        let mut wrong = document.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        assert_ne!(violations(&wrong), "", "{pointer}");
    }
}

/// What is said of an edit: the exit code, and the text.
fn compared(boot: &str, change: impl FnOnce(&fs::File, &MasteredDisc)) -> (i32, String) {
    let (_folder, iso, disc) = written(boot);
    let after = iso.with_file_name("after.iso");
    fs::write(&after, fs::read(&iso).unwrap()).unwrap();
    change(
        &fs::File::options().write(true).open(&after).unwrap(),
        &disc,
    );
    let said = xtask(&[iso.to_str().unwrap(), "--compare", after.to_str().unwrap()]);
    assert_eq!(said.stderr, "");
    (said.code, said.stdout)
}

#[test]
fn an_edit_that_changes_nothing_is_told_so() {
    let (code, said) = compared("bios+efi,hybrid=gpt", |_, _| {});
    assert_eq!(code, 0, "{said}");
    let first = said.lines().next().unwrap();
    assert_eq!(
        first,
        "As before, these find something to start: a BIOS, as a CD; UEFI firmware, as a CD; a BIOS, as a stick; UEFI firmware, as a stick. No other structure that firmware reads has changed; files that loaders read were not compared."
    );
}

#[test]
fn an_edit_that_takes_a_way_is_told_first() {
    // The boot code of the first sector is gone.
    let (code, said) = compared("bios+efi,hybrid=gpt", |file, _| {
        file.write_all_at(&[0; 440], 0).unwrap();
    });
    assert_eq!(code, 1, "{said}");
    assert!(
        said.starts_with("No longer find anything to start: a BIOS, as a stick (the first sector has no boot code). As before, these find something to start: a BIOS, as a CD; UEFI firmware, as a CD; UEFI firmware, as a stick."),
        "{said}"
    );
    assert!(
        said.contains("the boot code in the first sector: some before, none after"),
        "{said}"
    );
    // The boot record is no longer one.
    let (code, said) = compared("none", |file, _| {
        file.write_all_at(b"el", 17 * 2048 + 7).unwrap();
    });
    assert_eq!(code, 1, "{said}");
    assert!(
        said.starts_with(
            "No longer find anything to start: a BIOS, as a CD (the disc has no boot record)."
        ),
        "{said}"
    );
    assert!(said.contains("new error: no-boot-record"), "{said}");
}

#[test]
fn a_field_is_told_with_both_values() {
    let (code, said) = compared("none", |file, disc| {
        let count = disc.manifest.catalog.byte_offset() + 32 + 6;
        file.write_all_at(&[8, 0], count).unwrap();
    });
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("the sector count of slot 1: 4 before, 8 after"),
        "{said}"
    );
}

#[test]
fn a_comparison_is_json_too_and_never_sarif() {
    let (_folder, iso, _disc) = written("none");
    let iso = iso.to_str().unwrap();
    let said = xtask(&[iso, "--compare", iso, "--format", "json"]);
    let document: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(document["schema"], "compare/1");
    assert_eq!(document["worse"], false);
    assert_eq!(document["ways"][0]["way"], "bios-cd");
    let said = xtask(&[iso, "--compare", iso, "--format", "sarif"]);
    assert_eq!(said.code, 2);
}
