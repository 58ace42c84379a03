//! What stands where in memory.

pub(super) const STAGE2_AT: u16 = 0x0600;
/// `JMP rel16`, over the plan's constants: by it stage 1 knows stage 2.
pub(super) const STAGE2_BEGINS: u8 = 0xE9;
/// Where the plan's constants stand: behind the jump at stage 2's start.
pub(super) const TABLE: u16 = STAGE2_AT + 4;
pub(super) const BUFFER: u16 = 0x5000;
/// As many sectors as fit at [`BUFFER`].
pub(super) const RUN: u32 = 4;
pub(super) const LONG_BUFFER: u16 = 0x8000;
/// As many sectors as fit at [`LONG_BUFFER`]. A power of two.
pub(super) const LONG_RUN: u32 = 32;
pub(super) const STAGE2_BYTES_MAX: usize = (BUFFER - STAGE2_AT) as usize;
pub(super) const PACKET: u16 = 0x5800;
pub(super) const PACKET_BYTES: u16 = 0x13;
pub(super) const ADDRESS_PACKET: u16 = 0x5820;
pub(super) const LINE: u16 = 0x5900;
pub(super) const STACK_TOP: u16 = 0x7000;
pub(super) const NOTHING: u32 = u32::MAX;
