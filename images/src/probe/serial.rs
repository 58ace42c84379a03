//! One byte to COM1 and to the debug port.

use iced_x86::{IcedError, code_asm::*};

/// COM1, a 16550: data register and, with DLAB set, the divisor.
const COM1: u16 = 0x3F8;
const INTERRUPT_ENABLE: u16 = COM1 + 1;
const FIFO_CONTROL: u16 = COM1 + 2;
const LINE_CONTROL: u16 = COM1 + 3;
const MODEM_CONTROL: u16 = COM1 + 4;
const LINE_STATUS: u16 = COM1 + 5;
const TRANSMITTER_EMPTY: u32 = 0x20;

/// The debug port of QEMU and Bochs.
pub(crate) const DEBUG_PORT: u32 = 0x402;

/// 115,200 baud, 8N1, no interrupts: (register, value), in order.
const SET_UP: [(u16, u32); 7] = [
    (INTERRUPT_ENABLE, 0),
    (LINE_CONTROL, 0x80),
    (COM1, 1),
    (INTERRUPT_ENABLE, 0),
    (LINE_CONTROL, 3),
    (FIFO_CONTROL, 0xC7),
    (MODEM_CONTROL, 3),
];

/// Sets COM1 up: the firmware may have left it at any speed, or untouched. Interrupts must be off, so
/// that no handler of the firmware finds the divisor where it expects data. Clobbers AX and DX.
pub(crate) fn set_up(a: &mut CodeAssembler) -> Result<(), IcedError> {
    for (register, value) in SET_UP {
        a.mov(dx, u32::from(register))?;
        a.mov(al, value)?;
        a.out(dx, al)?;
    }
    Ok(())
}

/// How often the transmitter is looked at before a byte is sent all the same: seconds, because whoever reads the other end may be
/// kept from it, and not for ever, because a machine may have a COM1 that never becomes ready.
const LOOKS: u32 = 1 << 24;

/// AL to COM1, when the transmitter is ready for it. Clobbers AH, ECX and DX.
pub(crate) fn put_byte(a: &mut CodeAssembler) -> Result<(), IcedError> {
    let mut wait = a.create_label();
    let mut ready = a.create_label();
    a.mov(ah, al)?;
    a.mov(dx, u32::from(LINE_STATUS))?;
    a.mov(ecx, LOOKS)?;
    a.set_label(&mut wait)?;
    a.in_(al, dx)?;
    a.test(al, TRANSMITTER_EMPTY)?;
    a.jne(ready)?;
    a.dec(ecx)?;
    a.jne(wait)?;
    a.set_label(&mut ready)?;
    a.mov(dx, u32::from(COM1))?;
    a.mov(al, ah)?;
    a.out(dx, al)
}

/// AL to the debug port. Clobbers DX.
pub(crate) fn put_debug_byte(a: &mut CodeAssembler) -> Result<(), IcedError> {
    a.mov(dx, DEBUG_PORT)?;
    a.out(dx, al)
}

/// Halts for ever: an interrupt that cannot be masked only wakes it for one instruction.
pub(crate) fn halt(a: &mut CodeAssembler) -> Result<(), IcedError> {
    let mut again = a.create_label();
    a.cli()?;
    a.set_label(&mut again)?;
    a.hlt()?;
    a.jmp(again)
}
