//! What a probe reported, read from its lines.

use serde::{Deserialize, Serialize};

use super::{DiscHash, sector::Found};

/// Which kind of firmware ran the probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeKind {
    /// The 16-bit real-mode probe.
    Bios,
    /// The UEFI application.
    Uefi,
}

/// Everything a probe said, from `begin` on. Parsed only from lines whose CRC was right and whose
/// sequence had no gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeReport {
    /// `begin=`: BIOS or UEFI.
    pub kind: ProbeKind,
    /// `disc=`: the disc that the probe was made for.
    pub disc: DiscHash,
    /// `slot=`: the catalog slot that the probe was made for, so which entry ran.
    pub slot: u16,
    /// What the firmware told the probe, in the order of the lines: `("drive", "80")`, `("packet", "13…")`.
    pub facts: Vec<(String, String)>,
    /// One per `check=` line, in order.
    pub checks: Vec<CheckReport>,
    /// The `area=` line.
    pub area: Option<AreaReport>,
    /// The `sweep=` line.
    pub sweep: Option<SweepReport>,
    /// The `file=` line: the loader read back through the simple file system (UEFI only).
    pub file: Option<FileReport>,
    /// Whether the `end` line came.
    pub ended: bool,
}

impl ProbeReport {
    /// What is known once the `begin` line came.
    #[must_use]
    pub fn new(kind: ProbeKind, disc: DiscHash, slot: u16) -> Self {
        Self {
            kind,
            disc,
            slot,
            facts: Vec::new(),
            checks: Vec::new(),
            area: None,
            sweep: None,
            file: None,
            ended: false,
        }
    }
}

/// What a read of one planned sector brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// The check's name in the plan.
    pub name: String,
    /// The virtual sector that was asked for.
    pub sector: u32,
    /// What came.
    pub found: Found,
}

/// One CRC over all structured sectors, read through the firmware.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AreaReport {
    /// How many virtual sectors, from 0.
    pub sectors: u32,
    /// The CRC-16 over them; `None` when a read failed.
    pub crc: Option<u16>,
    /// The first sector whose read failed, and the code.
    pub error: Option<(u32, u8)>,
}

/// Every self-identifying sector, read through the firmware.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepReport {
    /// The first virtual sector.
    pub first: u32,
    /// The last virtual sector.
    pub last: u32,
    /// How many said of themselves what was expected.
    pub intact: u32,
    /// The first that did not, and what came instead.
    pub first_bad: Option<(u32, Found)>,
}

/// A file read back through the firmware's file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileReport {
    /// Its length in bytes; `None` when it could not be opened.
    pub bytes: Option<u64>,
    /// The CRC-16 of its content; `None` when it could not be read.
    pub crc: Option<u16>,
    /// The low byte of the `EFI_STATUS` when something failed.
    pub error: Option<u8>,
}
