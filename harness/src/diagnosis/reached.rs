//! What was read of a disc, in words.

use std::collections::HashMap;

use images::{
    fat::FatStructure,
    iso9660::DescriptorKind,
    map::{DiscMap, Structure},
    units::{BLOCK_BYTES, ByteCount, Lba},
};

use crate::{
    attachment::Attachment,
    observation::{DiscRead, Observation},
};

/// So many structures that a firmware read are named.
const NAMED: usize = 6;
/// So many of a boot loader's, which reads hundreds: the evidence has them all.
const NAMED_OF_LOADER: usize = 2;

/// What the firmware read of the disc, and the boot image after it. `loader` is the file name of the program that UEFI firmware looks for; it is empty for a BIOS.
pub(super) fn reached(
    observation: &Observation,
    attachment: Attachment,
    loader: &str,
    map: &DiscMap,
) -> String {
    if !observation.reads_known {
        return String::new();
    }
    let reads = &observation.reads;
    if reads.is_empty() {
        return "It did not read the disc.".to_owned();
    }
    let entered = observation.reads_before_entry;
    let before = entered.unwrap_or(reads.len());
    let (firmware, image) = reads.split_at(before.min(reads.len()));
    let decisive = |structure: &Structure| match structure {
        Structure::VolumeDescriptor { descriptor, .. } => *descriptor == DescriptorKind::BootRecord,
        // A catalog leads on by itself. A disk may begin with a table of partitions, or with code.
        Structure::BootCode | Structure::PartitionTable => attachment.is_disk(),
        Structure::Catalog | Structure::BootImage { .. } | Structure::Fat { .. } => true,
        _ => false,
    };
    let started = entered.and_then(|_| started(firmware, loader, map));
    // What firmware reads of other programs stands beside what it wants: a directory, or a block that it probes.
    let is_beside = |structure: &Structure| started.is_some() && is_file(structure);
    let wanted = |structure: &Structure| decisive(structure) && !is_beside(structure);
    let read = listed(&structures(firmware, map, wanted), NAMED);
    let mut sentence = match (read.as_str(), entered) {
        ("", _) => "It read nothing that it can boot.".to_owned(),
        (read, Some(_)) => format!("It read {read}."),
        (read, None) => format!("It read {read}, but nothing to boot."),
    };
    if let Some(started) = &started {
        let program = named(started, map);
        sentence = match read.as_str() {
            "" => format!("It started {program}."),
            read => format!("It started {program}, after it read {read}."),
        };
    }
    if !image.is_empty() {
        let count = match image.len() {
            1 => "one more read".to_owned(),
            several => format!("{several} more reads"),
        };
        let of = structures(image, map, Structure::is_content);
        let of = listed(&of, NAMED_OF_LOADER);
        let of = if of.is_empty() {
            "but of no file from its beginning".to_owned()
        } else {
            format!("of {of}")
        };
        sentence += &format!(" Then its program ran: {count}, {of}.");
    }
    sentence
}

/// The program that UEFI firmware started: the loader of its architecture that it read in its whole length. It probes others by a block of them.
fn started(reads: &[DiscRead], loader: &str, map: &DiscMap) -> Option<Structure> {
    if loader.is_empty() {
        return None;
    }
    let extents = map.extents().iter().filter(|extent| match &extent.what {
        Structure::Fat {
            part: FatStructure::File { path },
            ..
        } => path
            .rsplit('\\')
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(loader)),
        _ => false,
    });
    let mut programs: Vec<(&Structure, u64, u64)> = Vec::new();
    for extent in extents {
        let read = covered(reads, extent.offset, extent.end());
        match programs.iter_mut().find(|(what, ..)| **what == extent.what) {
            Some((_, sum, _)) => *sum += read,
            None => programs.push((&extent.what, read, extent.whole.get())),
        }
    }
    let whole = programs
        .into_iter()
        .find(|(_, read, whole)| read >= whole && *whole > 0);
    whole.map(|(what, ..)| what.clone())
}

/// How many bytes of a range reads bring, each counted once.
fn covered(reads: &[DiscRead], start: u64, behind: u64) -> u64 {
    let mut pieces: Vec<(u64, u64)> = reads
        .iter()
        .map(|read| {
            let end = read.offset.saturating_add(read.bytes);
            (read.offset.max(start), end.min(behind))
        })
        .filter(|(from, to)| from < to)
        .collect();
    pieces.sort_unstable();
    let mut sum = 0;
    let mut done = start;
    for (from, to) in pieces {
        sum += to.saturating_sub(from.max(done));
        done = done.max(to);
    }
    sum
}

/// What was read of some kinds of structures, each once, in the order of the first read, with the address of that. A file counts only if its first block was
/// read, or one read after another: else its neighbor was read, or what a loader probes for a file system.
fn structures(
    reads: &[DiscRead],
    map: &DiscMap,
    wanted: impl Fn(&Structure) -> bool,
) -> Vec<String> {
    let mut found: Vec<(Structure, bool, u64)> = Vec::new();
    let mut places: HashMap<Structure, usize> = HashMap::new();
    for read in reads {
        let behind = read.offset.saturating_add(read.bytes);
        let owned = map.whose(read.offset, ByteCount::new(read.bytes));
        for owned in owned {
            let Some(structure) = owned.what.filter(&wanted) else {
                continue;
            };
            let place = *places.entry(structure.clone()).or_insert_with(|| {
                found.push((structure.clone(), !is_file(&structure), u64::MAX));
                found.len() - 1
            });
            if let Some((_, counts, next)) = found.get_mut(place) {
                *counts =
                    *counts || *next == read.offset || brings_beginning(read, &structure, map);
                *next = behind;
            }
        }
    }
    let counting = found.iter().filter(|(_, counts, _)| *counts);
    counting
        .map(|(structure, ..)| named(structure, map))
        .collect()
}

