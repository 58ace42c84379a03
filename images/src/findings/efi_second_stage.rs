//! `efi-second-stage`: an EFI loader that finds nothing to go on with.

use super::{Room, recipe::commands};
use crate::{
    efi_program::GrubCore,
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    inspect::efi_image::{EfiImage, Program},
    tool::Tool,
};

const ID: FindingId = FindingId::EfiSecondStage;

/// The image is made again: it may have no room for another file.
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
    id: "efi-second-stage",
    severity: Severity::Error,
    milder: None,
    trips: &["ovmf"],
    explanation: "The disc lacks a file that its EFI loader starts or reads next.",
    consequence: "shim prints that it failed to open its second stage, GRUB shows a prompt, systemd-boot an empty menu.",
    remedy: "If it is not your disc, ask its maker for a new one; else put what the loader wants beside it: grubx64.efi for shim, grub.cfg at its prefix for GRUB.",
    recipes: &[
        commands(Tool::Xorriso, WITH_SECOND_STAGE, "cp"),
        commands(Tool::Genisoimage, WITH_SECOND_STAGE, "cp"),
    ],
    replaces: &[],
    describes: false,
    check,
    defect: None,
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let images = reading.efi_images();
    let mut findings = Vec::new();
    for image in images.iter() {
        for loader in image.programs.iter().filter(|loader| loader.works()) {
            let Some(wanted) = missing(reading, image, loader) else {
                continue;
            };
            let message = format!("slot {}: {} {wanted}", image.entry.slot, loader.path());
            let offset = loader.file.start().unwrap_or_default();
            findings.push(Finding::new(ID, Place { offset }, message));
        }
    }
    findings
}

fn missing(
    reading: &mut Reading<'_, '_>,
    image: &EfiImage<'_>,
    loader: &Program,
) -> Option<String> {
    if loader.is_shim(reading.disc) {
        return second_stage(reading, image, loader);
    }
    if let Some(core) = loader.grub(reading.disc) {
        return grub(reading, &core, "loader");
    }
    None
}

/// What shim starts: the fallback program if it is there, and else the second stage; GRUB's configuration then.
fn second_stage(
    reading: &mut Reading<'_, '_>,
    image: &EfiImage<'_>,
    shim: &Program,
) -> Option<String> {
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
        return Some(format!(
            "is shim, which starts \\EFI\\BOOT\\{name}, and the image has no such file"
        ));
    };
    if let Some(wrong) = next.wrong() {
        return Some(format!(
            "is shim, which starts \\EFI\\BOOT\\{name}, and that {wrong}"
        ));
    }
    let core = next.grub(reading.disc)?;
    grub(reading, &core, &name)
}

/// GRUB without a configuration: neither one of its own, nor one where it looks.
fn grub(reading: &mut Reading<'_, '_>, core: &GrubCore, name: &str) -> Option<String> {
    if core.has_memory_disk {
        return None;
    }
    let wanted = match &core.configuration {
        Some(configuration) => goes_on_with(configuration)?,
        None => {
            let prefix = core.prefix.as_deref()?;
            let prefix = prefix.trim_end_matches('/');
            // What stands on another device is not on this disc.
            if !prefix.starts_with('/') {
                return None;
            }
            format!("{prefix}/grub.cfg")
        }
    };
    let is_known = reading.has_file(&wanted)?;
    (!is_known).then(|| {
        let whose = if name == "loader" {
            String::new()
        } else {
            format!("leads to {name}, which ")
        };
        format!("{whose}is GRUB and reads {wanted}, and the disc has no such file")
    })
}

/// The configuration with which an embedded one goes on, where its path is known: `configfile ($root)/boot/grub/grub.cfg`.
fn goes_on_with(configuration: &str) -> Option<String> {
    let mut prefix = None;
    let mut wanted = None;
    for line in configuration.lines() {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            // What depends on something is not judged.
            (Some("menuentry" | "if" | "for" | "while" | "until"), _) => return None,
            (Some("set"), Some(assignment)) => {
                if let Some(value) = assignment.strip_prefix("prefix=") {
                    prefix = Some(without_device(value));
                }
            }
            (Some("configfile" | "source" | "normal"), Some(path)) => {
                wanted.get_or_insert_with(|| {
                    let path = match (&prefix, path.strip_prefix("$prefix")) {
                        (Some(prefix), Some(rest)) => format!("{prefix}{rest}"),
                        _ => without_device(path),
                    };
                    path.trim_matches(['"', '\'']).to_owned()
                });
            }
            _ => {}
        }
    }
    // Behind its last line GRUB goes on with what stands at the prefix.
    let at_prefix = || prefix.map(|prefix| format!("{}/grub.cfg", prefix.trim_end_matches('/')));
    let wanted = wanted.or_else(at_prefix);
    wanted.filter(|path| path.starts_with('/') && !path.contains('$'))
}

fn without_device(path: &str) -> String {
    let path = path.trim_matches(['"', '\'']);
    match path.strip_prefix("($root)") {
        Some(rest) => rest.to_owned(),
        None => path.to_owned(),
    }
}
