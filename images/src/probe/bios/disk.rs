//! Reading virtual sectors through INT 13h, in both stages.

use iced_x86::{IcedError, code_asm::*};

use super::{
    ADDRESS_PACKET, BUFFER, Drive, ERROR_BEYOND_CHS, ERROR_NO_GEOMETRY, NOTHING, PACKET,
    PACKET_BYTES, variable,
};

/// Entry points of the routines.
pub(super) struct Disk {
    /// INT 13h with DL the boot drive. Preserves DS and ES, which some firmware does not.
    pub(super) int13: CodeLabel,
    /// Learns what `read` needs. Carry: failed, AH = code. Clobbers EAX, BX, CX, DX, SI.
    pub(super) open: CodeLabel,
    /// Reads virtual sector EAX: SI = its 512 bytes. Carry: failed, AH = code. Preserves the rest but EAX.
    pub(super) read: CodeLabel,
    /// Asks for the specification packet. Carry: failed, AH = code. Clobbers AX, CX, DX, SI.
    pub(super) packet: CodeLabel,
    /// Asks for the geometry. Carry: failed, AH = code. CX, DX as the firmware gave them.
    pub(super) geometry: CodeLabel,
}

impl Disk {
    pub(super) fn new(a: &mut CodeAssembler) -> Self {
        Self {
            int13: a.create_label(),
            open: a.create_label(),
            read: a.create_label(),
            packet: a.create_label(),
            geometry: a.create_label(),
        }
    }

    /// What both stages need to read from `drive`.
    pub(super) fn emit_read(
        &mut self,
        a: &mut CodeAssembler,
        drive: Drive,
    ) -> Result<(), IcedError> {
        self.emit_int13(a)?;
        match drive {
            Drive::Emulated => {
                self.emit_geometry(a)?;
                self.emit_open_emulated(a)?;
                self.emit_read_emulated(a)
            }
            Drive::NoEmulation => {
                self.emit_packet(a)?;
                self.emit_open_block(a)?;
                self.emit_read_block(a)
            }
        }
    }

    /// What only stage 2 asks for, about a drive that it does not read that way.
    pub(super) fn emit_rest(
        &mut self,
        a: &mut CodeAssembler,
        drive: Drive,
    ) -> Result<(), IcedError> {
        match drive {
            Drive::Emulated => self.emit_packet(a),
            Drive::NoEmulation => self.emit_geometry(a),
        }
    }

    fn emit_int13(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        a.set_label(&mut self.int13)?;
        a.push(ds)?;
        a.push(es)?;
        a.mov(dl, byte_ptr(variable::DRIVE))?;
        a.int(0x13)?;
        a.pop(es)?;
        a.pop(ds)?;
        a.ret()
    }

    fn emit_geometry(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        a.set_label(&mut self.geometry)?;
        // ES:DI = 0 guards against firmware that reads the parameter table it should return there.
        a.push(di)?;
        a.xor(di, di)?;
        a.mov(ah, 8)?;
        a.call(self.int13)?;
        a.pop(di)?;
        a.ret()
    }

    fn emit_packet(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        a.set_label(&mut self.packet)?;
        a.push(di)?;
        // Zeros first: what the firmware leaves out must not look reported.
        a.mov(di, u32::from(PACKET))?;
        a.mov(cx, u32::from(PACKET_BYTES))?;
        a.xor(ax, ax)?;
        a.rep().stosb()?;
        a.pop(di)?;
        a.mov(si, u32::from(PACKET))?;
        a.mov(byte_ptr(si), u32::from(PACKET_BYTES))?;
        a.mov(ax, 0x4B01)?;
        a.call(self.int13)?;
        a.ret()
    }

    fn emit_open_emulated(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut failed = a.create_label();
        a.set_label(&mut self.open)?;
        a.call(self.geometry)?;
        a.jc(failed)?;
        a.mov(word_ptr(variable::HEADS), 1)?;
        a.add(byte_ptr(variable::HEADS), dh)?;
        a.adc(byte_ptr(variable::HEADS + 1), 0)?;
        a.and(cx, 0x3F)?;
        a.mov(word_ptr(variable::SECTORS_PER_TRACK), cx)?;
        a.set_label(&mut failed)?;
        a.ret()
    }

