//! Which boot images a disc carries, and which catalog entries point to them.

use super::not_mastered::NotMastered;
use crate::{
    boot::{Boot, Count, Emulation, FatType, Loaders},
    boot_image::{self, BootImage, GeometryRequest, Identity},
    bytes::padded,
    defect::Defect,
    eltorito::{
        BOOTABLE, BootEntry, Catalog, Extension, MediaType, Platform, Section, SectionEntry,
        SelectionCriteria, ValidationEntry,
    },
    finding::FindingId,
    iso9660::SYSTEM_AREA_BLOCKS,
    probe::DiscHash,
    units::{BlockCount, Lba, VirtualSectorCount},
};

/// The slot of the initial entry.
const INITIAL: u16 = 1;
/// The length of a no-emulation image when nothing asks for another.
const NO_EMULATION: VirtualSectorCount = VirtualSectorCount::new(64);
/// What mastering tools call "load size 4": one block, and the first of four sectors is enough for stage 1.
const NO_EMULATION_COUNT: u16 = 4;

/// How much too short a floppy of a wrong size is: two blocks.
const CUT_OFF: VirtualSectorCount = BlockCount::new(2).virtual_sectors();

/// The images of a disc, and the entries that point to them.
#[derive(Debug)]
pub(super) struct Plan {
    /// In slot order; fillers share the initial entry's image.
    pub(super) images: Vec<BootImage>,
    /// How much of the disc each image takes: its length, but for a defect.
    pub(super) extents: Vec<VirtualSectorCount>,
    /// Slot 1, then the sections.
    initial: Entry,
    sections: Vec<(Platform, Vec<Entry>)>,
    /// How many extensions follow the last section entry.
    extensions: u16,
}

/// An entry, and the index of its image.
#[derive(Clone, Copy, Debug)]
struct Entry {
    media: MediaType,
    count: Count,
    image: usize,
}

impl Plan {
    /// Makes the images that a disc carries. `length` is that of the image under test: the EFI system partition if
    /// there is one, else the BIOS image.
    pub(super) fn new(
        disc: DiscHash,
        boot: &Boot,
        length: Option<VirtualSectorCount>,
    ) -> Result<Self, NotMastered> {
        let bios_length = if boot.mode.efi() { None } else { length };
        let mut images = Vec::new();
        let mut initial = None;
        if let Some(emulation) = boot.mode.bios() {
            let count = bios_count(boot, emulation);
            let image = bios_image(
                Identity {
                    disc,
                    slot: INITIAL,
                },
                boot,
                emulation,
                count,
                bios_length,
            )?;
            initial = Some(Entry {
                media: emulation.media_type(),
                count,
                image: images.len(),
            });
            images.push(image);
        }
        let entries = usize::from(boot.entries.unwrap_or(
            if boot.mode.bios().is_some() && boot.mode.efi() {
                2
            } else {
                1
            },
        ));
        let mut sections = Vec::new();
        match (initial, boot.mode.efi()) {
            (Some(initial), true) => {
                sections.extend(fillers(boot, initial));
                let first_slot = boot.slot.unwrap_or(3);
                let efi = efi_entries(disc, boot, length, first_slot, entries - 1, &mut images)?;
                sections.push((boot.platform.unwrap_or(Platform::EFI), efi));
            }
            (Some(initial), false) if entries > 1 => {
                sections.push((
                    Platform::X86,
                    bios_entries(disc, boot, initial, entries - 1, &mut images)?,
                ));
            }
            (None, true) if boot.slot.is_some() => {
                // An initial entry of its own that does not boot, then fillers, then the EFI entry.
                let identity = Identity {
                    disc,
                    slot: INITIAL,
                };
                let image = boot_image::no_emulation(identity, NO_EMULATION, None)?;
                let count = Count::Given(NO_EMULATION_COUNT);
                let filler = Entry {
                    media: MediaType::NO_EMULATION,
                    count,
                    image: images.len(),
                };
                images.push(image);
                initial = Some(filler);
                sections.extend(fillers(boot, filler));
                let first_slot = boot.slot.unwrap_or(3);
                let efi = efi_entries(disc, boot, length, first_slot, 1, &mut images)?;
                sections.push((boot.platform.unwrap_or(Platform::EFI), efi));
            }
            (None, true) => {
                let first = efi_entries(disc, boot, length, INITIAL, 1, &mut images)?;
                initial = first.first().copied();
                if entries > 1 {
                    let efi = efi_entries(disc, boot, None, 3, entries - 1, &mut images)?;
                    sections.push((Platform::EFI, efi));
                }
            }
            _ => {}
        }
        let initial = initial.unwrap_or(Entry {
            media: MediaType::NO_EMULATION,
            count: Count::Given(0),
            image: 0,
        });
        let extents = extents(boot, &images);
        Ok(Self {
            images,
            extents,
            initial,
            sections,
            extensions: boot.extensions.unwrap_or(0),
        })
    }

