//! The 16-bit real-mode probe: two stages for a PC BIOS.
//!
//! Stage 1 stands in the image's first sector, at whatever address the firmware loads it. It finds
//! out where it is, keeps what the firmware gave it, and reads stage 2 from the image into low memory
//! through the very interrupt that stage 2 will test. Neither writes at or above 7C00h before stage 2
//! has compared what the firmware had loaded there.
//!
//! | linear address | content |
//! |---|---|
//! | 0600–4FFF | stage 2: a jump, the constants of the plan, code |
//! | 5000–57FF | up to four sectors or one block, as read |
//! | 5800–583F | the specification packet and the disk address packet |
//! | 5900–5CFF | the line under construction |
//! | 5E00–5EFF | variables of both stages |
//! | –6FFF | the stack, downwards |
//! | 7C00– | the image, as loaded by the firmware; a load segment below 07C0 is not supported |
//! | 8000–BFFF | sectors as read by a sweep, once `loaded` is known |
//!
//! Code and data lie in different 4096-byte pages: an emulator that translates code looks at every write
//! to a page that it translated from, which made a sweep several times slower.
//!
//! Where a code of the firmware (`AH` of INT 13h) stands in a line, these are the probe's own:
//!
//! | code | meaning |
//! |---|---|
//! | F0 | the sector cannot be addressed: its cylinder is past 1,023 |
//! | F1 | the firmware reports a geometry of 0 sectors per track |
//! | F2 | AH=41h came back without the signature AA55h |

mod disk;
mod examine;
mod line;
mod stage1;
mod stage2;

use iced_x86::{
    BlockEncoderOptions,
    code_asm::{CodeAssembler, CodeLabel},
};

use super::{AssembleError, ProbePlan, table};
use crate::units::{VIRTUAL_SECTOR_BYTES, VirtualSector};

/// Bytes of code that fit before a master boot record's disk signature and partition table.
pub const STAGE1_BYTES_MAX: usize = 440;

/// The sector cannot be addressed by cylinder, head and sector: its cylinder is past 1,023.
pub const ERROR_BEYOND_CHS: u8 = 0xF0;
/// The firmware reports a geometry of 0 sectors per track.
pub const ERROR_NO_GEOMETRY: u8 = 0xF1;
/// INT 13h AH=41h came back without its signature AA55h.
pub const ERROR_NO_SIGNATURE: u8 = 0xF2;

/// How the image is read back on the drive that the firmware booted (`DL`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drive {
    /// A floppy or hard disk that the firmware emulates: cylinder, head and sector (INT 13h AH=02h).
    Emulated,
    /// The CD drive itself: extended reads of 2048-byte blocks (INT 13h AH=42h), from the load RBA that
    /// the specification packet (AX=4B01h) names.
    NoEmulation,
    /// A disk whose first sector was booted: extended reads of 512-byte sectors (INT 13h AH=42h). The image under
    /// test begins at this sector of it.
    Disk(VirtualSector),
}

const STAGE2_AT: u16 = 0x0600;
/// Where the plan's constants stand: behind the jump at stage 2's start.
const TABLE: u16 = STAGE2_AT + 4;
const BUFFER: u16 = 0x5000;
/// As many sectors as fit at [`BUFFER`].
const RUN: u32 = 4;
const LONG_BUFFER: u16 = 0x8000;
/// As many sectors as fit at [`LONG_BUFFER`]. A power of two.
const LONG_RUN: u32 = 32;
const STAGE2_BYTES_MAX: usize = (BUFFER - STAGE2_AT) as usize;
const PACKET: u16 = 0x5800;
const PACKET_BYTES: u16 = 0x13;
const ADDRESS_PACKET: u16 = 0x5820;
const LINE: u16 = 0x5900;
const STACK_TOP: u16 = 0x7000;

/// Variables. The first three pass from stage 1 to stage 2.
mod variable {
    pub(super) const DRIVE: u16 = 0x5E00;
    pub(super) const ENTRY_CS: u16 = 0x5E02;
    pub(super) const ENTRY_IP: u16 = 0x5E04;
    /// `AH` of the last failed call.
    pub(super) const ERROR: u16 = 0x5E06;
    pub(super) const SECTORS_PER_TRACK: u16 = 0x5E08;
    pub(super) const HEADS: u16 = 0x5E0A;
    /// Where the image begins, counted in the drive's own sectors.
    pub(super) const IMAGE_AT: u16 = 0x5E0C;
    /// The first virtual sector in the buffer, and how many stand there.
    pub(super) const BUFFERED: u16 = 0x5E10;
    pub(super) const BUFFERED_COUNT: u16 = 0x5E14;
    /// How many sectors one read may bring, a power of two, and where to.
    pub(super) const RUN: u16 = 0x5E18;
    pub(super) const BUFFER_AT: u16 = 0x5E1A;
    /// The next line's number.
    pub(super) const SEQUENCE: u16 = 0x5E1C;
    /// Whether lines go to the debug port too.
    pub(super) const TO_DEBUG_PORT: u16 = 0x5E20;
    /// Linear address of the image's first byte in memory.
    pub(super) const LOADED_AT: u16 = 0x5E24;
    /// How many virtual sectors were found loaded.
    pub(super) const LOADED: u16 = 0x5E28;
    pub(super) const INTACT: u16 = 0x5E2C;
    pub(super) const FIRST_BAD: u16 = 0x5E30;
    /// What the last read brought; laid out as in `found`.
    pub(super) const FOUND: u16 = 0x5E40;
    /// The same for the first bad sector of a sweep.
    pub(super) const FOUND_BAD: u16 = 0x5E60;
}

