//! What an edit did to booting: a disc before and after it, read and not booted.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::Path,
};

use images::{
    differ::{Side, first_difference},
    eltorito::Platform,
    finding::{Finding, FindingId, Severity},
    inspect::{BootReading, EntryReading, Inspection, Window, inspect},
    map::{DiscMap, Structure},
    partition_table::SECTOR_BYTES,
};
use scenarios::program::typed;
use serde::Serialize;

use crate::terminal::{BAD, GOOD, Terminal};

/// The name and version of the document.
const SCHEMA: &str = "compare/1";
/// Boot code for a disk up to where the disk's identifier stands.
const CODE: usize = 440;

/// A disc, with all that is compared of it.
pub(super) struct Read<'d> {
    window: Window<'d>,
    inspection: Inspection,
    map: DiscMap,
}

impl<'d> Read<'d> {
    /// Reads a disc.
    pub(super) fn of(
        mut window: Window<'d>,
        options: &images::inspect::Options<'_>,
    ) -> Result<Self, images::inspect::InspectError> {
        let inspection = inspect(&mut window, options)?;
        let map = DiscMap::read(&mut window, &inspection);
        Ok(Self {
            window,
            inspection,
            map,
        })
    }
}

/// A way in which a disc is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Way {
    BiosCd,
    UefiCd,
    BiosDisk,
    UefiDisk,
}

impl Way {
    const ALL: [Self; 4] = [Self::BiosCd, Self::UefiCd, Self::BiosDisk, Self::UefiDisk];

    const fn who(self) -> &'static str {
        match self {
            Self::BiosCd => "a BIOS, as a CD",
            Self::UefiCd => "UEFI firmware, as a CD",
            Self::BiosDisk => "a BIOS, as a stick",
            Self::UefiDisk => "UEFI firmware, as a stick",
        }
    }

    /// By what firmware is called in findings.
    const fn trips(self) -> &'static str {
        match self {
            Self::BiosCd | Self::BiosDisk => "seabios",
            Self::UefiCd | Self::UefiDisk => "ovmf",
        }
    }
}

/// What an edit did to a way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct WayThere {
    way: Way,
    /// Whether it leads to a program, by what stands on the disc.
    before: bool,
    after: bool,
    /// Why not, after the edit.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
}

/// A field that is another one, where that has a consequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Change {
    field: String,
    before: String,
    after: String,
    consequence: &'static str,
}

/// What an edit did to booting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Compared {
    schema: &'static str,
    verdict: String,
    /// Whether something that was right is wrong now.
    pub(super) worse: bool,
    ways: Vec<WayThere>,
    changes: Vec<Change>,
    gone: Vec<FindingId>,
    new: Vec<Finding>,
}

impl Compared {
    /// Compares two discs.
    pub(super) fn of(mut before: Read<'_>, mut after: Read<'_>) -> Self {
        let ids = |read: &Read<'_>| -> BTreeSet<(FindingId, Severity)> {
            let findings = read.inspection.findings.iter();
            let told = findings.filter(|finding| finding.severity > Severity::Info);
            told.map(|finding| (finding.id, finding.severity)).collect()
        };
        let (had, has) = (ids(&before), ids(&after));
        let is_new = |finding: &&Finding| {
            finding.severity > Severity::Info && !had.contains(&(finding.id, finding.severity))
        };
        let new: Vec<Finding> = after
            .inspection
            .findings
            .iter()
            .filter(is_new)
            .cloned()
            .collect();
        let gone: Vec<FindingId> = had
            .iter()
            .filter(|known| !has.contains(known))
            .map(|&(id, _)| id)
            .collect();
        let ways: Vec<WayThere> = Way::ALL
            .into_iter()
            .map(|way| {
                let before = leads(way, &mut before).is_ok();
                let led = leads(way, &mut after);
                WayThere {
                    way,
                    before,
                    after: led.is_ok(),
                    because: led.err(),
                }
            })
            .collect();
        let lost = ways.iter().any(|way| way.before && !way.after);
        let broken = new
            .iter()
            .any(|finding| finding.severity == Severity::Error);
        let changes = changes(&mut before, &mut after);
        Self {
            schema: SCHEMA,
            verdict: verdict(&ways, broken, changes.is_empty() && new.is_empty()),
            worse: lost || broken,
            ways,
            changes,
            gone,
            new,
        }
    }

    /// Writes it for people.
    pub(super) fn write(&self, out: &mut Terminal<impl Write>, after: &Path) -> io::Result<()> {
        out.paint(if self.worse { BAD } else { GOOD }, &self.verdict)?;
        writeln!(out)?;
        for change in &self.changes {
            writeln!(
                out,
                "\n{}: {} before, {} after",
                change.field, change.before, change.after
            )?;
            writeln!(out, "  {}", change.consequence)?;
        }
        for finding in &self.new {
            writeln!(
                out,
                "\nnew {}: {} (LBA {}, byte {})\n  {}",
                finding.severity,
                finding.id,
                finding.lba.get(),
                finding.offset,
                finding.message
            )?;
        }
        if !self.gone.is_empty() {
            let gone: Vec<String> = self.gone.iter().map(ToString::to_string).collect();
            writeln!(out, "\ngone: {}", gone.join(", "))?;
        }
        let command = format!("cargo xtask repro {}", after.display());
        writeln!(out, "\nNothing was booted. {} boots it.", typed(&command))
    }
}

