//! What was read of a disc, in words.

use std::collections::HashSet;

use images::{
    fat::FatStructure,
    iso9660::DescriptorKind,
    map::{DiscMap, Structure},
    units::{ByteCount, Lba},
};

use crate::{
    attachment::Attachment,
    observation::{DiscRead, Observation},
};

/// So many structures that a firmware read are named.
const NAMED: usize = 6;
/// So many of a boot loader's, which reads hundreds: the evidence has them all.
const NAMED_OF_LOADER: usize = 2;

/// What the firmware read of the disc, and the boot image after it.
pub(super) fn reached(observation: &Observation, attachment: Attachment, map: &DiscMap) -> String {
    if !observation.reads_known {
        return String::new();
    }
    let reads = &observation.reads;
    if reads.is_empty() {
        return "It did not read the disc.".to_owned();
    }
    let before = observation.reads_before_entry.unwrap_or(reads.len());
    let (firmware, image) = reads.split_at(before.min(reads.len()));
    let decisive = |structure: &Structure| match structure {
        Structure::VolumeDescriptor { descriptor, .. } => *descriptor == DescriptorKind::BootRecord,
        // A catalog leads on by itself. A disk may begin with a table of partitions, or with code.
        Structure::BootCode | Structure::PartitionTable => attachment.is_disk(),
        Structure::Catalog | Structure::BootImage { .. } | Structure::Fat { .. } => true,
        _ => false,
    };
    let read = listed(&structures(firmware, map, decisive), NAMED);
    let mut sentence = match (read.as_str(), observation.reads_before_entry) {
        ("", _) => "It read nothing that it can boot.".to_owned(),
        (read, Some(_)) => format!("It read {read}."),
        (read, None) => format!("It read {read}, but nothing to boot."),
    };
    if !image.is_empty() {
        let count = match image.len() {
            1 => "one more read".to_owned(),
            several => format!("{several} more reads"),
        };
        let of = structures(image, map, Structure::is_content);
        let of = listed(&of, NAMED_OF_LOADER);
        let of = if of.is_empty() { "unknown blocks" } else { &of };
        sentence += &format!(" Then its program ran: {count}, of {of}.");
    }
    sentence
}

/// What was read of some kinds of structures, each once, in the order of the first read, with the address of that.
fn structures(
    reads: &[DiscRead],
    map: &DiscMap,
    wanted: impl Fn(&Structure) -> bool,
) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    for read in reads {
        let owned = map.whose(read.offset, ByteCount::new(read.bytes));
        for structure in owned.into_iter().filter_map(|owned| owned.what) {
            if wanted(&structure) && !seen.contains(&structure) {
                names.push(named(&structure, map));
                seen.insert(structure);
            }
        }
    }
    names
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
