//! Discs that a firmware does not boot, mended on disk: each boots then, and its image is read whole. That they do not boot before is what the matrix
//! holds (`scenarios/data/defects.toml`); of one it is shown here.

use std::{fs::OpenOptions, os::unix::fs::FileExt};

use harness::{
    attachment::Attachment,
    firmware::FirmwareId,
    observation::{Observation, damage},
    outcome::OutcomeKind,
    run::run,
};
use images::{
    inspect::Options,
    mend::mend,
    reference::{MasteredDisc, master},
};

use crate::common::{Bench, firmware};

fn observe(disc: &MasteredDisc, is_mended: bool, id: FirmwareId, drive: Attachment) -> Observation {
    let bench = Bench::new(&[]);
    disc.write_to(&bench.path("")).expect("written");
    if is_mended {
        let mended = mend(&disc.bytes, &Options::default(), |_, _| true).expect("read");
        let mut iso = OpenOptions::new();
        let iso = iso.write(true).open(bench.path("disc.iso")).expect("disc");
        for (offset, bytes) in mended.edits.pieces() {
            iso.write_all_at(bytes, offset).expect("written");
        }
    }
    let mut case = bench.case(firmware(id), drive);
    case.manifest = Some(disc.manifest.clone());
    run(&case).expect("observed")
}

fn defective(boot: &str) -> MasteredDisc {
    let words = boot.parse().expect(boot);
    master("fixes/-/-/-/reference", None, &words, None).expect(boot)
}

fn boots_when_mended(boot: &str, id: FirmwareId, drive: Attachment) {
    let disc = defective(boot);
    let observed = observe(&disc, true, id, drive);
    let outcome = &observed.outcome;
    assert_eq!(outcome.kind, OutcomeKind::Booted, "{boot}: {outcome:?}");
    let report = observed.probe.expect("report");
    assert_eq!(damage(&report, &disc.manifest), [], "{boot}");
}

#[test]
fn a_disc_that_is_not_mended_does_not_boot() {
    let disc = defective("none,defect=catalog-key");
    let observed = observe(&disc, false, FirmwareId::Seabios, Attachment::Ide);
    assert_eq!(observed.outcome.code.as_deref(), Some("000a"));
}

#[test]
fn seabios_boots_what_it_refused_for_a_descriptor() {
    for defect in [
        "no-boot-record",
        "boot-record-misplaced",
        "boot-record-id-padding",
        "catalog-out-of-range",
    ] {
        let boot = format!("none,defect={defect}");
        boots_when_mended(&boot, FirmwareId::Seabios, Attachment::Ide);
    }
}

#[test]
fn seabios_boots_what_it_refused_for_the_catalog() {
    for boot in [
        "none,defect=catalog-header-id",
        "none,defect=catalog-key",
        "none,defect=catalog-platform",
        "none,defect=entry-not-bootable",
        "floppy-1440k,defect=image-out-of-range",
    ] {
        boots_when_mended(boot, FirmwareId::Seabios, Attachment::Ide);
    }
}

#[test]
fn seabios_boots_what_went_astray() {
    for boot in [
        "floppy-1440k,defect=entry-media-type",
        "none,defect=count-zero",
        "none,defect=count-too-large",
        "hard-disk,defect=hard-disk-partition-slot",
        "none,count=wrapped,defect=count-wrapped",
    ] {
        boots_when_mended(boot, FirmwareId::Seabios, Attachment::Ide);
    }
}

#[test]
fn ovmf_boots_what_it_did_not_find() {
    for boot in [
        "efi,defect=boot-record-duplicate",
        "efi,defect=count-efi-short",
        "bios+efi,defect=catalog-no-efi",
    ] {
        boots_when_mended(boot, FirmwareId::Ovmf, Attachment::Ahci);
    }
}

/// On a stick OVMF sees the catalog's first 16 slots.
#[test]
fn ovmf_boots_a_stick_whose_entry_stood_too_deep() {
    let boot = "bios+efi,defect=catalog-efi-too-deep";
    boots_when_mended(boot, FirmwareId::Ovmf, Attachment::UsbDisk);
}
