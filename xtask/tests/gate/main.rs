//! A gate for mastering tools, as its user meets it: baselines, comparisons, annotations, ISOs that exist, and the example.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

mod alerts;
#[path = "../common/mod.rs"]
mod common;
mod editors;
mod example;
mod regressions;
#[path = "../common/sarif.rs"]
mod sarif_schema;
#[path = "../common/schema.rs"]
mod schema;
mod twice;

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use common::{Said, said, xtask, xtask_with};
use serde_json::Value;
use tempfile::TempDir;

const SCENARIO: &str = r#"[[scenario]]
name = "own"
summary = "a user's own"
boot = ["none,count=4", "none,count=8"]
firmware = ["seabios"]
attach = ["ide"]

[[scenario.expect]]
outcome = "booted"
facts = { loaded = "4" }
because = "a test: the second contradicts it"
"#;
const FOUR: &str = "own/-/none,count=4/-/reference/seabios/ide";
const EIGHT: &str = "own/-/none,count=8/-/reference/seabios/ide";

struct Own {
    folder: TempDir,
}

impl Own {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("own.toml"), SCENARIO).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(arguments, &[])
    }

    fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Said {
        let (scenarios, out) = (self.path("own.toml"), self.path("out"));
        let own = [
            "boot-matrix",
            "--accelerator",
            "tcg",
            "--scenarios",
            &scenarios,
            "--out",
            &out,
        ];
        xtask_with(&[&own[..], arguments].concat(), environment)
    }
}

fn verdicts(said: &Said) -> Vec<(Value, Value)> {
    let json = said.json();
    let cells = json["cells"].as_array().unwrap().iter();
    cells
        .map(|cell| (cell["verdict"].clone(), cell["differs"].clone()))
        .collect()
}

fn verdict(verdict: &str, differs: &[&str]) -> (Value, Value) {
    (Value::from(verdict), Value::from(differs.to_vec()))
}

/// Changes what was accepted of a cell of the scenario `own`.
fn change_cell(file: &Path, id: &str, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let cell = id.strip_prefix("own/").unwrap();
    change(&mut value["cells"][cell]);
    fs::write(file, value.to_string()).unwrap();
}

fn change(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(file, text.replace(from, to)).unwrap();
}

#[test]
fn a_baseline_outweighs_what_is_declared_and_tells_that() {
    let own = Own::new();
    let base = own.path("base");
    let accepted = own.run(&["--baseline", &base, "--accept", "--format", "json"]);
    assert_eq!(accepted.code, 0, "{}", accepted.stderr);
    let cells = accepted.json()["cells"].clone();
    assert_eq!(
        verdicts(&accepted),
        [verdict("as-expected", &[]), verdict("as-expected", &[])]
    );
    assert!(cells[0]["contradicts"].is_null());
    assert_eq!(
        cells[1]["contradicts"][0],
        "expected loaded to be \"4\", but it was \"8\""
    );
    assert_eq!(
        cells[1]["start"], "cold",
        "what contradicts is accepted from power-on"
    );
    assert!(cells[0]["findings"].is_array());
    let inspection = own.path(&format!("out/cells/{FOUR}/inspection.json"));
    let inspection: Value = serde_json::from_slice(&fs::read(inspection).unwrap()).unwrap();
    assert_eq!(inspection["schema"], "inspect/1");
    assert!(
        !Path::new(&own.path("snapshots")).exists(),
        "snapshots play no part"
    );

    let again = own.run(&["--baseline", &base]);
    assert_eq!(again.code, 0, "{}", again.stdout);
    let told = "1 as the baseline records, although the scenarios declare something else:\n  own/-/none,count=8";
    assert!(again.stdout.contains(told), "{}", again.stdout);

    let file = PathBuf::from(own.path("base/own.json"));
    change_cell(&file, FOUR, |cell| {
        cell["boot"]["facts"]["loaded"] = "2".into()
    });
    change(&file, "\"sector_count\":4", "\"sector_count\":2880");
    let mut value: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let cells = value["cells"].as_object_mut().unwrap();
    cells.remove(EIGHT.strip_prefix("own/").unwrap()).unwrap();
    fs::write(&file, value.to_string()).unwrap();
    let changed = own.run(&["--baseline", &base, "--format", "json"]);
    assert_eq!(changed.code, 1);
    assert_eq!(
        verdicts(&changed),
        [
            verdict("mismatch", &["snapshot"]),
            verdict("mismatch", &["new", "outcome"])
        ]
    );
    let reason = &changed.json()["cells"][0]["reason"];
    assert_eq!(
        reason,
        &Value::from(vec![
            "sector count of slot 1: 4, was 2880",
            "loaded: 4, was 2"
        ])
    );
}

