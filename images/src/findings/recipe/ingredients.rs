//! What is on a disc that decides how it is mastered.

mod efi;

use std::ops::ControlFlow;

use self::efi::{efi, second_stage};
use super::{
    super::{config_wrong_medium, image_not_at_start, missing_emulation},
    parts::{BiosPart, EfiPart, Image, Searched, path},
};
use crate::{
    boot::Floppy,
    boot_configuration::Loader,
    eltorito::MediaType,
    finding::{FindingId, Severity},
    inspect::{
        BiosProgram, BootReading, NodeKind, Purpose, Reading, floppy, reads_table, walk_tree,
    },
    iso9660::Names,
    partition_table::Mbr,
    units::{BlockCount, ByteCount, Lba, VirtualSectorCount},
};

/// A BIOS that loads this much is asked to load an unknown image whole: VirtualBox takes no more.
const LOADED_WHOLE: VirtualSectorCount = VirtualSectorCount::new(1_024);
/// What is loaded of a larger one, by custom.
const LOADED: VirtualSectorCount = VirtualSectorCount::new(4);
const FLOPPIES: [MediaType; 3] = [
    MediaType::FLOPPY_1200K,
    MediaType::FLOPPY_1440K,
    MediaType::FLOPPY_2880K,
];
/// Files that may be a BIOS' loader, of which so many are looked at.
const CANDIDATES: usize = 64;
/// No loader for a BIOS is longer.
const LOADER_BYTES: ByteCount = ByteCount::new(4 << 20);

/// What is on a disc that decides how it is mastered.
#[derive(Clone, Debug, Default)]
pub(super) struct Ingredients {
    /// The label that the volume has, or the one that its configurations want.
    pub(super) label: String,
    /// Whether that is one that a configuration wants, and not the disc's own.
    pub(super) wants_label: bool,
    /// The UUID that one wants, where it is not the disc's own.
    pub(super) wanted_uuid: Option<String>,
    pub(super) has_joliet: bool,
    pub(super) has_udf: bool,
    /// The path at which the boot catalog stands.
    pub(super) catalog: Option<String>,
    pub(super) bios: Option<BiosPart>,
    pub(super) efi: Option<EfiPart>,
    /// Whether the disc has boot code for a stick.
    pub(super) is_stick: bool,
    /// Whether GRUB's configuration is where grub-mkrescue wants it, and made for its loaders: they load modules from the disc, and a configuration that was made
    /// for others may not ask for them.
    pub(super) is_for_mkrescue: bool,
    /// Whether isolinux is on it, with a configuration.
    pub(super) has_isolinux_configuration: bool,
    /// What shim wants to start and does not find.
    pub(super) second_stage: Option<String>,
    /// The path of the largest file.
    pub(super) largest_file: Option<String>,
}

impl Ingredients {
    /// What a disc tells.
    pub(super) fn of(reading: &mut Reading<'_, '_>) -> Self {
        let volume = reading.inspection.volume.as_ref();
        let searched = search(reading);
        let bios = bios(reading, &searched);
        let configurations = reading.configurations();
        let wanted_label = wanted_label(reading);
        let wants_label = wanted_label.is_some();
        let label = wanted_label.or_else(|| volume.map(|volume| volume.id.clone()));
        let efi = efi(reading, &searched);
        let has_loader = bios.is_some() || efi.is_some();
        let mut has = |path: &str| reading.has_file(path) == Some(true);
        let is_for_mkrescue = has("/boot/grub/grub.cfg")
            && (!has_loader
                || has("/boot/grub/i386-pc/normal.mod")
                || has("/boot/grub/x86_64-efi/normal.mod"));
        let catalog = reading.catalog().map(|catalog| catalog.lba);
        let largest = reading.tree.and_then(|tree| tree.largest.as_ref());
        Self {
            // Other letters are kept as question marks, which the right label does not have.
            label: label
                .filter(|label| !label.contains('?'))
                .unwrap_or_default(),
            wants_label,
            wanted_uuid: config_wrong_medium::unmet_uuid(reading),
            has_joliet: volume.is_some_and(|volume| volume.supplementary),
            has_udf: reading.udf().is_some(),
            catalog: catalog.and_then(|lba| path(reading.path_of(lba)?)),
            efi,
            is_for_mkrescue,
            is_stick: reading.sector_code.is_code(),
            has_isolinux_configuration: configurations.of(Loader::Isolinux).next().is_some(),
            second_stage: second_stage(reading),
            largest_file: largest.and_then(|(_, file)| path(file.path.clone())),
            bios,
        }
    }

