//! Which defects explain which failure: what each firmware does with them stands in docs/findings.md, and was seen.

use images::{
    change::Change,
    eltorito::{ENTRY_BYTES, Platform},
    finding::{Finding, FindingId, FindingId as Id, Severity},
    inspect::{BootReading, EntryKind, EntryReading, Inspection},
    units::BLOCK_BYTES,
};
use serde::{Deserialize, Serialize};

use super::{boot::Boot, happened::quoted};
use crate::{
    firmware::{FirmwareId, FirmwareKind, bios_codes::BIOS_CODES, loaders::LOADERS},
    guest::{Guest, GuestStage, GuestState, Need, Starts},
    outcome::OutcomeKind,
};

/// A failure that wants an explanation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation<'a> {
    kind: FirmwareKind,
    /// The loader that UEFI firmware of its architecture looks for (UEFI §3.5.1.1).
    loader: &'static str,
    as_disk: bool,
    outcome: OutcomeKind,
    code: Option<&'a str>,
    entered: bool,
    started: bool,
    /// What is known to explain the words of the disc's program.
    explains: &'a [String],
    /// How far that came.
    guest_stage: GuestStage,
    /// Whether the firmware checks signatures.
    checks_signatures: bool,
    /// Secure Boot did not let the loader run.
    denied: bool,
    /// Why its keys do so.
    by_keys: Option<&'a str>,
    /// It waited for a key, and none was pressed.
    missed_key: Option<&'a Guest>,
}

/// What makes code that a BIOS jumped into go astray.
const BIOS_ASTRAY: &[Id] = &[
    Id::ImageNoLoader,
    Id::CountZero,
    Id::CountTooLarge,
    Id::CountWrapped,
    Id::EntryMediaType,
    Id::EntryLoadSegment,
    Id::ImageOutOfRange,
    Id::HardDiskPartitionSlot,
    Id::HardDiskGeometry,
    Id::BootInfoTable,
    Id::LoaderEmulation,
    Id::MissingEmulation,
    Id::IsolinuxFiles,
    Id::GrubFiles,
    Id::WindowsFiles,
    Id::MemdiskImage,
    Id::ConfigEncoding,
    Id::ConfigSyntax,
    Id::LoadSizeShort,
    Id::ImageNotAtStart,
    Id::CountByteOrder,
    Id::ConfigMissingFile,
    Id::ConfigWrongMedium,
    Id::ConfigFixedDevice,
    Id::IsolinuxKernelName,
    Id::KernelCut,
    Id::KernelNotLinux,
    Id::InitrdCut,
    Id::InitrdUnreadable,
    Id::SquashfsCut,
    Id::FloppySize,
    Id::VolumeSize,
];

/// What makes the code of a disk's first sector go astray, or find nothing to go on with: it loads the boot image by sectors of the disk.
const BIOS_DISK_ASTRAY: &[Id] = &[
    Id::IsoInPartition,
    Id::VolumeSize,
    Id::BootInfoTable,
    Id::HybridPointer,
    Id::MbrWrongCode,
    Id::MbrNoCode,
    Id::HybridMbr,
    // isolinux and GRUB read the same files from a CD and from a disk.
    Id::IsolinuxFiles,
    Id::GrubFiles,
    Id::MemdiskImage,
    Id::ConfigEncoding,
    Id::ConfigSyntax,
    Id::ConfigMissingFile,
    Id::ConfigWrongMedium,
    Id::ConfigFixedDevice,
    Id::IsolinuxKernelName,
    Id::KernelCut,
    Id::KernelNotLinux,
    Id::InitrdCut,
    Id::InitrdUnreadable,
    Id::SquashfsCut,
];

/// What leaves UEFI firmware without a loader on a CD, in the order in which it looks.
const UEFI_NOTHING: &[Id] = &[
    Id::IsoInPartition,
    Id::IsoBurntAsFile,
    Id::NotIso,
    Id::NoBootRecord,
    Id::CatalogOutOfRange,
    Id::CatalogHeaderId,
    Id::CatalogKey,
    Id::CatalogChecksum,
    Id::EntryNotBootable,
    Id::ImageOutOfRange,
    Id::ImageNotAtStart,
    Id::EfiWrongImage,
    Id::EfiForeignFilesystem,
    Id::EfiFatClusters,
    Id::EfiFatLongerThanImage,
    Id::EfiLoaderProgram,
    Id::EfiLoaderName,
    Id::EfiOpenEndOutsideVolume,
    Id::CountByteOrder,
    Id::CountEfiShort,
    Id::CountWrapped,
    Id::EfiNoLoader,
    Id::CatalogNoEfi,
    Id::VolumeSize,
];

