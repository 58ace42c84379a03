//! OVMF: few, since each boot takes seconds.

use harness::{
    attachment::Attachment,
    firmware::{FirmwareId, FirmwareImage},
    guest::{GuestState, Starts},
    observation::Observation,
    outcome::{OutcomeKind, Stage},
    run::run,
};

use crate::{
    common::{Bench, disc, firmware, shared_checkpoints},
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

/// A disc whose UEFI application is this code: that of a probe, overwritten where it is entered.
fn efi_disc(code: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("folder");
    let boot = "efi".parse().expect("boot");
    let disc = images::reference::master("a/-/efi/-/reference", None, &boot, None).expect("disc");
    disc.write_to(folder.path()).expect("disc");
    let mut disc = std::fs::read(folder.path().join("disc.iso")).expect("disc");
    let number = |disc: &[u8], at: usize| {
        let bytes = disc[at..][..4].try_into().expect("bytes");
        usize::try_from(u32::from_le_bytes(bytes)).expect("small")
    };
    // It stands in the boot image, and as a file in the tree.
    let mut found = 0;
    for file in (0..disc.len()).step_by(512) {
        if !disc[file..].starts_with(b"MZ") {
            continue;
        }
        let header = file + number(&disc, file + 0x3C);
        assert!(disc[header..].starts_with(b"PE\0\0"));
        let entry = number(&disc, header + 0x28);
        // The section table follows the optional header of 240 bytes (PE/COFF, "Section Table").
        let mut sections = (0..3).map(|section| header + 0x18 + 240 + section * 40);
        let text = sections.find(|&at| disc[at..].starts_with(b".text"));
        let text = text.expect("code");
        let at = file + number(&disc, text + 20) + entry - number(&disc, text + 12);
        disc[at..][..code.len()].copy_from_slice(code);
        found += 1;
    }
    assert!(found > 0);
    disc
}

/// What a program comes to that gives this back.
fn returns(code: &[u8]) -> Observation {
    let bench = Bench::new(&efi_disc(code));
    let mut case = bench.case(firmware(FirmwareId::Ovmf), Attachment::Ahci);
    case.checkpoints = Some(shared_checkpoints());
    let observed = run(&case).expect("observed");
    let guest = observed
        .guest
        .as_ref()
        .unwrap_or_else(|| panic!("{observed:#?}"));
    assert_eq!(guest.state, GuestState::GaveBack, "{observed:#?}");
    assert_eq!(observed.starts, Starts::No, "{observed:#?}");
    observed
}

#[test]
fn a_program_that_returns_an_error_gave_control_back() {
    // mov rax, 8000000000000001h (EFI_LOAD_ERROR); ret
    let observed = returns(&[0x48, 0xB8, 1, 0, 0, 0, 0, 0, 0, 0x80, 0xC3]);
    assert!(observed.outcome.gave_back, "{observed:#?}");
    assert_eq!(observed.outcome.code.as_deref(), Some("Load Error"));
}

#[test]
fn a_program_that_returns_success_gave_control_back() {
    // xor eax, eax; ret: then the firmware shows the front page of its setup.
    returns(&[0x31, 0xC0, 0xC3]);
}
