use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::units::{VirtualSector, VirtualSectorCount};

/// The first eight bytes of the SHA-256 of a `DiscId`: short enough for every sector to carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DiscHash(u64);

impl DiscHash {
    /// The hash of a disc's id, as in `hard-disk-quarter/cd-74/hard-disk/quarter-1s/reference`.
    #[must_use]
    pub fn of_id(disc_id: &str) -> Self {
        let digest = Sha256::digest(disc_id.as_bytes());
        let mut head = [0; 8];
        for (to, from) in head.iter_mut().zip(digest) {
            *to = from;
        }
        Self(u64::from_be_bytes(head))
    }

    /// The hash whose 64 bits are these, as read from a sector.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The 64 bits.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }
}

impl fmt::Display for DiscHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for DiscHash {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

impl From<DiscHash> for String {
    fn from(hash: DiscHash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for DiscHash {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// One virtual sector of its own image that a probe reads back through the firmware.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Why this one: `first`, `last`, `quarter-1`, `16-bit+1`, `spread-3`. `[a-z0-9+-]`, at most 15 bytes.
    pub name: String,
    /// Which one, from the start of the image.
    pub sector: VirtualSector,
}

/// What a probe is to do: written into the probe when its image is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbePlan {
    /// The disc the probe belongs to.
    pub disc: DiscHash,
    /// The 0-based catalog slot whose image this is.
    pub slot: u16,
    /// The image's length.
    pub image: VirtualSectorCount,
    /// The sectors at the image's start that hold code and file-system structures. The probe reports
    /// one CRC over them (`area=`) when `sweep` is set.
    pub structured: VirtualSectorCount,
    /// Sectors to read one by one, in this order. At most 64.
    pub checks: Vec<Check>,
    /// Whether every sector is read: the structured ones as `area=`, the self-identifying rest as `sweep=`.
    pub sweep: bool,
}
