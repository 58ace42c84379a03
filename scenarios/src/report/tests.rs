use std::{fs, path::Path};

use serde_json::{Value, json};

use super::*;
use crate::record::Verdict;

fn cell(id: &str, verdict: &str) -> Value {
    let parts: Vec<&str> = id.split('/').collect();
    json!({
        "id": id, "scenario": parts[0], "medium": parts[1], "boot": parts[2], "size": parts[3], "master": parts[4],
        "firmware": parts[5], "attachment": parts[6],
        "outcome": { "kind": "refused", "code": "0004", "stage": "medium-found", "detail": "no boot record" },
        "expected": { "outcome": "booted", "because": "it must" },
        "verdict": verdict, "differs": ["outcome"], "findings": [], "duration_ms": 12, "start": "cold", "evidence": "anywhere"
    })
}

const GOOD: &str = "a/-/none/-/reference/seabios/ide";
const BAD: &str = "b/cd-80/none,count=1/4s/reference/ovmf/ahci";

fn results(cells: &[Value]) -> Value {
    json!({
        "schema": "boot-matrix/1", "began_ms": 1000,
        "host": { "os": "linux", "arch": "x86_64", "cpus": 2 },
        "accelerator": "tcg", "tools": { "qemu": null, "firmware": [], "masters": [] },
        "totals": { "cells": 2, "as_expected": 1, "mismatch": 1, "skipped": 0, "infra": 0, "observed": 0 },
        "cells": cells
    })
}

fn leave(out: &Path, name: &str, value: &Value) {
    let file = out.join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, value.to_string()).unwrap();
}

/// What a run leaves that is cut short after the first of two cells.
fn leave_cut_short(out: &Path) {
    let began = json!({ "began": { "secs_since_epoch": 7, "nanos_since_epoch": 0 } });
    leave(out, "run.json", &began);
    fs::write(out.join("cells.txt"), format!("{GOOD}\n{BAD}\n")).unwrap();
    let mut record = cell(GOOD, "as-expected");
    record["run"] = json!(7000);
    leave(out, &format!("cells/{GOOD}/result.json"), &record);
}

fn read(fill: impl FnOnce(&Path)) -> Report {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    Report::read(folder.path()).unwrap()
}

#[test]
fn failures_come_first_and_the_grid_has_every_cell() {
    let report = read(|out| {
        let cells = [cell(GOOD, "as-expected"), cell(BAD, "mismatch")];
        leave(out, "results.json", &results(&cells));
    });
    assert!(report.missing.is_empty(), "{:?}", report.missing);
    let ids: Vec<&str> = report.cells.iter().map(|cell| &*cell.result.id).collect();
    assert_eq!(ids, [BAD, GOOD]);
    assert_eq!(
        report.cells[0].missing,
        ["The evidence of this cell is missing."]
    );
    let rows: Vec<_> = report
        .rows
        .iter()
        .map(|row| (&*row.scenario, row.failures))
        .collect();
    assert_eq!(rows, [("b", 1), ("a", 0)]);
    let squares: usize = report
        .rows
        .iter()
        .flat_map(|row| &row.squares)
        .map(Vec::len)
        .sum();
    assert_eq!(squares, 2);
    assert_eq!(report.failures.len(), 1);
    let last = report.cells[0].steps.iter().find(|step| step.last).unwrap();
    assert_eq!(last.stage.to_string(), "medium-found");
    let axes: Vec<&str> = report.axes.iter().map(|axis| axis.name).collect();
    assert!(axes.contains(&"medium") && !axes.contains(&"master") && !axes.contains(&"boot"));
}

#[test]
fn of_a_run_that_was_cut_short_each_cell_is_shown_that_came_to_its_end() {
    let report = read(leave_cut_short);
    assert_eq!(report.totals.as_expected, 1);
    assert_eq!(report.totals.infra, 1);
    assert!(
        report.missing[0].contains("interrupted"),
        "{:?}",
        report.missing
    );
    assert!(report.missing[1].starts_with("1 of 2 cells have no result"));
}

#[test]
fn results_of_an_earlier_run_are_not_taken_for_those_of_the_last() {
    let report = read(|out| {
        leave(out, "results.json", &results(&[cell(BAD, "mismatch")]));
        leave_cut_short(out);
    });
    assert_eq!(report.totals.as_expected, 1);
    assert!(
        report.missing[0].contains("from an earlier one"),
        "{:?}",
        report.missing
    );
}

