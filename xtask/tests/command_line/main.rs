//! The command line as a user meets it: the program itself, its exit codes, and what it says.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

#[path = "../common/mod.rs"]
mod common;
mod image;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use common::{Said, xtask, xtask_with};
use harness::machine::spec::descriptor;
use serde_json::Value;
use tempfile::TempDir;

const SCENARIO: &str = r#"[[scenario]]
name = "own"
summary = "a user's own"
boot = ["none,count=4"]
firmware = ["seabios"]
attach = ["ide"]

[[scenario.expect]]
outcome = "booted"
because = "El Torito §2.2"

[[scenario]]
name = "not-there"
summary = "an ISO that is not there"
iso = { path = "missing.iso" }
expect-text = { seabios = "boot:" }
firmware = ["seabios"]
attach = ["ide"]

[[scenario.expect]]
outcome = "booted"
because = "a test"
"#;

struct Own {
    folder: TempDir,
}

impl Own {
    fn new(scenario: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("scenarios")).unwrap();
        fs::write(folder.path().join("scenarios/own.toml"), scenario).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(arguments, &[])
    }

    fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Said {
        let (scenarios, out) = (self.path("scenarios"), self.path("out"));
        let own = [
            "boot-matrix",
            "--scenarios",
            scenarios.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
        ];
        xtask_with(&[&own[..], arguments].concat(), environment)
    }

    /// QEMU, but it does something else when it is given a disc.
    fn qemu(&self, then: &str) -> String {
        let path = self.path("qemu");
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in *-blockdev*) {then};; esac\nexec qemu-system-x86_64 \"$@\"\n"
        );
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// What is said of wrong usage, for people and for programs.
fn refuses(arguments: &[&str], message: &str) {
    let said = xtask(arguments);
    assert_eq!(
        (said.code, said.stdout.as_str()),
        (2, ""),
        "{arguments:?}: {}",
        said.stderr
    );
    assert!(
        said.stderr.contains(message),
        "{arguments:?}: {}",
        said.stderr
    );
    let said = xtask(&[arguments, &["--format", "json"]].concat());
    let json = said.json();
    assert_eq!((said.code, &json["schema"]), (2, &Value::from("error/1")));
    assert!(
        json["message"].as_str().unwrap().contains(message),
        "{json}"
    );
    let (message, remedy) = (&json["message"], &json["remedy"]);
    assert!(!message.as_str().unwrap().contains('\n'), "{message}");
    assert!(!remedy.as_str().unwrap().is_empty(), "{json}");
}

#[test]
fn unknown_words_are_answered_with_the_nearest() {
    refuses(
        &["boot-matrix", "cuont=1824"],
        "no cell matches \"cuont=1824\"; did you mean none,count=1024 or none,count=1824",
    );
    refuses(
        &["boot-matrix", "load-counts", "xyzzy-nothing"],
        "no cell matches \"xyzzy-nothing\"; no id has \"xyzzy-nothing\" in it",
    );
    refuses(
        &["boot-matrix", "defects-entry"],
        "there are some in --set defects",
    );
    refuses(
        &["boot-matrix", "--firmware", "seebios"],
        "did you mean seabios?",
    );
    refuses(
        &["boot-matrix", "--attach", "ide,achi"],
        "did you mean ahci",
    );
    refuses(&["boot-matrix", "--set", "defect"], "did you mean defects");
    refuses(
        &["boot-matrix", "--partition", "slice:3/2"],
        "use slice:<k>/<n>",
    );
    refuses(
        &["boot-matrix", "load-counts", "--firmware", "ovmf"],
        "leave no cell",
    );
    refuses(&["boot-matrix", "--no-such-option"], "--no-such-option");
    refuses(
        &["image", "x/-/none/-", "--out", "x.iso"],
        "has 4 parts where an id has 5",
    );
    refuses(
        &["image", "x/cd-47/none/-/reference", "--out", "x.iso"],
        "did you mean cd-74",
    );
    refuses(
        &[
            "image",
            "x/-/none/-/reference/seebios/ide",
            "--out",
            "x.iso",
        ],
        "did you mean seabios?",
    );
    refuses(
        &[
            "image",
            "x/-/none/-/reference/ovmf@2025.02/achi",
            "--out",
            "x.iso",
        ],
        "did you mean ahci?",
    );
}

