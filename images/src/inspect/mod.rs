//! The static reader: takes any disc apart without booting it, and says what is wrong with it.
//!
//! It reads through a [`Window`] of 1 MiB, follows nothing without a bound, and panics at nothing. Of a healthy disc
//! it reports no error: where a firmware does other than one would think, its behaviour decides.

mod bios;
mod catalog;
mod descriptors;
mod efi;
mod entries;
mod hybrid;
mod image;
mod original;
mod oversized;
mod reading;
mod tree;
mod window;

use std::{collections::BTreeSet, io, path::PathBuf};

pub(crate) use self::{
    descriptors::DescriptorSet,
    hybrid::read_entries as read_gpt_entries,
    tree::{Node, NodeKind, RECORDS, walk as walk_tree},
};
use self::{descriptors::Descriptors, image::Images, tree::Tree};
pub use self::{
    original::{Comparison, ComparisonResult},
    reading::{
        BootReading, BootRecordReading, CatalogReading, EntryKind, EntryReading, GptPartition,
        Inspection, MbrPartition, PartitionsReading, Schema, Session, TreeReading, Volume,
    },
    window::{DiscFile, Source, Window},
};
use crate::{
    finding::{Finding, FindingId, Place},
    units::{BlockCount, Lba},
};

/// What the disc is compared with.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// The capacity of the medium that it is made for.
    pub medium: Option<BlockCount>,
    /// The boot image that it was mastered from.
    pub boot_image: Option<&'a dyn Source>,
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("medium", &self.medium)
            .field("boot_image", &self.boot_image.map(Source::length))
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

/// What is found, as it is found.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn report(&mut self, id: FindingId, place: Place, message: String) {
        self.0.push(Finding::new(id, place, message));
    }

    /// Where what is an error otherwise does less harm.
    fn report_milder(&mut self, id: FindingId, place: Place, message: String) {
        self.0.push(Finding::new(id, place, message).milder());
    }

    /// Where what is an error otherwise is only worth knowing.
    fn report_info(&mut self, id: FindingId, place: Place, message: String) {
        self.0.push(Finding::new(id, place, message).as_info());
    }

    fn has(&self, ids: &[FindingId]) -> bool {
        self.0.iter().any(|finding| ids.contains(&finding.id))
    }

    /// The worst first, then by their place.
    fn sorted(mut self) -> Vec<Finding> {
        let key = |finding: &Finding| (std::cmp::Reverse(finding.severity), finding.offset);
        self.0.sort_by_key(key);
        self.0
    }
}

/// Reads a disc and checks it.
///
/// # Errors
/// The medium cannot be read where the volume begins. What is wrong with what can be read is a finding, not an error.
pub fn inspect(disc: &mut Window<'_>, options: &Options<'_>) -> Result<Inspection, InspectError> {
    let mut findings = Findings::default();
    let descriptors = Descriptors::read(disc, &mut findings);
    if let Some(&offset) = disc.unreadable().first() {
        return Err(InspectError::Unreadable { offset });
    }
    let main = &descriptors.main;
    let mut catalog = main
        .boot_record()
        .and_then(|record| catalog::read(disc, record, &mut findings));
    let partitions = hybrid::read(disc, &mut findings);
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
        let mut examination = Examination {
            disc,
            options,
            volume: main.volume_blocks(),
            catalog,
            images: &images,
            partitions: &partitions,
            tree: tree.as_ref().map(|tree| &tree.reading),
            root: root.map(|root| root.extent),
            findings: &mut findings,
        };
        entries::check(&mut examination);
        bios::check(&mut examination);
        efi::check(&mut examination);
        oversized::check(&mut examination);
    }
    hybrid::check_mbr(disc, catalog.as_ref(), &partitions, &mut findings);
    let boot_image = options.boot_image.and_then(|original| {
        original::compare(disc, original, catalog.as_ref()?, &images, &mut findings)
    });
    Ok(Inspection {
        schema: Schema::default(),
        size: disc.length(),
        volume: main.volume(),
        boot_records: main.records(),
        sessions: descriptors.sessions,
        catalog,
        partitions,
        tree: tree.map(|tree| tree.reading),
        boot_image,
        unreadable: disc.unreadable().to_vec(),
        findings: findings.sorted(),
    })
}

fn entries(
    catalog: Option<&CatalogReading>,
) -> impl Iterator<Item = (&EntryReading, &BootReading)> {
    let entries = catalog.into_iter().flat_map(|catalog| &catalog.entries);
    entries.filter_map(|entry| Some((entry, entry.boot.as_ref()?)))
}

/// What the checks of entries and images work on.
struct Examination<'e, 'd> {
    disc: &'e mut Window<'d>,
    options: &'e Options<'e>,
    /// The volume's size as its descriptor says.
    volume: Option<BlockCount>,
    catalog: &'e CatalogReading,
    images: &'e Images,
    partitions: &'e PartitionsReading,
    tree: Option<&'e TreeReading>,
    /// Where the root directory stands.
    root: Option<Lba>,
    findings: &'e mut Findings,
}

impl<'e> Examination<'e, '_> {
    /// The boot entries that a firmware of this kind looks at.
    fn entries_for(
        &self,
        purpose: Purpose,
    ) -> impl Iterator<Item = (&'e EntryReading, &'e BootReading)> + use<'e> {
        entries(Some(self.catalog))
            .filter(move |(entry, boot)| Purpose::of(entry.platform, boot) == purpose)
    }

    fn place(&self, entry: &EntryReading, byte: u64) -> Place {
        catalog::place(self.catalog.lba, entry.slot, byte)
    }
}

/// Whom an entry addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Bios,
    Efi,
    /// A platform of its own, of which nothing is known here.
    Other,
}

impl Purpose {
    /// By its platform; but firmware for UEFI ignores platforms (EDK2 `ElTorito.c`), so that an image with an EFI
    /// loader is for it whatever the platform.
    fn of(platform: crate::eltorito::Platform, boot: &BootReading) -> Self {
        use crate::eltorito::Platform;
        if platform == Platform::EFI || !boot.loaders.is_empty() {
            Self::Efi
        } else if platform == Platform::X86 {
            Self::Bios
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests;
