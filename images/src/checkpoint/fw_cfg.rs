//! Waiting for the host, in real mode and in 64-bit mode alike: nothing but registers and ports.

use iced_x86::{IcedError, code_asm::*};

use super::wake::{GO, READY, WAKE_FILE};
use crate::probe::serial::DEBUG_PORT;

/// QEMU's firmware configuration device: the selector; the data port is the next (`docs/specs/fw_cfg.rst`).
const SELECTOR: u32 = 0x510;
/// The key of the directory of files: their number, then an entry for each.
pub(super) const DIRECTORY: u32 = 0x19;
/// A name in the directory, padded with zeros.
pub(super) const NAME_BYTES: usize = 56;

/// Says that the program is ready, and waits until the host lets it go on. Returns at once on a machine without the file.
/// Clobbers AX, BX, CX, DX.
pub(super) fn wait_for_host(a: &mut CodeAssembler) -> Result<(), IcedError> {
    let mut entry = a.create_label();
    let mut wait = a.create_label();
    let mut over = a.create_label();

    a.mov(ax, DIRECTORY)?;
    select(a)?;
    // The number of entries, big-endian; there are never 65,536.
    skip(a, 2)?;
    word(a, ch, cl)?;
    a.set_label(&mut entry)?;
    a.test(cx, cx)?;
    a.je(over)?;
    a.dec(cx)?;
    // Length, key, two reserved bytes, name.
    skip(a, 4)?;
    word(a, bh, bl)?;
    skip(a, 2)?;
    a.xor(ah, ah)?;
    for at in 0..NAME_BYTES {
        a.in_(al, dx)?;
        let wanted = WAKE_FILE.as_bytes().get(at).copied().unwrap_or(0);
        a.xor(al, u32::from(wanted))?;
        a.or(ah, al)?;
    }
    a.jne(entry)?;

    a.mov(dx, DEBUG_PORT)?;
    for byte in READY.bytes() {
        a.mov(al, u32::from(byte))?;
        a.out(dx, al)?;
    }
    a.set_label(&mut wait)?;
    a.pause()?;
    a.mov(ax, bx)?;
    select(a)?;
    a.in_(al, dx)?;
    a.cmp(al, u32::from(GO.as_bytes()[0]))?;
    a.jne(wait)?;
    a.set_label(&mut over)?;
    a.nop()
}

/// Selects the item AX. DX = the data port.
fn select(a: &mut CodeAssembler) -> Result<(), IcedError> {
    a.mov(dx, SELECTOR)?;
    a.out(dx, ax)?;
    a.inc(dx)
}

fn skip(a: &mut CodeAssembler, bytes: usize) -> Result<(), IcedError> {
    (0..bytes).try_for_each(|_| a.in_(al, dx))
}

/// A big-endian word.
fn word(a: &mut CodeAssembler, high: AsmRegister8, low: AsmRegister8) -> Result<(), IcedError> {
    for half in [high, low] {
        a.in_(al, dx)?;
        a.mov(half, al)?;
    }
    Ok(())
}
