//! `initrd-modules`: an initial file system with the modules of another kernel.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    initrd_unreadable::INITRD,
    kernel_not_linux::KERNEL,
    room::{Room, each_entry},
};
use crate::{
    boot_configuration::{Configuration, Entry},
    finding::{Finding, FindingId, Place, Severity},
    initrd,
    inspect::Reading,
};

const ID: FindingId = FindingId::InitrdModules;

pub(super) const ROOM: Room = Room {
    severity: Severity::Warning,
    milder: Some(Severity::Info),
    trips: &["seabios", "ovmf"],
    explanation: "All kernel modules in the initial file system are for another version of Linux than the kernel that is started with it.",
    consequence: "Linux loads none of these modules. If it needs one of them to read the disc, as most distributions' kernels do, the initial file system does not find its medium.",
    remedy: "Put a kernel and an initial file system on the disc that were made for each other. To make one for this kernel: update-initramfs -c -k VERSION, dracut --kver VERSION, or mkinitcpio -k VERSION.",
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    // Entries of a menu differ in their command lines more often than in their files, and unpacking takes time.
    let mut judged = BTreeMap::new();
    each_entry(reading, |reading, configuration, entry| {
        let files = entry.files.iter().map(|it| it.path.clone());
        let key = (configuration.file_system, files.collect::<Vec<_>>());
        let wrong = || wrong(reading, configuration, entry);
        judged.entry(key).or_insert_with(wrong).clone()
    })
}

fn wrong(
    reading: &mut Reading<'_, '_>,
    configuration: &Configuration,
    entry: &Entry,
) -> Option<Finding> {
    let system = configuration.file_system;
    let kernel = entry
        .files
        .iter()
        .find(|it| KERNEL.contains(&it.directive.as_str()))?;
    let file = reading.named_file(system, &kernel.path)?;
    let version = initrd::kernel_version(reading.disc, &file)?;
    let mut others = BTreeSet::new();
    let mut first = None;
    for named in entry
        .files
        .iter()
        .filter(|it| INITRD.contains(&it.directive.as_str()))
    {
        let archive = reading.named_file(system, &named.path)?;
        let found = initrd::module_versions(reading.disc, &archive, &version)?;
        if !found.is_empty() {
            first.get_or_insert((named, archive.start()?));
        }
        others.extend(found);
    }
    let (initrd, offset) = first.filter(|_| !others.contains(&version))?;
    let others: Vec<String> = others.into_iter().collect();
    let message = format!(
        "{} has modules only for Linux {}, but {} is Linux {version}",
        initrd.path,
        others.join(" and "),
        kernel.path
    );
    Some(Finding::new(ID, Place { offset }, message))
}