const NOTHING: u32 = u32::MAX;

/// Code for the image's first sector, to be copied there at `offset`: 0 for a hard disk or no
/// emulation, 62 behind the parameter block of a FAT12 floppy (the caller puts `EB 3C 90` at 0).
///
/// It loads `stage2_sectors` virtual sectors from `stage2_at` on, both counted in its own image; that of
/// [`Drive::Disk`] is the disk from the sector given. When
/// it cannot, it says `BM1! stage1 <AH>` on COM1 and port 402h and halts.
///
/// # Errors
/// [`AssembleError::Plan`] when `stage2_at` needs more than 32 bits, [`AssembleError::TooLarge`] when
/// stage 2 is longer than the memory it runs in.
pub fn stage1(
    drive: Drive,
    offset: u16,
    stage2_at: VirtualSector,
    stage2_sectors: u16,
) -> Result<Vec<u8>, AssembleError> {
    let bytes = usize::from(stage2_sectors) * VIRTUAL_SECTOR_BYTES as usize;
    fits("stage 2", bytes, STAGE2_BYTES_MAX)?;
    let code = stage1::assemble(
        drive,
        offset,
        table::sector_number(stage2_at)?,
        stage2_sectors,
    )?;
    fits("stage 1", code.len(), STAGE1_BYTES_MAX)?;
    Ok(code)
}

/// The second stage, padded with zeros to whole virtual sectors. Its length depends only on `drive`,
/// the number of checks, the slot and whether the plan sweeps.
///
/// # Errors
/// [`AssembleError::Plan`] when a check's name is not plain or a number needs more than 32 bits,
/// [`AssembleError::TooLarge`] when there are too many checks.
pub fn stage2(drive: Drive, plan: &ProbePlan) -> Result<Vec<u8>, AssembleError> {
    let mut code = stage2::assemble(drive, plan)?;
    let sector = VIRTUAL_SECTOR_BYTES as usize;
    code.resize(code.len().next_multiple_of(sector), 0);
    fits("stage 2", code.len(), STAGE2_BYTES_MAX)?;
    Ok(code)
}

fn fits(part: &'static str, bytes: usize, max: usize) -> Result<(), AssembleError> {
    if bytes <= max {
        Ok(())
    } else {
        Err(AssembleError::TooLarge { part, bytes, max })
    }
}

/// Where `label` came to stand.
fn offset_of(a: &mut CodeAssembler, label: &CodeLabel) -> Result<u64, AssembleError> {
    let result = a.assemble_options(0, BlockEncoderOptions::RETURN_NEW_INSTRUCTION_OFFSETS)?;
    Ok(result.label_ip(label)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::{Check, DiscHash},
        units::VirtualSectorCount,
    };

    fn plan(checks: usize) -> ProbePlan {
        ProbePlan {
            disc: DiscHash::of_id("a/cd-74/none/-/reference"),
            slot: 1,
            image: VirtualSectorCount::new(2880),
            structured: VirtualSectorCount::new(64),
            checks: (0..checks)
                .map(|n| Check {
                    name: format!("spread-{n}"),
                    sector: VirtualSector::new(n as u64),
                })
                .collect(),
            sweep: true,
        }
    }

    #[test]
    fn stage_1_fits_before_a_partition_table_and_behind_a_parameter_block() {
        let (signature, parameter_block) = (510, 62);
        for drive in [
            Drive::Emulated,
            Drive::NoEmulation,
            Drive::Disk(VirtualSector::new(100)),
        ] {
            for offset in [0, parameter_block] {
                let code = stage1(drive, offset, VirtualSector::new(0x1234_5678), 37).unwrap();
                assert!(code.len() <= STAGE1_BYTES_MAX);
                assert!(usize::from(offset) + code.len() <= signature);
            }
        }
    }

    #[test]
    fn stage_2_is_whole_sectors_and_as_long_for_any_numbers() {
        for drive in [
            Drive::Emulated,
            Drive::NoEmulation,
            Drive::Disk(VirtualSector::new(100)),
        ] {
            for checks in [0, 1, 64] {
                let small = stage2(drive, &plan(checks)).unwrap();
                let mut far = plan(checks);
                far.image = VirtualSectorCount::new(0xFFFF_FFFF);
                far.structured = far.image;
                for check in &mut far.checks {
                    check.sector = VirtualSector::new(0xFFFF_FFFE);
                }
                assert_eq!(small.len(), stage2(drive, &far).unwrap().len());
                assert_eq!(small.len() % 512, 0);
            }
        }
    }

    #[test]
    fn what_the_probe_cannot_hold_is_refused() {
        let refused = |plan: &ProbePlan| stage2(Drive::Emulated, plan).unwrap_err().to_string();
        assert!(refused(&plan(65)).contains("65 checks, where at most 64 fit"));
        let mut named = plan(1);
        named.checks[0].name = "two words".to_owned();
        assert!(refused(&named).contains("two words"));
        let mut far = plan(1);
        far.checks[0].sector = VirtualSector::new(1 << 32);
        assert!(refused(&far).contains("4294967296"));
        assert!(stage1(Drive::Emulated, 0, VirtualSector::new(1), 38).is_err());
    }
}
