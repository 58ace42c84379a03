//! The short forms of what `cargo xtask trust` tries at length, as far as no other test has them.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

#[expect(dead_code, reason = "shared with tests that read JSON that way")]
mod common;

use common::xtask;

#[test]
fn catalogs_are_read_alike() {
    let said = xtask(&["trust", "differential", "--catalogs", "5000"]);
    if said.code == 3 && said.stderr.contains("has no pycdlib") {
        println!("there is no pycdlib: not compared with it");
        return;
    }
    assert_eq!(said.code, 0, "{}", said.stderr);
    let mut lines = said.stdout.lines();
    let counted = |line: &str| line.starts_with("catalogs compared ") && line.ends_with(" 5,000");
    assert!(lines.any(counted), "{}", said.stdout);
}

#[test]
fn cells_come_to_the_same_on_a_busy_machine() {
    let words = ["trust", "flakes", "--cells", "7", "--load", "processors"];
    let said = xtask(&[&words[..], &["--only", "load-segments/*/ide"]].concat());
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
}

#[test]
fn what_many_cells_cost_is_measured() {
    let said = xtask(&["trust", "growth", "--cells", "100,1000"]);
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
}

#[test]
fn a_slice_that_dies_is_run_again_and_the_merged_is_the_whole() {
    // All on one firmware, which starts fast.
    let words = ["trust", "shards", "--of", "2", "--only", "load-segments"];
    let mut said = xtask(&[&words[..], &["--slurm"]].concat());
    if said.code == 3 && said.stderr.contains("no cluster can live here") {
        println!("without a cluster: {}", said.stderr);
        said = xtask(&words);
    }
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
}
