//! `udf`: a UDF file system, and the loaders in it.

use super::room::Room;
use crate::{
    boot_configuration::FileSystem,
    defect::PRIMARY,
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    udf::UdfLoader,
};

/// The number of a loader's bytes that are compared.
const COMPARED: usize = 8 << 20;

const ID: FindingId = FindingId::Udf;

pub(super) const ROOM: Room = Room {
    severity: Severity::Warning,
    milder: Some(Severity::Info),
    trips: &["ovmf"],
    explanation: "The disc has a UDF file system, alone or in addition to ISO 9660.",
    consequence: "On a CD, UEFI firmware can start a loader from UDF, whatever the catalog says. If the loader differs between the two file systems, the firmware decides which one runs.",
    remedy: "If the two file systems should be the same, download the disc again or ask its maker. If you make the disc, put the same loader into both.",
    describes: true,
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let Some(udf) = reading.udf() else {
        return Vec::new();
    };
    let place = Place::block(PRIMARY);
    for loader in &udf.loaders {
        // An EFI image is different: Windows has its own loader there, which asks for a key.
        let path = &loader.path;
        let Some(other) = reading.file_in(FileSystem::Tree, path) else {
            continue;
        };
        let disc = &mut *reading.disc;
        if other.bytes(disc, 0, COMPARED) != loader.file.bytes(disc, 0, COMPARED) {
            let message = format!("UDF and ISO 9660 both have {path}, with different bytes");
            return vec![Finding::new(ID, place, message)];
        }
    }
    let (found, not_found): (Vec<&UdfLoader>, Vec<&UdfLoader>) =
        udf.loaders.iter().partition(|loader| loader.is_found());
    let names: Vec<&str> = found.iter().map(|loader| loader.name()).collect();
    let astray: Vec<&str> = not_found
        .iter()
        .map(|loader| loader.path.as_str())
        .collect();
    let mut what = Vec::new();
    if !udf.is_read {
        what.push("whose files were not read".to_owned());
    } else if udf.loaders.is_empty() {
        what.push("without an EFI loader".to_owned());
    }
    if !names.is_empty() {
        what.push(format!("with {}", names.join(", ")));
    }
    if !astray.is_empty() {
        what.push(format!(
            "with {}, which EDK2 does not find there because its name is in lower case",
            astray.join(", ")
        ));
    }
    let message = format!("there is a UDF file system {}", what.join(" and "));
    vec![Finding::new(ID, place, message).as_info()]
}
