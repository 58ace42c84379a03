//! JSON Schemas, as a program reads them that is not ours: jsonschema, Debian's python3-jsonschema.

use std::{fs, path::PathBuf, process::Command};

use serde_json::Value;

/// What documents have that their schema does not want, told by their names; empty when there is nothing.
pub(crate) fn violations(schema: &Value, documents: &[(String, Value)]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, value: &Value| -> PathBuf {
        let file = folder.path().join(name.replace('/', "∕"));
        fs::write(&file, value.to_string()).expect("it can be written");
        file
    };
    let mut command = Command::new("jsonschema");
    // Newer ones say first that they are no longer developed.
    command.env("PYTHONWARNINGS", "ignore");
    for (name, document) in documents {
        command.arg("-i").arg(write(name, document));
    }
    command.arg(write("schema", schema));
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("jsonschema: {error}; install python3-jsonschema"));
    if output.status.success() {
        return String::new();
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    assert!(!said.is_empty(), "jsonschema ended with {}", output.status);
    said
}