/// The first line: what still leads to a program, and what no longer does.
fn verdict(ways: &[WayThere], broken: bool, same: bool) -> String {
    let of = |before: bool, after: bool| -> Vec<&WayThere> {
        let found = ways.iter();
        found
            .filter(|way| way.before == before && way.after == after)
            .collect()
    };
    let names = |ways: &[&WayThere]| -> String {
        let names: Vec<&str> = ways.iter().map(|way| way.way.who()).collect();
        names.join("; ")
    };
    let (kept, lost, won) = (of(true, true), of(true, false), of(false, true));
    let mut sentences = Vec::new();
    if !lost.is_empty() {
        let lost: Vec<String> = lost
            .iter()
            .map(|way| {
                let because = way.because.as_deref().unwrap_or("nothing leads there");
                format!("{} ({because})", way.way.who())
            })
            .collect();
        sentences.push(format!(
            "No longer find anything to start: {}.",
            lost.join("; ")
        ));
    }
    if !kept.is_empty() {
        sentences.push(format!(
            "As before, these find something to start: {}.",
            names(&kept)
        ));
    }
    if !won.is_empty() {
        sentences.push(format!(
            "Now these also find something to start: {}.",
            names(&won)
        ));
    }
    if sentences.is_empty() {
        sentences.push("Nothing on either disc leads firmware to a program.".to_owned());
    }
    if lost.is_empty() && broken {
        sentences.insert(0, "Something that was right is wrong now.".to_owned());
    }
    if same && lost.is_empty() && won.is_empty() {
        sentences.push("No other structure that firmware reads has changed; files that loaders read were not compared.".to_owned());
    }
    sentences.join(" ")
}