/// Whether a read brings the first block of a file. The end of a directory may stand in one block with the beginning of a file.
fn brings_beginning(read: &DiscRead, structure: &Structure, map: &DiscMap) -> bool {
    let mut extents = map.extents().iter();
    let first = extents.find(|extent| extent.what == *structure && extent.before.get() == 0);
    first.is_some_and(|first| {
        let block = first.offset.saturating_add(BLOCK_BYTES).min(first.end());
        read.offset <= first.offset && read.offset.saturating_add(read.bytes) >= block
    })
}

/// Whether a structure is a file, of the tree or in an image.
fn is_file(structure: &Structure) -> bool {
    matches!(
        structure,
        Structure::File { .. }
            | Structure::Fat {
                part: FatStructure::File { .. },
                ..
            }
    )
}

fn named(structure: &Structure, map: &DiscMap) -> String {
    let article = match structure {
        Structure::File { .. } => "",
        Structure::Fat {
            part: FatStructure::File { .. },
            ..
        } => "",
        _ => "the ",
    };
    let extent = map
        .extents()
        .iter()
        .find(|extent| extent.what == *structure);
    let place = extent.map_or_else(String::new, |extent| {
        format!(" at LBA {}", Lba::of_offset(extent.offset).get())
    });
    format!("{article}{structure}{place}")
}

/// Some of them, and how many more there are.
fn listed(names: &[String], some: usize) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        _ if names.len() > some + 1 => format!(
            "{} and {} others",
            names[..some].join(", "),
            names.len() - some
        ),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use images::{
        boot::Boot,
        inspect::{Options, Window, inspect},
        reference::master,
    };

    use super::*;
    use crate::observation::tests::observation;

    const LOADER: &str = "BOOTX64.EFI";

    fn map() -> DiscMap {
        let boot: Boot = "bios+efi".parse().unwrap();
        let disc = master("t/-/-/-/reference", None, &boot, None).unwrap();
        let mut window = Window::new(&disc.bytes);
        let inspection = inspect(&mut window, &Options::default()).unwrap();
        DiscMap::read(&mut window, &inspection)
    }

    /// The text about these reads (offset and length in bytes). The first `own` of them are the firmware's.
    fn told(map: &DiscMap, reads: &[(u64, u64)], own: usize, loader: &str) -> String {
        let reads = reads.iter();
        let seen = Observation {
            reads: reads
                .map(|&(offset, bytes)| DiscRead { offset, bytes })
                .collect(),
            reads_before_entry: Some(own),
            reads_known: true,
            ..observation()
        };
        reached(&seen, Attachment::Ahci, loader, map)
    }

    /// The first extent of a structure whose name ends like that, which has several blocks.
    fn extent<'m>(map: &'m DiscMap, name: &str) -> &'m images::map::Extent {
        let mut extents = map.extents().iter();
        extents
            .find(|extent| extent.what.to_string().contains(name) && extent.bytes.get() > 2 * 2048)
            .unwrap_or_else(|| panic!("{name} is not there"))
    }

    #[test]
    fn a_loader_that_was_read_whole_is_the_one_that_was_started() {
        let map = map();
        let loader = extent(&map, "\\BOOTX64.EFI");
        let record = 17 * 2048;
        let whole = [(record, 2048), (loader.offset, loader.bytes.get())];
        let sentence = told(&map, &whole, 2, LOADER);
        let started = format!("It started {}", loader.what);
        assert!(sentence.starts_with(&started), "{sentence}");
        assert!(
            sentence.contains(", after it read the boot record at LBA 17."),
            "{sentence}"
        );
        // A probe of a block of it, as of any other place, is none; nor is another architecture's.
        let probed = [(record, 2048), (loader.offset + 2048, 2048)];
        assert_eq!(
            told(&map, &probed, 2, LOADER),
            "It read the boot record at LBA 17."
        );
        // Nor is the beginning that stands in one block with the end of a directory.
        assert_ne!(loader.offset % 2048, 0);
        let shared = [(record, 2048), (loader.offset / 2048 * 2048, 2048)];
        assert!(!told(&map, &shared, 2, LOADER).contains(LOADER));
        let sentence = told(&map, &whole, 2, "BOOTAA64.EFI");
        assert!(
            sentence.starts_with("It read the boot record at LBA 17 and"),
            "{sentence}"
        );
        assert!(!told(&map, &whole, 2, "").contains("started"));
        // Another file that was read on the way is not named.
        let image = extent(&map, "boot image of slot 3");
        let all = [(image.offset, image.bytes.get())];
        assert_eq!(told(&map, &all, 1, LOADER).matches(".EFI").count(), 1);
    }

    #[test]
    fn a_file_counts_as_read_from_its_beginning_or_by_reads_in_a_row() {
        let map = map();
        let mut extents = map.extents().iter();
        let file = extents.find(|extent| {
            matches!(extent.what, Structure::File { .. }) && extent.bytes.get() > 2 * 2048
        });
        let file = file.expect("a file of several blocks");
        let name = file.what.to_string();
        let second = file.offset + 2048;
        let record = (17 * 2048, 2048);
        let of = |reads: &[(u64, u64)]| told(&map, &[&[record], reads].concat(), 1, "");
        assert!(of(&[(file.offset, 2048)]).contains(&name));
        assert!(of(&[(second, 2048), (second + 2048, 2048)]).contains(&name));
        assert_eq!(
            of(&[(second, 4096)]),
            "It read the boot record at LBA 17. Then its program ran: one more read, but of no file from its beginning."
        );
        assert!(!of(&[(second + 2048, 2048), (second, 2048)]).contains(&name));
    }
}
