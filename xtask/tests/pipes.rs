//! Whoever closes the pipe has read enough: the program ends quietly, with the exit code that it has anyway.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

use std::{
    io,
    process::{Command, Output, Stdio},
};

/// Runs the program with nobody at the other end of its standard output.
fn into_a_closed_pipe(arguments: &[&str]) -> Output {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .unwrap()
}

#[test]
fn nobody_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let disc = path("disc.iso");
    let image = [
        "image",
        "pipes/-/efi,defect=catalog-checksum/-/reference",
        "--out",
        &disc,
    ];
    let (run, report) = (path("run"), path("report"));
    let cell = "load-counts/-/none,count=4/-/reference/seabios/ide";
    let words: &[(&[&str], i32)] = &[
        (&image, 0),
        (&["inspect", &disc], 1),
        (&["inspect", &disc, "--format", "json"], 1),
        (&["inspect", &disc, "--format", "sarif"], 1),
        (&["boot-matrix", "--list"], 0),
        (
            &["boot-matrix", cell, "--accelerator", "tcg", "--out", &run],
            0,
        ),
        (
            &[
                "repro",
                &disc,
                "--accelerator",
                "tcg",
                "--firmware",
                "seabios",
                "--attach",
                "ahci",
                "--out",
                &report,
            ],
            1,
        ),
        (&["completions", "bash"], 0),
        (&["doctor"], 0),
    ];
    for &(words, code) in words {
        let ended = into_a_closed_pipe(words);
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(code), "{words:?}: {said}");
        assert!(
            !said.contains("rror") && !said.contains("pipe"),
            "{words:?}: {said}"
        );
    }
}
