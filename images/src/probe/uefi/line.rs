//! Lines of the protocol, built in memory at RDI and sent when whole: 64-bit twin of `bios::line`.

use iced_x86::{IcedError, code_asm::*};

use super::variable;
use crate::probe::{protocol, serial, table};

/// Entry points of the routines. RDI is the line's end; they advance it and preserve every other
/// register but RAX, unless they say more. R15 points to `.data`.
pub(super) struct Line {
    /// Starts a line: `BM1 <seq> `. Clobbers RSI.
    pub(super) begin: CodeLabel,
    /// Ends it with its CRC and sends it. Clobbers RCX, RDX, RSI.
    pub(super) end: CodeLabel,
    /// The text at RSI, ended by a zero. RSI comes to stand behind it.
    pub(super) put_text: CodeLabel,
    /// The 16-bit characters at RSI, ended by a zero, at most ECX. What is no visible ASCII becomes `_`.
    /// Clobbers RCX, RSI.
    pub(super) put_wide: CodeLabel,
    /// RAX in decimal.
    pub(super) put_decimal: CodeLabel,
    /// AL as two hexadecimal digits.
    pub(super) put_hex8: CodeLabel,
    /// AX as four hexadecimal digits.
    pub(super) put_hex16: CodeLabel,
    /// AX becomes the CRC-16 of what gave AX, followed by the RCX (not 0) bytes at RSI. RSI comes to
    /// stand behind them, RCX is 0.
    pub(super) crc: CodeLabel,
    send: CodeLabel,
    /// Constants that stand behind the code.
    pool: Vec<(CodeLabel, Vec<u8>)>,
}

impl Line {
    pub(super) fn new(a: &mut CodeAssembler) -> Self {
        Self {
            begin: a.create_label(),
            end: a.create_label(),
            put_text: a.create_label(),
            put_wide: a.create_label(),
            put_decimal: a.create_label(),
            put_hex8: a.create_label(),
            put_hex16: a.create_label(),
            crc: a.create_label(),
            send: a.create_label(),
            pool: Vec::new(),
        }
    }

    /// A constant that will stand behind the code.
    pub(super) fn constant(&mut self, a: &mut CodeAssembler, bytes: Vec<u8>) -> CodeLabel {
        let label = a.create_label();
        self.pool.push((label, bytes));
        label
    }

    /// Puts a text that is known now. Clobbers RSI.
    pub(super) fn text(&mut self, a: &mut CodeAssembler, text: &str) -> Result<(), IcedError> {
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(0);
        let label = self.constant(a, bytes);
        a.lea(rsi, ptr(label))?;
        a.call(self.put_text)
    }

    pub(super) fn emit(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        self.emit_begin(a)?;
        self.emit_end(a)?;
        self.emit_put_text(a)?;
        self.emit_put_wide(a)?;
        self.emit_put_decimal(a)?;
        self.emit_put_hex(a)?;
        self.emit_crc(a)?;
        self.emit_send(a)
    }

    /// The constants, after all code that names them.
    pub(super) fn emit_pool(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        for (label, bytes) in &mut self.pool {
            a.set_label(label)?;
            a.db(bytes)?;
        }
        Ok(())
    }

    fn emit_begin(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        a.set_label(&mut self.begin)?;
        a.lea(rdi, ptr(r15 + variable::LINE))?;
        self.text(a, protocol::LINE_START)?;
        a.mov(eax, dword_ptr(r15 + variable::SEQUENCE))?;
        a.call(self.put_decimal)?;
        a.inc(dword_ptr(r15 + variable::SEQUENCE))?;
        a.mov(al, u32::from(b' '))?;
        a.stosb()?;
        a.ret()
    }

    fn emit_end(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut next = a.create_label();
        a.set_label(&mut self.end)?;
        a.lea(rsi, ptr(r15 + variable::LINE))?;
        a.mov(rcx, rdi)?;
        a.sub(rcx, rsi)?;
        a.mov(eax, 0xFFFF)?;
        a.call(self.crc)?;
        a.push(rax)?;
        self.text(a, " *")?;
        a.pop(rax)?;
        a.call(self.put_hex16)?;
        self.text(a, "\r\n")?;
        a.lea(rsi, ptr(r15 + variable::LINE))?;
        // A timer event of the firmware's must not write to the same port in the middle of a line.
        a.pushfq()?;
        a.cli()?;
        a.set_label(&mut next)?;
        a.lodsb()?;
        a.call(self.send)?;
        a.cmp(rsi, rdi)?;
        a.jb(next)?;
        a.popfq()?;
        a.ret()
    }

