//! `efi-second-stage`: an EFI loader that does not find its next stage.

use super::{
    grub_files::{ELF_HEADER, GIVE_A_PREFIX, is_of_another_platform, on_a_disk},
    recipe::declared::commands,
    room::Room,
};
use crate::{
    boot_configuration::{FileSystem, Loader},
    efi_program::Machine,
    fat::FatVolume,
    finding::{Finding, FindingId, Place, Severity},
    grub_core::{GrubCore, Next},
    inspect::Reading,
    inspect::efi_image::{EfiImage, Program},
    tool::Tool,
    units::VirtualSector,
};

const ID: FindingId = FindingId::EfiSecondStage;

/// The image is rebuilt, because it may have no room for another file.
const WITH_SECOND_STAGE: &str = "\
mkdir esp
mcopy -s -i {efi} ::/EFI esp/
cp {second} esp/EFI/BOOT/
rm {efi}
truncate -s 16M {efi}
mkfs.fat {efi}
mcopy -s -i {efi} esp/EFI ::
{call}";

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    trips: &["ovmf"],
    explanation: "The disc lacks a file that its EFI loader starts or reads next.",
    consequence: "shim prints that it failed to open its second stage. GRUB shows a prompt (grub rescue> if its modules are missing). systemd-boot shows an empty menu. SYSLINUX returns to the firmware with Load Error, or waits at its prompt, boot:.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise add the missing file. shim needs grubx64.efi in its folder. GRUB needs grub.cfg at its prefix, and beside it the folder with the modules of its platform (x86_64-efi), unless the module normal is built in. SYSLINUX needs ldlinux.e64 of the same version and syslinux.cfg beside it. systemd-boot needs an entry in /loader/entries of its image.",
    recipes: &[
        commands(Tool::Xorriso, WITH_SECOND_STAGE, "cp"),
        commands(Tool::Genisoimage, WITH_SECOND_STAGE, "cp"),
    ],
    check,
    ..Room::BASE
};

const FOR_SHIM: &str = "If you did not make the disc, ask its maker for a new one. Otherwise put the program that shim starts (grubx64.efi) into the same folder of the image.";
const FOR_GRUB: &str = "If you did not make the disc, ask its maker for a new one. Otherwise put grub.cfg where GRUB looks for it, and the folder with the modules of the same platform and build (x86_64-efi) beside it, or build GRUB with the module normal in it.";
const BUILD_ISO9660_IN: &str = "If you did not make the disc, ask its maker for a new one. Otherwise build GRUB with the module iso9660 in it (add iso9660 to the modules of grub-mkimage).";
const FOR_SYSLINUX: &str = "If you did not make the disc, ask its maker for a new one. Otherwise put ldlinux.e64 of the same version and syslinux.cfg beside the loader, in the image.";
const FOR_SYSTEMD_BOOT: &str = "If you did not make the disc, ask its maker for a new one. Otherwise put an entry into /loader/entries of the image, and its kernel into the same image.";

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let images = reading.efi_images();
    let mut findings = Vec::new();
    for image in images.iter() {
        for loader in image.programs.iter().filter(|loader| loader.works()) {
            let Some(lack) = missing(reading, image, loader) else {
                continue;
            };
            let message = format!(
                "slot {}: {} {}",
                image.entry.slot,
                loader.path(),
                lack.words
            );
            let offset = loader.file.start().unwrap_or_default();
            let finding = Finding::new(ID, Place { offset }, message);
            let finding = match lack.fix {
                Some(fix) => finding.with_fix(fix),
                None => finding,
            };
            findings.push(match lack.severity {
                Severity::Error => finding,
                _ => finding.milder(),
            });
        }
    }
    findings
}

/// What a loader lacks, as text that follows its name.
struct Lack {
    words: String,
    /// A warning if the file is missing only where the disc is a CD, or only where it is a disk, or if the disc may have been made without it.
    severity: Severity,
    /// The remedy, if it is not the usual one.
    fix: Option<&'static str>,
}

impl Lack {
    fn every_way(words: String) -> Self {
        Self {
            words,
            severity: Severity::Error,
            fix: None,
        }
    }

