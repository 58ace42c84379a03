//! Reading virtual sectors through block I/O, and what they say of themselves: 64-bit twin of
//! `bios::disk` and `bios::examine`.

use iced_x86::{IcedError, code_asm::*};

use super::{line::Line, variable};
use crate::{
    probe::{
        found::{field, kind},
        sector::{BYTES, MAGIC},
        table,
    },
    uefi::block_io,
    units::VIRTUAL_SECTOR_BYTES,
};

/// The device's block size is below 512 or above 4096 bytes.
pub const ERROR_BLOCK_SIZE: u8 = 0xF3;

/// The largest block that the probe takes.
const BLOCK_BYTES_MAX: u32 = 4096;

/// Entry points of the routines. R15 points to `.data`; they may clobber what a firmware call may:
/// RAX, RCX, RDX, R8–R11.
pub(super) struct Blocks {
    /// Calls RAX with RCX, RDX, R8, R9 and, as fifth argument, R10. RAX = status, flags from it.
    pub(super) call: CodeLabel,
    /// Brings virtual sector EAX: RSI = its 512 bytes. Asks the firmware only for what is not in the
    /// buffer. Carry: failed, AL = code. Clobbers RSI too.
    pub(super) read: CodeLabel,
    /// Reads virtual sector EAX and fills [`variable::FOUND`]. Clobbers RSI too.
    pub(super) observe: CodeLabel,
    /// Puts ` found=…` or ` error=…` for what stands at RBX. Clobbers RSI too.
    pub(super) put_found: CodeLabel,
    classify: CodeLabel,
}

impl Blocks {
    pub(super) fn new(a: &mut CodeAssembler) -> Self {
        Self {
            call: a.create_label(),
            read: a.create_label(),
            observe: a.create_label(),
            put_found: a.create_label(),
            classify: a.create_label(),
        }
    }

    pub(super) fn emit(&mut self, a: &mut CodeAssembler, line: &mut Line) -> Result<(), IcedError> {
        self.emit_call(a)?;
        self.emit_read(a)?;
        self.emit_observe(a)?;
        self.emit_classify(a, line)?;
        self.emit_put_found(a, line)
    }

    fn emit_call(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        a.set_label(&mut self.call)?;
        // UEFI §2.3.4.2: 16-byte alignment, 32 bytes for the callee, then the fifth argument. Aligned
        // here, so that no caller needs to count its pushes.
        a.push(rbp)?;
        a.mov(rbp, rsp)?;
        a.and(rsp, -16)?;
        a.sub(rsp, 0x30)?;
        a.mov(qword_ptr(rsp + 0x20), r10)?;
        a.call(rax)?;
        a.mov(rsp, rbp)?;
        a.pop(rbp)?;
        a.test(rax, rax)?;
        a.ret()
    }

    fn emit_read(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut done = a.create_label();
        let mut failed = a.create_label();
        let mut single = a.create_label();
        let mut fill = a.create_label();
        a.set_label(&mut self.read)?;
        a.push(rbx)?;
        a.mov(ebx, eax)?;
        a.sub(eax, dword_ptr(r15 + variable::BUFFERED))?;
        a.cmp(eax, dword_ptr(r15 + variable::BUFFERED_COUNT))?;
        a.jb(done)?;
        a.mov(eax, ebx)?;
        a.call(fill)?;
        a.jc(failed)?;
        a.mov(eax, ebx)?;
        a.sub(eax, dword_ptr(r15 + variable::BUFFERED))?;
        a.set_label(&mut done)?;
        a.shl(eax, VIRTUAL_SECTOR_BYTES.trailing_zeros())?;
        a.lea(rsi, ptr(r15 + rax + variable::BUFFER))?;
        a.pop(rbx)?;
        a.clc()?;
        a.ret()?;

        // Which sector of the run failed is found one by one.
        a.set_label(&mut failed)?;
        a.cmp(dword_ptr(r15 + variable::RUN), 1)?;
        a.je(single)?;
        a.mov(dword_ptr(r15 + variable::RUN), 1)?;
        a.mov(eax, ebx)?;
        a.pop(rbx)?;
        a.jmp(self.read)?;
        a.set_label(&mut single)?;
        a.pop(rbx)?;
        a.stc()?;
        a.ret()?;

        self.emit_fill(a, &mut fill)
    }

