//! One reading of a disc: what every room of [`crate::findings`] looks at.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    bios_program::{BiosProgram, SectorCode},
    catalog::Slots,
    descriptors::Descriptors,
    efi_image::EfiImage,
    elsewhere::{self, OtherImage, Owner},
    file::DiscBytes,
    image::Images,
    options::Options,
    partitions::Tables,
    reading::{BootReading, CatalogReading, EntryKind, EntryReading, Inspection, entries},
    signed::program::DiscProgram,
    tree::{FileAt, Tree},
    window::Window,
};
use crate::{
    boot_configuration::{BootConfigurations, Eyes, FileSystem, Found, Volumes},
    bytes::text,
    defect::PRIMARY,
    eltorito::{ENTRY_BYTES, MediaType, Platform},
    fat::FatVolume,
    finding::{Finding, Place},
    grub_core::GrubCore,
    iso9660::RawPrimaryVolume,
    partition_table::{Mbr, MbrEntry, PartitionType},
    udf::Udf,
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
    pub(crate) tree: Option<&'r Tree>,
    /// What a BIOS starts from a stick.
    pub(crate) sector_code: SectorCode,
    pub(super) known: Known<'r>,
    /// What was found so far.
    pub(crate) found: Vec<Finding>,
}

/// What is read when a room first asks for it.
#[derive(Default)]
pub(super) struct Known<'r> {
    /// By image: two thousand entries may name the same one.
    programs: BTreeMap<Lba, BiosProgram>,
    efi_images: Option<Rc<Vec<EfiImage<'r>>>>,
    elsewhere: Option<Rc<Vec<OtherImage>>>,
    configurations: Option<Rc<BootConfigurations>>,
    /// That it was looked for, and what was found.
    udf: Option<Option<Rc<Udf>>>,
    pub(super) efi_programs: Option<Rc<Vec<DiscProgram>>>,
}

