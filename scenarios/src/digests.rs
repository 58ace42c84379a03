//! Every disc that boot-matrix masters itself, as a digest of its bytes: the same on every machine, at every time.

use std::{collections::BTreeMap, fmt::Write};

use images::{reference::MasteredDisc, sparse::SparseBytes};
use sha2::{Digest, Sha256};

use crate::{
    cell::{DiscSource, Recipe},
    disc,
    matrix::Matrix,
};

/// The file that keeps them, below the folder of the workspace.
pub const FILE: &str = "scenarios/digests.txt";

/// A line for each disc, in the order of their ids: its digest, or why its master refuses it; two spaces; its id.
#[must_use]
pub fn of(matrix: &Matrix) -> String {
    let mut recipes: BTreeMap<String, Recipe> = BTreeMap::new();
    for cell in matrix.cells() {
        if let DiscSource::Mastered(recipe) = cell.disc
            && matrix.masters.has_built_in(recipe.master.as_str())
        {
            recipes.insert(recipe.id.to_string(), recipe);
        }
    }
    let mut text = String::new();
    for (id, recipe) in recipes {
        let digest = match disc::master_in_memory(&recipe) {
            Ok(MasteredDisc { bytes, .. }) => digest(&bytes),
            Err(refusal) => format!("refused: {refusal}"),
        };
        // Writing to memory cannot fail.
        let _ = writeln!(text, "{digest}  {id}");
    }
    text
}

/// SHA-256 over the length, and each page of 4,096 bytes that is not all zero with its offset before it; numbers are of 64 bits, little-endian.
/// Discs of 25 GB are nearly all zeros, and nobody has to read those.
fn digest(bytes: &SparseBytes) -> String {
    let mut digest = Sha256::new();
    digest.update(bytes.len().to_le_bytes());
    let written = bytes.pieces();
    for (offset, page) in written.filter(|(_, page)| page.iter().any(|&byte| byte != 0)) {
        digest.update(offset.to_le_bytes());
        digest.update(page);
    }
    let digest = digest.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_zero_is_no_page_however_it_came_so() {
        let mut bytes = SparseBytes::zeroed(10_000);
        bytes.write_at(5_000, b"x");
        let once = digest(&bytes);
        bytes.write_at(9_000, b"y");
        assert_ne!(digest(&bytes), once);
        bytes.write_at(9_000, &[0]);
        assert_eq!(digest(&bytes), once);
        // By hand: printf with the length, the offset of the second page, and that page.
        let mut by_hand = Vec::new();
        by_hand.extend(10_000_u64.to_le_bytes());
        by_hand.extend(4_096_u64.to_le_bytes());
        let mut page = [0; 4_096];
        page[5_000 - 4_096] = b'x';
        by_hand.extend(page);
        assert_eq!(once, format!("{:x}", Sha256::digest(by_hand)));
    }
}
