//! A room: everything about one finding.

use super::{id::FindingId, recipe::declared::Recipe};
use crate::{
    boot_configuration::{Configuration, Entry, FileSystem, Loader},
    defect::Injection,
    finding::{Finding, Severity},
    inspect::{BootReading, EntryReading, Reading},
};

/// Everything about one finding.
pub(crate) struct Room {
    pub(super) severity: Severity,
    pub(super) milder: Option<Severity>,
    pub(super) trips: &'static [&'static str],
    pub(super) explanation: &'static str,
    pub(super) consequence: &'static str,
    pub(super) remedy: &'static str,
    /// How to avoid it, for each tool that can avoid it.
    pub(super) recipes: &'static [Recipe],
    /// More general findings about the same fault. They are left out if this one is found.
    pub(super) replaces: &'static [FindingId],
    /// Whether it only describes the disc and is not a fault: then accepted results do not include it.
    pub(super) describes: bool,
    /// Looks for it on a disc that was read. Rooms run in the order of the list, and see earlier findings.
    pub(super) check: fn(&mut Reading<'_, '_>) -> Vec<Finding>,
    /// How the reference master puts it on a disc, if it can.
    pub(crate) defect: Option<Injection>,
}

impl Room {
    /// What most rooms have in common. The rest must be given: a test fails where a text is empty.
    pub(super) const BASE: Self = Self {
        severity: Severity::Error,
        milder: None,
        trips: &[],
        explanation: "",
        consequence: "",
        remedy: "",
        recipes: &[],
        replaces: &[],
        describes: false,
        check: |_| Vec::new(),
        defect: None,
    };
}

/// The firmware whose loader reads a configuration, as findings name it; both if that is not known.
pub(super) fn reading_firmware(
    reading: &Reading<'_, '_>,
    configuration: &Configuration,
) -> Vec<String> {
    let lba = match configuration.file_system {
        FileSystem::Image(lba) => Some(lba),
        FileSystem::Tree => None,
    };
    let is_of = |entries: &mut dyn Iterator<Item = (&EntryReading, &BootReading)>| {
        let mut entries = entries.map(|(_, boot)| boot.load_rba);
        entries.any(|it| lba.is_none_or(|lba| it == lba))
    };
    let by_bios = configuration.loader != Loader::SystemdBoot
        && (is_of(&mut reading.bios_entries()) || lba.is_none() && reading.sector_code.is_code());
    let by_uefi = !(configuration.loader == Loader::Isolinux && lba.is_none())
        && is_of(&mut reading.bootable_efi_entries());
    let both = by_bios == by_uefi;
    let mut trips = Vec::new();
    if by_bios || both {
        trips.push("seabios".to_owned());
    }
    if by_uefi || both {
        trips.push("ovmf".to_owned());
    }
    trips
}

/// At most this many findings of one kind are reported.
const REPORTED: usize = 16;

/// The most severe findings of a kind that a disc can have often, each message once.
pub(super) fn gravest(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings.dedup_by(|one, other| one.message == other.message);
    findings.truncate(REPORTED);
    findings
}

/// Entries of a configuration that are judged.
const ENTRIES: usize = 64;

/// What is wrong with the entries of the configurations that this disc's own loaders read; information only where another entry is started by default.
pub(super) fn each_entry<'r, 'w>(
    reading: &mut Reading<'r, 'w>,
    mut wrong: impl FnMut(&mut Reading<'r, 'w>, &Configuration, &Entry) -> Option<Finding>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let configurations = reading.configurations();
    let of_this_disc = configurations.all.iter();
    for configuration in of_this_disc.filter(|it| it.loader != Loader::GrubLoopback) {
        for (index, entry) in configuration.entries.iter().enumerate().take(ENTRIES) {
            let Some(mut finding) = wrong(reading, configuration, entry) else {
                continue;
            };
            finding.trips = reading_firmware(reading, configuration);
            findings.push(match configuration.may_be_default(index) {
                true => finding,
                false => finding.as_info(),
            });
        }
    }
    gravest(findings)
}
