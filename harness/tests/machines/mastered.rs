//! Discs of the reference master with their own probes.

use harness::{
    attachment::Attachment,
    firmware::FirmwareId,
    observation::{Observation, damage},
    outcome::{OutcomeKind, Stage},
    run::run,
};
use images::reference::{MasteredDisc, master};

use crate::common::{Bench, firmware};

fn mastered(boot: &str) -> MasteredDisc {
    let boot = boot.parse().expect("boot");
    master("machines/-/-/-/reference", None, &boot, None).expect("mastered")
}

/// Boots a disc, after its bytes were changed.
fn observe(
    disc: &MasteredDisc,
    id: FirmwareId,
    attachment: Attachment,
    change: impl FnOnce(&std::path::Path),
) -> Observation {
    let bench = Bench::new(&[]);
    disc.write_to(&bench.path("")).expect("written");
    change(&bench.path("disc.iso"));
    let mut case = bench.case(firmware(id), attachment);
    case.manifest = Some(disc.manifest.clone());
    let observed = run(&case).expect("observed");
    println!(
        "{attachment} {id} {:?} {} ms",
        observed.outcome, observed.duration_ms
    );
    observed
}

fn boots_whole(boot: &str, id: FirmwareId, attachments: &[Attachment]) {
    let disc = mastered(boot);
    for &attachment in attachments {
        let observed = observe(&disc, id, attachment, |_| {});
        assert_eq!(
            observed.outcome.kind,
            OutcomeKind::Booted,
            "{:?}",
            observed.outcome
        );
        assert_eq!(observed.outcome.stage, Stage::Ended);
        let report = observed.probe.expect("report");
        assert_eq!(damage(&report, &disc.manifest), []);
    }
}

const DRIVES: &[Attachment] = &[
    Attachment::Ide,
    Attachment::Ahci,
    Attachment::Scsi,
    Attachment::UsbCd,
];

#[test]
fn no_emulation_boots_from_every_drive() {
    boots_whole("none", FirmwareId::Seabios, DRIVES);
}

#[test]
fn a_floppy_boots_from_every_drive() {
    boots_whole("floppy-1440k", FirmwareId::Seabios, DRIVES);
}

#[test]
fn a_hard_disk_boots_from_every_drive() {
    boots_whole("hard-disk", FirmwareId::Seabios, DRIVES);
}

#[test]
fn an_efi_image_boots_from_cd_and_disk() {
    // The matrix has the others; here a CD and a disk with 512-byte blocks will do.
    boots_whole(
        "efi",
        FirmwareId::Ovmf,
        &[Attachment::UsbCd, Attachment::VirtioBlk],
    );
}

/// The injected mistake: one bit of one sector that the probe reads.
#[test]
fn a_flipped_bit_in_the_image_is_damage() {
    use std::os::unix::fs::FileExt;
    let disc = mastered("floppy-1440k");
    let image = disc.manifest.image(1).expect("image");
    let last = image.load_rba.byte_offset() + image.length.bytes().get() - 100;
    let observed = observe(&disc, FirmwareId::Seabios, Attachment::Ide, |path| {
        let file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(path);
        let file = file.expect("disc");
        let mut byte = [0];
        file.read_exact_at(&mut byte, last).expect("read");
        file.write_all_at(&[byte[0] ^ 1], last).expect("write");
    });
    let report = observed.probe.expect("report");
    assert_ne!(damage(&report, &disc.manifest), []);
}

#[test]
fn a_disc_with_another_disc_s_manifest_is_no_boot() {
    let mut disc = mastered("none");
    disc.manifest.disc = images::probe::DiscHash::of_id("another");
    let observed = observe(&disc, FirmwareId::Seabios, Attachment::Ide, |_| {});
    assert_eq!(
        observed.outcome.kind,
        OutcomeKind::HandedOver,
        "{:?}",
        observed.outcome
    );
}
