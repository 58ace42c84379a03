//! OVMF: few, since each boot takes seconds.

use harness::{
    attachment::Attachment,
    firmware::{FirmwareId, FirmwareImage},
    outcome::{OutcomeKind, Stage},
    run::run,
};

use crate::{
    common::{Bench, disc, firmware},
    real_media::memtest,
};

#[test]
fn a_disc_without_an_efi_entry_is_refused() {
    let bench = Bench::new(&disc(&[]));
    let observed =
        run(&bench.case(firmware(FirmwareId::Ovmf), Attachment::Ahci)).expect("observed");
    assert_eq!(observed.outcome.kind, OutcomeKind::Refused, "{observed:#?}");
    assert_eq!(observed.outcome.code.as_deref(), Some("Not Found"));
    // OVMF makes a partition of every bootable entry and looks for a file system there.
    assert_eq!(observed.outcome.stage, Stage::ImageLoaded);
    assert_eq!(
        observed.words,
        [
            r#"BdsDxe: failed to load "UEFI QEMU DVD-ROM": Not Found"#,
            "EFI Internal Shell"
        ]
    );
    assert!(bench.has("screenshot.png"));
}

#[test]
fn secure_boot_refuses_what_is_not_signed() {
    let secure = firmware(FirmwareId::OvmfSecureBoot);
    let FirmwareImage::Flash {
        variables: Some(template),
        ..
    } = &secure.image
    else {
        panic!("no enrolled keys: {secure:?}");
    };
    let before = std::fs::read(template).expect("template");
    let bench = Bench::new(&[]);
    let mut case = bench.case(secure.clone(), Attachment::Ahci);
    case.disc = memtest();
    let observed = run(&case).expect("observed");
    assert_eq!(observed.outcome.kind, OutcomeKind::Refused, "{observed:#?}");
    assert_eq!(observed.outcome.code.as_deref(), Some("Access Denied"));
    assert_eq!(std::fs::read(template).expect("template"), before);
    assert!(!bench.has("variables.fd"));
}

#[test]
fn system_management_mode_is_not_to_be_had_on_ide() {
    let bench = Bench::new(&disc(&[]));
    let case = bench.case(firmware(FirmwareId::OvmfSecureBoot), Attachment::Ide);
    let infra = run(&case).expect_err("no such machine");
    assert!(infra.to_string().contains("ide"), "{infra}");
}
