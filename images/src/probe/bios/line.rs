//! Lines of the protocol, built in memory at ES:DI and sent when whole.

use iced_x86::{IcedError, code_asm::*};

use super::{
    memory::{LINE, TABLE},
    variable,
};
use crate::probe::{protocol, serial, table};

/// Entry points of the routines. DI is the line's end; they advance it and preserve every other
/// register but AX, unless they say more.
pub(super) struct Line {
    /// Starts a line: `BM1 <seq> `.
    pub(super) begin: CodeLabel,
    /// Ends it with its CRC and sends it. Clobbers CX, DX, SI.
    pub(super) end: CodeLabel,
    /// The text that stands behind the call, ended by a zero.
    pub(super) put_text: CodeLabel,
    /// The text at SI, ended by a zero. SI comes to stand behind it.
    pub(super) put_text_at: CodeLabel,
    /// EAX in decimal.
    pub(super) put_decimal: CodeLabel,
    /// AL as two hexadecimal digits.
    pub(super) put_hex8: CodeLabel,
    /// AX as four hexadecimal digits.
    pub(super) put_hex16: CodeLabel,
    /// AX becomes the CRC-16 of what gave AX, followed by the CX bytes at SI. SI comes to stand behind them, CX is 0.
    pub(super) crc: CodeLabel,
    send: CodeLabel,
}

impl Line {
    pub(super) fn new(a: &mut CodeAssembler) -> Self {
        Self {
            begin: a.create_label(),
            end: a.create_label(),
            put_text: a.create_label(),
            put_text_at: a.create_label(),
            put_decimal: a.create_label(),
            put_hex8: a.create_label(),
            put_hex16: a.create_label(),
            crc: a.create_label(),
            send: a.create_label(),
        }
    }

    /// Puts a text that is known now.
    pub(super) fn text(&self, a: &mut CodeAssembler, text: &str) -> Result<(), IcedError> {
        a.call(self.put_text)?;
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(0);
        a.db(&bytes)
    }

    pub(super) fn emit(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        self.emit_begin(a)?;
        self.emit_end(a)?;
        self.emit_put_text(a)?;
        self.emit_put_decimal(a)?;
        self.emit_put_hex(a)?;
        self.emit_crc(a)?;
        self.emit_send(a)
    }

    fn emit_begin(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        a.set_label(&mut self.begin)?;
        a.mov(di, u32::from(LINE))?;
        self.text(a, protocol::LINE_START)?;
        a.mov(eax, dword_ptr(variable::SEQUENCE))?;
        a.call(self.put_decimal)?;
        a.inc(dword_ptr(variable::SEQUENCE))?;
        a.mov(al, u32::from(b' '))?;
        a.stosb()?;
        a.ret()
    }

    fn emit_end(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut next = a.create_label();
        a.set_label(&mut self.end)?;
        a.mov(si, u32::from(LINE))?;
        a.mov(cx, di)?;
        a.sub(cx, si)?;
        a.mov(ax, 0xFFFF)?;
        a.call(self.crc)?;
        a.push(ax)?;
        self.text(a, " *")?;
        a.pop(ax)?;
        a.call(self.put_hex16)?;
        self.text(a, "\r\n")?;
        a.mov(si, u32::from(LINE))?;
        // The timer interrupt must wait: SeaBIOS' serial console sends from it what it still holds back.
        a.pushf()?;
        a.cli()?;
        a.set_label(&mut next)?;
        a.lodsb()?;
        a.call(self.send)?;
        a.cmp(si, di)?;
        a.jb(next)?;
        a.popf()?;
        a.ret()
    }

    fn emit_put_text(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut end = a.create_label();
        a.set_label(&mut self.put_text)?;
        // The return address is the text's, and the code goes on behind the text. SI is kept in the
        // place of the return address meanwhile.
        a.push(bp)?;
        a.mov(bp, sp)?;
        a.xchg(word_ptr(bp + 2), si)?;
        a.call(self.put_text_at)?;
        a.xchg(word_ptr(bp + 2), si)?;
        a.pop(bp)?;
        a.ret()?;

        a.set_label(&mut self.put_text_at)?;
        a.lodsb()?;
        a.test(al, al)?;
        a.je(end)?;
        a.stosb()?;
        a.jmp(self.put_text_at)?;
        a.set_label(&mut end)?;
        a.ret()
    }

    fn emit_put_decimal(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut divide = a.create_label();
        let mut put = a.create_label();
        a.set_label(&mut self.put_decimal)?;
        a.push(ebx)?;
        a.push(cx)?;
        a.push(edx)?;
        a.mov(ebx, 10)?;
        a.xor(cx, cx)?;
        a.set_label(&mut divide)?;
        a.xor(edx, edx)?;
        a.div(ebx)?;
        a.push(dx)?;
        a.inc(cx)?;
        a.test(eax, eax)?;
        a.jne(divide)?;
        a.set_label(&mut put)?;
        a.pop(ax)?;
        a.add(al, u32::from(b'0'))?;
        a.stosb()?;
        a.loop_(put)?;
        a.pop(edx)?;
        a.pop(cx)?;
        a.pop(ebx)?;
        a.ret()
    }

    fn emit_put_hex(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut digit = a.create_label();
        a.set_label(&mut self.put_hex16)?;
        a.push(ax)?;
        a.mov(al, ah)?;
        a.call(self.put_hex8)?;
        a.pop(ax)?;
        a.set_label(&mut self.put_hex8)?;
        a.push(ax)?;
        a.shr(al, 4)?;
        a.call(digit)?;
        a.pop(ax)?;
        a.and(al, 0x0F)?;
        a.set_label(&mut digit)?;
        hex_digit(a)?;
        a.stosb()?;
        a.ret()
    }

    fn emit_crc(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut next = a.create_label();
        a.set_label(&mut self.crc)?;
        a.push(bx)?;
        a.set_label(&mut next)?;
        a.mov(bl, ah)?;
        a.xor(bl, byte_ptr(si))?;
        a.inc(si)?;
        a.xor(bh, bh)?;
        a.add(bx, bx)?;
        a.mov(ah, al)?;
        a.mov(al, 0)?;
        a.xor(ax, word_ptr(bx + u32::from(TABLE + table::CRC_TABLE)))?;
        a.loop_(next)?;
        a.pop(bx)?;
        a.ret()
    }

    fn emit_send(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut end = a.create_label();
        a.set_label(&mut self.send)?;
        serial::put_byte(a)?;
        a.cmp(byte_ptr(variable::TO_DEBUG_PORT), 0)?;
        a.je(end)?;
        serial::put_debug_byte(a)?;
        a.set_label(&mut end)?;
        a.ret()
    }
}

/// AL from a value below 16 to its upper-case hexadecimal digit, without a branch.
pub(super) fn hex_digit(a: &mut CodeAssembler) -> Result<(), IcedError> {
    a.cmp(al, 10)?;
    a.sbb(al, 0x69)?;
    a.das()
}