#[test]
fn a_baseline_that_is_none_is_wrong_input_and_never_a_pass() {
    let own = Own::new();
    let base = own.path("base");
    let refuses = |arguments: &[&str], what: &str| {
        let said = own.run(&[&["count=4", "--format", "json"], arguments].concat());
        let json = said.json();
        assert_eq!(
            (said.code, &json["schema"]),
            (2, &Value::from("error/1")),
            "{arguments:?}: {json}"
        );
        assert!(
            json["message"].as_str().unwrap().contains(what),
            "{what}: {json}"
        );
        assert!(!json["remedy"].as_str().unwrap().is_empty());
    };
    refuses(&["--baseline", &base], "cannot read the baseline");
    fs::create_dir(&base).unwrap();
    refuses(
        &["--baseline", &base],
        "has no baseline for any of these cells",
    );
    refuses(
        &["--baseline", &own.path("own.toml"), "--accept"],
        "it is no folder",
    );
    let file = PathBuf::from(own.path("base/own.json"));
    for (text, what) in [
        ("{", "EOF while parsing"),
        (
            "{\"schema\": \"baseline/0\"}",
            "its schema is \"baseline/0\" where \"baseline/2\" is wanted",
        ),
        (
            "{\n<<<<<<< HEAD\n",
            "line 2 has the conflict markers of an unfinished merge",
        ),
        (
            "{\"schema\": \"boot-matrix/1\"}",
            "its schema is \"boot-matrix/1\"",
        ),
    ] {
        fs::write(&file, text).unwrap();
        refuses(&["--baseline", &base], what);
        refuses(&["--baseline", &base], file.to_str().unwrap());
        refuses(&["--baseline", &base, "--accept"], what);
    }
    refuses(&["--against", "xoriso"], "did you mean xorriso");
    refuses(
        &["--against", "xorriso", "--master", "xorriso"],
        "with itself",
    );
    refuses(
        &["--against", "xorriso"],
        "none of the cells chosen are of xorriso",
    );
    refuses(&["--against", &own.path("missing.json")], "missing.json");
    refuses(
        &["--against", "xorriso", "--accept"],
        "there are no snapshots for",
    );
    let results = own.path("results.json");
    for (text, what) in [
        ("no JSON", "expected"),
        ("{\"schema\": \"inspect/1\"}", "its schema is \"inspect/1\""),
    ] {
        fs::write(&results, text).unwrap();
        refuses(&["--against", &results], what);
    }
}

