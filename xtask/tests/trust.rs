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
    let counted = "catalogs compared                    5,000";
    assert!(said.stdout.contains(counted), "{}", said.stdout);
}
