//! Drives and media, on the firmware that starts fastest: the set `firmware` has the others.

use std::{fs, time::Duration};

use harness::{
    attachment::Attachment,
    firmware::FirmwareId,
    medium_profile::MediumProfile,
    observation::{Observation, damage},
    outcome::OutcomeKind,
    run::run,
};
use images::{manifest::Manifest, reference::master};

use crate::common::{Bench, firmware};

/// Boots a hybrid disc in a drive, with a medium that may have a fault. The disc must be as it was after that.
fn observe(attachment: Attachment, profile: Option<&str>) -> (Observation, Manifest) {
    let boot = "bios+efi,hybrid=mbr".parse().expect("boot");
    let disc = master("drives/-/-/-/reference", None, &boot, None).expect("mastered");
    let bench = Bench::new(&[]);
    disc.write_to(&bench.path("")).expect("written");
    let before = fs::read(bench.path("disc.iso")).expect("disc");
    let mut case = bench.case(firmware(FirmwareId::Seabios), attachment);
    case.manifest = Some(disc.manifest.clone());
    case.platform.medium_profile = profile.map(|text| text.parse().expect("a profile"));
    let observed = run(&case).expect("observed");
    let after = fs::read(bench.path("disc.iso")).expect("disc");
    assert!(before == after, "{attachment} wrote to the disc");
    (observed, disc.manifest)
}

#[test]
fn every_drive_boots_the_same_disc() {
    for &attachment in Attachment::ALL {
        let (observed, manifest) = observe(attachment, None);
        let report = observed.probe.as_ref().expect("a report");
        assert_eq!(damage(report, &manifest), [], "{attachment}: {observed:#?}");
        assert!(observed.reads_known && !observed.reads.is_empty());
    }
}

#[test]
fn what_is_the_matter_with_a_medium_is_seen() {
    let refused = OutcomeKind::Refused;
    for (attachment, profile, kind, code) in [
        (Attachment::Ahci, "bad-block=catalog", refused, Some("0007")),
        (Attachment::Ide, "bad-block=image", refused, Some("000c")),
        (Attachment::UsbCd, "bad-block=17", refused, Some("0003")),
        (Attachment::Scsi, "late=1", refused, Some("0003")),
        (Attachment::UsbDisk, "late=1", refused, None),
        (Attachment::UsbDisk, "bad-block=0", refused, None),
        // Nobody reads that block.
        (Attachment::Ahci, "bad-block=40", OutcomeKind::Booted, None),
    ] {
        let (observed, _) = observe(attachment, Some(profile));
        let outcome = &observed.outcome;
        let what = format!("{attachment} {profile}: {outcome:#?}");
        assert_eq!(outcome.kind, kind, "{what}");
        assert_eq!(outcome.code.as_deref(), code, "{what}");
    }
}

#[test]
fn a_slow_medium_boots_and_takes_its_time() {
    const KIB_PER_SECOND: u64 = 50;
    let profile = format!("slow={KIB_PER_SECOND}");
    let (observed, manifest) = observe(Attachment::Ahci, Some(&profile));
    assert_eq!(observed.outcome.kind, OutcomeKind::Booted, "{observed:#?}");
    let report = observed.probe.as_ref().expect("a report");
    assert_eq!(damage(report, &manifest), []);
    let read: u64 = observed.reads.iter().map(|read| read.bytes).sum();
    let seconds = read / (KIB_PER_SECOND << 10);
    assert!(seconds >= 1, "{read} bytes were read");
    let took = Duration::from_millis(observed.duration_ms);
    // A tenth of a second's worth may come at once.
    assert!(took.as_secs() + 1 >= seconds, "{read} bytes in {took:?}");
}

#[test]
fn a_drive_that_is_there_for_good_has_no_medium_that_comes_or_goes() {
    let late: MediumProfile = "late".parse().expect("a profile");
    for &attachment in Attachment::ALL {
        let for_good =
            [Attachment::VirtioBlk, Attachment::SdCard, Attachment::Nvme].contains(&attachment);
        assert_eq!(late.check(attachment).is_err(), for_good, "{attachment}");
    }
}