    fn emit_put_text(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut end = a.create_label();
        a.set_label(&mut self.put_text)?;
        a.lodsb()?;
        a.test(al, al)?;
        a.je(end)?;
        a.stosb()?;
        a.jmp(self.put_text)?;
        a.set_label(&mut end)?;
        a.ret()
    }

    fn emit_put_wide(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut next = a.create_label();
        let mut hidden = a.create_label();
        let mut put = a.create_label();
        let mut end = a.create_label();
        a.set_label(&mut self.put_wide)?;
        a.jrcxz(end)?;
        a.set_label(&mut next)?;
        a.lodsw()?;
        a.test(ax, ax)?;
        a.je(end)?;
        a.cmp(ax, u32::from(b'!'))?;
        a.jb(hidden)?;
        a.cmp(ax, u32::from(b'~'))?;
        a.jbe(put)?;
        a.set_label(&mut hidden)?;
        a.mov(al, u32::from(b'_'))?;
        a.set_label(&mut put)?;
        a.stosb()?;
        a.dec(ecx)?;
        a.jne(next)?;
        a.set_label(&mut end)?;
        a.ret()
    }

    fn emit_put_decimal(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut divide = a.create_label();
        let mut put = a.create_label();
        a.set_label(&mut self.put_decimal)?;
        a.push(rbx)?;
        a.push(rcx)?;
        a.push(rdx)?;
        a.mov(ebx, 10)?;
        a.xor(ecx, ecx)?;
        a.set_label(&mut divide)?;
        a.xor(edx, edx)?;
        a.div(rbx)?;
        a.push(rdx)?;
        a.inc(ecx)?;
        a.test(rax, rax)?;
        a.jne(divide)?;
        a.set_label(&mut put)?;
        a.pop(rax)?;
        a.add(al, u32::from(b'0'))?;
        a.stosb()?;
        a.dec(ecx)?;
        a.jne(put)?;
        a.pop(rdx)?;
        a.pop(rcx)?;
        a.pop(rbx)?;
        a.ret()
    }

    fn emit_put_hex(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut digit = a.create_label();
        let mut put = a.create_label();
        a.set_label(&mut self.put_hex16)?;
        a.push(rax)?;
        a.mov(al, ah)?;
        a.call(self.put_hex8)?;
        a.pop(rax)?;
        a.set_label(&mut self.put_hex8)?;
        a.push(rax)?;
        a.shr(al, 4)?;
        a.call(digit)?;
        a.pop(rax)?;
        a.and(al, 0x0F)?;
        a.set_label(&mut digit)?;
        a.add(al, u32::from(b'0'))?;
        a.cmp(al, u32::from(b'9'))?;
        a.jbe(put)?;
        a.add(al, u32::from(b'A' - b'9' - 1))?;
        a.set_label(&mut put)?;
        a.stosb()?;
        a.ret()
    }

    fn emit_crc(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut next = a.create_label();
        a.set_label(&mut self.crc)?;
        a.push(rbx)?;
        a.set_label(&mut next)?;
        a.movzx(ebx, ah)?;
        a.xor(bl, byte_ptr(rsi))?;
        a.inc(rsi)?;
        a.mov(ah, al)?;
        a.mov(al, 0)?;
        a.xor(ax, word_ptr(r15 + rbx * 2 + u32::from(table::CRC_TABLE)))?;
        a.dec(rcx)?;
        a.jne(next)?;
        a.pop(rbx)?;
        a.ret()
    }

    fn emit_send(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut end = a.create_label();
        a.set_label(&mut self.send)?;
        serial::put_byte(a)?;
        a.cmp(byte_ptr(r15 + variable::TO_DEBUG_PORT), 0)?;
        a.je(end)?;
        serial::put_debug_byte(a)?;
        a.set_label(&mut end)?;
        a.ret()
    }
}
