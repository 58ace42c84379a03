use serde_json::{Value, json};

use super::*;

const ID: &str = "a/-/none,count=4/-/tool/seabios@1.16/ide";
/// As in a user's repository when each cell had a file.
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
    let file = Baseline::old_file(folder, &id());
    files::write(&file, text.as_bytes()).unwrap();
    file
}

fn ids() -> [CellId; 1] {
    [id()]
}

/// The scenario's file, as it is kept.
fn converted(folder: &Path) -> Value {
    kept(folder, KEPT);
    let mut baselines = Baselines::read(folder, &ids()).unwrap();
    let seen = baselines.of(&id()).unwrap().seen.clone();
    baselines.accept(seen, false);
    baselines.write(folder).unwrap();
    serde_json::from_slice(&fs::read(file(folder, "a")).unwrap()).unwrap()
}

#[test]
fn files_of_before_are_read_and_become_one_for_the_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let value = converted(folder.path());
    assert_eq!(value["schema"], "baseline/2");
    let cell = &value["cells"]["-/none,count=4/-/tool/seabios/ide"];
    assert_eq!(cell["boot"]["facts"]["drive"], "E0");
    assert_eq!(cell["reads"][1], "25-26 boot image of slot 1");
    assert_eq!(value["discs"]["-/none,count=4/-/tool"]["catalog"], 33);
    // The folders of the old one are removed with it.
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1);
    let baselines = Baselines::read(folder.path(), &ids()).unwrap();
    let seen = &baselines.of(&id()).unwrap().seen;
    assert_eq!(seen.cell, "a/-/none,count=4/-/tool/seabios/ide");
    assert_eq!(seen.disc.as_ref().unwrap().entries.len(), 2);
    // Read and written again, it is the same.
    let text = fs::read(file(folder.path(), "a")).unwrap();
    baselines.write(folder.path()).unwrap();
    assert_eq!(fs::read(file(folder.path(), "a")).unwrap(), text);
}

#[test]
fn what_is_not_there_is_nothing_and_what_is_wrong_is_told_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        Baselines::read(folder.path(), &ids()).unwrap().of(&id()),
        None
    );
    for (text, what) in [
        ("", "EOF"),
        ("{\"schema\": \"baseline/1\"", "EOF"),
        ("[]", "it names no schema where \"baseline/1\" is wanted"),
        (
            "{\"schema\": \"baseline/0\"}",
            "its schema is \"baseline/0\" where \"baseline/1\" is wanted",
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
            &KEPT.replace("/ide", "/ahci"),
            "it is of the cell a/-/none,count=4/-/tool/seabios/ahci",
        ),
    ] {
        let path = kept(folder.path(), text);
        let error = Baselines::read(folder.path(), &ids())
            .unwrap_err()
            .to_string();
        assert!(error.contains(what), "{text}: {error}");
        assert!(error.contains(&path.display().to_string()), "{error}");
    }
    converted(folder.path());
    let text = fs::read_to_string(file(folder.path(), "a")).unwrap();
    let merged = text.replacen("  \"tools\"", "<<<<<<< ours\n  \"tools\"", 1);
    for (text, what) in [
        (
            &text.replace("baseline/2", "baseline/3"),
            "its schema is \"baseline/3\" where \"baseline/2\" is wanted",
        ),
        (
            &merged,
            "line 4 has the conflict markers of an unfinished merge",
        ),
        (
            &text.replace("\"scenario\": \"a\"", "\"scenario\": \"b\""),
            "it is of the scenario b",
        ),
    ] {
        fs::write(file(folder.path(), "a"), text).unwrap();
        let error = Baselines::read(folder.path(), &ids())
            .unwrap_err()
            .to_string();
        assert!(error.contains(what), "{text}: {error}");
        assert!(error.contains("a.json"), "{error}");
    }
}

#[test]
fn a_baseline_is_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = check_folder(&missing, false).unwrap_err().to_string();
    assert!(error.contains("missing"), "{error}");
    check_folder(&missing, true).unwrap();
    let error = check_folder(&kept(folder.path(), KEPT), true).unwrap_err();
    assert!(error.to_string().contains("it is no folder"));
    check_folder(folder.path(), false).unwrap();
}

#[test]
fn either_of_two_outcomes_may_be_accepted() {
    let folder = tempfile::tempdir().unwrap();
    converted(folder.path());
    let mut baselines = Baselines::read(folder.path(), &ids()).unwrap();
    let mut seen = baselines.of(&id()).unwrap().seen.clone();
    seen.boot.outcome = "hung".to_owned();
    baselines.accept(seen.clone(), true);
    // The same outcome again counts once.
    baselines.accept(seen, true);
    baselines.write(folder.path()).unwrap();
    let baselines = Baselines::read(folder.path(), &ids()).unwrap();
    let outcomes = baselines.of(&id()).unwrap().all();
    let outcomes: Vec<String> = outcomes.map(|one| one.boot.outcome).collect();
    assert_eq!(outcomes, ["booted", "hung"]);
}

#[test]
fn tools_and_discs_that_are_others_stand_with_their_cells() {
    let folder = tempfile::tempdir().unwrap();
    converted(folder.path());
    let mut baselines = Baselines::read(folder.path(), &ids()).unwrap();
    let first = baselines.of(&id()).unwrap().seen.clone();
    for (attachment, qemu, blocks) in [
        ("ide", "7.2", 300),
        ("ahci", "7.2", 300),
        ("scsi", "10.0", 301),
    ] {
        let mut seen = first.clone();
        seen.cell = format!("a/-/none,count=4/-/tool/seabios/{attachment}");
        seen.tools = [("qemu".to_owned(), qemu.to_owned())].into();
        seen.disc.as_mut().unwrap().blocks = images::units::BlockCount::new(blocks);
        baselines.accept(seen, false);
    }
    baselines.write(folder.path()).unwrap();
    let value: Value =
        serde_json::from_slice(&fs::read(file(folder.path(), "a")).unwrap()).unwrap();
    assert_eq!(value["tools"], json!({ "qemu": "7.2" }));
    let other = &value["cells"]["-/none,count=4/-/tool/seabios/scsi"];
    assert_eq!(other["tools"], json!({ "qemu": "10.0" }));
    assert_eq!(other["disc"]["blocks"], 301);
    let again = Baselines::read(folder.path(), &ids()).unwrap();
    assert_eq!(
        again,
        Baselines {
            old: BTreeMap::new(),
            ..baselines
        }
    );
}

#[test]
fn what_is_of_no_cell_is_found() {
    let folder = tempfile::tempdir().unwrap();
    converted(folder.path());
    // Another scenario's old files, a scenario's whole file, and a file that belongs to nothing.
    let old = folder.path().join("gone/-/none/-/t/seabios/ide.json");
    files::write(&old, b"{\"schema\": \"baseline/1\"}").unwrap();
    let whole = folder.path().join("was.json");
    files::write(&whole, b"{\"schema\": \"baseline/2\"}").unwrap();
    fs::write(folder.path().join("notes.json"), "{}").unwrap();
    let of = |id: &str| orphans(folder.path(), &[id.parse::<CellId>().unwrap()]).unwrap();
    let found = of("a/-/none,count=4/-/tool/seabios/ide");
    assert_eq!(found.cells, Vec::<String>::new());
    assert_eq!(found.files, [old, whole]);
    let found = of("a/-/none,count=4/-/tool/seabios/ahci");
    assert_eq!(found.cells, ["a/-/none,count=4/-/tool/seabios/ide"]);
}