#[test]
fn wrong_usage_is_one_sentence_and_a_remedy() {
    let check = |arguments: &[&str], message: &str, remedy: &str| {
        let said = xtask(&[arguments, &["--format=json"]].concat());
        let json = said.json();
        assert_eq!(
            (said.code, &json["message"], &json["remedy"]),
            (2, &message.into(), &remedy.into())
        );
    };
    check(
        &["image"],
        "the following required arguments were not provided: --out <FILE>, <CELL-ID|DISC-ID|FILE.disc>",
        "cargo xtask image --help",
    );
    check(
        &["boot-matrix", "--accelerator", "hvf"],
        "invalid value 'hvf' for '--accelerator <ACCELERATOR>' [possible values: tcg, kvm, measure]",
        "cargo xtask boot-matrix --help",
    );
    check(
        &["boot-matrix", "--acept"],
        "unexpected argument '--acept' found",
        "a similar argument exists: '--accept'",
    );
    check(
        &["boot-matrix", "--no-such-option"],
        "unexpected argument '--no-such-option' found",
        "cargo xtask boot-matrix --help",
    );
    check(
        &["bot-matrix"],
        "unrecognized subcommand 'bot-matrix'",
        "a similar subcommand exists: 'boot-matrix'",
    );
    check(
        &[
            "image",
            "x/-/floppy-1440k/1440s/reference",
            "--out",
            "x.iso",
        ],
        "x/-/floppy-1440k/1440s/reference cannot be mastered: a 1440 KiB floppy has 2880 virtual sectors, and 1440 virtual sectors were asked for",
        "another medium, boot or size in the id",
    );
}

#[test]
fn a_disc_that_is_a_file_is_not_mastered() {
    for id in [
        "memtest/-/memtest86+x64/-/-/seabios/ide",
        "memtest/-/memtest86+x64/-/-",
    ] {
        let arguments = ["image", id, "--out", "x.iso"];
        refuses(&arguments, "/usr/lib/memtest86+/memtest86+x64.iso");
        refuses(&arguments, "memtest86+");
        let said = xtask(&arguments);
        assert!(said.stderr.contains("is not mastered"), "{}", said.stderr);
    }
    refuses(
        &["image", "mine/-/some/-/-", "--out", "x.iso"],
        "no scenario that comes with boot-matrix has it",
    );
}

#[test]
fn a_typo_in_a_scenario_file_is_told_with_its_place() {
    let own = Own::new(&SCENARIO.replacen("summary", "sumary", 1));
    let said = own.run(&["--list"]);
    assert_eq!(said.code, 2);
    assert!(
        said.stderr.contains(
            "own.toml:3:1: scenario[0].sumary: no key is called \"sumary\"; did you mean summary?"
        ),
        "{}",
        said.stderr
    );
}

#[test]
fn slices_are_disjoint_and_together_complete() {
    let list = |arguments: &[&str]| -> Vec<String> {
        let said = xtask(&[&["boot-matrix", "--list"], arguments].concat());
        assert_eq!(said.code, 0);
        said.stdout.lines().map(ToOwned::to_owned).collect()
    };
    let mut whole = list(&[]);
    let mut slices: Vec<String> = (1..=3)
        .flat_map(|slice| list(&["--partition", &format!("slice:{slice}/3")]))
        .collect();
    assert!(whole.len() > 300, "the default set has 300 cells or more");
    whole.sort();
    slices.sort();
    assert_eq!(slices, whole);
    assert!(
        list(&["--firmware", "ovmf", "*/ahci"])
            .iter()
            .all(|id| id.ends_with("/ovmf/ahci"))
    );
}

#[test]
fn where_nothing_can_be_written_nothing_is_done() {
    let own = Own::new(SCENARIO);
    fs::write(own.path("out"), "a file where the folder would be").unwrap();
    let said = own.run(&["own/", "--format", "json"]);
    assert_eq!(said.code, 3);
    assert!(
        said.json()["message"]
            .as_str()
            .unwrap()
            .starts_with("cannot write into "),
        "{}",
        said.stdout
    );
}

#[test]
fn two_runs_do_not_write_into_one_folder() {
    let own = Own::new(SCENARIO);
    fs::create_dir(own.path("out")).unwrap();
    let lock = fs::File::create(own.path("out/.lock")).unwrap();
    lock.lock().unwrap();
    let said = own.run(&[]);
    assert_eq!(said.code, 3, "{}", said.stderr);
    assert!(
        said.stderr.contains("another run is writing into"),
        "{}",
        said.stderr
    );
    assert!(!own.path("out/results.json").exists());
}

