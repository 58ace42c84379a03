//! `isolinux-files`: an isolinux without a file that it needs.

use super::{
    recipe::declared::{When, commands},
    room::Room,
};
use crate::{
    boot_configuration::{Loader, NamedFile},
    eltorito::MediaType,
    finding::{Finding, FindingId, Place, Severity},
    inspect::{BiosProgram, BootReading, Reading},
    syslinux::{Core, ModuleKind, Symbols},
    tool::Tool,
};

/// The first version in two parts.
const IN_TWO_PARTS: u8 = 5;
/// Bytes of a module in which its libraries' names are searched.
const MODULE_BYTES: usize = 512 << 10;
/// The most modules of a configuration, and libraries of a module, that are checked.
const MODULES: usize = 64;
const LIBRARIES: usize = 16;
/// A boot image of isolinux is shorter than this.
const IMAGE_BYTES: usize = 64 << 10;

const ID: FindingId = FindingId::IsolinuxFiles;

/// The modules of the same version, as Debian has them.
const WITH_MODULES: &str = "cp /usr/lib/syslinux/modules/bios/*.c32 {folder}/\n{call}";

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios"],
    explanation: "isolinux does not find its configuration, ldlinux.c32, a module that its configuration names, or a file that such a module needs; or one of these files is truncated or from another version.",
    consequence: "isolinux prints Failed to load ldlinux.c32, Failed to load COM32 file, Undef symbol FAIL, or that no configuration file was found, and waits at its prompt, boot:.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise put the modules of the same version, isolinux.cfg and isolinux.bin into one folder in which isolinux looks, such as /isolinux.",
    recipes: &[
        commands(Tool::Xorriso, WITH_MODULES, "cp").when(When::Isolinux),
        commands(Tool::Genisoimage, WITH_MODULES, "cp").when(When::Isolinux),
    ],
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
        let mut fix = None;
        if let Some(what) = missing(reading, boot, &mut fix) {
            let message = format!("slot {}: the image is isolinux, and {what}", entry.slot);
            let mut finding = Finding::new(ID, Place::block(boot.load_rba), message);
            if let Some(fix) = fix {
                fix.clone_into(&mut finding.fix);
            }
            findings.push(finding);
        }
    }
    findings
}

/// Where isolinux looks (`core/fs/iso9660/iso9660.c`, `core/elflink/load_env32.c`); it does not look in its own folder.
const FOLDERS: [&str; 5] = [
    "/boot/isolinux",
    "/isolinux",
    "/boot/syslinux",
    "/syslinux",
    "",
];
/// For one in another place, with all that it needs.
const MOVE: &str = "If you did not make the disc, ask its maker for a new one. Otherwise move isolinux.bin, its modules and its configuration (isolinux.cfg) to /isolinux, correct the paths in the configuration, and master the disc with -b isolinux/isolinux.bin. If this isolinux was built for its own folder, leave it where it is.";
/// The same as part of a sentence.
const IN_FOLDERS: &str = "/boot/isolinux, /isolinux, /boot/syslinux, /syslinux and /";

/// The missing file, and the fix if it is not the usual one.
fn missing(
    reading: &mut Reading<'_, '_>,
    boot: &BootReading,
    fix: &mut Option<&'static str>,
) -> Option<String> {
    // A file without a version, or with another beginning, only contains the name.
    let BiosProgram::Isolinux(Some(version)) = reading.bios_program(boot) else {
        return None;
    };
    let start = boot.load_rba.byte_offset();
    if !BiosProgram::begins_at(reading.disc, start) {
        return None;
    }
    let mut image = vec![0; IMAGE_BYTES];
    let size = reading.disc.read(start, &mut image);
    image.truncate(size);
    let core = Core::unpack(&image);
    let own = own_folder(boot);
    // A program that cannot be unpacked may be built for any directory.
    let looks_beside = core.as_ref().is_none_or(|core| core.looks_in(&own));
    let mut folders = FOLDERS.to_vec();
    if looks_beside {
        folders.push(&own);
    }
    if version >= IN_TWO_PARTS && !is_in(reading, &folders, "ldlinux.c32") {
        let name = "ldlinux.c32";
        return Some(if is_in(reading, &[&own], name) {
            *fix = Some(MOVE);
            format!(
                "version {version} needs {name}, which is in {own}, where this isolinux does not look: it looks in {IN_FOLDERS}"
            )
        } else {
            format!("version {version} needs {name}, which is not on the disc")
        });
    }
    if version >= IN_TWO_PARTS
        && let Some(what) = unfit(reading, version, &folders, "ldlinux.c32")
    {
        return Some(what);
    }
    let configurations = reading.configurations();
    let mut all = configurations.of(Loader::Isolinux);
    let Some(configuration) = all.next() else {
        // `isolinux-config --base` makes it look in its own folder.
        let names = ["isolinux.cfg", "syslinux.cfg"];
        if looks_beside && names.iter().any(|name| is_in(reading, &[&own], name)) {
            return None;
        }
        return Some(format!(
            "there is no configuration (isolinux.cfg) where it looks, in {IN_FOLDERS}"
        ));
    };
    // Its menu program, by whatever name.
    let interface = configuration.interface.iter();
    if let Some(menu) = interface.clone().find(|menu| menu.exists == Some(false)) {
        return Some(not_there(menu));
    }
    let named = configuration.entries.iter().flat_map(|entry| &entry.files);
    let modules: Vec<&NamedFile> = interface
        .chain(named)
        .filter(|file| file.path.to_ascii_lowercase().ends_with(".c32"))
        .take(MODULES)
        .collect();
    for module in modules {
        if module.exists == Some(false) {
            return Some(not_there(module));
        }
        let bytes = reading.file_at(&module.path, MODULE_BYTES);
        let bytes = bytes.unwrap_or_default();
        if let Some(other) = of_another(version, &bytes) {
            return Some(format!("{} is {other}", module.path));
        }
        if ModuleKind::is_cut(&bytes) {
            return Some(format!("{} {CUT}", module.path));
        }
        let libraries = libraries(&bytes);
        // A module that PATH leads to has its libraries in the same folder.
        let beside = module
            .path
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        let folders: Vec<&str> = folders.iter().copied().chain([beside]).collect();
        for library in &libraries {
            if !is_in(reading, &folders, library) {
                return Some(format!(
                    "{} needs {library}, which is not on the disc",
                    module.path
                ));
            }
            if let Some(what) = unfit(reading, version, &folders, library) {
                return Some(what);
            }
        }
        if let Some(core) = &core
            && let Some(name) = unknown_name(reading, core, &folders, &bytes, libraries)
        {
            let path = &module.path;
            return Some(format!(
                "{path} and its libraries are from another version than isolinux: they need {name}, which none of them and isolinux provides"
            ));
        }
    }
    None
}

