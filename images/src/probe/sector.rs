//! Self-identifying sectors: a virtual sector that says which disc, image and sector it is.
//!
//! | bytes | content |
//! |---|---|
//! | 0–7 | magic `BM1SECT` and a zero |
//! | 8–15 | [`DiscHash`], little-endian |
//! | 16–17 | catalog slot, little-endian |
//! | 18–19 | zero |
//! | 20–23 | virtual sector number, little-endian |
//! | 24–507 | the 32-bit words `number * 0x9E3779B1 + offset` for each offset, little-endian |
//! | 508–511 | chosen so that the 128 little-endian words of the sector sum to 0 modulo 2^32 |

use serde::{Deserialize, Serialize};

use super::DiscHash;

/// The first eight bytes of every self-identifying sector.
pub const MAGIC: [u8; 8] = *b"BM1SECT\0";

/// Bytes in a virtual sector, as an array length.
pub const BYTES: usize = 512;

/// What a sector says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SectorId {
    /// The disc it belongs to.
    pub disc: DiscHash,
    /// The catalog slot of its boot image.
    pub slot: u16,
    /// Its number, from the start of its boot image. 32 bits: 2 TiB, more than any medium holds.
    pub number: u32,
}

impl SectorId {
    /// The sector's 512 bytes.
    #[must_use]
    pub fn encode(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..16].copy_from_slice(&self.disc.bits().to_le_bytes());
        bytes[16..18].copy_from_slice(&self.slot.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.number.to_le_bytes());
        for offset in (24..508_u32).step_by(4) {
            let word = self.number.wrapping_mul(0x9E37_79B1).wrapping_add(offset);
            let at = offset as usize;
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        let sum = word_sum(&bytes);
        bytes[508..].copy_from_slice(&0_u32.wrapping_sub(sum).to_le_bytes());
        bytes
    }
}

/// What a read of one virtual sector brought, as the probe and the host both classify it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    /// An intact self-identifying sector of the probe's own image, with this number.
    Sector(u32),
    /// An intact self-identifying sector of another image or disc.
    Foreign {
        /// The disc it belongs to.
        disc: DiscHash,
        /// The slot of its image.
        slot: u16,
        /// Its number there.
        number: u32,
    },
    /// 512 zeros.
    Hole,
    /// Anything else, with the CRC-16 of its 512 bytes.
    Other(u16),
    /// Nothing: the firmware refused the read with this code (`AH` of INT 13h, or the low byte of an `EFI_STATUS`).
    Error(u8),
}

/// Classifies 512 bytes as a probe of image `slot` on `disc` does.
#[must_use]
pub fn classify(bytes: &[u8; BYTES], disc: DiscHash, slot: u16) -> Found {
    if bytes.iter().all(|&byte| byte == 0) {
        return Found::Hole;
    }
    if bytes[..8] == MAGIC && word_sum(bytes) == 0 {
        let mut hash = [0; 8];
        hash.copy_from_slice(&bytes[8..16]);
        let found_disc = DiscHash::from_bits(u64::from_le_bytes(hash));
        let found_slot = u16::from_le_bytes([bytes[16], bytes[17]]);
        let number = u32::from_le_bytes([bytes[20], bytes[21], bytes[22], bytes[23]]);
        return if found_disc == disc && found_slot == slot {
            Found::Sector(number)
        } else {
            Found::Foreign {
                disc: found_disc,
                slot: found_slot,
                number,
            }
        };
    }
    Found::Other(crc16(bytes))
}

fn word_sum(bytes: &[u8; BYTES]) -> u32 {
    bytes.as_chunks::<4>().0.iter().fold(0_u32, |sum, word| {
        sum.wrapping_add(u32::from_le_bytes(*word))
    })
}

/// CRC-16/CCITT-FALSE (polynomial 1021, initial value FFFF): guards protocol lines and names foreign sectors.
#[must_use]
pub fn crc16(bytes: &[u8]) -> u16 {
    crc16_continue(0xFFFF, bytes)
}

/// The CRC-16 of what came before (`crc`) followed by `bytes`.
#[must_use]
pub fn crc16_continue(crc: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(crc, |crc, &byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc16_has_the_published_check_value() {
        // The check value of CRC-16/CCITT-FALSE (also named CRC-16/IBM-3740) in the CRC catalogues.
        assert_eq!(crc16(b"123456789"), 0x29B1);
    }

    #[test]
    fn a_sector_knows_itself_and_notices_damage() {
        let disc = DiscHash::of_id("a/cd-74/none/-/reference");
        let id = SectorId {
            disc,
            slot: 1,
            number: 83_249,
        };
        let mut bytes = id.encode();
        assert_eq!(classify(&bytes, disc, 1), Found::Sector(83_249));
        assert_eq!(
            classify(&bytes, disc, 2),
            Found::Foreign {
                disc,
                slot: 1,
                number: 83_249
            }
        );
        bytes[100] ^= 1;
        assert!(matches!(classify(&bytes, disc, 1), Found::Other(_)));
        assert_eq!(classify(&[0; BYTES], disc, 1), Found::Hole);
    }
}
