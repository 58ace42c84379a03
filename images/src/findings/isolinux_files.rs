//! `isolinux-files`: an isolinux without a file that it needs.

use super::{
    Room,
    recipe::{When, commands},
};
use crate::{
    boot_configuration::{Loader, NamedFile},
    eltorito::MediaType,
    finding::{Finding, FindingId, Place, Severity},
    inspect::{BiosProgram, BootReading, Reading},
    tool::Tool,
};

/// The first version that is in two parts.
const IN_TWO_PARTS: u8 = 5;
/// Bytes of a module that are searched for the names of its libraries.
const MODULE_BYTES: usize = 512 << 10;

const ID: FindingId = FindingId::IsolinuxFiles;

/// The modules of the same version, as Debian has them.
const WITH_MODULES: &str = "cp /usr/lib/syslinux/modules/bios/*.c32 {folder}/\n{call}";

pub(super) const ROOM: Room = Room {
    id: "isolinux-files",
    severity: Severity::Error,
    milder: None,
    trips: &["seabios"],
    explanation: "isolinux finds no configuration, no ldlinux.c32, or not a module that its configuration names or that such a module needs.",
    consequence: "isolinux prints Failed to load ldlinux.c32, Failed to load COM32 file, or that no configuration file was found, and waits at boot:.",
    remedy: "If it is not your disc, ask its maker for a new one; else copy the modules of the same version beside isolinux.bin, with isolinux.cfg.",
    recipes: &[
        commands(Tool::Xorriso, WITH_MODULES, "cp").when(When::Isolinux),
        commands(Tool::Genisoimage, WITH_MODULES, "cp").when(When::Isolinux),
    ],
    replaces: &[],
    describes: false,
    check,
    defect: None,
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let images: Vec<_> = reading.bios_images().collect();
    for (entry, boot) in images {
        if boot.media.emulation() != MediaType::NO_EMULATION {
            continue;
        }
        if let Some(what) = missing(reading, boot) {
            let message = format!("slot {}: the image is isolinux, and {what}", entry.slot);
            findings.push(Finding::new(ID, Place::block(boot.load_rba), message));
        }
    }
    findings
}

/// Where isolinux looks besides its own directory (`core/fs/iso9660/iso9660.c`, `core/elflink/load_env32.c`).
const FOLDERS: [&str; 5] = [
    "/isolinux",
    "/boot/isolinux",
    "/boot/syslinux",
    "/syslinux",
    "",
];

fn missing(reading: &mut Reading<'_, '_>, boot: &BootReading) -> Option<String> {
    // What does not say its version, or begins otherwise, only has the name in it.
    let BiosProgram::Isolinux(Some(version)) = reading.bios_program(boot) else {
        return None;
    };
    if !BiosProgram::begins_at(reading.disc, boot.load_rba.byte_offset()) {
        return None;
    }
    let own = own_folder(boot);
    if version >= IN_TWO_PARTS && !is_beside(reading, &own, "ldlinux.c32") {
        return Some(format!(
            "version {version} needs ldlinux.c32, which is not on the disc"
        ));
    }
    let configurations = reading.configurations();
    let mut all = configurations.of(Loader::Isolinux);
    let Some(configuration) = all.next() else {
        // `isolinux-config --base` makes it look beside itself.
        if ["isolinux.cfg", "syslinux.cfg"]
            .iter()
            .any(|name| reading.has_file(&format!("{own}/{name}")) != Some(false))
        {
            return None;
        }
        return Some("there is no configuration (isolinux.cfg) where it looks".to_owned());
    };
    let interface = configuration.interface.iter();
    let named = configuration.entries.iter().flat_map(|entry| &entry.files);
    let modules: Vec<&NamedFile> = interface
        .chain(named)
        .filter(|file| file.path.to_ascii_lowercase().ends_with(".c32"))
        .collect();
    for module in modules {
        if module.exists == Some(false) {
            return Some(format!(
                "{} names {} in line {}, which is not on the disc",
                module.file, module.path, module.line
            ));
        }
        for library in libraries(reading, &module.path) {
            if !is_beside(reading, &own, &library) {
                return Some(format!(
                    "{} needs {library}, which is not on the disc",
                    module.path
                ));
            }
        }
    }
    None
}

/// The directory of the boot image's file.
fn own_folder(boot: &BootReading) -> String {
    let path = boot.path.as_deref().unwrap_or_default();
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    folder.to_owned()
}

fn is_beside(reading: &mut Reading<'_, '_>, own: &str, name: &str) -> bool {
    let mut folders = std::iter::once(own).chain(FOLDERS);
    // Of what cannot be looked up nothing is said.
    folders.any(|folder| reading.has_file(&format!("{folder}/{name}")) != Some(false))
}

/// The libraries that a module's dynamic section names: a module is an ELF file, and its names are text with a zero behind.
fn libraries(reading: &mut Reading<'_, '_>, path: &str) -> Vec<String> {
    let bytes = reading.file_at(path, MODULE_BYTES).unwrap_or_default();
    let mut libraries: Vec<String> = Vec::new();
    for end in memchr::memmem::find_iter(&bytes, b".c32\0") {
        let before = bytes.get(..end).unwrap_or_default();
        let start = before
            .iter()
            .rposition(|byte| !byte.is_ascii_alphanumeric())
            .map_or(0, |at| at + 1);
        let name = crate::bytes::printable(before.get(start..).unwrap_or_default());
        let name = format!("{name}.c32");
        if name.starts_with("lib") && name.len() < 32 && !libraries.contains(&name) {
            libraries.push(name);
        }
    }
    libraries
}
