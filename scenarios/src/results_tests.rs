use Verdict::{AsExpected, Infra, Mismatch, Skipped};

use super::*;
use crate::{cell::DiscSource, words::Set};

#[test]
fn exit_codes_are_those_of_the_design() {
    let code = |verdicts: &[Verdict]| Totals::count(verdicts.iter().copied()).exit_code();
    assert_eq!(code(&[AsExpected, AsExpected]), 0);
    assert_eq!(code(&[AsExpected, Skipped]), 0);
    assert_eq!(code(&[AsExpected, Mismatch, Skipped]), 1);
    assert_eq!(code(&[Mismatch, Infra]), 3);
    assert_eq!(
        code(&[Skipped, Skipped]),
        3,
        "a run in which everything is skipped is no pass"
    );
    assert_eq!(code(&[]), 3, "nor is one of nothing");
}

fn record(id: &str, verdict: Verdict) -> CellResult {
    serde_json::from_value(serde_json::json!({
        "id": id, "scenario": "a", "medium": "-", "boot": "b", "size": "-", "master": "r",
        "firmware": "seabios", "attachment": "ide", "outcome": null, "expected": null, "verdict": verdict,
        "differs": [], "findings": [], "duration_ms": 0, "start": null, "evidence": "cells"
    }))
    .unwrap()
}

#[test]
fn what_failed_and_passes_now_is_flaky_unless_something_has_changed() {
    let basis = |cells: &str, declared: &str, qemu: &str| Basis {
        cells_sha256: cells.into(),
        declared_sha256: declared.into(),
        tools: [("QEMU".to_owned(), qemu.to_owned())].into(),
        ..Basis::default()
    };
    let run = |basis: Basis, cell: CellResult| Results {
        basis: Some(basis),
        ..Results::new("tcg".into(), Tools::default(), vec![cell])
    };
    let failed = |differs: Differs| CellResult {
        differs: vec![differs],
        reason: vec!["it hung".into()],
        ..record("a/-/b/-/r/seabios/ide", Mismatch)
    };
    let flaky = |now: Basis, first: CellResult, verdict: Verdict| {
        let earlier = run(basis("all", "same", "8"), first);
        run(now, record("a/-/b/-/r/seabios/ide", verdict))
            .over(earlier)
            .totals
            .flaky
    };
    let (outcome, snapshot) = (|| failed(Differs::Outcome), || failed(Differs::Snapshot));
    assert_eq!(flaky(basis("all", "same", "8"), outcome(), AsExpected), 1);
    assert_eq!(flaky(basis("all", "same", "8"), snapshot(), AsExpected), 1);
    assert_eq!(flaky(basis("all", "same", "8"), outcome(), Mismatch), 0);
    assert_eq!(flaky(basis("all", "other", "8"), outcome(), AsExpected), 0);
    assert_eq!(flaky(basis("all", "same", "9"), outcome(), AsExpected), 0);
    // What was accepted in between cannot be seen where other cells are chosen.
    assert_eq!(flaky(basis("one", "other", "8"), outcome(), AsExpected), 1);
    assert_eq!(flaky(basis("one", "other", "8"), snapshot(), AsExpected), 0);
    // Nor is it forgotten at the next rerun.
    let mut first = record("a/-/b/-/r/seabios/ide", AsExpected);
    first.flaky.push("it hung".into());
    assert_eq!(
        flaky(basis("all", "same", "8"), first.clone(), AsExpected),
        1
    );
    // What fails for good is not flaky.
    assert_eq!(flaky(basis("all", "same", "8"), first.clone(), Mismatch), 0);
    first.verdict = Mismatch;
    assert_eq!(flaky(basis("all", "same", "9"), first, AsExpected), 0);
}

#[test]
fn a_rerun_replaces_what_it_ran_and_keeps_the_rest() {
    let firmware = |id: &str| FirmwareTool {
        id: id.into(),
        family: "seabios".into(),
        version: "1".into(),
        sha256: String::new(),
    };
    let results = |cells: Vec<CellResult>| {
        let ids = ["seabios@1", "seabios@2"].into_iter().take(cells.len());
        let tools = Tools {
            firmware: ids.map(firmware).collect(),
            ..Tools::default()
        };
        Results::new("tcg".into(), tools, cells)
    };
    let earlier = results(vec![
        record("a/-/b/-/r/seabios/ide", AsExpected),
        record("b/-/b/-/r/seabios/ide", Mismatch),
    ]);
    let rerun = results(vec![record("b/-/b/-/r/seabios/ide", AsExpected)]);
    let both = rerun.over(earlier);
    let ids: Vec<&str> = both.tools.firmware.iter().map(|tool| &*tool.id).collect();
    assert_eq!(ids, ["seabios@1", "seabios@2"]);
    assert_eq!(
        both.totals,
        Totals {
            cells: 2,
            as_expected: 2,
            ..Totals::default()
        }
    );
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
    // What is no document may be anything.
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

#[test]
fn results_are_read_as_they_were_written() {
    let out = tempfile::tempdir().unwrap();
    let results = Results::new("tcg".into(), Tools::default(), vec![record(ID, AsExpected)]);
    results.write(out.path()).unwrap();
    assert_eq!(Results::read(out.path()).unwrap(), results);
    let other = Results {
        schema: "boot-matrix/0".into(),
        ..results
    };
    other.write(out.path()).unwrap();
    let error = Results::read(out.path()).unwrap_err().to_string();
    assert!(
        error.contains("its schema is \"boot-matrix/0\" where \"boot-matrix/1\" is wanted"),
        "{error}"
    );
}

#[test]
fn a_time_is_told_in_milliseconds_since_1970() {
    let time = UNIX_EPOCH + std::time::Duration::from_millis(1_795_411_012_071);
    assert_eq!(milliseconds(time), 1_795_411_012_071);
}

#[test]
fn tools_are_joined_by_their_names() {
    let tools = |names: &[&str], qemu: &str| Tools {
        qemu: Some(QemuTool {
            version: qemu.into(),
            path: "qemu".into(),
        }),
        firmware: Vec::new(),
        masters: names
            .iter()
            .map(|name| MasterTool {
                id: (*name).into(),
                version: qemu.into(),
            })
            .collect(),
    };
    let mut joined = tools(&["a", "b"], "8");
    joined.join(&tools(&["b", "c"], "9"));
    assert_eq!(joined.qemu.unwrap().version, "8");
    let masters: Vec<_> = joined
        .masters
        .iter()
        .map(|tool| (&*tool.id, &*tool.version))
        .collect();
    assert_eq!(masters, [("a", "8"), ("b", "8"), ("c", "9")]);
}