    /// Discs of the usual kinds.
    pub(super) fn examples() -> Vec<(&'static str, Self)> {
        let bios = |path: &str, program: BiosProgram| BiosPart {
            image: Image::File(path.to_owned()),
            program,
            media: MediaType::NO_EMULATION,
            length: VirtualSectorCount::new(80),
            load: program.needs().unwrap_or(LOADED),
            has_table: program != BiosProgram::Etfsboot,
            padded: None,
        };
        let isolinux = bios("isolinux/isolinux.bin", BiosProgram::Isolinux(Some(6)));
        let grub = bios("boot/grub/i386-pc/eltorito.img", BiosProgram::Grub);
        let windows = bios("boot/etfsboot.com", BiosProgram::Etfsboot);
        let whole = |image| EfiPart::Whole {
            image,
            length: VirtualSectorCount::new(5_760),
        };
        let image = |path: &str| Some(whole(Image::File(path.to_owned())));
        let behind = Image::Blocks {
            start: Lba::new(2_048),
            blocks: BlockCount::new(1_440),
            in_partition: true,
        };
        let to_make = EfiPart::ToMake {
            path: "boot/efi.img".to_owned(),
            from: Some("EFI".to_owned()),
            loader: "BOOTX64.EFI".to_owned(),
            mib: 4,
        };
        let disc = |bios: Option<&BiosPart>, efi| Self {
            label: "MY_DISC".to_owned(),
            bios: bios.cloned(),
            efi,
            ..Self::default()
        };
        let stick = |disc: Self| Self {
            is_stick: true,
            ..disc
        };
        vec![
            ("isolinux", disc(Some(&isolinux), None)),
            (
                "isolinux and an image for UEFI, also to boot from a stick",
                stick(disc(Some(&isolinux), image("boot/efi.img"))),
            ),
            (
                "isolinux and a partition for UEFI after the volume, also to boot from a stick",
                stick(disc(Some(&isolinux), Some(whole(behind)))),
            ),
            (
                "GRUB and an image for UEFI, also to boot from a stick",
                Self {
                    is_for_mkrescue: true,
                    ..stick(disc(Some(&grub), image("boot/efi.img")))
                },
            ),
            (
                "Windows",
                Self {
                    has_udf: true,
                    ..disc(Some(&windows), image("efi/microsoft/boot/efisys.bin"))
                },
            ),
            (
                "a loader for UEFI that is in the tree but in no image",
                disc(None, Some(to_make)),
            ),
        ]
    }