    /// The image that `size` speaks of: the EFI system partition where there is one, else the BIOS image.
    pub(super) fn under_test(&self, boot: &Boot) -> Option<usize> {
        under_test(boot, &self.images)
    }

    /// Spoils the images as a defect of theirs does, for whoever else is to put them on a disc.
    pub(super) fn spoil_images(&mut self, defect: Defect) {
        let extents = self.extents.iter();
        for (image, extent) in self.images.iter_mut().zip(extents) {
            image
                .bytes
                .set_len(extent.bytes().get().min(image.bytes.len()));
            let is_efi = image.is_efi();
            defect.inject_into_image(&mut image.bytes, is_efi);
        }
    }

    /// Writes into the images what depends on where they stand.
    pub(super) fn settle(&mut self, boot: &Boot, images: &[Lba]) {
        if boot.boot_info.is_some()
            && let Some((image, &lba)) = self.images.first_mut().zip(images.first())
        {
            boot_image::write_boot_info(image, Lba::new(SYSTEM_AREA_BLOCKS.get()), lba);
        }
    }

    /// How many boot entries the catalog has.
    pub(super) fn entry_count(&self) -> usize {
        1 + self
            .sections
            .iter()
            .map(|(_, entries)| entries.len())
            .sum::<usize>()
    }

    /// How many slots the catalog has.
    pub(super) fn slot_count(&self) -> usize {
        1 + self.sections.len() + self.entry_count() + usize::from(self.extensions)
    }

    /// Files on the disc besides the catalog and the boot images: path and content.
    pub(super) fn files(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let with_loaders = self.images.iter().find(|image| image.is_efi());
        let loaders = with_loaders.map_or(&[][..], |image| &image.loaders);
        let readme: &[u8] = b"This disc was made by boot-matrix to see whether it boots.\n";
        [("/README.TXT", readme)]
            .into_iter()
            .chain(loaders.iter().map(|(it, loader)| (it.path(), &**loader)))
    }

    /// The contents of [`Self::files`].
    pub(super) fn contents(&self) -> impl Iterator<Item = &[u8]> {
        self.files().map(|(_, content)| content)
    }

