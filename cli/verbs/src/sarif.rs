//! SARIF 2.1.0 (OASIS), for tools that show findings beside code: what `inspect` and a run of the matrix have in common.

use std::{os::unix::ffi::OsStrExt, path::Path};

use images::finding::{FilledRecipe, FindingId, Severity};
use serde_json::{Value, json};

/// A log of one run of a verb.
pub struct Log {
    /// The verb.
    pub verb: &'static str,
    pub rules: Vec<Value>,
    pub results: Vec<Value>,
    /// What else the run has, by its name in SARIF.
    pub others: Vec<(&'static str, Value)>,
}

impl Log {
    /// The document.
    pub fn document(self) -> Value {
        let mut run = json!({
            "tool": { "driver": {
                "name": format!("boot-matrix {}", self.verb),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": self.rules,
            } },
            "results": self.results,
        });
        for (name, value) in self.others {
            run[name] = value;
        }
        json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [run],
        })
    }
}

/// The rule of a finding, with the recipes that fit the disc, where it is broken.
pub fn rule(id: FindingId, recipes: &[FilledRecipe]) -> Value {
    let text: String = recipes
        .iter()
        .map(|recipe| format!("\n{}: {}", recipe.heading(), recipe.commands.join(" && ")))
        .collect();
    let markdown: String = recipes
        .iter()
        .map(|recipe| {
            let commands = recipe.commands.join("\n  ");
            format!("\n- {}:\n\n  ```\n  {commands}\n  ```\n", recipe.heading())
        })
        .collect();
    json!({
        "id": id.as_str(),
        "shortDescription": { "text": id.explanation() },
        "fullDescription": { "text": format!("{} {}", id.explanation(), id.consequence()) },
        "help": {
            "text": format!("{}{text}", id.remedy()),
            "markdown": format!("{}\n{markdown}", id.remedy()),
        },
        "defaultConfiguration": { "level": level(id.severity()) },
        "properties": { "trips": id.trips(), "tags": id.trips() },
    })
}

pub const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// A path as a URI reference (RFC 3986): relative ones stay so.
pub fn uri(path: &Path) -> String {
    let mut uri = if path.is_absolute() { "file://" } else { "" }.to_owned();
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_uris() {
        assert_eq!(uri(Path::new("a disc:1.iso")), "a%20disc%3A1.iso");
        assert_eq!(uri(Path::new("/tmp/x.iso")), "file:///tmp/x.iso");
    }
}
