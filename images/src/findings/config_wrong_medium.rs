//! `config-wrong-medium`: a configuration that looks for another medium.

mod words;

use self::words::{is_iso_uuid, wanted_file, wanted_folder, wanted_label, wanted_uuid};
use super::{
    recipe::declared::{When, commands, genisoimage, xorriso},
    room::{Room, gravest, reading_firmware},
};
use crate::{
    boot_configuration::{BootConfigurations, Configuration, FileSystem, Loader, Search, SearchBy},
    bytes::padded,
    change::Writes,
    finding::{Finding, FindingId, Place, Severity},
    inspect::{DescriptorSet, Reading},
    iso9660::{Names, RawPrimaryVolume},
    tool::Tool,
    units::{BLOCK_BYTES, Lba, VirtualSector},
};

/// Characters of a volume's label (ECMA-119 §8.4.7).
const LABEL_BYTES: usize = 32;

/// Partitions that are searched for another beginning of the volume.
const PARTITIONS: usize = 64;

const ID: FindingId = FindingId::ConfigWrongMedium;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Info),
    trips: &["seabios", "ovmf"],
    explanation: "A boot loader's configuration looks for a label, a UUID, a file or a folder that this disc does not have.",
    consequence: "The loader finds no file system, or the system that it starts stops in its initial file system because it finds no medium.",
    remedy: "Write the image to the stick or disc unchanged, with its original volume label. If you made the disc, give it the label that its configuration names.",
    recipes: &[
        commands(
            Tool::Xorriso,
            "xorriso -indev disc.iso -outdev new.iso -boot_image any replay -volid {label} -commit",
            "-volid",
        )
        .when(When::Label),
        xorriso("-V").when(When::Label),
        genisoimage("-V").when(When::Label),
        commands(
            Tool::Xorriso,
            "xorriso -indev disc.iso -outdev new.iso -boot_image any replay -volume_date uuid {uuid} -changes_pending yes -commit",
            "-volume_date",
        )
        .when(When::Uuid),
    ],
    check,
    ..Room::BASE
};

const GIVE_THE_UUID: &str = "Write the image to the stick or disc unchanged. If you made the disc, give the volume the UUID that the configuration names (it is the time of the volume's last change), or write the disc's UUID into the configuration.";

/// The disc has a label that other configurations name.
const CORRECT_THIS_ONE: &str = "Write the image to the stick or disc unchanged. If you made the disc, correct this configuration: others on the disc name its label.";

const SHORTEN: &str = "No disc has such a label: a volume label has at most 32 characters. If you made the disc, shorten the label in the configuration, and give the disc the shortened one.";

