//! `limine-files`: a Limine that does not find its next stage or its configuration, or cannot use what it finds.

use super::room::{Room, gravest};
use crate::{
    boot_configuration::{
        Configuration, DefaultEntry, Eyes, FileSystem, Found, Loader, Volumes,
        limine::{Syntax, Text},
    },
    bytes::le16,
    eltorito::MediaType,
    fat::FatVolume,
    finding::{Finding, FindingId, Place},
    inspect::{BootReading, Reading, file::DiscBytes},
    limine::{CFG, CONF, FOLDERS, IMAGE_BYTES, PROGRAM_BYTES, Program, SecondStage, THIRD_STAGES},
};

const ID: FindingId = FindingId::LimineFiles;

pub(super) const ROOM: Room = Room {
    severity: crate::finding::Severity::Error,
    milder: Some(crate::finding::Severity::Warning),
    trips: &["seabios", "ovmf"],
    explanation: "Limine does not find limine-bios.sys of its own build or its configuration, or the configuration has no entry or protocol that this version reads.",
    consequence: "Limine prints Stage 3 file not found, limine-bios.sys size incorrect, build ID mismatch or Boot protocol not specified for this entry, or shows [config file not found] or [config file contains no valid entries] instead of its menu.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise put limine-bios.sys (limine.sys before Limine 5) of the same release as the boot image, and limine.conf (limine.cfg before Limine 8), into /boot/limine.",
    check,
    ..Room::BASE
};

const FOR_CONFIGURATION: &str = "If you did not make the disc, ask its maker for a new one. Otherwise put the configuration into /boot/limine: limine.conf with lines such as /Entry and protocol: linux for Limine 8 and later, limine.cfg with lines such as :Entry and PROTOCOL=linux for older ones.";
const FOR_TEXT: &str = "If you did not make the disc, ask its maker for a new one. Otherwise write the entry as this version reads it: in limine.conf /Entry and protocol: linux, in limine.cfg :Entry and PROTOCOL=linux, without a space before the sign.";

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut lacks: Vec<Lack> = Vec::new();
    let images: Vec<_> = reading.bios_images().collect();
    for (entry, boot) in images {
        let Some(stage) = second_stage(reading, boot) else {
            continue;
        };
        let place = Place::block(boot.load_rba);
        match third_stage(reading, &stage) {
            Third::Wrong(what) => {
                let message = format!("slot {}: the image is Limine, and {what}", entry.slot);
                findings.push(Finding::new(ID, place, message));
            }
            Third::Program(program) => {
                let lack = without_configuration(reading, &program, false);
                lacks.extend(lack.map(|lack| lack.at(entry.slot, place)));
            }
            Third::Unknown => {}
        }
    }
    let images = reading.efi_images();
    for image in images.iter() {
        let works = image.programs.iter().filter(|loader| loader.works());
        let program = works.take(PROGRAMS).find_map(|loader| {
            let bytes = loader.file.bytes(reading.disc, 0, PROGRAM_BYTES);
            Some((Program::of(&bytes)?, loader.file.start()))
        });
        if let Some((program, start)) = program {
            let place = start.map_or_else(
                || Place::block(image.boot.load_rba),
                |offset| Place { offset },
            );
            let lack = without_configuration(reading, &program, true);
            lacks.extend(lack.map(|lack| lack.at(image.entry.slot, place)));
        }
    }
    findings.extend(Lack::joined(lacks).into_iter().map(Lack::finding));
    let configurations = reading.configurations();
    for configuration in configurations.of(Loader::Limine) {
        if let Some(what) = wrong_text(reading, configuration) {
            let place = reading.place_of(configuration.file_system, &configuration.path);
            findings.push(Finding::new(ID, place, what).with_fix(FOR_TEXT));
        }
    }
    gravest(findings)
}

/// Limine's second stage in a boot image for a BIOS.
fn second_stage(reading: &mut Reading<'_, '_>, boot: &BootReading) -> Option<SecondStage> {
    if boot.media.emulation() != MediaType::NO_EMULATION {
        return None;
    }
    let length = boot
        .file_bytes
        .and_then(|it| usize::try_from(it.get()).ok());
    let mut image = vec![0; length.unwrap_or(IMAGE_BYTES).min(IMAGE_BYTES)];
    let read = reading.disc.read(boot.load_rba.byte_offset(), &mut image);
    image.truncate(read);
    SecondStage::of_boot_image(&image)
}

/// The third stage that a second stage finds.
enum Third {
    Program(Program),
    /// None that it takes, with the reason.
    Wrong(String),
    Unknown,
}

