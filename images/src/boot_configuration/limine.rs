//! The configuration of Limine: `limine.conf` of version 8 and later, `limine.cfg` of version 7 and older.
//!
//! Source: Limine's CONFIG.md, `common/lib/config.c`, `common/lib/uri.c`, `common/menu.c`, `common/protos`, of versions 4 to 8. Where it is looked for stands in the
//! disc's own programs ([`crate::limine`]): a file that none of them reads is not read here either.

use super::{
    configuration::{Configuration, DefaultEntry, Entry, FileSystem, Loader, NamedFile, Timeout},
    reader::{NAMED, Reader, kept, line_number},
    volume::{Eyes, Found},
};
use crate::limine::{CFG, CONF, FOLDERS, PROGRAM_BYTES, Program, THIRD_STAGES};

/// Programs for UEFI that are looked at in an image.
const PROGRAMS: usize = 8;
/// Submenus inside one another.
const DEPTH: usize = 32;
/// The time without `timeout`.
const SECONDS: u64 = 5;

/// Reads each configuration that one of the disc's own programs takes first in a file system.
pub(super) fn read(reader: &mut Reader<'_, '_>, all: &mut Vec<Configuration>) {
    let mut programs = None;
    for system in reader.volumes.file_systems() {
        let candidates = candidates(reader, system);
        if candidates.is_empty() {
            continue;
        }
        let programs = programs.get_or_insert_with(|| self::programs(reader));
        for program in programs.iter() {
            // All of them may look beside themselves only in their own folder.
            let looks_at = |path: &str| {
                let beside = program.beside_itself && path == "/EFI/BOOT/limine.conf";
                beside || program.configurations.all().any(|it| it == path)
            };
            let mut looked_at = candidates.iter().filter(|(path, _)| looks_at(path));
            let Some((path, spelled)) = looked_at.next() else {
                continue;
            };
            let is_certain = program.has_known_order() || looked_at.next().is_none();
            if reader.is_new(Loader::Limine, system, spelled) {
                let syntax = Syntax::of(path);
                all.extend(read_one(reader, system, spelled, syntax, is_certain));
            }
        }
    }
}

/// The files of a file system that may be a configuration: where a program names them, and as the disc spells that. In the order in which they are looked for.
fn candidates(reader: &mut Reader<'_, '_>, system: FileSystem) -> Vec<(String, String)> {
    let paths = [CONF, CFG].into_iter().flat_map(|name| {
        let paths = FOLDERS.iter();
        paths.map(move |folder| format!("{folder}/{name}"))
    });
    let mut candidates = Vec::new();
    for path in paths {
        let found = reader.volumes.find_in_any_case(system, &path, Eyes::Limine);
        if let (spelled, Found::File { .. }) = found {
            candidates.push((path, spelled));
        }
    }
    candidates
}

/// The disc's own programs that read a configuration.
fn programs(reader: &mut Reader<'_, '_>) -> Vec<Program> {
    let mut programs = Vec::new();
    for system in reader.volumes.file_systems() {
        let mut paths: Vec<String> = FOLDERS
            .iter()
            .flat_map(|folder| THIRD_STAGES.map(|name| format!("{folder}/{name}")))
            .collect();
        if let FileSystem::Image(_) = system {
            let names = reader.volumes.names(system, "/EFI/BOOT", false);
            let names = names.into_iter().filter(|name| {
                let name = name.to_ascii_lowercase();
                name.starts_with("boot") && name.ends_with(".efi")
            });
            paths.extend(names.take(PROGRAMS).map(|name| format!("/EFI/BOOT/{name}")));
        }
        for path in paths {
            let volumes = &mut reader.volumes;
            let path = volumes.spelled(system, &path, Eyes::Limine);
            let bytes =
                path.and_then(|path| volumes.bytes(system, &path, Eyes::Limine, PROGRAM_BYTES));
            let program = bytes.and_then(|bytes| Program::of(&bytes));
            programs.extend(program.filter(|it| !programs.contains(it)));
        }
    }
    programs
}

/// Which of its two languages a configuration is in: the name of the file decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// `:Entry` and `KEY=value`.
    Cfg,
    /// `/Entry` and `key: value`.
    Conf,
}

impl Syntax {
    pub(crate) fn of(path: &str) -> Self {
        let is_old = path.to_ascii_lowercase().ends_with(".cfg");
        if is_old { Self::Cfg } else { Self::Conf }
    }