    /// The catalog whose entries point to the images' addresses.
    pub(super) fn catalog(&self, boot: &Boot, images: &[Lba]) -> Result<Catalog, NotMastered> {
        let initial_platform = if boot.mode.bios().is_some() || boot.slot.is_some() {
            Platform::X86
        } else {
            Platform::EFI
        };
        let one_section = self.sections.is_empty();
        let platform = boot
            .platform
            .filter(|_| one_section)
            .unwrap_or(initial_platform);
        let segment = boot.segment.unwrap_or(0);
        let encode = |entry: &Entry, segment| -> Result<BootEntry, NotMastered> {
            let image = &self.images[entry.image];
            let lba = images[entry.image];
            // A tool that is given a cut image counts what it is given.
            let length = image.length().min(self.extents[entry.image]);
            Ok(BootEntry {
                indicator: BOOTABLE,
                media: entry.media,
                load_segment: segment,
                system_type: image.system_type,
                sector_count: sector_count(entry.count, length)?,
                load_rba: lba.to_u32().ok_or(NotMastered::BeyondLba32 { lba })?,
            })
        };
        let mut sections = Vec::new();
        for (platform, entries) in &self.sections {
            let entries = entries
                .iter()
                .map(|entry| encode(entry, 0).map(SectionEntry::plain));
            sections.push(Section {
                platform: *platform,
                id: "boot-matrix".to_owned(),
                entries: entries.collect::<Result<_, _>>()?,
            });
        }
        if let Some(last) = sections
            .last_mut()
            .and_then(|section| section.entries.last_mut())
        {
            if self.extensions > 0 {
                // Type 1: language and version information (El Torito §2.4).
                last.criteria = SelectionCriteria {
                    kind: 1,
                    data: padded::<19>("en", 0),
                };
            }
            last.extensions = (0..self.extensions)
                .map(|_| Extension {
                    data: padded::<30>("boot-matrix", 0),
                })
                .collect();
        }
        Ok(Catalog {
            validation: ValidationEntry {
                platform,
                id: "boot-matrix".to_owned(),
            },
            initial: encode(&self.initial, segment)?,
            sections,
        })
    }
}

fn under_test(boot: &Boot, images: &[BootImage]) -> Option<usize> {
    let last = images.len().checked_sub(1)?;
    Some(if boot.mode.efi() { last } else { 0 })
}

fn extents(boot: &Boot, images: &[BootImage]) -> Vec<VirtualSectorCount> {
    let mut extents: Vec<_> = images.iter().map(BootImage::length).collect();
    match (boot.defect.map(Defect::id), under_test(boot, images)) {
        (Some(FindingId::ImageOversized4x), Some(image)) => {
            extents[image] = four_times(extents[image]);
        }
        (Some(FindingId::FloppySize), _) => {
            if let Some(floppy) = extents.first_mut() {
                *floppy = floppy.checked_sub(CUT_OFF).unwrap_or_default();
            }
        }
        (Some(FindingId::EfiFatLongerThanImage), Some(image)) => {
            // Half of it, in whole blocks.
            extents[image] = BlockCount::new(extents[image].get() / 8).virtual_sectors();
        }
        _ => {}
    }
    extents
}

/// KB912666: a length in virtual sectors, written as so many blocks.
pub(super) const fn four_times(length: VirtualSectorCount) -> VirtualSectorCount {
    BlockCount::new(length.get()).virtual_sectors()
}

/// The section of x86 entries that brings the EFI entry to its slot. Before it stand the validation entry, the
/// initial entry, this section's header, its entries and the EFI section's header; slot 3 needs no such section, and
/// slot 4 an empty one.
fn fillers(boot: &Boot, filler: Entry) -> Option<(Platform, Vec<Entry>)> {
    let entries = boot.slot?.checked_sub(4)?;
    Some((Platform::X86, vec![filler; usize::from(entries)]))
}

fn bios_count(boot: &Boot, emulation: Emulation) -> Count {
    let ordinary = match emulation {
        Emulation::None => NO_EMULATION_COUNT,
        // El Torito §2.2: the BIOS loads one sector and the image's own boot sector does the rest.
        Emulation::Floppy(_) | Emulation::HardDisk => 1,
    };
    boot.count
        .filter(|_| !boot.mode.efi())
        .unwrap_or(Count::Given(ordinary))
}

