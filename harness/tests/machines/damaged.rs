//! Discs that others made, each damaged in one way: the right explanation, and a reproducer that does the same.
//!
//! What each firmware does with a defect is written down here from the sources of the firmware (SeaBIOS `src/cdrom.c`,
//! EDK2 `ElTorito.c`), before it is booted.

use std::{fs, path::Path, sync::Arc, time::Duration};

use harness::{
    attachment::Attachment,
    case::Case,
    diagnosis::{Boot, Diagnosis, diagnose},
    distil::{AGAIN, Whole, distil, may_be_chance},
    firmware::{FirmwareId, FirmwareKind},
    guest::Starts,
    observation::{DiscRead, Observation},
    outcome::OutcomeKind,
    run::{Infra, run},
};
use images::{
    distilled::Distilled,
    finding::FindingId as Id,
    inspect::{DiscFile, Inspection, Options, Window, inspect},
    map::DiscMap,
};

use crate::{
    common::{Bench, firmware, shared_checkpoints},
    real_media::{grub, memtest, memtest_ia32},
};

const BLOCK: usize = 2048;
const BOOT_RECORD: usize = 17 * BLOCK;
const COUNTDOWN: &[u8] = b"set timeout=30\n";
const NO_COUNTDOWN: &[u8] = b"set timeout=-1\n";

/// The disc in memory, to be damaged.
struct Victim {
    bytes: Vec<u8>,
    catalog: usize,
}

impl Victim {
    fn read(path: &Path) -> Self {
        let mut bytes = fs::read(path).expect("the package's disc");
        // GRUB's menu would count down for half a minute before it can be judged.
        let mut places = bytes.windows(COUNTDOWN.len());
        if let Some(at) = places.position(|it| it == COUNTDOWN) {
            bytes[at..][..COUNTDOWN.len()].copy_from_slice(NO_COUNTDOWN);
        }
        let pointer = bytes[BOOT_RECORD + 0x47..][..4].try_into().expect("bytes");
        Self {
            catalog: u32::from_le_bytes(pointer) as usize * BLOCK,
            bytes,
        }
    }

    /// Bytes of a slot of the catalog.
    fn slot(&mut self, slot: usize, at: usize, bytes: &[u8]) {
        let at = self.catalog + slot * 32 + at;
        self.bytes[at..][..bytes.len()].copy_from_slice(bytes);
    }

    /// Where the boot image of a slot begins, in bytes.
    fn image(&self, slot: usize) -> usize {
        let rba = &self.bytes[self.catalog + slot * 32 + 8..][..4];
        u32::from_le_bytes(rba.try_into().expect("bytes")) as usize * BLOCK
    }

    /// Makes the words of the validation entry sum to 0 again (El Torito §2.1).
    fn checksum(&mut self) {
        self.slot(0, 0x1C, &[0, 0]);
        let entry = &self.bytes[self.catalog..][..32];
        let words = entry
            .chunks(2)
            .map(|word| u16::from_le_bytes([word[0], word[1]]));
        let sum = words.fold(0_u16, u16::wrapping_add);
        self.slot(0, 0x1C, &sum.wrapping_neg().to_le_bytes());
    }

    fn block(&mut self, from: usize, to: usize) {
        self.bytes
            .copy_within(from * BLOCK..(from + 1) * BLOCK, to * BLOCK);
    }
}

/// What a firmware must do: how it is told, and the defect that is the cause.
struct Must {
    happens: &'static str,
    because: Option<Id>,
    /// A reason that does not depend on the defect.
    and_then: Option<&'static str>,
}

impl Must {
    const fn and_then(self, told: &'static str) -> Self {
        Self {
            and_then: Some(told),
            ..self
        }
    }
}

const fn must(happens: &'static str, because: Id) -> Must {
    Must {
        happens,
        because: Some(because),
        and_then: None,
    }
}

/// With no defect that explains it: because nothing needs to be, or by design.
const fn still(happens: &'static str) -> Must {
    Must {
        happens,
        because: None,
        and_then: None,
    }
}

/// Damages a disc, boots it on both firmwares, and holds what is told against what must be.
fn try_it(disc: &Path, damage: fn(&mut Victim), seabios: Must, ovmf: Must) {
    let mut victim = Victim::read(disc);
    damage(&mut victim);
    let bench = Bench::new(&victim.bytes);
    let (inspection, map) = examine(&bench.path("disc.iso"));
    let seen = boots(&MACHINES, &bench, &bench.path("disc.iso"), &map).expect("booted");
    let diagnoses = explain(&MACHINES, &inspection, &map, &seen);
    for (diagnosis, must) in diagnoses.iter().zip([&seabios, &ovmf]) {
        let told = diagnosis.to_string();
        let cause = diagnosis.causes.first();
        assert!(told.contains(must.happens), "{}: {told}", must.happens);
        assert_eq!(cause.and_then(|cause| cause.id), must.because, "{told}");
        assert!(!told.contains("No known defect of the disc"), "{told}");
        let (_, and_then) = told.split_once(AND_THEN).unzip();
        let as_it_must = match must.and_then {
            Some(words) => and_then.is_some_and(|told| told.contains(words)),
            None => and_then.is_none(),
        };
        assert!(as_it_must, "{:?}: {told}", must.and_then);
    }
    does_the_same(&bench, &map, &seen);
}

