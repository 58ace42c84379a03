//! The static reader on every disc of the matrix: no error where a disc boots, each defect under its own id, and the
//! same figures as readers that are not ours.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

use std::{collections::BTreeMap, path::Path};

use harness::{firmware::FirmwareKind, outcome::OutcomeKind, verdict::ExpectedDamage};
use images::{
    boot::Mode,
    finding::FindingId,
    inspect::{DiscFile, Inspection, Options, Window, inspect},
    reference::{MasteredDisc, master},
};
use scenarios::{
    cell::{Cell, DiscSource, Recipe},
    matrix::Matrix,
    words::Set,
};

fn matrix() -> Matrix {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    Matrix::shipped(workspace).unwrap()
}

/// The distinct discs of a set, each with its cells.
fn discs(matrix: &Matrix, set: Set) -> BTreeMap<String, Vec<Cell>> {
    let mut discs: BTreeMap<String, Vec<Cell>> = BTreeMap::new();
    for cell in matrix.cells().filter(|cell| cell.set == set) {
        let id = cell.id.disc().as_str().to_owned();
        discs.entry(id).or_default().push(cell);
    }
    discs
}

fn recipe(cells: &[Cell]) -> Option<&Recipe> {
    match &cells.first()?.disc {
        DiscSource::Mastered(recipe) => Some(recipe),
        DiscSource::Iso { .. } => None,
    }
}

fn mastered(recipe: &Recipe) -> Option<MasteredDisc> {
    if recipe.master.as_str() != "reference" {
        return None;
    }
    master(recipe.id.as_str(), recipe.medium, &recipe.boot, recipe.size).ok()
}

fn read(disc: &MasteredDisc) -> Inspection {
    let options = Options {
        medium: disc.manifest.capacity,
        boot_image: None,
    };
    inspect(&mut Window::new(&disc.bytes), &options).unwrap()
}

fn ids(inspection: &Inspection) -> Vec<FindingId> {
    inspection.errors().map(|finding| finding.id).collect()
}

/// Whether a cell says that its disc is whole and starts on the firmware that it is for.
fn must_boot(cell: &Cell) -> bool {
    cell.expectation(None).is_some_and(|expected| {
        expected.outcome == OutcomeKind::Booted && expected.damage == ExpectedDamage::None
    })
}

/// The cells of a disc whose firmware an entry of it is for: a disc for one firmware is rightly refused by another.
fn addressed(cells: &[Cell]) -> Vec<&Cell> {
    let mode = recipe(cells).map(|recipe| recipe.boot.mode);
    let is_addressed = |cell: &&Cell| match cell.firmware.kind() {
        FirmwareKind::Bios => mode.is_some_and(|mode| mode.bios().is_some()),
        FirmwareKind::Uefi => mode.is_some_and(Mode::efi),
    };
    cells.iter().filter(is_addressed).collect()
}

/// The probe can run at any address, so that it boots where a boot sector was not meant to.
const BOOTS_ALL_THE_SAME: (&str, FindingId) = ("segment=7C00", FindingId::EntryLoadSegment);

#[test]
fn no_disc_that_boots_has_an_error() {
    let matrix = matrix();
    let (mut healthy, mut wrong) = (0, Vec::new());
    for (id, cells) in discs(&matrix, Set::Default) {
        let cells_that_count = addressed(&cells);
        if cells_that_count.is_empty() || !cells_that_count.iter().all(|cell| must_boot(cell)) {
            continue;
        }
        let Some(disc) = recipe(&cells).and_then(mastered) else {
            continue;
        };
        healthy += 1;
        let (deviation, allowed) = BOOTS_ALL_THE_SAME;
        for error in read(&disc).errors() {
            if !(id.contains(deviation) && error.id == allowed) {
                wrong.push(format!("{id}: {}: {}", error.id, error.message));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(healthy > 100, "{healthy}");
}

/// An x86 image in a catalog for another processor: nothing is wrong with that, but for this machine.
const FOR_OTHERS: [&str; 2] = ["platform=01", "platform=02"];

/// The other way round: what no firmware boots that it addresses has an error.
#[test]
fn every_disc_that_must_not_boot_has_an_error() {
    let matrix = matrix();
    let (mut sick, mut unnoticed) = (0, Vec::new());
    for (id, cells) in discs(&matrix, Set::Default) {
        let cells_that_count = addressed(&cells);
        if cells_that_count.is_empty() || cells_that_count.iter().any(|cell| must_boot(cell)) {
            continue;
        }
        let Some(disc) = recipe(&cells).and_then(mastered) else {
            continue;
        };
        sick += 1;
        let inspection = read(&disc);
        let noticed = inspection.has_errors() || inspection.found(FindingId::CatalogPlatform);
        if !noticed && !FOR_OTHERS.iter().any(|platform| id.contains(platform)) {
            unnoticed.push(id);
        }
    }
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
    assert!(sick > 10, "{sick}");
}

#[test]
fn every_defect_is_found_under_its_own_id() {
    let matrix = matrix();
    let mut wrong = Vec::new();
    for (id, cells) in discs(&matrix, Set::Defects) {
        let Some(recipe) = recipe(&cells) else {
            continue;
        };
        let Some(defect) = recipe.boot.defect else {
            continue;
        };
        let Some(disc) = mastered(recipe) else {
            continue;
        };
        let inspection = read(&disc);
        let expected: FindingId = defect.to_string().parse().unwrap();
        let found: Vec<_> = inspection
            .findings
            .iter()
            .map(|finding| finding.id)
            .collect();
        let others: Vec<_> = ids(&inspection)
            .into_iter()
            .filter(|&id| id != expected)
            .collect();
        if !found.contains(&expected) || !others.is_empty() {
            wrong.push(format!("{id}: {found:?}, errors besides: {others:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn real_media_have_no_error() {
    let matrix = matrix();
    for (id, cells) in discs(&matrix, Set::Default) {
        for cell in cells {
            if let DiscSource::Iso { path, .. } = &cell.disc
                && path.exists()
            {
                let disc = DiscFile::open(path).unwrap();
                let inspection = inspect(&mut Window::new(&disc), &Options::default()).unwrap();
                assert_eq!(ids(&inspection), [], "{id}: {:?}", inspection.findings);
            }
        }
    }
}
