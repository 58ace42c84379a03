//! The disk is full when the runner itself writes. What a cell meets is tried in the harness's tests.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

#[expect(dead_code, reason = "shared with tests that read JSON that way")]
mod common;
#[path = "../../harness/tests/machines/figures.rs"]
mod figures;

use std::{fs, path::Path, process::Command};

use common::{Said, said, xtask};
use serde_json::Value;

/// Lets the nth system call of a kind fail in the runner's own thread: `strace` puts the error in. The cells are other
/// processes, and nothing fails there.
#[test]
fn a_disk_that_is_full_whenever_the_runner_writes() {
    let step = if figures::wanted() { 1 } else { 11 };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (iso, out, log) = (path("disc.iso"), path("out"), path("strace.log"));
    let disc = xtask(&["image", "x/-/none/-/reference", "--out", &iso]);
    assert_eq!(disc.code, 0, "{}", disc.stderr);
    let run = ["boot-matrix", "--accelerator", "tcg", "--quiet", "--iso"];
    let run = [&run[..], &[&iso, "--out", &out, "*/seabios/ide"]].concat();
    let (mut told, mut whole) = (0, 0);
    for call in ["mkdir", "write", "rename"] {
        for number in (1..).step_by(step) {
            let _ = fs::remove_dir_all(&out);
            let mut command = Command::new("strace");
            command
                .args(["-qq", "-o", &log, "-e", &format!("trace={call}"), "-e"])
                .arg(format!("inject={call}:error=ENOSPC:when={number}"))
                .arg(env!("CARGO_BIN_EXE_xtask"))
                .args(&run);
            let full = said(command, &[]);
            if !fs::read_to_string(&log).unwrap().contains("(INJECTED)") {
                break;
            }
            let name = format!("{call} {number}");
            match full.code {
                0 => whole += 1,
                3 => {
                    assert!(full.stderr.contains("No space left"), "{name}: {full:?}");
                    told += 1;
                    assert_eq!(xtask(&run).code, 0, "after {name}");
                }
                _ => panic!("{name}: {full:?}"),
            }
            nothing_half(&full, Path::new(&out), &name);
        }
    }
    assert!(told > 0, "nothing failed");
    figures::tell(&[
        (
            "fault",
            format!(
                "the disk is full at one of the {} times at which the runner makes a folder, writes or renames",
                told + whole
            ),
        ),
        (
            "result",
            format!("exit code 3, and why: {told}; without effect: {whole}"),
        ),
    ]);
}

/// Where there are results, they are whole, and nobody is told of a pass without them.
fn nothing_half(full: &Said, out: &Path, name: &str) {
    let results = out.join("results.json");
    if !results.exists() {
        assert_ne!(full.code, 0, "{name}");
        return;
    }
    let results: Value = serde_json::from_slice(&fs::read(results).unwrap()).unwrap();
    assert_eq!(results["cells"][0]["verdict"], "observed", "{name}");
}
