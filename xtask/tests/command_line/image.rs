//! `image`: discs that an id describes.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use super::{common::xtask, refuses};

#[test]
fn an_image_needs_no_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.iso");
    let out = file.to_str().unwrap();
    let id = "mine/cd-80/hard-disk/quarter-1s/reference/seabios/ide";
    let said = xtask(&["image", id, "--out", out, "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(
        said.json()["size_bytes"],
        fs::metadata(&file).unwrap().len()
    );
    let manifest: Value =
        serde_json::from_slice(&fs::read(folder.path().join("a.iso.json")).unwrap()).unwrap();
    assert_eq!(manifest["id"], "mine/cd-80/hard-disk/quarter-1s/reference");

    let said = xtask(&["image", "mine/-/floppy-1440k/1440s/reference", "--out", out]);
    assert_eq!(said.code, 2);
    assert!(
        said.stderr.contains("2880") && said.stderr.contains("1440"),
        "both figures: {}",
        said.stderr
    );
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "nothing half-written is left: {left:?}");
}

#[test]
fn an_image_may_have_a_defect() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a.iso");
    let out = out.to_str().unwrap();
    let image = |id: &str, defect: &str| {
        xtask(&[
            "image", id, "--defect", defect, "--out", out, "--format", "json",
        ])
    };
    for id in [
        "x/-/bios+efi/-/reference",
        "x/-/bios+efi,defect=count-unit/-/reference",
    ] {
        let said = image(id, "count-unit");
        assert_eq!(said.code, 0, "{}", said.stderr);
        assert_eq!(
            said.json()["id"],
            "x/-/bios+efi,defect=count-unit/-/reference"
        );
    }
    let refused = |id: &str, defect: &str, message: &str| {
        refuses(&["image", id, "--defect", defect, "--out", out], message);
    };
    refused("x/-/none/-/reference", "count-unit", "needs an EFI entry");
    refused(
        "x/-/efi,defect=count-unit/-/reference",
        "efi-no-loader",
        "already has the defect count-unit",
    );
    refused(
        "x/-/efi/-/reference",
        "count-unti",
        "did you mean count-unit",
    );
}

#[test]
fn an_image_is_written_where_there_is_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let image = |out: &Path, message: &str| {
        let out = out.to_str().unwrap();
        refuses(&["image", "mine/-/none/-/reference", "--out", out], message);
    };
    image(&folder.path().join("missing/a.iso"), "does not exist");
    assert!(!folder.path().join("missing").exists());
    image(folder.path(), "is a folder");
}

#[test]
fn a_file_that_cannot_be_written_has_the_name_that_was_given() {
    // Nobody can make files there, not even root.
    let said = xtask(&[
        "image",
        "mine/-/none/-/reference",
        "--out",
        "/proc/self/a.iso",
    ]);
    assert_eq!(said.code, 3, "{}", said.stderr);
    assert!(
        said.stderr
            .starts_with("error: cannot write the disc /proc/self/a.iso: "),
        "{}",
        said.stderr
    );
}

#[test]
fn a_disc_is_the_same_bytes_wherever_and_whenever_it_is_mastered() {
    let folder = tempfile::tempdir().unwrap();
    let [here, elsewhere] = ["here.iso", "elsewhere.iso"].map(|name| folder.path().join(name));
    let id = "x/-/bios+efi/-/reference";
    let said = xtask(&["image", id, "--out", here.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let image = env!("CARGO_BIN_EXE_xtask");
    let said = Command::new("sh")
        .args([
            "-c",
            "umask 077; exec faketime -f +400d \"$@\"",
            "sh",
            image,
        ])
        .args(["image", id, "--out"])
        .arg(&elsewhere)
        .current_dir(folder.path())
        .env("TZ", "Asia/Kathmandu")
        .env("LC_ALL", "tr_TR.UTF-8")
        .env("HOME", "/nonexistent")
        .output()
        .unwrap();
    assert!(said.status.success(), "{said:?}");
    assert!(fs::read(here).unwrap() == fs::read(elsewhere).unwrap());
}
