//! Offsets in `.data`, which R15 points to. What the plan says stands at its start.

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

/// Bytes of `.data`.
pub(super) const DATA_BYTES: u32 = BUFFER + BUFFER_BYTES;
