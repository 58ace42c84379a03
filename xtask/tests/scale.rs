//! Runs that are stopped and go on, and runs in slices that are merged: in short what `cargo xtask trust` tries at length.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

mod common;

use std::{fs, path::Path};

use common::{Said, xtask};
use serde_json::Value;
use tempfile::TempDir;

/// Cells that boot in a fraction of a second each.
const CELLS: &str = "/load-segments/";

fn run(folder: &TempDir, out: &str, more: &[&str]) -> Said {
    let out = folder.path().join(out);
    let own = ["boot-matrix", "--quiet", "--out", out.to_str().unwrap()];
    xtask(&[&own[..], more].concat())
}

fn merge(folder: &TempDir, slices: &[&str]) -> Said {
    let paths: Vec<String> = [&["whole"][..], slices]
        .concat()
        .iter()
        .map(|name| folder.path().join(name).to_str().unwrap().to_owned())
        .collect();
    let mut words = vec!["merge", "--format", "json", "--out"];
    words.extend(paths.iter().map(String::as_str));
    xtask(&words)
}

/// Changes a JSON file.
fn change(file: &Path, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    change(&mut value);
    fs::write(file, value.to_string()).unwrap();
}

/// The records in the folder of a run.
fn records(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries
        .flat_map(|path| match path.is_dir() {
            true => records(&path),
            false => vec![path],
        })
        .filter(|path| path.ends_with("result.json"))
        .collect();
    found.sort();
    found
}

#[test]
fn a_run_that_is_killed_goes_on_and_leaves_nothing_behind() {
    let said = xtask(&[
        "trust",
        "kills",
        "--times",
        "3",
        "--seed",
        "1",
        "--only",
        // One attachment, for the checkpoints are made anew.
        "load-segments/*/ide",
    ]);
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
}

