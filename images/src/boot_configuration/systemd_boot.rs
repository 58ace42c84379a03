//! The configuration of systemd-boot: `/loader/loader.conf`, and one file for each entry in `/loader/entries`.
//!
//! Source: the Boot Loader Specification (UAPI.1), and loader.conf(5).

use super::{
    configuration::{Configuration, DefaultEntry, Entry, FileSystem, Loader, NamedFile, Timeout},
    reader::{NAMED, Reader, kept, line_number},
    volume::Eyes,
};

const LOADER: &str = "/loader/loader.conf";
const ENTRIES: &str = "/loader/entries";
/// Unified kernel images are entries by themselves.
const UNIFIED: &str = "/EFI/Linux";

/// Reads the configuration in each file system that has one.
pub(super) fn read(reader: &mut Reader<'_, '_>, all: &mut Vec<Configuration>) {
    for system in reader.volumes.file_systems() {
        all.extend(read_one(reader, system));
    }
}

fn read_one(reader: &mut Reader<'_, '_>, system: FileSystem) -> Option<Configuration> {
    let loader = reader.text(system, LOADER, Eyes::Grub);
    let names = reader.volumes.names(system, ENTRIES, false);
    let is_entry = |name: &&String| name.to_ascii_lowercase().ends_with(".conf");
    let names: Vec<&String> = names.iter().filter(is_entry).collect();
    if loader.is_none() && names.is_empty() {
        return None;
    }
    let mut configuration = Configuration::new(Loader::SystemdBoot, system, LOADER.to_owned());
    for name in names {
        let path = format!("{ENTRIES}/{name}");
        let Some((text, whole)) = reader.text(system, &path, Eyes::Grub) else {
            configuration.complete = false;
            continue;
        };
        configuration.complete &= whole;
        if !reader.has_room_for_an_entry() {
            configuration.complete = false;
            break;
        }
        let entry = read_entry(reader, system, &path, name, &text);
        configuration.entries.push(entry);
    }
    add_unified(reader, &mut configuration);
    let mut default = None;
    for (_, key, value) in lines(loader.as_ref().map_or("", |(text, _)| text)) {
        match key {
            "default" => default = Some(value.to_owned()),
            "timeout" => configuration.timeout = Some(timeout(value)),
            _ => {}
        }
    }
    configuration.complete &= loader.is_none_or(|(_, whole)| whole);
    configuration.default = default_entry(&configuration.entries, default.as_deref());
    // Without a time the menu stays hidden, and is shown only while a key is held.
    configuration.prompts = !matches!(
        configuration.timeout,
        Some(Timeout::Unset | Timeout::Milliseconds(0))
    );
    Some(configuration)
}

fn add_unified(reader: &mut Reader<'_, '_>, configuration: &mut Configuration) {
    let system = configuration.file_system;
    for name in reader.volumes.names(system, UNIFIED, false) {
        if !name.to_ascii_lowercase().ends_with(".efi") || !reader.has_room_for_an_entry() {
            continue;
        }
        let path = format!("{UNIFIED}/{name}");
        let exists = reader.exists(system, &path, Eyes::Grub);
        configuration.entries.push(Entry {
            title: name.clone(),
            id: Some(name),
            file: path.clone(),
            line: 0,
            files: vec![NamedFile {
                file: path.clone(),
                line: 0,
                directive: "uki".to_owned(),
                path,
                exists,
            }],
            ..Entry::default()
        });
    }
}

fn read_entry(
    reader: &mut Reader<'_, '_>,
    system: FileSystem,
    path: &str,
    name: &str,
    text: &str,
) -> Entry {
    let mut entry = Entry {
        title: name.to_owned(),
        id: Some(name.to_owned()),
        file: path.to_owned(),
        line: 1,
        ..Entry::default()
    };
    let mut options = Vec::new();
    for (line, key, value) in lines(text) {
        match key {
            "title" => value.clone_into(&mut entry.title),
            "linux" | "initrd" | "efi" | "uki" | "devicetree" | "devicetree-overlay" => {
                for path in value.split_ascii_whitespace() {
                    if entry.files.len() >= NAMED {
                        break;
                    }
                    entry.files.push(NamedFile {
                        file: entry.file.clone(),
                        line,
                        directive: key.to_owned(),
                        path: kept(path),
                        exists: reader.exists(system, path, Eyes::Grub),
                    });
                }
            }
            "options" => options.push(value),
            _ => {}
        }
    }
    entry.title = kept(&entry.title);
    entry.command_line = (!options.is_empty()).then(|| kept(&options.join(" ")));
    entry
}

/// Keys and values, with the numbers of their lines.
fn lines(text: &str) -> impl Iterator<Item = (u32, &str, &str)> {
    let lines = text.lines().enumerate();
    lines.filter_map(|(index, line)| {
        let line = line.trim();
        let (key, value) = line.split_once([' ', '\t'])?;
        let is_comment = line.starts_with('#');
        (!is_comment).then(|| (line_number(index + 1), key, value.trim()))
    })
}

fn timeout(value: &str) -> Timeout {
    match value {
        "menu-force" => Timeout::Never,
        "menu-hidden" | "menu-disabled" => Timeout::Milliseconds(0),
        seconds => seconds.parse::<u32>().map_or(Timeout::Unset, |seconds| {
            Timeout::Milliseconds(u64::from(seconds) * 1_000)
        }),
    }
}

/// The default is a pattern over the names of entries. Without one, the newest entry is taken, by an order over fields that only a program that
/// runs has whole; of a single entry that is clear.
fn default_entry(entries: &[Entry], pattern: Option<&str>) -> DefaultEntry {
    let Some(pattern) = pattern else {
        return match entries {
            [] => DefaultEntry::Unset,
            [_] => DefaultEntry::Entry(0),
            _ => DefaultEntry::Unknown,
        };
    };
    if pattern.starts_with('@') || pattern.contains('[') || entries.is_empty() {
        return DefaultEntry::Unknown;
    }
    let pattern = pattern.to_ascii_lowercase();
    let is_meant = |entry: &Entry| {
        let id = entry.id.as_deref().unwrap_or_default().to_ascii_lowercase();
        // Before release 249 the name stood without its ending.
        let short = id.strip_suffix(".conf").unwrap_or(&id);
        matches(pattern.as_bytes(), id.as_bytes()) || matches(pattern.as_bytes(), short.as_bytes())
    };
    let found: Vec<usize> = (0..entries.len())
        .filter(|&index| entries.get(index).is_some_and(is_meant))
        .collect();
    match found[..] {
        [] => DefaultEntry::Missing(kept(&pattern)),
        [index] => DefaultEntry::Entry(index),
        _ => DefaultEntry::Unknown,
    }
}

/// Whether a name fits a pattern with `*` and `?`, in time that grows with the product of their lengths at most.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut in_name) = (0, 0);
    // Where the last star is, and how much of the name it has taken.
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_name));
                at += 1;
            }
            Some(&it) if it == b'?' || Some(&it) == name.get(in_name) => {
                at += 1;
                in_name += 1;
            }
            _ => {
                let Some((place, taken)) = star else {
                    return false;
                };
                star = Some((place, taken + 1));
                at = place + 1;
                in_name = taken + 1;
            }
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|&it| it == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_pattern() {
        for (pattern, name, fits) in [
            ("arch.conf", "arch.conf", true),
            ("arch*", "arch-linux.conf", true),
            ("*-a?.conf", "b-a-a1.conf", true),
            ("", "", true),
            ("*", "", true),
            ("a", "", false),
            ("a*b", "acbd", false),
            ("?", "", false),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                fits,
                "{pattern} {name}"
            );
        }
    }
}
