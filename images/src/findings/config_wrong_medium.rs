//! `config-wrong-medium`: a configuration that looks for another medium.

use super::{
    Room, gravest,
    recipe::{commands, genisoimage, xorriso},
};
use crate::{
    boot_configuration::{BootConfigurations, Loader, SearchBy},
    bytes::padded,
    change::Writes,
    finding::{Finding, FindingId, Place, Severity},
    inspect::{DescriptorSet, Reading},
    iso9660::{Names, RawPrimaryVolume},
    tool::Tool,
    units::{BLOCK_BYTES, Lba, VirtualSector},
};

/// Partitions that are looked at for another beginning of the volume.
const PARTITIONS: usize = 64;

const ID: FindingId = FindingId::ConfigWrongMedium;

pub(super) const ROOM: Room = Room {
    id: "config-wrong-medium",
    severity: Severity::Error,
    milder: Some(Severity::Info),
    trips: &["seabios", "ovmf"],
    explanation: "A boot loader's configuration looks for a label, a UUID or a file that this disc does not have.",
    consequence: "The loader finds no file system, or the system that it starts stops in its initial file system: no medium found.",
    remedy: "Write the image to the stick or disc unchanged, with the volume label that it came with; else give the disc the label that its configuration names.",
    recipes: &[
        commands(
            Tool::Xorriso,
            "xorriso -indev disc.iso -outdev new.iso -boot_image any replay -volid {label} -commit",
            "-volid",
        ),
        xorriso("-V"),
        genisoimage("-V"),
    ],
    replaces: &[],
    describes: false,
    check,
    defect: None,
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let labels = reading.labels();
    let mut findings = Vec::new();
    let configurations = reading.configurations();
    // Red Hat's GRUB hands a label's `\x20` on to the kernel, which reads a space; others drop the backslash. Which one it is does not stand in the
    // configuration, so a label is right that is right for one of them.
    let is_there = |loader: Loader, wanted: &String| {
        let dropped = || {
            labels
                .iter()
                .any(|label| label.replace(' ', "x20") == *wanted)
        };
        labels.contains(wanted) || (loader == Loader::Grub && dropped())
    };
    let label = only_label(&configurations).filter(|label| !labels.contains(label));
    let relabelled = label.and_then(|label| relabelled(reading, &label));
    let relabelled = relabelled.unwrap_or_default();
    for configuration in &configurations.all {
        if configuration.loader == Loader::GrubLoopback {
            continue;
        }
        for (index, entry) in configuration.entries.iter().enumerate() {
            let wanted = entry.command_line.as_deref().and_then(wanted_label);
            let Some(wanted) = wanted.filter(|it| !is_there(configuration.loader, it)) else {
                continue;
            };
            let message = format!(
                "{} wants the label {wanted:?} in line {} ({:?}), and the disc's labels are {}",
                entry.file,
                entry.line,
                entry.title,
                labels
                    .iter()
                    .map(|label| format!("{label:?}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            );
            let place = reading.place_of(configuration.file_system, &entry.file);
            let finding = Finding::new(ID, place, message).fixed_by_all(relabelled.clone());
            let is_default = configuration.may_be_default(index);
            findings.push(if is_default && !entry.conditional {
                finding
            } else {
                finding.as_info()
            });
        }
        for search in &configuration.searches {
            if search.found != Some(false) {
                continue;
            }
            let what = match search.by {
                SearchBy::File => "the file",
                SearchBy::Label => "the label",
                SearchBy::Uuid => "the UUID",
            };
            let message = format!(
                "{} searches for {what} {:?} in line {}, and the disc does not have it",
                search.file, search.wanted, search.line
            );
            let place = reading.place_of(configuration.file_system, &search.file);
            // Where the search finds nothing, GRUB's root stays what it was: the medium it was started from.
            findings.push(Finding::new(ID, place, message).as_info());
        }
    }
    gravest(findings)
}

/// The label that is wanted, where all that want one want the same, and no loader has found the disc by the one that it has.
fn only_label(configurations: &BootConfigurations) -> Option<String> {
    let all = configurations.all.iter();
    let mut searches = all.clone().flat_map(|it| &it.searches);
    if searches.any(|it| it.by == SearchBy::Label && it.found != Some(false)) {
        return None;
    }
    let mut wanted: Vec<String> = all
        .filter(|it| it.loader != Loader::GrubLoopback)
        .flat_map(|it| &it.entries)
        .filter_map(|entry| wanted_label(entry.command_line.as_deref()?))
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let label = wanted.pop()?;
    wanted.is_empty().then_some(label)
}

/// What gives the volume another label: the disc's own descriptors, and those in a partition in which the same volume begins. `None` where the label does not
/// fit, or where a UDF file system has one too.
fn relabelled(reading: &mut Reading<'_, '_>, label: &str) -> Option<Writes> {
    // ECMA-119 §8.4.7 and §8.5.5: from byte 40 on.
    const VOLUME_ID: u64 = 40;
    const BYTES: usize = 32;
    let is_plain = label.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if label.len() > BYTES || !is_plain || reading.udf().is_some() {
        return None;
    }
    let plain = padded::<BYTES>(label, b' ');
    // Sixteen characters of UCS-2; of a longer label tools write the first ones, and Linux completes it from the other.
    let halves = plain.iter().take(BYTES / 2);
    let joliet: Vec<u8> = halves.flat_map(|&byte| [0, byte]).collect();
    let (_, primary) = reading.descriptors.main.primary.as_ref()?;
    let partitions = &reading.inspection.partitions;
    let mbr = partitions.mbr.iter().map(|it| it.first);
    let gpt = partitions.gpt.iter().flatten().map(|it| it.first);
    let starts = mbr
        .chain(gpt)
        .take(PARTITIONS)
        .map(VirtualSector::byte_offset);
    let mut starts: Vec<u64> = starts.chain([0]).collect();
    starts.retain(|start| start % BLOCK_BYTES == 0);
    starts.sort_unstable();
    starts.dedup();
    let mut writes = Vec::new();
    for start in starts {
        let set = DescriptorSet::read(reading.disc, Lba::of_offset(start));
        let of_same = |it: &(Lba, RawPrimaryVolume)| it.1.volume_id == primary.volume_id;
        let Some((lba, _)) = set.primary.filter(of_same) else {
            continue;
        };
        writes.push((Place::within(lba, VOLUME_ID).offset, plain.to_vec()));
        for (lba, _) in set.all {
            let block = reading.disc.block(lba);
            let volume = block.and_then(|block| RawPrimaryVolume::decode_supplementary(&block));
            if volume.is_some_and(|volume| volume.names == Names::Joliet) {
                writes.push((Place::within(lba, VOLUME_ID).offset, joliet.clone()));
            }
        }
    }
    Some(writes)
}

/// The label that a kernel's command line wants: any word whose key ends in `label` or whose value begins with `LABEL=` or `CDLABEL=`.
pub(super) fn wanted_label(line: &str) -> Option<String> {
    let label = line.split_whitespace().find_map(|word| {
        let word = word.trim_matches(['"', '\'']);
        let (key, value) = word.split_once('=')?;
        // Where changes are kept may well be another medium.
        if ["persist", "overlay", "cow"]
            .iter()
            .any(|word| key.contains(word))
        {
            return None;
        }
        let named = value.split_once("LABEL=").filter(|(before, _)| {
            before.is_empty() || before.ends_with("CD") || before.ends_with(':')
        });
        if let Some((_, label)) = named {
            return Some(label);
        }
        let is_label = key.to_ascii_lowercase().ends_with("label") && !value.starts_with('/');
        is_label.then_some(value)
    })?;
    // What follows a colon is a path on it (`hd:LABEL=FEDORA:/ks.cfg`).
    let label = label.split(':').next().unwrap_or(label);
    let label = label.replace("\\x20", " ").replace("\\040", " ");
    (!label.is_empty() && !label.contains('$')).then_some(label)
}