/// Whether firmware finds a program on a disc in this way, by what stands there; or why not.
fn leads(way: Way, read: &mut Read<'_>) -> Result<(), String> {
    let inspection = &read.inspection;
    let entry = |is_of: &dyn Fn(&EntryReading, &BootReading) -> bool| {
        let mut entries = inspection.entries();
        entries.any(|(entry, boot)| boot.bootable && is_of(entry, boot))
    };
    let of_uefi = |entry: &EntryReading, boot: &BootReading| {
        entry.platform == Platform::EFI && boot.fat.is_some() && !boot.loaders.is_empty()
    };
    let of_bios = |entry: &EntryReading, boot: &BootReading| {
        entry.platform == Platform::X86 && boot.extent_blocks.is_some()
    };
    let trips = |way: Way| {
        let found = inspection.errors().find(|finding| {
            let trips = finding.trips.iter();
            trips.into_iter().any(|who| who.starts_with(way.trips()))
        });
        found.map_or(Ok(()), |finding| {
            Err(format!("{}: {}", finding.id, finding.message))
        })
    };
    let no_record = || {
        if inspection.boot_records.is_empty() {
            "the disc has no boot record".to_owned()
        } else {
            "the catalog has no entry for it".to_owned()
        }
    };
    match way {
        Way::BiosCd if !entry(&of_bios) => Err(no_record()),
        Way::UefiCd if !entry(&of_uefi) => Err(no_record()),
        Way::BiosCd | Way::UefiCd => trips(way),
        Way::BiosDisk => {
            let code = read.window.array::<CODE>(0).unwrap_or([0; CODE]);
            let mut findings = inspection.findings.iter();
            if code.iter().all(|&byte| byte == 0)
                || findings.any(|finding| finding.id == FindingId::MbrNoCode)
            {
                return Err("the first sector has no boot code".to_owned());
            }
            if !read.inspection.partitions.signature {
                return Err("the first sector does not end with 55 AA".to_owned());
            }
            if read.inspection.boot_records.is_empty() {
                return Err(
                    "the boot code is there, and the boot record that it goes by is not".to_owned(),
                );
            }
            Ok(())
        }
        Way::UefiDisk => {
            let partitions = &inspection.partitions;
            let gpt = partitions.gpt.iter().flatten();
            let esps = gpt.filter(|partition| partition.esp);
            let esps = esps.map(|partition| partition.first);
            let mbr = partitions
                .mbr
                .iter()
                .filter(|partition| partition.kind == 0xEF);
            let firsts: Vec<u64> = esps
                .chain(mbr.map(|partition| partition.first))
                .map(|first| first.byte_offset())
                .collect();
            if firsts.is_empty() {
                return Err("no partition is an EFI system partition".to_owned());
            }
            let mut leads_to_one = |&first: &u64| {
                let sector: Option<[u8; 512]> = read.window.array(first);
                sector.is_some_and(|sector| {
                    let named = |at: usize| sector.get(at..at + 3) == Some(&b"FAT"[..]);
                    sector.ends_with(&[0x55, 0xAA]) && (named(54) || named(82))
                })
            };
            if !firsts.iter().any(&mut leads_to_one) {
                return Err("its partition does not begin with a file system".to_owned());
            }
            Ok(())
        }
    }
}

/// Fields that are others and have a consequence. What has only moved, consistently, is none.
fn changes(before: &mut Read<'_>, after: &mut Read<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut tell = |field: String, before: String, after: String, consequence: &'static str| {
        if before != after {
            changes.push(Change {
                field,
                before,
                after,
                consequence,
            });
        }
    };
    let volume = |read: &Read<'_>| {
        let volume = read.inspection.volume.as_ref();
        volume.map_or_else(|| "none".to_owned(), |volume| format!("{:?}", volume.id))
    };
    tell(
        "the volume's name".to_owned(),
        volume(before),
        volume(after),
        "A loader or a system that looks for the disc by its name, as by root=live:CDLABEL=, looks for the old one.",
    );
    let record = |read: &Read<'_>| match read.inspection.boot_records.len() {
        0 => "none".to_owned(),
        1 => "one".to_owned(),
        more => more.to_string(),
    };
    tell(
        "the boot record".to_owned(),
        record(before),
        record(after),
        "Without one no firmware starts the disc as a CD.",
    );
    let slots: BTreeSet<u16> = [&*before, &*after]
        .iter()
        .flat_map(|read| read.inspection.entries())
        .map(|(entry, _)| entry.slot)
        .collect();
    for slot in slots {
        let of = |read: &Read<'_>| entry(read, slot);
        let (there, here) = (of(before), of(after));
        match (there, here) {
            (Some(there), Some(here)) => {
                for ((name, before, consequence), (_, after, _)) in there.into_iter().zip(here) {
                    tell(format!("{name} of slot {slot}"), before, after, consequence);
                }
            }
            (there, here) => {
                let said = |is: bool| if is { "an entry" } else { "none" }.to_owned();
                tell(
                    format!("slot {slot} of the catalog"),
                    said(there.is_some()),
                    said(here.is_some()),
                    "Firmware starts what the catalog names, and nothing else.",
                );
            }
        }
    }
    let code = |read: &mut Read<'_>| read.window.array::<CODE>(0).unwrap_or([0; CODE]);
    let (there, here) = (code(before), code(after));
    let said = |code: &[u8; CODE]| {
        if code.iter().all(|&byte| byte == 0) {
            "none"
        } else {
            "some"
        }
        .to_owned()
    };
    tell(
        "the boot code in the first sector".to_owned(),
        said(&there),
        said(&here),
        "A BIOS runs it where the disc is written to a stick.",
    );
    let led = |read: &Read<'_>| -> Vec<String> {
        let partitions = &read.inspection.partitions;
        let gpt = partitions.gpt.iter().flatten();
        let esps = gpt.filter(|partition| partition.esp);
        let esps = esps.map(|partition| partition.first.byte_offset());
        let mbr = partitions
            .mbr
            .iter()
            .filter(|partition| partition.kind == 0xEF);
        let firsts = esps.chain(mbr.map(|partition| partition.first.byte_offset()));
        firsts.map(|first| led_to(read, first)).collect()
    };
    let (there, here) = (led(before), led(after));
    let all = |led: Vec<String>| {
        if led.is_empty() {
            "nowhere".to_owned()
        } else {
            led.join(" and ")
        }
    };
    tell(
        "where the EFI system partition leads".to_owned(),
        all(there),
        all(here),
        "UEFI firmware looks there for a loader where the disc is written to a stick.",
    );
    // What none of these fields says: the first thing that firmware reads and that is another one.
    if changes.is_empty() {
        let difference = first_difference(side(before), side(after));
        // What a tool pads a disc with decides nothing.
        let difference = difference.filter(|difference| !difference.what.ends_with("volume size"));
        changes.extend(difference.map(|difference| Change {
            field: difference.what,
            before: difference.there,
            after: difference.here,
            consequence: "Firmware, or what it starts, reads it.",
        }));
    }
    changes
}

