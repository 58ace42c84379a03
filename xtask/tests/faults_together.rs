//! `repro` on discs with two and three faults at once: each that keeps a firmware from the disc is proved to be a cause, and none besides.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

#[expect(dead_code, reason = "shared with tests that read JSON that way")]
mod common;

use std::{collections::BTreeSet, fs};

use common::xtask;
use serde_json::Value;

/// A disc's bytes, and where its catalog is by its boot record (El Torito, figure 7).
struct Disc(Vec<u8>);

impl Disc {
    fn catalog(&self) -> usize {
        let pointer = self.0[17 * 2048 + 0x47..][..4].try_into().unwrap();
        u32::from_le_bytes(pointer) as usize * 2048
    }

    /// A slot of the catalog: 0 the validation entry, 1 the initial entry, 2 the header of the EFI section, 3 its entry.
    fn slot(&mut self, slot: usize) -> &mut [u8] {
        let at = self.catalog() + 32 * slot;
        &mut self.0[at..at + 32]
    }

    fn wrong_checksum(&mut self) {
        self.slot(0)[28] ^= 0x5A;
    }

    /// No key byte 55h; the checksum is right for what stands there.
    fn no_key(&mut self) {
        let entry = self.slot(0);
        entry[30] = 0;
        entry[28..30].fill(0);
        let words = entry.chunks(2);
        let sum = words.fold(0_u16, |sum, word| {
            sum.wrapping_add(u16::from_le_bytes([word[0], word[1]]))
        });
        entry[28..30].copy_from_slice(&sum.wrapping_neg().to_le_bytes());
    }

    fn not_bootable(&mut self, slot: usize) {
        self.slot(slot)[0] = 0;
    }

    fn count_of_zero(&mut self, slot: usize) {
        self.slot(slot)[6..8].fill(0);
    }

    fn one_block_further(&mut self, slot: usize) {
        let address = &mut self.slot(slot)[8..12];
        let lba = u32::from_le_bytes(address.try_into().unwrap()) + 1;
        address.copy_from_slice(&lba.to_le_bytes());
    }
}

/// By firmware, what `repro` proves to be a cause as a CD, after some faults were put into a disc that starts on both.
fn proved(faults: impl Fn(&mut Disc)) -> [BTreeSet<String>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (iso, out) = (path("disc.iso"), path("report"));
    let made = xtask(&["image", "together/-/bios+efi/-/reference", "--out", &iso]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    let mut disc = Disc(fs::read(&iso).unwrap());
    faults(&mut disc);
    fs::write(&iso, disc.0).unwrap();
    let said = xtask(&[
        "repro",
        &iso,
        "--accelerator",
        "tcg",
        "--attach",
        "ahci",
        "--out",
        &out,
        "--format",
        "json",
    ]);
    let report: Value = serde_json::from_str(&said.stdout).expect(&said.stderr);
    ["seabios", "ovmf"].map(|firmware| {
        let cells = report["cells"].as_array().unwrap();
        let cell = cells.iter().find(|cell| cell["firmware"] == firmware);
        let causes = cell.unwrap()["causes"].as_array();
        let name = |cause: &Value| {
            assert_eq!(cause["proved"], true, "{cause}");
            cause["id"].as_str().unwrap().to_owned()
        };
        causes.into_iter().flatten().map(name).collect()
    })
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn two_faults_of_one_firmware_are_both_causes() {
    let found = proved(|disc| {
        disc.wrong_checksum();
        disc.not_bootable(3);
    });
    assert_eq!(
        found,
        [set(&[]), set(&["catalog-checksum", "entry-not-bootable"])]
    );
}

#[test]
fn a_fault_is_no_cause_where_it_does_not_count() {
    let found = proved(|disc| {
        disc.no_key();
        disc.one_block_further(1);
    });
    let key = set(&["catalog-key"]);
    assert_eq!(found, [set(&["catalog-key", "image-not-at-start"]), key]);
}

#[test]
fn three_faults_are_told_apart() {
    let found = proved(|disc| {
        disc.wrong_checksum();
        disc.one_block_further(3);
        disc.count_of_zero(1);
    });
    let uefi = set(&["catalog-checksum", "image-not-at-start"]);
    assert_eq!(found, [set(&["count-zero"]), uefi]);
}