/// What a loader that was started goes astray by, or finds nothing to go on with.
const UEFI_ASTRAY: &[Id] = &[
    Id::EfiSyslinuxCd,
    Id::EfiSecondStage,
    Id::ConfigEncoding,
    Id::ConfigSyntax,
    Id::ConfigMissingFile,
    Id::ConfigWrongMedium,
    Id::ConfigFixedDevice,
    Id::KernelCut,
    Id::KernelNotLinux,
    Id::InitrdCut,
    Id::InitrdUnreadable,
    Id::SquashfsCut,
    Id::EfiLoaderProgram,
    Id::EfiFatLongerThanImage,
    Id::ImageOutOfRange,
    Id::VolumeSize,
];

/// What a BIOS alone runs.
const BOOT_CODE: &[Id] = &[
    Id::HybridPointer,
    Id::MbrWrongCode,
    Id::MbrAbsent,
    Id::MbrNoCode,
    Id::MbrNoActive,
];

/// What only a disk is started by.
const OF_DISKS: &[Id] = &[
    Id::HybridMbr,
    Id::HybridGpt,
    Id::HybridPointer,
    Id::MbrWrongCode,
    Id::MbrAbsent,
    Id::MbrNoCode,
    Id::MbrNoActive,
];

/// The same on a disk, where a catalog is read in blocks of 512 bytes and partition tables count too.
const UEFI_NOTHING_AS_DISK: &[Id] = &[Id::CatalogEfiTooDeep, Id::HybridMbr];

/// The loader that UEFI firmware looks for on removable media (UEFI §3.5.1.1).
pub(super) fn loader_of(firmware: FirmwareId) -> &'static str {
    firmware.loader().unwrap_or_default()
}

/// Whether only UEFI firmware reads the part of the disc that a finding is about.
fn is_for_uefi_alone(finding: &Finding) -> bool {
    let mut trips = finding.trips.iter();
    !finding.trips.is_empty() && trips.all(|who| matches!(who.as_str(), "ovmf" | "u-boot"))
}

/// Whether a finding matters to firmware that checks signatures alone.
fn is_of_secure_boot(id: Id) -> bool {
    id.as_str().starts_with("secure-boot-")
}

impl<'a> Situation<'a> {
    pub(super) fn of(boot: &Boot<'a>) -> Self {
        let outcome = &boot.observation.outcome;
        let guest = boot.observation.guest.as_ref();
        let entered = boot.observation.reads_before_entry.is_some();
        let code = outcome.code.as_deref();
        Self {
            kind: boot.firmware.kind(),
            loader: loader_of(boot.firmware),
            as_disk: boot.attachment.is_disk(),
            outcome: outcome.kind,
            code,
            entered,
            started: boot.observation.starts == Starts::Yes,
            explains: guest.map_or(&[], |guest| &guest.findings),
            guest_stage: guest.map_or(GuestStage::Loader, |guest| guest.stage),
            // A loader that ran returns its own status, and shim can return the same one.
            by_keys: boot.by_keys,
            checks_signatures: boot.firmware.checks_signatures(),
            denied: boot.firmware.checks_signatures()
                && !entered
                && matches!(code, Some("Access Denied" | "Security Violation")),
            missed_key: guest.filter(|guest| {
                guest.state == GuestState::GaveBack && guest.needs == Some(Need::Key)
            }),
        }
    }

