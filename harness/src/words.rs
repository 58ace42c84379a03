//! What firmware says about booting: understood, and made canonical.

use crate::firmware::FirmwareKind;

/// One thing a firmware said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It turned to a device or boot option (SeaBIOS `Booting from DVD/CD...`, OVMF `loading`).
    Trying,
    /// It jumped into a boot image.
    Entered,
    /// It gave up on an option; with its code or status where it gave one.
    Failed {
        /// `0009`, `Not Found`.
        code: Option<String>,
        /// Its words.
        text: String,
    },
    /// It has nothing left to boot. Its words.
    Nothing(String),
    /// It crashed. Its words.
    Crashed(String),
}

/// Understands a firmware's lines one by one, and keeps the canonical form of those about booting.
#[derive(Clone, Debug)]
pub struct Words {
    kind: FirmwareKind,
    canonical: Vec<String>,
}

impl Words {
    /// Those of a firmware that has said nothing yet.
    #[must_use]
    pub const fn new(kind: FirmwareKind) -> Self {
        Self {
            kind,
            canonical: Vec::new(),
        }
    }

    /// The lines so far: no serial numbers, device paths or option numbers, and none twice in a row.
    #[must_use]
    pub fn canonical(&self) -> &[String] {
        &self.canonical
    }

    /// Takes one line.
    pub fn hear(&mut self, line: &str) -> Option<Said> {
        let (said, canonical) = match self.kind {
            FirmwareKind::Bios => seabios(line.trim())?,
            FirmwareKind::Uefi => ovmf(line.trim())?,
        };
        if self.canonical.last() != Some(&canonical) {
            self.canonical.push(canonical);
        }
        Some(said)
    }
}

/// SeaBIOS, `src/boot.c`: `do_boot`, `boot_fail`, `call_boot_entry`.
fn seabios(line: &str) -> Option<(Said, String)> {
    let said = if let Some(reason) = line.strip_prefix("Boot failed") {
        let code = reason
            .split_once("(code ")
            .and_then(|(_, code)| code.split_once(')'))
            .map(|(code, _)| code.to_owned());
        Said::Failed {
            code,
            text: line.to_owned(),
        }
    } else if line.starts_with("No bootable device.") {
        Said::Nothing(line.to_owned())
    } else if let Some(target) = line.strip_prefix("Booting from ") {
        if is_address(target) {
            Said::Entered
        } else {
            Said::Trying
        }
    } else {
        return None;
    };
    Some((said, line.to_owned()))
}

/// `7000:c000`
fn is_address(text: &str) -> bool {
    text.split_once(':').is_some_and(|(segment, offset)| {
        [segment, offset]
            .iter()
            .all(|part| part.len() == 4 && part.bytes().all(|b| b.is_ascii_hexdigit()))
    })
}

/// What OVMF starts when no disc boots, where a shell is built in (`BUILD_SHELL` of `OvmfPkgX64.dsc`). Where none is, it says that there is nothing to boot: to
/// the disc both have done the same, and so both are this word.
const SHELL: &str = "EFI Internal Shell";

