//! Discs that are mastered elsewhere: sources go out, ISOs come back, and are booted as any others.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

mod common;

use std::{fs, path::Path, process::Command};

use common::xtask;
use serde_json::Value;

const CELLS: [&str; 3] = [
    "masters-modes/-/none/",
    "masters-modes/-/hard-disk/",
    "masters-modes/-/floppy-1440k/",
];

/// Masters a disc of the plan as a tool on another machine would: from what is in the folder alone.
fn master_elsewhere(folder: &Path, disc: &Value) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let image = folder.join(text(&disc["entries"][0]["image"]));
    let tree = folder.join(text(&disc["tree"]));
    fs::hard_link(image, tree.join("loader.bin")).unwrap();
    let made = Command::new("xorriso")
        .args(["-as", "mkisofs", "-quiet", "-o"])
        .arg(folder.join(text(&disc["iso"])))
        .args(["-b", "loader.bin", "-no-emul-boot", "-boot-load-size", "4"])
        .arg(&tree)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

#[test]
fn what_comes_back_is_booted_under_the_ids_of_the_plan() {
    let folder = tempfile::tempdir().unwrap();
    let exchange = folder.path().join("to and fro");
    let exchange_name = exchange.to_str().unwrap();
    let out = folder.path().join("out");
    let export = [
        &[
            "boot-matrix",
            "--export",
            exchange_name,
            "--export-as",
            "elsewhere",
        ][..],
        &CELLS,
    ]
    .concat();
    let said = xtask(&export);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(
        said.stdout.contains("3 discs for 3 cells"),
        "{}",
        said.stdout
    );
    let plan = fs::read_to_string(exchange.join("plan.json")).unwrap();
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["schema"], "exchange/1");

    let again = xtask(&export);
    assert_eq!(again.code, 2, "{}", again.stderr);
    assert!(
        again.stderr.contains("plan.json already exists"),
        "{}",
        again.stderr
    );

    // One comes back, of one there are only words, of one nothing.
    for disc in plan["discs"].as_array().unwrap() {
        let id = disc["id"].as_str().unwrap();
        if id.contains("/none/") {
            assert_eq!(disc["entries"][0]["emulation"], "none");
            master_elsewhere(&exchange, disc);
        } else if id.contains("/hard-disk/") {
            let iso = exchange.join(disc["iso"].as_str().unwrap());
            fs::write(iso.with_extension("txt"), "no such emulation\r\n").unwrap();
        }
    }
    let import = [
        "boot-matrix",
        "--import",
        exchange_name,
        "--out",
        out.to_str().unwrap(),
        "--format",
        "json",
    ];
    let said = xtask(&import);
    let results = said.json();
    let cell = |boot: &str| {
        let id = format!("masters-modes/-/{boot}/-/elsewhere/seabios/ahci");
        let cells = results["cells"].as_array().unwrap();
        cells.iter().find(|cell| cell["id"] == *id).unwrap().clone()
    };
    assert_eq!(cell("none")["outcome"]["kind"], "booted");
    assert_eq!(cell("none")["verdict"], "as-expected");
    assert_eq!(cell("hard-disk")["outcome"]["kind"], "not-mastered");
    assert_eq!(cell("hard-disk")["outcome"]["detail"], "no such emulation");
    assert_eq!(cell("floppy-1440k")["verdict"], "skipped");
    let reason = cell("floppy-1440k")["reason"].to_string();
    assert!(
        reason.contains("elsewhere.iso did not come back"),
        "{reason}"
    );
    assert_eq!(said.code, 1);

    // A tool that left an empty file failed, and not the host.
    let empty = exchange.join("discs/masters-modes/-/floppy-1440k/-/elsewhere.iso");
    fs::write(empty, "").unwrap();
    let said = xtask(&[&import[..], &["floppy-1440k"]].concat());
    let cell = &said.json()["cells"][0];
    assert_eq!(cell["outcome"]["kind"], "not-mastered", "{}", said.stdout);
    assert_eq!(said.code, 1);
}

#[test]
fn a_folder_that_is_no_exchange_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().to_str().unwrap();
    let import = |expected: &str| {
        let said = xtask(&["boot-matrix", "--import", name]);
        assert_eq!(said.code, 2, "{}", said.stderr);
        assert!(said.stderr.contains(expected), "{}", said.stderr);
        assert!(
            said.stderr.contains("boot-matrix --export DIR"),
            "{}",
            said.stderr
        );
    };
    import("plan.json: No such file");
    fs::write(folder.path().join("plan.json"), "{}").unwrap();
    import("its schema is \"\" where \"exchange/1\" is wanted");
    fs::write(folder.path().join("plan.json"), "not json").unwrap();
    import("cannot read");
    let both = xtask(&["boot-matrix", "--import", name, "--export", name]);
    assert_eq!(both.code, 2);
}