const PUT_THE_FILE: &str = "Write the image to the stick or disc unchanged. If you made the disc, put the file or folder onto it, or correct the command line.";

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let labels = reading.labels();
    let uuids = reading.volume_uuids();
    let mut findings = Vec::new();
    let configurations = reading.configurations();
    let lines = command_lines(reading);
    let label = only_label(&configurations, &lines).filter(|label| !labels.contains(label));
    let relabelled = label.and_then(|label| relabelled(reading, &label));
    let relabelled = relabelled.unwrap_or_default();
    let uuid = only_uuid(&configurations, &lines).filter(|uuid| !uuids.contains(uuid));
    let redated = uuid.and_then(|uuid| redated(reading, &uuid));
    let redated = redated.unwrap_or_default();
    for line in &lines {
        let unmet_label = wanted_label(&line.text).filter(|it| !line.is_label(it, &labels));
        let label = unmet_label.map(|wanted| {
            let there = listed(&labels);
            let message = line.wants(&format!("label {wanted:?}"), &format!("labels are {there}"));
            let fix = match wanted.len() > LABEL_BYTES {
                true => Some(SHORTEN),
                false => is_named(&lines, &labels).then_some(CORRECT_THIS_ONE),
            };
            (message, &relabelled, fix)
        });
        let unmet_uuid = wanted_uuid(&line.text).filter(|it| !uuids.contains(it));
        let uuid = unmet_uuid.map(|wanted| {
            let there = match uuids.is_empty() {
                true => "volume has none".to_owned(),
                false => format!("volume has {}", listed(&uuids)),
            };
            let message = line.wants(&format!("UUID {wanted:?}"), &there);
            (message, &redated, Some(GIVE_THE_UUID))
        });
        let unmet_file = wanted_file(&line.text)
            .filter(|path| reading.has_file_in(FileSystem::Tree, path) == Some(false));
        let none = Writes::default();
        let file = unmet_file.map(|path| {
            let message = line.wants(&format!("file {path:?}"), "tree has no such file");
            (message, &none, Some(PUT_THE_FILE))
        });
        let unmet_folder = wanted_folder(&line.text)
            .filter(|path| reading.has_folder(FileSystem::Tree, path) == Some(false));
        let folder = unmet_folder.map(|path| {
            let message = line.wants(&format!("folder {path:?}"), "tree has no such folder");
            (message, &none, Some(PUT_THE_FILE))
        });
        let files = file.into_iter().chain(folder);
        for (message, writes, fix) in label.into_iter().chain(uuid).chain(files) {
            let place = line.place(reading);
            let mut finding = Finding::new(ID, place, message).fixed_by_all(writes.clone());
            if let Some(fix) = fix {
                fix.clone_into(&mut finding.fix);
            }
            finding.trips.clone_from(&line.trips);
            findings.push(match line.counts {
                true => finding,
                false => finding.as_info(),
            });
        }
    }
    for configuration in &configurations.all {
        if configuration.loader == Loader::GrubLoopback {
            continue;
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
                "{} searches for {what} {:?} in line {}, but the disc does not have it",
                search.file, search.wanted, search.line
            );
            let place = reading.place_of(configuration.file_system, &search.file);
            let Some(next) = next_of_stranded(reading, configuration, search) else {
                // If the search finds nothing, GRUB's root does not change: it is the medium that GRUB was started from.
                let mut finding = Finding::new(ID, place, message).as_info();
                finding.trips = reading_firmware(reading, configuration);
                findings.push(finding);
                continue;
            };
            let message = format!(
                "{message}: on a stick GRUB stays in the partition that it was started from, which has no {next} to continue with"
            );
            let fix = match search.by {
                SearchBy::File => Writes::default(),
                SearchBy::Label => relabelled.clone(),
                SearchBy::Uuid => redated.clone(),
            };
            let finding = Finding::new(ID, place, message).fixed_by_all(fix);
            // From a CD it reads the tree, whatever its own image contains.
            let mut finding = finding.warning();
            finding.trips = reading_firmware(reading, configuration);
            if search.by == SearchBy::Uuid {
                GIVE_THE_UUID.clone_into(&mut finding.fix);
            }
            findings.push(finding);
        }
    }
    gravest(findings)
}

/// The configuration that GRUB continues with after a search before its menu, if it looks for it in its own partition, which has none. It certainly reads
/// such a configuration only if its image is a partition and its prefix leads there.
fn next_of_stranded(
    reading: &mut Reading<'_, '_>,
    configuration: &Configuration,
    search: &Search,
) -> Option<String> {
    let FileSystem::Image(lba) = configuration.file_system else {
        return None;
    };
    let sets_root = search.sets.as_deref() == Some("root") && search.entry.is_none();
    if !sets_root || !configuration.entries.is_empty() {
        return None;
    }
    let mut files = configuration.files.iter();
    let next = files.find(|file| file.directive == "configfile" && file.exists == Some(false))?;
    let partitions = &reading.inspection.partitions;
    let mbr = partitions.mbr.iter().map(|it| it.first);
    let gpt = partitions.gpt.iter().flatten().map(|it| it.first);
    if !mbr
        .chain(gpt)
        .any(|first| first.byte_offset() == lba.byte_offset())
    {
        return None;
    }
    let images = reading.efi_images();
    let image = images.iter().find(|image| image.boot.load_rba == lba)?;
    let reads_it = image.programs.iter().any(|program| {
        let core = program.grub(reading.disc);
        let core = core.filter(|core| core.configuration.is_none() && !core.has_memory_disk);
        let prefix = core.and_then(|core| core.prefix);
        prefix.is_some_and(|prefix| {
            let path = format!("{}/grub.cfg", prefix.trim_end_matches('/'));
            path.eq_ignore_ascii_case(&configuration.path)
        })
    });
    reads_it.then(|| next.path.clone())
}

