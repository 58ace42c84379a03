//! How the image is read back, and what the probe reports where it cannot be.

/// The sector cannot be addressed by cylinder, head and sector: its cylinder is past 1,023.
pub const ERROR_BEYOND_CHS: u8 = 0xF0;
/// The firmware reports a geometry of 0 sectors per track.
pub const ERROR_NO_GEOMETRY: u8 = 0xF1;
/// INT 13h AH=41h came back without its signature AA55h.
pub const ERROR_NO_SIGNATURE: u8 = 0xF2;
/// What stage 1 read in the place of stage 2 does not begin as stage 2 does.
pub const ERROR_NO_STAGE2: u8 = 0xF3;

/// How the image is read back on the drive that the firmware booted (`DL`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drive {
    /// A floppy or hard disk that the firmware emulates: cylinder, head and sector (INT 13h AH=02h).
    Emulated,
    /// The CD drive itself: extended reads of 2048-byte blocks (INT 13h AH=42h), from the load RBA that
    /// the specification packet (AX=4B01h) names.
    NoEmulation,
    /// A disc that is a disk: extended reads of 512-byte sectors (INT 13h AH=42h), from the first sector of the boot image
    /// on. Where that is, the boot record and the initial entry of the disc's catalog say. Only for stage 1: stage 2 is
    /// that of [`Self::NoEmulation`], which sees by its drive's number where it is.
    Disk,
}
