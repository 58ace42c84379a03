//! `iso-burnt-as-file`: an ISO that was written to the disc as a file.

use super::{recipe::declared::commands, room::Room};
use crate::{
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    tool::Tool,
};

/// Other files that may be on the disc.
const BESIDE: u64 = 8;

const ID: FindingId = FindingId::IsoBurntAsFile;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "ovmf"],
    explanation: "The disc has no El Torito boot record, and its only file is itself an ISO.",
    consequence: "Nothing boots: the ISO was burned as a file on the disc, not as the disc.",
    remedy: "Extract the ISO and burn it as an image (Burn image in most programs), not as a file.",
    recipes: &[commands(
        Tool::Xorriso,
        "xorriso -osirrox on -indev disc.iso -extract {file} new.iso",
        "",
    )],
    replaces: &[FindingId::NoBootRecord, FindingId::CatalogNoEfi],
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    if reading.descriptors.main.boot_record().is_some() {
        return Vec::new();
    }
    let Some(tree) = reading.tree else {
        return Vec::new();
    };
    let Some((start, file)) = tree.largest.as_ref() else {
        return Vec::new();
    };
    let is_most = file.length.get() > reading.disc.length().get() / 2;
    let name = Place::within(*start, 16 * 2048 + 1).offset;
    let is_iso = reading.disc.array(name) == Some(*b"CD001\x01");
    if !is_most || !is_iso || tree.reading.files > BESIDE {
        return Vec::new();
    }
    let message = format!(
        "the disc contains the file {}, which is an ISO: write that image itself",
        file.path
    );
    vec![Finding::new(ID, Place::block(*start), message)]
}
