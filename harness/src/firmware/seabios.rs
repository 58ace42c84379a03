//! SeaBIOS, for a PC and for microvm: its words on port 0x402, its mirror of the screen on COM1, what it reads.

use std::fs;

use super::{
    descriptor::Candidate,
    family::{Family, Places},
    recognise::seabios_version,
    said::Said,
};
use crate::{
    arch::{microvm, pc},
    attachment::Attachment,
    machine::board::Board,
};

/// SeaBIOS, as a watcher knows it.
pub(crate) enum Seabios {
    /// QEMU's own BIOS, for a PC.
    Pc,
    /// The build for QEMU's machine `microvm`.
    Microvm,
}

impl Family for Seabios {
    fn name(&self) -> &'static str {
        match self {
            Self::Pc => "SeaBIOS",
            Self::Microvm => "SeaBIOS for microvm",
        }
    }

    fn project(&self) -> &'static str {
        "seabios"
    }

    fn package(&self) -> &'static str {
        "seabios"
    }

    fn find(&self, places: &Places<'_>) -> Option<Candidate> {
        let mut folders = places.data.iter();
        match self {
            Self::Pc => folders.find_map(|folder| Candidate::rom(&folder.join("bios-256k.bin"))),
            // Debian's QEMU has a link to qboot of this name, in a folder that comes before SeaBIOS'.
            Self::Microvm => folders.find_map(|folder| {
                let rom = folder.join("bios-microvm.bin");
                seabios_version(&fs::read(&rom).ok()?)?;
                Candidate::rom(&rom)
            }),
        }
    }

    fn missing(&self) -> &'static str {
        match self {
            Self::Pc => "no bios-256k.bin in QEMU's data directories",
            Self::Microvm => "no bios-microvm.bin in QEMU's data directories is SeaBIOS",
        }
    }

    fn version_in(&self, image: &[u8]) -> Option<String> {
        seabios_version(image)
    }

    fn board(&self, attachment: Attachment) -> Result<Board, &'static str> {
        match (self, attachment) {
            (Self::Pc, _) => Ok(pc(attachment)),
            (Self::Microvm, Attachment::VirtioBlk) => Ok(microvm()),
            (Self::Microvm, _) => {
                Err("QEMU's machine microvm has no PCI; its discs are virtio disks")
            }
        }
    }

    fn why_cold(&self, attachment: Attachment) -> Option<&'static str> {
        attachment
            .is_disk()
            .then_some("SeaBIOS asks a disk for its length in its power-on self-test")
    }

    fn understand(&self, line: &str) -> Option<(Said, String)> {
        understand(line)
    }

    fn mirrors_its_screen(&self) -> bool {
        true
    }

    // Builds without a debug port say nowhere that they jump.
    fn may_enter_silently(&self) -> bool {
        true
    }

    fn caught(&self, said: &str) -> Option<String> {
        caught(said)
    }

    fn start_of_output(&self, text: &str) -> Option<usize> {
        // The mirror holds the last character back until the next one comes, so that one of the three dots may be
        // missing, or late.
        let marks = [
            "Booting from DVD/CD..",
            "Booting from Hard Disk..",
            "Booting from Floppy..",
        ];
        let ends = marks
            .iter()
            .filter_map(|mark| text.rfind(mark).map(|at| at + mark.len()));
        ends.max()
    }
}

/// SeaBIOS, `src/boot.c`: `do_boot`, `boot_fail`, `call_boot_entry`.
fn understand(line: &str) -> Option<(Said, String)> {
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

/// So often in a row, an interrupt with the same registers is one that the program does not get past.
const CAUGHT: usize = 256;
/// What it says of an interrupt that it has no use for (`src/output.c`, `__debug_enter`), before the interrupt's number and the registers.
const INTERRUPT: &str = "enter handle_";

/// Where a program raises the same interrupt again and again, and gets no further: the processor's exceptions come on the same vectors as the BIOS's
/// services, and it returns from those that it does not serve to the instruction that raised them.
fn caught(said: &str) -> Option<String> {
    let last = said.rfind(INTERRUPT)?;
    let before = said.get(..last)?;
    let one = before.get(before.rfind(INTERRUPT)?..)?;
    let mut rest = before;
    let mut count = 0;
    while count < CAUGHT
        && let Some(shorter) = rest.strip_suffix(one)
    {
        rest = shorter;
        count += 1;
    }
    let number = one.strip_prefix(INTERRUPT)?.split(':').next()?;
    let register = |name: &str| {
        let value = one.split_whitespace().find_map(|it| it.strip_prefix(name));
        value.map(str::to_ascii_uppercase)
    };
    let (segment, offset) = (register("cs=")?, register("ip=")?);
    (count == CAUGHT)
        .then(|| format!("it raises interrupt {number}h at {segment}:{offset} again and again"))
}

/// `7000:c000`
pub(crate) fn is_address(text: &str) -> bool {
    text.split_once(':').is_some_and(|(segment, offset)| {
        [segment, offset]
            .iter()
            .all(|part| part.len() == 4 && part.bytes().all(|b| b.is_ascii_hexdigit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_registers_again_and_again_are_caught() {
        let one = |offset: u32| {
            format!(
                "enter handle_05:\n   a=00000000  b=00000007  c=0000000e  d=000000e0 ds=0000 es=0000 ss=d980\n  \
                 si=00007c30 di=00000000 bp=00007c00 sp=0000fcce cs=0000 ip={offset:04x}  f=0286\n"
            )
        };
        let again = one(0x664D).repeat(CAUGHT);
        let before = "Booting from 0000:7c00\n";
        // The last one may be half there.
        let said = format!("{before}{again}{}", &one(0x664D)[..40]);
        assert_eq!(
            caught(&said).as_deref(),
            Some("it raises interrupt 05h at 0000:664D again and again")
        );
        let goes_on = format!("{said}\n{}{0}", one(0x664E));
        assert_eq!(caught(&goes_on), None);
        assert_eq!(caught(before), None);
        let few = format!("{before}{}", one(0x664D).repeat(CAUGHT - 1));
        assert_eq!(caught(&few), None);
        let others: String = (0..1000).map(one).collect();
        assert_eq!(caught(&others), None);
    }
}