fn third_stage(reading: &mut Reading<'_, '_>, stage: &SecondStage) -> Third {
    let Some(found) = files(reading, stage.paths.all()) else {
        return Third::Unknown;
    };
    let mut names = THIRD_STAGES.into_iter();
    let name = names.find(|name| stage.paths.has(name));
    let name = name.unwrap_or_default();
    if found.is_empty() {
        if may_be_elsewhere(reading) {
            return Third::Unknown;
        }
        let others = THIRD_STAGES.into_iter().filter(|other| *other != name);
        let others: Vec<String> = others.flat_map(in_folders).collect();
        let other = files(reading, others.iter()).unwrap_or_default();
        let other = other.first().map_or_else(String::new, |(path, _)| {
            format!("; the disc has {path}, which is the file of another version")
        });
        return Third::Wrong(format!(
            "{name} is not where it looks, in {}{other}",
            folders_of(&stage.paths.written)
        ));
    }
    let mut files = found.iter().map(|(path, file)| {
        let is_short = file.length.get() <= PROGRAM_BYTES as u64 && file.is_whole();
        let bytes = is_short.then(|| file.bytes(reading.disc, 0, PROGRAM_BYTES));
        (path, bytes)
    });
    // It takes one of them: the order depends on the version.
    let Some((path, Some(bytes))) = files.next() else {
        return Third::Unknown;
    };
    if files.next().is_some() {
        return Third::Unknown;
    }
    if stage.refuses(&bytes) {
        return Third::Wrong(format!(
            "{path} is from another build than the image, or truncated"
        ));
    }
    Program::of(&bytes).map_or(Third::Unknown, Third::Program)
}

/// What a program lacks that finds no configuration.
struct Lack {
    /// The slots of the images that have the program, and where the first one's stands.
    slots: Vec<u16>,
    place: Place,
    version: (u32, u32),
    /// The name of the file that is missing, and where the program looks for it.
    name: &'static str,
    folders: Vec<String>,
    /// The file that another version would read.
    other: Option<String>,
    may_come_from_machine: bool,
}

impl Lack {
    fn at(mut self, slot: u16, place: Place) -> Self {
        self.slots.push(slot);
        self.place = place;
        self
    }

    /// One for the programs of the same version.
    fn joined(lacks: Vec<Self>) -> Vec<Self> {
        let mut joined: Vec<Self> = Vec::new();
        for lack in lacks {
            let mut known = joined.iter_mut();
            match known.find(|it| it.version == lack.version && it.name == lack.name) {
                Some(known) => {
                    known.slots.extend(lack.slots);
                    known.folders.extend(lack.folders);
                }
                None => joined.push(lack),
            }
        }
        joined
    }

    fn finding(self) -> Finding {
        let slots: Vec<String> = self.slots.iter().map(u16::to_string).collect();
        let (slot, image) = match slots.len() {
            1 => ("slot", "the image is"),
            _ => ("slots", "the images are"),
        };
        let (major, minor) = self.version;
        let folders = folders_of(&self.folders);
        let name = self.name;
        let what = match &self.other {
            Some(other) if name == CONF => format!(
                "it reads only {name}, in {folders}; the disc has {other}, the configuration of Limine 7 and older"
            ),
            Some(other) => format!(
                "it reads only {name}, in {folders}; the disc has {other}, the configuration of Limine 8 and later"
            ),
            None => format!("there is no {name} where it looks, in {folders}"),
        };
        let message = format!(
            "{slot} {}: {image} Limine {major}.{minor}, and {what}",
            slots.join(" and ")
        );
        let finding = Finding::new(ID, self.place, message).with_fix(FOR_CONFIGURATION);
        match self.may_come_from_machine && self.other.is_none() {
            true => finding.milder(),
            false => finding,
        }
    }
}

fn without_configuration(
    reading: &mut Reading<'_, '_>,
    program: &Program,
    is_efi: bool,
) -> Option<Lack> {
    let beside = (is_efi && program.beside_itself).then(|| format!("/EFI/BOOT/{CONF}"));
    let paths = program.configurations.all().chain(&beside);
    if !files(reading, paths)?.is_empty() || may_be_elsewhere(reading) {
        return None;
    }
    let (name, other) = match (
        program.configurations.has(CONF),
        program.configurations.has(CFG),
    ) {
        (true, true) => (CONF, None),
        (true, false) => (CONF, Some(CFG)),
        (false, _) => (CFG, Some(CONF)),
    };
    let others: Vec<String> = other.into_iter().flat_map(in_folders).collect();
    let others = files(reading, others.iter()).unwrap_or_default();
    let paths = program.configurations.written.iter().chain(&beside);
    let paths = paths.filter(|path| path.ends_with(name));
    Some(Lack {
        slots: Vec::new(),
        place: Place { offset: 0 },
        version: program.version,
        name,
        folders: paths.cloned().collect(),
        other: others.into_iter().next().map(|(path, _)| path),
        may_come_from_machine: program.asks_machine,
    })
}