fn examine(disc: &Path) -> (Inspection, Arc<DiscMap>) {
    let file = DiscFile::open(disc).expect("disc");
    let mut window = Window::new(&file);
    let inspection = inspect(&mut window, &Options::default()).expect("inspected");
    let map = DiscMap::read(&mut window, &inspection);
    (inspection, Arc::new(map))
}

const MACHINES: [Machine; 2] = [
    (FirmwareId::Seabios, Attachment::Ide),
    (FirmwareId::Ovmf, Attachment::Ahci),
];

type Machine = (FirmwareId, Attachment);

fn boots(
    machines: &[Machine],
    bench: &Bench,
    disc: &Path,
    map: &Arc<DiscMap>,
) -> Result<Vec<Observation>, Infra> {
    let checkpoints = shared_checkpoints();
    let boot = |&(id, attachment): &Machine| {
        run(&Case {
            disc: disc.to_owned(),
            map: Some(Arc::clone(map)),
            checkpoints: Some(checkpoints.clone()),
            // GRUB's command line waits for ever, and nothing more is to be seen of it.
            patience: Some(Duration::from_secs(20)),
            ..bench.case(firmware(id), attachment)
        })
    };
    machines.iter().map(boot).collect()
}

fn explain(
    machines: &[Machine],
    inspection: &Inspection,
    map: &DiscMap,
    seen: &[Observation],
) -> Vec<Diagnosis> {
    let boots: Vec<Boot<'_>> = machines
        .iter()
        .zip(seen)
        .map(|(&(firmware, attachment), observation)| Boot {
            build: firmware.to_string(),
            firmware,
            attachment,
            observation,
            by_keys: None,
            medium: None,
        })
        .collect();
    let diagnoses = diagnose(inspection, map, &boots, &[]);
    assert_eq!(diagnoses.len(), machines.len());
    diagnoses
}

/// The disc of which only what was read is left fails in the same way, or does the same where nothing failed; also when it is rebuilt
/// from its text.
fn does_the_same(bench: &Bench, map: &Arc<DiscMap>, seen: &[Observation]) {
    let disc = DiscFile::open(&bench.path("disc.iso")).expect("disc");
    let cut = bench.path("distilled.iso");
    let fails = |observation: &Observation| {
        !matches!(
            observation.outcome.kind,
            OutcomeKind::Booted | OutcomeKind::HandedOver
        )
    };
    let all_start = !seen.iter().any(fails);
    let pairs = MACHINES.into_iter().zip(seen.iter().cloned());
    let (machines, seen): (Vec<Machine>, Vec<Observation>) = pairs
        .filter(|(_, observation)| all_start || fails(observation))
        .unzip();
    let mut last = Vec::new();
    let again = |_: &Distilled| {
        last = boots(&machines, bench, &cut, map)?;
        Ok::<_, Infra>(last.clone())
    };
    let whole: Vec<Whole> = machines
        .iter()
        .zip(&seen)
        .map(|(machine, seen)| whole(*machine, seen, bench, map))
        .collect();
    let distillation = distil(&disc, map, &whole, &cut, again).expect("distilled");
    for ((whole, cut), (firmware, _)) in whole.iter().zip(&last).zip(&machines) {
        assert!(whole.either || whole.seen.outcome.kind == cut.outcome.kind);
        // UEFI firmware does not tell for certain where they begin.
        if firmware.kind() == FirmwareKind::Bios {
            assert_eq!(after_entry(&whole.seen), after_entry(cut));
        }
    }
    let text = distillation.distilled.to_toml();
    let rebuilt = Distilled::parse(&text).expect("its own text");
    assert_eq!(rebuilt, distillation.distilled);
    let whole = disc_bytes(&bench.path("disc.iso"));
    let cut = disc_bytes(&cut);
    assert_eq!(whole.len(), cut.len());
    // Nothing is in it that is not on the disc.
    let mut bytes = cut.iter().zip(&whole);
    assert!(bytes.all(|(cut, whole)| cut == whole || *cut == 0));
}

