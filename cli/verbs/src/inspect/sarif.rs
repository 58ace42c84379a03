//! A disc's findings as SARIF. The rules are the whole catalogue, the places byte offsets in the disc.

use std::path::Path;

use images::{
    finding::FindingId,
    inspect::{ComparisonResult, Inspection},
};
use serde_json::{Value, json};

use crate::sarif::{Log, level, rule, uri};

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
            "message": { "text": format!("the image of slot {} differs from the given boot image: sector {}", comparison.slot, sector.get()) },
            "locations": [location(start.saturating_add(byte))],
        }));
    }
    let rule_of = |&id: &FindingId| {
        let mut findings = inspection.findings.iter();
        let found = findings.find(|finding| finding.id == id);
        rule(id, found.map_or(&[], |finding| &finding.recipes))
    };
    let artifacts = json!([{ "location": { "uri": uri }, "length": inspection.size.get() }]);
    Log {
        verb: "inspect",
        rules: FindingId::ALL.iter().map(rule_of).collect(),
        results,
        others: vec![("artifacts", artifacts)],
    }
    .document()
}