/// A kernel's command line, and where it is.
struct CommandLine {
    text: String,
    /// Where it comes from: a configuration's file, or a unified kernel image.
    who: String,
    /// Where in that, for people.
    at: String,
    source: LineSource,
    is_grub: bool,
    /// Whether a kernel is started with it by default.
    counts: bool,
    /// The firmware whose loader reads it.
    trips: Vec<String>,
}

enum LineSource {
    File(FileSystem, String),
    Program(Place),
}

impl CommandLine {
    fn wants(&self, what: &str, there: &str) -> String {
        let within = match self.source {
            LineSource::File(FileSystem::Image(lba), _) => {
                format!(" in the image at LBA {}", lba.get())
            }
            _ => String::new(),
        };
        format!(
            "{}{within} requires the {what} {}, but the disc's {there}",
            self.who, self.at
        )
    }

    fn place(&self, reading: &mut Reading<'_, '_>) -> Place {
        match &self.source {
            LineSource::File(system, path) => reading.place_of(*system, path),
            LineSource::Program(place) => *place,
        }
    }

    /// Red Hat's GRUB passes a label's `\x20` to the kernel, which reads a space; others drop the backslash. The configuration does not show which GRUB
    /// reads it, so a label is right if it is right for one of them.
    fn is_label(&self, wanted: &String, labels: &[String]) -> bool {
        let dropped = || {
            let mut labels = labels.iter();
            labels.any(|label| label.replace(' ', "x20") == *wanted)
        };
        labels.contains(wanted) || (self.is_grub && dropped())
    }
}

/// The command lines of the configurations, and of the unified kernel images that firmware finds.
fn command_lines(reading: &mut Reading<'_, '_>) -> Vec<CommandLine> {
    let mut lines = Vec::new();
    for configuration in &reading.configurations().all {
        if configuration.loader == Loader::GrubLoopback {
            continue;
        }
        let trips = reading_firmware(reading, configuration);
        for (index, entry) in configuration.entries.iter().enumerate() {
            let Some(text) = &entry.command_line else {
                continue;
            };
            lines.push(CommandLine {
                text: text.clone(),
                who: entry.file.clone(),
                at: format!("in line {} ({:?})", entry.line, entry.title),
                source: LineSource::File(configuration.file_system, entry.file.clone()),
                is_grub: configuration.loader == Loader::Grub,
                counts: configuration.may_be_default(index) && !entry.conditional,
                trips: trips.clone(),
            });
        }
    }
    for image in reading.efi_images().iter() {
        for program in &image.programs {
            let Some(text) = program.kernel_command_line(reading.disc) else {
                continue;
            };
            let offset = program.file.start().unwrap_or_default();
            lines.push(CommandLine {
                text,
                who: format!("slot {}: {}", image.entry.slot, program.path()),
                at: "on its built-in command line (.cmdline)".to_owned(),
                source: LineSource::Program(Place { offset }),
                is_grub: false,
                // Others are started by a menu.
                counts: program.works(),
                trips: vec!["ovmf".to_owned()],
            });
        }
    }
    lines
}

/// The label that the disc should have: the first that a started kernel looks for and the disc does not have.
pub(super) fn unmet_label(reading: &mut Reading<'_, '_>) -> Option<String> {
    let labels = reading.labels();
    let lines = command_lines(reading);
    if is_named(&lines, &labels) {
        return None;
    }
    let mut wanted = lines
        .iter()
        .filter(|line| line.counts)
        .filter_map(|line| wanted_label(&line.text));
    wanted.find(|label| !labels.contains(label) && label.len() <= LABEL_BYTES)
}

/// Whether a kernel looks for a label that the disc has: with another label, that one would not find it.
fn is_named(lines: &[CommandLine], labels: &[String]) -> bool {
    let mut wanted = lines.iter().filter(|line| line.counts);
    wanted.any(|line| wanted_label(&line.text).is_some_and(|label| line.is_label(&label, labels)))
}

/// The UUID that it should have, if a kernel looks for one and it is not the disc's.
pub(super) fn unmet_uuid(reading: &mut Reading<'_, '_>) -> Option<String> {
    let uuids = reading.volume_uuids();
    let lines = command_lines(reading);
    let wanted = only_uuid(&reading.configurations(), &lines);
    wanted.filter(|uuid| !uuids.contains(uuid))
}