fn not_there(file: &NamedFile) -> String {
    format!(
        "{} names {} in line {}, which is not on the disc",
        file.file, file.path, file.line
    )
}

const CUT: &str = "is truncated: its ELF headers refer to bytes after its end";

/// Why a file that isolinux loads, in the first folder that has it, is no module for this version.
fn unfit(
    reading: &mut Reading<'_, '_>,
    version: u8,
    folders: &[&str],
    name: &str,
) -> Option<String> {
    let mut paths = folders.iter().map(|folder| format!("{folder}/{name}"));
    let (path, bytes) = paths.find_map(|path| {
        let bytes = reading.file_at(&path, MODULE_BYTES)?;
        Some((path, bytes))
    })?;
    if let Some(other) = of_another(version, &bytes) {
        Some(format!("{path} is {other}"))
    } else if version >= IN_TWO_PARTS && ModuleKind::of(&bytes).is_none() {
        Some(format!("{path} is not a module (it has no ELF header)"))
    } else if ModuleKind::is_cut(&bytes) {
        Some(format!("{path} {CUT}"))
    } else {
        None
    }
}

/// The kind of a module that this version cannot load; `None` if it can.
fn of_another(version: u8, module: &[u8]) -> Option<&'static str> {
    match ModuleKind::of(module)? {
        ModuleKind::Com32 if version >= IN_TWO_PARTS => Some("a module for syslinux 4 and older"),
        ModuleKind::Elf if version < IN_TWO_PARTS => Some("a module for syslinux 5 and later"),
        ModuleKind::Elf64 => {
            Some("a module for UEFI (efi64), but isolinux needs the one for a BIOS")
        }
        ModuleKind::Com32 | ModuleKind::Elf => None,
    }
}

/// A name that a module or one of its libraries needs, but that neither they nor ldlinux.c32 and isolinux have.
fn unknown_name(
    reading: &mut Reading<'_, '_>,
    core: &Core,
    folders: &[&str],
    module: &[u8],
    libraries: Vec<String>,
) -> Option<String> {
    let mut all = vec![Symbols::of(module)?];
    let mut queue = libraries;
    queue.push("ldlinux.c32".to_owned());
    let mut at = 0;
    while let Some(name) = queue.get(at).filter(|_| at < LIBRARIES) {
        let mut paths = folders.iter().map(|folder| format!("{folder}/{name}"));
        // Missing files, and files that are not such modules, are not judged.
        let bytes = paths.find_map(|path| reading.file_at(&path, MODULE_BYTES))?;
        all.push(Symbols::of(&bytes)?);
        for library in self::libraries(&bytes) {
            if !queue.contains(&library) {
                queue.push(library);
            }
        }
        at += 1;
    }
    let others: Vec<&Symbols> = all.iter().collect();
    all.iter().find_map(|one| one.missing(&others, core))
}

/// The directory of the boot image's file.
fn own_folder(boot: &BootReading) -> String {
    let path = boot.path.as_deref().unwrap_or_default();
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    folder.to_owned()
}

fn is_in(reading: &mut Reading<'_, '_>, folders: &[&str], name: &str) -> bool {
    let mut folders = folders.iter();
    // Names that cannot be looked up are not judged.
    folders.any(|folder| reading.has_file(&format!("{folder}/{name}")) != Some(false))
}

/// The libraries that a module's dynamic section names: a module is an ELF file, and its names are text that ends with a zero.
fn libraries(module: &[u8]) -> Vec<String> {
    let mut libraries: Vec<String> = Vec::new();
    for end in memchr::memmem::find_iter(module, b".c32\0") {
        let before = module.get(..end).unwrap_or_default();
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
