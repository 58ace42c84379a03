//! `no-boot-record`: the descriptor set has no El Torito boot record.

use super::{
    recipe::declared::{bsdtar, genisoimage, grub_mkrescue, oscdimg, pycdlib, xorriso},
    room::Room,
};
use crate::{
    defect::{BEHIND_BOOT_RECORD, Injection, PRIMARY, Patient},
    eltorito::BOOT_RECORD_LBA,
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
};

const ID: FindingId = FindingId::NoBootRecord;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    trips: &["seabios", "bochs", "ovmf", "u-boot"],
    explanation: "The volume descriptor set contains no El Torito boot record.",
    consequence: "SeaBIOS stops with code 0004. OVMF reports Not Found, unless the disc has UDF with a loader and is in a CD drive.",
    remedy: "Master the disc with a boot image.",
    recipes: &[
        xorriso(""),
        genisoimage(""),
        grub_mkrescue(),
        bsdtar(""),
        pycdlib(""),
        oscdimg(""),
    ],
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let set = &reading.descriptors.main;
    if set.all.is_empty() || set.boot_record().is_some() {
        return Vec::new();
    }
    let place = Place::block(BOOT_RECORD_LBA);
    let message = "no volume descriptor from LBA 16 to the terminator is an El Torito boot record";
    let udf = reading.udf();
    let mut loaders = udf.iter().flat_map(|udf| &udf.loaders);
    let finding = match loaders.find(|loader| loader.is_found()) {
        Some(loader) => {
            let name = loader.name();
            let message = format!("{message}; on a CD, UEFI firmware can start {name} from UDF");
            Finding::new(ID, place, message).milder()
        }
        None => for_the_tree(Finding::new(ID, place, message.to_owned()), reading),
    };
    vec![match reading.catalog_elsewhere() {
        Some(catalog) => {
            let room = reading.images.room(PRIMARY);
            set.with_boot_record(reading.disc, finding, catalog, room)
        }
        None => finding,
    }]
}

/// Wrong places for a loader: folders swapped, or left out.
const ASTRAY: [&str; 4] = [
    "/BOOT/EFI/BOOTX64.EFI",
    "/BOOT/BOOTX64.EFI",
    "/EFI/BOOTX64.EFI",
    "/BOOTX64.EFI",
];

/// A tree with only an EFI loader needs an entry for UEFI: with a BIOS entry it would not start.
fn for_the_tree(mut finding: Finding, reading: &mut Reading<'_, '_>) -> Finding {
    let tree = reading.inspection.tree.as_ref();
    let in_place = tree.and_then(|tree| tree.loaders.first());
    let loader = in_place.map(|loader| format!("/EFI/BOOT/{loader}"));
    let loader = loader.or_else(|| {
        let mut paths = ASTRAY.iter().map(ToString::to_string);
        paths.find(|path| reading.has_file(path) == Some(true))
    });
    if let Some(loader) = loader {
        finding.message = format!("{}; the tree has {loader}", finding.message);
        "Ask the maker of the disc for one that boots. If you made it, put the loader into a FAT image, and master the disc with an EFI entry for that image."
            .clone_into(&mut finding.fix);
    }
    finding
}

/// The terminator replaces it.
fn inject(disc: &mut Patient<'_>) {
    let terminator: [u8; 2048] = disc.bytes.array_at(BEHIND_BOOT_RECORD.byte_offset());
    disc.bytes
        .write_at(BOOT_RECORD_LBA.byte_offset(), &terminator);
}
