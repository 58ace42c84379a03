//! `efi-architecture`: for which machines there are EFI loaders.

use super::Room;
use crate::{
    efi_program::Machine,
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    inspect::efi_image::Program,
};

const ID: FindingId = FindingId::EfiArchitecture;

pub(super) const ROOM: Room = Room {
    id: "efi-architecture",
    severity: Severity::Warning,
    milder: Some(Severity::Info),
    trips: &[],
    explanation: "For which machines the disc has EFI loaders.",
    consequence: "Firmware of another machine starts nothing on it; loaders for 32-bit x86 alone leave out nearly every PC, whose firmware has 64 bits.",
    remedy: "For another machine take the disc that is made for it; a maker puts a loader for each machine into the image.",
    recipes: &[],
    replaces: &[],
    describes: true,
    check,
    defect: None,
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let images = reading.efi_images();
    let Some(image) = images.iter().find(|image| image.works()) else {
        return Vec::new();
    };
    let loaders = images.iter().flat_map(|image| &image.programs);
    let mut machines: Vec<Machine> = loaders
        .filter(|program| program.works())
        .filter_map(Program::looked_for)
        .collect();
    machines.sort_unstable();
    machines.dedup();
    let place = Place::block(image.boot.load_rba);
    if machines == [Machine::IA32] {
        let message =
            "the only EFI loader is for 32-bit x86, and the firmware of nearly every PC has 64 bits"
                .to_owned();
        return vec![Finding::new(ID, place, message)];
    }
    let names: Vec<String> = machines.iter().map(|machine| machine.name()).collect();
    let message = format!("there are EFI loaders for {}", names.join(", "));
    vec![Finding::new(ID, place, message).as_info()]
}
