//! The UEFI probe: an application for `\EFI\BOOT\BOOTX64.EFI`.
//!
//! It reads its image back through the block I/O of the device that it was loaded from, and its own
//! file through the simple file system. Nothing of the firmware's console is used: COM1 and port 402h
//! are written directly, as the BIOS probe does.
//!
//! Codes in lines are the low byte of an `EFI_STATUS`, or the probe's own: F3, a block size that the
//! probe cannot read (below 512, above 4096).

mod blocks;
mod line;
mod portable;
mod program;
mod variable;

pub use self::{blocks::ERROR_BLOCK_SIZE, program::LOADER_PATH};
use super::{AssembleError, ProbePlan, table};
use crate::{boot::Loader, portable_executable::portable_executable};

/// An EFI application for the processor that runs such a loader. As [`application`].
///
/// # Errors
/// As [`application`].
pub fn application_for(plan: &ProbePlan, loader: Loader) -> Result<Vec<u8>, AssembleError> {
    match loader {
        Loader::X64 => application(plan),
        Loader::Ia32 | Loader::Aa64 => portable::application(plan, loader),
    }
}

/// A PE32+ EFI application for x86-64. Its length depends only on the number of checks, the slot and
/// whether the plan sweeps.
///
/// # Errors
/// [`AssembleError::Plan`] when a check's name is not plain, there are too many, or a number needs
/// more than 32 bits.
pub fn application(plan: &ProbePlan) -> Result<Vec<u8>, AssembleError> {
    let table = table::encode(plan)?;
    if table.len() > variable::TABLE_END {
        return Err(AssembleError::TooLarge {
            part: "the plan",
            bytes: table.len(),
            max: variable::TABLE_END,
        });
    }
    portable_executable(&table, variable::DATA_BYTES, &program::assemble(plan)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::{Check, DiscHash},
        units::{VirtualSector, VirtualSectorCount},
    };

    pub(super) fn plan(checks: usize, image: u64) -> ProbePlan {
        ProbePlan {
            disc: DiscHash::of_id("a/cd-74/efi/-/reference"),
            slot: 1,
            image: VirtualSectorCount::new(image),
            structured: VirtualSectorCount::new(image.saturating_sub(2)),
            checks: (0..checks)
                .map(|n| Check {
                    name: format!("spread-{n}"),
                    sector: VirtualSector::new(image - 1),
                })
                .collect(),
            sweep: true,
        }
    }

    #[test]
    fn the_headers_say_what_a_uefi_loader_asks() {
        // Offsets of the PE format's specification: e_lfanew, file header, PE32+ optional header.
        let bytes = application(&plan(3, 2880)).unwrap();
        let u16_at = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let header = usize::from(u16_at(0x3C));
        assert_eq!(&bytes[..2], b"MZ");
        assert_eq!(&bytes[header..header + 4], b"PE\0\0");
        assert_eq!(u16_at(header + 4), 0x8664, "machine: x86-64");
        assert_eq!(u16_at(header + 22) & 0x0003, 2, "executable, relocatable");
        assert_eq!(u16_at(header + 24), 0x020B, "PE32+");
        assert_eq!(u16_at(header + 24 + 68), 10, "subsystem: EFI application");
    }

    #[test]
    fn the_length_depends_on_the_number_of_checks_alone() {
        for checks in [0, 1, 64] {
            let small = application(&plan(checks, 2)).unwrap();
            let large = application(&plan(checks, 0xFFFF_FFFE)).unwrap();
            assert_eq!(small.len(), large.len());
        }
        assert!(application(&plan(65, 2880)).is_err());
    }
}