    /// The defects of the disc that explain it, the likeliest first. Of what is by design only that a disc is for UEFI alone stops
    /// anything; and a warning did not stop what got control.
    pub(super) fn findings(self, inspection: &'a Inspection) -> impl Iterator<Item = &'a Finding> {
        let started = self.started;
        self.order().into_iter().filter_map(move |id| {
            let mut findings = inspection.findings.iter();
            findings.find(|finding| {
                let weighs = match finding.severity {
                    Severity::Error => true,
                    // It is an error where UEFI firmware has nothing but the partitions.
                    Severity::Warning if id == Id::HybridMbr => self.kind == FirmwareKind::Bios,
                    // What nobody trips over explains only what a program says.
                    Severity::Warning if finding.trips.is_empty() => {
                        !started && self.explains.iter().any(|it| it == id.as_str())
                    }
                    Severity::Warning => !started,
                    // What is by design on a disc for UEFI stops a BIOS all the same.
                    // And whom a program's signature is by is what the program before it says that it refuses.
                    Severity::Info => {
                        matches!(id, Id::CatalogEfiOnly | Id::MbrNoCode)
                            || !started && self.explains.iter().any(|it| it == id.as_str())
                    }
                };
                let is_checked = self.checks_signatures || !is_of_secure_boot(id);
                finding.id == id && weighs && is_checked && self.concerns(finding, inspection)
            })
        })
    }

    /// Whether a defect is in what this firmware looks at: a BIOS boots the initial entry and no other, and UEFI none whose image is no file
    /// system with a loader, unless it says that it is for UEFI.
    fn concerns(self, finding: &Finding, inspection: &Inspection) -> bool {
        if self.kind == FirmwareKind::Bios && is_for_uefi_alone(finding) {
            return false;
        }
        if self.as_disk && finding.id == Id::EfiSyslinuxCd {
            return false;
        }
        let slot = inspection.catalog.as_ref().and_then(|catalog| {
            let within = finding.offset.checked_sub(catalog.lba.byte_offset())?;
            u16::try_from(within / ENTRY_BYTES as u64).ok()
        });
        let entry = inspection
            .entries()
            .find(|(entry, _)| Some(entry.slot) == slot);
        let Some((entry, boot)) = entry else {
            return true;
        };
        match self.kind {
            FirmwareKind::Bios => entry.kind == EntryKind::Initial,
            FirmwareKind::Uefi => entry.platform == Platform::EFI || !boot.loaders.is_empty(),
        }
    }

    /// What explains such a failure, the likeliest first: what the words of the disc's program name, then what the firmware trips over.
    pub(super) fn order(self) -> Vec<Id> {
        let said = self.explains.iter().filter_map(|id| id.parse().ok());
        let mut ids: Vec<Id> = said.filter(|_| !self.started).collect();
        for id in self.candidates() {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    /// Whether what a finding names was looked at at all: a BIOS reads no catalog of a disk, and no partition table of a CD.
    pub(super) fn may_concern(self, finding: &Finding, inspection: &Inspection) -> bool {
        let of_disks = finding.id.trips() == ["usb"] || OF_DISKS.contains(&finding.id);
        let of_catalog = inspection
            .catalog
            .as_ref()
            .is_some_and(|catalog| finding.lba == catalog.lba);
        let of_uefi = finding.id.as_str().starts_with("efi-");
        let in_bios_image = inspection.entries().any(|(entry, boot)| {
            let blocks = boot.extent_blocks.unwrap_or_default();
            entry.platform != Platform::EFI
                && boot.loaders.is_empty()
                && boot.load_rba <= finding.lba
                && finding.lba < boot.load_rba.plus(blocks)
        });
        let looked_at = match (self.kind, self.as_disk) {
            (FirmwareKind::Bios, _) if of_uefi => false,
            // It has looked at the first sector alone.
            (FirmwareKind::Bios, true) if !self.entered => finding.offset < BLOCK_BYTES,
            (FirmwareKind::Bios, true) => !of_catalog,
            // It runs no code of the first sector.
            (FirmwareKind::Uefi, _) if in_bios_image || BOOT_CODE.contains(&finding.id) => false,
            (_, false) => !of_disks,
            (FirmwareKind::Uefi, true) => true,
        };
        looked_at && self.concerns(finding, inspection)
    }

    /// The word, the code or the read that names a finding as what stopped the boot, in a sentence; nothing where none does.
    pub(super) fn named_by(self, boot: &Boot<'_>, finding: &Finding) -> Option<String> {
        let guest = boot.observation.guest.as_ref();
        let outcome = &boot.observation.outcome;
        if self.explains.iter().any(|id| id == finding.id.as_str())
            && let Some(guest) = guest.filter(|guest| !guest.said.is_empty())
        {
            let program = guest.program.as_deref().unwrap_or("the program");
            return Some(format!(
                "This is the message of {program}: {}",
                quoted(guest)
            ));
        }
        let name = boot.name();
        match (self.code, outcome.kind) {
            (Some(code), _) => Some(format!("{name} reports {code} for such a disc.")),
            (None, OutcomeKind::HandedOver) if outcome.gave_back => Some(format!(
                "The program returned to {name}, which found nothing else to boot."
            )),
            (None, OutcomeKind::HandedOver)
                if guest.is_some_and(|guest| {
                    guest.state == GuestState::Retries && guest.said.is_empty()
                }) =>
            {
                Some("It reads the same blocks repeatedly, and prints nothing.".to_owned())
            }
            (None, OutcomeKind::Hung | OutcomeKind::Reset) if self.entered => {
                let reads = &boot.observation.reads;
                let last = reads.last()?;
                Some(format!(
                    "It started the program after {}, the last one at LBA {}.",
                    match reads.len() {
                        1 => "one read".to_owned(),
                        many => format!("{many} reads"),
                    },
                    last.lba().get()
                ))
            }
            (None, _) if guest.is_none() && !boot.observation.words.is_empty() => {
                let word = boot.observation.words.last()?;
                Some(format!("{name}'s last message: {word}"))
            }
            (None, _) => None,
        }
    }

    fn candidates(self) -> Vec<Id> {
        match (self.kind, self.as_disk) {
            // A boot that started has no cause.
            _ if self.started || self.denied => Vec::new(),
            // A failure after the loader is not explained by boot structures, unless the program's own words name them.
            _ if self.guest_stage >= GuestStage::Kernel => Vec::new(),
            (FirmwareKind::Bios, true) if self.entered => BIOS_DISK_ASTRAY.to_vec(),
            (FirmwareKind::Bios, true) => Vec::new(),
            (FirmwareKind::Bios, false) if self.entered => BIOS_ASTRAY.to_vec(),
            (FirmwareKind::Bios, false) => {
                let known = |(code, ..): &&(&str, &str, &[Id])| Some(*code) == self.code;
                let ids = BIOS_CODES.iter().find(known);
                ids.map_or_else(|| BIOS_ASTRAY.to_vec(), |(.., ids)| ids.to_vec())
            }
            (FirmwareKind::Uefi, false) if self.outcome == OutcomeKind::Hung => {
                vec![Id::EfiSyslinuxCd, Id::BootRecordDuplicate]
            }
            // What led the firmware to its loader is right.
            (FirmwareKind::Uefi, _) if self.entered => UEFI_ASTRAY.to_vec(),
            // OVMF 2025.02 (Debian 13's 2025.02-8+deb13u1) may lose its way in such a disc and still say that it finds nothing.
            (FirmwareKind::Uefi, false) => [UEFI_NOTHING, &[Id::BootRecordDuplicate]].concat(),
            (FirmwareKind::Uefi, true) => [UEFI_NOTHING_AS_DISK, UEFI_NOTHING].concat(),
        }
    }

    /// Whether all that the catalog leads to is known, whatever else is wrong: then what the disc is not made for ([`Self::by_design`]) remains when that is
    /// mended.
    pub(super) fn knows_the_design(self, inspection: &Inspection) -> bool {
        let is_known = |(entry, boot): (&EntryReading, &BootReading)| {
            boot.extent_blocks.is_some()
                && (entry.platform != Platform::EFI || !boot.loaders.is_empty())
        };
        self.kind == FirmwareKind::Uefi
            && inspection.entries().next().is_some()
            && inspection.entries().all(is_known)
            && !inspection.found(Id::CatalogNoEfi)
    }

    /// What explains it where nothing on the disc is wrong: it is not made for this.
    pub(super) fn by_design(self, inspection: &Inspection) -> Option<Cause> {
        // A program that ran shows that the disc is made for it.
        let ran = self.entered && self.kind == FirmwareKind::Uefi && !self.denied;
        let ran = ran || self.guest_stage >= GuestStage::Kernel;
        if self.started || ran && self.missed_key.is_none() {
            return None;
        }
        let cause = |sentence: &str, remedy: &str| {
            Some(Cause {
                id: None,
                proved: false,
                then: String::new(),
                changes: Vec::new(),
                sentence: sentence.to_owned(),
                remedy: remedy.to_owned(),
            })
        };
        if let Some(guest) = self.missed_key {
            return cause(
                &format!(
                    "the program waits for a key, and none was pressed: {}",
                    quoted(guest)
                ),
                "Press a key when the program asks for one. In repro, use --dialog with a file that waits for this message and sends a key.",
            );
        }
        if self.denied {
            let why = self.by_keys.unwrap_or(
                "it is not signed with a key that this firmware trusts, or it is revoked",
            );
            return cause(
                &format!("Secure Boot does not let {} run: {why}.", self.loader),
                &format!(
                    "Put a distribution's signed shim at \\EFI\\BOOT\\{}, and the loader signed by the same distribution \
                     (grubx64.efi) into the same folder; or boot with Secure Boot off.",
                    self.loader
                ),
            );
        }
        let loaders = || inspection.entries().flat_map(|(_, boot)| &boot.loaders);
        let others = loaders().find(|loader| !loader.eq_ignore_ascii_case(self.loader));
        let strange = others.filter(|other| {
            let is_it = |name: &&str| other.eq_ignore_ascii_case(name);
            !LOADERS.iter().any(is_it)
        });
        let is_its_own = |loader: &String| loader.eq_ignore_ascii_case(self.loader);
        match (self.kind, self.as_disk) {
            (FirmwareKind::Bios, true) if !inspection.partitions.signature => cause(
                "from a stick, a BIOS starts the first sector, which has no boot code with the signature 55 AA on this disc: it is \
                 made for a CD drive, not for a stick.",
                "To boot from a stick too, master the disc as a hybrid, with xorriso's -isohybrid-mbr or with grub-mkrescue.",
            ),
            (FirmwareKind::Bios, false)
                if inspection.entries().any(|(entry, boot)| {
                    entry.kind == EntryKind::Initial && !boot.loaders.is_empty()
                }) =>
            {
                cause(
                    "the initial entry points to a file system with an EFI loader, not to a program that a BIOS can run.",
                    "Point an entry of platform EF to that image, and the initial entry to a BIOS loader such as isolinux or GRUB.",
                )
            }
            (FirmwareKind::Uefi, _) if loaders().any(is_its_own) => None,
            (FirmwareKind::Uefi, _) if let Some(other) = strange => cause(
                &format!(
                    "the disc has {other}, which is not the loader name of any architecture; this firmware looks for {}.",
                    self.loader
                ),
                &format!("Put \\EFI\\BOOT\\{} into the image.", self.loader),
            ),
            (FirmwareKind::Uefi, _) if let Some(other) = others => cause(
                &format!(
                    "the disc has only {other}, which is for another architecture; this firmware runs {}.",
                    self.loader
                ),
                &format!("Put \\EFI\\BOOT\\{} into the image too.", self.loader),
            ),
            (FirmwareKind::Uefi, _) => cause(
                "no entry of the catalog leads to a FAT file system with an EFI loader: the disc is only for a BIOS.",
                "To boot from UEFI too, add an entry of platform EF, with xorriso's -eltorito-alt-boot -e efi.img -no-emul-boot.",
            ),
            _ => None,
        }
    }
}

/// The explanation of a failed boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The defect on the disc; `None` if the disc is intentionally like that.
    pub id: Option<FindingId>,
    /// Whether an experiment proved it: with the changes the disc gets further, and without them it does not.
    pub proved: bool,
    /// A clause: the result when all proved causes are fixed. Empty if no cause is proved.
    pub then: String,
    /// The changes of the experiment.
    pub changes: Vec<Change>,
    /// The cause with its figures, and its effect. If it is not proved, also the message or the read that points to it.
    pub sentence: String,
    /// How to fix it; empty if nothing needs a fix.
    pub remedy: String,
}
