//! `grub-files`: GRUB's boot image for a BIOS without a file that it reads next.

use super::room::Room;
use crate::{
    boot_configuration::FileSystem,
    bytes::le16,
    eltorito::MediaType,
    finding::{Finding, FindingId, Place, Severity},
    grub_core::{GrubCore, Next},
    inspect::Reading,
};

const ID: FindingId = FindingId::GrubFiles;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    trips: &["seabios"],
    explanation: "GRUB's boot image for a BIOS does not find its configuration, grub.cfg, or its module normal at the path built into it.",
    consequence: "GRUB prints that normal.mod was not found and shows the prompt grub rescue>, or shows the prompt grub> without a menu.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise put grub.cfg, and the folder i386-pc with the modules of the same build of GRUB, into the folder that the boot image names (its prefix), or build the image with their folder as its prefix.",
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let images: Vec<_> = reading.bios_images().collect();
    for (entry, boot) in images {
        if boot.media.emulation() != MediaType::NO_EMULATION {
            continue;
        }
        let Some(core) = reading.grub_of_bios(boot) else {
            continue;
        };
        let Some(lack) = missing(reading, &core) else {
            continue;
        };
        let message = format!("slot {}: the image is GRUB, and {}", entry.slot, lack.words);
        let finding = Finding::new(ID, Place::block(boot.load_rba), message);
        let finding = match lack.fix {
            Some(fix) => finding.with_fix(fix),
            None => finding,
        };
        findings.push(match lack.may_be_meant {
            true => finding.milder(),
            false => finding,
        });
    }
    findings
}

/// What the image lacks, as a clause.
struct Lack {
    words: String,
    /// Whether the disc may have been made to show GRUB's prompt, as `grub-mkrescue` makes one of a tree without a configuration.
    may_be_meant: bool,
    /// The remedy, if it is not the usual one.
    fix: Option<&'static str>,
}

/// The remedy where the prefix is on a disk by its number.
pub(super) const GIVE_A_PREFIX: &str = "If you did not make the disc, ask its maker for a new one. Otherwise build GRUB's image with a prefix that names no drive (grub-mkimage -p /boot/grub).";

/// The missing file. GRUB's own device is the CD, or the disk: both have the ISO's directory tree (`grub-core/kern/i386/pc/init.c`).
fn missing(reading: &mut Reading<'_, '_>, core: &GrubCore) -> Option<Lack> {
    // The first file that such an image reads is not known here.
    if core.has_memory_disk {
        return None;
    }
    let in_tree = |reading: &mut Reading<'_, '_>, path: &str| {
        reading.has_file_in(FileSystem::Tree, path).unwrap_or(true)
    };
    if !core.has_normal
        && let Some(folder) = core.folder()
    {
        let wanted = format!("{folder}/i386-pc/normal.mod");
        let head = reading.file_at(&wanted, ELF_HEADER).unwrap_or_default();
        if is_of_another_platform(&head, "i386-pc") {
            return Some(Lack {
                words: format!(
                    "it loads its module normal from {wanted}, but that is for another platform than i386-pc"
                ),
                may_be_meant: false,
                fix: None,
            });
        }
        if !in_tree(reading, &wanted) {
            let other = other_case(reading, &wanted);
            return Some(Lack {
                words: format!(
                    "it loads its module normal from {wanted}, but the disc has no such file{other}"
                ),
                may_be_meant: false,
                fix: None,
            });
        }
    }
    let next = core.next();
    if next == Next::AtPrefix
        && let Some((words, is_stick_too)) = on_a_disk(reading, core)
    {
        return Some(Lack {
            words: format!("it {words}"),
            may_be_meant: is_stick_too,
            fix: Some(GIVE_A_PREFIX),
        });
    }
    let wanted = match &next {
        Next::File(path) => path.clone(),
        Next::AtPrefix => format!("{}/grub.cfg", core.prefix_on_its_device()?),
        Next::Unknown => return None,
    };
    if in_tree(reading, &wanted) {
        return None;
    }
    let other = other_case(reading, &wanted);
    let is_default = next == Next::AtPrefix && core.configuration.is_some();
    Some(Lack {
        words: format!("it reads {wanted}, but the disc has no such file{other}"),
        may_be_meant: is_default && other.is_empty(),
        fix: None,
    })
}

/// Bytes of a module that say for which machine it is.
pub(super) const ELF_HEADER: usize = 20;

/// Whether a module of GRUB is for another machine than this platform's (`grub-core/kern/dl.c`, `grub_arch_dl_check_header`); no others are loaded.
pub(super) fn is_of_another_platform(head: &[u8], platform: &str) -> bool {
    let (class, machine) = match platform {
        // ELF, "e_ident" and "e_machine": 64 bits and x86-64, 32 bits and 80386.
        "x86_64-efi" => (2, 62),
        _ => (1, 3),
    };
    let is_module = head.starts_with(b"\x7FELF") && head.len() >= ELF_HEADER;
    is_module && (head.get(4) != Some(&class) || le16(head, 18) != machine)
}

/// A clause about a GRUB whose prefix is on a disk by its number, which a CD never is, and whether this disc may be that disk. Only if the folder of the prefix is
/// on this disc: otherwise a disk may be meant (`grub-core/disk/i386/pc/biosdisk.c`, `disk/efi/efidisk.c`).
pub(super) fn on_a_disk(reading: &mut Reading<'_, '_>, core: &GrubCore) -> Option<(String, bool)> {
    let device = core.prefix_device().filter(|it| it.starts_with("hd"))?;
    let prefix = core.prefix.as_deref()?;
    let (_, folder) = prefix.split_once(')')?;
    let folder = folder.trim_end_matches('/');
    reading
        .has_file_in(FileSystem::Tree, &format!("{folder}/grub.cfg"))
        .filter(|has| *has)?;
    let partitions = &reading.inspection.partitions;
    let is_stick_too = !partitions.mbr.is_empty() || partitions.gpt.is_some();
    let words = format!(
        "looks for {folder}/grub.cfg on the drive ({device}), because its prefix is {prefix}: GRUB uses such a name for a disk of the machine, never for a CD"
    );
    Some((words, is_stick_too))
}

/// A file beside it whose name differs only in its capital letters, as a clause; empty if there is none.
fn other_case(reading: &mut Reading<'_, '_>, wanted: &str) -> String {
    reading
        .in_other_case(wanted)
        .map_or_else(String::new, |name| {
            format!(" (it has {name}: GRUB distinguishes capital letters)")
        })
}
