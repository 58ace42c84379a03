//! `config-encoding`: a configuration of isolinux or GRUB that an editor saved as UTF-16.

use super::room::{Room, gravest};
use crate::{
    boot_configuration::{Configuration, Loader},
    finding::{Finding, FindingId, Severity},
    inspect::Reading,
};

const ID: FindingId = FindingId::ConfigEncoding;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "ovmf"],
    explanation: "The configuration of isolinux or GRUB is saved as UTF-16, which Windows' Notepad calls Unicode.",
    consequence: "Neither understands UTF-16. isolinux finds no DEFAULT and no label and waits at its prompt, boot:. GRUB can't find commands and shows its prompt, grub>.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise save the configuration as ASCII or UTF-8, and master the disc again.",
    check,
    ..Room::BASE
};

/// Bytes of a configuration that are read.
const CONFIGURATION: usize = 256 * 1024;

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let images: Vec<_> = reading.bios_images().collect();
    let mut images = images.into_iter();
    let has_isolinux = images.any(|(_, boot)| reading.is_isolinux(boot));
    let configurations = reading.configurations();
    let all = configurations.all.iter();
    let all = all.filter(|it| match it.loader {
        Loader::Isolinux => has_isolinux,
        loader => loader == Loader::Grub,
    });
    let found = all.filter_map(|configuration| in_utf_16(reading, configuration));
    gravest(found.collect())
}

/// As ASCII, the text has half as many bytes; line feeds fill the rest.
fn in_utf_16(reading: &mut Reading<'_, '_>, configuration: &Configuration) -> Option<Finding> {
    let (system, path) = (configuration.file_system, &configuration.path);
    let file = reading.named_file(system, path)?;
    let bytes = file.bytes(reading.disc, 0, CONFIGURATION);
    let (mark, units) = bytes.split_first_chunk::<2>()?;
    let of = match mark {
        [0xFF, 0xFE] => u16::from_le_bytes,
        [0xFE, 0xFF] => u16::from_be_bytes,
        _ => return None,
    };
    let units = units.as_chunks::<2>().0.iter();
    let units: Vec<u16> = units.map(|&pair| of(pair)).collect();
    let text = String::from_utf16(&units).ok()?;
    let message = format!(
        "{path} is saved as UTF-16 (\"Unicode\" in Windows' Notepad), which {} does not understand",
        match configuration.loader {
            Loader::Isolinux => "isolinux",
            _ => "GRUB",
        }
    );
    let place = reading.place_of(system, path);
    let mut finding = Finding::new(ID, place, message);
    if configuration.loader == Loader::Isolinux {
        finding.trips = vec!["seabios".to_owned()];
    }
    let is_whole = bytes.len() as u64 == file.length.get();
    let mut plain = text.into_bytes();
    plain.resize(bytes.len(), b'\n');
    Some(
        match file.start().filter(|_| is_whole && plain.is_ascii()) {
            Some(start) => finding.fixed_by(start, &plain),
            None => finding,
        },
    )
}