#[test]
fn two_runs_are_compared_with_and_without_their_evidence() {
    let own = Own::new();
    let compare = |before: &str| {
        let said = own.run(&["count=4", "--against", before, "--format", "json"]);
        (said.code, said.json()["comparison"].clone())
    };
    let first = own.run(&["count=4", "--baseline", &own.path("base"), "--accept"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    // The run that is compared with is the one that is written over.
    let results = own.path("out/results.json");
    let (code, comparison) = compare(&results);
    assert_eq!(
        (code, &comparison["totals"]["same"]),
        (0, &Value::from(1)),
        "{comparison}"
    );
    assert_eq!(comparison["totals"]["without_evidence"], 0);

    let before = PathBuf::from(own.path("before.json"));
    fs::write(&before, fs::read(&results).unwrap()).unwrap();
    let (code, comparison) = compare(before.to_str().unwrap());
    assert_eq!(
        (code, &comparison["totals"]["same"]),
        (3, &Value::from(1)),
        "not all that was seen could be compared, which is no pass: {comparison}"
    );
    change(
        &before,
        "\"findings\": []",
        "\"findings\": [\"count-zero\"]",
    );
    let (code, comparison) = compare(before.to_str().unwrap());
    assert_eq!(
        (code, &comparison["totals"]["structure_only"]),
        (3, &Value::from(1)),
        "told, and no difference in booting: {comparison}"
    );
    // The cell's own outcome stands before what was declared for it.
    let text = fs::read_to_string(&before).unwrap().replacen(
        "\"kind\": \"booted\"",
        "\"kind\": \"hung\"",
        1,
    );
    fs::write(&before, text).unwrap();
    let (code, comparison) = compare(before.to_str().unwrap());
    assert_eq!(
        (code, &comparison["cells"][0]["boot"][0]["was"]),
        (1, &Value::from("hung")),
        "{comparison}"
    );
    let said = own.run(&["count=4", "--against", before.to_str().unwrap()]);
    assert!(
        said.stdout.contains("1 boot differently"),
        "{}",
        said.stdout
    );
}

#[test]
fn a_reader_that_is_not_ours_reads_the_report_as_it_is_meant() {
    let own = Own::new();
    let not_there = r#"
[[scenario]]
name = "not-there"
summary = "an ISO that is not there"
iso = { path = "missing.iso" }
observe = true
firmware = ["seabios"]
attach = ["ide"]
"#;
    fs::write(own.path("own.toml"), format!("{SCENARIO}{not_there}")).unwrap();
    let base = own.path("base");
    assert_eq!(own.run(&["--baseline", &base, "--accept"]).code, 0);
    change_cell(&PathBuf::from(own.path("base/own.json")), EIGHT, |cell| {
        cell["boot"]["words"][0] = "<&\"]]>\u{7}".into();
    });
    let said = own.run_with(&["--baseline", &base], &[("CI", "true")]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    let report = fs::read(own.path("out/junit.xml")).unwrap();
    let suites = junit_parser::from_reader(&report[..]).unwrap();
    assert_eq!(
        (suites.tests, suites.failures, suites.errors, suites.skipped),
        (3, 1, 0, 1)
    );
    let [suite] = &suites.suites[..] else {
        panic!("{suites:?}");
    };
    assert_eq!(
        (suite.tests, suite.failures, suite.errors, suite.skipped),
        (3, 1, 0, 1)
    );
    let case = |id: &str| {
        &suite
            .cases
            .iter()
            .find(|case| case.original_name == id)
            .unwrap()
            .status
    };
    assert!(case(FOUR).is_success());
    assert!(case(EIGHT).is_failure());
    assert!(case("not-there/-/missing/-/-/seabios/ide").is_skipped());
    let dies = own.path("qemu");
    let script = "#!/bin/sh\ncase \"$*\" in *-blockdev*) echo '<&\"]]>' >&2; exit 1;; esac\nexec qemu-system-x86_64 \"$@\"\n";
    fs::write(&dies, script).unwrap();
    fs::set_permissions(&dies, fs::Permissions::from_mode(0o755)).unwrap();
    let said = own.run_with(
        &["--baseline", &base, "--qemu", &dies, "count="],
        &[("CI", "true")],
    );
    assert_eq!(said.code, 3, "{}", said.stderr);
    let report = fs::read(own.path("out/junit.xml")).unwrap();
    let suites = junit_parser::from_reader(&report[..]).unwrap();
    assert_eq!(
        (suites.tests, suites.failures, suites.errors, suites.skipped),
        (2, 0, 2, 0)
    );
    let told = &suites.suites[0].cases[0].status;
    assert!(
        told.is_error() && format!("{told:?}").contains("]]>"),
        "{told:?}"
    );
}

#[test]
fn two_tools_are_compared_in_one_run() {
    let own = Own::new();
    let both = SCENARIO.replace(
        "firmware =",
        "master = [\"genisoimage\", \"xorriso\"]\nfirmware =",
    );
    fs::write(
        own.path("own.toml"),
        both.replace("[\"none,count=4\", \"none,count=8\"]", "[\"none,count=4\"]"),
    )
    .unwrap();
    let said = own.run(&[
        "--against",
        "xorriso",
        "--master",
        "genisoimage",
        "--format",
        "json",
    ]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(
        verdicts(&said),
        [verdict("as-expected", &[]), verdict("as-expected", &[])]
    );
    let json = said.json();
    assert_eq!(
        (&json["schema"], &json["comparison"]["against"]),
        (&"boot-matrix/1".into(), &"xorriso".into())
    );
    let totals = &json["comparison"]["totals"];
    assert_eq!(
        (&totals["differ"], &totals["structure_only"]),
        (&0.into(), &1.into()),
        "{json}"
    );
    let told = own.run(&["--against", "xorriso"]);
    let table = "own/-/none,count=4/-/genisoimage/seabios/ide: boots the same, from a disc of another structure\n";
    assert!(told.stdout.contains(table), "{}", told.stdout);
    assert!(
        told.stdout.contains("genisoimage  xorriso\n"),
        "{}",
        told.stdout
    );
}

#[test]
fn github_is_told_where_and_what() {
    let own = Own::new();
    let summary = own.path("summary.md");
    fs::write(&summary, "before\n").unwrap();
    let workspace = own.path("");
    let environment = [
        ("GITHUB_STEP_SUMMARY", summary.as_str()),
        ("GITHUB_WORKSPACE", workspace.as_str()),
    ];
    let said = own.run_with(
        &[
            "--baseline",
            &own.path("base"),
            "--accept",
            "--format",
            "github",
        ],
        &environment,
    );
    assert_eq!(
        (said.code, said.stdout.as_str()),
        (0, ""),
        "{}",
        said.stderr
    );
    let file = PathBuf::from(own.path("base/own.json"));
    change_cell(&file, FOUR, |cell| {
        cell["boot"]["facts"]["loaded"] = "2".into()
    });
    let said = own.run_with(
        &["--baseline", &own.path("base"), "--format", "github"],
        &environment,
    );
    assert_eq!(said.code, 1);
    let line = format!(
        "::error file=own.toml,line=8,title=loaded%3A 4%2C was 2::differs on SeaBIOS by ide: 1 of 2 cells; loaded: 4, was 2%0Acells: {FOUR}"
    );
    assert!(said.stdout.starts_with(&line), "{}", said.stdout);
    assert_eq!(said.stdout.lines().count(), 1);
    let text = fs::read_to_string(&summary).unwrap();
    assert!(text.starts_with("before\n"), "{text}");
    assert!(
        text.contains("red: 1 cause in 1 of 2 cells") && text.contains("loaded: 4, was 2"),
        "{text}"
    );

    let said = own.run_with(
        &["--baseline", &own.path("missing"), "--format", "github"],
        &environment,
    );
    assert_eq!(said.code, 2);
    assert!(
        said.stdout
            .starts_with("::error title=boot-matrix::error: cannot read the baseline"),
        "{}",
        said.stdout
    );
}

#[test]
fn an_iso_of_any_name_is_observed_or_must_come() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain.iso");
    let image = xtask(&[
        "image",
        "x/-/none,count=4/-/reference",
        "--out",
        plain.to_str().unwrap(),
    ]);
    assert_eq!(image.code, 0, "{}", image.stderr);
    let iso = folder
        .path()
        .join(OsStr::from_bytes(b"a disc, caf\xe9.iso"));
    fs::rename(plain, &iso).unwrap();
    let out = folder.path().join("out");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args([
                "boot-matrix",
                "--accelerator",
                "tcg",
                "--format",
                "json",
                "--iso",
            ])
            .arg(&iso);
        command.arg("--out").arg(&out).args(arguments);
        said(command, &[])
    };
    const ID: &str = "iso/-/a_disc__caf_/-/-/seabios/ide";
    let list = run(&["--list"]);
    assert_eq!(
        list.json()["cells"].as_array().unwrap().len(),
        12,
        "{}",
        list.stderr
    );
    let text = folder.path().join("text.iso");
    fs::write(&text, "hello\n").unwrap();
    let said = xtask(&["boot-matrix", "--iso", text.to_str().unwrap()]);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(said.stderr.contains("is not an ISO"), "{}", said.stderr);
    let observed = run(&["*/seabios/ide"]);
    assert_eq!(observed.code, 0, "{}", observed.stderr);
    assert_eq!(observed.json()["cells"][0]["id"], ID);
    assert_eq!(verdicts(&observed), [verdict("observed", &[])]);
    assert_eq!(observed.json()["cells"][0]["outcome"]["kind"], "booted");
    assert!(out.join("cells").join(ID).join("inspection.json").exists());
    assert_eq!(
        verdicts(&run(&["*/seabios/ide", "--expect", r"BM1 \d+ begin"])),
        [verdict("as-expected", &[])]
    );
    let not = run(&["*/seabios/ide", "--expect", "Installer menu"]);
    assert_eq!(
        (not.code, verdicts(&not)),
        (1, vec![verdict("mismatch", &["outcome"])])
    );
    let dialog = folder.path().join("dialog.toml");
    let talk = |text: &str| {
        fs::write(&dialog, text).unwrap();
        run(&["*/seabios/ide", "--dialog", dialog.to_str().unwrap()])
    };
    let held = talk("[[step]]\nexpect = 'BM1 0 begin'\n[[step]]\nexpect = 'end=ok'");
    assert_eq!(verdicts(&held), [verdict("as-expected", &[])]);
    let failed = talk("[[step]]\nexpect = 'Installer menu'\nwithin = 1");
    assert_eq!(
        (failed.code, verdicts(&failed)),
        (1, vec![verdict("mismatch", &["outcome"])])
    );
    let wrong = talk("[[step]]\nsay = 'hello'");
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.stdout.contains("dialog.toml:2:1: "),
        "{}",
        wrong.stdout
    );
    let again = run(&["--rerun", "failed"]);
    assert_eq!(again.code, 2, "--iso names the disc, and --rerun knows it");

    let base = folder.path().join("base");
    let base = base.to_str().unwrap();
    assert_eq!(
        run(&["*/seabios/ide", "--baseline", base, "--accept"]).code,
        0
    );
    assert_eq!(
        verdicts(&run(&["*/seabios/ide", "--baseline", base])),
        [verdict("as-expected", &[])]
    );

    assert_eq!(run(&["--expect", "("]).code, 2);
    assert_eq!(run(&["--accept"]).code, 2);
    let missing = xtask(&[
        "boot-matrix",
        "--iso",
        folder.path().join("missing.iso").to_str().unwrap(),
    ]);
    assert_eq!(missing.code, 2);
    assert!(missing.stderr.contains("missing.iso"), "{}", missing.stderr);
}
