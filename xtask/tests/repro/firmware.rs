//! `--firmware`: each one that `firmware list` offers, and what cannot be had.

use std::path::PathBuf;

use harness::{
    emulator::EmulatorId,
    firmware::{self, FirmwareId},
};

use super::{Bench, common::xtask};

/// A disc of ours, for a BIOS and for UEFI on x86-64; its programs are not signed.
fn unsigned(bench: &Bench) -> PathBuf {
    let path = bench.path("unsigned.iso");
    let said = xtask(&[
        "image",
        "own/-/bios+efi/-/reference",
        "--out",
        path.to_str().unwrap(),
    ]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    path
}

#[test]
fn every_firmware_that_is_named_boots_the_disc() {
    let bench = Bench::new();
    let disc = unsigned(&bench);
    let (code, report) = bench.json(
        &disc,
        &[
            "--firmware",
            "ovmf-ia32,ovmf-secure-boot",
            "--attach",
            "ide,ahci",
        ],
    );
    assert_eq!(code, 1, "{report}");
    let cells: Vec<[&str; 4]> = report["cells"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| {
            let outcome = &cell["outcome"];
            [
                &cell["id"],
                &cell["verdict"],
                &outcome["code"],
                &cell["start"],
            ]
            .map(|value| value.as_str().unwrap_or("-"))
        })
        .collect();
    // Debian 12 has ovmf-ia32 with system management mode alone, Debian 13 without it too.
    let found = firmware::discover(&EmulatorId::Qemu.locate(None).unwrap());
    let ia32 = firmware::select(&found, FirmwareId::OvmfIa32).unwrap();
    let ia32_by_ide = match ia32.image.needs_smm() {
        true => ["skipped", "-", "-"],
        false => ["observed", "Not Found", "warm"],
    };
    // There is no machine with IDE and system management mode, and with Secure Boot nothing runs the checkpoints' program.
    assert_eq!(
        cells,
        [
            [
                "repro/-/unsigned/-/-/ovmf-ia32/ide",
                ia32_by_ide[0],
                ia32_by_ide[1],
                ia32_by_ide[2]
            ],
            [
                "repro/-/unsigned/-/-/ovmf-ia32/ahci",
                "observed",
                "Not Found",
                "warm"
            ],
            [
                "repro/-/unsigned/-/-/ovmf-secure-boot/ide",
                "skipped",
                "-",
                "-"
            ],
            [
                "repro/-/unsigned/-/-/ovmf-secure-boot/ahci",
                "observed",
                "Access Denied",
                "cold"
            ],
        ]
    );
    let reason = report["cells"][2]["reason"].to_string();
    assert!(reason.contains("system management mode"), "{reason}");
    for (diagnosis, told) in [
        (0, "BOOTIA32.EFI"),
        (1, "Secure Boot does not let BOOTX64.EFI"),
    ] {
        let causes = &report["diagnosis"][diagnosis]["causes"];
        let causes: Vec<&str> = causes
            .as_array()
            .unwrap()
            .iter()
            .map(|cause| cause["sentence"].as_str().unwrap())
            .collect();
        assert!(
            matches!(causes[..], [only] if only.contains(told)),
            "{told}: {causes:?}"
        );
    }
}

#[test]
fn firmware_that_the_only_attachment_cannot_have_is_a_mistake() {
    let bench = Bench::new();
    let disc = unsigned(&bench);
    let secure = ["--firmware", "ovmf-secure-boot", "--attach", "ide"];
    let said = bench.repro(&disc, &secure);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(
        said.stderr.contains("needs system management mode")
            && said.stderr.contains("--attach with one of ahci, "),
        "{}",
        said.stderr
    );
    for (mistake, told) in [
        (&["--firmware", "ovmf-ia32x"][..], "did you mean ovmf-ia32?"),
        (
            &["--firmware", "ovmf@no-such"],
            "there is no firmware ovmf@no-such on this machine",
        ),
        (
            &["--firmware", "ovmf@2022.11", "--promote", "name"],
            "--promote makes a scenario for every build",
        ),
    ] {
        let said = bench.repro(&disc, mistake);
        assert_eq!(said.code, 2, "{}", said.stderr);
        assert!(said.stderr.contains(told), "{told}: {}", said.stderr);
        assert!(!said.stderr.contains("--list"), "{}", said.stderr);
    }
    let (iso, out) = (disc.to_str().unwrap(), bench.path("out"));
    let matrix = ["boot-matrix", "--iso", iso, "--out", out.to_str().unwrap()];
    let said = xtask(&[&matrix[..], &secure].concat());
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(
        said.stderr.contains("needs system management mode"),
        "{}",
        said.stderr
    );
    let ia32 = ["--firmware", "ovmf-ia32", "--attach", "ahci", "--list"];
    let said = xtask(&[&matrix[..], &ia32].concat());
    assert_eq!(said.stdout, "iso/-/unsigned/-/-/ovmf-ia32/ahci\n");
}
