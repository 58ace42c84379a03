//! For tools that show findings beside code: SARIF 2.1.0 (OASIS). The rules are the whole catalogue, the places byte
//! offsets in the disc.

use std::{os::unix::ffi::OsStrExt, path::Path};

use images::{
    finding::{FindingId, Severity},
    inspect::{ComparisonResult, Inspection},
};
use serde_json::{Value, json};

/// The document of one inspection.
pub(super) fn document(iso: &Path, inspection: &Inspection) -> Value {
    let uri = uri(iso);
    let location = |offset: u64| {
        json!({ "physicalLocation": {
            "artifactLocation": { "uri": uri, "index": 0 },
            "region": { "byteOffset": offset, "byteLength": 1 },
        } })
    };
    let mut results: Vec<Value> = inspection
        .findings
        .iter()
        .map(|finding| {
            json!({
                "ruleId": finding.id.as_str(),
                "ruleIndex": FindingId::ALL.iter().position(|id| *id == finding.id),
                "level": level(finding.severity),
                "message": { "text": finding.message },
                "locations": [location(finding.offset)],
                "properties": { "lba": finding.lba.get(), "trips": finding.trips, "recipes": finding.recipes },
            })
        })
        .collect();
    if let Some(comparison) = &inspection.boot_image
        && let ComparisonResult::Differs { sector, byte } = comparison.result
    {
        // No defect of a disc by itself, and so of no rule.
        let start = inspection
            .entries()
            .find(|(entry, _)| entry.slot == comparison.slot);
        let start = start.map_or(0, |(_, boot)| boot.load_rba.byte_offset());
        results.push(json!({
            "level": "error",
            "message": { "text": format!("the image of slot {} is not the boot image given: sector {} is another one", comparison.slot, sector.get()) },
            "locations": [location(start.saturating_add(byte))],
        }));
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "boot-matrix inspect",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": FindingId::ALL.iter().map(|&id| rule(id, inspection)).collect::<Vec<_>>(),
            } },
            "artifacts": [{ "location": { "uri": uri }, "length": inspection.size.get() }],
            "results": results,
        }],
    })
}

/// A rule, with the recipes that fit the disc, where it is broken.
fn rule(id: FindingId, inspection: &Inspection) -> Value {
    let mut findings = inspection.findings.iter();
    let found = findings.find(|finding| finding.id == id);
    let recipes = found.map_or(&[][..], |finding| &finding.recipes);
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

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// A path as a URI reference (RFC 3986): relative ones stay so.
fn uri(path: &Path) -> String {
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