/// Partitions of which labels are read.
const PARTITIONS: usize = 64;
/// Files that configurations name which are looked at.
const NAMED_FILES: usize = 64;
/// Images of entries for UEFI that are looked at.
const EFI_IMAGES: usize = 32;
/// GRUB's boot image for a BIOS is loaded below 640 KiB (`include/grub/offsets.h`), and is not longer.
const GRUB_BYTES: usize = 640 << 10;

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
            let start = boot.load_rba.byte_offset();
            if let Some(sector) = self.disc.array::<512>(start) {
                let table = Mbr::decode(&sector);
                disks.push(HardDisk {
                    entry,
                    boot,
                    is_file_system: !table.is_plausible()
                        && FatVolume::at(self.disc, start).is_some(),
                    table,
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

    /// The program in a boot image.
    pub(crate) fn bios_program(&mut self, boot: &BootReading) -> BiosProgram {
        if boot.extent_blocks.is_none() {
            return BiosProgram::Unknown;
        }
        let (disc, start) = (&mut *self.disc, boot.load_rba.byte_offset());
        let known = self.known.programs.entry(boot.load_rba);
        *known.or_insert_with(|| BiosProgram::of_image(disc, start, boot.file_bytes))
    }

    /// GRUB's core image in a boot image for a BIOS; `None` if the image is not GRUB's, or its length is not known.
    pub(crate) fn grub_of_bios(&mut self, boot: &BootReading) -> Option<GrubCore> {
        if self.bios_program(boot) != BiosProgram::Grub {
            return None;
        }
        let length = usize::try_from(boot.file_bytes?.get()).ok()?;
        let mut image = vec![0; length.min(GRUB_BYTES)];
        let read = self.disc.read(boot.load_rba.byte_offset(), &mut image);
        (read == length).then(|| GrubCore::of_boot_image(&image))?
    }

    /// Whether an image without emulation is isolinux.
    pub(crate) fn is_isolinux(&mut self, boot: &BootReading) -> bool {
        boot.media.emulation() == MediaType::NO_EMULATION && self.bios_program(boot).is_isolinux()
    }

    /// The images of the entries for UEFI that are on the disc, each by the first entry that names it.
    pub(crate) fn efi_images(&mut self) -> Rc<Vec<EfiImage<'r>>> {
        if let Some(images) = &self.known.efi_images {
            return Rc::clone(images);
        }
        let on_disc = self
            .bootable_efi_entries()
            .filter(|(_, boot)| boot.extent_blocks.is_some());
        let partitions = &self.inspection.partitions;
        let images = each_image_once(on_disc)
            .take(EFI_IMAGES)
            .map(|entry| EfiImage::read(self.disc, entry, partitions));
        let images = Rc::new(images.collect());
        self.known.efi_images = Some(Rc::clone(&images));
        images
    }

    /// FAT images with an EFI loader, wherever they stand.
    pub(crate) fn images_elsewhere(&mut self) -> Rc<Vec<OtherImage>> {
        if let Some(images) = &self.known.elsewhere {
            return Rc::clone(images);
        }
        let found = elsewhere::find(self.disc, self.tree, &self.inspection.partitions);
        let found = Rc::new(found);
        self.known.elsewhere = Some(Rc::clone(&found));
        found
    }

    /// A boot catalog that the boot record does not lead to.
    pub(crate) fn catalog_elsewhere(&mut self) -> Option<Lba> {
        elsewhere::catalog(self.disc, self.tree)
    }

    /// The catalog that the boot record should lead to, where it leads to something else.
    pub(crate) fn catalog_to_name(&mut self, slots: &Slots) -> Option<Lba> {
        if slots.stands(self.disc) {
            return None;
        }
        self.catalog_elsewhere()
    }

    /// The configurations of the boot loaders.
    pub(crate) fn configurations(&mut self) -> Rc<BootConfigurations> {
        if let Some(configurations) = &self.known.configurations {
            return Rc::clone(configurations);
        }
        let read = Rc::new(BootConfigurations::read(self.disc, self.inspection));
        self.known.configurations = Some(Rc::clone(&read));
        read
    }

    /// The image to which a finding belongs: that of the entry whose bytes it names, or the one in which it lies.
    pub(crate) fn subject(&self, finding: &Finding) -> Option<Lba> {
        let catalog = self.catalog()?;
        let slot = finding
            .offset
            .checked_sub(catalog.lba.byte_offset())
            .map(|within| within / ENTRY_BYTES as u64);
        let mut entries = self.entries();
        let by_slot = entries.find(|(entry, _)| Some(u64::from(entry.slot)) == slot);
        let within = |boot: &BootReading| {
            let blocks = boot.extent_blocks.unwrap_or_default();
            boot.load_rba <= finding.lba && finding.lba < boot.load_rba.plus(blocks)
        };
        let by_place = || self.entries().find(|(_, boot)| within(boot));
        by_slot.or_else(by_place).map(|(_, boot)| boot.load_rba)
    }

    /// Whether a file is in the tree or in an image of an entry; `None` where that cannot be told.
    pub(crate) fn has_file(&mut self, path: &str) -> Option<bool> {
        let mut volumes = Volumes::new(self.disc, self.inspection);
        let mut is_known = true;
        for system in volumes.file_systems() {
            match volumes.find(system, path, Eyes::Grub) {
                Found::File { .. } => return Some(true),
                Found::Unknown => is_known = false,
                Found::Directory | Found::Missing => {}
            }
        }
        is_known.then_some(false)
    }

    /// As [`Self::has_file`], in one of them.
    pub(crate) fn has_file_in(&mut self, system: FileSystem, path: &str) -> Option<bool> {
        let mut volumes = Volumes::new(self.disc, self.inspection);
        match volumes.find(system, path, Eyes::Grub) {
            Found::File { .. } => Some(true),
            Found::Unknown => None,
            Found::Directory | Found::Missing => Some(false),
        }
    }

    /// Whether a file system has this folder; `None` if that is unknown.
    pub(crate) fn has_folder(&mut self, system: FileSystem, path: &str) -> Option<bool> {
        let mut volumes = Volumes::new(self.disc, self.inspection);
        match volumes.find(system, path, Eyes::Grub) {
            Found::Directory => Some(true),
            Found::Unknown => None,
            Found::File { .. } | Found::Missing => Some(false),
        }
    }

    /// The file of the tree whose path differs from this one only in the capital letters of its last part.
    pub(crate) fn in_other_case(&mut self, path: &str) -> Option<String> {
        let (folder, name) = path.rsplit_once('/')?;
        let mut volumes = Volumes::new(self.disc, self.inspection);
        let names = volumes.names(FileSystem::Tree, folder, false);
        let other = names.into_iter().find(|it| it.eq_ignore_ascii_case(name))?;
        (other != name).then(|| format!("{folder}/{other}"))
    }

    /// The same of a file of the tree, by the names that isolinux reads.
    pub(crate) fn isolinux_has_file(&mut self, path: &str) -> Option<bool> {
        let mut volumes = Volumes::new(self.disc, self.inspection);
        match volumes.find(FileSystem::Tree, path, Eyes::Isolinux) {
            Found::File { .. } => Some(true),
            Found::Unknown => None,
            Found::Directory | Found::Missing => Some(false),
        }
    }

    /// The file at a path of one of them.
    pub(crate) fn file_in(&mut self, system: FileSystem, path: &str) -> Option<DiscBytes> {
        let mut volumes = Volumes::new(self.disc, self.inspection);
        match volumes.find(system, path, Eyes::Grub) {
            Found::File { runs, length } => Some(DiscBytes::new(runs, length)),
            Found::Directory | Found::Missing | Found::Unknown => None,
        }
    }

    /// The file at a path of the tree, or of the first image that has it.
    pub(crate) fn file(&mut self, path: &str) -> Option<DiscBytes> {
        let mut volumes = Volumes::new(self.disc, self.inspection);
        let systems = volumes.file_systems().into_iter();
        let mut found = systems.map(|system| volumes.find(system, path, Eyes::Grub));
        found.find_map(|found| match found {
            Found::File { runs, length } => Some(DiscBytes::new(runs, length)),
            _ => None,
        })
    }

    /// The first bytes of such a file.
    pub(crate) fn file_at(&mut self, path: &str, most: usize) -> Option<Vec<u8>> {
        let file = self.file(path)?;
        Some(file.bytes(self.disc, 0, most))
    }

    /// The files on the disc that configurations name with one of these directives, each once, with their paths.
    pub(crate) fn named_files(&mut self, directives: &[&str]) -> Vec<(String, DiscBytes)> {
        let configurations = self.configurations();
        let entries = configurations.all.iter().flat_map(|it| {
            let system = it.file_system;
            it.entries.iter().map(move |entry| (system, entry))
        });
        let named = entries.flat_map(|(system, entry)| {
            let files = entry.files.iter().map(move |file| (system, file));
            files.filter(|(_, file)| file.exists == Some(true))
        });
        let mut paths: Vec<(FileSystem, &str)> = named
            .filter(|(_, file)| directives.contains(&file.directive.as_str()))
            .map(|(system, file)| (system, file.path.as_str()))
            .collect();
        paths.sort_unstable();
        paths.dedup();
        paths.truncate(NAMED_FILES);
        let mut volumes = Volumes::new(self.disc, self.inspection);
        let mut files: Vec<(String, DiscBytes)> = paths
            .into_iter()
            .filter_map(|(system, path)| {
                Some((path.to_owned(), whole_file(&mut volumes, system, path)?))
            })
            .collect();
        files.dedup();
        files
    }

    /// A file that an entry names: in the configuration's own file system, or in the tree. `None` if its bytes are not all known.
    pub(crate) fn named_file(&mut self, system: FileSystem, path: &str) -> Option<DiscBytes> {
        whole_file(&mut Volumes::new(self.disc, self.inspection), system, path)
    }

    /// Where a file of a file system stands; the file system's start where it cannot be found.
    pub(crate) fn place_of(&mut self, system: FileSystem, path: &str) -> Place {
        let mut volumes = Volumes::new(self.disc, self.inspection);
        let found = volumes.find(system, path, Eyes::Grub);
        if let Found::File { runs, .. } = found
            && let Some(&(offset, _)) = runs.first()
        {
            return Place { offset };
        }
        match system {
            FileSystem::Tree => Place::block(PRIMARY),
            FileSystem::Image(lba) => Place::block(lba),
        }
    }

    /// The names by which a system can look for this medium: labels of the volume, of Joliet, and of the FAT images.
    pub(crate) fn labels(&mut self) -> Vec<String> {
        let mut labels = Volumes::new(self.disc, self.inspection).all_labels();
        for image in self.efi_images().iter() {
            let label = image.fat.and_then(|fat| fat.label(self.disc));
            labels.extend(label);
        }
        let partitions = &self.inspection.partitions;
        let mbr = partitions.mbr.iter().map(|it| it.first);
        let gpt = partitions.gpt.iter().flatten().map(|it| it.first);
        for start in mbr.chain(gpt).take(PARTITIONS) {
            labels.extend(partition_label(self.disc, start.byte_offset()));
        }
        labels.retain(|label| !label.is_empty());
        labels.dedup();
        labels
    }

    /// The UUIDs by which a system can look for the volume of ISO 9660.
    pub(crate) fn volume_uuids(&mut self) -> Vec<String> {
        Volumes::new(self.disc, self.inspection).uuids()
    }

    /// What an image is called for people.
    pub(crate) fn name_of(&mut self, image: &OtherImage) -> String {
        let at = image.lba.get();
        match image.what {
            Owner::File => match self.path_of(image.lba) {
                Some(path) => format!("{path} (LBA {at})"),
                None => format!("the file at LBA {at}"),
            },
            Owner::Partition => format!("the partition at LBA {at}"),
            Owner::Nothing => format!("the FAT image at LBA {at}"),
        }
    }

    /// Whether a primary volume descriptor stands at a block, from which a boot image is reached as a file.
    pub(crate) fn volume_leads_to(&mut self, volume: Lba, image: Lba) -> bool {
        let block = self.disc.block(volume);
        let primary = block.and_then(|block| RawPrimaryVolume::decode(&block));
        let Some(root) = primary.and_then(|primary| primary.root) else {
            return false;
        };
        let wanted = std::iter::once(image).collect();
        let tree = Tree::read(self.disc, &root, &wanted);
        tree.files.contains_key(&image)
    }

    /// The UDF file system.
    pub(crate) fn udf(&mut self) -> Option<Rc<Udf>> {
        if self.known.udf.is_none() {
            self.known.udf = Some(Udf::read(self.disc).map(Rc::new));
        }
        self.known.udf.clone().flatten()
    }

    /// The path of the file that starts at a block.
    pub(crate) fn path_of(&mut self, lba: Lba) -> Option<String> {
        self.file_starting_at(lba).map(|file| file.path)
    }

    /// The file that starts at a block.
    pub(crate) fn file_starting_at(&mut self, lba: Lba) -> Option<FileAt> {
        let (_, primary) = self.descriptors.main.primary.as_ref()?;
        let root = primary.root.as_ref()?;
        let wanted = std::iter::once(lba).collect();
        let mut tree = Tree::read(self.disc, root, &wanted);
        tree.files.remove(&lba)
    }
}

/// The label of a partition's file system: FAT, ext2 and its successors.
fn partition_label(disc: &mut Window<'_>, start: u64) -> Option<String> {
    if let Some(fat) = FatVolume::at(disc, start) {
        return fat.label(disc);
    }
    // `s_magic` and `s_volume_name` of the superblock at byte 1024 (Linux, `fs/ext4/ext4.h`).
    let at = |byte| start.checked_add(byte);
    let magic: [u8; 2] = disc.array(at(1_080)?)?;
    let name: [u8; 16] = disc.array(at(1_144)?)?;
    (magic == [0x53, 0xEF]).then(|| text(&name).trim_end_matches('\0').to_owned())
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
    /// Whether the first sector is a file system's instead: code stands where a table would.
    pub(crate) is_file_system: bool,
    /// The sector's last two bytes.
    pub(crate) end_bytes: [u8; 2],
}

impl HardDisk<'_> {
    /// The slots of the table with a type, and their numbers.
    pub(crate) fn used(&self) -> Vec<(usize, MbrEntry)> {
        let entries = self.table.entries.into_iter().enumerate();
        entries
            .filter(|(_, entry)| !self.is_file_system && entry.kind != PartitionType::EMPTY)
            .collect()
    }

    /// Where a byte of the image stands.
    pub(crate) const fn place(&self, byte: u64) -> Place {
        Place::within(self.boot.load_rba, byte)
    }
}

/// See [`Reading::named_file`]: of a large file in a FAT image only the first bytes are known.
fn whole_file(volumes: &mut Volumes<'_, '_>, system: FileSystem, path: &str) -> Option<DiscBytes> {
    let systems = [system, FileSystem::Tree].into_iter();
    let mut found = systems.filter_map(|system| match volumes.find(system, path, Eyes::Grub) {
        Found::File { runs, length } => Some(DiscBytes::new(runs, length)),
        _ => None,
    });
    found.next().filter(DiscBytes::is_whole)
}
