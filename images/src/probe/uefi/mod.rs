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

use super::{AssembleError, ProbePlan, table};
use crate::{boot::Loader, portable_executable::portable_executable};

/// The device's block size is below 512 or above 4096 bytes.
pub const ERROR_BLOCK_SIZE: u8 = 0xF3;

/// Where the firmware looks for the loader on removable media (UEFI §3.5.1.1), as the probe reports it.
pub const LOADER_PATH: &str = "\\EFI\\BOOT\\BOOTX64.EFI";

const DATA_BYTES: u32 = variable::BUFFER + variable::BUFFER_BYTES;

/// Offsets in `.data`, which R15 points to. What the plan says stands at its start.
mod variable {
    /// The plan's constants end before this.
    pub(super) const TABLE_END: usize = 0x0800;

    pub(super) const IMAGE_HANDLE: u32 = 0x0800;
    pub(super) const BOOT_SERVICES: u32 = 0x0808;
    pub(super) const DEVICE_HANDLE: u32 = 0x0810;
    /// Where a service puts the interface that it found.
    pub(super) const INTERFACE: u32 = 0x0818;
    /// The block I/O interface and its media; only read when `BLOCK_STATUS` is 0.
    pub(super) const BLOCK_IO: u32 = 0x0820;
    pub(super) const MEDIA: u32 = 0x0828;
    pub(super) const BLOCK_STATUS: u32 = 0x0830;
    /// The first virtual sector in the buffer, and how many stand there.
    pub(super) const BUFFERED: u32 = 0x0838;
    pub(super) const BUFFERED_COUNT: u32 = 0x083C;
    /// The next line's number.
    pub(super) const SEQUENCE: u32 = 0x0840;
    /// Whether lines go to the debug port too.
    pub(super) const TO_DEBUG_PORT: u32 = 0x0844;
    /// How many sectors one read may bring, a power of two.
    pub(super) const RUN: u32 = 0x0850;
    /// How much a file's read was asked for and brought.
    pub(super) const READ_BYTES: u32 = 0x0848;
    /// What the last read brought, laid out as in `found`.
    pub(super) const FOUND: u32 = 0x0880;
    /// The same for the first bad sector of a sweep.
    pub(super) const FOUND_BAD: u32 = 0x08C0;
    /// What only the program for other processors has: the system table, the end of the line, the processor's flags, and its own.
    pub(super) const SYSTEM_TABLE: u32 = 0x0858;
    pub(super) const END: u32 = 0x0860;
    pub(super) const FLAGS: u32 = 0x0868;
    pub(super) const OWN: u32 = 0x0900;
    /// Its constants.
    pub(super) const CONSTANTS: u32 = 0x0A20;
    /// The line under construction.
    pub(super) const LINE: u32 = 0x1000;
    /// What was read; on a page, so aligned for any device.
    pub(super) const BUFFER: u32 = 0x2000;
    /// A call takes some drivers longer than what it reads (`AhciMode.c` clears a megabyte for each): few and large.
    pub(super) const BUFFER_BYTES: u32 = 0x4_0000;
}

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
    portable_executable(&table, DATA_BYTES, &program::assemble(plan)?)
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
