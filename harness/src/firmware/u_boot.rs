//! U-Boot, whose EFI loader starts programs from removable media: its words on the serial console.

use std::time::Duration;

use super::{
    descriptor::Candidate,
    family::{Family, Places},
    said::Said,
};
use crate::{
    arch::{Architecture, pc, virt},
    attachment::Attachment,
    machine::board::{Board, Model},
};

/// U-Boot, as machines and watchers know it.
pub(crate) enum UBoot {
    /// For 64-bit Arm.
    Arm64,
    /// For x86-64.
    X64,
}

impl Family for UBoot {
    fn is_rom(&self) -> bool {
        true
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Arm64 => "U-Boot for 64-bit Arm",
            Self::X64 => "U-Boot for x86-64",
        }
    }

    fn project(&self) -> &'static str {
        "u-boot"
    }

    fn package(&self) -> &'static str {
        "u-boot-qemu"
    }

    fn architecture(&self) -> Architecture {
        match self {
            Self::Arm64 => Architecture::Aarch64,
            Self::X64 => Architecture::X86,
        }
    }

    fn loader(&self) -> Option<&'static str> {
        Some(match self {
            Self::Arm64 => "BOOTAA64.EFI",
            Self::X64 => "BOOTX64.EFI",
        })
    }

    fn find(&self, places: &Places<'_>) -> Option<Candidate> {
        places.rom(match self {
            Self::Arm64 => "usr/lib/u-boot/qemu_arm64/u-boot.bin",
            Self::X64 => "usr/lib/u-boot/qemu-x86_64/u-boot.rom",
        })
    }

    fn missing(&self) -> &'static str {
        match self {
            Self::Arm64 => "no /usr/lib/u-boot/qemu_arm64/u-boot.bin",
            Self::X64 => "no /usr/lib/u-boot/qemu-x86_64/u-boot.rom",
        }
    }

    fn board(&self, attachment: Attachment) -> Result<Board, &'static str> {
        let board = match (self, attachment) {
            (Self::Arm64, _) => virt(attachment)?,
            // The build is for an i440FX.
            (Self::X64, Attachment::VirtioBlk) => Board {
                model: Model::I440fx,
                has_smm: false,
                ..pc(attachment)
            },
            (Self::X64, _) => {
                return Err("this build looks for EFI programs only on virtio disks");
            }
        };
        Ok(Board {
            // It counts two seconds before it boots.
            idle_time_passes_at_once: true,
            ..board
        })
    }

    fn why_cold(&self, _attachment: Attachment) -> Option<&'static str> {
        Some("U-Boot runs nothing before it boots that could stop a machine for a checkpoint")
    }

    fn understand(&self, line: &str) -> Option<(Said, String)> {
        let (said, canonical) = understand(line)?;
        Some((said, canonical.written(self.loader().unwrap_or_default())))
    }

    fn prompt(&self) -> Option<&'static str> {
        Some("\n=> ")
    }

    fn first_look(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn start_of_output(&self, text: &str) -> Option<usize> {
        let mut end = text.len();
        text.split_inclusive('\n').rev().find_map(|line| {
            let after = end;
            end -= line.len();
            matches!(understand(line.trim()), Some((Said::Entered, _))).then_some(after)
        })
    }
}

