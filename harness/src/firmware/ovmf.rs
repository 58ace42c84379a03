//! OVMF, and EDK2's firmware in general: its words on the serial console.

use super::{
    FirmwareId,
    descriptor::Candidate,
    family::{Family, Places},
    said::Said,
};
use crate::{arch::pc, attachment::Attachment, machine::board::Board};

/// OVMF, as machines and watchers know it.
pub(crate) enum Ovmf {
    /// For x86-64.
    X64,
    /// For 32-bit x86.
    Ia32,
    /// For x86-64, with Secure Boot.
    SecureBoot,
}

impl Family for Ovmf {
    fn name(&self) -> &'static str {
        match self {
            Self::X64 => "OVMF",
            Self::Ia32 => "OVMF for IA-32",
            Self::SecureBoot => "OVMF with Secure Boot",
        }
    }

    fn project(&self) -> &'static str {
        "ovmf"
    }

    fn package(&self) -> &'static str {
        match self {
            Self::X64 | Self::SecureBoot => "ovmf",
            Self::Ia32 => "ovmf-ia32",
        }
    }

    fn loader(&self) -> Option<&'static str> {
        Some(match self {
            Self::X64 | Self::SecureBoot => "BOOTX64.EFI",
            Self::Ia32 => "BOOTIA32.EFI",
        })
    }

    fn find(&self, places: &Places<'_>) -> Option<Candidate> {
        places.described(match self {
            Self::X64 => FirmwareId::Ovmf,
            Self::Ia32 => FirmwareId::OvmfIa32,
            Self::SecureBoot => FirmwareId::OvmfSecureBoot,
        })
    }

    fn board(&self, attachment: Attachment) -> Result<Board, &'static str> {
        Ok(pc(attachment))
    }

    fn why_cold(&self, _attachment: Attachment) -> Option<&'static str> {
        match self {
            Self::X64 | Self::Ia32 => None,
            Self::SecureBoot => Some("the program that stops OVMF for a checkpoint is not signed"),
        }
    }

    fn understand(&self, line: &str) -> Option<(Said, String)> {
        understand(line)
    }

    fn checks_signatures(&self) -> bool {
        matches!(self, Self::SecureBoot)
    }

    fn chooses(&self, line: &str) -> bool {
        line.contains(BOOT_MANAGER)
    }

    fn start_of_output(&self, text: &str) -> Option<usize> {
        let started = text.rmatch_indices("BdsDxe: starting ");
        let mut started = started.map(|(at, _)| {
            let end = text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
            (&text[at..end], end)
        });
        let (_, end) = started.find(|(line, _)| !line.contains(SETUP))?;
        Some(end)
    }
}

/// What begins each line of the boot manager (`MdeModulePkg/Universal/BdsDxe`).
const BOOT_MANAGER: &str = "BdsDxe: ";

/// What OVMF starts when no disc boots, where a shell is built in (`BUILD_SHELL` of `OvmfPkgX64.dsc`). Where none is, it says that there is nothing to boot: to
/// the disc both have done the same, and so both are this word.
const SHELL: &str = "EFI Internal Shell";

/// Its setup, which it starts when a boot option has returned success (`MdeModulePkg/Universal/BdsDxe/BdsEntry.c`, `BootBootOptions`).
const SETUP: &str = "UiApp";

/// EDK2, `OvmfPkg/Library/PlatformBmPrintScLib/StatusCodeHandler.c`, and the exception dump of
/// `UefiCpuPkg/Library/CpuExceptionHandlerLib`.
pub(super) fn understand(line: &str) -> Option<(Said, String)> {
    if let Some(dump) = line.find("!!!! ") {
        let text = line[dump..].trim_matches(['!', ' ']);
        let exception = text.split("  ").next().unwrap_or(text).to_owned();
        return text
            .contains("Exception Type")
            .then(|| (Said::Crashed(exception.clone()), exception));
    }
    // On Arm (`ArmPkg/Library/DefaultExceptionHandlerLib`).
    if let Some((kind, _)) = line.split_once(" Exception at 0x")
        && ["Synchronous", "IRQ", "FIQ", "SError"].contains(&kind)
    {
        let exception = format!("{kind} Exception");
        return Some((Said::Crashed(exception.clone()), exception));
    }
    let (_, rest) = line.split_once(BOOT_MANAGER)?;
    if rest.starts_with("No bootable option") {
        return Some((Said::Nothing(rest.to_owned()), SHELL.to_owned()));
    }
    let (verb, description, rest) = boot_option(rest)?;
    if description == SHELL {
        let said = if verb == "starting" {
            Said::Nothing(description.clone())
        } else {
            Said::Trying
        };
        return Some((said, description));
    }
    let said = match verb {
        "loading" => Said::Trying,
        "starting" => Said::Entered,
        _ => {
            // A device path holds no colon that a space follows.
            let status = rest.rsplit_once(": ").map(|(_, status)| status.trim());
            let text = format!(
                "BdsDxe: {verb} \"{description}\": {}",
                status.unwrap_or("no status")
            );
            let code = status.map(|status| {
                let code = status.split(" -- ").next().unwrap_or(status);
                code.trim().to_owned()
            });
            let said = Said::Failed {
                code,
                text: text.clone(),
            };
            return Some((said, text));
        }
    };
    Some((said, format!("BdsDxe: {verb} \"{description}\"")))
}

/// Splits `loading Boot0001 "UEFI QEMU DVD-ROM QM00005 " from PciRoot(0x0)/…` into its verb, the
/// description made canonical, and what follows the description.
fn boot_option(text: &str) -> Option<(&'static str, String, &str)> {
    let verb = ["loading", "starting", "failed to load", "failed to start"]
        .into_iter()
        .find(|verb| text.starts_with(verb))?;
    let (_, quoted) = text.split_once('"')?;
    let end = quoted.find("\" from ").or_else(|| quoted.rfind('"'))?;
    Some((verb, canonical(&quoted[..end]), &quoted[end + 1..]))
}

/// A description without the parts that name the slot the device is in: an ATA serial number (`QM00005`), a
/// USB serial number (`1-0000:00:02.0-1`).
fn canonical(description: &str) -> String {
    let words: Vec<&str> = description
        .split_whitespace()
        .filter(|word| {
            let ata = word
                .strip_prefix("QM")
                .is_some_and(|n| n.len() == 5 && n.bytes().all(|b| b.is_ascii_digit()));
            let usb = word.contains('-')
                && word.contains(':')
                && word
                    .bytes()
                    .all(|b| b.is_ascii_hexdigit() || matches!(b, b'-' | b':' | b'.'));
            !ata && !usb
        })
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ovmf_descriptions_lose_their_slots() {
        assert_eq!(
            canonical("UEFI QEMU QEMU USB HARDDRIVE 1-0000:00:02.0-1"),
            "UEFI QEMU QEMU USB HARDDRIVE"
        );
        assert_eq!(canonical("UEFI QEMU DVD-ROM QM00005 "), "UEFI QEMU DVD-ROM");
        assert_eq!(canonical("UEFI QEMU QEMU CD-ROM "), "UEFI QEMU QEMU CD-ROM");
    }
}
