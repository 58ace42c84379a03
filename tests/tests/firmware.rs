//! Who trips over a finding, by the catalog: as it was seen on the firmware that no set but `firmware` boots.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

use std::path::Path;

use harness::outcome::OutcomeKind;
use images::finding::FindingId;
use scenarios::{
    cell::{Cell, DiscSource},
    matrix::Matrix,
    words::Set,
};

/// The defect of a cell's disc.
fn defect(cell: &Cell) -> Option<FindingId> {
    match &cell.disc {
        DiscSource::Mastered(recipe) => recipe
            .boot
            .defect
            .map(|defect| defect.as_str().parse().unwrap()),
        DiscSource::Iso { .. } | DiscSource::Live(_) | DiscSource::Edited { .. } => None,
    }
}

#[test]
fn what_keeps_a_firmware_from_booting_names_it() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let matrix = Matrix::shipped(workspace).unwrap();
    let (mut seen, mut unnamed) = (0, Vec::new());
    for cell in matrix.cells().filter(|cell| cell.set == Set::Firmware) {
        // A declaration that the snapshot contradicts is a mismatch of its own.
        let (Some(defect), Some(expected)) = (defect(&cell), cell.expectation(None)) else {
            continue;
        };
        // What is only damaged may be so for what a firmware makes of the count.
        let boots = expected.outcome == OutcomeKind::Booted;
        let who = cell.firmware.project();
        if !boots
            && ![who, "firmware"]
                .iter()
                .any(|who| defect.trips().contains(who))
        {
            unnamed.push(format!("{}: {defect} trips {who} too", cell.id));
        }
        seen += 1;
    }
    assert!(unnamed.is_empty(), "{}", unnamed.join("\n"));
    assert!(seen > 20, "{seen}");
}
