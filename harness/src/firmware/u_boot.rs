//! U-Boot, whose EFI loader starts programs from removable media: its words on the serial console.

use std::time::Duration;

use super::{
    descriptor::Candidate,
    family::{Family, Places},
    words::Said,
};
use crate::{
    arch::{Architecture, pc, virt},
    attachment::Attachment,
    machine::board::Board,
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
                machine: pc(Attachment::Ide).machine,
                has_smm: false,
                ..pc(attachment)
            },
            (Self::X64, _) => {
                return Err("this build looks for EFI programs on virtio disks alone");
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
        understand(line)
    }

    fn prompt(&self) -> Option<&'static str> {
        Some("\n=> ")
    }

    fn first_look(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn start_of_output(&self, text: &str) -> Option<usize> {
        let line = text.rfind(ENTERED)?;
        let end = text.get(line..)?.find('\n');
        Some(end.map_or(text.len(), |end| line + end + 1))
    }
}

const ENTERED: &str = "Booting /";

/// U-Boot, `include/config_distro_bootcmd.h`, `disk/part.c` and `cmd/bootefi.c`.
fn understand(line: &str) -> Option<(Said, String)> {
    let tried = [
        "Scanning ",
        "Found EFI removable media binary ",
        // Said before it looks for the loader of removable media.
        "EFI boot manager: Cannot load any image",
    ];
    let failed = ["** No partition table", "## Application failed"];
    let begins = |marks: &[&str]| marks.iter().any(|mark| line.starts_with(mark));
    let said = if line.starts_with(ENTERED) {
        Said::Entered
    } else if begins(&failed) {
        let code = line.split_once("r = ").map(|(_, code)| code.to_owned());
        Said::Failed {
            code,
            text: line.to_owned(),
        }
    } else if begins(&tried) {
        Said::Trying
    } else {
        return None;
    };
    Some((said, line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firmware::{FirmwareId, words::Words};

    // As U-Boot 2023.01 says.
    #[test]
    fn it_looks_for_a_table_and_then_for_a_loader() {
        let mut words = Words::of(FirmwareId::UBootArm64);
        let hear = |words: &mut Words, line: &str| words.hear(line);
        assert_eq!(
            hear(&mut words, "Scanning virtio 0:1..."),
            Some(Said::Trying)
        );
        let entered = r"Booting /efi\boot\bootaa64.efi";
        assert_eq!(hear(&mut words, entered), Some(Said::Entered));
        let returned = hear(&mut words, "## Application failed, r = 2");
        assert!(matches!(returned, Some(Said::Failed { code: Some(code), .. }) if code == "2"));
        let none = hear(&mut words, "** No partition table - virtio 0 **");
        assert!(matches!(none, Some(Said::Failed { code: None, .. })));
        assert_eq!(hear(&mut words, "No ethernet found."), None);
        let text = "Booting /efi\\boot\\bootaa64.efi\nBM1 0 begin";
        let start = UBoot::Arm64.start_of_output(text);
        assert_eq!(start.and_then(|at| text.get(at..)), Some("BM1 0 begin"));
    }
}