#[test]
fn a_program_that_only_knows_its_version_is_no_qemu() {
    let own = Own::new(SCENARIO);
    let path = own.path("qemu");
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && exec qemu-system-x86_64 --version\nexit 1\n";
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let said = own.run(&["--qemu", path.to_str().unwrap()]);
    assert_eq!(said.code, 3, "{}", said.stderr);
    assert!(said.stderr.contains("asked who it is"), "{}", said.stderr);
    assert!(!said.stderr.contains("install -y"), "{}", said.stderr);
}

#[test]
fn each_run_has_a_report_of_its_own() {
    let own = Own::new(SCENARIO);
    let said = own.run(&["not-there"]);
    assert_eq!(said.code, 3, "{}", said.stderr);
    let report = fs::read_to_string(own.path("out/junit.xml")).unwrap();
    assert!(report.contains("not-there/-/missing"), "{report}");
}

#[test]
fn a_run_in_which_everything_is_skipped_is_no_pass() {
    let own = Own::new(SCENARIO);
    let said = own.run(&["not-there", "--format", "json"]);
    assert_eq!(said.code, 3, "{}", said.stderr);
    assert_eq!(said.json()["totals"]["skipped"], 1);
    assert_eq!(said.json()["cells"][0]["verdict"], "skipped");
}

#[test]
fn what_failed_is_found_where_it_was() {
    let own = Own::new(&SCENARIO.replacen("summary", "set = \"defects\"\nsummary", 1));
    let dies = own.qemu("exit 1");
    let said = own.run(&["own/", "--set", "all", "--qemu", &dies]);
    assert_eq!(said.code, 3, "{}", said.stderr);
    let out = own.path("out");
    let rerun = |arguments: &[&str]| {
        let again = [
            "boot-matrix",
            "--rerun",
            "failed",
            "--list",
            "--out",
            out.to_str().unwrap(),
        ];
        xtask(&[&again[..], arguments].concat())
    };
    assert_eq!(
        rerun(&[]).stdout,
        "own/-/none,count=4/-/reference/seabios/ide\n"
    );
    let elsewhere = rerun(&["not-there"]);
    assert_eq!(elsewhere.code, 2);
    assert!(
        elsewhere.stderr.contains(
            "1 failed in the last run, such as own/-/none,count=4/-/reference/seabios/ide, but none of them is selected now"
        ),
        "{}",
        elsewhere.stderr
    );
}

#[test]
fn a_qemu_that_is_none_or_dies_is_infra() {
    let own = Own::new(SCENARIO);
    let said = own.run(&["own/", "--qemu", "/no/such/qemu", "--format", "json"]);
    assert_eq!(said.code, 3);
    assert!(
        said.json()["message"]
            .as_str()
            .unwrap()
            .contains("/no/such/qemu"),
        "{}",
        said.stdout
    );

    let dies = own.qemu("echo 'cannot set up guest memory' >&2; exit 1");
    let said = own.run(&[
        "own/",
        "--qemu",
        &dies,
        "--accelerator",
        "tcg",
        "--format",
        "json",
    ]);
    assert_eq!(said.code, 3, "{}", said.stderr);
    let json = said.json();
    assert_eq!(
        (&json["totals"]["infra"], &json["cells"][0]["verdict"]),
        (&Value::from(1), &Value::from("infra"))
    );
    let reason = json["cells"][0]["reason"][0].as_str().unwrap();
    assert!(
        reason.contains("cannot set up guest memory"),
        "QEMU's own words: {reason}"
    );
}

#[test]
fn a_second_try_that_passes_does_not_hide_the_first() {
    let own = Own::new(SCENARIO);
    // From a checkpoint it finds another disc.
    let blank = own.path("blank");
    fs::write(&blank, vec![0; 1 << 20]).unwrap();
    let qemu = own.qemu(&format!(
        "case \"$*\" in *-incoming*) exec {}<'{}';; esac",
        descriptor::DISC,
        blank.display()
    ));
    let run = |more: &[&str]| {
        let arguments = ["own/", "--qemu", &qemu, "--accelerator", "tcg"];
        own.run(&[&arguments[..], more].concat())
    };
    let accepted = own.run(&["own/", "--accelerator", "tcg", "--accept"]);
    assert_eq!(accepted.code, 0, "{}", accepted.stderr);
    let said = run(&["--format", "json"]);
    let json = said.json();
    assert_eq!(said.code, 0, "{}", said.stderr);
    let first = json["cells"][0]["flaky"][0].as_str().unwrap();
    assert!(
        first.contains("expected booted, but it was refused"),
        "{first}"
    );
    assert_eq!(
        (&json["totals"]["as_expected"], &json["totals"]["flaky"]),
        (&Value::from(1), &Value::from(1))
    );
    let said = run(&["--quiet"]);
    let sentence = "1 cell: 1 as expected (1 flaky)";
    assert!(said.stdout.contains(sentence), "{}", said.stdout);
    assert!(
        said.stdout
            .contains("failed at first, but not when it was tried again"),
        "{}",
        said.stdout
    );
    let page = fs::read_to_string(own.path("out/report.html")).unwrap();
    assert!(page.contains("Flaky cells: they failed at first"), "{page}");
}