    /// Fills the buffer with the run, or at least the block, that sector EAX lies in: up to the next
    /// multiple of [`variable::RUN`], and not past the image's last block, where there may be nothing
    /// to read. Carry: failed, AL = code. Clobbers what a firmware call may, and RSI.
    fn emit_fill(&mut self, a: &mut CodeAssembler, fill: &mut CodeLabel) -> Result<(), IcedError> {
        let mut refused = a.create_label();
        let mut failed = a.create_label();
        let mut run_known = a.create_label();
        let mut end_known = a.create_label();
        a.set_label(fill)?;
        a.mov(dword_ptr(r15 + variable::BUFFERED_COUNT), 0)?;
        a.mov(rcx, qword_ptr(r15 + variable::BLOCK_STATUS))?;
        a.test(rcx, rcx)?;
        a.jne(refused)?;
        a.mov(r10, qword_ptr(r15 + variable::MEDIA))?;
        a.mov(r11d, dword_ptr(r10 + block_io::BLOCK_SIZE))?;
        a.mov(ecx, u32::from(ERROR_BLOCK_SIZE))?;
        a.cmp(r11d, VIRTUAL_SECTOR_BYTES as u32)?;
        a.jb(refused)?;
        a.cmp(r11d, BLOCK_BYTES_MAX)?;
        a.ja(refused)?;

        // R8 = sectors in a block, R9 = sectors in a run, RSI = how many to read.
        a.mov(r8d, r11d)?;
        a.shr(r8d, VIRTUAL_SECTOR_BYTES.trailing_zeros())?;
        a.mov(r9d, dword_ptr(r15 + variable::RUN))?;
        a.cmp(r9d, r8d)?;
        a.jae(run_known)?;
        a.mov(r9d, r8d)?;
        a.set_label(&mut run_known)?;
        a.mov(esi, r9d)?;
        a.neg(r9d)?;
        a.and(eax, r9d)?;
        a.mov(dword_ptr(r15 + variable::BUFFERED), eax)?;
        a.mov(ecx, dword_ptr(r15 + u32::from(table::IMAGE)))?;
        a.sub(ecx, eax)?;
        a.jbe(end_known)?;
        a.cmp(ecx, esi)?;
        a.jae(end_known)?;
        a.lea(esi, ptr(rcx + r8 - 1))?;
        a.neg(r8d)?;
        a.and(esi, r8d)?;
        a.set_label(&mut end_known)?;

        a.shl(rax, VIRTUAL_SECTOR_BYTES.trailing_zeros())?;
        a.xor(edx, edx)?;
        a.div(r11)?;
        a.mov(r8, rax)?;
        a.mov(rcx, qword_ptr(r15 + variable::BLOCK_IO))?;
        a.mov(edx, dword_ptr(r10 + block_io::MEDIA_ID))?;
        a.mov(r9d, esi)?;
        a.shl(r9d, VIRTUAL_SECTOR_BYTES.trailing_zeros())?;
        a.lea(r10, ptr(r15 + variable::BUFFER))?;
        a.mov(rax, qword_ptr(rcx + block_io::READ_BLOCKS))?;
        a.call(self.call)?;
        a.jne(failed)?;
        a.mov(dword_ptr(r15 + variable::BUFFERED_COUNT), esi)?;
        a.clc()?;
        a.ret()?;
        a.set_label(&mut refused)?;
        a.mov(eax, ecx)?;
        a.set_label(&mut failed)?;
        a.stc()?;
        a.ret()
    }

    fn emit_observe(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        a.set_label(&mut self.observe)?;
        a.call(self.read)?;
        a.jnc(self.classify)?;
        a.mov(byte_ptr(found(field::KIND)), kind::ERROR)?;
        a.mov(byte_ptr(found(field::ERROR)), al)?;
        a.ret()
    }

    fn emit_classify(&mut self, a: &mut CodeAssembler, line: &Line) -> Result<(), IcedError> {
        let mut sum = a.create_label();
        let mut other = a.create_label();
        let mut done = a.create_label();

        // One pass: R8 gathers every bit, R9 the sum.
        a.set_label(&mut self.classify)?;
        a.xor(r8d, r8d)?;
        a.xor(r9d, r9d)?;
        a.mov(ecx, BYTES as u32 / 4)?;
        a.set_label(&mut sum)?;
        a.mov(eax, dword_ptr(rsi + rcx * 4 - 4))?;
        a.or(r8d, eax)?;
        a.add(r9d, eax)?;
        a.dec(ecx)?;
        a.jne(sum)?;
        a.mov(al, kind::HOLE)?;
        a.test(r8d, r8d)?;
        a.je(done)?;

        a.mov(rax, u64::from_le_bytes(MAGIC))?;
        a.cmp(qword_ptr(rsi), rax)?;
        a.jne(other)?;
        a.test(r9d, r9d)?;
        a.jne(other)?;
        a.mov(rcx, qword_ptr(rsi + 8))?;
        a.mov(rdx, qword_ptr(rsi + 16))?;
        a.mov(qword_ptr(found(field::DISC)), rcx)?;
        a.mov(qword_ptr(found(field::SLOT)), rdx)?;
        a.mov(al, kind::FOREIGN)?;
        a.cmp(rcx, qword_ptr(r15 + u32::from(table::DISC)))?;
        a.jne(done)?;
        a.cmp(dx, word_ptr(r15 + u32::from(table::SLOT)))?;
        a.jne(done)?;
        a.mov(al, kind::SECTOR)?;
        a.jmp(done)?;

        a.set_label(&mut other)?;
        a.mov(ecx, BYTES as u32)?;
        a.mov(eax, 0xFFFF)?;
        a.call(line.crc)?;
        a.mov(word_ptr(found(field::CRC)), ax)?;
        a.mov(al, kind::OTHER)?;
        a.set_label(&mut done)?;
        a.mov(byte_ptr(found(field::KIND)), al)?;
        a.ret()
    }

    fn emit_put_found(&mut self, a: &mut CodeAssembler, line: &mut Line) -> Result<(), IcedError> {
        let mut foreign = a.create_label();
        let mut hole = a.create_label();
        let mut other = a.create_label();
        let mut error = a.create_label();
        let mut disc_byte = a.create_label();
        let at = |field: u16| rbx + u32::from(field);

        a.set_label(&mut self.put_found)?;
        a.cmp(byte_ptr(at(field::KIND)), kind::ERROR)?;
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
        a.mov(ecx, 8)?;
        a.set_label(&mut disc_byte)?;
        a.mov(al, byte_ptr(rbx + rcx + u32::from(field::DISC - 1)))?;
        a.call(line.put_hex8)?;
        a.dec(ecx)?;
        a.jne(disc_byte)?;
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

/// A field of what was found last.
fn found(field: u16) -> iced_x86::code_asm::AsmMemoryOperand {
    r15 + (variable::FOUND + u32::from(field))
}