    /// The same with this remedy, unless it has one of its own.
    fn or_fix(mut self, fix: &'static str) -> Self {
        self.fix.get_or_insert(fix);
        self
    }
}

fn missing(reading: &mut Reading<'_, '_>, image: &EfiImage<'_>, loader: &Program) -> Option<Lack> {
    if loader.is_shim(reading.disc) {
        return second_stage(reading, image, loader).map(|lack| lack.or_fix(FOR_SHIM));
    }
    if loader.is_syslinux(reading.disc) {
        return syslinux(reading, image, loader).map(|lack| lack.or_fix(FOR_SYSLINUX));
    }
    if loader.is_systemd_boot(reading.disc) {
        return systemd_boot(reading, image).map(|lack| lack.or_fix(FOR_SYSTEMD_BOOT));
    }
    let core = loader.grub(reading.disc)?;
    let lack = normal(reading, image, loader, &core);
    let lack = lack.or_else(|| grub(reading, image, &core, ""));
    let lack = lack.or_else(|| iso9660(reading, image, &core));
    lack.map(|lack| lack.or_fix(FOR_GRUB))
}

/// What shim starts: the fallback program if it exists, else the second stage; then GRUB's configuration.
fn second_stage(
    reading: &mut Reading<'_, '_>,
    image: &EfiImage<'_>,
    shim: &Program,
) -> Option<Lack> {
    let beside = |name: &str| {
        let mut programs = image.in_boot_folder();
        programs.find(|program| program.name.eq_ignore_ascii_case(name))
    };
    let name = shim.second_stage_of_shim(reading.disc)?;
    let fallback = name.replacen("grub", "fb", 1);
    if beside(&fallback).is_some() {
        return None;
    }
    let Some(next) = beside(&name) else {
        return Some(Lack::every_way(format!(
            "is shim, which starts \\EFI\\BOOT\\{name}, but the image has no such file"
        )));
    };
    if let Some(wrong) = next.wrong() {
        return Some(Lack::every_way(format!(
            "is shim, which starts \\EFI\\BOOT\\{name}, but that {wrong}"
        )));
    }
    let core = next.grub(reading.disc)?;
    let lack = grub(reading, image, &core, &format!("leads to {name}, which "));
    lack.map(|lack| lack.or_fix(FOR_GRUB))
}

/// SYSLINUX without `ldlinux.e64`, or without a configuration: both are in its own folder, or where isolinux looks too
/// (`core/elflink/load_env32.c`, `com32/elflink/ldlinux/readconfig.c`).
fn syslinux(reading: &mut Reading<'_, '_>, image: &EfiImage<'_>, loader: &Program) -> Option<Lack> {
    let (next, own) = match loader.headers.as_ref()?.machine {
        Machine::X64 => ("ldlinux.e64", "syslx64.cfg"),
        Machine::IA32 => ("ldlinux.e32", "syslia32.cfg"),
        _ => return None,
    };
    let system = FileSystem::Image(image.boot.load_rba);
    let mut lacks = |names: &[&str]| {
        SYSLINUX_FOLDERS.iter().all(|folder| {
            let mut names = names.iter();
            names
                .all(|name| reading.has_file_in(system, &format!("{folder}/{name}")) == Some(false))
        })
    };
    let what = if lacks(&[next]) {
        format!("loads {next}")
    } else if lacks(&[own, "syslinux.cfg", "isolinux.cfg"]) {
        "reads syslinux.cfg".to_owned()
    } else {
        return None;
    };
    Some(Lack::every_way(format!(
        "is SYSLINUX and {what}, but its image has no such file where SYSLINUX looks: beside the loader, and in /boot/isolinux, /isolinux, /boot/syslinux, /syslinux and /"
    )))
}