#[test]
fn what_is_seen_is_new_then_accepted_then_compared() {
    let own = Own::new(SCENARIO);
    let run = |arguments: &[&str]| {
        let said = own.run(
            &[
                &["own/", "--accelerator", "tcg", "--format", "json"],
                arguments,
            ]
            .concat(),
        );
        let json = said.json();
        (
            said.code,
            json["cells"][0]["verdict"].clone(),
            json["cells"][0]["differs"].clone(),
        )
    };
    let expected = |code, verdict: &str, differs: &[&str]| {
        (code, Value::from(verdict), Value::from(differs.to_vec()))
    };
    let snapshot = own.path("scenarios/snapshots/own/-/none,count=4/-/reference/seabios/ide.snap");
    let pending = snapshot.with_extension("snap.new");
    assert_eq!(run(&[]), expected(1, "mismatch", &["new"]));
    assert!(!pending.exists(), "it is for --review");
    assert_eq!(
        run(&["--rerun", "failed", "--accept"]),
        expected(0, "as-expected", &[])
    );
    assert_eq!(run(&[]), expected(0, "as-expected", &[]));

    let accepted = fs::read_to_string(&snapshot).unwrap();
    fs::write(&snapshot, accepted.replace("loaded: 4", "loaded: 8")).unwrap();
    assert_eq!(run(&[]), expected(1, "mismatch", &["snapshot"]));
    fs::write(&snapshot, accepted).unwrap();

    change(
        &own.path("scenarios/own.toml"),
        "outcome = \"booted\"\nbecause = \"El",
        "outcome = \"hung\"\nbecause = \"El",
    );
    assert_eq!(run(&[]), expected(1, "mismatch", &["outcome"]));
    assert_eq!(
        run(&["--accept"]),
        expected(1, "mismatch", &["outcome"]),
        "what contradicts is not accepted"
    );
    let said = own.run(&["own/", "--accelerator", "tcg", "--accept"]);
    let why = format!(
        "not accepted, because what was seen is not what the scenario declares; change that first, at {}:8:1",
        own.path("scenarios/own.toml").display()
    );
    assert!(said.stdout.contains(&why), "{}", said.stdout);
}

fn change(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from));
    fs::write(file, text.replace(from, to)).unwrap();
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let said = |environment: &[(&str, &str)]| {
        xtask_with(&["boot-matrix", "xyzzy-nothing"], environment).stderr
    };
    let coloured = "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m no cell matches";
    for environment in [
        &[][..],
        &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")],
        &[("TERM", "dumb")],
    ] {
        let plain = said(environment);
        assert!(plain.starts_with("error: no cell matches"), "{plain:?}");
        assert!(!plain.contains('\u{1b}'), "{plain:?}");
    }
    let plain = said(&[("CLICOLOR_FORCE", "1")]);
    assert!(plain.starts_with(coloured), "{plain:?}");
}

#[test]
fn what_others_say_is_shown_and_not_obeyed() {
    let own = Own::new(SCENARIO);
    let tool = own.path("tool");
    let script = "#!/bin/sh\nprintf '\\033[2J\\302\\233gone\\007' >&2\nexit 1\n";
    fs::write(&tool, script).unwrap();
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    let command = format!("{} {{iso}} {{boot_image}}", tool.display());
    let out = own.path("out");
    let cell = "masters-modes/-/none/-/command/seabios/ahci";
    let arguments = ["boot-matrix", cell, "--master-cmd", &command, "--out"];
    let said = xtask_with(
        &[&arguments[..], &[out.to_str().unwrap()]].concat(),
        &[("CLICOLOR_FORCE", "1")],
    );
    assert_eq!(said.code, 1, "{}", said.stderr);
    let shown = "exit status 1: \\u{1b}[2J\\u{9b}gone\\u{7}";
    assert!(said.stdout.contains(shown), "{:?}", said.stdout);
    for raw in ["\u{1b}[2J", "\u{9b}", "\u{7}"] {
        assert!(!said.stdout.contains(raw), "{:?}", said.stdout);
    }
}