    const fn of_entry(self) -> char {
        match self {
            Self::Cfg => ':',
            Self::Conf => '/',
        }
    }

    const fn of_option(self) -> char {
        match self {
            Self::Cfg => '=',
            Self::Conf => ':',
        }
    }
}

/// An option: its line, its name in lower case, and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Setting<'t> {
    line: u32,
    name: &'t str,
    value: &'t str,
}

/// An entry as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section<'t> {
    pub(crate) title: &'t str,
    pub(crate) line: u32,
    depth: usize,
    /// Whether it holds other entries.
    pub(crate) is_folder: bool,
    settings: Vec<Setting<'t>>,
    /// The first line with a name of an option that is not taken for it because of a space before the sign.
    pub(crate) spaced: Option<u32>,
}

impl Section<'_> {
    /// The value of an option: the first one counts.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let mut settings = self.settings.iter();
        let setting = settings.find(|it| it.name.eq_ignore_ascii_case(name));
        setting.map(|it| it.value)
    }
}

/// A configuration as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'t> {
    globals: Vec<Setting<'t>>,
    pub(crate) sections: Vec<Section<'t>>,
    /// Whether a line begins with a macro that may stand for anything.
    pub(crate) has_unknown_lines: bool,
}

/// Names of options by which one that is not taken is noticed.
const NOTICED: [&str; 5] = [
    "protocol",
    "kernel_path",
    "path",
    "module_path",
    "image_path",
];

impl<'t> Text<'t> {
    pub(crate) fn of(text: &'t str, syntax: Syntax) -> Self {
        let mut all = Self::default();
        for (index, line) in text.lines().enumerate() {
            let number = line_number(index + 1);
            let line = line.trim();
            if let Some(rest) = line.strip_prefix("${") {
                // An assignment is none of the entries'.
                all.has_unknown_lines |=
                    rest.split_once('}').is_none_or(|it| !it.1.starts_with('='));
            }
            let title = line.trim_start_matches(syntax.of_entry());
            let depth = line.len() - title.len();
            if depth > 0 {
                if let Some(before) = all.sections.last_mut() {
                    before.is_folder = depth > before.depth;
                }
                let title = title.strip_prefix('+').unwrap_or(title);
                all.sections.push(Section {
                    title: title.trim_start(),
                    line: number,
                    depth,
                    is_folder: false,
                    settings: Vec::new(),
                    spaced: None,
                });
                continue;
            }
            let Some((name, value)) = line.split_once(syntax.of_option()) else {
                continue;
            };
            let has_right_case =
                |name: &str| syntax == Syntax::Conf || name == name.to_ascii_uppercase();
            let section = all.sections.last_mut();
            let is_noticed = NOTICED
                .iter()
                .any(|it| it.eq_ignore_ascii_case(name.trim_end()));
            if name.ends_with([' ', '\t']) {
                if let Some(section) = section.filter(|_| is_noticed) {
                    section.spaced.get_or_insert(number);
                }
            } else if has_right_case(name) {
                let setting = Setting {
                    line: number,
                    name,
                    value: value.trim(),
                };
                section
                    .map_or(&mut all.globals, |it| &mut it.settings)
                    .push(setting);
            }
        }
        all
    }

    fn global(&self, name: &str) -> Option<&str> {
        let mut globals = self.globals.iter();
        let setting = globals.find(|it| it.name.eq_ignore_ascii_case(name));
        setting.map(|it| it.value)
    }
}

fn read_one(
    reader: &mut Reader<'_, '_>,
    system: FileSystem,
    path: &str,
    syntax: Syntax,
    is_certain: bool,
) -> Option<Configuration> {
    let (text, whole) = reader.text(system, path, Eyes::Limine)?;
    let text = Text::of(&text, syntax);
    let mut configuration = Configuration::new(Loader::Limine, system, path.to_owned());
    configuration.complete = whole && is_certain && !text.has_unknown_lines;
    configuration.timeout = match text.global("timeout") {
        None => Some(Timeout::Milliseconds(SECONDS * 1_000)),
        Some("no") => Some(Timeout::Never),
        Some(seconds) => seconds
            .parse::<u32>()
            .ok()
            .map(|seconds| Timeout::Milliseconds(u64::from(seconds) * 1_000)),
    };
    // The entries that hold the next one, with where they stand.
    let mut above: Vec<(usize, usize)> = Vec::new();
    for section in &text.sections {
        if !reader.has_room_for_an_entry() {
            configuration.complete = false;
            break;
        }
        above.retain(|&(depth, _)| depth < section.depth);
        let mut entry = Entry {
            title: kept(section.title),
            file: path.to_owned(),
            line: section.line,
            parent: above.last().map(|&(_, index)| index),
            ..Entry::default()
        };
        if above.len() < DEPTH {
            above.push((section.depth, configuration.entries.len()));
        }
        if !section.is_folder && !text.has_unknown_lines {
            add_files(reader, system, section, syntax, &mut entry);
        }
        configuration.entries.push(entry);
    }
    configuration.default = match default_entry(&text) {
        Some(index) if configuration.complete && index < configuration.entries.len() => {
            DefaultEntry::Entry(index)
        }
        _ if configuration.entries.is_empty() => DefaultEntry::Unset,
        _ => DefaultEntry::Unknown,
    };
    Some(configuration)
}