/// What U-Boot does, whichever way it boots.
///
/// Up to 2023.01 a script does (`include/config_distro_bootcmd.h`), later the standard boot (`boot/bootflow.c`), which may leave it to UEFI's boot manager
/// (`lib/efi_loader/efi_bootmgr.c`). They look for the same program, have other words for it and not for the same steps: what one of them passes over in silence is
/// not part of what is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step<'a> {
    /// It turned to a drive of this kind.
    Drive(&'a str),
    /// It starts this program from removable media.
    Program(&'a str),
    /// It starts what it looks for on a drive of this kind: the loader of removable media.
    Default(&'a str),
    /// What it says in the same words in every version.
    Words(&'a str),
}

impl Step<'_> {
    /// A line for each thing.
    fn written(&self, loader: &str) -> String {
        match self {
            Self::Drive(drive) => format!("trying {drive}"),
            Self::Program(path) => {
                let path = path.trim_start_matches(['/', '\\']).replace('/', "\\");
                format!("starting \\{}", path.to_ascii_uppercase())
            }
            Self::Default(drive) => {
                format!("trying {drive}\nstarting \\EFI\\BOOT\\{loader}")
            }
            Self::Words(words) => (*words).to_owned(),
        }
    }
}

/// The kind of a drive in `virtio 0:1...`, `virtio 0` and `virtio-blk#0.bootdev`; nothing for what is no drive, such as `fw-cfg@9020000.bootdev`.
fn drive(text: &str) -> Option<&'static str> {
    [
        ("virtio", "virtio"),
        ("usb", "usb"),
        ("scsi", "scsi"),
        ("ide", "ide"),
        ("ahci", "scsi"),
        ("nvme", "nvme"),
        ("mmc", "mmc"),
    ]
    .into_iter()
    .find_map(|(begins, drive)| text.starts_with(begins).then_some(drive))
}

/// `Scanning virtio 0:1...`, `** No partition table - virtio 0 **`, `Scanning bootdev 'virtio-blk#0.bootdev':`, `Loading Boot0000 'virtio 0' failed`.
///
/// A build for x86 puts the name of the function before a line: `efi_run_image() Booting /\EFI\BOOT\BOOTX64.EFI`.
fn understand(line: &str) -> Option<(Said, Step<'_>)> {
    let is_name = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let line = match line.split_once("() ") {
        Some((function, said)) if is_name(function) => said,
        _ => line,
    };
    let failed = || Said::Failed {
        code: line.split_once("r = ").map(|(_, code)| code.to_owned()),
        text: line.to_owned(),
    };
    if let Some(path) = line.strip_prefix("Booting /") {
        return Some((Said::Entered, Step::Program(path)));
    }
    if let Some(label) = line.strip_prefix("Booting: ") {
        return Some((Said::Entered, Step::Default(drive(label)?)));
    }
    if line.starts_with("## Application failed") {
        return Some((failed(), Step::Words(line)));
    }
    if let Some(rest) = line.strip_prefix("** No partition table - ") {
        return Some((failed(), Step::Drive(drive(rest)?)));
    }
    // What it tries goes on: it has not given up.
    let device = match line.strip_prefix("Scanning ") {
        Some(device) => device.strip_prefix("bootdev '").unwrap_or(device),
        None => {
            let (_, label) = line.strip_prefix("Loading Boot")?.split_once(" '")?;
            label.strip_suffix("' failed")?
        }
    };
    Some((Said::Trying, Step::Drive(drive(device)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firmware::{FirmwareId, words::Words};

    fn heard(firmware: FirmwareId, lines: &[&str]) -> (Vec<Said>, Vec<String>) {
        let mut words = Words::of(firmware);
        let said = lines.iter().filter_map(|line| words.hear(line)).collect();
        (said, words.canonical().to_vec())
    }

    #[test]
    fn every_version_tries_the_drive_and_starts_the_program() {
        let expected = ["trying virtio", r"starting \EFI\BOOT\BOOTX64.EFI"];
        // As U-Boot 2023.01 says.
        let script = [
            "Scanning virtio 0:2...",
            "No EFI system partition",
            "BootOrder not defined",
            "EFI boot manager: Cannot load any image",
            "Found EFI removable media binary efi/boot/bootx64.efi",
            "5632 bytes read in 7 ms (785.2 KiB/s)",
            r"Booting /efi\boot\bootx64.efi",
        ];
        let (said, canonical) = heard(FirmwareId::UBootX8664, &script);
        assert_eq!(said, [Said::Trying, Said::Entered]);
        assert_eq!(canonical, expected);
        // As U-Boot 2025.01 says.
        let standard_boot = [
            "Scanning for bootflows in all bootdevs",
            "Scanning global bootmeth 'efi_mgr':",
            "     efi_var_to_file() Cannot persist EFI variables without system partition",
            "Scanning bootdev 'qfw_pio.bootdev':",
            "Scanning bootdev 'virtio-blk#0.bootdev':",
            "  0  efi          ready   virtio       2  virtio-blk#0.bootdev.part /EFI/BOOT/BOOTX64.EFI",
            "** Booting bootflow 'virtio-blk#0.bootdev.part_2' with efi",
            r"       efi_run_image() Booting /\EFI\BOOT\BOOTX64.EFI",
        ];
        let (said, canonical) = heard(FirmwareId::UBootX8664, &standard_boot);
        assert_eq!(said, [Said::Trying, Said::Entered]);
        assert_eq!(canonical, expected);
        // The same for 64-bit Arm, whose boot manager knows the drive already.
        let manager = [
            "Scanning global bootmeth 'efi_mgr':",
            "  0  efi_mgr      ready   (none)       0  <NULL>                    ",
            "** Booting bootflow '<NULL>' with efi_mgr",
            "Booting: virtio 0",
        ];
        let (said, canonical) = heard(FirmwareId::UBootArm64, &manager);
        assert_eq!(said, [Said::Entered]);
        assert_eq!(
            canonical,
            ["trying virtio", r"starting \EFI\BOOT\BOOTAA64.EFI"]
        );
    }

    #[test]
    fn every_version_tries_a_drive_that_it_starts_nothing_from() {
        let (said, none) = heard(
            FirmwareId::UBootArm64,
            &["** No partition table - virtio 0 **", "No ethernet found."],
        );
        assert!(matches!(&said[..], [Said::Failed { code: None, .. }]));
        assert_eq!(none, ["trying virtio"]);
        let (said, none) = heard(
            FirmwareId::UBootArm64,
            &[
                "Loading Boot0000 'virtio 0' failed",
                "EFI boot manager: Cannot load any image",
                "Boot failed (err=-14)",
                "Scanning bootdev 'fw-cfg@9020000.bootdev':",
                "fatal: no kernel available",
                "Scanning bootdev 'virtio-blk#32.bootdev':",
            ],
        );
        assert_eq!(said, [Said::Trying, Said::Trying]);
        assert_eq!(none, ["trying virtio"]);
    }

    #[test]
    fn a_program_that_gives_back_an_error_has_failed() {
        for line in [
            "## Application failed, r = 2",
            "       efi_run_image() ## Application failed, r = 2",
        ] {
            let (said, canonical) = heard(FirmwareId::UBootX8664, &[line]);
            assert!(
                matches!(&said[..], [Said::Failed { code: Some(code), .. }] if code == "2"),
                "{said:?}"
            );
            assert_eq!(canonical, ["## Application failed, r = 2"]);
        }
    }

    #[test]
    fn output_begins_after_the_line_that_names_the_program() {
        for line in [
            r"Booting /efi\boot\bootaa64.efi",
            r"       efi_run_image() Booting /\EFI\BOOT\BOOTX64.EFI",
            "Booting: virtio 0",
        ] {
            let text = format!("=\n{line}\nBM1 0 begin\nBooting: Linux\n");
            let start = UBoot::Arm64.start_of_output(&text);
            let output = start.and_then(|at| text.get(at..));
            assert_eq!(output, Some("BM1 0 begin\nBooting: Linux\n"), "{line}");
        }
        assert_eq!(UBoot::X64.start_of_output("Booting: virtio 0"), Some(17));
        assert_eq!(UBoot::X64.start_of_output("Hit any key\n"), None);
    }
}
