//! Variables. The first three pass from stage 1 to stage 2.

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
