use std::path::Path;

use super::*;

const ID: &str = "a/-/none,count=4/-/tool/seabios@1.16/ide";
/// As a user's repository keeps it. What is written from now on must be readable as this.
const KEPT: &str = r#"{
  "schema": "baseline/1",
  "cell": "a/-/none,count=4/-/tool/seabios/ide",
  "boot": { "outcome": "booted", "stage": "ended", "entry": { "slot": 1, "probe": "bios" }, "facts": { "drive": "E0" },
            "checks": ["checks: 3 ok"], "words": ["Booting from DVD/CD..."] },
  "reads": ["17 boot record", "25-26 boot image of slot 1"],
  "disc": { "blocks": 300, "boot_records": [17], "catalog": 33, "findings": ["image-exceeds-quarter"],
            "entries": [ { "slot": 0, "kind": "validation", "platform": "x86" },
                         { "slot": 1, "kind": "initial", "platform": "x86",
                           "boot": { "bootable": true, "media": "none", "load_segment": 0, "system_type": 0, "sector_count": 4, "load_rba": 25 } } ] }
}"#;

fn id() -> CellId {
    ID.parse().unwrap()
}

fn kept(folder: &Path, text: &str) -> PathBuf {
    let file = Baseline::file(folder, &id());
    files::write(&file, text.as_bytes()).unwrap();
    file
}

#[test]
fn what_is_written_is_read_back_and_a_version_is_no_part_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = kept(folder.path(), KEPT);
    assert!(
        file.ends_with("a/-/none,count=4/-/tool/seabios/ide.json"),
        "{file:?}"
    );
    let baseline = Baseline::read_for(folder.path(), &id()).unwrap().unwrap();
    let reads = baseline.reads.as_ref().unwrap();
    assert_eq!(
        (reads[1].lba, reads[1].blocks),
        (Lba::new(25), BlockCount::new(2))
    );
    baseline.accept(folder.path(), &id()).unwrap();
    assert_eq!(
        Baseline::read_for(folder.path(), &id()).unwrap(),
        Some(baseline)
    );
}

#[test]
fn what_is_not_there_is_nothing_and_what_is_wrong_is_told_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Baseline::read_for(folder.path(), &id()).unwrap(), None);
    for (text, what) in [
        ("", "EOF"),
        ("{\"schema\": \"baseline/1\"", "EOF"),
        ("[]", "it names no schema where \"baseline/1\" is wanted"),
        ("{\"schema\": 1}", "it names no schema"),
        (
            "{\"schema\": \"baseline/0\"}",
            "its schema is \"baseline/0\" where \"baseline/1\" is wanted",
        ),
        (
            "{\"schema\": \"boot-matrix/1\", \"cells\": []}",
            "its schema is \"boot-matrix/1\"",
        ),
        ("{\"schema\": \"baseline/1\"}", "missing field"),
        (
            &KEPT.replace("\"facts\"", "\"fact\""),
            "unknown field `fact`",
        ),
        (
            &KEPT.replace("17 boot", "x17 boot"),
            "\"x17 boot record\" is no read",
        ),
        (&KEPT.replace("25-26", "26-25"), "is no read"),
        (
            &KEPT.replace("25-26", "0-18446744073709551615"),
            "is no read",
        ),
        (
            &KEPT.replace("/ide", "/ahci"),
            "it is of the cell a/-/none,count=4/-/tool/seabios/ahci",
        ),
    ] {
        let file = kept(folder.path(), text);
        let error = Baseline::read_for(folder.path(), &id())
            .unwrap_err()
            .to_string();
        assert!(error.contains(what), "{text}: {error}");
        assert!(error.contains(&file.display().to_string()), "{error}");
        let ids = [id()];
        assert!(check(folder.path(), false, &ids).is_err(), "{text}");
        assert!(
            check(folder.path(), true, &ids).is_err(),
            "nor is it overwritten: {text}"
        );
    }
}

#[test]
fn a_baseline_is_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let none: [CellId; 0] = [];
    assert!(
        check(&missing, false, &none)
            .unwrap_err()
            .to_string()
            .contains("missing")
    );
    assert_eq!(check(&missing, true, &none).unwrap(), 0);
    let file = kept(folder.path(), KEPT);
    assert!(
        check(&file, true, &none)
            .unwrap_err()
            .to_string()
            .contains("it is no folder")
    );
    assert_eq!(check(folder.path(), false, &[id()]).unwrap(), 1);
}

#[test]
fn reads_that_touch_are_one_and_only_structures_count() {
    let read = |offset, bytes| DiscRead { offset, bytes };
    // A disk is read in units of 512 bytes.
    let reads = [
        read(17 * 2048, 2048),
        read(51_200, 512),
        read(51_712, 4096),
        read(16 * 2048, 2048),
        read(0, 512),
    ];
    assert_eq!(ranges(&reads), [(0, 1), (16, 18), (25, 28)]);
    assert_eq!(ranges(&[read(u64::MAX, 512)]).len(), 1);
}

#[test]
fn a_file_of_a_cell_that_is_gone_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let id = |scenario: &str| -> CellId {
        format!("{scenario}/-/none/-/t/seabios/ide")
            .parse()
            .unwrap()
    };
    for scenario in ["kept", "gone"] {
        let file = Baseline::file(folder.path(), &id(scenario));
        let text = serde_json::json!({
            "schema": SCHEMA, "cell": id(scenario).to_string(), "boot": { "outcome": "booted" },
            "reads": null, "disc": null
        });
        crate::files::write_json(&file, &text).unwrap();
    }
    // Whatever else lies there is nobody's baseline.
    std::fs::write(folder.path().join("notes.json"), "{}").unwrap();
    let orphans = orphans(folder.path(), [&id("kept")]).unwrap();
    assert_eq!(orphans, [Path::new("gone/-/none/-/t/seabios/ide.json")]);
}