/// What is wrong with the text of a configuration, so that its menu is empty or its default entry does not start.
fn wrong_text(reading: &mut Reading<'_, '_>, configuration: &Configuration) -> Option<String> {
    if !configuration.complete {
        return None;
    }
    let path = &configuration.path;
    let file = reading.file_in(configuration.file_system, path)?;
    let bytes = file.bytes(reading.disc, 0, CONFIGURATION_BYTES);
    let text = String::from_utf8_lossy(&bytes);
    let syntax = Syntax::of(path);
    let (other, language, versions) = match syntax {
        Syntax::Cfg => (Syntax::Conf, "/Entry and key: value", "Limine 8 and later"),
        Syntax::Conf => (Syntax::Cfg, ":Entry and KEY=value", "Limine 7 and older"),
    };
    let read = Text::of(&text, syntax);
    if read.sections.is_empty() {
        let of_other = Text::of(&text, other);
        let mut sections = of_other.sections.iter();
        return sections.any(|it| it.value("protocol").is_some()).then(|| {
            format!(
                "{path} has no entry that Limine reads: it is in the syntax of {versions} ({language}), and a file of this name is read in the other one"
            )
        });
    }
    let DefaultEntry::Entry(index) = configuration.default else {
        return None;
    };
    let section = read.sections.get(index)?;
    let line = section.spaced?;
    (section.value("protocol").is_none()).then(|| {
        format!(
            "the entry {:?} in {path} has no protocol: in line {line} there is a space before the sign, so Limine does not take it as an option",
            crate::bytes::printable(section.title.as_bytes())
        )
    })
}

/// A longer configuration is not complete.
const CONFIGURATION_BYTES: usize = 256 << 10;

/// The files at these paths in all file systems, in any case; `None` if one of them cannot be looked up.
fn files<'p>(
    reading: &mut Reading<'_, '_>,
    paths: impl Iterator<Item = &'p String> + Clone,
) -> Option<Vec<(String, DiscBytes)>> {
    let mut volumes = Volumes::new(reading.disc, reading.inspection);
    let mut files = Vec::new();
    for system in volumes.file_systems() {
        for path in paths.clone() {
            match volumes.find_in_any_case(system, path, Eyes::Limine) {
                (path, Found::File { runs, length }) => {
                    files.push((path, DiscBytes::new(runs, length)));
                }
                (_, Found::Unknown) => return None,
                (_, Found::Directory | Found::Missing) => {}
            }
        }
    }
    Some(files)
}

fn in_folders(name: &'static str) -> impl Iterator<Item = String> {
    FOLDERS.iter().map(move |folder| format!("{folder}/{name}"))
}

