//! One reading of a disc: what every room of [`crate::findings`] looks at.

use std::collections::BTreeMap;

use super::{
    Inspection, Options, Window,
    catalog::Slots,
    descriptors::Descriptors,
    entries,
    image::Images,
    partitions::Tables,
    reading::{BootReading, CatalogReading, EntryKind, EntryReading},
};
use crate::{
    eltorito::{MediaType, Platform},
    finding::{Finding, FindingId, Place},
    partition_table::{Mbr, MbrEntry, PartitionType},
    units::Lba,
};

/// A disc that was read.
pub(crate) struct Reading<'r, 'd> {
    pub(crate) disc: &'r mut Window<'d>,
    pub(crate) options: &'r Options<'r>,
    /// All that is reported of it, but for the findings.
    pub(crate) inspection: &'r Inspection,
    pub(crate) descriptors: &'r Descriptors,
    /// What ties the slots of the catalog together.
    pub(crate) slots: Option<&'r Slots>,
    pub(crate) images: &'r Images,
    pub(crate) tables: &'r Tables,
    /// Whether an image is isolinux: two thousand entries may name the same one.
    pub(super) loaders: BTreeMap<Lba, bool>,
    /// What was found so far.
    pub(crate) found: Vec<Finding>,
}

type Entry<'r> = (&'r EntryReading, &'r BootReading);

impl<'r> Reading<'r, '_> {
    /// The boot catalog.
    pub(crate) const fn catalog(&self) -> Option<&'r CatalogReading> {
        self.inspection.catalog.as_ref()
    }

    /// Its boot entries.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'r>> + use<'r> {
        entries(self.catalog())
    }

    /// The boot entries that a firmware of this kind looks at.
    pub(crate) fn entries_for(
        &self,
        purpose: Purpose,
    ) -> impl Iterator<Item = Entry<'r>> + use<'r> {
        self.entries()
            .filter(move |(entry, boot)| Purpose::of(entry.platform, boot) == purpose)
    }

    /// Those for UEFI that are bootable.
    pub(crate) fn bootable_efi_entries(&self) -> impl Iterator<Item = Entry<'r>> + use<'r> {
        self.entries_for(Purpose::Efi)
            .filter(|(_, boot)| boot.bootable)
    }

    /// Those for a BIOS that are bootable, and the initial entry, whether or not it is.
    pub(crate) fn bios_entries(&self) -> impl Iterator<Item = Entry<'r>> + use<'r> {
        self.entries_for(Purpose::Bios)
            .filter(|(entry, boot)| boot.bootable || entry.slot == 1)
    }

    /// The images of these that are on the disc, each by the first entry that names it.
    pub(crate) fn bios_images(&self) -> impl Iterator<Item = Entry<'r>> + use<'r> {
        let on_disc = self
            .bios_entries()
            .filter(|(_, boot)| boot.extent_blocks.is_some());
        each_image_once(on_disc)
    }

    /// The images of all entries that are bootable, and of the initial one, each by the first entry that names it.
    pub(crate) fn images_of_entries(&self) -> impl Iterator<Item = Entry<'r>> + use<'r> {
        let entries = self
            .entries()
            .filter(|(entry, boot)| boot.bootable || entry.kind == EntryKind::Initial);
        each_image_once(entries)
    }

    /// The images of hard disks, with their partition tables.
    pub(crate) fn hard_disks(&mut self) -> Vec<HardDisk<'r>> {
        let mut disks = Vec::new();
        for (entry, boot) in self.bios_images() {
            if boot.media.emulation() != MediaType::HARD_DISK {
                continue;
            }
            if let Some(sector) = self.disc.array::<512>(boot.load_rba.byte_offset()) {
                disks.push(HardDisk {
                    entry,
                    boot,
                    table: Mbr::decode(&sector),
                    end_bytes: [sector[510], sector[511]],
                });
            }
        }
        disks
    }

    /// Where a byte of an entry stands.
    pub(crate) fn place(&self, entry: &EntryReading, byte: u64) -> Place {
        let catalog = self.catalog().map_or(Lba::default(), |catalog| catalog.lba);
        super::catalog::place(catalog, entry.slot, byte)
    }

    /// Whether one of these was found already.
    pub(crate) fn has_found(&self, ids: &[FindingId]) -> bool {
        self.found.iter().any(|finding| ids.contains(&finding.id))
    }

    /// Whether an image without emulation is isolinux.
    pub(crate) fn is_isolinux(&mut self, boot: &BootReading) -> bool {
        boot.extent_blocks.is_some()
            && boot.media.emulation() == MediaType::NO_EMULATION
            && *self
                .loaders
                .entry(boot.load_rba)
                .or_insert_with(|| is_isolinux(self.disc, boot.load_rba))
    }
}

/// Several entries may share an image: once is enough.
fn each_image_once<'r>(
    entries: impl Iterator<Item = Entry<'r>>,
) -> impl Iterator<Item = Entry<'r>> {
    let mut seen: Vec<Lba> = Vec::new();
    entries.filter(move |(_, boot)| {
        let is_new = !seen.contains(&boot.load_rba);
        if is_new {
            seen.push(boot.load_rba);
        }
        is_new
    })
}

/// Whom an entry addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Bios,
    Efi,
    /// A platform of its own, of which nothing is known here.
    Other,
}

impl Purpose {
    /// By its platform; but firmware for UEFI ignores platforms (EDK2 `ElTorito.c`), so that an image with an EFI
    /// loader is for it whatever the platform.
    pub(crate) fn of(platform: Platform, boot: &BootReading) -> Self {
        if platform == Platform::EFI || !boot.loaders.is_empty() {
            Self::Efi
        } else if platform == Platform::X86 {
            Self::Bios
        } else {
            Self::Other
        }
    }
}

/// The image of a hard disk, and the partition table in its first sector.
pub(crate) struct HardDisk<'r> {
    pub(crate) entry: &'r EntryReading,
    pub(crate) boot: &'r BootReading,
    pub(crate) table: Mbr,
    /// The sector's last two bytes.
    pub(crate) end_bytes: [u8; 2],
}

impl HardDisk<'_> {
    /// The slots of the table with a type, and their numbers.
    pub(crate) fn used(&self) -> Vec<(usize, MbrEntry)> {
        let entries = self.table.entries.into_iter().enumerate();
        entries
            .filter(|(_, entry)| entry.kind != PartitionType::EMPTY)
            .collect()
    }

    /// Where a byte of the image stands.
    pub(crate) const fn place(&self, byte: u64) -> Place {
        Place::within(self.boot.load_rba, byte)
    }
}

/// How many bytes of an image are searched for the name of its loader.
const SEARCHED: usize = 32 * 1024;

fn is_isolinux(disc: &mut Window<'_>, image: Lba) -> bool {
    let mut head = vec![0; SEARCHED];
    let size = disc.read(image.byte_offset(), &mut head);
    head.truncate(size);
    let name = b"isolinux";
    memchr::memchr2_iter(b'i', b'I', &head).any(|at| {
        let word = head.get(at..at + name.len());
        word.is_some_and(|word| word.eq_ignore_ascii_case(name))
    })
}
