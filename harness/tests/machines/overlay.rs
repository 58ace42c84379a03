//! A disc of which some bytes are changed for one boot: the firmware sees the change, and the disc stays as it is.

use harness::{
    attachment::Attachment, case::Case, firmware::FirmwareId, observation::Observation,
    outcome::OutcomeKind, run::run,
};
use images::{change::Edits, inspect::Options, mend::mend, reference::master};

use crate::common::{Bench, firmware, shared_checkpoints};

/// A disc of the reference master on this machine, from a checkpoint where there is one.
fn boots(bench: &Bench, case: &Case, edits: Edits) -> Observation {
    let case = Case {
        edits,
        checkpoints: Some(shared_checkpoints()),
        ..case.clone()
    };
    let before = std::fs::read(bench.path("disc.iso")).expect("disc");
    let seen = run(&case).expect("observed");
    assert!(
        before == std::fs::read(bench.path("disc.iso")).expect("disc"),
        "the disc has changed"
    );
    seen
}

fn mastered(boot: &str, id: FirmwareId, attachment: Attachment) -> (Bench, Case, Vec<u8>) {
    let bench = Bench::new(&[]);
    let disc = master(
        "machines/-/-/-/reference",
        None,
        &boot.parse().expect("boot"),
        None,
    );
    let disc = disc.expect("mastered");
    disc.write_to(&bench.path("")).expect("written");
    let case = Case {
        id: format!("{boot} {id} {attachment}"),
        manifest: Some(disc.manifest),
        ..bench.case(firmware(id), attachment)
    };
    let bytes = std::fs::read(bench.path("disc.iso")).expect("disc");
    (bench, case, bytes)
}

#[test]
fn an_overlay_that_changes_nothing_shows_the_same() {
    for (id, boot, attachments) in [
        (
            FirmwareId::Seabios,
            "floppy-1440k",
            &[Attachment::Ide, Attachment::UsbCd][..],
        ),
        (FirmwareId::Ovmf, "efi", Attachment::USUAL),
    ] {
        for &attachment in attachments {
            let (bench, case, bytes) = mastered(boot, id, attachment);
            let mut same = Edits::default();
            // In the first, the last and the block of the descriptors.
            for at in [0, 17 * 2048, bytes.len() - 1] {
                same.write(at as u64, &bytes[at..=at]);
            }
            let plain = boots(&bench, &case, Edits::default());
            let over = boots(&bench, &case, same);
            assert!(bench.path("evidence/overlay.qcow2").exists());
            let none: [String; 0] = [];
            assert_eq!(over.differences(&plain), none, "{}", case.id);
            assert_eq!(over.reads, plain.reads, "{}", case.id);
        }
    }
}

#[test]
fn the_firmware_sees_what_is_changed() {
    let (bench, case, bytes) = mastered(
        "efi,defect=catalog-checksum",
        FirmwareId::Ovmf,
        Attachment::Ahci,
    );
    let seen = boots(&bench, &case, Edits::default());
    assert_eq!(seen.outcome.kind, OutcomeKind::Refused);
    let mended = mend(&bytes, &Options::default(), |_, _| true).expect("read");
    assert_eq!(mended.fixed.len(), 1, "{:?}", mended.fixed);
    let seen = boots(&bench, &case, mended.edits);
    assert_eq!(seen.outcome.kind, OutcomeKind::Booted);
}