/// The folders of these paths, for people.
fn folders_of(paths: &[String]) -> String {
    let mut folders: Vec<&str> = Vec::new();
    for path in paths {
        let folder = path.rsplit_once('/').map_or("", |it| it.0);
        let folder = if folder.is_empty() { "/" } else { folder };
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    match folders.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Programs for UEFI that are looked at in an image.
const PROGRAMS: usize = 8;
/// Partitions that are looked at.
const PARTITIONS: usize = 64;
/// Where ext2 and its successors have their mark.
const EXT_MARK: (u64, u16) = (1_024 + 56, 0xEF53);

/// Whether a partition has a file system that Limine reads and this program does not.
fn may_be_elsewhere(reading: &mut Reading<'_, '_>) -> bool {
    let partitions = &reading.inspection.partitions;
    let mbr = partitions.mbr.iter().map(|it| it.first);
    let gpt = partitions.gpt.iter().flatten().map(|it| it.first);
    let known: Vec<u64> = Volumes::new(reading.disc, reading.inspection)
        .file_systems()
        .into_iter()
        .filter_map(|system| match system {
            FileSystem::Image(lba) => Some(lba.byte_offset()),
            FileSystem::Tree => None,
        })
        .collect();
    let starts: Vec<u64> = mbr.chain(gpt).map(|it| it.byte_offset()).collect();
    let mut others = starts
        .into_iter()
        .filter(|start| *start != 0 && !known.contains(start))
        .take(PARTITIONS);
    others.any(|start| {
        let mark = reading.disc.array::<2>(start.saturating_add(EXT_MARK.0));
        mark.is_some_and(|mark| le16(&mark, 0) == EXT_MARK.1)
            || FatVolume::at(reading.disc, start).is_some()
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;
    use crate::{
        boot_configuration::tests::disc_of,
        finding::Severity,
        inspect::{Options, Window, inspect},
        portable_executable::portable_executable,
        sparse::SparseBytes,
    };

    type Files<'f> = Vec<(&'f str, Vec<u8>)>;

    const NOTE: &[u8] = b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0a build's id, 20 bytes";
    /// As in the programs of 4, 8 and 10.4.
    const OF_4: &[u8] =
        b"config: Malformed config file.\0Limine 4.20231024.eol\0/limine.cfg\0/boot/limine/limine.cfg\0";
    const OF_8: &[u8] = b"config: Malformed config file.\0Limine 8.2.0 (x)\0/limine.conf\0/boot/limine/limine.conf\0/limine.cfg\0";
    const OF_10: &[u8] = b"config: Malformed config file.\0Limine 10.4.0 (x)\0/limine.conf\0/boot/limine/limine.conf\0limine.conf\0limine:config:\0";
    const CONFIGURATION: &str = "/One\n protocol: linux\n path: boot():/kernel\n";

    fn stage(name: &str) -> Vec<u8> {
        let words = format!("Stage 3 file not found!\0/{name}\0/boot/limine/{name}\0");
        [words.as_bytes(), NOTE].concat()
    }

    fn boot_image(stage: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(stage).unwrap();
        let mut image = vec![0xEB, 0x58, 0x90];
        image.resize(4_912, 0);
        image.extend(packed.finish().unwrap());
        image.resize(24_576, 0);
        image
    }

    /// The third stage: the second, the rest, and the id of the build again.
    fn third(name: &str, program: &[u8]) -> Vec<u8> {
        [&stage(name), program, NOTE].concat()
    }

    /// A disc whose initial entry, for a BIOS, is Limine that loads a file of this name; with a program for UEFI where one is given.
    fn disc(name: &str, files: &Files<'_>, efi: Option<&[u8]>) -> SparseBytes {
        let program = efi.map(|words| portable_executable(&[1; 16], 4_096, words).unwrap());
        let image: Files<'_> = match program {
            Some(program) => vec![("/EFI/BOOT/BOOTX64.EFI", program)],
            None => vec![("/x", vec![1])],
        };
        fn borrow<'f>(files: &'f Files<'_>) -> Vec<(&'f str, &'f [u8])> {
            files
                .iter()
                .map(|(path, it)| (*path, it.as_slice()))
                .collect()
        }
        let mut bytes = disc_of(&borrow(files), &borrow(&image));
        let catalog = 21 * 2_048;
        let second = bytes.array_at::<32>(catalog + 32);
        let at = bytes.len();
        let image = boot_image(&stage(name));
        bytes.set_len(at + image.len() as u64);
        bytes.write_at(at, &image);
        let mut entries = [0; 128];
        entries[0] = 1;
        entries[28..32].copy_from_slice(&[0xAA, 0x55, 0x55, 0xAA]);
        entries[32] = 0x88;
        entries[38] = 4;
        entries[40..44].copy_from_slice(&u32::try_from(at / 2_048).unwrap().to_le_bytes());
        entries[64..68].copy_from_slice(&[0x91, 0xEF, 1, 0]);
        entries[96..].copy_from_slice(&second);
        bytes.write_at(catalog, &entries);
        bytes
    }

    /// The findings about it, with their severities.
    fn found(disc: &SparseBytes) -> Vec<(Severity, String)> {
        let inspection = inspect(&mut Window::new(disc), &Options::default()).unwrap();
        let findings = inspection.findings.into_iter();
        let own = findings.filter(|finding| finding.id == ID);
        own.map(|it| (it.severity, it.message)).collect()
    }

    /// The only finding, which is an error.
    fn error(disc: &SparseBytes) -> String {
        let found = found(disc);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0].0, Severity::Error);
        found[0].1.clone()
    }

    const SYS: &str = "limine-bios.sys";

    #[test]
    fn a_whole_limine_has_no_finding() {
        for (name, program, path, text) in [
            (
                "limine.sys",
                OF_4,
                "/limine.cfg",
                ":One\nPROTOCOL=linux\nKERNEL_PATH=boot:///kernel\n",
            ),
            (SYS, OF_8, "/boot/limine/LIMINE.CONF", CONFIGURATION),
            (
                SYS,
                OF_8,
                "/limine.cfg",
                ":One\nPROTOCOL=linux\nKERNEL_PATH=boot:///kernel\n",
            ),
            (SYS, OF_10, "/limine.conf", CONFIGURATION),
        ] {
            let stage = format!("/boot/limine/{name}");
            let files = vec![
                (stage.as_str(), third(name, program)),
                (path, text.into()),
                ("/kernel", vec![1]),
            ];
            assert_eq!(found(&disc(name, &files, Some(program))), [], "{path}");
        }
        // A loader that is not known.
        let other = disc("other.sys", &vec![("/x", vec![1])], None);
        assert_eq!(found(&other), []);
    }

    #[test]
    fn the_third_stage_is_missing_or_another_one() {
        let files = vec![("/limine.conf", CONFIGURATION.into())];
        assert_eq!(
            error(&disc(SYS, &files, None)),
            "slot 1: the image is Limine, and limine-bios.sys is not where it looks, in / or /boot/limine"
        );
        let files = vec![
            ("/boot/limine.sys", vec![1]),
            ("/boot/limine-bios.sys", third(SYS, OF_8)),
            ("/limine.conf", CONFIGURATION.into()),
        ];
        assert!(
            error(&disc(SYS, &files, None))
                .ends_with("; the disc has /boot/limine.sys, which is the file of another version")
        );
        let mut other = third(SYS, OF_8);
        let from = stage(SYS).len() + OF_8.len();
        other[from + 20] ^= 1;
        let cut = third(SYS, OF_8)[..from].to_vec();
        for wrong in [other, cut] {
            let files = vec![
                ("/limine-bios.sys", wrong),
                ("/limine.conf", CONFIGURATION.into()),
            ];
            assert_eq!(
                error(&disc(SYS, &files, None)),
                "slot 1: the image is Limine, and /limine-bios.sys is from another build than the image, or truncated"
            );
        }
    }

    #[test]
    fn the_configuration_is_missing_or_another_version_s() {
        let with = |program: &[u8], path: &str| {
            let files = vec![
                ("/limine-bios.sys", third(SYS, program)),
                (path, CONFIGURATION.into()),
            ];
            disc(SYS, &files, Some(program))
        };
        assert_eq!(
            error(&with(OF_8, "/config/limine.conf")),
            "slots 1 and 3: the images are Limine 8.2, and there is no limine.conf where it looks, in / or /boot/limine"
        );
        // The machine may have it.
        let found = found(&with(OF_10, "/config/limine.conf"));
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0].0, Severity::Warning);
        assert_eq!(
            error(&with(OF_10, "/boot/limine/limine.cfg")),
            "slots 1 and 3: the images are Limine 10.4, and it reads only limine.conf, in /, /boot/limine or /EFI/BOOT; the disc has /boot/limine/limine.cfg, the configuration of Limine 7 and older"
        );
        assert!(
            error(&with(OF_4, "/limine.conf"))
                .ends_with("reads only limine.cfg, in / or /boot/limine; the disc has /limine.conf, the configuration of Limine 8 and later")
        );
    }

    #[test]
    fn a_text_that_is_not_read() {
        let with = |path: &str, text: &str| {
            let files = vec![
                ("/limine-bios.sys", third(SYS, OF_8)),
                (path, text.into()),
                ("/kernel", vec![1]),
            ];
            disc(SYS, &files, None)
        };
        let old = ":One\nPROTOCOL=linux\nKERNEL_PATH=boot:///kernel\n";
        assert!(
            error(&with("/limine.conf", old)).contains("it is in the syntax of Limine 7 and older")
        );
        assert!(
            error(&with("/limine.cfg", CONFIGURATION))
                .contains("it is in the syntax of Limine 8 and later")
        );
        let spaced = old.replace('=', " = ");
        assert_eq!(
            error(&with("/limine.cfg", &spaced)),
            "the entry \"One\" in /limine.cfg has no protocol: in line 2 there is a space before the sign, so Limine does not take it as an option"
        );
        // It is not the one that starts; and a comment.
        let other = format!("{old}:Two\nPROTOCOL = linux\n");
        assert_eq!(found(&with("/limine.cfg", &other)), []);
        assert_eq!(found(&with("/limine.conf", "# PROTOCOL=linux\n")), []);
    }

    #[test]
    fn a_file_system_that_is_not_read_may_have_the_files() {
        let files = vec![("/limine.conf", CONFIGURATION.into())];
        let mut disc = disc(SYS, &files, None);
        disc.write_at(446 + 4, &[0x83, 0, 0, 0, 40, 0, 0, 0, 9]);
        disc.write_at(510, &[0x55, 0xAA]);
        assert_eq!(found(&disc).len(), 1);
        disc.write_at(40 * 512 + EXT_MARK.0, &EXT_MARK.1.to_le_bytes());
        assert_eq!(found(&disc), []);
    }
}
