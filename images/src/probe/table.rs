//! The constants that a probe carries: the same layout, read by 16-bit and by 64-bit code.

use super::{AssembleError, ProbePlan};
use crate::units::VirtualSector;

/// The disc's 64-bit hash.
pub(super) const DISC: u16 = 0;
/// The catalog slot, 16 bits. It follows the disc as in a sector, so that both compare in one go.
pub(super) const SLOT: u16 = 8;
/// How many checks, 16 bits.
pub(super) const CHECK_COUNT: u16 = 10;
/// The image's length in virtual sectors, 32 bits.
pub(super) const IMAGE: u16 = 12;
/// The structured sectors at its start, 32 bits.
pub(super) const STRUCTURED: u16 = 16;
/// 256 words of 16 bits: what a byte does to a CRC-16.
pub(super) const CRC_TABLE: u16 = 20;
/// The checks, [`CHECK_BYTES`] each.
pub(super) const CHECKS: u16 = CRC_TABLE + 512;
/// A check: its virtual sector (32 bits), then its name, ended by at least one zero.
pub(super) const CHECK_BYTES: u16 = 20;
/// Offset of the name in a check.
pub(super) const CHECK_NAME: u16 = 4;

const CHECKS_MAX: usize = 64;
const NAME_BYTES: usize = 16;

/// The table of `plan`. Its length depends only on the number of checks.
pub(super) fn encode(plan: &ProbePlan) -> Result<Vec<u8>, AssembleError> {
    if plan.checks.len() > CHECKS_MAX {
        return Err(AssembleError::Plan(format!(
            "{} checks, where at most {CHECKS_MAX} fit: drop some",
            plan.checks.len()
        )));
    }
    let too_long = || {
        AssembleError::Plan(format!(
            "an image of {}, past what 32 bits can count",
            plan.image
        ))
    };
    let count = u16::try_from(plan.checks.len()).map_err(|_| too_long())?;
    let mut bytes = Vec::new();
    bytes.extend(plan.disc.bits().to_le_bytes());
    bytes.extend(plan.slot.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(plan.image.to_u32().ok_or_else(too_long)?.to_le_bytes());
    bytes.extend(plan.structured.to_u32().ok_or_else(too_long)?.to_le_bytes());
    for byte in 0..=255 {
        bytes.extend(super::sector::crc16_continue(0, &[byte]).to_le_bytes());
    }
    for check in &plan.checks {
        bytes.extend(sector_number(check.sector)?.to_le_bytes());
        let name = check.name.as_bytes();
        let plain = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-');
        if name.is_empty() || name.len() >= NAME_BYTES || !name.iter().all(plain) {
            return Err(AssembleError::Plan(format!(
                "a check named {:?}: use 1 to {} of a-z, 0-9, + and -",
                check.name,
                NAME_BYTES - 1
            )));
        }
        bytes.extend(name);
        bytes.resize(bytes.len() + NAME_BYTES - name.len(), 0);
    }
    Ok(bytes)
}

/// A virtual sector's number in the 32 bits that the probes count with.
pub(super) fn sector_number(sector: VirtualSector) -> Result<u32, AssembleError> {
    sector
        .to_u32()
        .ok_or_else(|| AssembleError::Plan(format!("{sector}, past what 32 bits can count")))
}
