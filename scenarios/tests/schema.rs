//! The JSON Schema of scenario files: as kept in the repository, as the code has it, and as the shipped files are.

use std::{fs, path::Path};

use harness::dialogue;
use scenarios::{file, master};
use serde_json::Value;

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
        ("dialogue", dialogue::json_schema()),
    ] {
        let path = workspace().join(format!("schemas/{name}.schema.json"));
        let kept = fs::read_to_string(path).expect("the schema is kept");
        assert!(kept == schema, "run cargo xtask check --update-schema");
    }
}

/// Everything in which a value is not as a schema wants it. Knows the words that our schema uses, and no other:
/// an unknown one fails, so that no constraint is passed over.
fn violations(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let Some(words) = schema.as_object() else {
        assert_eq!(schema, &Value::Bool(true), "at {at}");
        return;
    };
    for (word, wanted) in words {
        let mut wrong = |why: String| found.push(format!("{at}: {why}"));
        match word.as_str() {
            "$schema" | "title" | "description" | "$defs" | "examples" | "default" | "format"
            | "required" => {}
            "$ref" => {
                let name = wanted
                    .as_str()
                    .and_then(|path| path.strip_prefix("#"))
                    .expect("a local reference");
                let schema = root.pointer(name).expect("what is referred to is there");
                violations(root, schema, value, at, found);
            }
            "type" => {
                let types: Vec<&str> = match wanted {
                    Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
                    one => one.as_str().into_iter().collect(),
                };
                let is = match value {
                    Value::Null => "null",
                    Value::Bool(_) => "boolean",
                    Value::Number(_) => "integer",
                    Value::String(_) => "string",
                    Value::Array(_) => "array",
                    Value::Object(_) => "object",
                };
                if !types.contains(&is) {
                    wrong(format!("is {is}, not {types:?}"));
                }
            }
            "enum" => {
                if !wanted.as_array().expect("a list").contains(value) {
                    wrong(format!("is none of {wanted}"));
                }
            }
            "const" => {
                if wanted != value {
                    wrong(format!("is not {wanted}"));
                }
            }
            "anyOf" | "oneOf" => {
                let fits = |schema: &Value| {
                    let mut found = Vec::new();
                    violations(root, schema, value, at, &mut found);
                    found.is_empty()
                };
                if !wanted.as_array().expect("a list").iter().any(fits) {
                    wrong(format!("fits none of {wanted}"));
                }
            }
            "minimum" | "maximum" => {
                let (number, limit) = (value.as_f64(), wanted.as_f64());
                if number.zip(limit).is_some_and(|(n, limit)| {
                    if word == "minimum" {
                        n < limit
                    } else {
                        n > limit
                    }
                }) {
                    wrong(format!("is beyond {wanted}"));
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    violations(root, wanted, item, &format!("{at}[{index}]"), found);
                }
            }
            "properties" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = wanted.get(name) {
                        violations(root, schema, value, &format!("{at}.{name}"), found);
                    }
                }
                for name in words
                    .get("required")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                {
                    if value.get(name.as_str().expect("a name")).is_none() {
                        found.push(format!("{at}: lacks {name}"));
                    }
                }
            }
            "additionalProperties" => {
                let known = words.get("properties").and_then(Value::as_object);
                for (name, value) in value.as_object().into_iter().flatten() {
                    match wanted {
                        _ if known.is_some_and(|known| known.contains_key(name)) => {}
                        Value::Bool(false) => found.push(format!("{at}: has an unknown {name}")),
                        schema => violations(root, schema, value, &format!("{at}.{name}"), found),
                    }
                }
            }
            _ => panic!("at {at} the schema says {word}, which this test does not know"),
        }
    }
}

fn check(toml: &str) -> Vec<String> {
    check_by(&file::json_schema(), toml)
}

fn check_by(schema: &str, toml: &str) -> Vec<String> {
    let schema: Value = serde_json::from_str(schema).expect("the schema is JSON");
    let file: Value = toml::from_str(toml).expect("the file is TOML");
    let mut found = Vec::new();
    violations(&schema, &schema, &file, "file", &mut found);
    found
}

#[test]
fn the_shipped_files_are_as_the_schema_wants_them() {
    let folders = [
        ("scenarios/data", file::json_schema()),
        ("scenarios/dialogs", dialogue::json_schema()),
    ];
    for (folder, schema) in folders {
        let mut files = 0;
        for entry in fs::read_dir(workspace().join(folder)).expect("the files are there") {
            let path = entry.expect("an entry").path();
            // Distilled discs lie beside their scenarios.
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("a file can be read");
            let found = check_by(&schema, &text);
            assert_eq!(found, Vec::<String>::new(), "{}", path.display());
            files += 1;
        }
        assert!(files > 0);
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
    assert_eq!(check(sound), Vec::<String>::new());
    let refuses = |replace: &str, by: &str| {
        assert!(sound.contains(replace));
        assert_ne!(
            check(&sound.replace(replace, by)),
            Vec::<String>::new(),
            "{by}"
        );
    };
    refuses("summary", "sumary");
    refuses("because = \"a test\"", "");
    refuses("\"ide\"", "\"idle\"");
    refuses("[\"ide\"]", "\"ide\"");
    refuses("\"booted\"", "\"boots\"");
    refuses("outcome = \"booted\"", "outcome = \"booted\"\nslot = -1");
    refuses(
        "outcome = \"booted\"",
        "outcome = \"booted\"\nwhen = { fimware = \"ovmf\" }",
    );
}
