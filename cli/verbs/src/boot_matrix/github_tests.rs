use serde_json::json;

use super::*;

fn record(id: &str, verdict: &str, differs: &[&str], reason: &str) -> CellResult {
    serde_json::from_value(json!({
        "id": id, "scenario": "a", "medium": "-", "boot": "b", "size": "-", "master": "r",
        "firmware": "seabios", "attachment": "ide", "outcome": null, "expected": null, "verdict": verdict,
        "differs": differs, "findings": [], "duration_ms": 0, "start": null, "evidence": "cells/a", "reason": [reason]
    }))
    .unwrap()
}

fn results(cells: Vec<CellResult>) -> Results {
    Results::new("tcg".into(), Default::default(), cells)
}

#[test]
fn what_a_guest_says_is_no_command_and_no_property() {
    let line = command(
        "error",
        &[("title", "a,b:c%".to_owned())],
        "100%\r\n::error::x",
    );
    assert_eq!(line, "::error title=a%2Cb%3Ac%25::100%25%0D%0A::error::x");
    assert_eq!(line.lines().count(), 1);
}

#[test]
fn what_passes_at_the_second_try_is_a_warning() {
    let mut cell = record("good", "as-expected", &[], "");
    cell.flaky.push("outcome: hung".to_owned());
    let results = results(vec![cell]);
    let lines = annotations(&results, &Places::new(), None);
    assert_eq!(lines, ["::warning title=good%3A flaky::outcome: hung"]);
    let text = summary(&results, None, "", None);
    assert!(text.contains("`good` is flaky"), "{text}");
}

#[test]
fn a_block_of_code_does_not_end_within() {
    assert_eq!(fenced("a"), "```text\na\n```\n\n");
    assert_eq!(fenced("a\n````\nb"), "`````text\na\n````\nb\n`````\n\n");
}

#[test]
fn each_cell_that_fails_is_an_annotation_and_the_last_one_tells_of_more() {
    let cells = |number: usize| {
        let bad = (0..number).map(|n| {
            record(
                &format!("a/-/b/-/r/seabios/{n}"),
                "mismatch",
                &["snapshot"],
                "outcome: hung, was booted",
            )
        });
        let good = [
            record("good", "as-expected", &[], ""),
            record("gone", "skipped", &[], "no tool"),
        ];
        results(bad.chain(good).collect())
    };
    let lines = annotations(&cells(2), &Places::new(), None);
    assert_eq!(
        lines[0],
        "::error title=a/-/b/-/r/seabios/0%3A snapshot::outcome: hung, was booted%0Aevidence: cells/a%0Ain the report: report.html#a/-/b/-/r/seabios/0"
    );
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2], "::warning title=1 skipped::no tool");
    let lines = annotations(&cells(12), &Places::new(), None);
    let errors: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with("::error "))
        .collect();
    assert_eq!(errors.len(), ANNOTATIONS);
    assert_eq!(
        errors[9],
        "::error title=and 3 more::a/-/b/-/r/seabios/9%0Aa/-/b/-/r/seabios/10%0Aa/-/b/-/r/seabios/11"
    );
}

#[test]
fn the_summary_tells_every_problem() {
    let results = results(vec![
        record("a/-/b/-/r/seabios/ide", "infra", &[], "`no` QEMU"),
        record("x", "skipped", &[], "no tool"),
    ]);
    let text = summary(
        &results,
        None,
        "cargo xtask boot-matrix b",
        Some("https://example.org/r/1#artifacts"),
    );
    for part in [
        "[report.html](https://example.org/r/1#artifacts)",
        "report.html#a/-/b/-/r/seabios/ide",
        "2 cells: 1 skipped, 1 error",
        "`a/-/b/-/r/seabios/ide`: error (the run failed, not the disc)",
        "`no` QEMU",
        "no tool",
        "\ncargo xtask boot-matrix b\n",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