/// Boots the whole disc again where chance may have decided.
fn whole(machine: Machine, seen: &Observation, bench: &Bench, map: &Arc<DiscMap>) -> Whole {
    let times = if may_be_chance(&seen.outcome) {
        AGAIN
    } else {
        0
    };
    let again = boots(&vec![machine; times], bench, &bench.path("disc.iso"), map);
    Whole::new(seen.clone(), &again.expect("booted"))
}

/// What a boot image read.
fn after_entry(observation: &Observation) -> &[DiscRead] {
    let before = observation.reads_before_entry;
    let reads = before.and_then(|before| observation.reads.get(before..));
    reads.unwrap_or_default()
}

fn disc_bytes(path: &Path) -> Vec<u8> {
    fs::read(path).expect("disc")
}

macro_rules! damaged {
    ($disc:ident { $($name:ident: $damage:expr, $seabios:expr, $ovmf:expr;)* }) => {
        mod $disc {
            use super::*;
            $(#[test]
            fn $name() {
                try_it(&super::$disc(), $damage, $seabios, $ovmf);
            })*
        }
    };
}

/// GRUB's rescue CD is for a BIOS alone, whatever else is wrong with it.
const FOR_BIOS_ALONE: Must = still(BIOS_ALONE);
const BIOS_ALONE: &str = "the disc is only for a BIOS";
/// What introduces a reason that does not depend on the defect.
const AND_THEN: &str = "Independently of this";

damaged! { grub {
    healthy: |_| {}, still("SeaBIOS hands over to it"), FOR_BIOS_ALONE;
    checksum: |disc| disc.slot(0, 0x1C, &[0x12, 0x34]),
        still("SeaBIOS hands over to it"), must("OVMF refuses it", Id::CatalogChecksum).and_then(BIOS_ALONE);
    key: |disc| disc.slot(0, 0x1E, &[0xAA, 0x55]),
        must("code 000a", Id::CatalogKey), must("OVMF refuses it", Id::CatalogKey).and_then(BIOS_ALONE);
    header_id: |disc| { disc.slot(0, 0, &[2]); disc.checksum() },
        must("code 0008", Id::CatalogHeaderId), must("OVMF refuses it", Id::CatalogHeaderId).and_then(BIOS_ALONE);
    platform: |disc| { disc.slot(0, 1, &[0xFE]); disc.checksum() },
        must("code 0009", Id::CatalogPlatform), FOR_BIOS_ALONE;
    not_bootable: |disc| disc.slot(1, 0, &[0]),
        must("code 000b", Id::EntryNotBootable), FOR_BIOS_ALONE;
    media_type: |disc| disc.slot(1, 1, &[5]),
        must("SeaBIOS", Id::EntryMediaType), FOR_BIOS_ALONE;
    count_of_zero: |disc| disc.slot(1, 6, &[0, 0]),
        must("SeaBIOS hangs with it", Id::CountZero), FOR_BIOS_ALONE;
    zeros_in_the_image: |disc| { let at = disc.image(1) + 6 * BLOCK; disc.bytes[at..at + 2 * BLOCK].fill(0) },
        must("SeaBIOS", Id::BootInfoTable), FOR_BIOS_ALONE;
    count_too_large: |disc| disc.slot(1, 6, &[0, 8]),
        must("SeaBIOS", Id::CountTooLarge), FOR_BIOS_ALONE;
    load_rba_behind_the_end: |disc| disc.slot(1, 8, &[0, 0, 1, 0]),
        must("code 000c", Id::ImageOutOfRange), FOR_BIOS_ALONE;
    catalog_pointer_behind_the_end: |disc| disc.bytes[BOOT_RECORD + 0x47..][..4].copy_from_slice(&[0, 0, 1, 0]),
        must("code 0007", Id::CatalogOutOfRange), must("OVMF refuses it", Id::CatalogOutOfRange);
    boot_record_moved: |disc| { disc.block(18, 19); disc.block(17, 18); disc.block(16, 17) },
        must("code 0004", Id::BootRecordMisplaced), FOR_BIOS_ALONE;
    boot_record_gone: |disc| disc.block(18, 17),
        must("code 0004", Id::NoBootRecord), must("OVMF refuses it", Id::NoBootRecord);
    identifier_padded_with_spaces: |disc| disc.bytes[BOOT_RECORD + 7 + 23..BOOT_RECORD + 0x27].fill(b' '),
        must("code 0005", Id::BootRecordIdPadding), FOR_BIOS_ALONE;
    truncated_in_the_image: |disc| disc.bytes.truncate(disc.image(1)),
        must("code 000c", Id::ImageOutOfRange), must("OVMF refuses it", Id::VolumeSize);
    truncated_before_the_catalog: |disc| disc.bytes.truncate(40 * BLOCK),
        must("code 0007", Id::CatalogOutOfRange), must("OVMF refuses it", Id::CatalogOutOfRange);
    no_iso: |disc| disc.bytes[16 * BLOCK..40 * BLOCK].fill(0),
        must("SeaBIOS refuses it", Id::NotIso), must("OVMF refuses it", Id::NotIso);
} }