fn side<'s, 'd>(read: &'s mut Read<'d>) -> Side<'s, 'd> {
    Side {
        disc: &mut read.window,
        inspection: &read.inspection,
        map: &read.map,
    }
}

/// What a partition's first sector belongs to, without where that stands.
fn led_to(read: &Read<'_>, offset: u64) -> String {
    let owned = read.map.whose(offset, SECTOR_BYTES);
    match owned.first().and_then(|owned| owned.what.as_ref()) {
        Some(Structure::Fat { .. } | Structure::BootImage { .. }) => {
            "to the start of a file system or boot image"
        }
        Some(Structure::File { .. } | Structure::Directory { .. }) => "into the tree",
        Some(_) => "to something else",
        None if offset >= read.map.length().get() => "past the end of the disc",
        None => "to nothing that is known",
    }
    .to_owned()
}

type EntryField = (&'static str, String, &'static str);

/// The fields of an entry that decide how it boots, where it stands being none.
fn entry(read: &Read<'_>, slot: u16) -> Option<Vec<EntryField>> {
    let mut entries = read.inspection.entries();
    let (entry, boot) = entries.find(|(entry, _)| entry.slot == slot)?;
    let own_length = boot.own_length;
    Some(vec![
        (
            "the platform",
            entry.platform.to_string(),
            "It decides which firmware takes the entry.",
        ),
        (
            "the boot indicator",
            if boot.bootable { "88" } else { "00" }.to_owned(),
            "An entry that is not 88 is not started.",
        ),
        (
            "the media type",
            boot.media.to_string(),
            "It decides which drive a BIOS emulates.",
        ),
        (
            "the load segment",
            format!("{:04X}", boot.load_segment),
            "A BIOS loads the image there.",
        ),
        (
            "the sector count",
            boot.sector_count.get().to_string(),
            "A BIOS loads that much; UEFI firmware takes it for the image's length.",
        ),
        (
            "the image's length, as its boot-info table or file system states it,",
            own_length.map_or_else(|| "none".to_owned(), |length| length.get().to_string()),
            "If a tool wrote a boot-info table, it overwrote bytes 8 to 63 of the image.",
        ),
        (
            "the EFI loaders",
            boot.loaders.join(" "),
            "UEFI firmware starts the loader of its architecture.",
        ),
    ])
}
