//! rombios: Bochs' BIOS, and the ancestor of VirtualBox's. Its words on port 0x402, its ISA machine.

use super::{
    descriptor::Candidate,
    family::{Family, Places},
    said::Said,
    seabios::is_address,
};
use crate::{arch::isa_pc, attachment::Attachment, machine::board::Board};

/// rombios, as machines and watchers know it.
pub(crate) struct Rombios;

impl Family for Rombios {
    fn name(&self) -> &'static str {
        "rombios"
    }

    fn project(&self) -> &'static str {
        "bochs"
    }

    fn package(&self) -> &'static str {
        "bochsbios"
    }

    fn find(&self, places: &Places<'_>) -> Option<Candidate> {
        places.rom("usr/share/bochs/BIOS-bochs-latest")
    }

    fn missing(&self) -> &'static str {
        "no /usr/share/bochs/BIOS-bochs-latest"
    }

    fn board(&self, attachment: Attachment) -> Result<Board, &'static str> {
        match attachment {
            Attachment::Ide => Ok(isa_pc()),
            _ => Err("it boots only on QEMU's ISA machine, which has IDE drives and no PCI"),
        }
    }

    fn why_cold(&self, _attachment: Attachment) -> Option<&'static str> {
        None
    }

    fn understand(&self, line: &str) -> Option<(Said, String)> {
        understand(line)
    }

    // It writes nothing there.
    fn start_of_output(&self, _text: &str) -> Option<usize> {
        Some(0)
    }
}

/// Bochs, `bios/rombios.c`: `int19_function`, `print_cdromboot_failure`, `int18_handler`.
fn understand(line: &str) -> Option<(Said, String)> {
    let said = if let Some(code) = line.strip_prefix("CDROM boot failure code : ") {
        Said::Failed {
            code: Some(code.to_owned()),
            text: line.to_owned(),
        }
    } else if line.starts_with("No bootable device.") {
        Said::Nothing(line.to_owned())
    } else if line.strip_prefix("Booting from ").is_some_and(is_address) {
        Said::Entered
    } else {
        return None;
    };
    Some((said, line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firmware::{FirmwareId, words::Words};

    // As rombios of bochsbios 2.7 says on port 0x402.
    #[test]
    fn it_refuses_with_a_code_and_names_the_entry_point() {
        let mut words = Words::of(FirmwareId::Rombios);
        let said: Vec<Said> = [
            "bios_table_cur_addr: 0x000f9d98",
            "IDE time out",
            "CDROM boot failure code : 000c",
            "No bootable device.",
        ]
        .iter()
        .filter_map(|line| words.hear(line))
        .collect();
        let failed = "CDROM boot failure code : 000c".to_owned();
        assert_eq!(
            said,
            [
                Said::Failed {
                    code: Some("000c".into()),
                    text: failed.clone()
                },
                Said::Nothing("No bootable device.".into())
            ]
        );
        assert_eq!(words.canonical(), [failed, "No bootable device.".into()]);
        assert_eq!(words.hear("Booting from 07c0:0000"), Some(Said::Entered));
        assert_eq!(words.hear("int13_cdrom: unsupported AH=08"), None);
    }
}