    /// The folder of the boot images.
    pub(super) fn folder(&self) -> &str {
        let bios = self.bios.as_ref().map(|bios| &bios.image);
        let path = match (bios, &self.efi) {
            (Some(Image::File(path)), _)
            | (
                _,
                Some(
                    EfiPart::Whole {
                        image: Image::File(path),
                        ..
                    }
                    | EfiPart::Misnamed { path, .. }
                    | EfiPart::ToMake { path, .. },
                ),
            ) => path,
            _ => "boot/",
        };
        path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    pub(super) fn is_isolinux(&self) -> bool {
        let bios = self.bios.as_ref();
        bios.is_some_and(|bios| bios.program.is_isolinux())
    }

    pub(super) fn is_grub(&self) -> bool {
        let bios = self.bios.as_ref();
        bios.is_some_and(|bios| bios.program == BiosProgram::Grub)
    }
}

/// The label that the configurations want, where that was found to be another one.
fn wanted_label(reading: &mut Reading<'_, '_>) -> Option<String> {
    let mut found = reading.found.iter();
    found.find(|finding| {
        finding.id == FindingId::ConfigWrongMedium && finding.severity == Severity::Error
    })?;
    config_wrong_medium::unmet_label(reading)
}

/// Walks the tree once.
fn search(reading: &mut Reading<'_, '_>) -> Searched {
    let mut searched = Searched::default();
    let primary = reading.descriptors.main.primary.as_ref();
    let Some(root) = primary.and_then(|(_, primary)| primary.root.as_ref()) else {
        return searched;
    };
    walk_tree(reading.disc, root, Names::Plain, &mut |node| {
        if node.kind == NodeKind::File {
            let name = node.name.to_ascii_lowercase();
            let may_be = [".bin", ".img", ".com"]
                .iter()
                .any(|end| name.ends_with(end));
            if may_be && node.length() <= LOADER_BYTES && searched.candidates.len() < CANDIDATES {
                let candidate = (node.start(), node.path(), node.length());
                searched.candidates.push(candidate);
            }
            let path = node.path();
            if let Some((folder, _)) = path.trim_start_matches('/').split_once('/')
                && folder.eq_ignore_ascii_case("EFI")
            {
                searched.efi_folder.get_or_insert_with(|| folder.to_owned());
                let length = node.length().get();
                searched.efi_bytes = searched.efi_bytes.saturating_add(length);
            }
        }
        ControlFlow::Continue(())
    });
    searched
}

/// What a BIOS starts, or could: the image of an entry, or a loader in the tree.
fn bios(reading: &mut Reading<'_, '_>, searched: &Searched) -> Option<BiosPart> {
    let of_other = reading.entries_for(Purpose::Other);
    let entries: Vec<&BootReading> = reading
        .bios_entries()
        .chain(of_other)
        .map(|(_, boot)| boot)
        .collect();
    let named = entries.iter().find_map(|boot| {
        let length = boot.file_bytes?;
        let path = path(boot.path.clone()?)?;
        Some((boot.load_rba, Image::File(path), length, Some(*boot)))
    });
    let found = named
        .or_else(|| {
            // An address that is off lies in the file, or some blocks before it.
            let boot = *entries.first()?;
            let (start, path, length) = candidate_at(reading, boot.load_rba)?;
            Some((start, Image::File(path), length, Some(boot)))
        })
        .or_else(|| {
            // A disc that was made for UEFI alone stays one.
            let is_for_efi = reading.bootable_efi_entries().next().is_some();
            if entries.is_empty() && is_for_efi {
                return None;
            }
            let known = known_loader(reading, searched)?;
            let (start, path, length) = known;
            Some((start, Image::File(path), length, entries.first().copied()))
        })
        .or_else(|| {
            let on_disc = |boot: &&&BootReading| {
                reading.images.room(boot.load_rba).is_some() && boot.extent_blocks.is_some()
            };
            let boot = *entries.iter().find(on_disc)?;
            let blocks = boot.extent_blocks?;
            let blocks = boot
                .own_length
                .map_or(blocks, VirtualSectorCount::blocks_rounded_up);
            let image = Image::Blocks {
                start: boot.load_rba,
                blocks,
                in_partition: false,
            };
            Some((boot.load_rba, image, blocks.bytes(), Some(boot)))
        });
    let (start, image, length, boot) = found?;
    let program = program(reading, boot, start);
    let padded = padded(reading, program, start, length);
    let length = length.virtual_sectors_rounded_up();
    Some(BiosPart {
        image,
        program,
        media: media(reading, boot, start, length, program),
        length,
        load: program.needs().unwrap_or(if length <= LOADED_WHOLE {
            length
        } else {
            LOADED
        }),
        has_table: matches!(program, BiosProgram::Isolinux(_) | BiosProgram::Grub)
            || boot.is_some_and(|boot| {
                boot.media.emulation() == MediaType::NO_EMULATION && boot.own_length.is_some()
            })
            || reads_table(reading.disc, start.byte_offset()),
        padded,
    })
}

/// How long a program is that was filled up with zeros to the length of a floppy.
fn padded(
    reading: &mut Reading<'_, '_>,
    program: BiosProgram,
    start: Lba,
    length: ByteCount,
) -> Option<ByteCount> {
    let is_floppy =
        |media: &MediaType| floppy(*media).map(|it| it.length().bytes()) == Some(length);
    FLOPPIES
        .iter()
        .find(|media| is_floppy(media) && program != BiosProgram::Unknown)?;
    let mut bytes = vec![0; usize::try_from(length.get()).ok()?];
    reading.disc.read(start.byte_offset(), &mut bytes);
    let last = bytes.iter().rposition(|&byte| byte != 0)? as u64;
    let used = ByteCount::new(last.saturating_add(1));
    Some(used.blocks_rounded_up().bytes())
}

/// The file in which a block lies, or that begins a few blocks behind it.
fn candidate_at(reading: &mut Reading<'_, '_>, lba: Lba) -> Option<(Lba, String, ByteCount)> {
    let tree = reading.tree?;
    let (start, _) = image_not_at_start::near(&tree.extents, lba)?;
    let file = reading.file_starting_at(start)?;
    Some((start, path(file.path)?, file.length))
}

/// The program that starts at a block. In the image of a drive its name may be that of any file.
fn program(reading: &mut Reading<'_, '_>, boot: Option<&BootReading>, start: Lba) -> BiosProgram {
    let start = start.byte_offset();
    let is_drive = boot.is_some_and(|boot| boot.media.emulation() != MediaType::NO_EMULATION);
    if is_drive && !BiosProgram::begins_at(reading.disc, start) {
        return BiosProgram::Unknown;
    }
    BiosProgram::read(reading.disc, start)
}

/// A loader for a BIOS that is known, somewhere in the tree.
fn known_loader(
    reading: &mut Reading<'_, '_>,
    searched: &Searched,
) -> Option<(Lba, String, ByteCount)> {
    let mut candidates = searched.candidates.iter();
    candidates.find_map(|(start, found, length)| {
        let is_one = BiosProgram::begins_at(reading.disc, start.byte_offset());
        Some((*start, path(found.clone())?, *length)).filter(|_| is_one)
    })
}

/// As what the image is started: programs that are known want no emulation, and a type that does not exist says nothing.
fn media(
    reading: &mut Reading<'_, '_>,
    boot: Option<&BootReading>,
    start: Lba,
    length: VirtualSectorCount,
    program: BiosProgram,
) -> MediaType {
    let given = boot.map_or(MediaType::NO_EMULATION, |boot| boot.media.emulation());
    if program != BiosProgram::Unknown {
        MediaType::NO_EMULATION
    } else if let Some((drive, _)) = boot.and_then(|boot| missing_emulation::drive(reading, boot)) {
        drive
    } else if given.0 <= MediaType::HARD_DISK.0 {
        given
    } else {
        let is_so_long = |media: &MediaType| floppy(*media).map(Floppy::length) == Some(length);
        let sector = reading.disc.array::<512>(start.byte_offset());
        let table = sector.filter(|sector| sector.ends_with(&[0x55, 0xAA]));
        let has_partition = table.is_some_and(|sector| Mbr::decode(&sector).used().count() == 1);
        match FLOPPIES.into_iter().find(is_so_long) {
            Some(media) => media,
            None if has_partition => MediaType::HARD_DISK,
            None => MediaType::NO_EMULATION,
        }
    }
}
