//! `udf`: a UDF file system, and the loaders in it.

use super::Room;
use crate::{
    defect::PRIMARY,
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
};

/// Bytes of a loader that are compared.
const COMPARED: usize = 8 << 20;

const ID: FindingId = FindingId::Udf;

pub(super) const ROOM: Room = Room {
    id: "udf",
    severity: Severity::Warning,
    milder: Some(Severity::Info),
    trips: &["ovmf"],
    explanation: "The disc has a UDF file system, alone or in addition to ISO 9660.",
    consequence: "On a CD, UEFI firmware can start a loader from UDF, whatever the catalog says. If the loader differs between the two file systems, the firmware decides which one runs.",
    remedy: "If the two file systems should be the same, download the disc again or ask its maker. If you make the disc, put the same loader into both.",
    recipes: &[],
    replaces: &[],
    describes: true,
    check,
    defect: None,
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let Some(udf) = reading.udf() else {
        return Vec::new();
    };
    let place = Place::block(PRIMARY);
    for (name, loader) in &udf.loaders {
        let path = format!("/EFI/BOOT/{name}");
        let Some(other) = reading.file(&path) else {
            continue;
        };
        let disc = &mut *reading.disc;
        if other.bytes(disc, 0, COMPARED) != loader.bytes(disc, 0, COMPARED) {
            let message = format!("UDF and ISO 9660 both have {path}, with different bytes");
            return vec![Finding::new(ID, place, message)];
        }
    }
    let names: Vec<&str> = udf.loaders.iter().map(|(name, _)| name.as_str()).collect();
    let what = if !udf.is_read {
        "whose files were not read".to_owned()
    } else if names.is_empty() {
        "without an EFI loader".to_owned()
    } else {
        format!("with {}", names.join(", "))
    };
    let message = format!("there is a UDF file system {what}");
    vec![Finding::new(ID, place, message).as_info()]
}