/// The files of an entry, as its protocol takes them.
fn add_files(
    reader: &mut Reader<'_, '_>,
    system: FileSystem,
    section: &Section<'_>,
    syntax: Syntax,
    entry: &mut Entry,
) {
    let program: &[&str] = match section.value("protocol") {
        Some("linux" | "limine" | "multiboot" | "multiboot1" | "multiboot2") => {
            &["kernel_path", "path"]
        }
        Some("efi" | "efi_chainload" | "chainload") => &["image_path", "path"],
        _ => return,
    };
    // Only one of two names is read, which depends on the version.
    let has_two = program.iter().all(|name| section.value(name).is_some());
    let mut has_program = false;
    for setting in &section.settings {
        let name = setting.name.to_ascii_lowercase();
        let is_program = program.contains(&name.as_str());
        let is_module = name == "module_path" && program.contains(&"kernel_path");
        if !is_module && (!is_program || has_program) || entry.files.len() >= NAMED {
            continue;
        }
        has_program |= is_program;
        let path = path_of(setting.value, syntax);
        let exists = path
            .as_ref()
            .filter(|_| !(is_program && has_two))
            .and_then(|path| exists(reader, system, path));
        entry.files.push(NamedFile {
            file: entry.file.clone(),
            line: setting.line,
            directive: name,
            path: kept(path.as_deref().unwrap_or(setting.value)),
            exists,
        });
    }
    if section.value("protocol") == Some("linux") {
        let line = section
            .value("kernel_cmdline")
            .or_else(|| section.value("cmdline"));
        entry.command_line = line.filter(|it| !it.contains("${")).map(kept);
    }
}

/// The path on the file system of the configuration itself; `None` if it is elsewhere, or if that depends on more than this text.
fn path_of(value: &str, syntax: Syntax) -> Option<String> {
    let path = match syntax {
        // A dollar sign stands before what is compressed.
        Syntax::Cfg => value
            .strip_prefix('$')
            .unwrap_or(value)
            .strip_prefix("boot:///"),
        Syntax::Conf => value.strip_prefix("boot():/"),
    }?;
    // Behind it may be the file's checksum.
    let path = path.rsplit_once('#').map_or(path, |(path, _)| path);
    let is_plain = |part: &str| !matches!(part, "" | "." | "..");
    let is_known = path.split('/').all(is_plain) && !path.contains("${");
    is_known.then(|| format!("/{path}"))
}

/// Whether there is such a file. If only another file system of the disc has it, that is not judged.
fn exists(reader: &mut Reader<'_, '_>, system: FileSystem, path: &str) -> Option<bool> {
    let mut is_anywhere = Some(false);
    for other in reader.volumes.file_systems() {
        match reader.volumes.find(other, path, Eyes::Limine) {
            Found::Missing => {}
            Found::File { .. } if other == system => return Some(true),
            _ => is_anywhere = None,
        }
    }
    is_anywhere
}

/// The entry that starts by itself. Its number counts what the menu shows; which submenus are open, and which entries a firmware has, decide about that.
fn default_entry(text: &Text<'_>) -> Option<usize> {
    let number = text.global("default_entry").unwrap_or("1");
    let index = number.parse::<usize>().ok()?.checked_sub(1)?;
    let is_shown = |section: &Section<'_>| {
        let protocol = section.value("protocol").unwrap_or_default();
        !section.is_folder && !protocol.contains("chainload") && !matches!(protocol, "efi" | "bios")
    };
    let before = text.sections.get(..=index)?;
    before.iter().all(is_shown).then_some(index)
}