/// EDK2, `OvmfPkg/Library/PlatformBmPrintScLib/StatusCodeHandler.c`, and the exception dump of
/// `UefiCpuPkg/Library/CpuExceptionHandlerLib`.
fn ovmf(line: &str) -> Option<(Said, String)> {
    if let Some(dump) = line.find("!!!! ") {
        let text = line[dump..].trim_matches(['!', ' ']);
        let exception = text.split("  ").next().unwrap_or(text).to_owned();
        return text
            .contains("Exception Type")
            .then(|| (Said::Crashed(exception.clone()), exception));
    }
    let (_, rest) = line.split_once("BdsDxe: ")?;
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

    fn hear(kind: FirmwareKind, lines: &[&str]) -> (Vec<Said>, Vec<String>) {
        let mut words = Words::new(kind);
        let said = lines.iter().filter_map(|line| words.hear(line)).collect();
        (said, words.canonical)
    }

    // As SeaBIOS 1.16.2 says on port 0x402.
    #[test]
    fn seabios_refuses_with_a_code() {
        let (said, words) = hear(
            FirmwareKind::Bios,
            &[
                "drive 0x000f5a20: PCHS=0/0/0 translation=none LCHS=0/0/0 s=0",
                "Booting from DVD/CD...",
                "Boot failed: Could not read from CDROM (code 0009)",
                "enter handle_18:",
                "  NULL",
                "No bootable device.",
            ],
        );
        let failed = "Boot failed: Could not read from CDROM (code 0009)".to_owned();
        assert_eq!(
            said,
            [
                Said::Trying,
                Said::Failed {
                    code: Some("0009".into()),
                    text: failed.clone()
                },
                Said::Nothing("No bootable device.".into())
            ]
        );
        assert_eq!(
            words,
            [
                "Booting from DVD/CD...".to_owned(),
                failed,
                "No bootable device.".into()
            ]
        );
    }

    #[test]
    fn seabios_names_the_entry_point() {
        let (said, _) = hear(FirmwareKind::Bios, &["Booting from 7000:c000"]);
        assert_eq!(said, [Said::Entered]);
    }

    // As OVMF 2022.11 says on the serial console.
    #[test]
    fn ovmf_falls_into_its_shell() {
        let (said, words) = hear(
            FirmwareKind::Uefi,
            &[
                r#"BdsDxe: failed to load Boot0001 "UEFI QEMU DVD-ROM QM00011 " from PciRoot(0x0)/Pci(0x1F,0x2)/Sata(0x5,0xFFFF,0x0): Not Found"#,
                r#"BdsDxe: loading Boot0002 "EFI Internal Shell" from Fv(7CB8BDC9-F8EB-4F34-AAEA-3EE4AF6516A1)/FvFile(7C04A583)"#,
                r#"BdsDxe: starting Boot0002 "EFI Internal Shell" from Fv(7CB8BDC9-F8EB-4F34-AAEA-3EE4AF6516A1)/FvFile(7C04A583)"#,
            ],
        );
        let failed = r#"BdsDxe: failed to load "UEFI QEMU DVD-ROM": Not Found"#.to_owned();
        assert_eq!(
            said,
            [
                Said::Failed {
                    code: Some("Not Found".into()),
                    text: failed.clone()
                },
                Said::Trying,
                Said::Nothing("EFI Internal Shell".into())
            ]
        );
        assert_eq!(words, [failed, "EFI Internal Shell".into()]);
    }

    // As OVMF 2026.08 of Debian says, in which there is no shell.
    #[test]
    fn ovmf_without_a_shell_has_done_the_same_to_the_disc() {
        let nothing = "No bootable option or device was found.";
        let (said, words) = hear(FirmwareKind::Uefi, &[&format!("BdsDxe: {nothing}")]);
        assert_eq!(said, [Said::Nothing(nothing.into())]);
        assert_eq!(words, ["EFI Internal Shell"]);
    }

    #[test]
    fn ovmf_descriptions_lose_their_slots() {
        assert_eq!(
            canonical("UEFI QEMU QEMU USB HARDDRIVE 1-0000:00:02.0-1"),
            "UEFI QEMU QEMU USB HARDDRIVE"
        );
        assert_eq!(canonical("UEFI QEMU DVD-ROM QM00005 "), "UEFI QEMU DVD-ROM");
        assert_eq!(canonical("UEFI QEMU QEMU CD-ROM "), "UEFI QEMU QEMU CD-ROM");
    }

    #[test]
    fn ovmf_crashes_with_a_dump() {
        let (said, _) = hear(
            FirmwareKind::Uefi,
            &[
                "!!!! X64 Exception Type - 0D(#GP - General Protection)  CPU Apic ID - 00000000 !!!!",
            ],
        );
        assert_eq!(
            said,
            [Said::Crashed(
                "X64 Exception Type - 0D(#GP - General Protection)".into()
            )]
        );
    }

    #[test]
    fn secure_boot_is_no_part_of_the_status() {
        let (said, _) = hear(
            FirmwareKind::Uefi,
            &[
                r#"BdsDxe: failed to load Boot0001 "UEFI QEMU DVD-ROM QM00005 " from PciRoot(0x0)/Sata(0x2): Access Denied -- rejected probably by Secure Boot"#,
            ],
        );
        assert!(
            matches!(&said[0], Said::Failed { code: Some(code), .. } if code == "Access Denied")
        );
    }
}
