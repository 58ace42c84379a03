//! `initrd-unreadable`: an initial file system that Linux cannot unpack.

use super::{
    kernel_not_linux::KERNEL,
    room::{Room, each_entry},
};
use crate::{
    boot_configuration::{Configuration, Entry},
    finding::{Finding, FindingId, Place, Severity},
    initrd,
    inspect::{Reading, file::DiscBytes},
    packed,
};

const ID: FindingId = FindingId::InitrdUnreadable;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Info),
    trips: &["seabios", "ovmf"],
    explanation: "An initial file system that a configuration names is empty, or is in no format that Linux unpacks or mounts.",
    consequence: "Linux says that unpacking the initramfs failed, finds no root file system, and panics.",
    remedy: "Download the disc again and compare its checksum, or ask its maker. If you made it, put the initial file system of this kernel at the path in the configuration.",
    check,
    ..Room::BASE
};

const PACK_IT: &str = "If you did not make the disc, ask its maker for a new one. Otherwise pack the initial file system in a format that Linux unpacks: find . | cpio -o -H newc | gzip";

/// Directives that name an initial file system.
pub(super) const INITRD: [&str; 4] = ["initrd", "initrd16", "initrdefi", "append"];

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    each_entry(reading, wrong)
}

fn wrong(
    reading: &mut Reading<'_, '_>,
    configuration: &Configuration,
    entry: &Entry,
) -> Option<Finding> {
    let system = configuration.file_system;
    let mut named = |directives: &[&str]| -> Option<Vec<DiscBytes>> {
        let files = entry.files.iter();
        let files = files.filter(|it| directives.contains(&it.directive.as_str()));
        files
            .map(|it| reading.named_file(system, &it.path))
            .collect()
    };
    let (kernels, archives) = (named(&KERNEL)?, named(&INITRD)?);
    if !kernels.iter().any(|it| packed::is_linux(reading.disc, it)) {
        return None;
    }
    // Empty archives beside others do no harm.
    let are_empty = archives.iter().all(|file| file.length.get() == 0);
    let names = entry.files.iter();
    let names = names.filter(|it| INITRD.contains(&it.directive.as_str()));
    let (name, file, what, fix) = names.zip(&archives).find_map(|(name, file)| {
        let (what, fix) = match packed::not_an_initrd(reading.disc, file) {
            _ if are_empty => ("is empty", None),
            Some(what) => (what, None),
            None => (initrd::not_unpacked(reading.disc, file)?, Some(PACK_IT)),
        };
        Some((name, file, what, fix))
    })?;
    let message = format!(
        "{} is loaded as an initial file system, but it {what}",
        name.path
    );
    let place = match file.start() {
        Some(offset) => Place { offset },
        None => reading.place_of(system, &name.file),
    };
    let mut finding = Finding::new(ID, place, message);
    if let Some(fix) = fix {
        fix.clone_into(&mut finding.fix);
    }
    Some(finding)
}
