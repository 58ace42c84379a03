//! `memdisk-image`: memdisk without an image, or with an ISO that it takes for a disk.

use super::{
    initrd_unreadable::INITRD,
    kernel_not_linux::KERNEL,
    room::{Room, each_entry},
};
use crate::{
    boot_configuration::{Configuration, Entry, NamedFile},
    finding::{Finding, FindingId, Severity},
    inspect::Reading,
    packed,
};

const ID: FindingId = FindingId::MemdiskImage;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Info),
    trips: &["seabios"],
    explanation: "A configuration starts memdisk without an image, or with an ISO but without the word iso.",
    consequence: "memdisk prints No ramdisk image specified, or treats the ISO as a disk, which has no boot sector.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise name the image with initrd=, and add the word iso to the command line if it is an ISO (APPEND iso).",
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    each_entry(reading, |reading, configuration, entry| {
        let (named, what) = wrong(reading, configuration, entry)?;
        let message = format!(
            "{} starts memdisk in line {} ({:?}) {what}",
            named.file, named.line, entry.title
        );
        let place = reading.place_of(configuration.file_system, &named.file);
        Some(Finding::new(ID, place, message))
    })
}

/// The line that starts memdisk, and what is wrong with it, as text that follows.
fn wrong<'e>(
    reading: &mut Reading<'_, '_>,
    configuration: &Configuration,
    entry: &'e Entry,
) -> Option<(&'e NamedFile, String)> {
    let system = configuration.file_system;
    let of = |directives: &[&str]| {
        let mut files = entry.files.iter();
        files.find(|file| directives.contains(&file.directive.as_str()))
    };
    let kernel = entry
        .files
        .first()
        .filter(|file| KERNEL.contains(&file.directive.as_str()) || file.directive == "label")?;
    let program = reading.named_file(system, &kernel.path)?;
    if !packed::is_memdisk(reading.disc, &program) {
        return None;
    }
    let Some(image) = of(&INITRD) else {
        return Some((kernel, "without an image (initrd=)".to_owned()));
    };
    let arguments = entry.command_line.as_deref().unwrap_or_default();
    let mut arguments = arguments.split_ascii_whitespace();
    if arguments.any(|word| word == "iso") {
        return None;
    }
    let file = reading.named_file(system, &image.path)?;
    let descriptor = file.bytes(reading.disc, 16 * 2_048 + 1, 5);
    let sector = file.bytes(reading.disc, 0, 512);
    // An ISO for sticks may start as a disk.
    let is_iso = descriptor == b"CD001" && !sector.ends_with(&[0x55, 0xAA]);
    is_iso.then(|| {
        let what = format!(
            "with {}, which is an ISO, but without the word iso",
            image.path
        );
        (kernel, what)
    })
}
