//! `efi-loader-name`: a loader under a name that no firmware looks for.

use super::{
    recipe::declared::{genisoimage, xorriso},
    room::Room,
};
use crate::{
    defect::{Injection, Loader},
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    inspect::efi_image::{EfiImage, Program},
    sparse::SparseBytes,
    units::Lba,
};

const ID: FindingId = FindingId::EfiLoaderName;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["ovmf"],
    explanation: "The EFI image contains a loader, but with a name or in a folder where no firmware looks for it.",
    consequence: "OVMF reports Not Found: on removable media, firmware looks only for \\EFI\\BOOT\\BOOTX64.EFI and the corresponding names for other architectures.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise put the loader into \\EFI\\BOOT with the name for its architecture: BOOTX64.EFI, BOOTIA32.EFI or BOOTAA64.EFI.",
    recipes: &[xorriso("mmove"), genisoimage("mmove")],
    replaces: &[FindingId::EfiNoLoader],
    check,
    defect: Some(Injection::in_efi_image(rename)),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let images = reading.efi_images();
    let looked_for = |image: &EfiImage<'_>| {
        let mut programs = image.programs.iter();
        programs.any(|program| program.looked_for().is_some())
    };
    if images.iter().any(looked_for) {
        return Vec::new();
    }
    let finding = |image: &EfiImage<'_>| {
        let is_program = |program: &&Program| program.headers.as_ref().is_some_and(|it| it.is_efi);
        let program = image.programs.iter().find(is_program)?;
        let machine = program.headers.as_ref()?.machine;
        let right = machine.loader().map_or_else(String::new, |name| {
            format!(": for {} it is \\EFI\\BOOT\\{name}", machine.name())
        });
        let message = format!(
            "slot {}: the image has {}, but no firmware looks for that name{right}",
            image.entry.slot,
            program.path()
        );
        let name = machine.loader().filter(|_| program.is_in_boot_folder());
        let renamed = image.fat.zip(name).and_then(|(fat, name)| {
            fat.renamed(reading.disc, &program.folder, &program.name, name)
        });
        let finding = Finding::new(ID, Place::block(image.boot.load_rba), message);
        Some(finding.fixed_by_all(renamed.unwrap_or_default()))
    };
    images.iter().filter_map(finding).collect()
}

/// A name that people use but no architecture has.
fn rename(bytes: &mut SparseBytes, image: Lba) {
    if let Some(loader) = Loader::find(bytes, image) {
        loader.rename(bytes, b"BOOTX32 EFI");
    }
}
