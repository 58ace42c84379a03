//! `efi-architecture`: the machines that have an EFI loader.

use super::room::Room;
use crate::{
    defect::{Injection, Loader},
    efi_program::Machine,
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    inspect::efi_image::Program,
    sparse::SparseBytes,
    units::Lba,
};

const ID: FindingId = FindingId::EfiArchitecture;

pub(super) const ROOM: Room = Room {
    severity: Severity::Warning,
    milder: Some(Severity::Info),
    trips: &[],
    explanation: "The processor architectures for which the disc has EFI loaders.",
    consequence: "Firmware for another architecture starts nothing on the disc. A disc with loaders only for 32-bit x86 starts on almost no PC, because nearly all have 64-bit firmware.",
    remedy: "For another architecture, use the disc that is made for it. If you make the disc, put a loader for each architecture into the image.",
    describes: true,
    check,
    defect: Some(Injection::in_efi_image(make_ia32)),
    ..Room::BASE
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
            "the only EFI loader is for 32-bit x86, but the firmware of nearly every PC has 64 bits"
                .to_owned();
        return vec![Finding::new(ID, place, message)];
    }
    let names: Vec<String> = machines.iter().map(|machine| machine.name()).collect();
    let message = format!("there are EFI loaders for {}", names.join(", "));
    vec![Finding::new(ID, place, message).as_info()]
}

/// The place of the PE header's address in a program, and of the machine in that header (PE/COFF specification, "COFF File Header").
const TO_PE_HEADER: u64 = 0x3C;
const MACHINE: u64 = 4;

/// The loader's name and header say 32-bit x86. Its code does not change, so the disc is for 64-bit firmware, which must not
/// start it.
fn make_ia32(bytes: &mut SparseBytes, image: Lba) {
    if let Some(loader) = Loader::find(bytes, image) {
        let header = u32::from_le_bytes(bytes.array_at(loader.start + TO_PE_HEADER));
        let machine = loader.start + u64::from(header) + MACHINE;
        bytes.write_at(machine, &Machine::IA32.0.to_le_bytes());
        loader.rename(bytes, b"BOOTIA32EFI");
    }
}
