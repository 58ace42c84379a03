use Verdict::{AsExpected, Infra, Mismatch, Skipped};

use super::*;
use crate::{cell::DiscSource, words::Set};

fn record(id: &str, verdict: Verdict) -> CellResult {
    serde_json::from_value(serde_json::json!({
        "id": id, "scenario": "a", "medium": "-", "boot": "b", "size": "-", "master": "r",
        "firmware": "seabios", "attachment": "ide", "outcome": null, "expected": null, "verdict": verdict,
        "differs": [], "findings": [], "duration_ms": 0, "start": null, "evidence": "cells"
    }))
    .unwrap()
}

#[test]
fn a_result_has_the_fields_of_the_contract() {
    let result = CellResult {
        id: "a/cd-74/none/-/reference/seabios/ide".to_owned(),
        scenario: "a".to_owned(),
        medium: "cd-74".to_owned(),
        boot: "none".to_owned(),
        size: "-".to_owned(),
        master: "reference".to_owned(),
        firmware: "seabios".to_owned(),
        attachment: Attachment::Ide,
        medium_profile: None,
        outcome: serde_json::from_value(serde_json::json!({ "kind": "booted", "stage": "ended" }))
            .unwrap(),
        guest: None,
        starts: Some(Starts::Yes),
        expected: None,
        verdict: Verdict::Mismatch,
        differs: vec![Differs::New],
        causes: Vec::new(),
        findings: Vec::new(),
        duration_ms: 70,
        start: Some(Start::Cold),
        warm_differs: Vec::new(),
        flaky: Vec::new(),
        contradicts: Vec::new(),
        differences: None,
        evidence: "cells/a".to_owned(),
        reason: Vec::new(),
    };
    let json = serde_json::to_value(&result).unwrap();
    let keys: Vec<&str> = json
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let contract = [
        "id",
        "scenario",
        "medium",
        "boot",
        "size",
        "master",
        "firmware",
        "attachment",
        "outcome",
        "guest",
        "starts",
        "expected",
        "verdict",
        "differs",
        "findings",
        "duration_ms",
        "start",
        "evidence",
    ];
    assert!(contract.iter().all(|key| keys.contains(key)), "{keys:?}");
    assert_eq!(keys.len(), contract.len());
    assert_eq!(json["verdict"], "mismatch");
    assert_eq!(json["differs"], serde_json::json!(["new"]));
    assert_eq!(json["expected"], serde_json::Value::Null);
    assert_eq!(serde_json::from_value::<CellResult>(json).unwrap(), result);
}

#[test]
fn a_time_is_told_in_milliseconds_since_1970() {
    let time = UNIX_EPOCH + std::time::Duration::from_millis(1_795_411_012_071);
    assert_eq!(milliseconds(time), 1_795_411_012_071);
}

fn cell(id: &str) -> Cell {
    let id: CellId = id.parse().unwrap();
    Cell {
        memory_mib: None,
        deadline: None,
        set: Set::Default,
        disc: DiscSource::Iso {
            path: "a.iso".into(),
            package: None,
        },
        firmware: "seabios".parse().unwrap(),
        attachment: Attachment::Ide,
        medium_profile: None,
        text: None,
        dialogue: None,
        snapshot: "snapshot".into(),
        cold: None,
        rules: Vec::new(),
        id,
    }
}

const ID: &str = "a/-/b/-/r/seabios/ide";
const OTHER_ID: &str = "a/-/c/-/r/seabios/ide";

#[test]
fn a_record_is_that_of_its_run_and_of_its_cell() {
    let out = tempfile::tempdir().unwrap();
    let (cell, other) = (cell(ID), cell(OTHER_ID));
    let written = record(ID, AsExpected);
    write_record(out.path(), 7, &cell.id, written.clone()).unwrap();
    let file = out.path().join("cells").join(ID).join("result.json");
    assert_eq!(record_file(out.path(), &cell.id), file);
    assert_eq!(read_record(out.path(), 7, &cell.id).unwrap(), written);
    let error = |run, cell: &Cell| {
        let error = read_record(out.path(), run, &cell.id).unwrap_err();
        error.to_string()
    };
    assert!(error(8, &cell).contains("it is of another run"));
    assert!(error(7, &other).contains("cannot read"));
    let place = record_file(out.path(), &other.id);
    files::write(&place, &std::fs::read(&file).unwrap()).unwrap();
    assert!(error(7, &other).contains("it is of another cell"));

    let gathered = gather(out.path(), 7, &[cell.clone(), other.clone()], None);
    assert_eq!(gathered[0], written);
    assert_eq!((&*gathered[1].id, gathered[1].verdict), (OTHER_ID, Infra));
    assert!(gathered[1].reason[0].starts_with("the cell left no result: "));
    let gathered = gather(out.path(), 8, &[cell], Some("QEMU is gone"));
    assert_eq!(gathered[0].reason, ["QEMU is gone"]);
}

#[test]
fn what_could_be_run_and_left_sound_evidence_is_kept() {
    let out = tempfile::tempdir().unwrap();
    let cells = [cell(ID), cell(OTHER_ID)];
    let leave = |verdict| {
        for cell in &cells {
            let result = record(cell.id.as_str(), verdict);
            write_record(out.path(), 7, &cell.id, result).unwrap();
        }
    };
    let kept = |run| -> Vec<String> { kept(out.path(), run, &cells).into_keys().collect() };
    leave(Mismatch);
    assert_eq!(kept(7), [ID, OTHER_ID]);
    assert_eq!(kept(8), [""; 0]);
    leave(Infra);
    assert_eq!(kept(7), [""; 0]);
    leave(AsExpected);
    // A file that is not a document may contain anything.
    let folder = out.path().join("cells").join(ID);
    files::write(&folder.join("serial.log"), b"{").unwrap();
    assert_eq!(kept(7), [ID, OTHER_ID]);
    files::write(&folder.join("observation.json"), b"{ \"outcome\": ").unwrap();
    assert_eq!(kept(7), [OTHER_ID]);
}

#[test]
fn of_a_cell_that_was_not_run_its_name_is_told() {
    let result = unseen(&cell(ID), Skipped, "there is no such firmware");
    assert_eq!((&*result.id, result.verdict), (ID, Skipped));
    assert_eq!(result.reason, ["there is no such firmware"]);
    assert_eq!((&*result.boot, &*result.firmware), ("b", "seabios"));
    assert_eq!(result.evidence, format!("cells/{ID}"));
    let unknown: CellId = "a/-/b/-/r/seabios/tape".parse().unwrap();
    assert_eq!(of_id(&unknown, Infra, "a test"), None);
}