#[test]
fn of_another_version_what_can_be_understood_is_shown() {
    let report = read(|out| {
        let mut odd = cell(BAD, "mismatch");
        odd["start"] = json!("lukewarm");
        let unknown = json!({ "id": "no id at all" });
        let mut older = results(&[
            cell(GOOD, "as-expected"),
            odd,
            unknown,
            cell(GOOD, "mismatch"),
        ]);
        older["schema"] = json!("boot-matrix/0");
        older["host"] = json!("a string");
        leave(out, "results.json", &older);
    });
    let verdicts: Vec<Verdict> = report
        .cells
        .iter()
        .map(|cell| cell.result.verdict)
        .collect();
    assert_eq!(verdicts, [Verdict::Mismatch, Verdict::AsExpected]);
    assert_eq!(report.cells[0].happened, "refused 0004 at medium-found");
    let told = report.missing.join(" ");
    for part in [
        "another version",
        "boot-matrix/0",
        "do not contain the host",
        "twice",
        "1 cells of the results",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn damaged_evidence_is_named_and_the_rest_is_shown() {
    let report = read(|out| {
        leave(out, "results.json", &results(&[cell(BAD, "mismatch")]));
        let folder = out.join("cells").join(BAD);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("observation.json"), "{ \"outcome\"").unwrap();
        fs::write(folder.join("screenshot.png"), "no picture").unwrap();
        fs::write(folder.join("disc.json"), "[]").unwrap();
        fs::write(folder.join("serial.raw"), "SeaBIOS\r\n").unwrap();
    });
    let cell = &report.cells[0];
    for name in ["observation.json", "screenshot.png", "disc.json"] {
        assert!(
            cell.missing.iter().any(|what| what.contains(name)),
            "{name}: {:?}",
            cell.missing
        );
    }
    let serial = cell.details.as_ref().unwrap().serial.as_ref().unwrap();
    assert_eq!(serial.lines[0].text, "SeaBIOS");
    assert_eq!(serial.lines[0].ms, None);
}

#[test]
fn evidence_is_shown_as_long_as_there_is_room() {
    let report = read(|out| {
        let ids: Vec<String> = (0..60)
            .map(|n| format!("c/-/n{n}/-/r/seabios/ide"))
            .collect();
        for id in &ids {
            let folder = out.join("cells").join(id);
            fs::create_dir_all(&folder).unwrap();
            let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
            png.resize(200 << 10, 0);
            fs::write(folder.join("screenshot.png"), png).unwrap();
        }
        let cells: Vec<Value> = ids.iter().map(|id| cell(id, "mismatch")).collect();
        leave(out, "results.json", &results(&cells));
    });
    let shown = report
        .cells
        .iter()
        .filter(|cell| cell.details.is_some())
        .count();
    assert!((10..60).contains(&shown), "{shown}");
    let told = |cell: &&Page| cell.missing.iter().any(|what| what.contains("not shown"));
    assert_eq!(report.cells.iter().filter(told).count(), 60 - shown);
}

#[test]
fn a_difference_is_taken_apart() {
    let report = read(|out| {
        let mut differs = cell(BAD, "mismatch");
        let diff =
            "--- accepted\n+++ seen\n@@ -1 +1 @@\n-outcome: booted\n+outcome: refused\n stage: x";
        differs["reason"] = json!(["a sentence", diff]);
        leave(out, "results.json", &results(&[differs]));
    });
    let Reason::Diff(lines) = &report.cells[0].reasons[1] else {
        panic!("no difference")
    };
    let changes: Vec<Change> = lines.iter().map(|line| line.change).collect();
    use Change::{Added, Kept, Place, Removed};
    assert_eq!(changes, [Removed, Added, Place, Removed, Added, Kept]);
    let told: Vec<&str> = report.cells[0]
        .changes
        .iter()
        .map(|line| &*line.text)
        .collect();
    assert_eq!(told, ["outcome: booted", "outcome: refused"]);
    assert_eq!(report.cells[0].summary, ["a sentence"]);
}

#[test]
fn a_folder_in_which_nothing_ran_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = Report::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("cells.txt"), "{error}");
}

#[test]
fn a_cause_stands_once_before_what_has_none() {
    let count = json!([{ "what": "sector count of slot 1", "is": "1", "was": "8" }]);
    let loaded = json!([{ "what": "loaded", "is": "4", "was": "8" }]);
    let mut changed = cell(BAD, "mismatch");
    changed["differences"] = json!({ "boot": loaded, "structure": count });
    let mut earlier = results(&[
        cell(GOOD, "as-expected"),
        changed,
        cell("c/-/efi/-/reference/ovmf/ahci", "mismatch"),
    ]);
    earlier["comparison"] = json!({
        "against": "before", "with": "run", "only_here": [], "only_there": [],
        "totals": { "same": 1, "structure_only": 0, "differ": 1, "only_here": 0, "only_there": 0, "without_evidence": 0 },
        "cells": [{ "id": GOOD, "other": GOOD, "counts": true, "boot": [], "structure": [{ "what": "platform of slot 0", "is": "mac", "was": "x86" }] }]
    });
    let report = read(|out| leave(out, "results.json", &earlier));
    let told: Vec<(&str, &str, Vec<&str>)> = report
        .causes
        .iter()
        .map(|it| {
            let cells = it.squares.iter();
            let cells = cells.map(|&index| &*report.cells[index].result.id);
            (&*it.cause.sentence, &*it.cause.consequence, cells.collect())
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                "sector count of slot 1: 1, was 8",
                "differs on OVMF by ahci: 1 of 3 cells; loaded: 4, was 8",
                vec![BAD]
            ),
            (
                "platform of slot 0: mac, was x86",
                "behaves as before on SeaBIOS by ide: 1 of 3 cells",
                vec![GOOD]
            ),
        ]
    );
    // What has a cause is told there alone.
    let others: Vec<&str> = report.failures.iter().map(|it| &*it.disc).collect();
    assert_eq!(others, ["c/-/efi/-/reference"]);
}
