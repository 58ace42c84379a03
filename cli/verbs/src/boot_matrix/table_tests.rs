use std::time::Duration;

use scenarios::results::Tools;
use serde_json::{Value, json};

use super::*;

/// The result of a cell, with what is given besides.
fn record(id: &str, verdict: &str, besides: &Value) -> CellResult {
    let parts: Vec<&str> = id.split('/').collect();
    let mut record = json!({
        "id": id, "scenario": parts[0], "medium": parts[1], "boot": parts[2], "size": parts[3], "master": parts[4],
        "firmware": parts[5], "attachment": parts[6], "outcome": null, "expected": null, "verdict": verdict,
        "differs": [], "findings": [], "duration_ms": 1500, "start": null, "evidence": format!("cells/{id}")
    });
    for (key, value) in besides.as_object().unwrap() {
        record[key] = value.clone();
    }
    serde_json::from_value(record).unwrap()
}

fn results(cells: Vec<CellResult>) -> Results {
    Results::new("tcg".into(), Tools::default(), cells)
}

fn told(results: &Results, detail: Detail, coloured: bool) -> String {
    let output = Output {
        out: Path::new("/out"),
        took: Some(Duration::from_secs(2)),
        detail,
        accept: Some("--review"),
    };
    let mut to = Terminal::in_memory(coloured);
    print(&mut to, results, &output).unwrap();
    to.into_text()
}

const DIFF: &str = "--- accepted\n+++ seen\n@@ -8,3 +8,3 @@\n extensions: 30\n-loaded: 8\n+loaded: 4\n limit: none\n";

#[test]
fn a_line_for_each_scenario_and_a_column_for_each_firmware() {
    let none = json!({});
    let results = results(vec![
        record("one/-/none/-/reference/seabios/ide", "as-expected", &none),
        record("one/-/none/-/reference/seabios/ahci", "mismatch", &none),
        record("one/-/none/-/reference/ovmf/ide", "skipped", &none),
        record("another/-/none/-/reference/ovmf/ide", "infra", &none),
    ]);
    assert_eq!(
        rows(&results),
        [
            "scenario  ovmf  seabios  seconds",
            "another     1!        ·      1.5",
            "one         1–     1 1✗      4.5",
        ]
    );
}

#[test]
fn no_line_of_the_table_is_longer_than_a_terminal_is_wide() {
    let long = "a-scenario-that-somebody-gave-a-name-of-more-than-forty-characters";
    let builds = [
        "seabios",
        "seabios@1.14.0-2",
        "seabios@1.16.2-1",
        "ovmf@2022.11-6+deb12u2",
        "ovmf-secure-boot@2025.02-8+deb13u1",
        "ovmf-ia32@a-build-that-somebody-gave-a-name-of-more-than-a-whole-line-of-eighty-characters",
    ];
    let id = |build: &&str| format!("{long}/-/none/-/reference/{build}/ide");
    let cell = |build: &&str| record(&id(build), "mismatch", &json!({}));
    let rows = rows(&results(builds.iter().map(cell).collect()));
    assert!(rows.len() > 3, "several blocks: {rows:#?}");
    for row in rows {
        assert!(row.chars().count() <= WIDTH, "{row}");
    }
}

#[test]
fn a_failure_is_a_reason_a_folder_and_a_command() {
    let id = "one/-/none,count=4/-/reference/seabios/ide";
    let besides = json!({ "differs": ["snapshot"], "reason": [DIFF], "findings": ["count-unit"] });
    let results = results(vec![record(id, "mismatch", &besides)]);
    assert_eq!(
        told(&results, Detail::Quiet, false),
        format!(
            "\n✗ {id}: snapshot\n  \"loaded: 8\" was accepted, but \"loaded: 4\" was seen (2 more with -v)\n  evidence: /out/cells/{id}\n  \
             next: cargo xtask boot-matrix '{id}' --rerun failed --out /out\n  if this is intended: the same command with --review\n\n1 cell: 1 mismatch, in 2.0 s\nresults: /out/results.json\n"
        )
    );
    let whole = told(&results, Detail::Verbose, false);
    assert!(whole.contains("  -loaded: 8\n  +loaded: 4\n"), "{whole}");
    assert!(whole.contains("on the disc: count-unit"), "{whole}");
}

#[test]
fn what_passes_at_the_second_try_is_told_always() {
    let id = "one/-/none,count=4/-/reference/seabios/ide";
    let results = results(vec![record(id, "as-expected", &json!({ "flaky": [DIFF] }))]);
    assert_eq!(
        told(&results, Detail::Quiet, false),
        format!(
            "\nflaky  {id}\n  failed at first, but not when it was tried again: \"loaded: 8\" was accepted, but \"loaded: 4\" was seen\n\n\
             1 cell: 1 as expected (1 flaky), in 2.0 s\nresults: /out/results.json\n"
        )
    );
}

#[test]
fn nothing_that_a_guest_says_reaches_a_terminal_as_it_is() {
    let hostile = "\u{1b}[2J\u{9b}31m\u{7}\rgone\u{202e}";
    let outcome =
        json!({ "kind": "refused", "code": hostile, "stage": "catalog-read", "detail": hostile });
    let besides = |differs: &str| json!({ "differs": [differs], "reason": [hostile], "outcome": outcome, "findings": [hostile], "contradicts": [hostile], "flaky": [hostile] });
    let cell = |number: usize, verdict: &str, differs: &str| {
        let id = format!("s{number}/-/none/-/reference/seabios/ide");
        record(&id, verdict, &besides(differs))
    };
    let results = results(vec![
        cell(0, "mismatch", "outcome"),
        cell(1, "mismatch", "snapshot"),
        cell(2, "infra", "outcome"),
        cell(3, "skipped", "outcome"),
        cell(4, "observed", "outcome"),
        cell(5, "as-expected", "outcome"),
    ]);
    for detail in [Detail::Quiet, Detail::Normal, Detail::Verbose] {
        let text = told(&results, detail, true);
        assert!(
            text.contains("\\u{1b}[2J\\u{9b}31m\\u{7}\\rgone"),
            "{text:?}"
        );
        // What is left are our own colours.
        let ours = text.replace("\u{1b}[0m", "").replace("\u{1b}[1m", "");
        let ours = ["2", "31", "32", "33", "36"]
            .iter()
            .fold(ours, |text, colour| {
                text.replace(&format!("\u{1b}[{colour}m"), "")
            });
        let raw = ours
            .chars()
            .find(|&c| (c.is_control() && c != '\n') || c == '\u{202e}');
        assert_eq!(raw, None, "{detail:?}: {ours:?}");
    }
}
