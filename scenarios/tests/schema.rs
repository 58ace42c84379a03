//! The JSON Schema of scenario files: as kept in the repository, as the code has it, and as the shipped files are.

extern crate boot_matrix_scenarios as scenarios;

#[path = "../../xtask/tests/common/schema.rs"]
mod schema;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use harness::{dialogue, guest, live};
use scenarios::{conformance, editor, file, master};
use serde_json::Value;

use self::schema::violations;

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the workspace")
}

#[test]
fn the_kept_schema_is_the_codes() {
    for (name, schema) in [
        ("scenario", file::json_schema()),
        ("master", master::json_schema()),
        ("editor", editor::json_schema()),
        ("dialogue", dialogue::json_schema()),
        ("live", live::json_schema()),
        ("words", guest::json_schema()),
        ("kit", conformance::kit_schema()),
        ("conformance", conformance::report_schema()),
    ] {
        let path = workspace().join(format!("schemas/{name}.schema.json"));
        let kept = fs::read_to_string(path).expect("the schema is kept");
        assert!(kept == schema, "run cargo xtask check --update-schema");
    }
}

fn check(toml: &str) -> String {
    check_by(&file::json_schema(), &[("file".into(), toml.into())])
}

/// What these TOML texts, each with its name, have that the schema does not want.
fn check_by(schema: &str, texts: &[(String, String)]) -> String {
    let schema: Value = serde_json::from_str(schema).expect("the schema is JSON");
    let document = |(name, text): &(String, String)| {
        let value: Value = toml::from_str(text).expect("the file is TOML");
        (name.clone(), value)
    };
    let documents: Vec<(String, Value)> = texts.iter().map(document).collect();
    violations(&schema, &documents)
}

/// The files of a pattern such as `scenarios/data/*.toml`, of which a star stands in the name alone.
fn files(pattern: &str) -> Vec<PathBuf> {
    let pattern = workspace().join(pattern);
    let name = pattern.file_name().and_then(|name| name.to_str());
    let (head, tail) = match name.expect("a name").split_once('*') {
        None => return vec![pattern],
        Some(parts) => parts,
    };
    let folder = pattern.parent().expect("a folder");
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with(head) && name.ends_with(tail))
        })
        .collect()
}

/// Editors are told by `.taplo.toml` which file keeps to which schema; so is this test.
#[test]
fn the_shipped_files_are_as_the_schema_wants_them() {
    let rules = fs::read_to_string(workspace().join(".taplo.toml")).expect("the rules are kept");
    let rules: Value = toml::from_str(&rules).expect("they are TOML");
    let mut checked = BTreeSet::new();
    for rule in rules["rule"].as_array().expect("rules") {
        let schema = rule["schema"]["path"].as_str().expect("a path");
        let schema = fs::read_to_string(workspace().join(schema)).expect("the schema is kept");
        let patterns = rule["include"].as_array().expect("patterns");
        let mut texts = Vec::new();
        for pattern in patterns {
            let files = files(pattern.as_str().expect("a pattern"));
            assert!(!files.is_empty(), "{pattern}");
            for path in files {
                let text = fs::read_to_string(&path).expect("a file can be read");
                texts.push((path.display().to_string(), text));
                checked.insert(path);
            }
        }
        assert_eq!(check_by(&schema, &texts), "");
    }
    for folder in [
        "scenarios/data",
        "scenarios/dialogs",
        "scenarios/live",
        "scenarios/masters",
        "examples",
    ] {
        for path in files(&format!("{folder}/*.toml")) {
            assert!(checked.contains(&path), "no rule has {}", path.display());
        }
    }
}

#[test]
fn the_schema_refuses_what_the_code_refuses() {
    let sound = r#"
        [[scenario]]
        name = "s"
        summary = "s"
        boot = ["none"]
        firmware = ["seabios"]
        attach = ["ide"]
        [[scenario.expect]]
        outcome = "booted"
        because = "a test"
    "#;
    assert_eq!(check(sound), "");
    let refuses = |replace: &str, by: &str| {
        assert!(sound.contains(replace));
        assert_ne!(check(&sound.replace(replace, by)), "", "{by}");
    };
    refuses("summary", "sumary");
    refuses("because = \"a test\"", "");
    refuses("\"ide\"", "\"idle\"");
    refuses("\"ide\"", "\"ide+fast\"");
    assert_eq!(check(&sound.replace("\"ide\"", "\"ide+slow=50\"")), "");
    refuses("[\"ide\"]", "\"ide\"");
    refuses("\"booted\"", "\"boots\"");
    refuses("outcome = \"booted\"", "outcome = \"booted\"\nslot = -1");
    refuses(
        "outcome = \"booted\"",
        "outcome = \"booted\"\nwhen = { fimware = \"ovmf\" }",
    );
}