damaged! { memtest {
    healthy: |_| {}, still("SeaBIOS hands over to it"), still("OVMF hands over to it");
    checksum: |disc| disc.slot(0, 0x1C, &[0x12, 0x34]),
        still("SeaBIOS hands over to it"), must("OVMF refuses it", Id::CatalogChecksum);
    key: |disc| disc.slot(0, 0x1E, &[0, 0]),
        must("code 000a", Id::CatalogKey), must("OVMF refuses it", Id::CatalogKey);
    header_id: |disc| { disc.slot(0, 0, &[0]); disc.checksum() },
        must("code 0008", Id::CatalogHeaderId), must("OVMF refuses it", Id::CatalogHeaderId);
    platform: |disc| { disc.slot(0, 1, &[0xEF]); disc.checksum() },
        must("code 0009", Id::CatalogEfiOnly), still("OVMF hands over to it");
    not_bootable: |disc| disc.slot(1, 0, &[0]),
        must("code 000b", Id::EntryNotBootable), still("OVMF hands over to it");
    efi_entry_not_bootable: |disc| disc.slot(3, 0, &[0]),
        still("SeaBIOS hands over to it"), must("OVMF refuses it", Id::EntryNotBootable);
    efi_count_of_a_bios: |disc| disc.slot(3, 6, &[4, 0]),
        still("SeaBIOS hands over to it"), must("OVMF refuses it", Id::CountEfiShort);
    efi_load_rba_elsewhere: |disc| disc.slot(3, 8, &[35, 0, 0, 0]),
        still("SeaBIOS hands over to it"), must("OVMF refuses it", Id::EfiWrongImage);
    efi_count_to_the_end_of_the_volume: |disc| disc.slot(3, 6, &[0, 0]),
        still("SeaBIOS hands over to it"), must("OVMF refuses it", Id::EfiOpenEndOutsideVolume);
    efi_image_behind_the_end: |disc| disc.slot(3, 8, &[0, 0, 1, 0]),
        still("SeaBIOS hands over to it"), must("OVMF refuses it", Id::ImageOutOfRange);
    load_rba_behind_the_end: |disc| disc.slot(1, 8, &[0, 0, 1, 0]),
        must("code 000c", Id::ImageOutOfRange), still("OVMF hands over to it");
    catalog_pointer_behind_the_end: |disc| disc.bytes[BOOT_RECORD + 0x47..][..4].copy_from_slice(&[0, 0, 1, 0]),
        must("code 0007", Id::CatalogOutOfRange), must("OVMF refuses it", Id::CatalogOutOfRange);
    boot_record_twice: |disc| { disc.block(18, 19); disc.block(17, 18) },
        still("SeaBIOS hands over to it"), must("OVMF", Id::BootRecordDuplicate);
    boot_record_gone: |disc| disc.block(18, 17),
        must("code 0004", Id::NoBootRecord), must("OVMF refuses it", Id::NoBootRecord);
    truncated_in_the_efi_image: |disc| disc.bytes.truncate(830 * BLOCK),
        still("SeaBIOS hands over to it"), must("OVMF refuses it", Id::ImageOutOfRange);
} }

damaged! { memtest_ia32 {
    healthy: |_| {}, still("SeaBIOS hands over to it"), still("only BOOTIA32.EFI, which is for another architecture");
} }

#[test]
fn a_boot_image_that_gives_control_back_did_not_start() {
    let mut victim = Victim::read(&grub());
    victim.bytes.truncate(victim.bytes.len() / 3);
    let bench = Bench::new(&victim.bytes);
    let (inspection, map) = examine(&bench.path("disc.iso"));
    let machines = [(FirmwareId::Seabios, Attachment::VirtioBlk)];
    let seen = boots(&machines, &bench, &bench.path("disc.iso"), &map).expect("booted");
    assert_eq!(seen[0].outcome.kind, OutcomeKind::HandedOver);
    let diagnosis = &explain(&machines, &inspection, &map, &seen)[0];
    let told = diagnosis.to_string();
    assert_eq!(diagnosis.starts, Starts::No, "{told}");
    assert!(told.contains("No bootable device"), "{told}");
    let causes: Vec<_> = diagnosis.causes.iter().map(|cause| cause.id).collect();
    assert_eq!(
        causes,
        [Some(Id::VolumeSize), Some(Id::HybridMbr)],
        "{told}"
    );
    assert!(!told.contains("a BIOS does not check"), "{told}");
}
