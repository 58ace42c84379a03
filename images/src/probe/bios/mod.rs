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
mod drive;
mod examine;
mod line;
mod memory;
mod stage1;
mod stage2;
mod variable;

pub use self::drive::{
    Drive, ERROR_BEYOND_CHS, ERROR_NO_GEOMETRY, ERROR_NO_SIGNATURE, ERROR_NO_STAGE2,
};
use self::memory::STAGE2_BYTES_MAX;
use super::{AssembleError, ProbePlan, table};
use crate::units::{VIRTUAL_SECTOR_BYTES, VirtualSector};

/// Bytes of code that fit before a master boot record's disk signature and partition table.
pub const STAGE1_BYTES_MAX: usize = 440;

/// Code for the image's first sector, to be copied there at `offset`: 0 for a hard disk or no
/// emulation, 62 behind the parameter block of a FAT12 floppy (the caller puts `EB 3C 90` at 0).
///
/// It loads `stage2_sectors` virtual sectors from `stage2_at` on, both counted in its own image. When
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
        for drive in [Drive::Emulated, Drive::NoEmulation, Drive::Disk] {
            for offset in [0, parameter_block] {
                let code = stage1(drive, offset, VirtualSector::new(0x1234_5678), 37).unwrap();
                assert!(code.len() <= STAGE1_BYTES_MAX);
                assert!(usize::from(offset) + code.len() <= signature);
            }
        }
    }

    #[test]
    fn stage_2_is_whole_sectors_and_as_long_for_any_numbers() {
        for drive in [Drive::Emulated, Drive::NoEmulation, Drive::Disk] {
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
