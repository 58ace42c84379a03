//! A disc as a whole: taken apart, and checked.

use std::{collections::BTreeSet, path::Path};

use super::{
    bios_program::SectorCode,
    catalog,
    descriptors::Descriptors,
    error::InspectError,
    examined::{Known, Reading},
    image::Images,
    mastered_by::mastered_by,
    options::Options,
    original,
    partitions::Tables,
    reading::{Inspection, Schema, entries},
    signed::{self, SecureBootReading},
    tree::Tree,
    window::{DiscFile, Window},
};
use crate::{findings, units::Lba};

/// Reads a disc that is a file or a block device, and checks it as [`inspect`] does without options.
///
/// # Errors
/// It cannot be opened, is no disc, or cannot be read where the volume begins.
pub fn file(path: impl AsRef<Path>) -> Result<Inspection, InspectError> {
    let disc = DiscFile::open(path.as_ref())?;
    inspect(&mut Window::new(&disc), &Options::default())
}

/// Reads a disc and checks it.
///
/// # Errors
/// The medium cannot be read where the volume begins. What is wrong with what can be read is a finding, not an error.
pub fn inspect(disc: &mut Window<'_>, options: &Options<'_>) -> Result<Inspection, InspectError> {
    let descriptors = Descriptors::read(disc);
    if let Some(&offset) = disc.unreadable().first() {
        return Err(InspectError::Unreadable { offset });
    }
    let main = &descriptors.main;
    let catalog = main
        .boot_record()
        .and_then(|(_, record)| catalog::read(disc, record));
    let (mut catalog, slots) = catalog.unzip();
    let tables = Tables::read(disc);
    let partitions = tables.reading();
    let root = main
        .primary
        .as_ref()
        .and_then(|(_, primary)| primary.root.as_ref());
    let wanted: BTreeSet<Lba> = entries(catalog.as_ref())
        .map(|(_, boot)| boot.load_rba)
        .collect();
    let tree = root.map(|root| Tree::read(disc, root, &wanted));
    let images = Images::new(
        disc,
        &descriptors,
        catalog.as_ref(),
        &partitions,
        tree.as_ref(),
    );
    if let Some(catalog) = &mut catalog {
        images.resolve(disc, catalog);
    }
    let sector_code = disc.array(0).map(|sector| SectorCode::of(&sector));
    let mut inspection = Inspection {
        schema: Schema::default(),
        size: disc.length(),
        volume: main.volume(),
        boot_records: main.records(),
        sessions: descriptors.sessions.clone(),
        catalog,
        partitions,
        tree: tree.as_ref().map(|tree| tree.reading.clone()),
        boot_image: None,
        secure_boot: SecureBootReading::default(),
        unreadable: Vec::new(),
        findings: Vec::new(),
    };
    let code = sector_code.unwrap_or(SectorCode::Empty);
    let mastered_by = mastered_by(disc, &inspection, code);
    if let Some(volume) = &mut inspection.volume {
        volume.mastered_by = mastered_by;
    }
    let mut reading = Reading {
        disc,
        options,
        inspection: &inspection,
        descriptors: &descriptors,
        slots: slots.as_ref(),
        images: &images,
        tables: &tables,
        tree: tree.as_ref(),
        sector_code: code,
        known: Known::default(),
        found: Vec::new(),
    };
    findings::check(&mut reading);
    findings::choose(&mut reading);
    let secure_boot = signed::report(&mut reading);
    let mut found = reading.found;
    inspection.secure_boot = secure_boot;
    inspection.boot_image = options.boot_image.and_then(|original| {
        let catalog = inspection.catalog.as_ref()?;
        original::compare(disc, original, catalog, &images, &mut found)
    });
    inspection.unreadable = disc.unreadable().to_vec();
    for finding in &mut found {
        finding.compare_with(disc);
    }
    // The worst first, then by their place.
    found.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.offset));
    inspection.findings = found;
    Ok(inspection)
}
