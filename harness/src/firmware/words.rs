//! A firmware's words about booting, line by line.

use super::{FirmwareId, family::Family, said::Said};

/// Understands a firmware's lines one by one, and keeps the canonical form of those about booting.
#[derive(Clone, Debug)]
pub struct Words {
    family: &'static dyn Family,
    canonical: Vec<String>,
}

impl Words {
    /// Those of a firmware that has said nothing yet.
    #[must_use]
    pub fn of(firmware: FirmwareId) -> Self {
        Self::new(firmware.family())
    }

    /// The same of a family.
    pub(crate) const fn new(family: &'static dyn Family) -> Self {
        Self {
            family,
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
        let (said, canonical) = self.family.understand(line.trim())?;
        for canonical in canonical.lines() {
            if self.canonical.last().is_none_or(|last| last != canonical) {
                self.canonical.push(canonical.to_owned());
            }
        }
        Some(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(firmware: FirmwareId, lines: &[&str]) -> (Vec<Said>, Vec<String>) {
        let mut words = Words::of(firmware);
        let said = lines.iter().filter_map(|line| words.hear(line)).collect();
        (said, words.canonical)
    }

    // As SeaBIOS 1.16.2 says on port 0x402.
    #[test]
    fn seabios_refuses_with_a_code() {
        let (said, words) = hear(
            FirmwareId::Seabios,
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
        let (said, _) = hear(FirmwareId::Seabios, &["Booting from 7000:c000"]);
        assert_eq!(said, [Said::Entered]);
    }

    // As OVMF 2022.11 says on the serial console.
    #[test]
    fn ovmf_falls_into_its_shell() {
        let (said, words) = hear(
            FirmwareId::Ovmf,
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
        let (said, words) = hear(FirmwareId::Ovmf, &[&format!("BdsDxe: {nothing}")]);
        assert_eq!(said, [Said::Nothing(nothing.into())]);
        assert_eq!(words, ["EFI Internal Shell"]);
    }

    #[test]
    fn ovmf_crashes_with_a_dump() {
        let (said, _) = hear(
            FirmwareId::Ovmf,
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
            FirmwareId::Ovmf,
            &[
                r#"BdsDxe: failed to load Boot0001 "UEFI QEMU DVD-ROM QM00005 " from PciRoot(0x0)/Sata(0x2): Access Denied -- rejected probably by Secure Boot"#,
            ],
        );
        assert!(
            matches!(&said[0], Said::Failed { code: Some(code), .. } if code == "Access Denied")
        );
    }
}
