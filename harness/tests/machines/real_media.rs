//! Discs that others made.

use std::path::PathBuf;

use harness::{
    attachment::Attachment,
    case::Success,
    firmware::FirmwareId,
    outcome::{OutcomeKind, Stage},
    run::run,
};

use crate::common::{Bench, firmware, seabios};

/// A floppy-emulation entry and an EFI entry (Debian package `memtest86+`).
pub(crate) fn memtest() -> PathBuf {
    installed("/usr/lib/memtest86+/memtest86+x64.iso", "memtest86+")
}

/// The same for the IA-32 architecture.
pub(crate) fn memtest_ia32() -> PathBuf {
    installed("/usr/lib/memtest86+/memtest86+ia32.iso", "memtest86+")
}

/// No emulation with a boot-info table (Debian package `grub-rescue-pc`).
pub(crate) fn grub() -> PathBuf {
    installed(
        "/usr/lib/grub-rescue/grub-rescue-cdrom.iso",
        "grub-rescue-pc",
    )
}

fn installed(path: &str, package: &str) -> PathBuf {
    let path = PathBuf::from(path);
    assert!(
        path.exists(),
        "{} is missing: install {package}",
        path.display()
    );
    path
}

#[test]
fn memtest_writes_its_name_into_text_memory() {
    let bench = Bench::new(&[]);
    let mut case = bench.case(seabios(), Attachment::Ide);
    case.disc = memtest();
    case.success = Success::Text(regex::bytes::Regex::new(r"Memtest86\+").expect("pattern"));
    let observed = run(&case).expect("observed");
    assert_eq!(
        observed.outcome.kind,
        OutcomeKind::Booted,
        "{:?}",
        observed.outcome
    );
    assert!(observed.outcome.detail.contains("screen"));
    assert!(bench.evidence_text("screen.txt").contains("Memtest86+"));
}

#[test]
fn memtest_is_started_by_uefi() {
    let bench = Bench::new(&[]);
    let mut case = bench.case(firmware(FirmwareId::Ovmf), Attachment::UsbDisk);
    case.disc = memtest();
    let observed = run(&case).expect("observed");
    assert_eq!(
        observed.outcome.stage,
        Stage::Entered,
        "{:?}",
        observed.outcome
    );
    assert_eq!(
        observed.outcome.kind,
        OutcomeKind::HandedOver,
        "{:?}",
        observed.outcome
    );
    assert_eq!(
        observed.words,
        [
            r#"BdsDxe: loading "UEFI QEMU QEMU USB HARDDRIVE""#,
            r#"BdsDxe: starting "UEFI QEMU QEMU USB HARDDRIVE""#
        ]
    );
}

#[test]
fn grub_draws_its_menu() {
    let bench = Bench::new(&[]);
    let mut case = bench.case(seabios(), Attachment::Ahci);
    case.disc = grub();
    case.success = Success::Text(regex::bytes::Regex::new("GNU GRUB").expect("pattern"));
    let observed = run(&case).expect("observed");
    assert_eq!(
        observed.outcome.kind,
        OutcomeKind::Booted,
        "{:?}",
        observed.outcome
    );
}
