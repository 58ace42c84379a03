//! What UEFI starts on a disc, or could start.

use std::collections::BTreeSet;

use super::super::parts::{EfiPart, Image, MOST_MIB, Searched, path};
use crate::{
    efi_program::{EfiProgram, HEADERS, Machine},
    eltorito::Platform,
    fat::FatVolume,
    finding::FindingId,
    inspect::{Owner, Purpose, Reading},
    units::Lba,
};

/// The room that a FAT image gets where nothing says how much is needed.
const USUAL_MIB: u64 = 16;

/// What UEFI starts, or could.
pub(super) fn efi(reading: &mut Reading<'_, '_>, searched: &Searched) -> Option<EfiPart> {
    let images = reading.efi_images();
    let whole = images.iter().find_map(|image| {
        let fat = image.fat.filter(|_| image.works())?;
        let length = fat.parameters.length();
        let is_there =
            !image.length_is_known || length.bytes() <= image.length.blocks_rounded_up().bytes();
        let boot = image.boot;
        let of_file = boot.path.clone().and_then(path).map(Image::File);
        let blocks = || Image::Blocks {
            start: boot.load_rba,
            blocks: length.blocks_rounded_up(),
            in_partition: true,
        };
        let image = of_file.unwrap_or_else(blocks);
        is_there.then_some(EfiPart::Whole { image, length })
    });
    let whole = whole.or_else(|| elsewhere(reading));
    whole
        .or_else(|| {
            images.iter().find_map(|image| {
                let fat = image
                    .fat
                    .filter(|fat| fat.parameters.wrong_width().is_none())?;
                let mut programs = image.programs.iter();
                let (program, to) = programs.find_map(|program| {
                    let headers = program.headers.as_ref().filter(|it| it.is_efi)?;
                    let is_misnamed = program.looked_for().is_none();
                    Some((program, headers.machine.loader()?)).filter(|_| is_misnamed)
                })?;
                Some(EfiPart::Misnamed {
                    path: path(image.boot.path.clone()?)?,
                    folders: missing_folders(reading, fat),
                    from: program.path().replace('\\', "/"),
                    to: to.to_owned(),
                    length: fat.parameters.length(),
                })
            })
        })
        .or_else(|| to_make(reading, searched))
}

/// The folders of removable media that a file system does not have.
fn missing_folders(reading: &mut Reading<'_, '_>, fat: FatVolume) -> Vec<&'static str> {
    let mut folder = |above: Option<u32>, name: &str| {
        let files = fat.list(reading.disc, above);
        let mut folders = files.into_iter().filter(|file| file.directory);
        let found = folders.find(|file| file.name.eq_ignore_ascii_case(name));
        found.map(|file| file.cluster)
    };
    match folder(None, "EFI") {
        None => vec!["::/EFI", "::/EFI/BOOT"],
        Some(efi) if folder(Some(efi), "BOOT").is_none() => vec!["::/EFI/BOOT"],
        Some(_) => Vec::new(),
    }
}

/// An image with a loader that no entry names which boots.
fn elsewhere(reading: &mut Reading<'_, '_>) -> Option<EfiPart> {
    let named: BTreeSet<Lba> = reading
        .bootable_efi_entries()
        .map(|(_, boot)| boot.load_rba)
        .collect();
    let images = reading.images_elsewhere();
    images
        .iter()
        .filter(|image| !named.contains(&image.lba))
        .find_map(|other| {
            let fat = FatVolume::at(reading.disc, other.lba.byte_offset())?;
            let length = fat.parameters.length();
            let image = match other.what {
                Owner::File => Image::File(path(reading.path_of(other.lba)?)?),
                Owner::Partition | Owner::Nothing => Image::Blocks {
                    start: other.lba,
                    blocks: length.blocks_rounded_up(),
                    in_partition: other.what == Owner::Partition,
                },
            };
            Some(EfiPart::Whole { image, length })
        })
}

/// An image that must be made, of what is in the tree or of a loader that its maker has.
fn to_make(reading: &mut Reading<'_, '_>, searched: &Searched) -> Option<EfiPart> {
    let in_tree = loader_in_tree(reading);
    let entry = reading
        .entries()
        .filter(|(entry, boot)| {
            entry.platform == Platform::EFI || Purpose::of(entry.platform, boot) == Purpose::Efi
        })
        .map(|(_, boot)| boot)
        .next();
    if in_tree.is_none() && entry.is_none() {
        return None;
    }
    let of_entry = entry.and_then(|boot| path(boot.path.clone()?));
    let named = entry.and_then(|boot| boot.loaders.first().cloned());
    // A quarter more, for the file system and for what is added some day.
    let mib = searched.efi_bytes.saturating_mul(5) / 4 / (1 << 20) + 2;
    let from = searched.efi_folder.clone().filter(|_| in_tree.is_some());
    Some(EfiPart::ToMake {
        path: of_entry.unwrap_or_else(|| "boot/efi.img".to_owned()),
        mib: if from.is_some() {
            mib.clamp(4, MOST_MIB)
        } else {
            USUAL_MIB
        },
        from,
        loader: in_tree
            .or(named)
            .unwrap_or_else(|| "BOOTX64.EFI".to_owned()),
    })
}

/// A loader in `/EFI/BOOT` of the tree that is what its name says.
fn loader_in_tree(reading: &mut Reading<'_, '_>) -> Option<String> {
    let loaders = reading.inspection.tree.as_ref()?.loaders.iter();
    let mut loaders = loaders.filter_map(|name| Some((name, Machine::of_loader(name)?)));
    loaders
        .find(|(name, machine)| {
            let head = reading.file_at(&format!("/EFI/BOOT/{name}"), HEADERS);
            let program = head.and_then(|head| EfiProgram::decode(&head));
            program.is_some_and(|program| program.is_efi && machine.runs(program.machine))
        })
        .map(|(name, _)| name.clone())
}

/// What shim wants to start, where that is what was found to be missing.
pub(super) fn second_stage(reading: &mut Reading<'_, '_>) -> Option<String> {
    let mut found = reading.found.iter();
    found.find(|finding| finding.id == FindingId::EfiSecondStage)?;
    let images = reading.efi_images();
    images.iter().find_map(|image| {
        let shim = image
            .programs
            .iter()
            .find(|program| program.works() && program.is_shim(reading.disc))?;
        let wanted = shim.second_stage_of_shim(reading.disc)?;
        let mut beside = image.in_boot_folder();
        let is_there = beside.any(|program| program.name.eq_ignore_ascii_case(&wanted));
        (!is_there).then_some(wanted)
    })
}
