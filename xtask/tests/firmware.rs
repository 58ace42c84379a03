//! Builds of firmware on the command line. Nothing is fetched here: not every host that tests has a way to packages.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

mod common;

use std::fs;

use common::{Said, xtask};

const SCENARIO: &str = r#"[[scenario]]
name = "own"
summary = "a user's own"
boot = ["none,count=4"]
firmware = ["seabios"]
attach = ["ide"]

[[scenario.expect]]
outcome = "hung"
because = "a rule for what came before"

[[scenario.expect]]
since = "1.0"
outcome = "booted"
slot = 1
because = "El Torito §2.2"
"#;

fn boot_matrix(arguments: &[&str]) -> Said {
    xtask(&[&["boot-matrix"], arguments].concat())
}

#[test]
fn the_hosts_firmware_is_listed_with_its_digest() {
    let list = xtask(&["firmware", "list", "--format", "json"]).json();
    assert_eq!(list["schema"], "firmware-list/1");
    let rows = list["firmware"].as_array().unwrap();
    let seabios = rows.iter().find(|row| row["id"] == "seabios").unwrap();
    // sha256sum(1) is the independent opinion.
    let image = seabios["image"].as_str().unwrap();
    let by_coreutils = std::process::Command::new("sha256sum")
        .arg(image)
        .output()
        .unwrap();
    let by_coreutils = String::from_utf8(by_coreutils.stdout).unwrap();
    assert_eq!(
        by_coreutils.split_whitespace().next(),
        seabios["sha256"].as_str()
    );
    let said = xtask(&["firmware", "list"]);
    assert!(
        said.code == 0 && said.stdout.contains("the host's: "),
        "{}",
        said.stdout
    );
}

#[test]
fn a_build_that_is_there_is_not_added_by_another_name() {
    let list = xtask(&["firmware", "list", "--format", "json"]).json();
    let rows = list["firmware"].as_array().unwrap();
    let seabios = rows.iter().find(|row| row["id"] == "seabios").unwrap();
    let image = seabios["image"].as_str().unwrap();
    let said = xtask(&["firmware", "add", image, "--as", "seabios@customer"]);
    assert_eq!(said.code, 2, "{}", said.stderr);
    let told = format!(
        "{image} has the same bytes as {}, which already exists",
        own_build()
    );
    assert!(said.stderr.contains(&told), "{told}: {}", said.stderr);
}

#[test]
fn what_cannot_be_meant_is_told() {
    let refused = |arguments: &[&str], words: &str| {
        let said = xtask(arguments);
        assert_eq!(said.code, 2, "{}", said.stderr);
        assert!(said.stderr.contains(words), "{}", said.stderr);
    };
    refused(
        &["firmware", "add", "/etc/passwd"],
        "is neither a ROM of SeaBIOS nor OVMF",
    );
    refused(
        &["firmware", "add", "/etc/passwd", "--as", "ovmf"],
        "--as names no build",
    );
    refused(
        &["firmware", "remove", "seabios@no-such"],
        "no firmware seabios@no-such was fetched or added",
    );
    refused(
        &["boot-matrix", "--list", "--firmware", "seabios@no-such"],
        "there are seabios@",
    );
    refused(
        &["boot-matrix", "--list", "--firmware", "seabois@1"],
        "did you mean seabios?",
    );
    refused(
        &[
            "boot-matrix",
            "--list",
            "--firmware-grid",
            "--firmware",
            "seabios@1",
        ],
        "--firmware seabios --firmware-grid",
    );
    refused(
        &["boot-matrix", "--firmware", "seabios@1", "--accept"],
        "--accept accepts results of the host's own",
    );
    refused(
        &["boot-matrix", "--firmware-grid", "--accept", "quarter"],
        "--accept with --firmware-grid",
    );
}

/// The host's own build, by the name that it has among others.
fn own_build() -> String {
    let said = boot_matrix(&[
        "--list",
        "--firmware-grid",
        "--firmware",
        "seabios",
        "load-counts",
    ]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let list = xtask(&["firmware", "list", "--format", "json"]).json();
    let version = list["firmware"][0]["version"].as_str().unwrap().to_owned();
    let builds = said
        .stdout
        .lines()
        .map(|id| id.split('/').nth(5).unwrap().to_owned());
    let mut own = builds.filter(|build| version.contains(build.strip_prefix("seabios@").unwrap()));
    own.next().unwrap()
}

#[test]
fn a_cell_on_a_build_has_its_version_in_its_id_and_is_judged_by_the_rule_for_it() {
    let build = own_build();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("own.toml"), SCENARIO).unwrap();
    let out = folder.path().join("out");
    let (scenarios, out) = (folder.path().to_str().unwrap(), out.to_str().unwrap());
    let run = |arguments: &[&str]| {
        let own = ["--scenarios", scenarios, "--out", out, "--format", "json"];
        boot_matrix(&[&own, arguments].concat())
    };
    let results = run(&["--firmware", &build]).json();
    let cell = &results["cells"][0];
    assert_eq!(
        cell["id"],
        format!("own/-/none,count=4/-/reference/{build}/ide")
    );
    // Nothing was accepted, and nothing need be: what holds since a version is no snapshot's.
    assert_eq!(
        (&cell["verdict"], &cell["outcome"]["kind"]),
        (&"as-expected".into(), &"booted".into())
    );
    assert_eq!(results["tools"]["firmware"][0]["id"], *build);
    // What failed on a build is found again without naming it.
    let wrong = SCENARIO.replace("slot = 1", "slot = 2");
    fs::write(folder.path().join("own.toml"), wrong).unwrap();
    assert_eq!(run(&["--firmware", &build]).code, 1);
    let again = run(&["--rerun", "failed"]).json();
    assert_eq!(again["cells"][0]["firmware"], *build);
    assert!(!folder.path().join("snapshots").exists());
}