fn bios_image(
    identity: Identity,
    boot: &Boot,
    emulation: Emulation,
    count: Count,
    length: Option<VirtualSectorCount>,
) -> Result<BootImage, NotMastered> {
    Ok(match emulation {
        Emulation::None => {
            let loaded = match count {
                Count::Given(count) => VirtualSectorCount::new(u64::from(count)),
                Count::Full | Count::Wrapped => VirtualSectorCount::ZERO,
            };
            let length = length.unwrap_or(NO_EMULATION.max(loaded));
            boot_image::no_emulation(identity, length, boot.boot_info)?
        }
        Emulation::Floppy(floppy) => {
            boot_image::floppy(identity, floppy, length.unwrap_or(floppy.length()))?
        }
        Emulation::HardDisk => {
            let request = GeometryRequest {
                cylinders: boot.cylinders,
                heads: boot.heads,
                sectors: boot.sectors,
            };
            let ten_cylinders = GeometryRequest {
                cylinders: Some(10),
                ..request
            };
            let length = length.or(request.length()).or(ten_cylinders.length());
            boot_image::hard_disk(identity, length.unwrap_or_default(), request)?
        }
    })
}

/// Further x86 entries, each with a small no-emulation image of its own.
fn bios_entries(
    disc: DiscHash,
    boot: &Boot,
    initial: Entry,
    entries: usize,
    images: &mut Vec<BootImage>,
) -> Result<Vec<Entry>, NotMastered> {
    let _ = (boot, initial);
    let mut made = Vec::new();
    for slot in slots_from(3, entries)? {
        let image = boot_image::no_emulation(Identity { disc, slot }, NO_EMULATION, None)?;
        let count = Count::Given(NO_EMULATION_COUNT);
        made.push(Entry {
            media: MediaType::NO_EMULATION,
            count,
            image: images.len(),
        });
        images.push(image);
    }
    Ok(made)
}

/// EFI entries from a slot on, each with an EFI system partition of its own; the first is the one under test.
fn efi_entries(
    disc: DiscHash,
    boot: &Boot,
    length: Option<VirtualSectorCount>,
    first_slot: u16,
    entries: usize,
    images: &mut Vec<BootImage>,
) -> Result<Vec<Entry>, NotMastered> {
    let mut made = Vec::new();
    let loaders = boot.loaders.clone().unwrap_or_else(Loaders::ordinary);
    for slot in slots_from(first_slot, entries)? {
        let under_test = slot == first_slot;
        let fat = boot.fat.filter(|_| under_test);
        let length = length
            .filter(|_| under_test)
            .unwrap_or_else(|| efi_length(fat));
        let image =
            boot_image::efi_system_partition_with(Identity { disc, slot }, length, fat, &loaders)?;
        // "To the end of the medium" (UEFI §13.3.2.1) where 16 bits do not reach.
        let ordinary = if length.to_u16().is_some() {
            Count::Full
        } else {
            Count::Given(0)
        };
        let count = boot.count.filter(|_| under_test).unwrap_or(ordinary);
        made.push(Entry {
            media: MediaType::NO_EMULATION,
            count,
            image: images.len(),
        });
        images.push(image);
    }
    Ok(made)
}

fn slots_from(first: u16, entries: usize) -> Result<impl Iterator<Item = u16>, NotMastered> {
    let slots = usize::from(first) + entries;
    let end = u16::try_from(slots).map_err(|_| NotMastered::TooManyEntries { slots })?;
    Ok(first..end)
}

/// The length of an EFI system partition when nothing asks for another: the least round one for its FAT type.
const fn efi_length(fat: Option<FatType>) -> VirtualSectorCount {
    VirtualSectorCount::new(match fat {
        None | Some(FatType::Fat12) => 2_880,
        Some(FatType::Fat16) => 16 * 2_048,
        Some(FatType::Fat32) => 40 * 2_048,
    })
}

pub(super) fn sector_count(count: Count, length: VirtualSectorCount) -> Result<u16, NotMastered> {
    match count {
        Count::Given(count) => Ok(count),
        Count::Full => length.to_u16().ok_or(NotMastered::CountTooLarge { length }),
        Count::Wrapped => Ok(u16::try_from(length.get() % 65_536).unwrap_or_default()),
    }
}
