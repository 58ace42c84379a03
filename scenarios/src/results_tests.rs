use Verdict::{AsExpected, Infra, Mismatch, Skipped};

use super::*;

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
    // With other chosen cells, it is not known what was accepted in between.
    assert_eq!(flaky(basis("one", "other", "8"), outcome(), AsExpected), 1);
    assert_eq!(flaky(basis("one", "other", "8"), snapshot(), AsExpected), 0);
    // Nor is it forgotten at the next rerun.
    let mut first = record("a/-/b/-/r/seabios/ide", AsExpected);
    first.flaky.push("it hung".into());
    assert_eq!(
        flaky(basis("all", "same", "8"), first.clone(), AsExpected),
        1
    );
    // A cell that still fails is not flaky.
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

const ID: &str = "a/-/b/-/r/seabios/ide";

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