#[test]
fn what_goes_on_is_what_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(&folder, "out", &["--resume"]);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(
        said.stderr.contains("no run to continue"),
        "{}",
        said.stderr
    );
    assert_eq!(run(&folder, "out", &[CELLS]).code, 0);
    let said = run(&folder, "out", &["--resume"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(
        said.stderr.contains("nothing is left to do: all 14"),
        "{}",
        said.stderr
    );

    let records = records(&folder.path().join("out"));
    // Lost; half written; of another run; could not be run; with evidence that a failure of the power took.
    fs::remove_file(&records[0]).unwrap();
    fs::write(&records[1], "{\"run\": 1").unwrap();
    change(&records[2], |record| record["run"] = 1.into());
    change(&records[3], |record| record["verdict"] = "infra".into());
    fs::write(records[4].with_file_name("observation.json"), "").unwrap();
    fs::write(folder.path().join("out/.results.json.1"), "{").unwrap();
    let said = run(&folder, "out", &["--resume", CELLS]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(
        said.stderr
            .contains("9 of 14 cells have a result; 5 run now"),
        "{}",
        said.stderr
    );
    assert!(
        said.stdout.contains("14 cells: 14 as expected"),
        "{}",
        said.stdout
    );
    assert!(!folder.path().join("out/.results.json.1").exists());

    for (options, why) in [
        (&["--resume", "load-counts"][..], "18 cells, and not 14"),
        (
            &["--resume", "--cold"],
            "machines start: from power-on, was from checkpoints",
        ),
        (
            &["--resume", "--partition", "slice:1/2"],
            "was for all of the cells",
        ),
        (&["--resume", "--accept"], "it was without --accept"),
    ] {
        let said = run(&folder, "out", options);
        assert_eq!(said.code, 2, "{}", said.stderr);
        assert!(said.stderr.contains(why), "{options:?}: {}", said.stderr);
    }
    // How it was begun is told.
    let said = run(&folder, "out", &["--resume", "load-counts"]);
    let again = format!("cargo xtask boot-matrix {CELLS} --resume --out ");
    assert!(said.stderr.contains(&again), "{}", said.stderr);
    change(&folder.path().join("out/run.json"), |run| {
        run["basis"]["tools"]["QEMU"] = "1.0".into();
    });
    let said = run(&folder, "out", &["--resume"]);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(said.stderr.contains("was 1.0"), "{}", said.stderr);
}

#[test]
fn slices_are_merged_with_a_proof() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for slice in ["1", "2"] {
        let said = run(
            &folder,
            slice,
            &[CELLS, "--partition", &format!("slice:{slice}/2")],
        );
        assert_eq!(said.code, 0, "{}", said.stderr);
    }
    let said = merge(&folder, &["1", "2"]);
    let json = said.json();
    assert_eq!(
        (
            said.code,
            &json["totals"]["cells"],
            &json["merged"]["proven"]
        ),
        (0, &14.into(), &true.into()),
        "{}",
        said.stderr
    );
    let evidence = json["cells"][13]["evidence"].as_str().unwrap();
    assert!(path("whole").join(evidence).join("serial.txt").exists());
    assert!(path("whole/report.html").exists() && path("whole/junit.xml").exists());

    // One is missing.
    let said = merge(&folder, &["1"]);
    let json = said.json();
    assert_eq!((said.code, &json["totals"]["infra"]), (3, &7.into()));
    assert_eq!(json["merged"]["lacking"][0]["partition"]["slice"], 2);
    let one = path("1").to_str().unwrap().to_owned();
    let out = path("told").to_str().unwrap().to_owned();
    let said = xtask(&["merge", "--out", &out, &one, &one]);
    let again = format!("cargo xtask boot-matrix {CELLS} --partition slice:2/2 --out DIR");
    assert!(said.stdout.contains(&again), "{}", said.stdout);
    let twice = format!("{one} is given twice, and counts once");
    assert!(said.stderr.contains(&twice), "{}", said.stderr);
    // One died before its results were written, and left two records less.
    let dead = records(&path("2"));
    fs::remove_file(path("2/results.json")).unwrap();
    for record in &dead[..2] {
        fs::remove_file(record).unwrap();
    }
    let said = merge(&folder, &["1", "2"]);
    let json = said.json();
    assert_eq!((said.code, &json["totals"]["infra"]), (3, &2.into()));
    assert_eq!(json["merged"]["from"][1]["cut_short"], true);
    // It is run again elsewhere: every cell counts once.
    assert_eq!(
        run(&folder, "again", &[CELLS, "--partition", "slice:2/2"]).code,
        0
    );
    let said = merge(&folder, &["1", "2", "again"]);
    let json = said.json();
    assert_eq!((said.code, &json["totals"]["as_expected"]), (0, &14.into()));
    // Or goes on.
    assert_eq!(run(&folder, "2", &["--resume"]).code, 0);
    assert_eq!(merge(&folder, &["2", "1"]).code, 0);

    // Two that do not say the same.
    change(&path("again/results.json"), |results| {
        results["cells"][0]["verdict"] = "mismatch".into()
    });
    let said = merge(&folder, &["1", "2", "again"]);
    let json = said.json();
    assert_eq!((said.code, &json["merged"]["proven"]), (3, &false.into()));
    assert_eq!(
        json["merged"]["contradictions"].as_array().unwrap().len(),
        1
    );
    // A cell that is lost from the results.
    change(&path("again/results.json"), |results| {
        results["cells"].as_array_mut().unwrap().pop();
    });
    let said = merge(&folder, &["1", "again"]);
    assert_eq!(said.code, 2, "{}", said.stdout);
    assert!(
        said.stdout.contains("other cells than its slice"),
        "{}",
        said.stdout
    );
    // Another firmware.
    change(&path("1/results.json"), |results| {
        results["basis"]["tools"]["firmware seabios"] = "another".into();
    });
    let said = merge(&folder, &["1", "2"]);
    assert_eq!(said.code, 2, "{}", said.stdout);
    assert!(
        said.stdout.contains("firmware seabios: another, was"),
        "{}",
        said.stdout
    );
}
