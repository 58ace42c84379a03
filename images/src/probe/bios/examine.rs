//! What a read brought: the sector's own word for it, as `sector::classify` has it on the host.

use iced_x86::{IcedError, code_asm::*};

use super::{disk::Disk, line::Line, memory::TABLE, variable};
use crate::probe::{
    found::{field, kind},
    sector::{BYTES, MAGIC},
    table,
};

/// Entry points of the routines.
pub(super) struct Examine {
    /// Reads virtual sector EAX and fills [`variable::FOUND`]. Clobbers EAX, CX, SI.
    pub(super) observe: CodeLabel,
    /// Puts ` found=…` or ` error=…` for what stands at BX. Clobbers EAX, CX, SI.
    pub(super) put_found: CodeLabel,
    classify: CodeLabel,
}

impl Examine {
    pub(super) fn new(a: &mut CodeAssembler) -> Self {
        Self {
            observe: a.create_label(),
            put_found: a.create_label(),
            classify: a.create_label(),
        }
    }

    pub(super) fn emit(
        &mut self,
        a: &mut CodeAssembler,
        disk: &Disk,
        line: &Line,
    ) -> Result<(), IcedError> {
        self.emit_observe(a, disk)?;
        self.emit_classify(a, line)?;
        self.emit_put_found(a, line)
    }

    fn emit_observe(&mut self, a: &mut CodeAssembler, disk: &Disk) -> Result<(), IcedError> {
        a.set_label(&mut self.observe)?;
        a.call(disk.read)?;
        a.jnc(self.classify)?;
        a.mov(byte_ptr(variable::FOUND + field::KIND), kind::ERROR)?;
        a.mov(byte_ptr(variable::FOUND + field::ERROR), ah)?;
        a.ret()
    }

    fn emit_classify(&mut self, a: &mut CodeAssembler, line: &Line) -> Result<(), IcedError> {
        let words = BYTES as u32 / 4;
        let mut sum = a.create_label();
        let mut other = a.create_label();
        let mut done = a.create_label();

        // One pass: EDX gathers every bit, EBX the sum.
        a.set_label(&mut self.classify)?;
        a.push(ebx)?;
        a.push(edx)?;
        a.push(si)?;
        a.xor(ebx, ebx)?;
        a.xor(edx, edx)?;
        a.mov(cx, words)?;
        a.set_label(&mut sum)?;
        a.lodsd()?;
        a.or(edx, eax)?;
        a.add(ebx, eax)?;
        a.loop_(sum)?;
        a.pop(si)?;
        a.mov(al, kind::HOLE)?;
        a.test(edx, edx)?;
        a.je(done)?;

        let [m0, m1, m2, m3, m4, m5, m6, m7] = MAGIC;
        a.cmp(dword_ptr(si), u32::from_le_bytes([m0, m1, m2, m3]))?;
        a.jne(other)?;
        a.cmp(dword_ptr(si + 4), u32::from_le_bytes([m4, m5, m6, m7]))?;
        a.jne(other)?;
        a.test(ebx, ebx)?;
        a.jne(other)?;

        let mut foreign = a.create_label();
        a.push(di)?;
        a.add(si, 8)?;
        a.mov(di, u32::from(variable::FOUND + field::DISC))?;
        a.mov(cx, 4)?;
        a.rep().movsd()?;
        // The disc and the slot, ten bytes, stand in the same order in the plan's constants.
        a.mov(si, u32::from(TABLE + table::DISC))?;
        a.mov(di, u32::from(variable::FOUND + field::DISC))?;
        a.mov(cx, 5)?;
        a.repe().cmpsw()?;
        a.pop(di)?;
        a.jne(foreign)?;
        a.mov(al, kind::SECTOR)?;
        a.jmp(done)?;
        a.set_label(&mut foreign)?;
        a.mov(al, kind::FOREIGN)?;
        a.jmp(done)?;

        a.set_label(&mut other)?;
        a.mov(cx, BYTES as u32)?;
        a.mov(ax, 0xFFFF)?;
        a.call(line.crc)?;
        a.mov(word_ptr(variable::FOUND + field::CRC), ax)?;
        a.mov(al, kind::OTHER)?;
        a.set_label(&mut done)?;
        a.mov(byte_ptr(variable::FOUND + field::KIND), al)?;
        a.pop(edx)?;
        a.pop(ebx)?;
        a.ret()
    }

    fn emit_put_found(&mut self, a: &mut CodeAssembler, line: &Line) -> Result<(), IcedError> {
        let mut foreign = a.create_label();
        let mut hole = a.create_label();
        let mut other = a.create_label();
        let mut error = a.create_label();
        let mut disc_byte = a.create_label();
        let at = |field: u16| bx + u32::from(field);

        a.set_label(&mut self.put_found)?;
        a.mov(al, byte_ptr(at(field::KIND)))?;
        a.cmp(al, kind::ERROR)?;
        a.je(error)?;
        line.text(a, " found=")?;
        a.mov(al, byte_ptr(at(field::KIND)))?;
        a.cmp(al, kind::FOREIGN)?;
        a.je(foreign)?;
        a.cmp(al, kind::HOLE)?;
        a.je(hole)?;
        a.cmp(al, kind::OTHER)?;
        a.je(other)?;
        a.mov(eax, dword_ptr(at(field::NUMBER)))?;
        a.jmp(line.put_decimal)?;

        a.set_label(&mut foreign)?;
        line.text(a, "foreign disc=")?;
        // Little-endian: the last byte is the first to be written.
        a.lea(si, ptr(at(field::DISC + 7)))?;
        a.mov(cx, 8)?;
        a.set_label(&mut disc_byte)?;
        a.mov(al, byte_ptr(si))?;
        a.dec(si)?;
        a.call(line.put_hex8)?;
        a.loop_(disc_byte)?;
        line.text(a, " slot=")?;
        a.movzx(eax, word_ptr(at(field::SLOT)))?;
        a.call(line.put_decimal)?;
        line.text(a, " number=")?;
        a.mov(eax, dword_ptr(at(field::NUMBER)))?;
        a.jmp(line.put_decimal)?;

        a.set_label(&mut hole)?;
        line.text(a, "hole")?;
        a.ret()?;

        a.set_label(&mut other)?;
        line.text(a, "other crc=")?;
        a.mov(ax, word_ptr(at(field::CRC)))?;
        a.jmp(line.put_hex16)?;

        a.set_label(&mut error)?;
        line.text(a, " error=")?;
        a.mov(al, byte_ptr(at(field::ERROR)))?;
        a.jmp(line.put_hex8)
    }
}