/// systemd-boot without an entry: it reads those of its own file system, and of a partition for boot loaders (UAPI.1).
fn systemd_boot(reading: &mut Reading<'_, '_>, image: &EfiImage<'_>) -> Option<Lack> {
    // Other loaders that it finds by itself (`src/boot/efi/boot.c`, config_load_all_entries).
    const OTHERS: [&str; 4] = ["shellx64.efi", "shellia32.efi", "bootmgfw.efi", "boot.efi"];
    let is_entry = |program: &Program| {
        let path = program.path().to_ascii_lowercase();
        path.starts_with("\\efi\\linux\\") || OTHERS.iter().any(|name| path.ends_with(name))
    };
    let partitions = reading.inspection.partitions.gpt.as_deref();
    let others: Vec<u64> = partitions
        .unwrap_or_default()
        .iter()
        .filter(|partition| !partition.esp)
        .map(|partition| partition.first.byte_offset())
        .collect();
    let mut others = others.into_iter();
    let may_be_elsewhere = others.any(|start| FatVolume::at(reading.disc, start).is_some());
    if image.programs.iter().any(is_entry) || may_be_elsewhere {
        return None;
    }
    let configurations = reading.configurations();
    let has_entries = |system: FileSystem| {
        let of_system = configurations.all.iter();
        let mut of_system =
            of_system.filter(|it| it.loader == Loader::SystemdBoot && it.file_system == system);
        of_system.any(|it| !it.entries.is_empty() || !it.complete)
    };
    if has_entries(FileSystem::Image(image.boot.load_rba)) {
        return None;
    }
    let in_tree = match has_entries(FileSystem::Tree) {
        true => "; the disc's tree has /loader/entries, where systemd-boot does not look",
        false => "",
    };
    Some(Lack::every_way(format!(
        "is systemd-boot, but its image has no entry: no file /loader/entries/*.conf and none of /EFI/Linux/*.efi{in_tree}"
    )))
}

const SYSLINUX_FOLDERS: [&str; 6] = [
    "/EFI/BOOT",
    "/boot/isolinux",
    "/isolinux",
    "/boot/syslinux",
    "/syslinux",
    "",
];

/// GRUB without its module `normal`, which it loads from its prefix when what it brings along has run (`grub-core/kern/main.c`).
fn normal(
    reading: &mut Reading<'_, '_>,
    image: &EfiImage<'_>,
    loader: &Program,
    core: &GrubCore,
) -> Option<Lack> {
    if core.has_memory_disk || core.looks_beside_itself || core.has_normal {
        return None;
    }
    let folder = match loader.headers.as_ref()?.machine {
        Machine::X64 => "x86_64-efi",
        Machine::IA32 => "i386-efi",
        _ => return None,
    };
    let wanted = format!("{}/{folder}/normal.mod", core.folder()?);
    let lba = image.boot.load_rba;
    let is_there = reading.has_file_in(FileSystem::Tree, &wanted)?
        || reading.has_file_in(FileSystem::Image(lba), &wanted)?;
    if !is_there {
        return Some(Lack::every_way(format!(
            "is GRUB without its module normal, which it loads from {wanted}{NOWHERE}"
        )));
    }
    let head = reading.file_at(&wanted, ELF_HEADER)?;
    is_of_another_platform(&head, folder).then(|| {
        Lack::every_way(format!(
            "is GRUB without its module normal, which it loads from {wanted}, but that is for another platform than {folder}"
        ))
    })
}

/// GRUB without a configuration: neither its own, nor one where it looks. `whose` is the beginning of the text about it.
fn grub(
    reading: &mut Reading<'_, '_>,
    image: &EfiImage<'_>,
    core: &GrubCore,
    whose: &str,
) -> Option<Lack> {
    // The first file that these read is not known here.
    if core.has_memory_disk || core.looks_beside_itself {
        return None;
    }
    let wanted = match core.next() {
        Next::File(path) => path,
        Next::AtPrefix => return at_prefix(reading, image, core, whose),
        Next::Unknown => return None,
    };
    let is_known = reading.has_file(&wanted)?;
    (!is_known).then(|| Lack::every_way(format!("{whose}is GRUB and reads {wanted}{NOWHERE}")))
}

