//! The static reader: takes any disc apart without booting it, and says what is wrong with it.
//!
//! It reads through a [`Window`] of 1 MiB, follows nothing without a bound, and panics at nothing. Of a healthy disc
//! it reports no error: where a firmware does other than one would think, its behaviour decides.

mod bios_program;
mod catalog;
pub(crate) mod counts;
mod descriptors;
pub(crate) mod efi_image;
mod elsewhere;
mod examined;
pub(crate) mod file;
mod image;
mod original;
pub(crate) mod oversized;
mod partitions;
mod reading;
mod right_entry;
mod sections;
mod signed;
mod tree;
mod window;

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

pub(crate) use self::{
    bios_program::{BiosProgram, CODE, POINTER, SectorCode, reads_own_drive, reads_table},
    catalog::{Contradiction, Slots},
    descriptors::DescriptorSet,
    elsewhere::{OtherImage, Owner, is_wiped, iso_elsewhere},
    examined::{HardDisk, Purpose, Reading},
    image::floppy,
    partitions::{GPT_HEADER, Gpt, read_entries as read_gpt_entries},
    signed::{DiscProgram, loaders_trusted_by, names_of},
    tree::{Node, NodeKind, RECORDS, records_of, walk as walk_tree},
};
use self::{
    descriptors::Descriptors, examined::Known, image::Images, partitions::Tables, tree::Tree,
};
pub use self::{
    original::{Comparison, ComparisonResult},
    reading::{
        BootReading, BootRecordReading, CatalogReading, EntryKind, EntryReading, GptPartition,
        Inspection, MbrPartition, PartitionsReading, Schema, Session, TreeReading, Volume,
    },
    signed::{
        OnMachine, ProgramPlace, ProgramReading, SectionReading, SecureBootReading, ShimReading,
        SignatureReading, TrustedBy, certificates_of, inspect_program,
    },
    window::{DiscFile, Source, Window},
};
use crate::{
    findings,
    signature::{MachineKeys, Revocations},
    tool::mastered_by,
    units::{BlockCount, Lba},
};

/// What the disc is compared with.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// The capacity of the medium that it is made for.
    pub medium: Option<BlockCount>,
    /// The boot image that it was mastered from.
    pub boot_image: Option<&'a dyn Source>,
    /// Whether to read the whole disc: implanted checksums, and zeros where none should be.
    pub verify: bool,
    /// Code for the first sector of a disc that has none: what isohdpfx.bin or GRUB's boot_hybrid.img holds. Only its first 440
    /// bytes are taken; a partition table stands behind them.
    pub boot_code: Option<&'a [u8]>,
    /// What machines refuse with Secure Boot on.
    pub revocations: Option<&'a Revocations>,
    /// The keys of a machine, for which is said what it starts.
    pub machine: Option<&'a MachineKeys>,
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("medium", &self.medium)
            .field("boot_image", &self.boot_image.map(Source::length))
            .field("verify", &self.verify)
            .field("boot_code", &self.boot_code.map(<[u8]>::len))
            .field("revocations", &self.revocations)
            .field("machine", &self.machine.is_some())
            .finish()
    }
}

/// A disc that cannot be inspected at all.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// It cannot be opened.
    #[error("cannot read {}: {error}", path.display())]
    Open {
        /// Its path.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is nothing that has bytes at offsets.
    #[error("{} is {kind}, and a disc is a regular file or a block device with bytes in it", path.display())]
    NoDisc {
        /// Its path.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// The medium cannot be read where it begins.
    #[error("the medium cannot be read at byte {offset}, where the volume begins")]
    Unreadable {
        /// Where.
        offset: u64,
    },
}

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
    let mastered_by = mastered_by(&inspection, code);
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

fn entries(
    catalog: Option<&CatalogReading>,
) -> impl Iterator<Item = (&EntryReading, &BootReading)> {
    let entries = catalog.into_iter().flat_map(|catalog| &catalog.entries);
    entries.filter_map(|entry| Some((entry, entry.boot.as_ref()?)))
}

#[cfg(test)]
mod tests;
