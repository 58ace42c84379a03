//! Firmware families other than SeaBIOS and OVMF for x86-64: what the matrix does not show.

use std::{fs, path::Path};

use harness::{
    attachment::Attachment,
    firmware::FirmwareId,
    observation::{Observation, damage},
    outcome::OutcomeKind,
    platform::Platform,
    run::run,
};
use images::reference::{MasteredDisc, master};

use crate::common::{Bench, firmware, machine};

/// Each family by the attachment that it boots from, and the disc that it boots.
const FAMILIES: [(FirmwareId, Attachment, &str); 6] = [
    (FirmwareId::Rombios, Attachment::Ide, "floppy-1440k"),
    (FirmwareId::OvmfIa32, Attachment::Ahci, "efi,loaders=ia32"),
    (FirmwareId::Aavmf, Attachment::Scsi, "efi,loaders=aa64"),
    (
        FirmwareId::UBootArm64,
        Attachment::VirtioBlk,
        "efi,loaders=aa64",
    ),
    (FirmwareId::UBootX8664, Attachment::VirtioBlk, "efi"),
    (
        FirmwareId::SeabiosMicrovm,
        Attachment::VirtioBlk,
        "bios+efi,hybrid=mbr",
    ),
];

fn mastered(boot: &str) -> MasteredDisc {
    let boot = boot.parse().expect("boot");
    master("machines/-/-/-/reference", None, &boot, None).expect("mastered")
}

/// Boots a disc whose bytes were changed.
fn observe(
    disc: &MasteredDisc,
    machine: Platform,
    change: impl FnOnce(&mut Vec<u8>),
) -> Observation {
    let bench = Bench::new(&[]);
    disc.write_to(&bench.path("")).expect("written");
    let path: &Path = &bench.path("disc.iso");
    let mut bytes = fs::read(path).expect("disc");
    change(&mut bytes);
    fs::write(path, bytes).expect("disc");
    let mut case = bench.case(machine.firmware.clone(), machine.attachment);
    case.platform = machine;
    case.manifest = Some(disc.manifest.clone());
    run(&case).expect("observed")
}

#[test]
fn a_flipped_bit_is_damage_on_each_family() {
    for (id, attachment, boot) in FAMILIES {
        let disc = mastered(boot);
        let image = disc.manifest.images.first().expect("image");
        let last = image.load_rba.byte_offset() + image.length.bytes().get() - 100;
        let last = usize::try_from(last).expect("small");
        let spoiled = observe(&disc, machine(id, attachment), |bytes| bytes[last] ^= 1);
        assert_eq!(
            spoiled.outcome.kind,
            OutcomeKind::Booted,
            "{id}: {spoiled:#?}"
        );
        let report = spoiled.probe.expect("report");
        assert_ne!(damage(&report, &disc.manifest), [], "{id}");
    }
}

/// Where there is no debug port, a last line that came on the serial line alone is no boot.
#[test]
fn a_last_line_that_is_not_in_the_machine_s_memory_is_no_boot() {
    let disc = mastered("efi,loaders=aa64");
    // MOVZ x0, #1000h: the place of the line, which the probe leaves in x0 when it halts.
    let (leaves, another) = (0xD282_0000_u32.to_le_bytes(), 0xD284_0000_u32.to_le_bytes());
    let observed = observe(
        &disc,
        machine(FirmwareId::Aavmf, Attachment::Scsi),
        |bytes| {
            let places: Vec<usize> = (0..bytes.len() - 4)
                .step_by(4)
                .filter(|&at| bytes[at..].starts_with(&leaves))
                .collect();
            assert!(!places.is_empty());
            for at in places {
                bytes[at..at + 4].copy_from_slice(&another);
            }
        },
    );
    assert_eq!(
        observed.outcome.kind,
        OutcomeKind::HandedOver,
        "{observed:#?}"
    );
    assert!(
        observed.outcome.detail.contains("is not confirmed"),
        "{observed:#?}"
    );
}

#[test]
fn a_machine_that_cannot_be_says_why() {
    for (id, attachment, why) in [
        (FirmwareId::Rombios, Attachment::Ahci, "no PCI"),
        (FirmwareId::Aavmf, Attachment::Ide, "no IDE"),
        (
            FirmwareId::UBootX8664,
            Attachment::UsbDisk,
            "only on virtio disks",
        ),
        (
            FirmwareId::SeabiosMicrovm,
            Attachment::Ahci,
            "microvm has no PCI",
        ),
    ] {
        let error = firmware(id).check(attachment).expect_err("no machine");
        assert!(error.to_string().contains(why), "{error}");
    }
}