    fn emit_open_block(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut failed = a.create_label();
        a.set_label(&mut self.open)?;
        a.mov(dword_ptr(variable::BUFFERED), NOTHING)?;
        a.call(self.packet)?;
        a.jc(failed)?;
        a.mov(eax, dword_ptr(PACKET + 4))?;
        a.mov(dword_ptr(variable::LOAD_RBA), eax)?;
        a.set_label(&mut failed)?;
        a.ret()
    }

    fn emit_read_emulated(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut failed = a.create_label();
        let mut beyond = a.create_label();
        let mut done = a.create_label();
        a.set_label(&mut self.read)?;
        a.pushad()?;
        a.mov(byte_ptr(variable::ERROR), u32::from(ERROR_NO_GEOMETRY))?;
        a.movzx(ecx, word_ptr(variable::SECTORS_PER_TRACK))?;
        a.jcxz(failed)?;
        a.xor(edx, edx)?;
        a.div(ecx)?;
        a.inc(dx)?;
        a.push(dx)?;
        a.xor(edx, edx)?;
        a.movzx(ecx, word_ptr(variable::HEADS))?;
        a.div(ecx)?;
        a.pop(cx)?;
        a.cmp(eax, 1023)?;
        a.ja(beyond)?;
        // CH = cylinder's low eight bits, CL = its high two above the sector, DH = head.
        a.mov(ch, al)?;
        a.shl(ah, 6)?;
        a.or(cl, ah)?;
        a.mov(dh, dl)?;
        a.mov(bx, u32::from(BUFFER))?;
        a.mov(ax, 0x0201)?;
        a.call(self.int13)?;
        a.mov(byte_ptr(variable::ERROR), ah)?;
        a.jc(failed)?;
        a.popad()?;
        a.mov(si, u32::from(BUFFER))?;
        a.jmp(done)?;
        a.set_label(&mut beyond)?;
        a.mov(byte_ptr(variable::ERROR), u32::from(ERROR_BEYOND_CHS))?;
        a.set_label(&mut failed)?;
        a.popad()?;
        a.mov(ah, byte_ptr(variable::ERROR))?;
        a.stc()?;
        a.set_label(&mut done)?;
        a.ret()
    }

    fn emit_read_block(&mut self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut failed = a.create_label();
        let mut present = a.create_label();
        a.set_label(&mut self.read)?;
        a.pushad()?;
        a.shr(eax, 2)?;
        a.add(eax, dword_ptr(variable::LOAD_RBA))?;
        a.cmp(dword_ptr(variable::BUFFERED), eax)?;
        a.je(present)?;
        a.mov(dword_ptr(variable::BUFFERED), NOTHING)?;
        // Disk address packet: 10h bytes, one block, to 0000:BUFFER, from the 64-bit address at 8.
        a.mov(si, u32::from(ADDRESS_PACKET))?;
        a.mov(dword_ptr(si), 0x0001_0010)?;
        a.mov(dword_ptr(si + 4), u32::from(BUFFER))?;
        a.mov(dword_ptr(si + 8), eax)?;
        a.mov(dword_ptr(si + 12), 0)?;
        a.push(eax)?;
        a.mov(ah, 0x42)?;
        a.call(self.int13)?;
        a.mov(byte_ptr(variable::ERROR), ah)?;
        a.pop(eax)?;
        a.jc(failed)?;
        a.mov(dword_ptr(variable::BUFFERED), eax)?;
        a.set_label(&mut present)?;
        a.popad()?;
        a.mov(si, ax)?;
        a.and(si, 3)?;
        a.shl(si, 9)?;
        a.add(si, u32::from(BUFFER))?;
        a.clc()?;
        a.ret()?;
        a.set_label(&mut failed)?;
        a.popad()?;
        a.mov(ah, byte_ptr(variable::ERROR))?;
        a.stc()?;
        a.ret()
    }
}