/// GRUB without the module that reads the disc's tree, if what it reads next is there. It cannot load that module from there either.
fn iso9660(reading: &mut Reading<'_, '_>, image: &EfiImage<'_>, core: &GrubCore) -> Option<Lack> {
    if core.has_iso9660 || core.has_memory_disk || core.looks_beside_itself {
        return None;
    }
    let wanted = match core.next() {
        Next::File(path) => path,
        Next::AtPrefix => format!("{}/grub.cfg", core.prefix_on_its_device()?),
        Next::Unknown => return None,
    };
    if reading.udf().is_some() || !reading.has_file_in(FileSystem::Tree, &wanted)? {
        return None;
    }
    // From a partition it reads that one.
    let in_image = FileSystem::Image(image.boot.load_rba);
    let starts_from_stick = has_gpt_for_edk2(reading) && reading.has_file_in(in_image, &wanted)?;
    Some(Lack {
        words: format!(
            "is GRUB without its module iso9660, so it cannot read {wanted} in the ISO's directory tree"
        ),
        severity: match starts_from_stick {
            true => Severity::Warning,
            false => Severity::Error,
        },
        fix: Some(BUILD_ISO9660_IN),
    })
}

/// GRUB that uses only its prefix, on the device that firmware started it from (`grub-core/kern/efi/efi.c`, `disk/efi/efidisk.c`): for El Torito the whole disc,
/// so the tree, and for a partition that partition, or its drive if the prefix begins with `()`. EDK2 tries a GUID partition table before El Torito, and an MBR
/// after it.
fn at_prefix(
    reading: &mut Reading<'_, '_>,
    image: &EfiImage<'_>,
    core: &GrubCore,
    whose: &str,
) -> Option<Lack> {
    if let Some((drive, is_stick_too)) = on_a_disk(reading, core) {
        return Some(Lack {
            words: format!("{whose}is GRUB and {drive}"),
            severity: match is_stick_too {
                true => Severity::Warning,
                false => Severity::Error,
            },
            fix: Some(GIVE_A_PREFIX),
        });
    }
    let wanted = format!("{}/grub.cfg", core.prefix_on_its_device()?);
    let lba = image.boot.load_rba;
    let in_tree = reading.has_file_in(FileSystem::Tree, &wanted)?;
    let in_image = reading.has_file_in(FileSystem::Image(lba), &wanted)?;
    let gpt = reading.inspection.partitions.gpt.as_deref();
    let mut partitions = gpt.unwrap_or_default().iter();
    let is_partition = !core.prefix_is_on_drive()
        && has_gpt_for_edk2(reading)
        && partitions.any(|entry| entry.first.byte_offset() == lba.byte_offset());
    let (and, severity) = match (in_tree, in_image, is_partition) {
        (true, _, false) | (true, true, true) => return None,
        // grub-mkrescue makes a disc with GRUB's prompt if the tree has no configuration.
        (false, false, _) if core.configuration.is_some() => (NOWHERE, Severity::Warning),
        (false, false, _) => (NOWHERE, Severity::Error),
        (false, true, false) => (NOT_IN_TREE, Severity::Error),
        (false, true, true) => (NOT_IN_TREE_OF_CD, Severity::Warning),
        (true, false, true) => (NOT_IN_IMAGE, Severity::Warning),
    };
    Some(Lack {
        words: format!("{whose}is GRUB and reads {wanted}{and}"),
        severity,
        fix: None,
    })
}

/// Whether EDK2 takes the GUID partition table: one entry of the MBR protects it (`PartitionDxe/Gpt.c`, `PartitionInstallGptChildHandles`).
fn has_gpt_for_edk2(reading: &Reading<'_, '_>) -> bool {
    let mut entries = reading.inspection.partitions.mbr.iter();
    entries.any(|it| it.status == 0 && it.kind == 0xEE && it.first == VirtualSector::new(1))
}

const NOWHERE: &str = ", but the disc has no such file";
const NOT_IN_TREE: &str = " from the ISO's directory tree, but only the image has such a file";
const NOT_IN_TREE_OF_CD: &str =
    " from the ISO's directory tree if the disc is a CD, but only the image has such a file";
const NOT_IN_IMAGE: &str = " from the image if the disc is a disk, because the GUID partition table points to the image; but only the ISO's directory tree has such a file";