fn listed(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    names.join(", ")
}

/// The wanted label, if all command lines with a label have the same one, and no loader has found the disc by its own label.
fn only_label(configurations: &BootConfigurations, lines: &[CommandLine]) -> Option<String> {
    only(configurations, lines, SearchBy::Label, wanted_label)
}

/// The same for a UUID of ISO 9660.
fn only_uuid(configurations: &BootConfigurations, lines: &[CommandLine]) -> Option<String> {
    only(configurations, lines, SearchBy::Uuid, wanted_uuid)
}

fn only(
    configurations: &BootConfigurations,
    lines: &[CommandLine],
    by: SearchBy,
    wanted: fn(&str) -> Option<String>,
) -> Option<String> {
    let searches = configurations.all.iter().flat_map(|it| &it.searches);
    let searches = searches.filter(|it| it.by == by);
    let (lost, other): (Vec<&Search>, Vec<_>) = searches.partition(|it| it.found == Some(false));
    // Another file system's UUID does not matter here.
    let is_iso = |it: &&Search| by == SearchBy::Label || is_iso_uuid(&it.wanted);
    if other.iter().any(is_iso) {
        return None;
    }
    let mut all: Vec<String> = lines.iter().filter_map(|line| wanted(&line.text)).collect();
    all.extend(
        lost.iter()
            .filter(|it| is_iso(it))
            .map(|it| it.wanted.clone()),
    );
    all.sort_unstable();
    all.dedup();
    let one = all.pop()?;
    all.is_empty().then_some(one)
}

/// Gives the volume another label: in the disc's own descriptors, and in those of a partition where the same volume begins. `None` if the label does not fit,
/// or if a UDF file system also has one.
fn relabelled(reading: &mut Reading<'_, '_>, label: &str) -> Option<Writes> {
    // ECMA-119 §8.4.7 and §8.5.5: from byte 40 on.
    const VOLUME_ID: u64 = 40;
    let is_plain = label.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if label.len() > LABEL_BYTES || !is_plain || reading.udf().is_some() {
        return None;
    }
    let plain = padded::<LABEL_BYTES>(label, b' ');
    // Sixteen characters of UCS-2. Tools write the first ones of a longer label, and Linux completes it from the other.
    let halves = plain.iter().take(LABEL_BYTES / 2);
    let joliet: Vec<u8> = halves.flat_map(|&byte| [0, byte]).collect();
    let mut writes = Vec::new();
    for set in same_volumes(reading) {
        if let Some((lba, _)) = set.primary {
            writes.push((Place::within(lba, VOLUME_ID).offset, plain.to_vec()));
        }
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

/// Gives the volume another UUID: the time at which it was last changed (libblkid, `iso9660.c`; GRUB, `fs/iso9660.c`).
fn redated(reading: &mut Reading<'_, '_>, uuid: &str) -> Option<Writes> {
    // ECMA-119 §8.4.27: sixteen digits from byte 830 on.
    const MODIFIED: u64 = 830;
    let digits = uuid.replace('-', "");
    if !is_iso_uuid(uuid) || reading.udf().is_some() {
        return None;
    }
    let primaries = same_volumes(reading);
    let primaries = primaries.into_iter().filter_map(|set| set.primary);
    let place = |lba| Place::within(lba, MODIFIED).offset;
    Some(
        primaries
            .map(|(lba, _)| (place(lba), digits.clone().into_bytes()))
            .collect(),
    )
}

/// The disc's own descriptors, and those in partitions where the same volume begins.
fn same_volumes(reading: &mut Reading<'_, '_>) -> Vec<DescriptorSet> {
    let Some((_, primary)) = reading.descriptors.main.primary.as_ref() else {
        return Vec::new();
    };
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
    let of_same = |set: &DescriptorSet| {
        let other = set.primary.as_ref();
        other.is_some_and(|(_, other)| other.volume_id == primary.volume_id)
    };
    let sets = starts
        .into_iter()
        .map(|start| DescriptorSet::read(reading.disc, Lba::of_offset(start)));
    sets.filter(of_same).collect()
}
